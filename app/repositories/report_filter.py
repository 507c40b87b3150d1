"""The filter of reports, shared by the list of reports and by all figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from app.models import ReportKind

_OF_CHAT = "reports.chat_id IN (SELECT id FROM chats WHERE avito_id = :chat_id)"
_OF_ACCOUNT = (
    "reports.account_id IN"
    " (SELECT id FROM accounts WHERE name = :account OR avito_user_id::text = :account)"
)
_OF_DATES = "reports.digest_id IN (SELECT id FROM digests WHERE day = ANY(:mailed_on))"

_SEARCHED = (
    "concat_ws(chr(31), reports.body->>'chat_title', reports.body->>'client_name',"
    " reports.body->>'summary')"
)
"""Title, name and summary, separated by a character that occurs in none of them."""


def _fold(sql: str) -> str:
    return f"replace(lower({sql}), 'ё', 'е')"


_OF_TEXT = f"strpos({_fold(_SEARCHED)}, {_fold(':text')}) > 0"


@dataclass(frozen=True)
class ReportFilter:
    """A set of reports. A field that is None does not restrict it.

    - ``digest_ids``: reports that these mails carry.
    - ``mailed_on``: reports that the mails of these dates carry.
    - ``run_id``: reports that this run has written.
    - ``start``, ``end``: reports written in ``[start, end)``.
    - ``chat_id``: Avito's id of a chat. ``account``: a name or Avito's number.
    - ``text``: it occurs in the title, the client's name or the summary. Case and ё are ignored.
    - ``grades``: for each grade column the Russian words that it may contain.
    - ``reviewed``: show, count and filter by the grades after a person's review.
    """

    digest_ids: Sequence[int] | None = None
    mailed_on: Sequence[date] | None = None
    run_id: int | None = None
    start: datetime | None = None
    end: datetime | None = None
    chat_id: str | None = None
    account: str | None = None
    text: str | None = None
    grades: Mapping[str, Sequence[str]] = field(default_factory=dict)
    reviewed: bool = False

    def column(self, name: str) -> str:
        """Return SQL for a column of grades, score or body, over ``reports`` and ``reviews``."""
        return f"coalesce(reviews.{name}, reports.{name})" if self.reviewed else f"reports.{name}"

    def condition(self) -> tuple[str, dict[str, Any]]:
        """Return SQL over ``reports`` and ``reviews`` with its named parameters.

        It is text because the list of reports bypasses SQLAlchemy. It always excludes regrades.
        """
        known = (
            ("reports.digest_id = ANY(:digest_ids)", "digest_ids", self.digest_ids),
            (_OF_DATES, "mailed_on", self.mailed_on),
            ("reports.run_id = :run_id", "run_id", self.run_id),
            ("reports.created_at >= :start", "start", self.start),
            ("reports.created_at < :end", "end", self.end),
            (_OF_CHAT, "chat_id", self.chat_id),
            (_OF_ACCOUNT, "account", self.account),
            (_OF_TEXT, "text", self.text),
            *(
                (f"{self.column(name)} = ANY(:{name})", name, self.grades[name])
                for name in self.grades
            ),
        )
        given = [(sql, name, value) for sql, name, value in known if value is not None]
        conditions = [f"reports.kind = '{ReportKind.GRADING}'", *(sql for sql, _, _ in given)]
        return " AND ".join(conditions), {name: value for _, name, value in given}
