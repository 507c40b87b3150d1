"""Find an agreed meeting: one side proposes when to meet or visit, the other side accepts.

A mere proposal, opening hours, a call, a shipment or a refused or cancelled meeting does not count.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from app.domain.messages import ChatMessage, Side
from app.domain.visible_text import keep_visible
from app.grading import meeting_words as words

_TOPIC_LASTS = 5
"""Messages after which a time without a visit («в 11») no longer belongs to the visit before."""
_OFFER_LASTS = 8
"""Messages after which a proposal can no longer be accepted."""
_LONGEST = 600
"""Characters of a message that are read: a meeting is arranged in short messages."""
_CANCELLATION_IS_NEAR = 8
"""Messages after the agreement in which any «не смогу» cancels it."""
_MOST_OTHER_WORDS = 3
"""Words beside time and fillers in a proposal that names no visit, after one that does."""


class _Topic(Enum):
    NONE = auto()
    VISIT = auto()
    OTHER = auto()


@dataclass(frozen=True)
class _Offer:
    """A proposed meeting. ``place``: the number of its message. ``text``: its words about time."""

    side: Side
    place: int
    text: str


def find_meeting(window: Sequence[ChatMessage]) -> int | None:
    """Return the id of the message that accepts the last meeting that was not cancelled."""
    talk = _Talk()
    for place, message in enumerate(window):
        if message.is_by_person and message.has_text:
            text = keep_visible(message.text)[:_LONGEST].lower().replace("ё", "е")
            # «Я бы завтра подъехал» is no past.
            talk.read(place, message, words.WISH.sub(r"\1приехать", text))
    return talk.agreed


class _Talk:
    """Reads a chat message by message. ``agreed``: the id of the accepting message."""

    def __init__(self) -> None:
        self.agreed: int | None = None
        self._agreed_place = 0
        self._offer: _Offer | None = None
        self._is_answered = False
        self._topic = _Topic.NONE
        self._topic_place = 0
        self._is_booking = False
        self._named_times: dict[Side, int] = {}

    def read(self, place: int, message: ChatMessage, text: str) -> None:
        """Take the next message into account."""
        self._forget(place)
        if self.agreed is not None and self._is_cancelled(place, text):
            self.agreed = self._offer = None
        if self._offer and (words.REFUSAL.search(text) or words.DEFERRAL.search(text)):
            self._offer = None
        elif (self._offer and self._accepts(self._offer, message.side, text)) or (
            self._records(place, message.side, text)
        ):
            self._offer = None
            if self.agreed is None:
                self.agreed, self._agreed_place = message.id, place
            return
        self._is_answered = bool(self._offer and self._offer.side is not message.side)
        self._propose(place, message.side, _keep_proposals(text))

    def _forget(self, place: int) -> None:
        if self._offer and place - self._offer.place > _OFFER_LASTS:
            self._offer = None
        if place - self._topic_place > _TOPIC_LASTS:
            self._topic, self._is_booking = _Topic.NONE, False

    def _is_cancelled(self, place: int, text: str) -> bool:
        """Return whether the meeting is cancelled; later «не смогу» may concern something else."""
        if not words.CANCELLATION.search(text):
            return False
        is_near = place - self._agreed_place <= _CANCELLATION_IS_NEAR
        return is_near or bool(words.VISIT.search(text) or words.DAY.search(text))

    def _accepts(self, offer: _Offer, side: Side, text: str) -> bool:
        """Return whether a message accepts the offer."""
        if offer.side is side:
            return self._is_answered and bool(words.AGREED.search(text))
        if words.ASKS_TIME.search(text) or _asks_other_time(text):
            return False
        answer = words.QUESTION.sub("", text)
        is_consent = bool(words.CONSENT.match(answer or text)) and not _is_asked(text)
        if is_consent or words.PLUS.fullmatch(text) or _chooses(offer, text):
            return True
        is_sure = words.SURE_CONSENT.search(answer) or words.COMMITMENT.search(answer)
        return bool(is_sure) and _fits(offer, text)

    def _records(self, place: int, side: Side, text: str) -> bool:
        """Return whether a message writes down a time after the other side named one."""
        if not (words.RECORDED.search(text) and words.TIME.search(text)) or "?" in text:
            return False
        return any(
            other is not side and place - named <= _TOPIC_LASTS
            for other, named in self._named_times.items()
        )

    def _propose(self, place: int, side: Side, text: str) -> None:
        """Take a new topic and a new proposal from a message."""
        topic = _find_topic(text)
        if topic is not _Topic.NONE:
            self._topic, self._topic_place = topic, place
        self._is_booking = self._is_booking or bool(words.BOOKING.search(text))
        if words.TIME.search(text) and not (_is_aside(text) or words.PAST.search(text)):
            self._named_times[side] = place
        if self.agreed is None and self._is_proposal(text):
            self._offer, self._is_answered = _Offer(side, place, text), False

    def _is_proposal(self, text: str) -> bool:
        """Return whether a text proposes when to meet or visit."""
        has_time = bool(words.TIME.search(text)) or (
            self._is_booking and bool(words.BOOKED_TIME.search(text))
        )
        if not has_time or words.PAST.search(text) or words.CONDITION.search(text):
            return False
        if _names_visit(text):
            return True
        if self._topic is _Topic.OTHER:
            return False
        sentences = [one for one in words.SENTENCE.findall(text) if not words.MONEY.search(one)]
        if self._topic is _Topic.VISIT:
            return any(map(_is_short_offer, sentences))
        return any(map(_is_bare_offer, sentences))


def _keep_proposals(text: str) -> str:
    """Return the text without what is no proposal.

    Dropped are sentences about calls, shipments and opening hours, conditions, and clauses that
    refuse: they name the time that does not suit. If nothing is left, the text is returned whole.
    """
    clauses = [text]
    if words.REFUSAL.search(text):
        clauses = [
            part for clause in words.CLAUSE.findall(text) for part in words.TURN.split(clause)
        ]
    rest = " ".join(clause for clause in clauses if not words.REFUSAL.search(clause))
    kept = [
        sentence
        for sentence in words.SENTENCE.findall(rest)
        if not (_is_aside(sentence) or words.CONDITION.search(sentence))
    ]
    return "".join(kept) or rest


def _is_aside(sentence: str) -> bool:
    """Return whether a sentence is about a call, a shipment or opening hours."""
    if words.SHIPMENT.search(sentence) or words.OPENING.search(sentence):
        return True
    return bool(words.CALL.search(sentence)) and not words.STRONG_VISIT.search(sentence)


def _names_visit(text: str) -> bool:
    """Return whether a text is about a visit and not about a shipment, a call or hours."""
    return not _is_aside(text) and bool(words.FAREWELL.search(text) or words.VISIT.search(text))


def _find_topic(text: str) -> _Topic:
    if _names_visit(text) or words.VISIT_TOPIC.search(text):
        return _Topic.VISIT
    return _Topic.OTHER if _is_aside(text) else _Topic.NONE


def _fits(offer: _Offer, text: str) -> bool:
    """Return whether a text names no other hour than the offer."""
    hours, offered = _list_hours(text), _list_hours(offer.text)
    return not (hours and offered and hours.isdisjoint(offered))


def _chooses(offer: _Offer, text: str) -> bool:
    """Return whether a text is one of the hours or days of the offer: «в 11», «чт»."""
    rest = re.sub(r"\d{1,2}(?:[:.]\d\d)?", " ", text)
    if "?" in text or _count_other_words(rest):
        return False
    if not _list_figures(text).isdisjoint(_list_figures(offer.text)):
        return True
    return _fits(offer, text) and not _list_days(text).isdisjoint(_list_days(offer.text))


def _is_short_offer(sentence: str) -> bool:
    """Return whether a sentence names a time and few other words: «тогда в пятницу в 11»."""
    has_time = words.TIME.search(sentence) or words.BOOKED_TIME.search(sentence)
    return bool(has_time) and _count_other_words(sentence) <= _MOST_OTHER_WORDS


def _is_bare_offer(sentence: str) -> bool:
    """Return whether a sentence offers a time and says nothing else: «завтра в 10?»."""
    return bool(
        words.TIME.search(sentence)
        and words.OFFERING.search(sentence)
        and not words.RANGE.search(sentence)
        and not _count_other_words(sentence)
    )


def _count_other_words(text: str) -> int:
    """Count the words beside times and fillers: none in «тогда в 11»."""
    rest = words.FILLER.sub(" ", words.BOOKED_TIME.sub(" ", words.TIME.sub(" ", text)))
    return sum(word[0].isalpha() for word in rest.split())


def _asks_other_time(text: str) -> bool:
    """Return whether a message asks about a time: «да, а в 18 удобно?»."""
    return any(words.TIME.search(question) for question in words.QUESTION.findall(text))


def _is_asked(text: str) -> bool:
    """Return whether the first clause is a question: «можно?»."""
    first = words.CLAUSE.search(text)
    return first is not None and first[0].endswith("?")


def _list_hours(text: str) -> frozenset[str]:
    """Return the figures of the hours in a text, not those of houses or prices."""
    times = " ".join(
        match[0] for kind in (words.TIME, words.BOOKED_TIME) for match in kind.finditer(text)
    )
    return _list_figures(times)


def _list_figures(text: str) -> frozenset[str]:
    return frozenset(match.lstrip("0") for match in words.HOUR.findall(text))


def _list_days(text: str) -> frozenset[str]:
    return frozenset(day.split()[-1] for day in words.DAY.findall(text))
