"""Who wrote a message: evidence of a template, and each message by its own time."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.author_kinds import AuthorKind, AuthorReason, TemplateFigures
from app.domain.author_kinds import describe_author_reason as describe
from app.domain.authors import Reply, TemplateDecision, decide_kind, decide_template
from tests.support.openings import list_sets, load_companies, measure_authors

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NIGHT = datetime(2026, 11, 22, 3, tzinfo=UTC)
ALWAYS = None
"""Uses by day and by night in turn."""
BOT, PERSON, UNKNOWN = AuthorKind.BOT, AuthorKind.PERSON, AuthorKind.UNKNOWN
LONG = 180
"""Characters of a usual automatic reply."""


def reply(
    seconds: int | None,
    *,
    chat: int = 0,
    characters: int = LONG,
    at: datetime = NOON,
    wait: int | None = None,
    is_opening: bool = True,
    is_listed: bool = False,
) -> Reply:
    return Reply(
        chat, at, seconds, seconds if wait is None else wait, characters, is_opening, is_listed
    )


def uses(
    seconds: Sequence[int], *, characters: int = LONG, at: datetime | None = NOON
) -> list[Reply]:
    """Uses of a template in a chat each, a day apart."""
    return [
        reply(
            second,
            chat=chat,
            characters=characters,
            at=(at or (NOON, NIGHT)[chat % 2]) + timedelta(days=chat),
        )
        for chat, second in enumerate(seconds)
    ]


GREETING = [34, 21, 47, 88, 25, 62, 30, 75, 41, 55, 28, 90, 20, 66, 37]


@pytest.mark.parametrize(
    ("seconds", "characters", "at", "kind", "reason"),
    [
        ([3, 4], LONG, NOON, UNKNOWN, AuthorReason.FEW_COPIES),
        ([3, 4, 3], LONG, NOON, BOT, AuthorReason.INSTANT),
        ([2, 2, 3, 2, 4, 2], LONG, NIGHT, BOT, AuthorReason.INSTANT),
        ([3, 4, 3, 500, 7200], LONG, NOON, BOT, AuthorReason.INSTANT),  # also pasted much later
        ([9, 8, 9], LONG, NOON, PERSON, AuthorReason.HUMAN_PACE),  # pasted thrice
        ([45, 44, 46, 45, 47, 45], LONG, NOON, BOT, AuthorReason.CONSTANT_DELAY),
        ([60, 61, 60, 62, 60, 59], LONG, NOON, BOT, AuthorReason.CONSTANT_DELAY),
        ([60, 60, 60, 60, 60, 60], 40, NOON, PERSON, AuthorReason.HUMAN_PACE),  # typed at ease
        ([20, 20, 20, 20, 20, 20], 40, NOON, PERSON, AuthorReason.HUMAN_PACE),
        ([40, 41, 40, 40, 41, 40, 42, 40], 40, NOON, BOT, AuthorReason.CONSTANT_DELAY),
        ([6, 8, 2, 6, 13, 8], LONG, NOON, BOT, AuthorReason.INSTANT),  # a random delay
        ([8, 11, 7, 9, 13, 8], LONG, NOON, PERSON, AuthorReason.HUMAN_PACE),  # pasted
        ([60, 60, 60, 60, 60, 60], 40, ALWAYS, BOT, AuthorReason.CONSTANT_DELAY),
        ([60, 60, 60, 60, 60, 60], 40, NIGHT, PERSON, AuthorReason.HUMAN_PACE),
        ([45, 44, 46, 45, 47], LONG, NOON, PERSON, AuthorReason.HUMAN_PACE),  # too few
        ([30, 34, 26, 38, 24, 29, 33, 36, 25, 37], LONG, ALWAYS, BOT, AuthorReason.CONSTANT_DELAY),
        ([5, 19, 25, 44, 8, 13, 31, 11], LONG, ALWAYS, BOT, AuthorReason.ALWAYS_QUICK),
        ([22, 41, 55, 18, 47, 30, 26, 38], LONG, NIGHT, PERSON, AuthorReason.HUMAN_PACE),
        ([5, 19, 25, 44, 8, 13, 31, 11], LONG, NOON, PERSON, AuthorReason.HUMAN_PACE),
        ([5, 19, 25, 44, 8, 13, 31, 400], LONG, ALWAYS, PERSON, AuthorReason.HUMAN_PACE),
        (GREETING, 40, NOON, PERSON, AuthorReason.HUMAN_PACE),
        (GREETING, LONG, NOON, PERSON, AuthorReason.HUMAN_PACE),
        ([4, 5, 4, 6, 5, 4, 7, 5], 2, NOON, PERSON, AuthorReason.HUMAN_PACE),  # a quick «Да»
        ([2, 1, 2, 2, 1, 2], 13, NOON, BOT, AuthorReason.INSTANT),  # «Здравствуйте!» of a bot
        ([300, 900, 4000], LONG, NOON, UNKNOWN, AuthorReason.FEW_COPIES),
    ],
)
def test_template_is_decided_by_the_times_of_its_uses(
    seconds: list[int], characters: int, at: datetime | None, kind: AuthorKind, reason: AuthorReason
) -> None:
    decision = decide_template(uses(seconds, characters=characters, at=at))
    assert (decision.kind, decision.reason) == (kind, reason)


@pytest.mark.parametrize("pace", [20, 40, 90])
def test_pace_of_a_person_is_never_constant(pace: int) -> None:
    """The times cut off by a limit must not look like a constant delay."""
    seconds = [pace * (4 + place % 13) // 8 for place in range(40)]
    assert decide_template(uses(seconds)).kind is PERSON


def test_many_uses_in_one_chat_are_one() -> None:
    assert decide_template([reply(3, chat=7)] * 20).kind is UNKNOWN


def test_delay_may_be_counted_from_the_first_message_of_the_buyer() -> None:
    delayed = [
        reply(gap, chat=chat, wait=40) for chat, gap in enumerate([40, 12, 3, 25, 38, 7, 18])
    ]
    decision = decide_template(delayed)
    assert decision.reason is AuthorReason.CONSTANT_DELAY
    assert {decide_kind(use, decision)[0] for use in delayed} == {BOT}


def test_offers_before_a_question_are_no_evidence() -> None:
    offers = [reply(None, chat=100 + chat) for chat in range(20)]
    assert decide_template(offers).kind is UNKNOWN
    assert decide_template([*offers, *uses(GREETING)]).kind is PERSON
    assert decide_template([*offers, *uses([3, 4, 3])]).kind is BOT


def test_message_with_a_bots_text_is_judged_by_its_own_time() -> None:
    instant = decide_template(uses([3, 4, 3]))
    constant = decide_template(uses([45, 44, 46, 45, 47, 45]))
    slower = (PERSON, AuthorReason.SLOWER_THAN_BOT)
    assert decide_kind(reply(12), instant) == (BOT, AuthorReason.INSTANT)
    assert decide_kind(reply(240), instant) == slower
    assert decide_kind(reply(50), constant) == (BOT, AuthorReason.CONSTANT_DELAY)
    assert decide_kind(reply(240), constant) == slower


@pytest.mark.parametrize(
    ("use", "kind", "reason"),
    [
        (reply(2), UNKNOWN, AuthorReason.FEW_COPIES),
        (reply(2, is_opening=False), PERSON, AuthorReason.OWN_WORDS),
        (reply(4, characters=2), PERSON, AuthorReason.OWN_WORDS),
        (reply(40), PERSON, AuthorReason.HUMAN_PACE),
        (reply(None), PERSON, AuthorReason.NO_QUESTION),
        (reply(9000, is_listed=True), BOT, AuthorReason.LISTED),
        (reply(None, is_listed=True), BOT, AuthorReason.LISTED),
    ],
)
def test_message_without_copies(use: Reply, kind: AuthorKind, reason: AuthorReason) -> None:
    assert decide_kind(use, decide_template([])) == (kind, reason)


def test_quick_long_answer_is_a_persons_if_its_template_is() -> None:
    decision = decide_template(uses(GREETING))
    assert decide_kind(reply(2), decision)[0] is PERSON


def test_new_uses_within_the_old_limits_do_not_move_them() -> None:
    before = decide_template(uses([45, 44, 46, 45, 47, 45]))
    again = decide_template(uses([45, 44, 46, 45, 47, 45, 48]))
    assert not again.decides_like(before)
    assert again.keeping(before).decides_like(before)
    assert again.keeping(before).chats == 7
    later = decide_template(uses([45, 44, 46, 45, 47, 45, 50, 50, 49, 60]))
    assert later.keeping(before) == later
    assert again.keeping(None) == again


def test_reason_of_a_bot_has_the_figures_of_its_template() -> None:
    assert describe("instant", TemplateFigures(7, 3, 5)) == (
        "тот же текст приходит в разных чатах через секунды после клиента (чатов: 7, от 3 до 5 с)"
    )
    assert describe("instant", None) == AuthorReason.INSTANT.label
    assert describe("human_pace", TemplateFigures(7, 3, 500)) == "отправлено в темпе человека"
    assert describe("of_a_later_release", None) == "of_a_later_release"
    assert describe(None, None) is None
    assert all(reason.label for reason in AuthorReason)


def test_labelled_openings_are_within_the_goals() -> None:
    sets = [load_companies(path) for path in list_sets()]
    assert sum(len(company["chats"]) for companies in sets for company in companies) >= 300
    for companies in sets:
        figures = measure_authors(companies)
        assert figures.bots >= 100
        assert len(figures.missed) <= 0.05 * figures.bots, figures.missed
        assert len(figures.false) <= 0.01 * figures.people, figures.false


def test_decision_of_a_person_has_no_limits() -> None:
    assert decide_template(uses(GREETING)) == TemplateDecision(
        PERSON, AuthorReason.HUMAN_PACE, 14, 20, 88
    )
