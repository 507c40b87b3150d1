"""Late answers and unanswered questions, found in the messages without the model."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from app.domain.messages import ChatMessage
from app.domain.working_hours import WorkingHours

FIRST_ANSWER_WITHIN = timedelta(minutes=60)
"""Working time from the buyer's first message to the company's answer."""
LATER_ANSWER_WITHIN = timedelta(minutes=180)
"""Working time from a later message of the buyer to the company's answer."""
GRADING_HOURS = WorkingHours.parse("Пн-Вс 09:00-21:00")
"""Working hours for late answers if WORKING_HOURS is not set: nobody must answer at night."""

_NEEDS_NO_ANSWER = re.compile(
    r"(?:спасиб\w*|благодар\w*|хорош\w?|ок|окей|ok|понял\w?|понятно|ясно|ладно|договорились"
    r"|подумаю|решу|до|свидания|встречи|всего|доброго|удачи|вам|тоже|и|отлично|супер|здорово"
    r"|большое|огромное|за|ответ|помощь|информацию|вас|тогда|я|мы|ну|все|это|буду|будем|знать"
    r"|напишу|если|что|жду|ждем)"
)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class LateAnswer:
    """An answer of the company or a completed call that came too late.

    Times are seconds of working time.
    """

    message_id: int
    seconds: int
    limit_seconds: int
    is_first: bool


def needs_answer(message: ChatMessage) -> bool:
    """Return whether a message of the buyer asks for an answer.

    Thanks, consent and farewells do not. Everything else does: a question, a voice message, a
    picture, a missed call.
    """
    if not message.has_text or "?" in message.text:
        return True
    words = _WORD.findall(message.text.lower().replace("ё", "е"))
    return any(not _NEEDS_NO_ANSWER.fullmatch(word) for word in words)


def list_late_answers(
    window: Sequence[ChatMessage], hours: WorkingHours, zone: ZoneInfo, *, is_whole: bool
) -> list[LateAnswer]:
    """Return the late answers in a graded window, oldest first.

    A wait begins with the first of the buyer's consecutive messages that needs an answer. A wait
    without an answer is not late: it is a fault of closure. ``is_whole``: the window begins with
    the episode; otherwise the limit of later answers applies to every answer.
    """
    late: list[LateAnswer] = []
    since, is_first = None, is_whole
    for message in window:
        if message.begins_wait and since is None and needs_answer(message):
            since = message.sent_at
        elif message.ends_wait and since is not None:
            within = FIRST_ANSWER_WITHIN if is_first else LATER_ANSWER_WITHIN
            seconds = hours.seconds_between(since, message.sent_at, zone)
            if seconds > within.total_seconds():
                limit = int(within.total_seconds())
                late.append(LateAnswer(message.id, seconds, limit, is_first))
            since, is_first = None, False
    return late


def find_unanswered_question(window: Sequence[ChatMessage]) -> ChatMessage | None:
    """Return the buyer's first question or missed call after the company's last answer.

    A completed call is an answer too.
    """
    unanswered: ChatMessage | None = None
    for message in reversed(window):
        if message.ends_wait:
            break
        asks = message.is_call or (message.has_text and "?" in message.text)
        if message.begins_wait and asks:
            unanswered = message
    return unanswered
