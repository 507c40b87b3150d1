"""External systems in a separate process, and a service that uses them.

Only the service's own process is measured.
"""

import argparse
import asyncio
import itertools
import json
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from app.models import Run
from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import AvitoChat, AvitoMessage, hash_id
from app.sandbox.server import Sandbox
from app.service import Service, open_service, working
from app.services.run_params import RunParams
from app.services.runs import submit, wait
from tests.benchmarks.worst_chats import add_worst_chats
from tests.support.dialogues import load_dialogues
from tests.support.stage import IMPATIENT, MovableClock, stage_settings


@asynccontextmanager
async def start_far_ends(
    *,
    chats: int,
    messages: int,
    avito_latency: float = 0,
    deepseek_latency: float = 0,
    worst: bool = False,
    dialogues: bool = False,
) -> AsyncIterator[dict[str, str]]:
    """Start the external systems and yield the settings that connect to them.

    ``worst``: add the chats of ``build_worst_chats``. ``dialogues``: the texts are those of real
    dialogues, of six messages on average, instead of ``messages`` equal ones.
    """
    arguments = [
        str(chats),
        str(messages),
        str(avito_latency),
        str(deepseek_latency),
        *(["--worst"] if worst else []),
        *(["--dialogues"] if dialogues else []),
    ]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield json.loads(await process.stdout.readline())
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def run_service(
    url: str, environment: Mapping[str, str], **settings: Any
) -> AsyncIterator[Service]:
    """Run a service with its worker against separate external systems."""
    chosen = stage_settings(url, environment, **settings)
    async with (
        open_service(chosen, clock=MovableClock(), retry=IMPATIENT) as service,
        working(service),
    ):
        yield service


async def time_run(service: Service, params: RunParams) -> tuple[float, Run]:
    """Submit a run as REST does; return the seconds until its end, and the run."""
    start = time.perf_counter()
    run_id = await submit(service.database, params, service.clock)
    service.worker.wake()
    run = await wait(service.database, run_id)
    return time.perf_counter() - start, run


def _replace_texts(chats: list[AvitoChat]) -> None:
    """Give the chats the messages of dialogues that both sides wrote, none of them going on."""
    talks = [
        [(message.side.value, message.text) for message in dialogue.messages]
        for dialogue in load_dialogues()
        if len(dialogue.messages) < 50 and len({message.side for message in dialogue.messages}) > 1
    ]
    for chat, talk in zip(chats, itertools.cycle(talks), strict=False):
        start = chat.updated - 86_400 - 180 * len(talk)
        chat.messages = [
            AvitoMessage(
                hash_id(chat.id, place),
                "client" if side == "client" else "company",
                "text",
                start + 180 * place,
                text,
            )
            for place, (side, text) in enumerate(talk, start=1)
        ]


async def _serve(
    chats: int,
    messages: int,
    avito_latency: float,
    deepseek_latency: float,
    *,
    worst: bool,
    dialogues: bool,
) -> None:
    avito = LocalAvito()
    added = avito.add_synthetic_chats(chats, messages)
    if dialogues:
        _replace_texts(added)
    if worst:
        add_worst_chats(avito)
    async with Sandbox(avito=avito) as sandbox:
        for far_end, latency in ((avito, avito_latency), (sandbox.deepseek, deepseek_latency)):
            far_end.switches.latency_seconds = latency
            far_end.switches.record_requests = False
        sys.stdout.write(json.dumps(sandbox.environment()) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("chats", type=int)
    parser.add_argument("messages", type=int)
    parser.add_argument("avito_latency", type=float)
    parser.add_argument("deepseek_latency", type=float)
    parser.add_argument("--worst", action="store_true")
    parser.add_argument("--dialogues", action="store_true")
    asyncio.run(_serve(**vars(parser.parse_args())))
