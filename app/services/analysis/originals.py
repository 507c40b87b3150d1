"""The reports of a period with the messages that they have graded: what is graded again, and what
that would cost.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.database.engine import Database
from app.repositories import messages, regrades
from app.repositories.regrades import Original
from app.services.analysis.grading_pool import READ_AHEAD, GradingCase
from app.services.analysis.transcript import chat_messages, people_between

_PARAMETER = "regrade"


@dataclass(frozen=True)
class RegradePeriod:
    """Reports written in ``[start, end)``, the newest ``limit`` of them."""

    start: datetime
    end: datetime
    limit: int | None = None

    @classmethod
    def is_in(cls, params: Mapping[str, Any]) -> bool:
        """Whether a run was asked to grade again."""
        return _PARAMETER in params

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> "RegradePeriod":
        """Reads it from a run's parameters."""
        wanted = params[_PARAMETER]
        return cls(
            datetime.fromisoformat(wanted["start"]),
            datetime.fromisoformat(wanted["end"]),
            wanted["limit"],
        )

    @property
    def as_params(self) -> dict[str, Any]:
        """The same as a run's parameters."""
        return {
            _PARAMETER: {
                "start": self.start.isoformat(),
                "end": self.end.isoformat(),
                "limit": self.limit,
            }
        }


async def count_originals(
    database: Database, period: RegradePeriod, *, done_by: Collection[int]
) -> int:
    """How many reports there are to grade again, without those that runs with these numbers have
    graded again.
    """
    async with database.session() as session:
        found = await regrades.count_originals(session, period.start, period.end)
        done = await regrades.count_regraded(session, done_by)
    return (found if period.limit is None else min(found, period.limit)) - done


async def list_originals(
    database: Database, period: RegradePeriod, *, done_by: Collection[int] = ()
) -> AsyncIterator[GradingCase[Original]]:
    """These reports with their windows, newest first, few in memory at a time."""
    before_id, left = None, period.limit
    while left is None or left > 0:
        most = READ_AHEAD if left is None else min(left, READ_AHEAD)
        async with database.session() as session:
            found = await regrades.list_originals(
                session, period.start, period.end, before_id=before_id, limit=most
            )
            done = await regrades.list_regraded(
                session, [original.id for original in found], done_by
            )
            words = await messages.list_words(
                session, {original.chat_id for original in found if original.id not in done}
            )
        if not found:
            return
        for original in found:
            if original.id in done:
                continue
            graded = people_between(
                chat_messages(words[original.chat_id]),
                original.first_message_id,
                original.last_message_id,
            )
            yield GradingCase(
                original, graded, (original.client_name,) if original.client_name else ()
            )
        before_id = found[-1].id
        left = None if left is None else left - len(found)
