"""The filter of reports, shared by the list of reports and by all figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from app.models import ReportKind

_OF_CHAT = "{table}.chat_id IN (SELECT id FROM chats WHERE avito_id = :chat_id)"
_OF_ACCOUNT = (
    "{table}.account_id IN"
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


_Condition = tuple[str, str, Any]
"""SQL, the name of its parameter, and the parameter's value; None: the filter does not have it."""

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
        conditions, parameters = _select_given(
            self._shared("reports"), self._origins(), self._contents()
        )
        return (
            " AND ".join([f"reports.kind = '{ReportKind.GRADING}'", *conditions]),
            parameters,
        )

    def condition_of_figures(self) -> tuple[str, dict[str, Any]]:
        """Return SQL over ``report_figures`` and ``reviews`` with its named parameters.

        It reads ``reports`` only if the filter needs a column that ``report_figures`` lacks. The
        reports of mails and runs are found first, as an array: a join would read all figures if
        Postgres expects many reports.
        """
        conditions, parameters = _select_given(self._shared("report_figures"))
        for own, ids in ((self._origins(), "= ANY(ARRAY({}))"), (self._contents(), "IN ({})")):
            found, values = _select_given(own)
            if found:
                select = f"SELECT reports.id FROM reports WHERE {' AND '.join(found)}"  # noqa: S608 - no values
                conditions.append(f"report_figures.report_id {ids.format(select)}")
            parameters |= values
        return " AND ".join(["true", *conditions]), parameters

    def _shared(self, table: str) -> tuple[_Condition, ...]:
        """Return the conditions over columns that ``reports`` and ``report_figures`` have."""
        return (
            (f"{table}.created_at >= :start", "start", self.start),
            (f"{table}.created_at < :end", "end", self.end),
            (_OF_CHAT.format(table=table), "chat_id", self.chat_id),
            (_OF_ACCOUNT.format(table=table), "account", self.account),
        )

    def _origins(self) -> tuple[_Condition, ...]:
        """Return the conditions over indexed columns that only ``reports`` has."""
        return (
            ("reports.digest_id = ANY(:digest_ids)", "digest_ids", self.digest_ids),
            (_OF_DATES, "mailed_on", self.mailed_on),
            ("reports.run_id = :run_id", "run_id", self.run_id),
        )

    def _contents(self) -> tuple[_Condition, ...]:
        """Return the other conditions, over ``reports`` and ``reviews``."""
        return (
            (_OF_TEXT, "text", self.text),
            *(
                (f"{self.column(name)} = ANY(:{name})", name, self.grades[name])
                for name in self.grades
            ),
        )


def _select_given(*groups: tuple[_Condition, ...]) -> tuple[list[str], dict[str, Any]]:
    """Return the SQL and the parameters of the conditions that have a value."""
    given = [one for group in groups for one in group if one[2] is not None]
    return [sql for sql, _, _ in given], {name: value for _, name, value in given}
