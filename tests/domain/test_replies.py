"""The company's texts of a chat with their times after the buyer's messages."""

from datetime import timedelta

import pytest

from app.domain.messages import ChatMessage, Side
from app.domain.placeholders import Placeholder
from app.domain.replies import ChatTexts, list_replies
from app.domain.reply_texts import ListedTexts
from tests.support.chats import MOSCOW, START

CHAT = ChatTexts(5, 1, ("Анна",), "Диван", MOSCOW, ListedTexts(("Мы закрыты",)))


def talk(*events: tuple[str, int, str]) -> list[ChatMessage]:
    """Return messages by side, seconds after the start and text; brackets are no text."""
    return [
        ChatMessage(
            number, Side(side), START + timedelta(seconds=at), text, not text.startswith("[")
        )
        for number, (side, at, text) in enumerate(events)
    ]


def list_times(*events: tuple[str, int, str]) -> list[tuple[int, int | None, int | None, bool]]:
    return [
        (use.message_id, use.reply.gap_seconds, use.reply.wait_seconds, use.reply.is_opening)
        for use in list_replies(talk(*events), CHAT)
    ]


def test_times_count_from_the_last_and_the_first_message_of_the_buyer() -> None:
    assert list_times(
        ("company", 0, "Предложение"),
        ("client", 100, "Здравствуйте"),
        ("client", 130, "Продаёте?"),
        ("company", 133, "Мы ответим"),
        ("company", 150, "Да"),
        ("client", 200, "Где?"),
        ("company", 260, "На Садовой"),
    ) == [(0, None, None, True), (3, 3, 33, False), (4, 20, 50, False), (6, 60, 60, False)]


@pytest.mark.parametrize("side", ["company", "bot"])
def test_two_messages_in_a_row_are_both_replies(side: str) -> None:
    first, second = (side, 3, "Мы ответим"), (side, 4, "Часы: 9-18")
    assert list_times(("client", 0, "Есть?"), first, second) == [
        (1, 3, 3, True),
        (2, 4, 4, False),
    ]


def test_notices_calls_and_numbers_are_no_replies() -> None:
    events = ("client", 0, "Есть?"), ("system", 1, "Заказ"), ("company", 3, "12 000")
    call = ChatMessage(9, Side.COMPANY, START + timedelta(seconds=5), "[звонок]", False, "call")
    assert list(list_replies([*talk(*events), call], CHAT)) == []


def test_picture_soon_after_a_text_is_one_answer_with_it() -> None:
    question, text = ("client", 0, "Есть?"), ("company", 3, "Мы ответим")
    soon, late = (
        list(list_replies(talk(question, text, ("company", at, "[фото]")), CHAT)) for at in (4, 40)
    )
    alone = list(list_replies(talk(question, ("company", 4, "[фото]")), CHAT))
    assert soon[1].reply.characters > len("Мы ответим")
    assert soon[1].key not in (soon[0].key, late[1].key)
    assert late[1].key == alone[0].key


def test_link_is_recognised_by_its_text() -> None:
    events = ("client", 0, "Есть?"), ("company", 3, "[ссылка: Мы закрыты]")
    (use,) = list_replies(talk(*events), CHAT)
    assert use.reply.is_listed


def test_notice_of_a_lead_is_answered_like_a_message() -> None:
    lead = ("system", 0, Placeholder.NOTHING_WRITTEN.value)
    assert list_times(lead, ("company", 2, "Чем помочь?")) == [(1, 2, 2, True)]
    other = ("system", 0, Placeholder.ASSISTANT_ANSWERED.value)
    assert list_times(other, ("company", 2, "Чем помочь?")) == [(1, None, None, True)]


def test_reply_has_its_template_and_whether_it_is_listed() -> None:
    texts = "Здравствуйте, Анна! Ответим.", "здравствуйте ответим", "МЫ ЗАКРЫТЫ!"
    uses = list(list_replies(talk(*(("company", 0, text) for text in texts)), CHAT))
    assert uses[0].key == uses[1].key != uses[2].key
    assert [use.reply.is_listed for use in uses] == [False, False, True]
    assert uses[0].reply.chat_id == 5
    assert uses[0].reply.characters == len(texts[0])
    assert uses[0].reply.sent_at.hour == 12  # in Moscow
