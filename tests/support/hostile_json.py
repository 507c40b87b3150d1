"""Invalid responses: one value of a valid response is replaced by problematic JSON."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Path = tuple[str | int, ...]
_PLACE = "here-comes-a-hostile-value"

LITERALS = {
    "null": "null",
    "true": "true",
    "negative": "-1",
    "zero": "0",
    "fraction": "1.5",
    "infinity": "1e999",
    "NaN": "NaN",
    "-Infinity": "-Infinity",
    "65 bits": str(2**64),
    "5,000 digits": "9" * 5_000,
    "milliseconds": "1795000000000",
    "year 9999": "253402300799",
    "year 300,000": "9404000000000",
    "year 1": "-62135596800",
    "empty text": '""',
    "NUL and half a surrogate": r'"\u0000a\ud83d"',
    "long text": json.dumps("я" * 300_000, ensure_ascii=False),
    "empty list": "[]",
    "empty object": "{}",
    "deep list": "[" * 20_000 + "]" * 20_000,
    "deep object": '{"a":' * 20_000 + "1" + "}" * 20_000,
    "one key twice": '{"id": 1, "id": "x", "id": null}',
    "list of all sorts": '[null, {}, [[]], 1e400, "\\ud800"]',
}
# No st.text(): building its table of all characters takes longer than the tests.
ANY_LITERAL = (
    st.sampled_from(sorted(LITERALS.values()))
    | st.integers().map(str)
    | st.floats().map(json.dumps)
)


def list_paths(body: Any, at: Path = ()) -> Iterator[Path]:
    """Yield the path of every value in a body, the body itself first."""
    yield at
    inner = (
        body.items()
        if isinstance(body, dict)
        else enumerate(body)
        if isinstance(body, list)
        else ()
    )
    for key, value in inner:
        yield from list_paths(value, (*at, key))


def replace_value(body: Any, path: Path, literal: str) -> str:
    """Return the body as JSON with a literal at a path; the literal need not be valid JSON."""
    if not path:
        return literal
    copy = json.loads(json.dumps(body))
    parent = copy
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = _PLACE
    return json.dumps(copy, ensure_ascii=False).replace(f'"{_PLACE}"', literal, 1)


def assert_storable(value: str) -> None:
    """Assert that Postgres and JSON can store the text."""
    assert "\x00" not in value
    value.encode()


class Spoiler:
    """ASGI middleware that changes the JSON of each successful response with ``spoil``.

    ``spoil`` receives the path and the body.
    """

    def __init__(self, app: ASGIApp, spoil: Callable[[str, Any], str | None]) -> None:
        self._app, self._spoil = app, spoil

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {}
        whole = b""

        async def collect(message: Message) -> None:
            nonlocal start, whole
            if message["type"] == "http.response.start":
                start = message
                return
            whole += message.get("body", b"")
            if message.get("more_body"):
                return
            changed = (
                self._spoil(scope["path"], json.loads(whole)) if start["status"] == 200 else None
            )
            body = whole if changed is None else changed.encode()
            headers = [
                (name, value) for name, value in start["headers"] if name != b"content-length"
            ]
            await send(
                {**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]}
            )
            await send({"type": "http.response.body", "body": body})

        await self._app(scope, receive, collect)
