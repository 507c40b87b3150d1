"""Faults on demand for a local HTTP server, and a record of its requests."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CUT_KEY = (
    "sandbox.cut"  # scope key: `server.running` stores the function that breaks the connection
)
BEHAVIOUR_KEY = (
    "sandbox.behaviour"  # scope key: `Front` stores a behaviour that the routes must execute
)


@dataclass(frozen=True)
class ReceivedRequest:
    """A received request.

    `query` has all values of each name. `body` is the parsed JSON, or the text if it is not JSON.
    `raw` is the body as received.
    """

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any
    raw: bytes
    at: datetime


@dataclass(frozen=True)
class Behaviour:
    """What happens to a request instead of, or before, its regular response."""


@dataclass(frozen=True)
class CannedResponse(Behaviour):
    """A fixed response.

    A string is sent as HTML or as `content_type`, anything else as JSON.
    """

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "text/html; charset=utf-8"

    def build_response(self) -> Response:
        if isinstance(self.body, str):
            return Response(self.body, self.status, self.headers, self.content_type)
        return JSONResponse(self.body, self.status, self.headers)


@dataclass(frozen=True)
class Cut(Behaviour):
    """The connection is closed without a response."""


@dataclass(frozen=True)
class Slow(Behaviour):
    """The regular response after a delay."""

    seconds: float


@dataclass
class Fault:
    """A behaviour for the next `times` requests (None: all).

    It applies to requests whose path contains `path` and for which `when` holds.
    """

    behaviour: Behaviour
    path: str = ""
    when: Callable[[ReceivedRequest], bool] | None = None
    times: int | None = 1

    def matches(self, request: ReceivedRequest) -> bool:
        return (
            self.times != 0
            and self.path in request.path
            and (self.when is None or self.when(request))
        )


@dataclass
class HttpSwitches:
    """Switches of every local HTTP server. All may be set while it runs."""

    latency_seconds: float = 0.0
    """Delay of each request before anything else happens."""

    record_requests: bool = True
    """Whether requests are stored. Load tests switch it off, because they would fill the memory."""

    faults: list[Fault] = field(default_factory=list)
    """Pending faults. The first one that matches a request is used.

    A used-up fault stays in the list with `times` 0.
    """

    def fail(
        self,
        behaviour: Behaviour,
        *,
        path: str = "",
        when: Callable[[ReceivedRequest], bool] | None = None,
        times: int | None = 1,
    ) -> Fault:
        """Add a fault; the returned object can be changed or removed from `faults`."""
        fault = Fault(behaviour, path, when, times)
        self.faults.append(fault)
        return fault

    def next_behaviour(self, request: ReceivedRequest) -> Behaviour | None:
        for fault in self.faults:
            if fault.matches(request):
                if fault.times is not None:
                    fault.times -= 1
                return fault.behaviour
        return None


@dataclass
class Traffic:
    """Received requests, oldest first, and the number of concurrent requests."""

    requests: list[ReceivedRequest] = field(default_factory=list)
    in_flight: int = 0
    max_in_flight: int = 0

    @contextmanager
    def count_request(self) -> Iterator[None]:
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        try:
            yield
        finally:
            self.in_flight -= 1


class FaultMiddleware:
    """ASGI middleware before a local server's routes.

    It records the request, waits, and executes the matching fault.
    """

    def __init__(self, app: ASGIApp, switches: HttpSwitches, traffic: Traffic) -> None:
        self._app = app
        self._switches = switches
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read_body(receive)
        request = _build_request(scope, body)
        if self._switches.record_requests:
            self._traffic.requests.append(request)
        with self._traffic.count_request():
            await asyncio.sleep(self._switches.latency_seconds)
            behaviour = self._switches.next_behaviour(request)
            match behaviour:
                case Cut():
                    await cut_connection(scope)
                    return
                case CannedResponse():
                    await behaviour.build_response()(scope, receive, send)
                    return
                case Slow():
                    await asyncio.sleep(behaviour.seconds)
                case _:
                    scope[BEHAVIOUR_KEY] = behaviour
            await self._app(scope, _replay_body(body, receive), send)


async def cut_connection(scope: Scope) -> None:
    """Break the connection of a request. Raises KeyError if `server.running` does not serve it."""
    scope[CUT_KEY]()
    await asyncio.sleep(0)  # the server notices it in the next iteration of the loop


def _build_request(scope: Scope, body: bytes) -> ReceivedRequest:
    text = body.decode(errors="replace")
    try:
        content = json.loads(text) if text else None
    except json.JSONDecodeError:
        content = text
    return ReceivedRequest(
        method=scope["method"],
        path=scope["path"],
        query=parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True),
        headers={
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        },
        body=content,
        raw=body,
        at=datetime.now(UTC),
    )


async def _read_body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _replay_body(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that replays a consumed body and then continues with the original."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
