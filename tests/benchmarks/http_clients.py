"""HTTP clients in a separate process: one loads a response, one compares servers, one polls.

Only the server's own process is measured.
"""

import argparse
import asyncio
import http.client
import json
import statistics
import sys
import threading
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from tests.support.stage import KEY

_ROUNDS, _WARM_UP = 60, 10
"""Measured requests to each server, and those before them that are not."""


async def load(port: int, path: str, **query: str) -> dict[str, Any]:
    """Load a response: ``status``, ``bytes``, ``first_byte_ms`` of the body, ``seconds``."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, "load", str(port), f"{path}?{urlencode(query)}", stdout=PIPE
    )
    out, _ = await process.communicate()
    return dict(json.loads(out))


async def compare(ports: list[int], path: str, key: str, **query: str) -> list[float]:
    """Return the median seconds of each server's whole response.

    The servers are asked in turn, each over one kept connection.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, "compare", ",".join(map(str, ports))),
        f"{path}?{urlencode(query)}",
        f"--key={key}",
        stdout=PIPE,
    )
    out, _ = await process.communicate()
    return list(json.loads(out))


@asynccontextmanager
async def probe_path(
    port: int, path: str, *, pause: float = 0.01
) -> AsyncIterator[dict[str, float]]:
    """Request the path again and again within the context, with a pause in seconds between.

    At the end the yielded dict contains ``p50``, ``p99`` and ``max`` in ms.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, "probe", str(port), path, f"--pause={pause}"),
        stdin=PIPE,
        stdout=PIPE,
    )
    assert process.stdout is not None
    await process.stdout.readline()  # the first response has arrived
    found: dict[str, float] = {}
    try:
        yield found
    finally:
        out, _ = await process.communicate(b"")  # closing its stdin ends it
        found.update(json.loads(out))


def _load(port: int, path: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    start = time.perf_counter()
    connection.request("GET", path, headers={"X-API-Key": KEY})
    answer = connection.getresponse()
    size = len(answer.read(1))
    first = time.perf_counter() - start
    while part := answer.read(65_536):
        size += len(part)
    return {
        "status": answer.status,
        "bytes": size,
        "first_byte_ms": first * 1000,
        "seconds": time.perf_counter() - start,
    }


def _compare(ports: list[int], path: str, key: str) -> list[float]:
    connections = [http.client.HTTPConnection("127.0.0.1", port) for port in ports]
    bodies, times = [b""] * len(ports), [[0.0] * _ROUNDS for _ in ports]
    for turn in range(-_WARM_UP, _ROUNDS):
        for place, connection in enumerate(connections):
            start = time.perf_counter()
            connection.request("GET", path, headers={"X-API-Key": key})
            answer = connection.getresponse()
            bodies[place] = answer.read()
            if turn >= 0:
                times[place][turn] = time.perf_counter() - start
            if answer.status != 200:
                raise SystemExit(f"port {ports[place]}: {answer.status} {bodies[place][:200]!r}")
    if len({json.dumps(json.loads(body)) for body in bodies}) != 1:
        raise SystemExit("the servers return different reports")
    return [statistics.median(found) for found in times]


def _probe(port: int, path: str, pause: float) -> dict[str, float]:
    ended = threading.Event()

    def watch() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=watch, daemon=True).start()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    times = []
    while not ended.wait(pause):
        start = time.perf_counter()
        connection.request("GET", path, headers={"X-API-Key": KEY})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status}")
        times.append((time.perf_counter() - start) * 1000)
        if len(times) == 1:
            sys.stdout.write("begun\n")
            sys.stdout.flush()
    return {
        "p50": statistics.median(times),
        "p99": statistics.quantiles(times, n=100)[98],
        "max": max(times),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["load", "compare", "probe"])
    parser.add_argument("ports", type=lambda given: [int(port) for port in given.split(",")])
    parser.add_argument("path")
    parser.add_argument("--key", default=KEY)
    parser.add_argument("--pause", type=float, default=0.01)
    chosen = parser.parse_args()
    found: object
    match chosen.what:
        case "load":
            found = _load(chosen.ports[0], chosen.path)
        case "compare":
            found = _compare(chosen.ports, chosen.path, chosen.key)
        case _:
            found = _probe(chosen.ports[0], chosen.path, chosen.pause)
    sys.stdout.write(json.dumps(found) + "\n")
