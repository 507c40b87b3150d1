"""Values from Avito and the model that cannot be stored, in a whole sync and grading run.

They fail one chat, never the run.
"""

import errno
import json
import os
import resource
import socket
from pathlib import Path
from typing import Any

import pytest

from app.clients.avito import create_avito_http
from app.clients.avito.errors import AvitoUnavailableError
from app.clients.avito.http import send
from app.sandbox.avito import LocalAvito
from app.sandbox.deepseek_faults import Rewrite, user_message
from app.sandbox.faults import ReceivedRequest
from app.sandbox.server import Sandbox
from tests.support.hostile_json import LITERALS, Spoiler, replace_value
from tests.support.stage import GOOD_TALK, Stage, on_stage

PLACE = "a-hostile-value"


def with_literal(value: Any, literal: str, kept: tuple[str, ...]) -> str:
    """Return an object as JSON with all values replaced by the literal, except the kept ones."""
    spoilt = {key: part if key in kept else PLACE for key, part in value.items()}
    return json.dumps(spoilt, ensure_ascii=False).replace(f'"{PLACE}"', literal)


@pytest.mark.parametrize(
    "kept",
    [("id",), ("id", "created"), ("id", "created", "direction", "type"), ("created", "direction")],
)
async def test_no_value_from_avito_ends_a_sync(database_url: str, kept: tuple[str, ...]) -> None:
    avito = LocalAvito()
    literals = dict[str, str]()

    def spoil(path: str, body: Any) -> str | None:
        name = (
            "chats"
            if path.endswith("/chats")
            else "messages"
            if path.endswith("/messages/")
            else None
        )
        if name is None:
            return None
        known = path.split("/")[-3] if name == "messages" else None
        elements = [
            with_literal(one, literals[known or one["id"]], kept)
            if (known or one["id"]) in literals
            else json.dumps(one)
            for one in body[name]
        ]
        return f'{{"{name}": [{", ".join(elements)}], "meta": {{"has_more": false}}}}'

    avito.app = Spoiler(avito.app, spoil)
    async with Sandbox(avito=avito) as sandbox, on_stage(database_url, sandbox) as stage:
        literals |= {
            stage.add_talk(*GOOD_TALK, title=name).id: literal for name, literal in LITERALS.items()
        }
        good = stage.add_talk(*GOOD_TALK, minutes_ago=600)
        await stage.sync()
        await stage.sync(full=True)
        assert (await stage.analyze())["analyzed_chats"] >= 1
        assert good.id in {report["chat_id"] for report in await stage.reports()}
        assert await stage.rows(
            "SELECT 1 FROM chats WHERE avito_id = :id AND history_complete", id=good.id
        )
        await stage.mail()


@pytest.mark.parametrize(
    "place",
    [
        ("system_fingerprint",),
        ("model",),
        ("usage",),
        ("usage", "prompt_tokens"),
        ("usage", "completion_tokens"),
        ("id",),
    ],
)
async def test_no_metadata_from_the_model_fails_a_run_or_a_chat(
    stage: Stage, place: tuple[str, ...]
) -> None:
    left = list(LITERALS.values())

    def spoil(path: str, body: Any) -> str | None:
        return replace_value(body, place, left.pop()) if "choices" in body and left else None

    stage.sandbox.deepseek.app.add_middleware(Spoiler, spoil=spoil)
    for number in range(len(LITERALS) + 1):
        stage.add_talk(*GOOD_TALK, title=f"Диван {number}")
    await stage.sync()
    assert (await stage.analyze())["analyzed_chats"] == len(LITERALS) + 1
    assert left == []
    reports = await stage.rows("SELECT model, fingerprint FROM reports")
    assert all(
        len(report["model"]) <= 100 and len(report["fingerprint"] or "") <= 100
        for report in reports
    )
    assert len(await stage.reports()) == len(LITERALS) + 1


CHOICES: list[Any] = [
    [],
    [None],
    {},
    "text",
    [{"message": None, "finish_reason": "stop"}],
    [{"message": {"content": 7}, "finish_reason": ["stop"]}],
]


async def test_response_without_an_answer_fails_only_its_chat(stage: Stage) -> None:
    for number, choices in enumerate(CHOICES):
        words = f"Подойдёт ли деталь {number}-я по счёту?"
        stage.add_talk(("client", words), *GOOD_TALK[1:])

        def is_meant(request: ReceivedRequest, words: str = words) -> bool:
            return words in user_message(request)

        def change(completion: dict[str, Any], choices: Any = choices) -> None:
            completion["choices"] = choices

        stage.sandbox.deepseek.switches.fail(Rewrite(change), when=is_meant, times=None)
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    answer = await stage.analyze()
    assert (answer["analyzed_chats"], answer["failed_chats"], answer["waiting_chats"]) == (
        1,
        len(CHOICES),
        0,
    )


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_exhausted_file_descriptors_are_not_attributed_to_avito() -> None:
    async with create_avito_http("http://127.0.0.1:9") as http:
        held = list[socket.socket]()
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (_open_files() + 20, before[1]))
        try:
            with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
                while True:
                    held.append(socket.socket())
            with pytest.raises(AvitoUnavailableError, match="кончились файлы") as caught:
                await send(http, http.build_request("GET", "/"))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
            for one in held:
                one.close()
    assert "Авито" not in caught.value.message
