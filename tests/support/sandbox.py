"""The moment at which the tests of the sandbox take place."""

from datetime import UTC, datetime

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
