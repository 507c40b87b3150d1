"""The parameters of each kind of run. Only this module writes and parses ``runs.params``.

- Each kind has a model. The stored JSON has a key only for a value that differs from its default.
- Two requests are the same if their models are equal, which is the case exactly if their JSON is
  equal. A new field is therefore compared without further code.
- A worker of the release before reads the same rows, so keys are not renamed. Keys that this
  release does not have are ignored.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar

import structlog
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
)

from app.models import Run, RunKind
from app.repositories.repeated_runs import REPEATS
from app.services.problems import Problem

log = structlog.get_logger(__name__)

Moment = Annotated[
    AwareDatetime,
    AfterValidator(lambda moment: moment.astimezone(UTC)),
    PlainSerializer(datetime.isoformat, return_type=str, when_used="json"),
]
"""A moment in UTC; JSON has it as ``datetime.isoformat`` writes it, as the release before does."""

ChatIds = Annotated[tuple[str, ...], AfterValidator(lambda chat_ids: tuple(sorted(set(chat_ids))))]
"""Sorted and without duplicates: the same chats are the same request."""


class _Stored(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", validate_by_name=True, serialize_by_alias=True
    )


class RunParams(_Stored):
    """The parameters of a run. Each kind of run has a subclass."""

    KIND: ClassVar[RunKind]
    FORCING: ClassVar[tuple[str, ...]] = ()
    """The fields that ask for work that is done already, if they are set."""

    @property
    def is_forced(self) -> bool:
        """Whether the run repeats work that is done already."""
        return any(getattr(self, name) for name in self.FORCING)

    def as_json(self, *, repeats: int | None = None) -> dict[str, Any]:
        """Return the value of ``runs.params``.

        ``repeats``: the first unfinished run with the same parameters.
        """
        stored = self.model_dump(mode="json", exclude_defaults=True)
        return stored if repeats is None else {**stored, REPEATS: repeats}


class SyncParams(RunParams):
    """``full``: read the messages of every chat, not only of changed ones."""

    KIND = RunKind.SYNC
    FORCING = ("full",)
    full: bool = False


class AnalyzeParams(RunParams):
    """Which due chats are graded.

    ``chat_ids``: only these Avito ids. ``limit``: at most so many chats. ``force``: also failed and
    skipped chats, and unchanged ones that ``chat_ids`` names. ``written_since``: set by the daily
    run, see ``Scope``. ``deadline``: no chat is claimed from this moment on.
    """

    KIND = RunKind.ANALYZE
    FORCING = ("force",)
    chat_ids: ChatIds | None = None
    limit: int | None = None
    force: bool = False
    written_since: Moment | None = None
    deadline: Moment | None = None


class RegradePeriod(_Stored):
    """The newest ``limit`` reports written in ``[start, end)``.

    The JSON always has all three keys.
    """

    start: Moment
    end: Moment
    limit: int | None


class RegradeParams(RunParams):
    """Which reports are graded again.

    ``judge``: model and prompt version of the caller. A request with another judge is another
    request.
    """

    KIND = RunKind.ANALYZE
    FORCING = ("period",)
    period: RegradePeriod = Field(alias="regrade")
    judge: tuple[str, str] | None = None


class MailParams(RunParams):
    """What a mail run builds and delivers.

    - ``day``: the report's date; None: only retry deliveries.
    - ``resend``: mail the date's reports again.
    - ``daily``: the daily run has queued it.
    - ``problems``: what the daily run could not do, in Russian sentences.
    - ``described_problems``: the problems of syncs that ``problems`` contains. The default is None
      and not empty, because the release before needs the key in every daily run's mail.
    - ``deliveries``: ids of the deliveries that the scheduler retries.
    """

    KIND = RunKind.MAIL
    FORCING = ("resend",)
    day: date | None = Field(None, alias="date")
    resend: bool = False
    daily: bool = False
    problems: tuple[str, ...] = ()
    described_problems: tuple[Problem, ...] | None = None
    deliveries: tuple[int, ...] = ()


class DailyParams(RunParams):
    """The daily run has no parameters: its slot is its date."""

    KIND = RunKind.DAILY


class UnreadableParams(RunParams):
    """Placeholder for stored parameters that this release cannot parse.

    No step accepts it, so the run fails.
    """


_MODELS: Mapping[str, type[RunParams]] = {
    model.KIND: model for model in (SyncParams, AnalyzeParams, MailParams, DailyParams)
}


def parse_params(run: Run) -> RunParams:
    """Return the parameters of a stored run, whichever release has written it."""
    regrades = run.kind == RunKind.ANALYZE and "regrade" in run.params
    model = RegradeParams if regrades else _MODELS[run.kind]
    try:
        return model.model_validate(run.params)
    except ValidationError as error:
        log.warning("run.unreadable_params", run=run.id, fields=error.error_count())
        return UnreadableParams()


def parse_repeats(run: Run) -> int | None:
    """Return the first unfinished run with the same parameters, as stored; None: there was none."""
    number = run.params.get(REPEATS)
    return None if number is None else int(number)
