"""The figures of one mail: computed once, stored with it, and shown by the mail and REST."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from app.domain.outcomes import Outcome
from app.domain.substitutes import Substitute


class MailPart(StrEnum):
    """The kind of a mail whose date has had a mail before. Stored and shown in Russian."""

    SUPPLEMENT = "дополнение"
    REPEAT = "повтор"


class _Figures(BaseModel):
    # Errors are logged, and the input contains chat texts. A later release may store more fields.
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Coverage(_Figures):
    """Number of chats with a person's message in the period or left over before, by outcome."""

    graded: int
    skipped: dict[str, int]
    """By reason, in Russian."""
    failed: int
    waiting: int

    @property
    def total(self) -> int:
        """The sum of the four outcomes."""
        return self.graded + sum(self.skipped.values()) + self.failed + self.waiting


class RepeatedAnswer(_Figures):
    """How often two gradings of the same chats differ in one grade or check."""

    name: str
    """A criterion or the id of a check."""
    n: int
    """Chats that were graded twice."""
    flipped: int


class Steadiness(_Figures):
    """The comparison of first and second gradings, by criterion and by check."""

    criteria: tuple[RepeatedAnswer, ...] = ()
    checks: tuple[RepeatedAnswer, ...] = ()

    @property
    def n(self) -> int:
        """All check answers that were given twice."""
        return sum(check.n for check in self.checks)

    @property
    def flipped(self) -> int:
        """Those of them that differ."""
        return sum(check.flipped for check in self.checks)


class CriterionShare(_Figures):
    """Number of reports with each grade of one criterion; ``absent`` counts «Нет возражений»."""

    label: str
    high: int
    medium: int
    low: int
    absent: int

    @property
    def applicable(self) -> int:
        """The number of reports to which the criterion applies: the base of shares."""
        return self.high + self.medium + self.low


class FirstAnswer(_Figures):
    """Seconds of working time until the company's first answer, over the reports that have it."""

    answered: int = 0
    median_seconds: float | None = None
    p90_seconds: float | None = None


class Contacts(_Figures):
    """Reports with a contact or an agreed meeting. ``n``: reports in which it was looked for."""

    count: int = 0
    n: int = 0


class BotFirst(_Figures):
    """Reports of chats that a bot was the first to answer. ``n``: reports that contain it."""

    count: int = 0
    n: int = 0


class Measures(_Figures):
    """The figures of a set of reports: of a mail, a day, an account or a series."""

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
    """Reports with a review in force."""
    addressed_reports: int = 0
    """Reports whose chat addresses the grader; a person should check their grades."""
    unproven_reports: int = 0
    """Reports with a high or low grade without a verified quote; a person should check them."""
    critical_reports: int = 0
    """Reports with a critical fault of the seller."""
    contradicting_reports: int = 0
    """Reports in which the seller contradicts the listing or the company's facts."""
    contacts: Contacts = Contacts()
    bot_first: BotFirst = BotFirst()


class CorrectedShare(_Figures):
    """The share of bad reports corrected by blind labels, with its 95 % interval; 0 to 1."""

    share: float
    low: float
    high: float
    labels: int
    """The number of labelled reports."""


class Series(_Figures):
    """Reports of one model and one prompt version. Only scores of one series are comparable."""

    model: str
    prompt_version: str
    reports: int
    mean_score: float
    bad_reports: int


class Baseline(_Figures):
    """The figures of earlier mails together, for comparison with this mail."""

    days: tuple[date, ...]
    """Their dates, oldest first."""
    reports: int
    mean_score: float | None
    bad_reports: int
    first_answer: FirstAnswer
    waiting_buyers: float | None
    """Mean number over the dates."""
    same_series: bool
    """Whether all reports, this mail's included, are of one series."""
    same_hours: bool = True
    """Whether answer times are counted as in this mail: in working hours or around the clock."""


class MailedDay(_Figures):
    """One of the fourteen days that the mail shows."""

    day: date
    reports: int
    mean_score: float | None
    new_series: bool = False
    """Whether a series is new since the last day before that has reports."""
    new_build: bool = False
    """Whether the model returned a fingerprint that none of the days before has."""


class CarriedReports(_Figures):
    """Number of carried reports by their chats.

    The first three add up to all reports. The first and the last add up to the graded chats.
    """

    of_graded_chats: int
    """The newest report of each graded chat of the period."""
    of_same_chats: int
    """Other reports of the period's chats: of chats graded twice or due again."""
    of_other_chats: int
    """Reports of chats without a person's message in the period."""
    graded_chats_mailed_before: int
    """Graded chats of the period whose reports another mail carries.

    It is an earlier mail, or a later one if this mail is of a past date.
    """


class _ShownChat(_Figures):
    account: str = ""
    report_id: int
    chat_id: str
    chat_title: str
    client_name: str
    score: float
    criterion: str
    """The low criterion of a bad chat or the high one of a good chat, in Russian."""
    quote: str | None
    """Words of the chat, with «…» for a truncated sentence; None: there is no verified quote."""
    quote_side: str | None = None
    """The side of its author: ``client`` or ``company``."""


