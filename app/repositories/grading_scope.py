"""SQL of the chats that a run may grade.

A chat is due if a person has written since the newest message that a grading has seen, or if Avito
has sent the notice of a lead and nobody has written (``chats.due_since``; the message pass sets it,
``due_chats.store_outcomes`` moves it on), and if fewer than ``MAX_FAILURES`` attempts have failed
since. The daily run narrows the due chats to those written in within GRADE_WITHIN_DAYS
(``Scope.written_since``), except for failed and waiting ones.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, any_, false, or_, true

from app.domain.outcomes import MAX_FAILURES, Outcome
from app.domain.settling import SettlingSpan
from app.models import Chat
from app.repositories.chat_conditions import (
    HAS_FAILED,
    IS_LEFT_OVER,
    IS_LOADING,
    LAST_COUNTED_MESSAGE_ID,
    is_settling,
)
from app.repositories.sql_values import text_array


@dataclass(frozen=True)
class Scope:
    """The chats that a run may grade.

    - ``written_since``: only chats with a person's message from this moment on, and chats with the
      outcome failed or waiting (the daily run).
    - ``chat_ids``: only chats with these Avito ids.
    - ``force``: also failed and skipped chats that are not due, and every chat of ``chat_ids``.
    - ``done_since``: with ``force``, a chat is left out if a run with this number or a higher one
      has stored its outcome and no person has written since.
    - ``settling``: chats that are settling are left out. ``force`` with ``chat_ids`` includes them,
      and chats of accounts that are loading.
    """

    written_since: datetime | None = None
    chat_ids: tuple[str, ...] | None = None
    force: bool = False
    done_since: int | None = None
    settling: SettlingSpan | None = None

    @property
    def is_insistent(self) -> bool:
        """Whether chats are named that must be graded now."""
        return self.force and self.chat_ids is not None


def is_in_scope(scope: Scope, run_id: int) -> ColumnElement[bool]:
    """Return the chats that the run has still to grade."""
    return and_(_is_open(scope, run_id), _is_settling(scope).is_not(true()), ~_is_loading(scope))


def is_left_settling(scope: Scope, run_id: int) -> ColumnElement[bool]:
    """Return the chats that wait because they are settling.

    The run leaves out settling chats that have failed since their last message too. They stay
    failed.
    """
    return and_(_is_open(scope, run_id), _is_settling(scope), HAS_FAILED.is_not(true()))


def is_left_loading(scope: Scope, run_id: int) -> ColumnElement[bool]:
    """Return the other chats that wait, because the first sync of their account has not ended."""
    is_settling = _is_settling(scope).is_not(true())
    return and_(_is_open(scope, run_id), is_settling, _is_loading(scope))


def _is_settling(scope: Scope) -> ColumnElement[bool]:
    return is_settling(None if scope.is_insistent else scope.settling)


def _is_loading(scope: Scope) -> ColumnElement[bool]:
    return false() if scope.is_insistent else IS_LOADING


def _is_open(scope: Scope, run_id: int) -> ColumnElement[bool]:
    conditions = [LAST_COUNTED_MESSAGE_ID.is_not(None), _is_to_grade(scope)]
    if scope.chat_ids is not None:
        conditions.append(Chat.avito_id == any_(text_array(scope.chat_ids)))
    if scope.written_since is not None:
        new_lead = and_(Chat.lead_message_id.is_not(None), Chat.due_since >= scope.written_since)
        conditions.append(or_(Chat.last_person_at >= scope.written_since, new_lead, IS_LEFT_OVER))
    conditions.append(Chat.outcome_run_id.is_distinct_from(run_id))
    if scope.force and scope.done_since is not None:
        done = and_(
            Chat.outcome.in_([Outcome.GRADED, Outcome.SKIPPED, Outcome.FAILED]),
            Chat.outcome_message_id == LAST_COUNTED_MESSAGE_ID,
            Chat.outcome_run_id >= scope.done_since,
        )
        conditions.append(done.is_not(true()))
    return and_(*conditions)


def _is_to_grade(scope: Scope) -> ColumnElement[bool]:
    is_due = Chat.due_since.is_not(None)
    if not scope.force:
        return is_due & (Chat.failures < MAX_FAILURES)
    if scope.chat_ids is not None:
        return true()
    return is_due | Chat.outcome.in_([Outcome.FAILED, Outcome.SKIPPED])
