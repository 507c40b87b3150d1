"""The body of a completion request: what identifies it, and how it is rebuilt."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from openai.types.chat import ChatCompletionMessageParam


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request that was sent.

    ``parameters``: its body as JSON text without the messages, in the order of its keys.
    ``sha256``: hex digest of the body.
    """

    parameters: str
    sha256: str


def describe_request(body: bytes) -> SentRequest:
    """Describe the body of a request."""
    content: dict[str, Any] = json.loads(body)
    parameters = json.dumps({**content, "messages": []}, ensure_ascii=False)
    return SentRequest(parameters, hashlib.sha256(body).hexdigest())


def rebuild_body(parameters: str, *, system: str, user: str) -> bytes:
    """Return the body as the HTTP client encodes it."""
    content: dict[str, Any] = json.loads(parameters)
    content["messages"] = make_messages(system, user)
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode()


def make_messages(system: str, user: str) -> list[ChatCompletionMessageParam]:
    """Return the two messages of a request."""
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]
