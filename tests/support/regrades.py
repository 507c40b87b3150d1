"""A regrade of a period, executed to its end."""

from datetime import UTC, datetime, timedelta

from app.models import Run
from app.services.run_params import RegradeParams, RegradePeriod
from app.services.runs import submit, wait
from tests.support.stage import Stage

NOW = datetime.now(UTC)


PERIOD = RegradePeriod(start=NOW - timedelta(days=30), end=NOW + timedelta(days=30), limit=None)


async def regrade(stage: Stage, period: RegradePeriod = PERIOD) -> Run:
    service = stage.service
    run_id = await submit(service.database, RegradeParams(period=period), service.clock)
    service.worker.wake()
    return await wait(service.database, run_id)
