"""OpenAPI responses that all endpoints share: errors and the accepted run."""

from typing import Any

from app.api.v1.schemas import Accepted, Failure, InvalidRequest

Responses = dict[int | str, dict[str, Any]]

_REFUSED = {
    "status": "error",
    "message": "Неверный или отсутствующий API Key: передайте ключ в заголовке X-API-Key.",
}
_THROTTLED = {
    "status": "error",
    "message": (
        "Слишком много запросов без верного ключа: повторите через 42 с с ключом в X-API-Key."
    ),
}
_CRASHED = {
    "status": "error",
    "message": (
        "DATABASE_URL: Postgres недоступен (сервер не отвечает); проверьте адрес, имя, пароль и сам"
        " сервер."
    ),
}


def describe_response(model: Any, description: str, example: dict[str, Any]) -> dict[str, Any]:
    """Describe one JSON response with its example."""
    return {
        "model": model,
        "description": description,
        "content": {"application/json": {"example": example}},
    }


def make_error_body(message: str, **more: Any) -> dict[str, Any]:
    """Return the example body of an error."""
    return {"status": "error", "message": message, **more}


def describe_invalid(field: str, message: str, **more: Any) -> dict[str, Any]:
    """Describe a 400 for one parameter."""
    example = make_error_body(
        f"Неверные параметры запроса: {field} — {message}.",
        errors=[{"field": field, "message": message}],
        **more,
    )
    return describe_response(InvalidRequest, "Неверные параметры запроса.", example)


def describe_header(name: str, description: str, example: str) -> dict[str, Any]:
    return {name: {"description": description, "schema": {"type": "string", "examples": [example]}}}


ERROR_RESPONSES: Responses = {
    400: describe_invalid("page", "неизвестный параметр"),
    401: {
        **describe_response(Failure, "Неверный или отсутствующий API Key.", _REFUSED),
        "headers": describe_header(
            "WWW-Authenticate",
            "Чем представиться.",
            'ApiKey realm="avito-quality", header="X-API-Key"',
        ),
    },
    429: {
        **describe_response(
            Failure,
            "С этого адреса больше 30 запросов за минуту без верного ключа; с верным ключом такого"
            " ответа не бывает.",
            _THROTTLED,
        ),
        "headers": describe_header("Retry-After", "Через сколько секунд повторить.", "42"),
    },
    500: describe_response(
        Failure, "Внутренняя ошибка сервера; в message — что сделать.", _CRASHED
    ),
}
TOO_LARGE: Responses = {
    413: describe_response(
        Failure, "Тело запроса слишком велико.", make_error_body("Тело запроса слишком велико.")
    )
}
ACTION_RESPONSES: Responses = {
    **ERROR_RESPONSES,
    202: {
        "model": Accepted,
        "description": "Принято к исполнению (Prefer: respond-async).",
        "headers": describe_header("Location", "Адрес запуска.", "/api/v1/runs/12"),
    },
    **TOO_LARGE,
}


def describe_not_found(message: str) -> Responses:
    """Describe the 404 of an endpoint."""
    return {404: describe_response(Failure, "Такого нет.", make_error_body(message))}
