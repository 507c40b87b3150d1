"""Authentication with the ``X-API-Key`` header."""

import hmac
from functools import cache
from hashlib import pbkdf2_hmac
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader

from app.api.dependencies import find_failed_attempts, find_service
from app.errors import AppError

_header = APIKeyHeader(
    name="X-API-Key", auto_error=False, description="Ключ из настройки API_KEYS."
)

PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Vary": "X-API-Key"}
"""Headers of every response that requires a key, errors included."""


class UnauthorizedError(AppError):
    """The key is missing or unknown (HTTP 401)."""


class TooManyAttemptsError(AppError):
    """Too many requests from one address without a valid key (HTTP 429)."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@cache
def compute_key_id(key: str) -> str:
    """Return a short id of a key for the log.

    The key cannot be found from it: many keys have the same id, and the slow hash makes guesses
    expensive.
    """
    return pbkdf2_hmac("sha256", key.encode(), b"avito-quality key", 100_000).hex()[:8]


def check_key(request: Request, key: str | None) -> None:
    """Check that the key is one of ``API_KEYS``; the comparison takes constant time.

    A valid key is never throttled. Attempts are counted by the address of the client, which a proxy
    of FORWARDED_ALLOW_IPS reports. Behind another proxy all clients share the proxy's address.

    Raises:
        UnauthorizedError: the key is missing or unknown.
        TooManyAttemptsError: the address has sent too many requests without a valid key.
    """
    service = find_service(request)
    host = request.client.host if request.client else None
    given = (key or "").encode()
    keys = [secret.get_secret_value() for secret in service.settings.api_keys]
    known = [one for one in keys if hmac.compare_digest(given, one.encode())]
    if known:
        request.state.key_id = compute_key_id(known[0])
        return
    seconds = find_failed_attempts(request).add(host, service.clock())
    if seconds is not None:
        raise TooManyAttemptsError(
            f"Слишком много запросов без верного ключа: повторите через {seconds} с с ключом в"
            " X-API-Key.",
            seconds,
        )
    raise UnauthorizedError(
        "Неверный или отсутствующий API Key: передайте ключ в заголовке X-API-Key."
    )


async def require_key(request: Request, key: Annotated[str | None, Security(_header)]) -> None:
    """Reject a request without a valid key."""
    check_key(request, key)


RequireKey = Depends(require_key)
