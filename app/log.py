"""Logs: one line per event, for a console or as JSON, without chat text, names or secrets.

Events are dotted words (``avito.token.renewed``) with IDs and counts as fields. Records of
libraries have the same format.
"""

import logging
import logging.config
import sys
from typing import Literal

import structlog

LogFormat = Literal["console", "json"]

# These log URLs and, at verbose levels, whole bodies with chats and keys. Only their warnings are
# logged.
_VERBOSE_LOGGERS = (
    "httpx",
    "httpcore",
    "httpx2",
    "httpcore2",
    "openai",
    "aiosmtplib",
    "asyncio",
    "apscheduler",
    "mail.log",
    "alembic",
    "pymorphy3",
)


def configure_logging(level: str, log_format: LogFormat) -> None:
    """Write all log lines of the process to stderr.

    ``level`` is a name of the logging module (``INFO``).
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=log_format == "json"),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *_make_renderers(log_format),
        ],
    )
    _configure_root(level, formatter)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _make_renderers(log_format: LogFormat) -> list[structlog.typing.Processor]:
    """Return the last processors. Tracebacks contain no local variables: chats and keys."""
    if log_format == "json":
        tracebacks = structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        )
        return [tracebacks, structlog.processors.JSONRenderer(ensure_ascii=False)]
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        pad_event_to=0,
        exception_formatter=structlog.dev.plain_traceback,
    )
    return [console]


def _configure_root(level: str, formatter: logging.Formatter) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _VERBOSE_LOGGERS:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
