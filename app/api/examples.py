"""Examples of answers, made of those of their fields, so that none is written twice and none
differs from its shape.
"""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]


def example_of(schema: Schema, models: Mapping[str, Schema]) -> Any:
    """An example of what a JSON schema describes; ``models`` are the schemas that its ``$ref``
    name.

    A field's own first example wins, then its only or first word, then what it is made of.
    """
    match schema:
        case {"examples": [first, *_]} | {"const": first} | {"enum": [first, *_]}:
            return first
        case {"$ref": str(reference)}:
            return example_of(models[reference.rsplit("/", 1)[1]], models)
        case {"anyOf": [first, *_]}:
            return example_of(first, models)
        case {"properties": properties}:
            return {name: example_of(field, models) for name, field in properties.items()}
        case {"items": items}:
            return [example_of(items, models)]
        case _:
            return _PLAIN[schema.get("type", "null")]


_PLAIN: dict[str, Any] = {
    "boolean": False,
    "integer": 0,
    "number": 0.0,
    "string": "",
    "object": {},
    "array": [],
    "null": None,
}
