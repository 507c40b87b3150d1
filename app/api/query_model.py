"""A model of query parameters that pydantic reads by itself.

FastAPI inspects the type of each field for each request. For the fields of the list of reports this
takes longer than the query of ten reports.
"""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar, get_args, get_origin

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from app.api.errors import convert_validation_error

M = TypeVar("M", bound=BaseModel)


class QueryReader(Generic[M]):
    """A dependency that reads the model.

    ``fields``: its parameters, and whether each may be repeated: then it has a list of values.
    """

    def __init__(self, model: type[M]) -> None:
        self._model = model
        self.fields: Mapping[str, bool] = list_fields(model)
        self._lists = {name for name, is_repeated in self.fields.items() if is_repeated}

    async def __call__(self, request: Request) -> M:
        """Return the model. Unknown parameters are ignored here."""
        given: dict[str, Any] = dict(request.query_params)
        for name in self._lists & given.keys():
            given[name] = request.query_params.getlist(name)
        try:
            return self._model.model_validate(given)
        except ValidationError as error:
            faults = [{**one, "loc": ("query", *one["loc"])} for one in error.errors()]
            raise convert_validation_error(RequestValidationError(faults)) from None


def query_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the OpenAPI description of the parameters, which are all optional."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {
        "parameters": [
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": field.pop("description"),
                "schema": field,
            }
            for name, field in schema["properties"].items()
        ]
    }


def list_fields(model: type[BaseModel]) -> dict[str, bool]:
    """Return the parameters of a model, and whether each is a list."""
    return {
        field.alias or name: is_list(field.annotation) for name, field in model.model_fields.items()
    }


def is_list(annotation: object) -> bool:
    """Return whether the type is a list, or a union with one."""
    return get_origin(annotation) is list or any(is_list(part) for part in get_args(annotation))
