"""Response formats of the local DeepSeek: what it refuses, in the words of real servers."""

from collections.abc import Collection, Iterator
from typing import Any

_FORMATS = ("text", "json_object", "json_schema")


def describe_format_refusal(body: dict[str, Any], unsupported: Collection[str]) -> str | None:
    """Return why the response format of a request is refused; None if it is not.

    Causes: a type that is unknown or in ``unsupported``, ``json_object`` without the word "json" in
    the prompt, or a schema that is not strict.
    """
    wanted = body.get("response_format", {"type": "text"})
    kind = wanted.get("type")
    if kind not in _FORMATS or kind in unsupported:
        return "This response_format type is unavailable now"
    prompt = " ".join(str(message.get("content", "")) for message in body.get("messages", []))
    if kind == "json_object" and "json" not in prompt.lower():
        return "Prompt must contain the word 'json' in some form to use 'response_format'"
    if kind == "json_schema":
        named = wanted.get("json_schema") or {}
        fault = next(_list_schema_faults(named.get("schema")), None)
        return fault and f"Invalid schema for response_format '{named.get('name')}': {fault}"
    return None


def _list_schema_faults(schema: Any) -> Iterator[str]:
    if not isinstance(schema, dict):
        yield "schema must be a JSON Schema of 'type: \"object\"'"
        return
    properties = schema.get("properties", {})
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        yield "'additionalProperties' is required to be supplied and to be false"
    if sorted(schema.get("required", [])) != sorted(properties):
        yield "'required' is required to be supplied and to include every key in properties"
    for part in [*properties.values(), *([schema["items"]] if "items" in schema else [])]:
        yield from _list_schema_faults(part)
