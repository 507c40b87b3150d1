"""Map the refusals of DeepSeek and of other servers with its API to errors.

The servers differ in status and words for the same fact.
"""

import re
from collections.abc import Callable

from app.clients.deepseek.errors import (
    DeepSeekBalanceError,
    DeepSeekBlockedError,
    DeepSeekCredentialsError,
    DeepSeekError,
    DeepSeekForbiddenError,
    DeepSeekRateLimitedError,
    DeepSeekRequestError,
    DeepSeekSettingsError,
    DeepSeekTimeoutError,
    DeepSeekTooLongError,
    DeepSeekUnavailableError,
)
from app.clients.deepseek.refusals import Refusal

_NO_MONEY = re.compile(
    r"\binsufficient[ _](quota|balance|funds|credits?)\b|\bexceeded[ _](your[ _])?current[ _]quota"
    r"|\bbudget has been exceeded\b|\bbudget_exceeded\b|\bExceededBudget\b"
    r"|\bbalance is (insufficient|not enough)\b|\bpayment required\b",
    re.IGNORECASE,
)
_WRONG_KEY = re.compile(
    r"\bno connected db\b|\bno_db_connection\b|\b(incorrect|invalid|wrong|unknown) api[ _-]?key\b"
    r"|\bapi[ _-]?key (is )?(not valid|invalid|expired)\b",
    re.IGNORECASE,
)
_BLOCKED = re.compile(
    r"\bcontent exists risk\b|\bcontent_?filter\b|\bcontent_?policy_?violation|\bdata_inspection"
    r"|\binput was flagged\b",
    re.IGNORECASE,
)
_CONTEXT = re.compile(
    r"\bcontext[ _](length|size|window)\b|\bexceed_context_size_error\b", re.IGNORECASE
)
_TOO_LONG = re.compile(r"\btoo long\b", re.IGNORECASE)
_NO_SUCH_MODEL = re.compile(
    r"\bmodel_not_found\b|\b(key|team|user)_model_access_denied\b"
    r"|\bmodel\b.{0,120}\b(not exist|not found|you passed|decommissioned)\b"
    r"|\b(invalid|unknown|not a valid) model\b|\bfailed to parse model uri\b|\binvalid model_uri\b",
    re.IGNORECASE,
)
_NO_ACCESS = re.compile(
    r"\b(country|region|territory)\b|\bpermission[ _]denied\b|\baccess denied\b|\bforbidden\b"
    r"|\bnot enough permissions\b",
    re.IGNORECASE,
)
_BUSY = re.compile(r"\b(busy|overloaded|too many|maximum pending requests)\b", re.IGNORECASE)
_REFUSED = (
    r"\b(unrecognized|unknown|unsupported|unexpected|unavailable|not (supported|permitted|allowed|"
    r"available|implemented)|(does not|doesn't) support|(must|should) be|invalid (value|schema))"
)
_FORMAT_NAMES = r"(response[_ ]?format|json_schema|json_object|structured[ _]outputs?)"
_NO_SUCH_FORMAT = re.compile(
    rf"{_REFUSED}.{{0,80}}{_FORMAT_NAMES}|{_FORMAT_NAMES}.{{0,80}}{_REFUSED}"
    r"|\bfailed to parse grammar\b",
    re.IGNORECASE | re.DOTALL,
)
_PARAMETERS = ("thinking", "temperature")
_NO_SUCH_PARAMETER = {
    name: re.compile(
        rf"{_REFUSED}.{{0,80}}\b{name}\b|\b{name}\b.{{0,80}}{_REFUSED}", re.IGNORECASE | re.DOTALL
    )
    for name in _PARAMETERS
}


def build_refusal_error(refusal: Refusal) -> DeepSeekError:
    """Return the error of a refusal: of the account, of one request, or transient."""
    for matches, build in _KINDS:
        if matches(refusal):
            return build(refusal)
    return DeepSeekUnavailableError(
        f"DeepSeek временно не работает ({refusal.status}): повторим позже сами."
    )


def build_key_error() -> DeepSeekCredentialsError:
    """Build the error for a key that DeepSeek rejects or that a header cannot contain.

    It does not quote the server: some repeat parts of the key.
    """
    return DeepSeekCredentialsError(
        "DeepSeek не принял ключ: впишите в DEEPSEEK_API_KEY действующий с platform.deepseek.com →"
        " API keys."
    )


def build_timeout_error() -> DeepSeekTimeoutError:
    """Build the error for a timeout."""
    return DeepSeekTimeoutError(
        "DeepSeek не успел ответить: повторим позже; если так часто, увеличьте"
        " DEEPSEEK_TIMEOUT_SECONDS или уменьшите DEEPSEEK_MAX_CONCURRENCY."
    )


def build_blocked_error() -> DeepSeekBlockedError:
    """Build the error for a text that the content filter blocked."""
    return DeepSeekBlockedError(
        "Фильтр DeepSeek не пропустил текст чата: такой чат остаётся без оценки."
    )


