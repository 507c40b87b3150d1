"""Who answers in place of a person."""

import pytest

from app.domain.placeholders import Placeholder
from app.domain.substitutes import Substitute, find_substitute, is_bot_first
from tests.support.chats import chat

ASK, BOT, ANSWER = ("client", "Есть?"), ("bot", "Мы ответим"), ("company", "Да")
NOTICE = ("system", Placeholder.ASSISTANT_ANSWERED.value)
ORDER = ("system", "Заказ оформлен")


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([], None),
        ([ASK], None),
        ([ASK, BOT], Substitute.BOT),
        ([ASK, NOTICE], Substitute.ASSISTANT),
        ([ASK, NOTICE, BOT], Substitute.BOT),
        ([ASK, BOT, NOTICE, ASK], Substitute.BOT),
        ([ASK, ORDER], None),
        ([BOT, ASK], None),
        ([ASK, BOT, ANSWER], None),
        ([ASK, BOT, ANSWER, ASK], None),
        ([ASK, ANSWER, ASK, BOT], Substitute.BOT),
        ([ASK, ANSWER, BOT], None),
    ],
)
def test_substitute_answers_a_waiting_buyer(
    lines: list[tuple[str, str]], found: Substitute | None
) -> None:
    assert find_substitute(chat(*lines)) is found


@pytest.mark.parametrize(
    ("lines", "is_first"),
    [
        ([], False),
        ([ASK, BOT, ANSWER], True),
        ([ASK, BOT], True),
        ([ASK, ANSWER, ASK, BOT], False),
        ([BOT, ASK, ANSWER], False),
        ([ASK, NOTICE, ANSWER], False),
    ],
)
def test_bot_is_first_if_it_answers_before_a_person(
    lines: list[tuple[str, str]], is_first: bool
) -> None:
    assert is_bot_first(chat(*lines)) is is_first
