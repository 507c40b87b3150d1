"""Cursors of the list of reports: the position after which a page starts, as opaque text."""

import base64
import json
from datetime import MAXYEAR, MINYEAR, datetime

from app.errors import FieldError, InvalidParametersError
from app.repositories.reports import Position


def write_cursor(position: Position) -> str:
    """Encode a position as an opaque cursor."""
    plain = json.dumps([position.created_at.isoformat(), position.id, position.newest_id])
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> Position:
    """Decode a cursor.

    Raises:
        InvalidParametersError: the cursor was not written by ``write_cursor``.
    """
    try:
        padded = (cursor + "=" * (-len(cursor) % 4)).encode()
        written = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        position = Position(_cursor_moment(written[0]), *map(_cursor_id, written[1:]))
        if write_cursor(position) != cursor:
            raise ValueError("another spelling")
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError) as error:
        message = "возьмите его из заголовка Link прошлого ответа"
        raise InvalidParametersError(FieldError("cursor", message)) from error
    return position


def _cursor_moment(written: str) -> datetime:
    """Reject the first and last year: conversion to UTC for Postgres may leave the calendar."""
    moment = datetime.fromisoformat(written)
    if moment.tzinfo is None or not MINYEAR < moment.year < MAXYEAR:
        raise ValueError("no moment of a report")
    return moment


def _cursor_id(written: int) -> int:
    if type(written) is not int or not 0 <= written < 2**63:
        raise ValueError("no number of a report")
    return written
