"""Parsing of request parameters, common to all endpoints.

Covers calendar days, optional bodies and unknown query parameters.
"""

import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import date
from functools import cache
from typing import Annotated, Any, TypeVar

from fastapi import Depends, HTTPException, Request
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema
from starlette.requests import ClientDisconnect

from app.api.errors import convert_validation_error
from app.api.query_model import QueryReader, is_list
from app.errors import FieldError, InvalidParametersError

MAX_BODY_BYTES = 1_000_000
_INVALID_CHARACTER = "недопустимый знак"
_REPEATED = "указан несколько раз, а нужен один"
_EMPTY = "пусто: впишите значение или уберите параметр"
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""NUL and lone surrogates: Postgres cannot store them."""
_NOT_UTF8 = "не в UTF-8: запишите буквы через проценты (curl -G --data-urlencode)"


def _parse_calendar_day(value: object) -> object:
    """Parse a date strictly: Pydantic's own parser also accepts numbers of seconds."""
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
    BeforeValidator(_parse_calendar_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-11-22"]}),
]
"""A day as ``YYYY-MM-DD``. No other form is accepted."""


class OptionalBody(BaseModel):
    """A request body that may be absent: then it is an empty object. An unknown key is an error."""

    model_config = ConfigDict(extra="forbid", strict=True)


Body = TypeVar("Body", bound=OptionalBody)


def read_optional_body(model: type[Body]) -> Callable[[Request], Awaitable[Body]]:
    """Return a dependency that reads a JSON object or an absent body.

    A plain ``curl -X POST`` sends no body and no content type. The dependency runs after the check
    of the key. The errors of a FastAPI body parameter would come before a 401.
    """

    async def read(request: Request) -> Body:
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        raw = await read_body(request)
        if kind and kind != "application/json":
            raise InvalidParametersError(FieldError("Content-Type", "нужен application/json"))
        if raw.strip() and not kind:
            raise InvalidParametersError(
                FieldError("Content-Type", "тело без типа; нужен application/json")
            )
        try:
            content = json.loads(raw.strip() or b"{}", object_pairs_hook=_reject_duplicate_keys)
            is_text = _is_text(json.dumps(content, ensure_ascii=False))
        except (ValueError, RecursionError):
            raise InvalidParametersError(
                FieldError("body", "тело не разбирается как JSON")
            ) from None
        if not isinstance(content, dict):
            raise InvalidParametersError(FieldError("body", "нужен объект JSON"))
        if not is_text:
            raise InvalidParametersError(FieldError("body", _INVALID_CHARACTER))
        try:
            return model.model_validate(content)
        except ValidationError as error:
            raise convert_validation_error(error) from None

    return read


def _reject_duplicate_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build the object and reject duplicate keys: JSON parsers keep the first or the last."""
    counted = Counter(name for name, _ in pairs)
    if repeated := [name for name in counted if counted[name] > 1]:
        raise InvalidParametersError(*(FieldError(name, _REPEATED) for name in repeated))
    return dict(pairs)


async def read_body(request: Request) -> bytes:
    """Return the request body; a body above ``MAX_BODY_BYTES`` is a 413.

    If the client disconnects before the end of the body, a 400 is raised. The client does not
    receive it, and it is not an error of the service.
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
    """Return the OpenAPI description of a body.

    ``required`` is documentation only. The endpoint itself checks that the body is present.
    """
    schema = model.model_json_schema()
    schema.pop("description", None)  # the docstring of the class, in English
    schema = _inline_references(schema, schema.pop("$defs", {}))
    content = {"application/json": {"schema": schema, "example": example}}
    return {"requestBody": {"required": required, "content": content}}


def _inline_references(node: Any, models: dict[str, Any]) -> Any:
    """Replace each ``$ref`` with the schema that it refers to.

    Clients do not resolve ``$defs`` inside an operation. Enums are not replaced: the responses
    define them among the components already.
    """
    if isinstance(node, list):
        return [_inline_references(part, models) for part in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        if "enum" in models[name]:
            return {**node, "$ref": f"#/components/schemas/{name}"}
        node = {**models[name], **node}
        del node["$ref"]
    return {name: _inline_references(part, models) for name, part in node.items()}


async def refuse_unknown_query(request: Request) -> None:
    """Reject unknown, empty and duplicated query parameters.

    A misspelt filter would otherwise have no effect, and of two values only the last would apply.
    The 400 names the parameter.
    """
    route = request.scope["route"]
    known = _list_known(route.endpoint, route.path_format)
    given = Counter(name for name, _ in request.query_params.multi_items())
    wrong = [FieldError(name, "неизвестный параметр") for name in given if name not in known]
    wrong += [
        FieldError(name, _REPEATED)
        for name in given
        if given[name] > 1 and not known.get(name, True)
    ]
    if wrong:
        raise InvalidParametersError(*wrong)
    faults = {
        name: fault
        for name, value in request.query_params.multi_items()
        if (fault := _find_value_fault(value))
    }
    if faults:
        raise InvalidParametersError(*(FieldError(name, fault) for name, fault in faults.items()))


RefuseUnknownQuery = Depends(refuse_unknown_query)


def _find_value_fault(value: str) -> str | None:
    """Return what is wrong with a query value, or None.

    Bytes that are not valid UTF-8 have become replacement characters.
    """
    if not value.strip():
        return _EMPTY
    if "\ufffd" in value:
        return _NOT_UTF8
    return _INVALID_CHARACTER if _UNSTORABLE.search(value) else None


def _is_text(encoded: str) -> bool:
    """Whether a JSON text, in which NUL is escaped, is without ``_UNSTORABLE`` characters."""
    return "\\u0000" not in encoded and not _UNSTORABLE.search(encoded)


@cache
def _list_known(endpoint: Callable[..., Any], path: str) -> dict[str, bool]:
    return _list_query_fields(get_dependant(path=path, call=endpoint))


def _list_query_fields(dependant: Dependant) -> dict[str, bool]:
    """Return the query parameters of an endpoint, and whether each may be repeated."""
    fields: dict[str, bool] = {}
    for field in dependant.query_params:
        fields[field.alias] = is_list(field.field_info.annotation)
    for inner in dependant.dependencies:
        if isinstance(inner.call, QueryReader):
            fields |= inner.call.fields
        fields |= _list_query_fields(inner)
    return fields
