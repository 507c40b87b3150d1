"""The common error body, and the HTTP status of each error of the service."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Mount

from app.api.security import PRIVATE, TooManyAttemptsError, UnauthorizedError
from app.errors import (
    AppError,
    FieldError,
    InvalidParametersError,
    InvalidRequestError,
    NotFoundError,
)

log = structlog.get_logger(__name__)

_HTTP_MESSAGES = {
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
    """Return an error response: the common body and the fields that an endpoint adds."""
    return JSONResponse(
        {"status": "error", "message": message, **(extra or {})},
        status,
        {**PRIVATE, **(headers or {})},
    )


def install_error_handlers(app: FastAPI) -> None:
    """Register handlers that turn every error, ours or a library's, into the common body."""
    app.add_exception_handler(AppError, answer_app_error)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_crash)


def _get_status(error: AppError) -> int:
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
    extra = _make_required_fields(request)
    if isinstance(error, InvalidParametersError):
        extra["errors"] = [asdict(field) for field in error.fields]
    return error_response(
        _get_status(error),
        error.message,
        headers=_make_headers(error),
        extra=extra,
    )


def _make_headers(error: AppError) -> dict[str, str]:
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
    return await answer_app_error(request, convert_validation_error(error))


async def _answer_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - by the registration above
    message = _HTTP_MESSAGES.get(
        error.status_code, f"Запрос не выполнен (HTTP {error.status_code})."
    )
    headers = (
        {"Allow": ", ".join(_list_methods(request))} if error.status_code == 405 else error.headers
    )
    return error_response(
        error.status_code, message, headers=headers, extra=_make_required_fields(request)
    )


def _list_methods(request: Request) -> list[str]:
    """Return the methods that the path accepts.

    The ``Allow`` header of the router is not used: it contains only the methods of the first
    matching route, and a mounted folder of files sets none.
    """
    base_scope = {"type": "http", "path": request.scope["path"]}

    def accepts(route: BaseRoute, method: str) -> bool:
        return route.matches({**base_scope, "method": method})[0] is Match.FULL and (
            method == "GET" or not isinstance(route, Mount)
        )

    accepted = [
        method for method in _METHODS if any(accepts(route, method) for route in request.app.routes)
    ]
    return ["HEAD", *accepted] if "GET" in accepted else accepted


async def _answer_crash(request: Request, error: Exception) -> JSONResponse:
    log.error(
        "request.crashed", path=request.scope.get("route_path") or request.url.path, exc_info=error
    )
    return error_response(
        500,
        "Внутренняя ошибка сервера: повторите позже, подробности в журнале службы.",
        # uvicorn closes it after a crash; unannounced, the client's next request would be lost.
        headers={"Connection": "close"},
        extra=_make_required_fields(request),
    )


def _make_required_fields(request: Request) -> dict[str, Any]:
    """Return ``send_reports``, which the customer's document requires in every mailing response."""
    return {"send_reports": 0} if request.url.path.endswith("/timer/reports") else {}


_MESSAGES = {
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


def convert_validation_error(
    error: RequestValidationError | ValidationError,
) -> InvalidParametersError:
    """Translate Pydantic's errors into Russian and name each field as the client wrote it."""
    return InvalidParametersError(
        *(FieldError(_join_location(fault["loc"]), _translate(fault)) for fault in error.errors())
    )


def _join_location(location: Iterable[str | int]) -> str:
    parts = [str(part) for part in location]
    if parts[:1] == ["query"]:
        return parts[1]  # without the index of a repeated parameter
    named = parts[1:] if parts and parts[0] in {"path", "body", "header"} else parts
    return ".".join(named) or "body"


def _translate(error: Mapping[str, Any]) -> str:
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
            return _MESSAGES.get(kind, "неверное значение")
