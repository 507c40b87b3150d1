"""Read an HTTP response of Avito: its content or the matching error.

The status alone is not sufficient. Invalid keys come with 200, an expired token with 401, 403 or
200, and HTML of a gateway with any status.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import httpx

from app.clients.avito.errors import (
    AvitoCredentialsError,
    AvitoPermissionError,
    AvitoPlanMissingError,
    AvitoRateLimitedError,
    AvitoRequestError,
    AvitoUnavailableError,
)
from app.clients.retry import parse_retry_after
from app.clients.text import build_excerpt, read_json
from app.errors import UpstreamError

_TOKEN_FAULT = re.compile(
    r"token\b.*\b(expired|invalid)|\b(expired|invalid)\b.*\btoken", re.IGNORECASE | re.DOTALL
)
_LONGEST_EXCERPT = 200

_NO_RIGHT = (
    "Авито не даёт этим ключам читать чаты (403): нужны ключи самой компании, а не сотрудника;"
    " выпустите их в кабинете компании («Для профессионалов» → «Интеграции») и впишите в"
    " AVITO_CLIENT_ID и AVITO_CLIENT_SECRET (или AVITO_ACCOUNTS)."
)
_REJECTED_AGAIN = (
    "Авито не принимает токен, который сам только что выдал: проверьте в кабинете («Для"
    " профессионалов» → «Интеграции»), не отозваны ли ключи из AVITO_CLIENT_ID и"
    " AVITO_CLIENT_SECRET (или AVITO_ACCOUNTS)."
)
_NO_PLAN = (
    "Авито не отдаёт сообщения, пока не оплачен тариф с API мессенджера («Максимальный»; в Услугах"
    " подходит и «Расширенный»): подключите его в кабинете Авито, раздел «Тарифы»."
)


@dataclass(frozen=True, slots=True)
class AvitoResponse:
    """One response. If ``is_json``, ``body`` is the parsed JSON without control characters."""

    status: int
    headers: httpx.Headers
    text: str
    body: Any
    is_json: bool

    @classmethod
    def read(cls, response: httpx.Response) -> Self:
        """Parse a response; never fails."""
        text = response.content.decode("utf-8-sig", "replace")
        try:
            body, is_json = read_json(text), True
        except (ValueError, RecursionError):
            body, is_json = None, False
        return cls(response.status_code, response.headers, text, body, is_json)

    @property
    def rejects_token(self) -> bool:
        """Return whether the response rejects the access token."""
        if self.status == 401:
            return not self._is_from_gateway()
        return bool(
            _TOKEN_FAULT.search(
                self._find_error_text() if self.status == 403 else self._get_failed_result()
            )
        )

    @property
    def is_forbidden(self) -> bool:
        """Return whether this is a 403 that does not mention the token.

        The cause is an expired token or a missing right.
        """
        return self.status == 403 and not self.rejects_token and not self._is_from_gateway()

    def find_outage(self, now: datetime, *secrets: str) -> UpstreamError | None:
        """Return an error if the response reports a state of Avito, not a fault of the request.

        Such states are too many requests, a failure or a gateway.
        """
        if self.status == 429:
            message = (
                "Авито просит слать запросы реже (429): уменьшите AVITO_REQUESTS_PER_MINUTE или"
                " AVITO_MAX_CONCURRENCY."
            )
            return AvitoRateLimitedError(message, parse_retry_after(self.headers, now))
        if self._is_from_gateway():
            hint = (
                "если повторяется, проверьте AVITO_BASE_URL и не закрыт ли вашему серверу доступ к"
                " Авито"
            )
            return AvitoUnavailableError(
                f"Авито прислал не JSON, а посторонний ответ ({self.status}); {hint}."
            )
        if not 200 <= self.status < 300 and not 400 <= self.status < 500:
            return self._build_unavailable_error(secrets)
        return None

    def content(self, now: datetime, *secrets: str) -> Any:
        """Return the JSON of a successful response.

        Raises:
            UpstreamError: one of Avito's errors. Its message contains none of the ``secrets``.
        """
        error = self.find_outage(now, *secrets) or self._find_refusal(secrets)
        if error:
            raise error
        return self.body

    def get_error_text(self, *secrets: str) -> str:
        """Return Avito's own error text, shortened for a message."""
        # The raw text of a successful response may contain chats.
        raw = self.text if self.status >= 400 else ""
        return (
            build_excerpt(self._find_error_text() or raw, _LONGEST_EXCERPT, *secrets)
            or "без пояснений"
        )

    def _find_refusal(self, secrets: tuple[str, ...]) -> UpstreamError | None:
        match self.status:
            case 403:
                return AvitoPermissionError(_NO_RIGHT)
            case _ if self.rejects_token:
                return AvitoCredentialsError(_REJECTED_AGAIN)
            case 402:
                return AvitoPlanMissingError(_NO_PLAN)
            case status if status >= 400:
                return AvitoRequestError(
                    f"Авито не принял запрос ({status}): {self.get_error_text(*secrets)}", status
                )
        return self._build_unavailable_error(secrets) if self._reports_failure() else None

    def _build_unavailable_error(self, secrets: tuple[str, ...]) -> AvitoUnavailableError:
        return AvitoUnavailableError(
            f"Авито временно не работает ({self.status}): {self.get_error_text(*secrets)}. Повторим"
            " позже сами."
        )

    def _is_from_gateway(self) -> bool:
        # An empty 4xx may come from the API itself; an empty success cannot.
        return not self.is_json and (bool(self.text.strip()) or self.status < 400)

    def _reports_failure(self) -> bool:
        return isinstance(self.body, dict) and bool(
            self.body.get("error") or self._get_failed_result()
        )

    def _get_failed_result(self) -> str:
        result = self.body.get("result") if isinstance(self.body, dict) else None
        if not isinstance(result, dict) or result.get("status") is not False:
            return ""
        return str(result.get("message") or "failed")

    def _find_error_text(self) -> str:
        """Return the error text; the order gives precedence among Avito's response formats."""
        body = self.body if isinstance(self.body, dict) else {}
        error, result, errors = body.get("error"), body.get("result"), body.get("errors")
        texts = [
            _get_message(error),
            "; ".join(filter(None, map(_get_text, errors))) if isinstance(errors, list) else None,
            body.get("message"),
            _get_message(result),
            body.get("error_description"),
            error,
        ]
        return next((text for text in texts if isinstance(text, str) and text), "")


def _get_message(value: object) -> object:
    return value.get("message") if isinstance(value, dict) else None


def _get_text(error: object) -> str:
    text = error if isinstance(error, str) else _get_message(error)
    return text if isinstance(text, str) else ""
