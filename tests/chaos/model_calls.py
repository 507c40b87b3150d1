"""Record of the model's requests and answers; a repeated request is billed twice."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

QUESTION, ANSWER = "Вопрос", "Ответ"
"""The word before the number of each message of a world.

The service's own probes of the model do not contain it.
"""
_NUMBERED = re.compile(rf"(?:{QUESTION}|{ANSWER}) \d+")


@dataclass(eq=False)
class ModelCall:
    """One grading request. ``prompt``: its numbered messages; the rest differs each time."""

    prompt: str
    answered: bool = False


class CallRecorder:
    """ASGI middleware before the local DeepSeek."""

    def __init__(self, app: ASGIApp, calls: list[ModelCall]) -> None:
        self._app = app
        self._calls = calls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, whole = bytearray(), False
        while not whole:
            message = await receive()
            if message["type"] == "http.disconnect":
                return  # the replica was killed before it had sent the request
            body.extend(message.get("body", b""))
            whole = not message.get("more_body", False)
        replayed: list[Message] = [
            {"type": "http.request", "body": bytes(body), "more_body": False}
        ]
        call, status = self._record_call(bytes(body)), 0

        async def replay() -> Message:
            return replayed.pop() if replayed else await receive()

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif call is not None and not message.get("more_body"):
                call.answered = status == 200
            await send(message)

        await self._app(scope, replay, answer)

    def _record_call(self, body: bytes) -> ModelCall | None:
        try:
            contents = [str(message.get("content")) for message in json.loads(body)["messages"]]
        except (ValueError, KeyError, TypeError):
            return None
        prompt = " ".join(_NUMBERED.findall(" ".join(contents)))
        if not prompt:
            return None
        call = ModelCall(prompt)
        self._calls.append(call)
        return call


def count_duplicates(calls: Sequence[ModelCall], repeats: int) -> int:
    """Return the number of billed answers beyond the first to the same prompt.

    ``repeats``: reports whose chat was graded twice on purpose (STEADINESS_SHARE).
    """
    answered = Counter(call.prompt for call in calls if call.answered)
    return sum(answered.values()) - len(answered) - repeats
