"""Rows of a query, read with COPY in one round trip.

A query with parameters takes four round trips: BEGIN, its preparation, its execution and ROLLBACK
(decision 0015). COPY has no parameters, so the values are literals. It is one message to the
server, which is a transaction of its own, and it sends values without the cost of an aggregate.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.database.connection import get_driver
from app.database.literals import quote

_PARAMETER = re.compile(r"(?<!:):(\w+)")
"""A named parameter; not a cast (``::text``)."""
_HEADER_BYTES = 19
"""Of COPY's binary format: its signature, flags, and the length of an extension, which is 0."""
_END_BYTES = 2
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class CopiedRow(NamedTuple):
    """``numbers``: the first columns. ``text``: the last one, in UTF-8."""

    numbers: tuple[int, ...]
    text: bytes


async def copy_rows(
    session: AsyncSession, sql: str, values: Mapping[str, object], *, numbers: int
) -> Iterator[CopiedRow]:
    """Return the rows of a query, which no other statement of the session may precede.

    Its first ``numbers`` columns are ``bigint`` or ``timestamptz`` (see ``read_moment``), and the
    last one is ``text`` or ``json``. None of them is NULL.
    """
    query = _PARAMETER.sub(lambda match: quote(values[match[1]]), sql)
    parts: list[bytes] = []

    async def take(part: bytes) -> None:
        parts.append(part)

    assert isinstance(session.bind, AsyncConnection)  # noqa: S101 - of ``Database.session``
    await get_driver(session.bind).copy_from_query(query, output=take, format="binary")
    return _split(b"".join(parts), numbers)


def read_moment(number: int) -> datetime:
    """Return the time of a ``timestamptz``, which is sent as microseconds since 2000."""
    return _EPOCH + timedelta(microseconds=number)


def _split(data: bytes, numbers: int) -> Iterator[CopiedRow]:
    """Yield the rows of COPY's binary format.

    A row is its number of fields, then each field after its length. The end is a row of -1 fields.
    """
    row = Struct(">h" + "4xq" * numbers + "i")  # 4x: the length of a number is known
    at, end = _HEADER_BYTES, len(data) - _END_BYTES
    while at < end:
        found = row.unpack_from(data, at)
        at += row.size
        stop = at + found[-1]
        yield CopiedRow(found[1:-1], data[at:stop])
        at = stop
