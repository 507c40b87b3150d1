"""Log of requests: one line each, without a key, a secret or the values of the query."""

import time
from collections.abc import Collection
from urllib.parse import quote, unquote

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.request_metrics import get_known_method
from app.config import WEBHOOK_PATH

log = structlog.get_logger(__name__)

_PROBES = ("/health/live", "/health/ready", "/metrics")
"""Paths that a supervisor calls every few seconds; they are logged at DEBUG."""
_LONGEST_PATH, _ENCODINGS = 300, 3


class RequestLog:
    """Log method, path, status, duration and the id of the key of each request.

    ``secrets``: texts that a client may have put into the path by mistake.
    """

    def __init__(self, app: ASGIApp, secrets: Collection[str]) -> None:
        self._app = app
        self._secrets = secrets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun_at = time.monotonic()
        status = 500  # of a response that the server begins after the application has failed

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        state = scope.setdefault("state", {})
        try:
            await self._app(scope, receive, send_on)
        finally:
            self._write(scope, status, time.monotonic() - begun_at, state.get("key_id"))

    def _write(self, scope: Scope, status: int, seconds: float, key_id: str | None) -> None:
        write = log.debug if scope["path"].endswith(_PROBES) else log.info
        write(
            "rest.request",
            method=get_known_method(scope),
            path=self._describe_path(scope["path"]),
            status=status,
            duration_ms=round(seconds * 1000, 1),
            **({} if key_id is None else {"key": key_id}),
        )

    def _describe_path(self, path: str) -> str:
        """Return the path in ASCII without secrets. What follows the webhook's path is one."""
        for _ in range(_ENCODINGS):  # a secret that was encoded several times is one too
            path = unquote(path)
        before, webhook, _ = path.partition(WEBHOOK_PATH)
        for secret in self._secrets:
            before = before.replace(secret, "***")
        return (quote(before, safe="/:@,*") + webhook)[:_LONGEST_PATH]
