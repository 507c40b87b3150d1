"""Parse DeepSeek's responses into types or errors.

The JSON is read directly, not through the openai package's types. The package does not validate a
200. Deeply nested JSON and numbers with thousands of digits make it raise errors of Python's own.
"""

import zlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from json import JSONDecoder
from typing import Literal

import httpx2
import openai

from app.clients.bounded_body import UnreadableBodyError
from app.clients.connection_faults import describe_missing_response
from app.clients.deepseek.errors import (
    DeepSeekError,
    DeepSeekUnavailableError,
    DeepSeekUnreadableError,
)
from app.clients.deepseek.refusal_errors import (
    build_blocked_error,
    build_refusal_error,
    build_timeout_error,
)
from app.clients.deepseek.refusals import read_error_body, read_status_error
from app.clients.deepseek.request_body import SentRequest
from app.clients.deepseek.schema import Balance, Bill, Completion, Usage
from app.clients.text import build_excerpt, shorten

_LONGEST_NAME = 100
_MOST_MODELS = 1_000
_MOST_TOKENS = 10_000_000
"""Several times the largest context. A larger number is invalid."""
_MOST_MONEY = Decimal(10) ** 12
_FINISHED = frozenset({"stop", "eos", "eos_token", "stop_sequence", "end_turn"})
_TRUNCATED = frozenset({"length", "max_tokens", "model_length"})
_FILTERED = frozenset({"content_filter", "blacklist", "sensitive", "safety"})
"""Finish reasons of DeepSeek, OpenAI, TGI, Together, Anthropic, Mistral, GigaChat and z.AI."""
_LOOP_TAIL = 1_000
"""Characters at the end of a text that show whether it repeats itself."""
_LOOP_RATIO = 5
"""An answer of the rubric compresses to a half or a third, a repeated phrase to a tenth."""


def parse_usage(answer: object, most: Usage) -> Usage:
    """Return the billed tokens of an answer, however it ended.

    What a completion does not state counts as in ``most``, the upper limit of the request.
    """
    completion = _as_object(answer)
    usage = _as_object(completion.get("usage"))
    if not isinstance(completion.get("choices"), list):
        most = Usage()  # an error instead of an answer
    details = _as_object(usage.get("prompt_tokens_details"))
    hit = (
        _parse_tokens(usage, "prompt_cache_hit_tokens")
        or _parse_tokens(details, "cached_tokens")
        or 0
    )
    # If the response does not split the prompt, assume that nothing came from the cache.
    miss = _parse_tokens(usage, "prompt_cache_miss_tokens") or max(
        0, (_parse_tokens(usage, "prompt_tokens") or 0) - hit
    )
    output = _parse_tokens(usage, "completion_tokens")
    return Usage(
        hit,
        miss if hit or miss else most.prompt_miss_tokens,
        most.completion_tokens if output is None else output,
    )


def read_completion(
    answer: object, requested_model: str, bill: Bill, request: SentRequest, api_key: str
) -> Completion:
    """Parse the completion in an answer. Its usage and attempts are those of the ``bill`` so far.

    Raises:
        DeepSeekUnavailableError: it is not a completion, or an incomplete one.
        DeepSeekBlockedError: the provider's content filter stopped it.
        DeepSeekError: a gateway reports the refusal of its own upstream.
    """
    completion = _as_object(answer)
    choices = completion.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        refusal = read_error_body(completion, api_key)
        raise build_refusal_error(refusal) if refusal else build_format_error()
    message = _as_object(choices[0].get("message"))
    text = _read_text(message)
    return Completion(
        request=request,
        text=text,
        model=_parse_name(completion.get("model")) or requested_model,
        fingerprint=_parse_name(completion.get("system_fingerprint")),
        finish_reason=_read_finish_reason(choices[0], message, text),
        usage=bill.usage,
        attempts=bill.attempts,
    )


def _read_text(message: Mapping[str, object]) -> str:
    """Return the text of a message.

    vLLM's reasoning parsers may take the whole answer of a model that does not reason for its
    reasoning.
    """
    text = _join_parts(message.get("content"))
    if text.strip():
        return text
    reasoning = message.get("reasoning_content") or message.get("reasoning")
    answer = reasoning.strip() if isinstance(reasoning, str) else ""
    is_object = answer.startswith("{") and answer.endswith("}") and is_complete(answer)
    return answer if is_object else text


def _join_parts(content: object) -> str:
    """Return the text of a content: a string, or a list of parts."""
    if isinstance(content, list):
        parts = (_as_object(part) for part in content)
        texts = (part.get("text") for part in parts if part.get("type") == "text")
        return "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""


