"""The Postman collection is current and enables only required parameters."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.checks.openapi import openapi_text
from tests.checks.postman import KEPT, postman_text

Node = dict[str, Any]


@pytest.fixture(scope="module")
def collection() -> Node:
    return dict(json.loads(KEPT.read_text(encoding="utf-8")))


def requests(collection: Node) -> Iterator[Node]:
    for folder in collection["item"]:
        for item in folder["item"]:
            yield item["request"]


def test_collection_is_current() -> None:
    """After an intended change, run `make snapshot`."""
    assert postman_text() == KEPT.read_text(encoding="utf-8")


def test_every_operation_is_in_the_collection_once(collection: Node) -> None:
    paths = json.loads(openapi_text())["paths"]
    held = [
        (request["method"].lower(), "/" + "/".join(request["url"]["path"]))
        for request in requests(collection)
    ]
    documented = [
        (method, path.replace("{", ":").replace("}", ""))
        for path, methods in paths.items()
        for method in methods
    ]
    assert sorted(held) == sorted(documented)


def test_only_required_parameters_are_enabled(collection: Node) -> None:
    enabled: set[str] = set()
    disabled: set[str] = set()
    for request in requests(collection):
        for parameter in (*request["header"], *request["url"]["query"]):
            (disabled if parameter["disabled"] else enabled).add(parameter["key"])
    assert enabled == {"start_date", "end_date"}
    assert {
        "Prefer",
        "limit",
        "cursor",
        "chat_id",
        "account",
        "mail",
        "tonality_grade",
        "format",
        "grades",
        "before_id",
    } <= disabled


def test_key_is_a_variable_and_not_sent_to_public_paths(collection: Node) -> None:
    assert {"key": "value", "value": "{{apiKey}}"} in collection["auth"]["apikey"]
    assert {"key": "apiKey", "value": ""} in collection["variable"]
    for request in requests(collection):
        assert ("auth" not in request) is (request["url"]["path"][0] == "api"), request["url"][
            "raw"
        ]
