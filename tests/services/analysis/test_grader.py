"""Failures of the model in a grading run.

Some end with the second attempt, others fail the chat; none results in a made-up grade.
"""

import re
from collections.abc import AsyncIterator

import pytest_asyncio

from app.domain.flags import list_flags
from app.domain.outcomes import OutcomeCode
from app.sandbox import deepseek_faults as faults
from app.sandbox.faults import Behaviour, ReceivedRequest
from app.sandbox.server import Sandbox
from tests.support.stage import GOOD_TALK, Stage, on_stage

PASSING: dict[str, Behaviour] = {
    "empty body": faults.EMPTY_BODY,
    "HTML": faults.HTML,
    "choices=None": faults.NULL_CHOICES,
    "429": faults.too_many(),
    "429 with Retry-After": faults.too_many("0"),
    "429 with a long Retry-After": faults.too_many("3600"),
    "500": faults.SERVER_ERROR,
    "503": faults.OVERLOADED,
    "cut connection": faults.CUT,
    "insufficient_system_resource": faults.NO_RESOURCE,
    "aborted": faults.ABORTED,
    "blank lines past the deadline": faults.Hang(600),
}
"""An attempt is repeated: not the chat's fault, and not the answer's."""
UNUSABLE: dict[str, Behaviour] = {
    "blanks": faults.BLANK,
    "copied shape": faults.COPIED_SHAPE,
    "missing criterion": faults.MISSING_CRITERION,
    "wrong grade": faults.WRONG_GRADE,
}
"""The answer is asked for once more, with what was wrong with it."""
REFUSED: dict[str, Behaviour] = {
    "Content Exists Risk": faults.CONTENT_RISK,
    "content_filter": faults.CONTENT_FILTER,
    "length": faults.LENGTH,
}
"""Asked once more in another way: masked harder, or with more room."""
HARMLESS: dict[str, Behaviour] = {
    "prose round the JSON": faults.PROSE,
    "fences round the JSON": faults.FENCES,
    "gendered Russian words": faults.RUSSIAN_GRADES,
    "checks in English words": faults.ENGLISH_CHECKS,
    "checks in Russian words": faults.RUSSIAN_CHECKS,
    "checks as booleans": faults.BOOLEAN_CHECKS,
    "thinking before the JSON": faults.THINKING,
    "extra criterion": faults.EXTRA_CRITERION,
    "extra keys": faults.EXTRA_KEYS,
    "English advice": faults.ENGLISH_ADVICE,
    "invented quotation": faults.INVENTED_QUOTATION,
    "blank lines before the answer": faults.Hang(0.1),
}
LASTING = {**PASSING, **UNUSABLE, **REFUSED, "400": faults.BAD_REQUEST, "too long": faults.TOO_LONG}
SECONDS = 2.0
"""The deadline of one attempt, in the cases that wait for it."""


@pytest_asyncio.fixture
async def hasty_stage(database_url: str) -> AsyncIterator[Stage]:
    async with Sandbox() as sandbox:
        sandbox.avito.accounts[0].chats.clear()
        async with on_stage(database_url, sandbox, deepseek_timeout_seconds=SECONDS) as stage:
            yield stage


async def chat_for_each(
    stage: Stage, cases: dict[str, Behaviour], times: int | None
) -> dict[str, str]:
    """Add a chat for each case; return the chats' IDs by case name."""
    chats = {}
    for number, (name, fault) in enumerate(cases.items()):
        words = f"Подойдёт ли деталь {number}-я по счёту?"

        def is_meant(request: ReceivedRequest, words: str = words) -> bool:
            return words in faults.user_message(request)

        chats[name] = stage.add_talk(("client", words), *GOOD_TALK[1:]).id
        stage.sandbox.deepseek.switches.fail(fault, when=is_meant, times=times)
    await stage.sync()
    return chats


