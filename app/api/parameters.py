"""Parameters of requests as all endpoints read them: calendar days, optional bodies, no unknown
names.
"""

import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any, TypeVar, get_args, get_origin

from fastapi import Depends, HTTPException, Request
from fastapi.dependencies.models import Dependant
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema
from starlette.requests import ClientDisconnect

from app.api.errors import field_errors, invalid_message
from app.errors import FieldError, InvalidRequestError

MAX_BODY_BYTES = 1_000_000
_UNFIT = "недопустимый знак"
_REPEATED = "указан несколько раз, а нужен один"
_EMPTY = "пусто: впишите значение или уберите параметр"
_NOT_UTF8 = "не в UTF-8: запишите буквы через проценты (curl -G --data-urlencode)"


def _calendar_day(value: object) -> object:
    """Pydantic's own reading of a date takes numbers of seconds, too."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"нет такого дня: {value}") from None
    if isinstance(value, date):
        return value
    raise ValueError("нужна дата ГГГГ-ММ-ДД")


CalendarDay = Annotated[
    date,
    BeforeValidator(_calendar_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-11-22"]}),
]
"""A day as ``YYYY-MM-DD`` and in no other spelling."""


class OptionalBody(BaseModel):
    """A body that may be left out; every key in it is optional, and an unknown one is an error."""

    model_config = ConfigDict(extra="forbid", strict=True)


Body = TypeVar("Body", bound=OptionalBody)


def read_optional_body(model: type[Body]) -> Callable[[Request], Awaitable[Body]]:
    """A dependency that reads a JSON object, or nothing at all: a plain ``curl -X POST`` sends no
    body and no content type.

    It runs after the check of the key, unlike a body parameter of FastAPI, whose errors come before
    a 401.
    """

    async def read(request: Request) -> Body:
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        raw = await read_body(request)
        if kind and kind != "application/json":
            raise _invalid(FieldError("Content-Type", "нужен application/json"))
        if not raw.strip():
            return model()
        if not kind:
            raise _invalid(FieldError("Content-Type", "тело без типа; нужен application/json"))
        try:
            content = json.loads(raw, object_pairs_hook=_without_repeats)
            is_text = _is_text(json.dumps(content, ensure_ascii=False))
        except (ValueError, RecursionError):
            raise _invalid(FieldError("body", "тело не разбирается как JSON")) from None
        if not isinstance(content, dict):
            raise _invalid(FieldError("body", "нужен объект JSON"))
        if not is_text:
            raise _invalid(FieldError("body", _UNFIT))
        try:
            return model.model_validate(content)
        except ValidationError as error:
            raise _invalid(*field_errors(error.errors(include_url=False))) from None

    return read


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object; of a key that comes twice, JSON readers take the first or the last value."""
    counted = Counter(name for name, _ in pairs)
    if repeated := [name for name in counted if counted[name] > 1]:
        raise _invalid(*(FieldError(name, _REPEATED) for name in repeated))
    return dict(pairs)


async def read_body(request: Request) -> bytes:
    """The body as it came; one of more than ``MAX_BODY_BYTES`` is a 413.

    A client that leaves before its end, or breaks off what we can read, gets a 400 that it does not
    see: no error of ours.
    """
    raw = bytearray()
    try:
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > MAX_BODY_BYTES:
                raise HTTPException(413)
    except ClientDisconnect:
        raise HTTPException(400) from None
    return bytes(raw)


def body_schema(
    model: type[OptionalBody], example: dict[str, Any], *, required: bool = False
) -> dict[str, Any]:
    """The OpenAPI of a body; ``required`` only tells readers, the endpoint refuses for itself."""
    schema = model.model_json_schema()
    schema.pop("description", None)  # our docstring, which speaks to programmers
    schema = _written_out(schema, schema.pop("$defs", {}))
    content = {"application/json": {"schema": schema, "example": example}}
    return {"requestBody": {"required": required, "content": content}}


def _written_out(node: Any, models: dict[str, Any]) -> Any:
    """A schema with each model in the place that refers to it: ``$defs`` inside an operation are
    nobody's to find.

    Words are left out: the answers have them among the components already.
    """
    if isinstance(node, list):
        return [_written_out(part, models) for part in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        if "enum" in models[name]:
            return {**node, "$ref": f"#/components/schemas/{name}"}
        node = {**models[name], **node}
        del node["$ref"]
    return {name: _written_out(part, models) for name, part in node.items()}


async def refuse_unknown_query(request: Request) -> None:
    """A filter that is misspelt or empty must not pass for no filter, nor the last of two for both:
    it is a 400 that names it.
    """
    known = _query_fields(request.scope["route"].dependant)
    given = Counter(name for name, _ in request.query_params.multi_items())
    wrong = [FieldError(name, "неизвестный параметр") for name in given if name not in known]
    wrong += [
        FieldError(name, _REPEATED)
        for name in given
        if given[name] > 1 and not known.get(name, True)
    ]
    if wrong:
        raise _invalid(*wrong)
    unfit = {
        name: words
        for name, value in request.query_params.multi_items()
        if (words := _what_is_unfit(value))
    }
    if unfit:
        raise _invalid(*(FieldError(name, words) for name, words in unfit.items()))


RefuseUnknownQuery = Depends(refuse_unknown_query)


def _what_is_unfit(value: str) -> str | None:
    """What is the matter with a value of the query, if anything is; bytes that are no UTF-8 have
    become replacement characters.
    """
    if not value.strip():
        return _EMPTY
    if "\ufffd" in value:
        return _NOT_UTF8
    return None if _is_text(json.dumps(value, ensure_ascii=False)) else _UNFIT


def _is_text(written: str) -> bool:
    """Whether JSON holds no NUL and no half of a character: Postgres stores neither, so nothing
    that is stored has them.
    """
    return "\\u0000" not in written and not any("\ud800" <= char <= "\udfff" for char in written)


def _query_fields(dependant: Dependant) -> dict[str, bool]:
    """The parameters that an endpoint knows, and whether each may come several times."""
    fields = {
        field.alias: _is_list(field.field_info.annotation) for field in dependant.query_params
    }
    for inner in dependant.dependencies:
        fields |= _query_fields(inner)
    return fields


def _is_list(annotation: object) -> bool:
    return get_origin(annotation) is list or any(_is_list(part) for part in get_args(annotation))


def _invalid(*fields: FieldError) -> InvalidRequestError:
    return InvalidRequestError(invalid_message(fields), fields)