def _read_finish_reason(
    choice: Mapping[str, object], message: Mapping[str, object], text: str
) -> Literal["stop", "length"]:
    reason = choice.get("finish_reason")
    known = reason.lower() if isinstance(reason, str) else ""
    if known in _FILTERED or (message.get("refusal") and not text.strip()):
        raise build_blocked_error()
    if choice.get("error") or (known not in _FINISHED | _TRUNCATED and reason):
        raise DeepSeekUnavailableError(
            f"DeepSeek оборвал ответ ({build_excerpt(str(reason), 40)}): повторим позже сами."
        )
    if not reason:
        return "stop" if is_complete(text) else "length"
    return "stop" if known in _FINISHED else "length"


def is_complete(text: str) -> bool:
    """Return whether the JSON object in a text ends; True for a text without an object.

    It decides for servers that give no finish reason.
    """
    answer = text.rpartition("</think>")[2]
    if "<think>" in answer:
        return False
    start = answer.find("{")
    try:
        return start < 0 or bool(JSONDecoder(strict=False).raw_decode(answer, start))
    except (ValueError, RecursionError):
        return False


def repeats_itself(text: str) -> bool:
    """Return whether the end of a text is one phrase again and again, such as blank lines."""
    tail = text[-_LOOP_TAIL:].encode()
    return len(tail) > _LOOP_RATIO * len(zlib.compress(tail))


def read_models(answer: object) -> list[str]:
    """Parse the names of the models. Raises DeepSeekUnavailableError if they are missing."""
    models = _as_object(answer).get("data")
    if not isinstance(models, list):
        raise build_format_error()
    names = (_parse_name(_as_object(model).get("id")) for model in models[:_MOST_MODELS])
    return [name for name in names if name]


def read_balance(answer: object) -> Balance:
    """Parse the account's balance. Raises DeepSeekUnavailableError if it is missing."""
    balance = _as_object(answer)
    infos = balance.get("balance_infos")
    if not isinstance(infos, list):
        raise build_format_error()
    try:
        total = {
            shorten(str(info["currency"]), _LONGEST_NAME): _parse_money(info["total_balance"])
            for info in infos[:_MOST_MODELS]
        }
    except (KeyError, TypeError, InvalidOperation):
        raise build_format_error() from None
    return Balance(is_available=balance.get("is_available") is True, total=total)


def _parse_money(value: object) -> Decimal:
    amount = Decimal(shorten(str(value), _LONGEST_NAME))
    if not amount.is_finite() or abs(amount) > _MOST_MONEY:
        raise InvalidOperation
    return amount


def convert_error(error: openai.APIError, now: datetime, api_key: str) -> DeepSeekError:
    """Convert an exception of the openai package to an error whose message omits the key."""
    if isinstance(error, openai.APITimeoutError) and not _is_unconnected(error):
        return build_timeout_error()
    if not isinstance(error, openai.APIStatusError):
        return _build_connection_error(error)
    return build_refusal_error(read_status_error(error, now, api_key))


def _is_unconnected(error: openai.APITimeoutError) -> bool:
    return isinstance(error.__cause__, httpx2.ConnectTimeout)


def _build_connection_error(error: openai.APIError) -> DeepSeekError:
    cause = error.__cause__
    proxy_error = cause if isinstance(cause, httpx2.ProxyError) else None
    return DeepSeekUnavailableError(
        describe_missing_response(
            cause or error,
            proxy_error,
            server="DeepSeek",
            url=str(error.request.url),
            setting="DEEPSEEK_BASE_URL",
        )
    )


def build_format_error() -> DeepSeekUnavailableError:
    """Build the error for a success that is not the API's.

    Examples: HTML, an empty body, an error instead of an answer.
    """
    return DeepSeekUnavailableError(
        "DeepSeek прислал не ответ, а что-то постороннее: повторим позже; если повторяется,"
        " проверьте DEEPSEEK_BASE_URL."
    )


def build_unreadable_error(error: UnreadableBodyError) -> DeepSeekUnreadableError:
    """Build the error for a response that was not read to its end."""
    return DeepSeekUnreadableError(
        f"DeepSeek прислал ответ, который не прочесть ({error}); проверьте DEEPSEEK_BASE_URL.", 200
    )


def _as_object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _parse_name(value: object) -> str | None:
    """Return a name, truncated."""
    return (shorten(value.strip(), _LONGEST_NAME) or None) if isinstance(value, str) else None


def _parse_tokens(usage: Mapping[str, object], name: str) -> int | None:
    """Return a number of tokens; None if it is missing or invalid."""
    tokens = usage.get(name)
    if not isinstance(tokens, int) or isinstance(tokens, bool):
        return None
    return tokens if 0 <= tokens <= _MOST_TOKENS else None
