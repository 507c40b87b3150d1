"""The parameters of runs: stored JSON, rows of the previous release, and equal requests."""

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import combinations
from typing import Any

import pytest

from app.clock import system_clock
from app.database.engine import Database
from app.models import Run, RunKind
from app.services.problems import Problem, ProblemCode
from app.services.run_params import (
    AnalyzeParams,
    DailyParams,
    MailParams,
    RegradeParams,
    RegradePeriod,
    RunParams,
    SyncParams,
    UnreadableParams,
    parse_params,
    parse_repeats,
)
from app.services.runs import require_run, submit, wait
from tests.support.stage import Stage

AT = datetime(2026, 11, 22, 17, 0, 0, 250_000, tzinfo=UTC)
PERIOD = RegradePeriod(start=AT - timedelta(days=1), end=AT, limit=None)
TOLD = Problem(code=ProblemCode.ACCOUNT_FAILED, account="Лавка", detail="не оплачен тариф.")

STORED: list[tuple[RunParams, dict[str, Any]]] = [
    (SyncParams(), {}),
    (SyncParams(full=True), {"full": True}),
    (AnalyzeParams(), {}),
    (AnalyzeParams(force=True, chat_ids=("b", "a", "b")), {"force": True, "chat_ids": ["a", "b"]}),
    (AnalyzeParams(chat_ids=(), limit=5), {"chat_ids": [], "limit": 5}),
    (
        AnalyzeParams(written_since=AT, deadline=AT.replace(microsecond=0)),
        {
            "written_since": "2026-11-22T17:00:00.250000+00:00",
            "deadline": "2026-11-22T17:00:00+00:00",
        },
    ),
    (
        RegradeParams(period=PERIOD, judge=("deepseek-flash", "abc")),
        {
            "regrade": {
                "start": "2026-11-21T17:00:00.250000+00:00",
                "end": "2026-11-22T17:00:00.250000+00:00",
                "limit": None,
            },
            "judge": ["deepseek-flash", "abc"],
        },
    ),
    (MailParams(), {}),
    (MailParams(deliveries=(3, 4)), {"deliveries": [3, 4]}),
    (MailParams(day=date(2026, 11, 22), resend=True), {"date": "2026-11-22", "resend": True}),
    (
        MailParams(
            day=date(2026, 11, 22),
            daily=True,
            problems=("Синхронизация: Лавка: не оплачен тариф.",),
        ),
        {
            "date": "2026-11-22",
            "daily": True,
            "problems": ["Синхронизация: Лавка: не оплачен тариф."],
        },
    ),
    (DailyParams(), {}),
]
"""Models and the JSON that the release before reads, and writes for a forced run."""


def stored_run(kind: RunKind, params: dict[str, Any]) -> Run:
    return Run(id=1, kind=kind, params=params, figures={})


@pytest.mark.parametrize(("params", "stored"), STORED)
def test_stored_json_keeps_the_keys_of_the_previous_release(
    params: RunParams, stored: dict[str, Any]
) -> None:
    assert params.as_json() == stored
    assert parse_params(stored_run(params.KIND, stored)) == params
    assert params.as_json(repeats=7) == {**stored, "repeats": 7}
    run = stored_run(params.KIND, params.as_json(repeats=7))
    assert (parse_params(run), parse_repeats(run)) == (params, 7)


@pytest.mark.parametrize(
    ("kind", "stored", "params"),
    [
        (RunKind.SYNC, {"full": False}, SyncParams()),
        (RunKind.ANALYZE, {"force": False}, AnalyzeParams()),
        (RunKind.MAIL, {"date": "2026-11-22", "resend": False}, MailParams(day=date(2026, 11, 22))),
        (
            RunKind.MAIL,
            {"date": "2026-11-22", "daily": True, "problems": [], "covered_days": ["2026-11-22"]},
            MailParams(day=date(2026, 11, 22), daily=True),
        ),
    ],
)
def test_explicit_defaults_of_the_previous_release_are_read(
    kind: RunKind, stored: dict[str, Any], params: RunParams
) -> None:
    assert parse_params(stored_run(kind, stored)) == params


