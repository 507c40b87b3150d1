"""Environment variables of the openai package do not change what is sent, or where."""

import os
import re
from pathlib import Path

import openai
import pytest

from app.clients.deepseek import DeepSeekClient
from app.sandbox.deepseek import LocalDeepSeek
from tests.support.deepseek_prompts import MakeDeepSeek, request_completion

POISON = {
    "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
    "OPENAI_CUSTOM_HEADERS": "Authorization: Bearer poison\nX-Тест: poison\nX-Poison: poison",
    "OPENAI_LOG": "debug",
    "OPENAI_ORG_ID": "отдел",
}


def list_variables() -> set[str]:
    """Return every variable of the vendor that the installed package names in its code."""
    folder = Path(openai.__file__).parent
    return {
        name
        for file in folder.rglob("*.py")
        for name in re.findall(r"[\"'](OPENAI_[A-Z0-9_]+)[\"']", file.read_text(encoding="utf-8"))
    }


async def send_all(client: DeepSeekClient) -> None:
    await request_completion(client)
    await client.get_models()
    await client.get_balance()


async def test_variables_of_the_package_change_no_request(
    make_deepseek: MakeDeepSeek,
    local_deepseek: LocalDeepSeek,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = list_variables()
    assert names >= {
        "OPENAI_API_KEY",
        "OPENAI_ADMIN_KEY",
        "OPENAI_BASE_URL",
        "OPENAI_CUSTOM_HEADERS",
        "OPENAI_LOG",
        "OPENAI_ORG_ID",
        "OPENAI_PROJECT_ID",
    }
    await send_all(make_deepseek())
    for name in names:
        monkeypatch.setenv(name, POISON.get(name, "poison"))
    await send_all(make_deepseek())
    usual, poisoned = local_deepseek.requests[:3], local_deepseek.requests[3:]
    assert [
        (request.method, request.path, request.query, request.headers, request.body)
        for request in poisoned
    ] == [
        (request.method, request.path, request.query, request.headers, request.body)
        for request in usual
    ]
    assert {name: os.environ[name] for name in names} == {
        name: POISON.get(name, "poison") for name in names
    }, "other programs of this process keep their settings"
