"""After changes between pages and killed syncs, the next sync makes the database equal to Avito.

``ARGS=sync-drift make bench`` tries many more examples.
"""

from collections import Counter

from hypothesis import HealthCheck, given, settings

from app.database.engine import Database
from tests.support.sync_drift import ROUNDS, SIZES, Round, sync_through


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sizes=SIZES, rounds=ROUNDS)
async def test_next_undisturbed_sync_makes_the_database_equal_to_avito(
    database: Database, sizes: list[int], rounds: list[Round]
) -> None:
    await sync_through(database, sizes, rounds, Counter())
