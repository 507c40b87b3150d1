"""Avito's documents for the operations in use, and the deviations of a body from them.

`avito_schemas.json` contains the responses of these operations, taken from Avito's OpenAPI
documents (developers.avito.ru: messenger, auth, item, user; autumn 2026) and reduced. Each schema
keeps `type`, `format` (int32 and int64), `enum`, `properties`, `required`, `items`, `$ref` and
`additionalProperties`. `nullable` became a type, an enum that ends in "..." is open, and an object
with properties is closed, so that keys missing in the documents are found.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

DOCUMENT = json.loads((Path(__file__).parent / "avito_schemas.json").read_text(encoding="utf-8"))
FORMATS = FormatChecker(formats=())


FORMATS.checks("int32")(lambda value: not isinstance(value, int) or abs(value) < 2**31)
FORMATS.checks("int64")(lambda value: not isinstance(value, int) or abs(value) < 2**63)


def list_deviations(schema: dict[str, Any], body: object) -> set[str]:
    """Return the deviations of a body from a schema: path without positions, and fault."""
    validator = Draft202012Validator({**schema, "$defs": DOCUMENT["$defs"]}, format_checker=FORMATS)
    return {
        f"{_format_path(error.absolute_path)}{fault}"
        for error in validator.iter_errors(body)
        for fault in _describe_error(error)
    }


def _format_path(steps: Iterable[str | int]) -> str:
    return "".join("[]" if isinstance(step, int) else f".{step}" for step in steps)


def _describe_error(error: ValidationError) -> list[str]:
    match error.validator:
        case "additionalProperties":
            return [
                f".{key} unknown"
                for key in error.instance.keys() - error.schema["properties"].keys()
            ]
        case "required":
            return [f".{key} missing" for key in error.validator_value if key not in error.instance]
        case "enum":
            return [f" {error.instance}"]
        case "type" if not error.absolute_path:
            return [f". {'object' if isinstance(error.instance, dict) else 'other'}"]
        case "format":
            return [f" {error.validator_value}"]
    return [f" {error.validator}"]
