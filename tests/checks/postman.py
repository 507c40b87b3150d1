"""Generate the Postman collection from the OpenAPI document.

Run as a module it updates the stored collection. Postman's own import enables every optional
parameter, so its requests ask for a 202 and filter out every report. Here a parameter is enabled
only if the request needs it.
"""

import json
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from tests.checks.openapi import openapi_text
from tests.support.checkout import CHECKOUT

Node = dict[str, Any]

KEPT = CHECKOUT / "docs" / "avito-quality.postman_collection.json"
_FORMAT = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
_NEEDED = ("start_date", "end_date")
"""Optional in the document, because ``mail`` replaces them; one of both is needed."""


def postman_text() -> str:
    """Return the current collection in its stored form."""
    return json.dumps(_collection(json.loads(openapi_text())), ensure_ascii=False, indent=2) + "\n"


def _collection(document: Node) -> Node:
    info = document["info"]
    return {
        "info": {
            "_postman_id": str(uuid5(NAMESPACE_URL, info["title"])),
            "name": info["title"],
            "description": info["description"],
            "schema": _FORMAT,
        },
        "auth": {
            "type": "apikey",
            "apikey": [
                _pair("key", "X-API-Key"),
                _pair("value", "{{apiKey}}"),
                _pair("in", "header"),
            ],
        },
        "variable": [_pair("baseUrl", "http://localhost:8000"), _pair("apiKey", "")],
        "item": [_folder(tag, document) for tag in document["tags"]],
    }


def _folder(tag: Node, document: Node) -> Node:
    found = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    items = [
        _item(path, method, operation, document)
        for path, method, operation in found
        if operation["tags"] == [tag["name"]]
    ]
    return {"name": tag["name"], "description": tag["description"], "item": items}


def _item(path: str, method: str, operation: Node, document: Node) -> Node:
    parameters = operation.get("parameters", [])
    request = {
        "method": method.upper(),
        "description": operation["description"] + _told_body(operation),
        "header": [_parameter(one, document) for one in parameters if one["in"] == "header"],
        "url": _url(path, parameters, document),
        **_body(operation),
    }
    if "security" not in operation:
        request["auth"] = {"type": "noauth"}
    return {"name": operation["summary"], "request": request, "response": []}


def _url(path: str, parameters: list[Node], document: Node) -> Node:
    """Return the URL in parts; Postman shows ``raw``, with the enabled parameters."""
    parts = [
        f":{part[1:-1]}" if part.startswith("{") else part for part in path.strip("/").split("/")
    ]
    query = [_parameter(one, document) for one in parameters if one["in"] == "query"]
    enabled = "&".join(f"{one['key']}={one['value']}" for one in query if not one["disabled"])
    variables = [
        _pair(one["name"], _value(one, document), one["description"])
        for one in parameters
        if one["in"] == "path"
    ]
    raw = "/".join(["{{baseUrl}}", *parts]) + (f"?{enabled}" if enabled else "")
    return {
        "raw": raw,
        "host": ["{{baseUrl}}"],
        "path": parts,
        "query": query,
        "variable": variables,
    }


def _body(operation: Node) -> Node:
    """Return the body; an optional one is empty, and the description shows an example."""
    if not operation.get("requestBody", {}).get("required"):
        return {}
    return {
        "body": {
            "mode": "raw",
            "raw": _example_body(operation),
            "options": {"raw": {"language": "json"}},
        }
    }


def _told_body(operation: Node) -> str:
    if operation.get("requestBody", {}).get("required") is not False:
        return ""
    return (
        "\n\nТело можно не передавать. Пример (raw,"
        f" JSON):\n\n```json\n{_example_body(operation)}\n```"
    )


def _example_body(operation: Node) -> str:
    return json.dumps(
        operation["requestBody"]["content"]["application/json"]["example"],
        ensure_ascii=False,
        indent=2,
    )


def _parameter(parameter: Node, document: Node) -> Node:
    needed = parameter["required"] or parameter["name"] in _NEEDED
    return {
        **_pair(parameter["name"], _value(parameter, document), parameter["description"]),
        "disabled": not needed,
    }


def _value(parameter: Node, document: Node) -> str:
    """Return the document's example, else the first listed value, else the default."""
    schema = parameter["schema"]
    while "$ref" in schema or "items" in schema:
        schema = (
            document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            if "$ref" in schema
            else schema["items"]
        )
    return str((*schema.get("examples", ()), *schema.get("enum", ()), schema.get("default"))[0])


def _pair(key: str, value: str, description: str = "") -> Node:
    return {"key": key, "value": value, **({"description": description} if description else {})}


if __name__ == "__main__":
    KEPT.write_text(postman_text(), encoding="utf-8")
