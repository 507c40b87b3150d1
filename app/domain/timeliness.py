"""Late answers and unanswered questions, found in the messages without the model."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.domain.closing_words import gives_up, is_closing, is_question, is_waiting
from app.domain.holding_answers import is_automatic, is_promise
from app.domain.messages import ChatMessage
from app.domain.working_hours import WorkingHours

FIRST_ANSWER_WITHIN = timedelta(minutes=60)
"""Working time from the buyer's first message to the company's answer."""
LATER_ANSWER_WITHIN = timedelta(minutes=180)
"""Working time from a later message of the buyer to the company's answer."""
GRADING_HOURS = WorkingHours.parse("Пн-Вс 09:00-21:00")
"""Working hours for grading if WORKING_HOURS is not set: an answer at night is not required."""
AUTOMATIC_WITHIN = timedelta(seconds=10)
"""A promise to find out that comes this soon after the buyer's message is an automatic text."""
_DELETED = "deleted"


@dataclass(frozen=True)
class LateAnswer:
    """An answer of the company or a completed call that came too late.

    Times are seconds of working time.
    """

    message_id: int
    seconds: int
    limit_seconds: int
    is_first: bool


@dataclass
class _Wait:
    """A wait of the buyer without an answer yet.

    ``messages``: the buyer's, from the first one that needs an answer. ``is_first``: the company
    has not answered in this episode; a promise to find out counts here. ``is_reported``: an answer
    to this wait is late already.
    """

    is_first: bool
    messages: list[ChatMessage] = field(default_factory=list)
    is_reported: bool = False

    @property
    def within(self) -> timedelta:
        return FIRST_ANSWER_WITHIN if self.is_first else LATER_ANSWER_WITHIN

    @property
    def question(self) -> ChatMessage | None:
        """The first question or missed call, if any."""
        asking = (
            entry
            for entry in self.messages
            if entry.is_call or (entry.has_text and is_question(entry.text))
        )
        return next(asking, None)


def needs_answer(message: ChatMessage, *, is_asked: bool = False) -> bool:
    """Return whether a message of the buyer asks for an answer.

    Thanks, consent, farewells and deleted messages do not. Everything else does: a question, a
    voice message, a picture, a missed call. ``is_asked``: the company's text before it is a
    question.
    """
    if message.type == _DELETED:
        return False
    return not message.has_text or not is_closing(message.text, is_asked=is_asked)


@dataclass(frozen=True)
class Waits:
    """The waits of the buyer in a graded window.

    ``late``: the late answers, oldest first. A wait begins with the first of the buyer's
    consecutive messages that needs an answer. It is late at most once. An automatic text is no
    answer. A promise to find out is an answer in time, but the wait goes on with the limit of later
    answers. A wait without an answer is not late: it is a fault of closure.
    """

    late: tuple[LateAnswer, ...]
    _last: _Wait
    _hours: WorkingHours
    _zone: ZoneInfo

    def find_unanswered_question(self, graded_at: datetime) -> ChatMessage | None:
        """Return the first question after the company's last answer if its time has passed."""
        question = self._last.question
        if question is None or not _is_left_open(self._last.messages[-1]):
            return None
        return None if self._is_fresh(question, graded_at) else question

    def list_fresh_messages(self, graded_at: datetime) -> list[ChatMessage]:
        """Return the buyer's messages without an answer if the company still has time for it."""
        messages = self._last.messages
        return messages if messages and self._is_fresh(messages[0], graded_at) else []

    def _is_fresh(self, message: ChatMessage, graded_at: datetime) -> bool:
        waited = self._hours.seconds_between(message.sent_at, graded_at, self._zone)
        return waited <= self._last.within.total_seconds()


def follow_waits(
    window: Sequence[ChatMessage], hours: WorkingHours, zone: ZoneInfo, *, is_whole: bool
) -> Waits:
    """Follow the waits through a window.

    ``is_whole``: the window begins with the episode; otherwise the limit of later answers applies
    to every answer.
    """
    late: list[LateAnswer] = []
    wait, is_asked = _Wait(is_first=is_whole), False
    for message in window:
        if message.type == _DELETED:
            continue
        if message.begins_wait:
            _add_message(wait, message, is_asked=is_asked)
        elif message.ends_wait:
            is_asked = message.has_text and is_question(message.text)
            if wait.messages and not _is_automatic(message, wait):
                late += _measure(message, wait, hours, zone)
                wait = _answer(message, wait)
    return Waits(tuple(late), wait, hours, zone)


def _add_message(wait: _Wait, message: ChatMessage, *, is_asked: bool) -> None:
    """Begin or continue a wait, or end it if the buyer has found the answer or refuses."""
    needs = needs_answer(message, is_asked=is_asked)
    if not needs and gives_up(message.text):
        wait.messages.clear()
    elif needs or wait.messages:
        wait.messages.append(message)


def _answer(message: ChatMessage, wait: _Wait) -> _Wait:
    """Return the wait after an answer: a promise leaves it open."""
    if message.has_text and is_promise(message.text):
        return _Wait(False, wait.messages, wait.is_reported)
    return _Wait(is_first=False)


def _measure(
    message: ChatMessage, wait: _Wait, hours: WorkingHours, zone: ZoneInfo
) -> list[LateAnswer]:
    """Return the answer if it is late and the first late one of the wait."""
    limit = int(wait.within.total_seconds())
    seconds = hours.seconds_between(wait.messages[0].sent_at, message.sent_at, zone)
    if seconds <= limit or wait.is_reported:
        return []
    wait.is_reported = True
    return [LateAnswer(message.id, seconds, limit, wait.is_first)]


def _is_automatic(message: ChatMessage, wait: _Wait) -> bool:
    """Return whether a message of the company is an automatic text.

    "A manager will call you" may answer a statement of the buyer in the middle of a conversation.
    """
    if not message.has_text:
        return False
    is_instant = message.sent_at - wait.messages[-1].sent_at <= AUTOMATIC_WITHIN
    if is_instant and is_promise(message.text):
        return True
    return is_automatic(message.text) and (is_instant or wait.is_first or wait.question is not None)


def _is_left_open(last: ChatMessage) -> bool:
    """Return whether the buyer's last message leaves his questions open.

    Thanks and consent close them, also with something else; "I am waiting" does not.
    """
    return needs_answer(last) or is_waiting(last.text)
