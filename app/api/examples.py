"""Examples of responses, built from the examples of their fields.

An example cannot differ from its schema, and no example is written twice.
"""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]


def make_example(schema: Schema, models: Mapping[str, Schema]) -> Any:
    """Return an example of a JSON schema; ``models`` contains the schemas that ``$ref`` refers to.

    The first example of a field takes precedence, then its constant or first enum value, then an
    example built from its parts.
    """
    match schema:
        case {"examples": [first, *_]} | {"const": first} | {"enum": [first, *_]}:
            return first
        case {"$ref": str(reference)}:
            return make_example(models[reference.rsplit("/", 1)[1]], models)
        case {"anyOf": [first, *_]}:
            return make_example(first, models)
        case {"properties": properties}:
            return {name: make_example(field, models) for name, field in properties.items()}
        case {"items": items}:
            return [make_example(items, models)]
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
