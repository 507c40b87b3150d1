"""Rate limit for warnings that a client can trigger: at most one a minute."""

import logging
import time

import structlog

log = structlog.get_logger(__name__)

_LOG_SECONDS = 60.0
_MOST_MESSAGES = 100


class SeldomWarning:
    """A warning that is logged at most once a minute, with the number of its occurrences."""

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
    """Filter for a library's logger.

    It passes each message without a traceback at most once a minute.
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
