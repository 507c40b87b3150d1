"""Chats about another account's listing: the company wrote as a buyer, so nothing is graded."""

from typing import Any

import pytest

from app.adapters import open_grader
from app.domain.outcomes import OutcomeCode
from app.repositories.grading_scope import Scope
from app.sandbox.avito_state import AvitoChat
from app.services.analysis.estimate import estimate_due
from tests.support.digests import figures, read_attachment
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage

SELLER = 7_100_000_000
REASON = "компания здесь покупатель"


def add_purchase(stage: Stage, *talk: tuple[str, str], minutes_ago: float = 60) -> AvitoChat:
    """Add a chat about a listing of another account, in which the company asks."""
    chat = stage.add_talk(*(talk or BAD_TALK), minutes_ago=minutes_ago)
    set_owner(stage, chat, SELLER)
    return chat


def set_owner(stage: Stage, chat: AvitoChat, owner_id: Any) -> None:
    assert chat.item is not None
    chat.item.owner_id = owner_id


async def read_chat(stage: Stage, chat_id: str) -> dict[str, Any]:
    return dict((await stage.rest.get(f"/api/v1/chats/{chat_id}")).json())


async def test_chat_is_skipped_with_its_reason_and_counted(stage: Stage) -> None:
    bought = add_purchase(stage)
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    answer = await stage.analyze()
    assert (answer["analyzed_chats"], answer["skipped_chats"]) == (1, 1)
    found = await read_chat(stage, bought.id)
    assert (found["outcome"], found["outcome_reason"], found["reports"]) == ("skipped", REASON, [])
    await stage.mail()
    assert (await figures(stage))["coverage"] == {
        "graded": 1,
        "skipped": {REASON: 1},
        "failed": 0,
        "waiting": 0,
    }
    assert f"пропущено 1 ({REASON}: 1)" in stage.last_mail().replace("\u00a0", " ")
    _, waiting, ungraded = read_attachment(stage)
    assert [(row["chat_id"], row["reason"]) for row in ungraded] == [(bought.id, REASON)]
    assert waiting == []
    assert "Ждут ответа: 0" in stage.last_mail()


async def test_it_has_no_contact(stage: Stage) -> None:
    """The meeting is a purchase of the company, not a result of its sales."""
    bought = add_purchase(stage, *GOOD_TALK)
    await stage.sync()
    assert (await read_chat(stage, bought.id))["contact"] is None


async def test_its_seller_does_not_wait(stage: Stage) -> None:
    """The seller wrote a minute ago: the chat does not settle either."""
    bought = add_purchase(stage, minutes_ago=1)
    await stage.sync()
    found = await read_chat(stage, bought.id)
    assert (
        found["waiting_since"]
        is found["unanswered_since"]
        is found["answer_times"]["waiting_since"]
    )
    assert (found["waiting_since"], found["outcome_reason"]) == (None, None)
    assert (await stage.analyze())["skipped_chats"] == 1


async def test_owner_of_the_listing_in_another_account_of_the_company(stage: Stage) -> None:
    """The account of the chat counts, not the company: the chat is also in the other account."""
    bought = add_purchase(stage, *GOOD_TALK)
    sold = stage.add_talk(*GOOD_TALK)
    set_owner(stage, sold, stage.avito.accounts[0].user_id)
    await stage.sync()
    await stage.analyze()
    outcomes = [(await read_chat(stage, chat.id))["outcome"] for chat in (bought, sold)]
    assert outcomes == ["skipped", "graded"]


@pytest.mark.parametrize("owner", [None, "", "avito", 0, -5, 1.5, True, [SELLER], {"id": SELLER}])
async def test_missing_or_malformed_owner_changes_nothing(stage: Stage, owner: Any) -> None:
    chat = add_purchase(stage, *GOOD_TALK)
    set_owner(stage, chat, owner)
    if owner is None:
        stage.avito.switches.drop_context_keys = {"user_id"}
    await stage.sync()
    assert (await stage.rows("SELECT item_owner_id FROM chats")) == [{"item_owner_id": None}]
    assert (await stage.analyze())["analyzed_chats"] == 1


async def test_owner_that_becomes_known_later_keeps_the_report(stage: Stage) -> None:
    stage.avito.switches.drop_context_keys = {"user_id"}
    chat = add_purchase(stage, *GOOD_TALK)
    await stage.sync()
    assert (await stage.analyze())["analyzed_chats"] == 1
    stage.avito.switches.drop_context_keys = set()
    await stage.sync(full=True)
    assert (await stage.analyze())["skipped_chats"] == 0
    found = await read_chat(stage, chat.id)
    assert (found["outcome"], len(found["reports"])) == ("graded", 1)
    stage.avito.add_message(chat.id, "client", text="Ждём вас!")
    await stage.sync()
    assert (await stage.analyze())["skipped_chats"] == 1
    found = await read_chat(stage, chat.id)
    assert (found["outcome"], len(found["reports"])) == ("skipped", 1)


async def test_force_and_the_estimate_skip_it_too(stage: Stage) -> None:
    chat = add_purchase(stage)
    await stage.sync()
    async with open_grader(stage.service.settings, clock=stage.clock) as grader:
        estimate = await estimate_due(stage.service.database, grader, Scope(), None)
    assert estimate.skipped == {OutcomeCode.COMPANY_IS_BUYER: 1}
    assert (await stage.analyze(force=True, chat_ids=[chat.id]))["skipped_chats"] == 1
    assert stage.sandbox.deepseek.requests == []
