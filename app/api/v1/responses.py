"""The answers that OpenAPI shows for every endpoint beside its own: errors, and that a run was
accepted.
"""

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


def told(model: Any, description: str, example: dict[str, Any]) -> dict[str, Any]:
    """One answer in JSON with the example that belongs to it."""
    return {
        "model": model,
        "description": description,
        "content": {"application/json": {"example": example}},
    }


def failed(message: str, **more: Any) -> dict[str, Any]:
    """The body of an error."""
    return {"status": "error", "message": message, **more}


def invalid(field: str, message: str, **more: Any) -> dict[str, Any]:
    """A 400 over one parameter."""
    example = failed(
        f"Неверные параметры запроса: {field} — {message}.",
        errors=[{"field": field, "message": message}],
        **more,
    )
    return told(InvalidRequest, "Неверные параметры запроса.", example)


def _header(name: str, description: str, example: str) -> dict[str, Any]:
    return {name: {"description": description, "schema": {"type": "string", "examples": [example]}}}


ERROR_RESPONSES: Responses = {
    400: invalid("page", "неизвестный параметр"),
    401: {
        **told(Failure, "Неверный или отсутствующий API Key.", _REFUSED),
        "headers": _header(
            "WWW-Authenticate",
            "Чем представиться.",
            'ApiKey realm="avito-quality", header="X-API-Key"',
        ),
    },
    429: {
        **told(
            Failure,
            "С этого адреса больше 30 запросов за минуту без верного ключа; с верным ключом такого"
            " ответа не бывает.",
            _THROTTLED,
        ),
        "headers": _header("Retry-After", "Через сколько секунд повторить.", "42"),
    },
    500: told(Failure, "Внутренняя ошибка сервера; в message — что сделать.", _CRASHED),
}
TOO_LARGE: Responses = {
    413: told(Failure, "Тело запроса слишком велико.", failed("Тело запроса слишком велико."))
}
ACTION_RESPONSES: Responses = {
    **ERROR_RESPONSES,
    202: {
        "model": Accepted,
        "description": "Принято к исполнению (Prefer: respond-async).",
        "headers": _header("Location", "Адрес запуска.", "/api/v1/runs/12"),
    },
    **TOO_LARGE,
}


def not_found(message: str) -> Responses:
    """What an endpoint says of what it does not have."""
    return {404: told(Failure, "Такого нет.", failed(message))}
