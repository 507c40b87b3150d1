"""The figures of one mail: computed once, stored with it, and shown by whatever shows that day."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from app.domain.outcomes import Outcome


class MailPart(StrEnum):
    """What a mail is if its date has had a mail before. Stored and shown by its Russian word."""

    SUPPLEMENT = "дополнение"
    REPEAT = "повтор"


class _Figures(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True
    )  # chats, and errors end in logs


class Coverage(_Figures):
    """Every chat in which a person wrote in the period, and those left over from before: ``total``
    is the sum of the four.
    """

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
    """How many of the mail's reports gave each grade of one criterion; ``absent`` counts «Нет
    возражений».
    """

    label: str
    high: int
    medium: int
    low: int
    absent: int

    @property
    def applicable(self) -> int:
        """The reports to which the criterion applies: what shares are of."""
        return self.high + self.medium + self.low


class FirstAnswer(_Figures):
    """How long buyers waited for the first answer, over the reports that know it; in seconds of
    working time.
    """

    answered: int = 0
    median_seconds: float | None = None
    p90_seconds: float | None = None


class Measures(_Figures):
    """What is counted of any selection of reports: a mail's, a day's, an account's, a model's."""

    reports: int
    chats: int
    mean_score: float | None
    """0 to 100; None without reports."""
    bad_reports: int
    """Reports with a score below ``BAD_BELOW``."""
    first_answer: FirstAnswer
    cost_usd: Decimal | None
    """None where one of the reports has no known price."""
    criteria: tuple[CriterionShare, ...]
    reviewed_reports: int = 0
    """Reports with a person's word in force."""
    addressed_reports: int = 0
    """Reports whose chat speaks to the grader: their grades deserve a look."""
    unproven_reports: int = 0
    """Reports with a high or low grade that no verified quote stands behind: they deserve one too.
    """


class Series(_Figures):
    """Who graded: scores are comparable within one model and one prompt version, and with nothing
    else.
    """

    model: str
    prompt_version: str
    reports: int
    mean_score: float
    bad_reports: int


class Baseline(_Figures):
    """Earlier mails that this one is compared with; their reports are taken together."""

    days: tuple[date, ...]
    """Their dates, oldest first."""
    reports: int
    mean_score: float | None
    bad_reports: int
    first_answer: FirstAnswer
    waiting_buyers: float | None
    """The mean over the dates."""
    same_series: bool
    """Graded by what graded this mail's reports, all of them."""
    same_hours: bool = True
    """Their answer times are counted as this mail's: in working hours, or round the clock."""


class MailedDay(_Figures):
    """One of the days whose course the mail shows."""

    day: date
    reports: int
    mean_score: float | None
    new_series: bool = False
    """Another model or prompt version than on the day before it that has reports."""
    new_build: bool = False
    """The model answered with a fingerprint that no day before it shows."""


class CarriedReports(_Figures):
    """Whose reports a mail carries: the first three add up to all of them; the first and the last
    to the coverage's graded chats.
    """

    of_graded_chats: int
    """The newest of each graded chat of the period."""
    of_same_chats: int
    """Further ones of the period's chats: a chat graded twice, or one that waits to be graded anew.
    """
    of_other_chats: int
    """Of chats in which nobody wrote in the period."""
    graded_chats_mailed_before: int
    """Graded chats of the period whose reports another mail carried: an earlier one, or a later one
    where this one is of a past date.
    """


class _ShownChat(_Figures):
    report_id: int
    chat_id: str
    chat_title: str
    client_name: str
    score: float
    criterion: str
    """The criterion that pulled it down, or that it did well, in Russian."""
    quote: str | None
    """Word for word from the chat, with «…» where a sentence is cut; None where no quote was left
    after checking.
    """
    quote_side: str | None = None
    """Who wrote it: ``client`` or ``company``."""


class WorstChat(_ShownChat):
    """A chat that somebody should open: those with a low grade, the lowest scores of the mail
    first.
    """

    advice: str | None
    advice_at: datetime | None = None
    """When the message was written that the advice is about."""
    addressed: bool = False
    """The chat speaks to the grader."""


class GoodChat(_ShownChat):
    """A chat to learn from: the highest scores of the mail."""


class WaitingBuyer(_Figures):
    """A buyer whose message is the last one of the chat."""

    account: str = ""
    chat_id: str
    chat_title: str
    client_name: str
    since: datetime


class UngradedChat(_Figures):
    """A chat that counts in the mail and has no grade."""

    account: str
    chat_id: str
    chat_title: str
    client_name: str
    status: Literal[Outcome.SKIPPED, Outcome.FAILED, Outcome.WAITING]
    reason: str | None
    """In Russian."""


class FailedChat(_Figures):
    """A chat that should have been graded and was not."""

    chat_id: str
    chat_title: str
    reason: str


class DigestFigures(_Figures):
    """Everything that a mail says. Moments are aware; people see them in ``timezone``.

    What has a default was not yet said by mails of older versions, whose figures are kept.
    """

    day: date
    covered_days: tuple[date, ...]
    """The days that a late run makes up for, oldest first, ``day`` included."""
    part: MailPart | None = None
    timezone: str
    period_start: datetime
    period_end: datetime
    drawn_at: datetime | None = None
    """When it was found out what had become of the chats: after the period, where a past date is
    mailed.
    """
    accounts: tuple[str, ...]
    """Those of the settings that have been read."""
    dropped_accounts: tuple[str, ...] = ()
    """Those that were taken out of the settings and have chats or reports in this mail."""
    synced_at: datetime | None
    """The oldest of their last good syncs."""
    problems: tuple[str, ...]
    """What is missing and why, one Russian sentence each: the red banner."""
    coverage: Coverage
    reports: int
    """The reports that this mail carries."""
    mean_score: float | None
    """0 to 100; None without reports."""
    bad_reports: int
    """Reports with a score below ``BAD_BELOW``."""
    criteria: tuple[CriterionShare, ...]
    worst: tuple[WorstChat, ...]
    waiting_buyers: tuple[WaitingBuyer, ...]
    """All of them, the longest wait first."""
    failed_chats: tuple[FailedChat, ...]
    """The first five, with the whole reason."""
    addressed_reports: int = 0
    """Reports whose chat speaks to the grader."""
    unproven_reports: int = 0
    """Reports with a high or low grade that no verified quote stands behind."""
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
    carried: CarriedReports | None = None
    first_answer: FirstAnswer = FirstAnswer()
    working_time: bool = False
    """Answer times count working hours only."""
    series: tuple[Series, ...] = ()
    """Who graded the reports; several of them are several yardsticks in one mean."""
    day_before: Baseline | None = None
    """The mails of the day before the first covered day; None where there were none."""
    same_weekdays: Baseline | None = None
    """The mails of the same weekday in the four weeks before."""
    days: tuple[MailedDay, ...] = ()
    """The last fourteen days, oldest first, the mail's own last; its reports alone stand for that
    day.
    """
    best: tuple[GoodChat, ...] = ()
    ungraded: tuple[UngradedChat, ...] = ()
    """All of them: as many as the coverage says."""
