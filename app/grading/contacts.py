"""Find whether a contact was left in a chat or a meeting was agreed, without the model."""

import re
from collections.abc import Sequence

from app.domain.contact import Contact, ContactKind
from app.domain.messages import ChatMessage, Side
from app.domain.visible_text import keep_visible
from app.grading.masking.masker import Masker, Piece
from app.grading.meetings import find_meeting

_CONTACT_TOKEN = re.compile(r"\[(?:ТЕЛЕФОН|ПОЧТА|НИК)_\d+\]")
_LINK_TOKEN = re.compile(r"\[ССЫЛКА_\d+\]")
_MESSENGER_LINK = re.compile(
    r"(?i)(?<![\w-])(?:t ?[. ]? ?me|т ?\.? ?ме|telegram\.me|tg\.me|wa\.me|wa|whatsapp\.com"
    r"|(?:api|chat)\.whatsapp\.com|viber\.(?:com|click)|vk(?:\.(?:com|ru|me|cc))?|вк"
    r"|instagram(?:\.com)?|инстаграм|ig\.me|ok(?:\.(?:ru|me))?|max\.ru|m\.me|facebook\.com"
    r"|discord\.gg|signal\.(?:me|group))(?![\w.-])"
)
_PRECEDENCE = (Side.CLIENT, ContactKind.BUYER), (Side.COMPANY, ContactKind.SELLER)


def find_contact(window: Sequence[ChatMessage], masker: Masker) -> Contact | None:
    """Return the most valuable contact of a window; None: neither a contact nor a meeting.

    An agreed meeting comes before a contact of the buyer, and that before a contact of the seller:
    the company can act on the buyer's number, but only waits after it gave its own. The message is
    the one that accepts the meeting, or the first one with (a part of) the contact.

    A contact is a phone, an e-mail, an account or a link of a messenger. It belongs to the side
    that wrote it first. A bot's texts are left out. ``masker``: the one of this window, which has
    found the personal data.
    """
    meeting = find_meeting(window)
    if meeting is not None:
        return Contact(ContactKind.MEETING, meeting)
    first = _list_first_contacts(window, masker)
    for side, kind in _PRECEDENCE:
        if side in first:
            return Contact(kind, first[side])
    return None


def _list_first_contacts(window: Sequence[ChatMessage], masker: Masker) -> dict[Side, int]:
    """Return the first message with a contact of its own by side."""
    masker = masker.at_least_on(message.text for message in window)
    first: dict[Side, int] = {}
    owners: dict[str, Side] = {}
    for message in window:
        for piece in masker.pieces(keep_visible(message.text)) if _is_read(message) else ():
            if not _is_contact(piece):
                continue
            if owners.setdefault(piece.shown, message.side) is message.side:
                first.setdefault(message.side, message.id)
    return first


def _is_read(message: ChatMessage) -> bool:
    return message.has_text and message.is_by_person


def _is_contact(piece: Piece) -> bool:
    if not piece.is_token:
        return False
    if _LINK_TOKEN.fullmatch(piece.shown):
        return bool(_MESSENGER_LINK.search(piece.original))
    return bool(_CONTACT_TOKEN.fullmatch(piece.shown))
