"""The OpenAPI document as text, made without a database; run as a module it renews the one that is
kept.
"""

import json
from datetime import timedelta

from app.clock import system_clock
from app.config import load_settings
from app.database.engine import Database
from app.jobs.clock_watch import ClockWatch
from app.jobs.heartbeat import Heartbeats
from app.jobs.tick import Timetable
from app.jobs.worker import Worker
from app.main import Service, create_app
from tests.checks import CHECKOUT

KEPT = CHECKOUT / "tests" / "api" / "openapi.json"


def openapi_text() -> str:
    """The document of today, in the form in which it is kept."""
    settings = load_settings(_env_file=None, docs_enabled=True)
    database = Database("postgresql://nobody@localhost/never_connected")
    timetable = Timetable(
        settings.report_time,
        settings.report_timezone,
        timedelta(minutes=settings.sync_interval_minutes),
    )
    worker, clock_watch = Worker(database, system_clock), ClockWatch(system_clock)
    app = create_app(
        Service(settings, database, system_clock, timetable, worker, Heartbeats(), clock_watch)
    )
    return json.dumps(app.openapi(), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    KEPT.write_text(openapi_text(), encoding="utf-8")
