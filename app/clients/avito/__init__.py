"""Avito: API client, types and errors."""

from app.clients.avito.client import AvitoClient
from app.clients.avito.errors import (
    AvitoChatGoneError,
    AvitoCredentialsError,
    AvitoPermissionError,
    AvitoPlanMissingError,
    AvitoRateLimitedError,
    AvitoRequestError,
    AvitoUnavailableError,
    AvitoUnreadableError,
)
from app.clients.avito.http import create_avito_http, fetch_date_header
from app.clients.avito.parsing import parse_chat, parse_hint, parse_message
from app.clients.avito.schema import (
    AvitoChat,
    AvitoHint,
    AvitoItem,
    AvitoMessage,
    AvitoSelf,
    ChatPage,
    ItemPage,
    MessagePage,
    describe,
)
from app.clients.avito.token import AvitoCredentials

__all__ = [
    "AvitoChat",
    "AvitoChatGoneError",
    "AvitoClient",
    "AvitoCredentials",
    "AvitoCredentialsError",
    "AvitoHint",
    "AvitoItem",
    "AvitoMessage",
    "AvitoPermissionError",
    "AvitoPlanMissingError",
    "AvitoRateLimitedError",
    "AvitoRequestError",
    "AvitoSelf",
    "AvitoUnavailableError",
    "AvitoUnreadableError",
    "ChatPage",
    "ItemPage",
    "MessagePage",
    "create_avito_http",
    "describe",
    "fetch_date_header",
    "parse_chat",
    "parse_hint",
    "parse_message",
]
