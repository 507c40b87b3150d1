"""Rows of a query, read with COPY in one round trip.

A query with parameters takes four round trips: BEGIN, its preparation, its execution and ROLLBACK
(decision 0015). COPY has no parameters, so the values are literals. It is one message to the
server, which is a transaction of its own, and it sends values without the cost of an aggregate.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from struct import Struct

from app.database.engine import Database
from app.database.literals import quote

_PARAMETER = re.compile(r"(?<!:):(\w+)")
"""A named parameter; not a cast (``::text``)."""
_HEADER_BYTES = 19
"""Of COPY's binary format: its signature, flags, and the length of an extension, which is 0."""
_END_BYTES = 2
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class CopiedRows:
    """Rows of COPY's binary format. ``texts``: their last columns, in UTF-8.

    A row is its number of fields, then each field after its length. The end is a row of -1 fields.
    Each of the received parts has whole rows. They are not joined: in a long list, a copy of it
    takes as long as the rest.
    """

    def __init__(self, parts: list[bytes], numbers: int) -> None:
        # 4x: the length of a number is known
        self._head = Struct(">h" + "4xq" * numbers + "i")
        self._heads: list[tuple[int, ...]] = []
        self.texts: list[bytes] = []
        ends = [len(part) for part in parts]
        ends[-1] -= _END_BYTES
        start = _HEADER_BYTES
        for part, end in zip(parts, ends, strict=True):
            self._split(part, start, end)
            start = 0

    def _split(self, part: bytes, start: int, end: int) -> None:
        read_head, size = self._head.unpack_from, self._head.size
        while start < end:
            head = read_head(part, start)
            start += size
            stop = start + head[-1]
            self._heads.append(head)
            self.texts.append(part[start:stop])
            start = stop

    def numbers(self, place: int) -> tuple[int, ...]:
        """Return the numbers of a row, which are its first columns."""
        return self._heads[place][1:-1]


async def copy_rows(
    database: Database, sql: str, values: Mapping[str, object], *, numbers: int
) -> CopiedRows:
    """Return the rows of a query.

    Its first ``numbers`` columns are ``bigint`` or ``timestamptz`` (see ``read_moment``), and the
    last one is ``text`` or ``json``. None of them is NULL.
    """
    query = _PARAMETER.sub(lambda match: quote(values[match[1]]), sql)
    return CopiedRows(await database.copy(query), numbers)


def read_moment(number: int) -> datetime:
    """Return the time of a ``timestamptz``, which is sent as microseconds since 2000."""
    return _EPOCH + timedelta(microseconds=number)