class WorstChat(_ShownChat):
    """A chat with a low grade, which a person should read. The lowest score is first."""

    advice: str | None
    advice_at: datetime | None = None
    """The time of the message that the advice is about."""
    addressed: bool = False
    """Whether the chat addresses the grader."""
    author_changed: bool = False
    """Whether a message has got another author since the grading."""
    critical: tuple[str, ...] = ()
    """The critical faults of the seller, in Russian."""


class GoodChat(_ShownChat):
    """A chat with one of the highest scores of the mail."""


class ListingFigures(_Figures):
    """A listing with one of the lowest mean scores, of at least ``ENOUGH_REPORTS`` reports."""

    item_id: int
    chat_title: str
    """The title in its newest report."""
    reports: int
    mean_score: float


class WaitingBuyer(_Figures):
    """A buyer whose message is the last one of the chat, at most 7 days old."""

    account: str = ""
    chat_id: str
    chat_title: str
    client_name: str
    since: datetime
    missed_call: bool = False
    answered_by: Substitute | None = None
    """Who has answered in place of a person."""


class UngradedChat(_Figures):
    """A counted chat without a grade."""

    account: str
    chat_id: str
    chat_title: str
    client_name: str
    status: Literal[Outcome.SKIPPED, Outcome.FAILED, Outcome.WAITING]
    reason: str | None
    """In Russian."""


class FailedChat(_Figures):
    """A chat that could not be graded."""

    account: str = ""
    chat_id: str
    chat_title: str
    reason: str


class DigestFigures(_Figures):
    """All figures of a mail. Moments are aware; they are shown in ``timezone``.

    Fields with a default do not occur in the stored figures of older versions.
    """

    day: date
    covered_days: tuple[date, ...]
    """The dates that the mail covers, oldest first, ``day`` included."""
    part: MailPart | None = None
    timezone: str
    period_start: datetime
    period_end: datetime
    drawn_at: datetime | None = None
    """When the outcomes of the chats were read; after the period for a mail of a past date."""
    accounts: tuple[str, ...]
    """The accounts of the settings that have been synced."""
    dropped_accounts: tuple[str, ...] = ()
    """Accounts removed from the settings that have chats or reports in this mail."""
    synced_at: datetime | None
    """The oldest of the accounts' last successful syncs."""
    problems: tuple[str, ...]
    """What is missing and why, in Russian sentences, for the red banner."""
    coverage: Coverage
    reports: int
    """Number of reports that the mail carries."""
    mean_score: float | None
    """0 to 100; None without reports."""
    bad_reports: int
    """Reports with a score below ``BAD_BELOW``."""
    bad_share_corrected: CorrectedShare | None = None
    """None: too few labels."""
    criteria: tuple[CriterionShare, ...]
    worst: tuple[WorstChat, ...]
    worst_listings: tuple[ListingFigures, ...] = ()
    """At most three, the lowest mean first."""
    waiting_buyers: tuple[WaitingBuyer, ...]
    """All waiting buyers, the longest wait first."""
    failed_chats: tuple[FailedChat, ...]
    """The first five, with the full reason."""
    addressed_reports: int = 0
    """Reports whose chat addresses the grader."""
    unproven_reports: int = 0
    """Reports with a high or low grade without a verified quote."""
    critical_reports: int = 0
    """Reports with a critical fault of the seller."""
    contradicting_reports: int = 0
    """Reports in which the seller contradicts the listing or the company's facts."""
    contacts: Contacts = Contacts()
    bot_first: BotFirst = BotFirst()
    steadiness: Steadiness = Steadiness()
    incomplete_chats: int
    """Chats whose history Avito does not return in full."""
    cut_short_accounts: tuple[str, ...]
    """Accounts with more chats than Avito returns; the oldest chats are not copied."""
    cost_usd: Decimal | None
    """None where the model has no known price."""
    models: tuple[str, ...]
    prompt_versions: tuple[str, ...]
    failed_addresses: tuple[str, ...]
    """Recipients of finally failed deliveries that no mail before has listed."""
    carried: CarriedReports | None = None
    first_answer: FirstAnswer = FirstAnswer()
    working_time: bool = False
    """Whether answer times count working hours only."""
    series: tuple[Series, ...] = ()
    """The series of the reports. If there are several, the mean combines different scales."""
    day_before: Baseline | None = None
    """The mails of the day before the first covered date; None: there were none."""
    same_weekdays: Baseline | None = None
    """The mails of the same weekday in the four weeks before; None: there were none."""
    days: tuple[MailedDay, ...] = ()
    """The last fourteen days, oldest first, each with the reports of all its mails so far."""
    best: tuple[GoodChat, ...] = ()
    ungraded: tuple[UngradedChat, ...] = ()
    """All ungraded chats that ``coverage`` counts."""
