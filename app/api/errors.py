"""The one body of errors, and which HTTP status each error of the service becomes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Mount

from app.api.headers import PRIVATE
from app.api.security import TooManyAttemptsError, UnauthorizedError
from app.errors import AppError, FieldError, InvalidRequestError, NotFoundError

log = structlog.get_logger(__name__)

MAX_TOLD_FIELDS, MAX_TOLD_NAME = 20, 100

_OF_HTTP = {
    404: "Такого адреса нет: смотрите список в /docs.",
    405: "Этот адрес не принимает такой метод: смотрите /docs.",
    413: "Тело запроса слишком велико: в нём может быть не больше мегабайта.",
}
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def error_response(
    status: int,
    message: str,
    *,
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> JSONResponse:
    """The body that every error has, with what an endpoint adds to it."""
    return JSONResponse(
        {"status": "error", "message": message, **(extra or {})},
        status,
        {**PRIVATE, **(headers or {})},
    )


def install_error_handlers(app: FastAPI) -> None:
    """Makes every error that leaves an endpoint, ours or a library's, the one body."""
    app.add_exception_handler(AppError, answer_app_error)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_crash)


def _status_of(error: AppError) -> int:
    match error:
        case InvalidRequestError():
            return 400
        case UnauthorizedError():
            return 401
        case NotFoundError():
            return 404
        case TooManyAttemptsError():
            return 429
        case _:
            return 500


async def answer_app_error(request: Request, error: Exception) -> JSONResponse:
    """Return the response for an error of the service."""
    assert isinstance(error, AppError)  # noqa: S101 - by the registration above
    fields = getattr(error, "errors", ())
    extra = {"errors": _listed(fields)} if isinstance(error, InvalidRequestError) else {}
    return error_response(
        _status_of(error),
        error.message,
        headers=_headers_of(error),
        extra={**_promised(request), **extra},
    )


def _headers_of(error: AppError) -> dict[str, str]:
    match error:
        case UnauthorizedError():
            return {
                "WWW-Authenticate": 'ApiKey realm="avito-quality", header="X-API-Key"'
            }  # RFC 9110, 11.6.1: a scheme and its parameters
        case TooManyAttemptsError():
            return {"Retry-After": str(error.retry_after)}
        case _:
            return {}


async def _answer_validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - by the registration above
    fields = field_errors(error.errors())
    return error_response(
        400, invalid_message(fields), extra={**_promised(request), "errors": _listed(fields)}
    )


async def _answer_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - by the registration above
    message = _OF_HTTP.get(error.status_code, f"Запрос не выполнен (HTTP {error.status_code}).")
    headers = (
        {"Allow": ", ".join(_methods_of(request))} if error.status_code == 405 else error.headers
    )
    return error_response(error.status_code, message, headers=headers, extra=_promised(request))


def _methods_of(request: Request) -> list[str]:
    """What the address takes: the router names the methods of the path's first route alone, a
    folder of files none at all.
    """
    asked = {"type": "http", "path": request.scope["path"]}

    def takes(route: BaseRoute, method: str) -> bool:
        return route.matches({**asked, "method": method})[0] is Match.FULL and (
            method == "GET" or not isinstance(route, Mount)
        )

    taken = [
        method for method in _METHODS if any(takes(route, method) for route in request.app.routes)
    ]
    return ["HEAD", *taken] if "GET" in taken else taken


async def _answer_crash(request: Request, error: Exception) -> JSONResponse:
    log.error(
        "request.crashed", path=request.scope.get("route_path") or request.url.path, exc_info=error
    )
    return error_response(
        500,
        "Внутренняя ошибка сервера: повторите позже, подробности в журнале службы.",
        extra=_promised(request),
    )


def _promised(request: Request) -> dict[str, Any]:
    """The customer's document wants ``send_reports`` in every answer of the mailing."""
    return {"send_reports": 0} if request.url.path.endswith("/timer/reports") else {}


def invalid_message(fields: Sequence[FieldError]) -> str:
    """The sentence of a 400 over its parameters."""
    told = [f"{name} — {message}" for name, message in _bounded(fields)]
    more = [f"и другие, всего {len(fields)}"] if len(fields) > len(told) else []
    return "Неверные параметры запроса: " + "; ".join([*told, *more]) + "."


def _listed(fields: Sequence[FieldError]) -> list[dict[str, str]]:
    return [{"field": name, "message": message} for name, message in _bounded(fields)]


def _bounded(fields: Sequence[FieldError]) -> list[tuple[str, str]]:
    """The names and messages to show: a caller's own names come back, so a request must not make an
    answer larger than itself.
    """
    return [(_shorten(field.field), field.message) for field in fields[:MAX_TOLD_FIELDS]]


def _shorten(name: str) -> str:
    """The name as the client wrote it, or its beginning."""
    return name if len(name) <= MAX_TOLD_NAME else f"{name[:MAX_TOLD_NAME]}…"


_RUSSIAN = {
    "missing": "обязательный параметр",
    "extra_forbidden": "неизвестный параметр",
    "int_parsing": "нужно целое число",
    "int_type": "нужно целое число",
    "int_from_float": "нужно целое число",
    "bool_parsing": "нужно true или false",
    "bool_type": "нужно true или false",
    "string_type": "нужна строка",
    "model_type": "нужен объект",
    "list_type": "нужен список",
    "tuple_type": "нужен список",
}


def field_errors(errors: Iterable[Mapping[str, Any]]) -> tuple[FieldError, ...]:
    """Pydantic's findings in Russian, each under the name that the client wrote."""
    return tuple(FieldError(_name(error["loc"]), _words(error)) for error in errors)


def _name(location: Iterable[str | int]) -> str:
    parts = [str(part) for part in location]
    if parts[:1] == ["query"]:
        return parts[1]  # of a repeated one, too, the name that the client wrote
    named = parts[1:] if parts and parts[0] in {"path", "body", "header"} else parts
    return ".".join(named) or "body"


def _words(error: Mapping[str, Any]) -> str:
    kind, context = error["type"], error.get("ctx") or {}
    match kind:
        case "value_error":
            return str(context["error"])
        case "greater_than_equal" | "less_than_equal" | "greater_than" | "less_than":
            limit = next(context[key] for key in ("ge", "le", "gt", "lt") if key in context)
            return (
                f"не {'меньше' if kind == 'greater_than_equal' else 'больше'} {limit}"
                if "equal" in kind
                else f"за пределом {limit}"
            )
        case "string_too_long":
            return f"не длиннее {context['max_length']} знаков"
        case "enum" | "literal_error":
            return f"одно из: {context['expected']}".replace(" or ", ", ").replace("'", "")
        case _:
            return _RUSSIAN.get(kind, "неверное значение")
