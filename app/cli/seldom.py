"""Warnings that a client can cause as often as it likes: logged once a minute at most."""

import logging
import time

import structlog

log = structlog.get_logger(__name__)

_LOG_SECONDS = 60.0
_MOST_MESSAGES = 100


class SeldomWarning:
    """A warning that is logged once a minute at most, with the number of times that it was due."""

    def __init__(self, event: str) -> None:
        self._event = event
        self._times = 0
        self._next = 0.0

    def __call__(self) -> None:
        """Count the warning; log it if none was logged for a minute."""
        self._times += 1
        if time.monotonic() >= self._next:
            log.warning(self._event, times=self._times)
            self._times, self._next = 0, time.monotonic() + _LOG_SECONDS


class SeldomRecords(logging.Filter):
    """A filter for a library's logger: it passes each message without a traceback once a minute at
    most.
    """

    def __init__(self) -> None:
        super().__init__()
        self._passed: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log the record."""
        if record.exc_info or record.levelno > logging.WARNING:
            return True
        now = time.monotonic()
        if now - self._passed.get(str(record.msg), -_LOG_SECONDS) < _LOG_SECONDS:
            return False
        if len(self._passed) >= _MOST_MESSAGES:
            self._passed.clear()
        self._passed[str(record.msg)] = now
        return True
