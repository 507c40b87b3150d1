"""Reads what the openai package makes of DeepSeek's answers: our types, or which of our errors a failure is.

The package checks nothing of a 200: HTML comes back as a ``str``, an error as a completion whose ``choices`` is None, an empty body
as a bare ``json.JSONDecodeError``.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

import openai
from openai.types.chat import ChatCompletion
from openai.types.chat.chat_completion import Choice

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
)
from app.clients.deepseek.schema import Balance, Usage
from app.clients.retry import wait_asked_for
from app.clients.text import excerpt

_LONGEST_EXCERPT = 300
# DeepSeek's own words ("Model Not Exist", "The supported API model names are …, but you passed …"), vLLM's, Ollama's, LiteLLM's.
_NO_SUCH_MODEL = re.compile(
    r"\bmodel\b.{0,120}\b(not exist|not found|you passed|decommissioned)\b|\b(invalid|unknown|not a valid) model\b", re.IGNORECASE
)
_TOO_LONG = re.compile(r"\bcontext (length|size|window)\b|\btoo long\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reply:
    """The part of a completion that counts; ``finish_reason`` is ``stop`` (finished) or ``length`` (out of tokens)."""

    text: str
    model: str | None
    fingerprint: str | None
    finish_reason: str


def billed(answer: object) -> Usage:
    """The tokens that an answer, however it ended, is billed for."""
    usage = getattr(answer, "usage", None)
    hit = _tokens(usage, "prompt_cache_hit_tokens")
    # An answer that does not split the prompt is priced as if nothing came from the cache.
    miss = _tokens(usage, "prompt_cache_miss_tokens") or max(0, _tokens(usage, "prompt_tokens") - hit)
    return Usage(hit, miss, _tokens(usage, "completion_tokens"))


def read_reply(answer: object) -> Reply:
    """The reply in an answer to a chat completion.

    Raises:
        DeepSeekUnavailableError: it is no completion, or one that was broken off.
        DeepSeekBlockedError: the provider's filter stopped it.
    """
    choices = answer.choices if isinstance(answer, ChatCompletion) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(answer, ChatCompletion) or not isinstance(choice, Choice):
        raise unintelligible()
    reason = str(choice.finish_reason)
    if reason == "content_filter":
        raise blocked()
    if reason not in ("stop", "length"):
        raise DeepSeekUnavailableError(f"DeepSeek оборвал ответ ({excerpt(reason, 40)}): повторим позже сами.")
    content = getattr(choice.message, "content", None)
    return Reply(
        text=content if isinstance(content, str) else "",
        model=answer.model if isinstance(answer.model, str) else None,
        fingerprint=answer.system_fingerprint if isinstance(answer.system_fingerprint, str) else None,
        finish_reason=reason,
    )


def read_models(answer: object) -> list[str]:
    """The names of the models. Raises DeepSeekUnavailableError where they are not in the answer."""
    models = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(models, list):
        raise unintelligible()
    return [model["id"] for model in models if isinstance(model, dict) and isinstance(model.get("id"), str)]


def read_balance(answer: object) -> Balance:
    """The account's balance. Raises DeepSeekUnavailableError where it is not in the answer."""
    if not isinstance(answer, dict) or not isinstance(answer.get("balance_infos"), list):
        raise unintelligible()
    try:
        total = {str(info["currency"]): Decimal(str(info["total_balance"])) for info in answer["balance_infos"]}
    except (KeyError, TypeError, InvalidOperation):
        raise unintelligible() from None
    return Balance(is_available=answer.get("is_available") is True, total=total)


