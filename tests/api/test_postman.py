"""The Postman collection, sent as Postman sends it: all requests in order, enabled parts only."""

import json
from typing import Any

from tests.checks.postman import KEPT
from tests.support.stage import Stage


def make_path(url: dict[str, Any]) -> str:
    values = {f":{variable['key']}": variable["value"] for variable in url["variable"]}
    return "/" + "/".join(values.get(part, part) for part in url["path"])


async def test_every_request_succeeds_unchanged(full_stage: Stage) -> None:
    """Except the request for a date's mail: the example's date has none."""
    statuses = {}
    for folder in json.loads(KEPT.read_text(encoding="utf-8"))["item"]:
        for request in (item["request"] for item in folder["item"]):
            answer = await full_stage.rest.request(
                request["method"],
                make_path(request["url"]),
                params={
                    entry["key"]: entry["value"]
                    for entry in request["url"]["query"]
                    if not entry["disabled"]
                }
                or None,
                headers={
                    entry["key"]: entry["value"]
                    for entry in request["header"]
                    if not entry["disabled"]
                },
                json=json.loads(request["body"]["raw"]) if "body" in request else None,
            )
            statuses[f"{request['method']} {request['url']['raw']}"] = answer.status_code
    assert len(statuses) > 15
    assert {where: status for where, status in statuses.items() if status != 200} == {
        "GET {{baseUrl}}/api/v1/reports/daily/:date": 404,
    }
