"""State behind the routes of the local Avito, and the dependencies by which routes get it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_urlsafe
from time import monotonic
from typing import Annotated, Any

from fastapi import Depends, Request

from app.sandbox.avito_payloads import TOKEN_EXPIRED
from app.sandbox.avito_state import AvitoAccount
from app.sandbox.avito_switches import AvitoSwitches, error_body

BACKEND_KEY = "sandbox.avito"
"""Key of the backend in the scope of a request."""
LISTING_REQUESTS_PER_MINUTE = 25


class AvitoRefusedError(Exception):
    """The request gets this status and body as an error response."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


@dataclass
class AvitoBackend:
    """State behind the routes; a change is visible in the next response.

    Several tokens of one account are valid at the same time.
    """

    accounts: list[AvitoAccount]
    switches: AvitoSwitches
    listing_requests: dict[int, list[float]] = field(default_factory=dict)
    """Times of the requests for listings in the last minute, by account; monotonic seconds."""
    tokens: dict[str, tuple[AvitoAccount, float]] = field(default_factory=dict)
    """Account of each access token, and its expiry in Unix seconds."""

    def issue_token(self, account: AvitoAccount) -> dict[str, Any]:
        """Issue an access token and return the response body."""
        token, seconds = token_urlsafe(16), self.switches.token_seconds
        self.tokens[token] = (account, datetime.now(UTC).timestamp() + seconds)
        return {"access_token": token, "expires_in": seconds, "token_type": "Bearer"}

    def require_account(self, authorization: str | None) -> AvitoAccount:
        """Return the account of a bearer token.

        Raises AvitoRefusedError: 401 without a token. For an unknown or expired one it has the
        status of the switch `expired_status`.
        """
        scheme, _, token = (authorization or "").partition(" ")
        account, ends = self.tokens.get(token, (None, 0.0))
        if scheme.lower() != "bearer":
            raise AvitoRefusedError(401, TOKEN_EXPIRED)
        if account is None or ends <= datetime.now(UTC).timestamp():
            raise AvitoRefusedError(self.switches.expired_status, TOKEN_EXPIRED)
        return account

    def admit_listing_request(self, account: AvitoAccount) -> None:
        """Count a request for listings.

        Raises AvitoRefusedError: 429 for more than 25 in a minute, Avito's documented limit.
        """
        now = monotonic()
        recent = [at for at in self.listing_requests.get(account.user_id, []) if at > now - 60]
        if len(recent) >= LISTING_REQUESTS_PER_MINUTE:
            raise AvitoRefusedError(429, {"code": "429", "message": "Too many requests"})
        self.listing_requests[account.user_id] = [*recent, now]


async def _get_backend(request: Request) -> AvitoBackend:
    backend: AvitoBackend = request.scope[BACKEND_KEY]
    return backend


Backend = Annotated[AvitoBackend, Depends(_get_backend)]


async def _get_switches(backend: Backend) -> AvitoSwitches:
    return backend.switches


Switches = Annotated[AvitoSwitches, Depends(_get_switches)]


async def _get_key_owner(request: Request, backend: Backend) -> AvitoAccount:
    return backend.require_account(request.headers.get("authorization"))


KeyOwner = Annotated[AvitoAccount, Depends(_get_key_owner)]


async def _require_messenger_owner(user_id: int, account: KeyOwner) -> AvitoAccount:
    if user_id != account.user_id:
        raise AvitoRefusedError(403, error_body(403, "Forbidden"))
    return account


MessengerOwner = Annotated[AvitoAccount, Depends(_require_messenger_owner)]


def call_after_page(switches: AvitoSwitches, request: Request, offset: int) -> None:
    """Call the hook of the tests, if there is one, after a page is built."""
    if switches.after_page:
        switches.after_page(request.url.path, offset)
