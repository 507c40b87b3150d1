"""Read the refusals of DeepSeek and of other servers with its API into one form.

The shapes are those of DeepSeek, OpenAI, vLLM, Ollama, llama.cpp, LM Studio, LiteLLM, OpenRouter,
Mistral, Yandex AI Studio and GigaChat.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import openai

from app.clients.retry import parse_retry_after
from app.clients.text import build_excerpt

_LONGEST_EXCERPT = 300
_LONGEST_MESSAGE = 2_000  # searched for the cause
_MOST_FAULTS = 5  # of a list of faults
_REFUSING_STATUS = re.compile(r"[45][0-9]{2}")
_TAG = re.compile(r"<[^<>]{0,200}>")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal in the same form for all servers.

    - ``words``: the server's message with its code and type, in which the cause is searched. It
      never contains the request, which some servers repeat in other fields.
    - ``excerpt``: what a person is shown of it.
    - ``gateway``: the name of the server that sent HTML instead of JSON; None if it was JSON.
    """

    status: int
    words: str
    excerpt: str
    gateway: str | None = None
    retry_after: float | None = None

    @property
    def is_final(self) -> bool:
        """Whether the same request is refused again: a 4xx."""
        return 400 <= self.status < 500


def read_status_error(error: openai.APIStatusError, now: datetime, api_key: str) -> Refusal:
    """Return the refusal in an answer with an HTTP status of 400 or more."""
    response = error.response
    message = _read_message(error.body)
    text = response.text[:_LONGEST_MESSAGE]
    is_html = text.lstrip()[:1] == "<"
    shown = _TAG.sub(" ", text) if is_html else message or text
    return Refusal(
        status=error.status_code,
        words=_join_words(error.body, message),
        excerpt=build_excerpt(shown, _LONGEST_EXCERPT, api_key),
        gateway=build_excerpt(response.headers.get("Server", "шлюз без имени"), 40)
        if is_html
        else None,
        retry_after=parse_retry_after(response.headers, now),
    )


def read_error_body(answer: Mapping[str, object], api_key: str) -> Refusal | None:
    """Return the refusal in an answer with status 200 that has an error instead of choices.

    Gateways answer so if their own upstream refuses. None: the error has no HTTP status.
    """
    error = answer.get("error")
    code = str(error.get("code")) if isinstance(error, dict) else ""
    if not _REFUSING_STATUS.fullmatch(code):
        return None
    message = _read_message(error)
    return Refusal(
        status=int(code),
        words=_join_words(error, message),
        excerpt=build_excerpt(message, _LONGEST_EXCERPT, api_key),
    )


def _join_words(body: object, message: str) -> str:
    parts = [body.get("code"), body.get("type")] if isinstance(body, dict) else []
    return " ".join([message, *(part for part in parts if isinstance(part, str))])


def _read_message(body: object) -> str:
    """Return the server's message, and nothing that may repeat the request."""
    if isinstance(body, dict):
        message = body.get("message") or body.get("detail")
        body = _describe_faults(message) if isinstance(message, list) else message
    return body[:_LONGEST_MESSAGE] if isinstance(body, str) else ""


def _describe_faults(faults: list[object]) -> str:
    """Describe the faults that FastAPI lists: place and message, without the refused input."""
    return "; ".join(
        f"{'.'.join(map(str, _as_list(fault.get('loc'))[:5]))}: {fault.get('msg')}"
        for fault in faults[:_MOST_FAULTS]
        if isinstance(fault, dict) and fault.get("msg")
    )


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
