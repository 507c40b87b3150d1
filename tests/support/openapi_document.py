"""Validation and texts of an OpenAPI document."""

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

Node = dict[str, Any]


def faults(example: Any, schema: Node, document: Node) -> list[str]:
    whole = {**schema, "components": document["components"]}
    return [
        error.message
        for error in Draft202012Validator(whole, format_checker=FormatChecker()).iter_errors(
            example
        )
    ]


def iterate_texts(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every summary and description with its path in the document."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name in ("description", "summary") and isinstance(value, str):
                yield f"{path}/{name}", value
            yield from iterate_texts(value, f"{path}/{name}")
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from iterate_texts(value, f"{path}/{place}")
