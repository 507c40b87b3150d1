"""Who may call: the ``X-API-Key`` header."""

import hmac
from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import APIKeyHeader

from app.api.dependencies import BackendDep
from app.errors import AppError

_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="Ключ из настройки API_KEYS.")


class UnauthorizedError(AppError):
    """No key, or one that we do not know (HTTP 401)."""


def require_key(backend: BackendDep, key: Annotated[str | None, Security(_header)]) -> None:
    """Lets a caller in whose key is one of ``API_KEYS``; takes the same time whichever it is."""
    given = (key or "").encode()
    known = [hmac.compare_digest(given, secret.get_secret_value().encode()) for secret in backend.settings.api_keys]
    if not any(known):
        raise UnauthorizedError("Неверный или отсутствующий API Key: передайте ключ в заголовке X-API-Key.")


RequireKey = Depends(require_key)
