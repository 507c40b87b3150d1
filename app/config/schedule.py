"""Settings of the schedule: daily run, sync interval and time zone."""

from datetime import time
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from app.config.setting_types import WallTime, Zone


class ScheduleFields(BaseModel):
    """What the service does without a call, and when."""

    report_time: WallTime = Field(time(20, 0), description="время ЧЧ:ММ, например 20:00")
    """Time of the daily run, in REPORT_TIMEZONE."""
    report_timezone: Zone = Field(
        ZoneInfo("Europe/Moscow"), description="название часового пояса, например Europe/Moscow"
    )
    """Time zone of dates, days and times in reports and mails. It may be changed at any time: old
    reports are then shown and found by date in the new zone. The page of a date stays in the zone
    that its newest mail names.
    """
    sync_interval_minutes: int = Field(
        15, ge=1, le=1440, description="целое число минут от 1 до 1440"
    )
    """Interval between two syncs."""
    scheduler_enabled: bool = Field(True, description="true или false")
    """Whether the scheduler runs. If false, chats are synced, graded and mailed only by a call."""
    run_deadline_minutes: float = Field(
        120, gt=0, le=1440, description="число минут больше нуля и до 1440"
    )
    """How long the daily run retries failed steps. Then the mail is sent and lists what is missing.
    """