def _build_balance_error(refusal: Refusal) -> DeepSeekBalanceError:
    return DeepSeekBalanceError(
        "На счету DeepSeek кончились деньги: пополните его на platform.deepseek.com → Top up."
        + ("" if refusal.status == 402 else _quote(refusal.excerpt))
    )


def _build_rate_error(refusal: Refusal) -> DeepSeekRateLimitedError:
    return DeepSeekRateLimitedError(
        f"DeepSeek просит слать запросы реже ({refusal.status}): уменьшите"
        " DEEPSEEK_MAX_CONCURRENCY.",
        refusal.retry_after,
    )


def _build_long_error(refusal: Refusal) -> DeepSeekTooLongError:
    hint = "если так с каждым чатом, впишите в DEEPSEEK_MODEL модель с большим контекстом"
    return DeepSeekTooLongError(
        f"Чат не уместился в контекст модели; {hint}. Ответ DeepSeek: {refusal.excerpt}",
        refusal.status,
    )


def _build_model_error(refusal: Refusal) -> DeepSeekSettingsError:
    return DeepSeekSettingsError(
        "DeepSeek не знает модели из DEEPSEEK_MODEL: впишите ту, что есть."
        f"{_quote(refusal.excerpt)}"
    )


def _build_format_refusal_error(refusal: Refusal) -> DeepSeekSettingsError:
    return DeepSeekSettingsError(
        "Сервер модели не принимает такой формат ответа: поставьте другой"
        f" DEEPSEEK_RESPONSE_FORMAT (json_schema, json_object или none).{_quote(refusal.excerpt)}"
    )


def _build_parameter_error(refusal: Refusal) -> DeepSeekSettingsError:
    names = ", ".join(_list_refused_parameters(refusal))
    return DeepSeekSettingsError(
        f"Сервер модели не знает параметра {names}: впишите его в DEEPSEEK_OMIT."
        f"{_quote(refusal.excerpt)}"
    )


def _build_access_error(refusal: Refusal) -> DeepSeekForbiddenError:
    gateway = f", отвечает {refusal.gateway}" if refusal.gateway else ""
    return DeepSeekForbiddenError(
        f"Доступ к DeepSeek закрыт ({refusal.status}{gateway}): проверьте шлюз и прокси на пути к"
        f" нему, права ключа и пускает ли он из вашей страны.{_quote(refusal.excerpt)}"
    )


def _build_address_error(refusal: Refusal) -> DeepSeekSettingsError:
    return DeepSeekSettingsError(
        f"DeepSeek такого не знает ({refusal.status}): проверьте DEEPSEEK_BASE_URL (у многих"
        f" серверов он кончается на /v1) и DEEPSEEK_MODEL.{_quote(refusal.excerpt)}"
    )


def _build_request_error(refusal: Refusal) -> DeepSeekRequestError:
    hint = "если так с каждым чатом, проверьте DEEPSEEK_MODEL и DEEPSEEK_OMIT"
    return DeepSeekRequestError(
        f"DeepSeek не принял запрос ({refusal.status}); {hint}.{_quote(refusal.excerpt)}",
        refusal.status,
    )


def _quote(excerpt: str) -> str:
    return f" Его ответ: {excerpt}" if excerpt else ""


def _list_refused_parameters(refusal: Refusal) -> list[str]:
    return [name for name in _PARAMETERS if _NO_SUCH_PARAMETER[name].search(refusal.words)]


def _is_forbidden(refusal: Refusal) -> bool:
    if refusal.status in (407, 451):
        return True
    return refusal.status == 403 and bool(refusal.gateway or _NO_ACCESS.search(refusal.words))


_KINDS: tuple[tuple[Callable[[Refusal], object], Callable[[Refusal], DeepSeekError]], ...] = (
    (
        lambda it: it.status == 402 or (it.is_final and _NO_MONEY.search(it.words)),
        _build_balance_error,
    ),
    (lambda it: it.status == 429, _build_rate_error),
    (lambda it: it.status in (408, 504, 524), lambda _: build_timeout_error()),
    (lambda it: it.is_final and _NO_SUCH_MODEL.search(it.words), _build_model_error),
    (
        lambda it: it.status == 401 or (it.is_final and _WRONG_KEY.search(it.words)),
        lambda _: build_key_error(),
    ),
    (lambda it: it.is_final and _BLOCKED.search(it.words), lambda _: build_blocked_error()),
    (lambda it: it.status == 413 or _CONTEXT.search(it.words), _build_long_error),
    (lambda it: it.is_final and _TOO_LONG.search(it.words), _build_long_error),
    (lambda it: it.status in (503, 529) and _BUSY.search(it.words), _build_rate_error),
    (lambda it: it.is_final and _NO_SUCH_FORMAT.search(it.words), _build_format_refusal_error),
    (lambda it: it.is_final and _list_refused_parameters(it), _build_parameter_error),
    (_is_forbidden, _build_access_error),
    (lambda it: it.status in (404, 405), _build_address_error),
    (lambda it: it.is_final, _build_request_error),
)
"""The first kind that matches is taken. The more certain ones come first."""