def failure(error: openai.APIError, now: datetime, api_key: str) -> DeepSeekError:
    """Which of our errors an exception of the openai package is; the message does not hold the key."""
    if isinstance(error, openai.APITimeoutError):
        return timed_out()
    if not isinstance(error, openai.APIStatusError):
        hint = "если так больше часа, проверьте DEEPSEEK_BASE_URL и доступ сервера в интернет"
        return DeepSeekUnavailableError(f"DeepSeek не отвечает ({type(error).__name__}): повторим позже сами; {hint}.")
    if error.status_code == 429:
        message = "DeepSeek просит слать запросы реже (429): уменьшите DEEPSEEK_MAX_CONCURRENCY."
        return DeepSeekRateLimitedError(message, wait_asked_for(error.response.headers, now))
    if 400 <= error.status_code < 500:
        return _refusal(error, excerpt(_said(error), _LONGEST_EXCERPT, api_key))
    return DeepSeekUnavailableError(f"DeepSeek временно не работает ({error.status_code}): повторим позже сами.")


def _refusal(error: openai.APIStatusError, said: str) -> DeepSeekError:
    status = error.status_code
    if status == 401:
        return wrong_key()
    if status == 402:
        return DeepSeekBalanceError("На счету DeepSeek кончились деньги: пополните его на platform.deepseek.com → Top up.")
    if status == 400 and "content exists risk" in said.lower():
        return blocked()
    return _wrong_request(error, said)


def _wrong_request(error: openai.APIStatusError, said: str) -> DeepSeekError:
    status = error.status_code
    if status == 413 or error.code == "context_length_exceeded" or _TOO_LONG.search(said):
        hint = "если так с каждым чатом, впишите в DEEPSEEK_MODEL модель с большим контекстом"
        return DeepSeekTooLongError(f"Чат не уместился в контекст модели; {hint}. Ответ DeepSeek: {said}", status)
    if error.code == "model_not_found" or _NO_SUCH_MODEL.search(_message(error) or ""):
        return DeepSeekSettingsError(f"DeepSeek не знает модели из DEEPSEEK_MODEL: впишите ту, что есть. Его ответ: {said}")
    if status in (404, 405):
        return DeepSeekSettingsError(
            f"DeepSeek такого не знает ({status}): проверьте DEEPSEEK_BASE_URL и DEEPSEEK_MODEL. Его ответ: {said}"
        )
    hint = "если так с каждым чатом, проверьте DEEPSEEK_MODEL и DEEPSEEK_OMIT"
    return DeepSeekRequestError(f"DeepSeek не принял запрос ({status}); {hint}. Его ответ: {said}", status)


def _said(error: openai.APIStatusError) -> str:
    return _message(error) or error.response.text


def _message(error: openai.APIStatusError) -> str | None:
    """The server's own words, without what some servers in DeepSeek's place repeat beside them: the whole request, chat included."""
    message = error.body.get("message") if isinstance(error.body, dict) else error.body
    return message if isinstance(message, str) else None


def wrong_key() -> DeepSeekCredentialsError:
    """The error for a key that DeepSeek does not take, or that could not be sent at all."""
    return DeepSeekCredentialsError("DeepSeek не принял ключ: впишите в DEEPSEEK_API_KEY действующий с platform.deepseek.com → API keys.")


def unintelligible() -> DeepSeekUnavailableError:
    """The error for a success that is not the API's: HTML, an empty body, an error in place of an answer."""
    return DeepSeekUnavailableError(
        "DeepSeek прислал не ответ, а что-то постороннее: повторим позже; если повторяется, проверьте DEEPSEEK_BASE_URL."
    )


def timed_out() -> DeepSeekTimeoutError:
    """The error for an answer that is late."""
    return DeepSeekTimeoutError("DeepSeek не успел ответить: повторим позже; если так часто, увеличьте DEEPSEEK_TIMEOUT_SECONDS.")


def blocked() -> DeepSeekBlockedError:
    """The error for a text that the provider's filter stopped."""
    return DeepSeekBlockedError("Фильтр DeepSeek не пропустил текст чата: такой чат остаётся без оценки.")


def _tokens(usage: object, name: str) -> int:
    tokens = getattr(usage, name, None)
    return tokens if isinstance(tokens, int) and tokens > 0 else 0
