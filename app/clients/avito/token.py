"""Access token of one Avito account: fetched on demand, cached, and renewed once for all tasks."""

import asyncio
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx
import structlog

from app.clients.avito.errors import AvitoCredentialsError
from app.clients.avito.http import send
from app.clients.avito.responses import AvitoResponse
from app.clock import Clock

_MARGIN = timedelta(minutes=5)
_LIFETIME_SECONDS = 86_400  # as documented by Avito
_NOT_FOUND = 404
_OTHER_SERVER = "; похоже, по адресу AVITO_BASE_URL отвечает не Авито"
_TOKEN = re.compile("[!-~]{1,8000}")  # characters allowed in a header

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AvitoCredentials:
    """API keys of one account, issued in its cabinet. The secret is excluded from ``repr``."""

    client_id: str
    client_secret: str = field(repr=False)


class AccessToken:
    """Token of one account. Concurrent callers share one renewal."""

    def __init__(
        self, http: httpx.AsyncClient, credentials: AvitoCredentials, clock: Clock
    ) -> None:
        self._http = http
        self._credentials = credentials
        self._clock = clock
        self._lock = asyncio.Lock()
        self._value = ""
        self._expires_at: datetime | None = None

    async def current(self) -> str:
        """Return the token; fetch a new one if it is missing or about to expire.

        Raises:
            AvitoCredentialsError: Avito issues no token for these keys.
            AvitoUnavailableError, AvitoRateLimitedError: currently no token can be fetched.
        """
        if self._is_fresh():
            return self._value
        return await self.renew(self._value)

    async def renew(self, refused: str) -> str:
        """Return a token other than the ``refused`` one.

        If another task has renewed it meanwhile, return that one. Raises the same errors as
        ``current``.
        """
        async with self._lock:
            if self._value == refused or not self._is_fresh():
                await self._fetch()
            return self._value

    def _is_fresh(self) -> bool:
        return self._expires_at is not None and self._clock() < self._expires_at

    async def _fetch(self) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
        }
        answer = AvitoResponse.read(
            await send(self._http, self._http.build_request("POST", "/token", data=form))
        )
        outage = answer.find_outage(self._clock(), self._credentials.client_secret)
        if outage:
            raise outage
        # Invalid keys are also answered with 200, so only a token counts as success. Then ``error``
        # is a string; if it is an object, Avito itself has failed.
        body = answer.body if isinstance(answer.body, dict) else {}
        if answer.status == 200 and isinstance(body.get("error"), dict):
            answer.content(self._clock(), self._credentials.client_secret)
        token, lifetime = body.get("access_token"), body.get("expires_in")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            reason = answer.get_error_text(self._credentials.client_secret)
            raise AvitoCredentialsError(
                f"Авито не принял ключи ({reason}): проверьте AVITO_CLIENT_ID и AVITO_CLIENT_SECRET"
                " (или AVITO_ACCOUNTS), их выдаёт кабинет Авито: «Для профессионалов» →"
                f" «Интеграции»{_OTHER_SERVER if answer.status == _NOT_FOUND else ''}."
            )
        seconds = (
            min(lifetime, _LIFETIME_SECONDS)
            if isinstance(lifetime, int | float) and lifetime > 0
            else _LIFETIME_SECONDS
        )
        # Keep a short-lived token for half its lifetime; the full margin would expire it at once.
        self._expires_at = self._clock() + max(
            timedelta(seconds=seconds) - _MARGIN, timedelta(seconds=seconds / 2)
        )
        self._value = token
        log.info("avito.token.renewed")
