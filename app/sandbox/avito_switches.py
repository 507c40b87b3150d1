"""Switches and error responses of the local Avito, for `switches.fail(…)`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from app.sandbox.faults import CannedResponse, Cut, HttpSwitches


@dataclass
class AvitoSwitches(HttpSwitches):
    """Behaviour in which the real Avito varies. All switches may be set while it runs."""

    expired_status: Literal[200, 401, 403] = 403
    """Status of the body "access token expired".

    It is 403 in the documents and 401 in practice; 200 was also observed.
    """

    token_seconds: int = 86400
    """`expires_in` of the tokens issued from now on."""

    page_cap: int | None = None
    """Maximum size of a page of chats or messages, for any `limit`."""

    has_more: bool = True
    """Whether pages have `meta.has_more`; the document has no `meta`."""

    messages_as: Literal["object", "array"] = "object"
    """Format of messages: `{"messages": […]}`, as observed, or the bare array of the document."""

    read_flag: Literal["isRead", "is_read"] = "isRead"
    """Name of a message's read flag; both have been observed."""

    drop_chat_keys: set[str] = field(default_factory=set)
    """Keys omitted from chats: context, users, last_message, updated, created.

    A missing value is a missing key.
    """

    drop_context_keys: set[str] = field(default_factory=set)
    """Keys omitted from the listing in a chat's context: user_id, title, url, and others."""

    drop_message_keys: set[str] = field(default_factory=set)
    """Keys omitted from messages; any key but `id` may be missing."""

    empty_titles: bool = False
    """Whether the titles of listings are empty."""

    nameless_users: bool = False
    """Whether users have no name."""

    u2u_context: Literal["absent", "empty"] = "absent"
    """The `context` of a chat without a listing: absent, or an empty object."""

    plan_missing: Literal["nested", "flat"] | None = None
    """The paid plan is off.

    Messages get a 402 with that body format, and `last_message` contains the placeholder text.
    """

    system_author_id: int = 0
    """Author of system messages over REST. In webhooks it is always 1."""

    system_as_text: bool = False
    """System messages have `type: text`; only the author and the prefix identify them."""

    deleted_as_text: bool = False
    """Deleted messages have `type: text` and a placeholder text."""

    unsupported_as_text: bool = False
    """Types that the API does not support have `type: text` and a placeholder text."""

    after_page: Callable[[str, int], None] | None = None
    """Called with path and offset (for listings: page number) after a page is built.

    The client cannot request the next page before it returns. A message added here moves chats
    while a client reads pages.
    """


def error_body(code: int, message: str, **more: Any) -> dict[str, Any]:
    """Build the error body of Avito's documents."""
    return {"error": {"code": code, "message": message, **more}}


def too_many(retry_after: str | None = None, remaining: int | None = None) -> CannedResponse:
    """Build a 429, with `Retry-After` and `X-RateLimit-*` if given.

    The real messenger was never observed to send either of them.
    """
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    if remaining is not None:
        headers |= {"X-RateLimit-Limit": "25", "X-RateLimit-Remaining": str(remaining)}
    return CannedResponse(429, error_body(429, "Too many requests"), headers)


def html(status: int) -> CannedResponse:
    """Build a gateway's page instead of JSON; gateways send it with any status, 200 included."""
    return CannedResponse(
        status,
        "<html><head><title>Доступ ограничен</title></head><body>Проблема с IP</body></html>",
    )


SERVER_ERROR = CannedResponse(
    500, error_body(500, "Error while processing request. Please, contact support")
)
UNAVAILABLE = CannedResponse(
    503, error_body(503, "Service temporarily unavailable. Please, contact support")
)
FORBIDDEN = CannedResponse(403, error_body(403, "Forbidden"))
ERROR_UNDER_200 = CannedResponse(200, error_body(500, "Internal error"))
CUT = Cut()
