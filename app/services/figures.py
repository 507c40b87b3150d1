"""The figures of one mail: computed once, stored with it, and shown by whatever shows that day."""

from datetime import date, datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict


class _Figures(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Coverage(_Figures):
    """Every chat in which a person wrote in the period, and those left over from before: ``total`` is the sum of the four."""

    graded: int
    skipped: dict[str, int]
    """By reason, in Russian words."""
    failed: int
    waiting: int

    @property
    def total(self) -> int:
        """N of the mail."""
        return self.graded + sum(self.skipped.values()) + self.failed + self.waiting


class CriterionShare(_Figures):
    """How many of the mail's reports gave each grade of one criterion; ``absent`` counts «Нет возражений»."""

    label: str
    high: int
    medium: int
    low: int
    absent: int

    @property
    def applicable(self) -> int:
        """The reports to which the criterion applies: what shares are of."""
        return self.high + self.medium + self.low


class WorstChat(_Figures):
    """A chat that somebody should open: the lowest scores of the mail."""

    report_id: int
    chat_id: str
    chat_title: str
    client_name: str
    score: float
    criterion: str
    """The criterion that pulled it down, in Russian."""
    quote: str | None
    """Verbatim from the chat; None where no quote was left after checking."""
    advice: str | None


class WaitingBuyer(_Figures):
    """A buyer whose message is the last one of the chat."""

    chat_id: str
    chat_title: str
    client_name: str
    since: datetime


class FailedChat(_Figures):
    """A chat that should have been graded and was not."""

    chat_id: str
    chat_title: str
    reason: str


class DigestFigures(_Figures):
    """Everything that a mail says. Moments are aware; people see them in ``timezone``."""

    day: date
    covered_days: tuple[date, ...]
    """The days that a late run makes up for, oldest first, ``day`` included."""
    timezone: str
    period_start: datetime
    period_end: datetime
    accounts: tuple[str, ...]
    synced_at: datetime | None
    """The oldest of the accounts' last good syncs."""
    problems: tuple[str, ...]
    """What is missing and why, one Russian sentence each: the red banner."""
    coverage: Coverage
    reports: int
    """The reports that this mail carries."""
    mean_score: float | None
    """0 to 100; None without reports."""
    bad_reports: int
    """Reports with a score under 50."""
    criteria: tuple[CriterionShare, ...]
    worst: tuple[WorstChat, ...]
    waiting_buyers: tuple[WaitingBuyer, ...]
    """The ten longest waits."""
    waiting_buyers_total: int
    failed_chats: tuple[FailedChat, ...]
    """The first ten."""
    incomplete_chats: int
    """Chats whose history Avito does not give in full."""
    cut_short_accounts: tuple[str, ...]
    """Accounts with more chats than Avito gives; the oldest were never seen."""
    cost_usd: Decimal | None
    """None where the model has no known price."""
    models: tuple[str, ...]
    prompt_versions: tuple[str, ...]
    failed_addresses: tuple[str, ...]
    """Recipients whom an earlier mail failed to reach for good, not named before."""
