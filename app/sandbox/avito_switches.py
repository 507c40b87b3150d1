"""The switches of the local Avito, and its wrong answers ready to be ordered with
`switches.fail(…)`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from app.sandbox.faults import CannedResponse, Cut, HttpSwitches


@dataclass
class AvitoSwitches(HttpSwitches):
    """How the local Avito behaves where the real one is known to vary. All may be set while it
    runs.
    """

    expired_status: Literal[200, 401, 403] = 403
    """Under which status the body "access token expired" goes out: 403 in the documents, 401 in
    practice, 200 seen too.
    """

    token_seconds: int = 86400
    """`expires_in` of the tokens that are issued from now on."""

    page_cap: int | None = None
    """Pages of chats and messages hold no more than so many, whatever `limit` asks for."""

    has_more: bool = True
    """Whether pages carry `meta.has_more`; the document knows no `meta`."""

    messages_as: Literal["object", "array"] = "object"
    """Messages as `{"messages": […]}`, as seen, or as the bare array of the document."""

    read_flag: Literal["isRead", "is_read"] = "isRead"
    """The name of a message's read flag; both have been seen."""

    drop_chat_keys: set[str] = field(default_factory=set)
    """Keys that chats come without: context, users, last_message, updated, created. A missing value
    is a missing key.
    """

    drop_message_keys: set[str] = field(default_factory=set)
    """Keys that messages come without; every key but `id` may be missing."""

    empty_titles: bool = False
    """Listings come with an empty title."""

    nameless_users: bool = False
    """Users come without a name."""

    u2u_context: Literal["absent", "empty"] = "absent"
    """A chat about no listing has no `context`, or an empty object."""

    plan_missing: Literal["nested", "flat"] | None = None
    """The paid plan is off: messages answer 402 with that shape of body and `last_message` holds
    the placeholder text.
    """

    system_author_id: int = 0
    """The author of system messages over REST. In webhooks it is always 1."""

    system_as_text: bool = False
    """System messages come as `type: text`, told apart by author and prefix alone."""

    after_page: Callable[[str, int], None] | None = None
    """Called with path and offset (for listings: page number) after a page is put together and
    before the next one can be asked for: a message added here is what moves chats while a client
    pages.
    """


def error_body(code: int, message: str, **more: Any) -> dict[str, Any]:
    """The error body of Avito's documents."""
    return {"error": {"code": code, "message": message, **more}}


def too_many(retry_after: str | None = None, remaining: int | None = None) -> CannedResponse:
    """A 429, with `Retry-After` and `X-RateLimit-*` where given; the real messenger was never seen
    to send either.
    """
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    if remaining is not None:
        headers |= {"X-RateLimit-Limit": "25", "X-RateLimit-Remaining": str(remaining)}
    return CannedResponse(429, error_body(429, "Too many requests"), headers)


def html(status: int) -> CannedResponse:
    """A gateway's page instead of JSON; gateways send it under any status, 200 included."""
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