@pytest.mark.parametrize(("params", "stored"), STORED)
def test_unknown_keys_are_ignored(params: RunParams, stored: dict[str, Any]) -> None:
    run = stored_run(params.KIND, {**stored, "clock_slot": "2026-11-23", "of_tomorrow": [1]})
    assert parse_params(run) == params


VARIED: dict[type[RunParams], dict[str, Any]] = {
    SyncParams: {"full": True},
    AnalyzeParams: {
        "chat_ids": ("x",),
        "limit": 1,
        "force": True,
        "written_since": AT,
        "deadline": AT,
    },
    MailParams: {
        "day": date(2026, 11, 1),
        "resend": True,
        "daily": True,
        "problems": ("x",),
        "described_problems": (TOLD,),
        "deliveries": (1,),
    },
}
SAMPLES: list[RunParams] = [
    *(params for params, _ in STORED),
    *(model(**{name: value}) for model, values in VARIED.items() for name, value in values.items()),
    *(
        RegradeParams(period=PERIOD.model_copy(update=change), judge=judge)
        for change in (
            {},
            {"start": AT - timedelta(days=2)},
            {"end": AT + timedelta(1)},
            {"limit": 1},
        )
        for judge in (None, ("model", "version"))
    ),
]


def test_requests_are_the_same_exactly_if_their_json_is() -> None:
    for one, other in combinations(SAMPLES, 2):
        same_json = one.KIND == other.KIND and one.as_json() == other.as_json()
        assert (one == other) is same_json, (one, other)


def test_every_field_is_part_of_the_comparison() -> None:
    """A field that the samples above do not set has been added without a sample."""
    for model in (SyncParams, AnalyzeParams, RegradeParams, MailParams, DailyParams):
        varied = {
            name for sample in SAMPLES if type(sample) is model for name in sample.model_fields_set
        }
        assert varied == set(model.model_fields), model


def test_same_moment_in_another_zone_is_the_same_request() -> None:
    moscow = AT.astimezone(timezone(timedelta(hours=3)))
    assert AnalyzeParams(deadline=moscow) == AnalyzeParams(deadline=AT)
    assert AnalyzeParams(deadline=moscow).as_json() == AnalyzeParams(deadline=AT).as_json()


@pytest.mark.parametrize(
    ("params", "forced"),
    [
        (SyncParams(), False),
        (SyncParams(full=True), True),
        (AnalyzeParams(chat_ids=("x",), limit=1), False),
        (AnalyzeParams(force=True), True),
        (RegradeParams(period=PERIOD), True),
        (MailParams(day=date(2026, 11, 22), daily=True), False),
        (MailParams(day=date(2026, 11, 22), resend=True), True),
        (DailyParams(), False),
        (UnreadableParams(), False),
    ],
)
def test_which_runs_repeat_work(params: RunParams, *, forced: bool) -> None:
    assert params.is_forced is forced


async def test_request_of_the_previous_release_is_the_same_request(database: Database) -> None:
    params = RegradeParams(period=PERIOD, judge=("deepseek-flash", "abc"))
    first, second = [await submit(database, params, system_clock) for _ in range(2)]
    assert (await require_run(database, second)).params == params.as_json(repeats=first)


async def test_unparsable_row_fails_only_its_run(stage: Stage) -> None:
    await stage.change(
        "INSERT INTO runs (kind, slot, state, params, created_at) VALUES"
        " ('mail', 'retry', 'queued', '{\"date\": \"завтра\"}', now())"
    )
    stage.service.worker.wake()
    run = await wait(stage.service.database, 1)
    assert (run.state, run.message) == (
        "failed",
        "Внутренняя ошибка службы; сделанное сохранено, подробности в журнале.",
    )
    assert (await stage.mail())["status"] == "success"
