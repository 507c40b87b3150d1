"""The error answers that OpenAPI shows for every endpoint."""

from typing import Any

from app.api.v1.schemas import Accepted, Failure, InvalidRequest

Responses = dict[int | str, dict[str, Any]]

ERROR_RESPONSES: Responses = {
    400: {"model": InvalidRequest, "description": "Неверные параметры запроса."},
    401: {"model": Failure, "description": "Неверный или отсутствующий API Key."},
    500: {"model": Failure, "description": "Внутренняя ошибка сервера или отказ внешней системы; в message — что сделать."},
}
NOT_FOUND: Responses = {404: {"model": Failure, "description": "Такого нет."}}
ACTION_RESPONSES: Responses = {
    **ERROR_RESPONSES,
    202: {"model": Accepted, "description": "Принято к исполнению (Prefer: respond-async); адрес запуска — в Location."},
    413: {"model": Failure, "description": "Тело запроса слишком велико."},
}
