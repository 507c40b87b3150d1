"""Cursors of the list of reports: the position after which a page starts, as opaque text."""

import base64
import json
import re
from datetime import MAXYEAR, MINYEAR, datetime
from decimal import Decimal

from app.errors import FieldError, InvalidParametersError
from app.repositories.report_order import Position, ReportSort

_SCORE = re.compile(r"(?:\d{1,2}|100)\.\d\d", re.ASCII)


def write_cursor(position: Position, sort: ReportSort | None = None) -> str:
    """Encode a position as an opaque cursor. ``sort``: the order of its list."""
    place = [position.created_at.isoformat(), position.id, position.newest_id]
    by_score = [sort.value, str(position.score)] if sort else []
    plain = json.dumps([*place, *by_score])
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def read_cursor(cursor: str, sort: ReportSort | None = None) -> Position:
    """Decode a cursor of a list in this order.

    Raises:
        InvalidParametersError: the cursor was not written by ``write_cursor`` for this order.
    """
    try:
        padded = (cursor + "=" * (-len(cursor) % 4)).encode()
        written = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        moment, last_id, newest_id, *by_score = written
        position = Position(
            _parse_moment(moment),
            _parse_id(last_id),
            _parse_id(newest_id),
            _parse_score(by_score, sort),
        )
        if write_cursor(position, sort) != cursor:
            raise ValueError("another spelling")
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError) as error:
        message = "возьмите его из заголовка Link прошлого ответа, с тем же sort"
        raise InvalidParametersError(FieldError("cursor", message)) from error
    return position


def _parse_moment(written: str) -> datetime:
    """Reject the first and last year: conversion to UTC for Postgres may leave the calendar."""
    moment = datetime.fromisoformat(written)
    if moment.tzinfo is None or not MINYEAR < moment.year < MAXYEAR:
        raise ValueError("no moment of a report")
    return moment


def _parse_id(written: int) -> int:
    if type(written) is not int or not 0 <= written < 2**63:
        raise ValueError("no number of a report")
    return written


def _parse_score(written: list[str], sort: ReportSort | None) -> Decimal | None:
    if sort is None and not written:
        return None
    name, score = written
    if name != sort or not _SCORE.fullmatch(score):
        raise ValueError("no position in a list of this order")
    return Decimal(score)
