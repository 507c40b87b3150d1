"""The body of a completion request: how it is encoded, what identifies it, how it is rebuilt."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request that was sent.

    ``parameters``: its body as JSON text without the messages, in the order of its keys.
    ``sha256``: hex digest of the body.
    """

    parameters: str
    sha256: str


def describe_request(body: bytes, parameters: Mapping[str, Any]) -> SentRequest:
    """Describe a request by its body and the parameters that it was encoded from."""
    text = json.dumps(parameters, ensure_ascii=False)
    return SentRequest(text, hashlib.sha256(body).hexdigest())


def encode_body(parameters: Mapping[str, Any], *, system: str, user: str) -> bytes:
    """Encode the body with these parameters and two messages, in the place of ``messages``."""
    messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    text = json.dumps(
        {**parameters, "messages": messages},
        ensure_ascii=False,
        separators=(",", ":"),
        allow_nan=False,
    )
    return text.encode()


def rebuild_body(parameters: str, *, system: str, user: str) -> bytes:
    """Return the body of a stored request."""
    return encode_body(json.loads(parameters), system=system, user=user)