async def test_single_failure_is_fixed_by_the_second_attempt(hasty_stage: Stage) -> None:
    stage = hasty_stage
    chats = await chat_for_each(stage, {**PASSING, **UNUSABLE, **REFUSED, **HARMLESS}, times=1)
    for name, chat_id in chats.items():
        before = len(stage.sandbox.deepseek.requests)
        answer = await stage.analyze(chat_ids=[chat_id])
        assert (answer["analyzed_chats"], answer["failed_chats"]) == (1, 0), name
        assert len(stage.sandbox.deepseek.requests) - before == (1 if name in HARMLESS else 2), name
    grades = {
        name: {key: value for key, value in report.items() if key.endswith("_grade")}
        for name, report in await by_case(stage, chats)
    }
    assert len({str(grade) for grade in grades.values()}) == 1, (
        "the same talk is graded the same, whatever happened on the way"
    )


async def by_case(stage: Stage, chats: dict[str, str]) -> list[tuple[str, dict[str, object]]]:
    reports = {report["chat_id"]: report for report in await stage.reports()}
    return [(name, reports[chat_id]) for name, chat_id in chats.items()]


async def test_permanent_failure_fails_the_chat_without_a_grade(hasty_stage: Stage) -> None:
    stage = hasty_stage
    well = stage.add_talk(*GOOD_TALK, title="Исправный")
    chats = await chat_for_each(stage, LASTING, times=None)
    for name, chat_id in chats.items():
        answer = await stage.analyze(chat_ids=[chat_id, well.id], force=True)
        assert (answer["analyzed_chats"], answer["failed_chats"], answer["waiting_chats"]) == (
            1,
            1,
            0,
        ), name
    reports = await stage.reports()
    assert {report["chat_id"] for report in reports} == {well.id}
    for row in await stage.rows(
        "SELECT outcome, outcome_code, outcome_detail FROM chats WHERE avito_id <> :well",
        well=well.id,
    ):
        assert row["outcome"] == "failed", row
        assert row["outcome_code"] in set(OutcomeCode), row
        assert row["outcome_detail"], row
        assert not re.search(": [А-ЯЁ]", row["outcome_detail"]), "no sentence begins behind a colon"
        assert "деталь" not in row["outcome_detail"], "what is told holds nothing of the chat"
    for name, chat_id in chats.items():
        answers = (await stage.rest.get(f"/api/v1/chats/{chat_id}")).json()["model_answers"]
        assert len(answers) == (2 if name in (*UNUSABLE, "length") else 0), name


async def test_retry_for_quotes_changes_no_grade(hasty_stage: Stage) -> None:
    stage = hasty_stage
    steady = stage.add_talk(*GOOD_TALK).id
    unsteady = stage.add_talk(("client", "А шкаф есть?"), *GOOD_TALK[1:]).id
    await stage.sync()
    await stage.analyze(chat_ids=[steady])
    for fault in faults.REROLL:
        stage.sandbox.deepseek.switches.fail(fault)
    await stage.analyze(chat_ids=[unsteady])
    reports = {report["chat_id"]: report for report in await stage.reports()}
    first, second = (
        {key: value for key, value in reports[chat].items() if key.endswith("_grade")}
        for chat in (steady, unsteady)
    )
    assert first == second
    (row,) = await stage.rows(
        "SELECT detail FROM reports JOIN chats ON chats.id = reports.chat_id"
        " WHERE chats.avito_id = :chat",
        chat=unsteady,
    )
    assert "unsteady" in list_flags(row["detail"])


async def test_invented_quote_is_removed_and_flagged(hasty_stage: Stage) -> None:
    stage = hasty_stage
    (chat_id,) = (
        await chat_for_each(stage, {"foreign quotes": faults.FOREIGN_QUOTES}, times=None)
    ).values()
    assert (await stage.analyze(chat_ids=[chat_id]))["analyzed_chats"] == 1
    assert len(stage.sandbox.deepseek.requests) == 2, (
        "a grade without evidence is asked for once more"
    )
    (report,) = await stage.rows("SELECT detail FROM reports")
    graded = report["detail"]["criteria"].values()
    assert [quote for verdict in graded for quote in verdict["quotes"]] == []
    assert all(
        "no_evidence" in verdict["flags"]
        for verdict in graded
        if verdict["grade"] in ("Высокая", "Низкая")
    )
    assert "no_evidence" in report["detail"]["flags"]
