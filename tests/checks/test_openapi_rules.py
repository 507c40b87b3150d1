"""Rules of Postman, spectral (ruleset ``oas``) and /docs for the OpenAPI document.

They are checked without these tools.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.checks.openapi import openapi_text
from tests.support.openapi_document import Node, faults


@pytest.fixture(scope="module")
def document() -> Node:
    return dict(json.loads(openapi_text()))


def operations(document: Node) -> Iterator[tuple[str, Node]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def contents(operation: Node) -> Iterator[tuple[str, Node]]:
    """Return everything with a media type: responses by status, and the request."""
    for status, answer in operation["responses"].items():
        for media_type, content in answer.get("content", {}).items():
            yield f"{status} {media_type}", content
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"request {media_type}", content


def schemas(node: Any, path: str = "") -> Iterator[tuple[str, Node]]:
    """Return every schema of the document that has examples."""
    if isinstance(node, dict):
        if isinstance(node.get("examples"), list):
            yield path, node
        for name, value in node.items():
            if name not in ("example", "examples"):
                yield from schemas(value, f"{path}/{name}")
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from schemas(value, f"{path}/{place}")


def test_operations_have_a_unique_name_a_description_and_a_known_tag(
    document: Node,
) -> None:
    found = dict(operations(document))
    assert len(found) >= 11
    names = Counter(operation["operationId"] for operation in found.values())
    assert names.most_common(1)[0][1] == 1
    assert all(re.fullmatch(r"[a-z_]+", name) for name in names)
    declared = {tag["name"] for tag in document["tags"] if tag["description"]}
    assert {tag for operation in found.values() for tag in operation["tags"]} == declared
    assert [
        where
        for where, operation in found.items()
        if not (operation["summary"] and operation["description"])
    ] == []
    assert [where for where, operation in found.items() if len(operation["tags"]) != 1] == []


def test_document_describes_itself(document: Node) -> None:
    assert document["info"]["description"]
    assert document["info"]["contact"]["name"]
    assert [server["url"] for server in document["servers"]] == ["/"]


def test_every_response_has_a_valid_example(document: Node) -> None:
    """Error responses included. A binary file has none."""
    seen = 0
    for where, operation in operations(document):
        for what, content in contents(operation):
            if content["schema"].get("format") == "binary":
                continue
            assert "example" in content, (where, what)
            assert faults(content["example"], content["schema"], document) == [], (where, what)
            seen += 1
        assert operation["responses"]["200"]["description"]
        assert all(
            answer["description"] and answer["content"]
            for answer in operation["responses"].values()
        ), where
    assert seen > 40


def test_examples_of_errors_have_the_form_of_errors(document: Node) -> None:
    for where, operation in operations(document):
        for status in set(operation["responses"]) & {"400", "401", "404", "413", "500"}:
            example = operation["responses"][status]["content"]["application/json"]["example"]
            assert example["status"] == "error", (where, status)
            assert re.search("[а-я]", example["message"]), (where, status)
            assert bool(example.get("errors")) is (status == "400"), (where, status)


def test_every_field_has_a_description_and_a_valid_example(document: Node) -> None:
    """The examples of the responses are composed of these."""
    for name, model in document["components"]["schemas"].items():
        for field, schema in model.get("properties", {}).items():
            assert schema.get("description") or "$ref" in schema, (
                f"{name}.{field} has no description"
            )
            made_of_others = "$ref" in json.dumps(schema) or "const" in schema or "enum" in schema
            assert made_of_others or schema.get("examples"), f"{name}.{field} has no example"
    found = list(schemas(document))
    assert len(found) > 60
    wrong = [
        (where, faults(example, schema, document))
        for where, schema in found
        for example in schema["examples"]
    ]
    assert [one for one in wrong if one[1]] == []


def test_names_that_generators_use_are_ascii(document: Node) -> None:
    """Generated clients name packages, classes and functions after them."""
    names = [
        document["info"]["title"],
        *(tag["name"] for tag in document["tags"]),
        *document["components"]["schemas"],
    ]
    for _, operation in operations(document):
        names += [
            operation["operationId"],
            *operation["tags"],
            *(parameter["name"] for parameter in operation.get("parameters", [])),
        ]
    assert [name for name in names if not name.isascii()] == []


def test_status_field_of_a_response_is_required(document: Node) -> None:
    models = document["components"]["schemas"]
    having = {name for name, model in models.items() if "status" in model.get("properties", {})}
    assert {
        "SyncResult",
        "AnalyzeResult",
        "MailResult",
        "Failure",
        "InvalidRequest",
        "MailFailure",
        "Accepted",
    } <= having
    assert [name for name in having if "status" not in models[name]["required"]] == []


def test_times_and_dates_have_their_format(document: Node) -> None:
    seen = 0
    for name, model in document["components"]["schemas"].items():
        for field, schema in model.get("properties", {}).items():
            told = json.dumps(schema)
            if field.endswith("_at") and "count" not in field:
                assert '"format": "date-time"' in told, f"{name}.{field}"
                seen += 1
            if field == "date" or field.endswith("_date"):
                assert '"format": "date"' in told, f"{name}.{field}"
                seen += 1
    assert (
        document["components"]["schemas"]["ReportRead"]["properties"]["created_at"]["format"]
        == "date-time"
    )
    assert seen > 10


def test_grades_are_two_shared_enums(document: Node) -> None:
    models = document["components"]["schemas"]
    grades = {
        name: model["enum"] for name, model in models.items() if "Высокая" in model.get("enum", ())
    }
    three = ["Высокая", "Средняя", "Низкая"]
    assert grades == {"GradeWord": three, "ObjectionGradeWord": [*three, "Нет возражений"]}
    inline = [where for where, schema in enums(document) if "Высокая" in schema["enum"]]
    assert inline == ["/components/schemas/GradeWord", "/components/schemas/ObjectionGradeWord"]


def enums(node: Any, path: str = "") -> Iterator[tuple[str, Node]]:
    """Return every schema of the document that lists its values."""
    if isinstance(node, dict):
        if isinstance(node.get("enum"), list):
            yield path, node
        for name, value in node.items():
            yield from enums(value, f"{path}/{name}")
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from enums(value, f"{path}/{place}")


def test_parameters_are_described_and_path_parameters_exist(document: Node) -> None:
    for where, operation in operations(document):
        parameters = operation.get("parameters", [])
        assert {p["name"] for p in parameters if p["in"] == "path"} == set(
            re.findall(r"{(\w+)}", where)
        ), where
        assert all(p["required"] for p in parameters if p["in"] == "path"), where
        assert all(p["description"] and "anyOf" not in p["schema"] for p in parameters), where
        assert len({(p["in"], p["name"]) for p in parameters}) == len(parameters), where
    listed = dict(operations(document))["GET /api/v1/reports"]["parameters"]
    assert [p["name"] for p in listed if p["required"]] == [], "mail stands in for the dates"


def test_no_component_is_missing_or_unused(document: Node) -> None:
    text = json.dumps(document)
    used = set(re.findall(r'"#/components/schemas/([\w-]+)"', text))
    assert used == set(document["components"]["schemas"])
    enums = [
        enum
        for enum in re.findall(r'"enum": \[(.*?)\]', text)
        if len(set(enum.split(", "))) != len(enum.split(", "))
    ]
    assert enums == []
    assert "</script" not in text
