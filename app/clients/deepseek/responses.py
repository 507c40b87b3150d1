"""Parse DeepSeek's responses into types or errors.

The JSON is read directly, not through the openai package's types. The package does not validate a
200. Deeply nested JSON and numbers with thousands of digits make it raise errors of Python's own.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation

import openai

from app.clients.bounded_body import OUT_OF_FILES, UnreadableBodyError, is_out_of_files
from app.clients.deepseek.errors import (
    DeepSeekBalanceError,
    DeepSeekBlockedError,
    DeepSeekCredentialsError,
    DeepSeekError,
    DeepSeekRateLimitedError,
    DeepSeekRequestError,
    DeepSeekSettingsError,
    DeepSeekTimeoutError,
    DeepSeekTooLongError,
    DeepSeekUnavailableError,
    DeepSeekUnreadableError,
)
from app.clients.deepseek.schema import Balance, Bill, Completion, Usage
from app.clients.retry import parse_retry_after
from app.clients.text import build_excerpt, shorten

_LONGEST_EXCERPT = 300
_LONGEST_COMPLAINT = 2_000  # searched for the cause
_LONGEST_NAME = 100
_MOST_MODELS = 1_000
_MOST_TOKENS = 10_000_000
"""Several times the largest context. A larger number is invalid."""
_MOST_MONEY = Decimal(10) ** 12
# Error texts of DeepSeek ("Model Not Exist", "The supported API model names are …, but you passed
# …"), vLLM, Ollama and LiteLLM.
_NO_SUCH_MODEL = re.compile(
    r"\bmodel\b.{0,120}\b(not exist|not found|you passed|decommissioned)\b|\b(invalid|unknown|not a"
    r" valid) model\b",
    re.IGNORECASE,
)
_TOO_LONG = re.compile(r"\bcontext (length|size|window)\b|\btoo long\b", re.IGNORECASE)


def parse_usage(answer: object) -> Usage:
    """Return the billed tokens of an answer, however it ended."""
    usage = _as_object(_as_object(answer).get("usage"))
    hit = _parse_tokens(usage, "prompt_cache_hit_tokens")
    # If the response does not split the prompt, assume that nothing came from the cache.
    miss = _parse_tokens(usage, "prompt_cache_miss_tokens") or max(
        0, _parse_tokens(usage, "prompt_tokens") - hit
    )
    return Usage(hit, miss, _parse_tokens(usage, "completion_tokens"))


def read_completion(answer: object, requested_model: str, bill: Bill) -> Completion:
    """Parse the completion in an answer. Its usage and attempts are those of the ``bill`` so far.

    Raises:
        DeepSeekUnavailableError: it is not a completion, or an incomplete one.
        DeepSeekBlockedError: the provider's content filter stopped it.
    """
    completion = _as_object(answer)
    choices = completion.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise build_format_error()
    reason = choices[0].get("finish_reason")
    content = _as_object(choices[0].get("message")).get("content")
    if reason == "content_filter":
        raise build_blocked_error()
    if reason not in ("stop", "length"):
        raise DeepSeekUnavailableError(
            f"DeepSeek оборвал ответ ({build_excerpt(str(reason), 40)}): повторим позже сами."
        )
    return Completion(
        text=content if isinstance(content, str) else "",
        model=_parse_name(completion.get("model")) or requested_model,
        fingerprint=_parse_name(completion.get("system_fingerprint")),
        finish_reason=reason,
        usage=bill.usage,
        attempts=bill.attempts,
    )


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
    if isinstance(error, openai.APITimeoutError):
        return build_timeout_error()
    if not isinstance(error, openai.APIStatusError):
        return _build_connection_error(error)
    if error.status_code == 429:
        message = "DeepSeek просит слать запросы реже (429): уменьшите DEEPSEEK_MAX_CONCURRENCY."
        return DeepSeekRateLimitedError(message, parse_retry_after(error.response.headers, now))
    if 400 <= error.status_code < 500:
        return _build_refusal(
            error, build_excerpt(_get_error_text(error), _LONGEST_EXCERPT, api_key)
        )
    return DeepSeekUnavailableError(
        f"DeepSeek временно не работает ({error.status_code}): повторим позже сами."
    )


def _build_connection_error(error: openai.APIError) -> DeepSeekError:
    if is_out_of_files(error):
        return DeepSeekUnavailableError(OUT_OF_FILES)
    hint = "если так больше часа, проверьте DEEPSEEK_BASE_URL и доступ сервера в интернет"
    return DeepSeekUnavailableError(
        f"DeepSeek не отвечает ({type(error).__name__}): повторим позже сами; {hint}."
    )


def _build_refusal(error: openai.APIStatusError, error_text: str) -> DeepSeekError:
    status = error.status_code
    if status == 401:
        return build_key_error()
    if status == 402:
        return DeepSeekBalanceError(
            "На счету DeepSeek кончились деньги: пополните его на platform.deepseek.com → Top up."
        )
    if status == 400 and "content exists risk" in error_text.lower():
        return build_blocked_error()
    return _build_request_error(error, error_text)


def _build_request_error(error: openai.APIStatusError, error_text: str) -> DeepSeekError:
    status = error.status_code
    if status == 413 or error.code == "context_length_exceeded" or _TOO_LONG.search(error_text):
        hint = "если так с каждым чатом, впишите в DEEPSEEK_MODEL модель с большим контекстом"
        return DeepSeekTooLongError(
            f"Чат не уместился в контекст модели; {hint}. Ответ DeepSeek: {error_text}", status
        )
    if error.code == "model_not_found" or _NO_SUCH_MODEL.search(_get_message(error) or ""):
        return DeepSeekSettingsError(
            "DeepSeek не знает модели из DEEPSEEK_MODEL: впишите ту, что есть."
            f" Его ответ: {error_text}"
        )
    if status in (404, 405):
        return DeepSeekSettingsError(
            f"DeepSeek такого не знает ({status}): проверьте DEEPSEEK_BASE_URL и DEEPSEEK_MODEL."
            f" Его ответ: {error_text}"
        )
    hint = "если так с каждым чатом, проверьте DEEPSEEK_MODEL и DEEPSEEK_OMIT"
    return DeepSeekRequestError(
        f"DeepSeek не принял запрос ({status}); {hint}. Его ответ: {error_text}", status
    )


def _get_error_text(error: openai.APIStatusError) -> str:
    return _get_message(error) or error.response.text[:_LONGEST_COMPLAINT]


def _get_message(error: openai.APIStatusError) -> str | None:
    """Return the server's error text only.

    Some DeepSeek-compatible servers add the whole request, chat included, in other fields.
    """
    message = error.body.get("message") if isinstance(error.body, dict) else error.body
    return message[:_LONGEST_COMPLAINT] if isinstance(message, str) else None


def build_key_error() -> DeepSeekCredentialsError:
    """Build the error for a key that DeepSeek rejects or that a header cannot contain."""
    return DeepSeekCredentialsError(
        "DeepSeek не принял ключ: впишите в DEEPSEEK_API_KEY действующий с platform.deepseek.com →"
        " API keys."
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


def build_timeout_error() -> DeepSeekTimeoutError:
    """Build the error for a timeout."""
    return DeepSeekTimeoutError(
        "DeepSeek не успел ответить: повторим позже; если так часто, увеличьте"
        " DEEPSEEK_TIMEOUT_SECONDS."
    )


def build_blocked_error() -> DeepSeekBlockedError:
    """Build the error for a text that the content filter blocked."""
    return DeepSeekBlockedError(
        "Фильтр DeepSeek не пропустил текст чата: такой чат остаётся без оценки."
    )


def _as_object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _parse_name(value: object) -> str | None:
    """Return a name, truncated."""
    return (shorten(value.strip(), _LONGEST_NAME) or None) if isinstance(value, str) else None


def _parse_tokens(usage: Mapping[str, object], name: str) -> int:
    tokens = usage.get(name)
    return (
        tokens
        if isinstance(tokens, int) and not isinstance(tokens, bool) and 0 < tokens <= _MOST_TOKENS
        else 0
    )
