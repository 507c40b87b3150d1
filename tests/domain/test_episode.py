"""Episodes, windows and reasons to skip a chat."""

from datetime import timedelta

import pytest

from app.domain.episode import latest_episode, why_ungradeable, window
from app.domain.messages import ChatMessage, Side
from app.domain.outcomes import OutcomeCode
from app.domain.substitutes import Substitute
from tests.support.chats import START, chat

GAP = timedelta(hours=72)


def timeline(*events: tuple[str, float]) -> list[ChatMessage]:
    """Return messages by (side, hours after the start) with the IDs 0, 1, 2, …

    "client missed" is a call.
    """
    return [
        make_message(index, *event.split(), hours=hours)
        for index, (event, hours) in enumerate(events)
    ]


def make_message(
    index: int, side: str, call_status: str | None = None, *, hours: float = 0
) -> ChatMessage:
    return ChatMessage(
        index,
        Side(side),
        START + timedelta(hours=hours),
        "текст" if call_status is None else "[звонок]",
        has_text=call_status is None,
        type="text" if call_status is None else "call",
        call_status=call_status,
    )


@pytest.mark.parametrize(
    ("events", "kept"),
    [
        ([], []),
        ([("client", 0), ("company", 1)], [0, 1]),
        ([("client", 0), ("company", 1), ("client", 74), ("company", 75)], [2, 3]),
        (
            [("client", 0), ("company", 1), ("client", 73), ("company", 74)],
            [0, 1, 2, 3],
        ),  # exactly 72 hours are not longer
        ([("client", 0), ("company", 100)], [0, 1]),  # the late answer
        ([("client", 0), ("client", 100), ("company", 101)], [0, 1, 2]),  # the buyer asks again
        (
            [("client", 0), ("company", 1), ("company", 100), ("client", 101)],
            [0, 1, 2, 3],
        ),  # the company ends the silence
        ([("company", 0), ("client", 100), ("company", 101)], [1, 2]),
        (
            [("client", 0), ("company", 1), ("system", 40), ("client", 75)],
            [3],
        ),  # a system message does not end a silence
        ([("client", 0), ("system", 1), ("client", 100)], [0, 2]),
        (
            [
                ("client", 0),
                ("company", 1),
                ("client", 100),
                ("company", 101),
                ("client", 200),
                ("company", 201),
            ],
            [4, 5],
        ),
        (
            [("client", 0), ("company", 1), ("client", 100), ("company", 101), ("client", 120)],
            [2, 3, 4],
        ),
        ([("system", 0)], []),
        ([("client", 0), ("company completed", 1), ("client", 100)], [2]),
        ([("client", 0), ("client completed", 1), ("client", 100)], [2]),
        (
            [("client", 0), ("company missed", 1), ("client", 100)],
            [0, 1, 2],
        ),  # the buyer still waits
        ([("client", 0), ("company", 1), ("company missed", 2), ("client", 100)], [3]),
        ([("client", 0), ("company", 1), ("client missed", 2), ("client", 100)], [0, 1, 2, 3]),
        ([("client", 0), ("company", 1), ("client busy", 2), ("client", 100)], [3]),
        # Messages of a bot neither begin nor end a silence, and belong to the episode.
        ([("client", 0), ("bot", 1), ("client", 100)], [0, 1, 2]),
        ([("client", 0), ("company", 1), ("bot", 60), ("client", 100), ("bot", 101)], [3, 4]),
        ([("client", 0), ("company", 1), ("bot", 90), ("client", 73)], [0, 1, 2, 3]),
        ([("bot", 0), ("client", 1), ("company", 2)], [0, 1, 2]),
        ([("bot", 0)], [0]),
    ],
)
def test_latest_episode(events: list[tuple[str, float]], kept: list[int]) -> None:
    assert [message.id for message in latest_episode(timeline(*events), GAP)] == kept


def test_window_is_the_end_of_the_latest_episode() -> None:
    messages = timeline(
        ("client", 0), ("company", 1), *[("client", 100 + index) for index in range(10)]
    )
    assert [message.id for message in window(messages, GAP, limit=3)] == [9, 10, 11]
    assert [message.id for message in window(messages, GAP)] == list(range(2, 12))


def test_window_has_at_most_200_messages() -> None:
    assert len(window(timeline(*[("client", 0.01 * index) for index in range(500)]), GAP)) == 200


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], OutcomeCode.NOTHING_WRITTEN),
        ([("company", "Скидка 10 %!")], OutcomeCode.NO_CLIENT_MESSAGE),
        ([("client", "Актуально?")], OutcomeCode.NO_COMPANY_ANSWER),
        ([("company", "Скидка 10 %!"), ("client", "Какой пробег?")], OutcomeCode.NO_COMPANY_ANSWER),
        ([("client", "[фото]"), ("company", "[голосовое сообщение]")], OutcomeCode.NO_TEXT),
        ([("client", "Актуально?"), ("company", "[фото]")], OutcomeCode.NO_TEXT),
        ([("client", "Актуально?"), ("company", "\u200b\u2800 ")], OutcomeCode.NO_TEXT),
        ([("client", "[фото]"), ("company", "Напишите словами, пожалуйста")], None),
        ([("client", "Актуально?"), ("company", "[фото]"), ("company", "да")], None),
        ([("client", "Актуально?"), ("company", "👍")], None),
        ([("bot", "Спасибо за звонок")], OutcomeCode.NOTHING_WRITTEN),
        ([("client", "Актуально?"), ("bot", "Мы ответим")], OutcomeCode.NO_COMPANY_ANSWER),
        ([("client", "Актуально?"), ("bot", "Мы ответим"), ("company", "да")], None),
        ([("client", "Актуально?"), ("company", "[фото]"), ("bot", "да")], OutcomeCode.NO_TEXT),
    ],
)
def test_reasons_to_skip(lines: list[tuple[str, str]], reason: OutcomeCode | None) -> None:
    assert why_ungradeable(chat(*lines)) is reason


@pytest.mark.parametrize(
    ("substitute", "reason"),
    [
        (Substitute.BOT, OutcomeCode.ONLY_BOT_ANSWERED),
        (Substitute.ASSISTANT, OutcomeCode.ONLY_ASSISTANT_ANSWERED),
    ],
)
def test_reason_names_who_answered_in_place_of_a_person(
    substitute: Substitute, reason: OutcomeCode
) -> None:
    asked = chat(("client", "Актуально?"))
    assert why_ungradeable(asked, substitute=substitute) is reason
    answered = chat(("client", "Актуально?"), ("company", "да"), ("client", "Где?"))
    assert why_ungradeable(answered, substitute=substitute) is None


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        (["client", "company missed"], OutcomeCode.NO_COMPANY_ANSWER),
        (["client", "company busy"], OutcomeCode.NO_COMPANY_ANSWER),
        (["client missed"], OutcomeCode.NO_COMPANY_ANSWER),
        (["client", "company completed"], OutcomeCode.NO_TEXT),
        (["client completed"], OutcomeCode.NO_TEXT),
        (["client completed", "company"], None),
        (["client missed", "company completed", "company"], None),
    ],
)
def test_call_is_no_text_answer(events: list[str], reason: OutcomeCode | None) -> None:
    talk = [make_message(index, *event.split()) for index, event in enumerate(events)]
    assert why_ungradeable(talk) is reason


def test_chat_in_which_the_company_buys_is_skipped_for_that_reason() -> None:
    talk = chat(("client", "Актуально?"), ("company", "да"))
    for messages in (talk, talk[:1], []):
        assert why_ungradeable(messages, company_is_buyer=True) is OutcomeCode.COMPANY_IS_BUYER


def test_reasons_have_russian_labels() -> None:
    assert [code.label for code in list(OutcomeCode)[:5]] == [
        "нет сообщений клиента",
        "нет ответа компании",
        "ответил только автоответчик",
        "ответил только ассистент Авито",
        "нет текста",
    ]


def test_oldest_messages_are_omitted_if_the_texts_are_long() -> None:
    messages = chat(
        ("client", "а" * 60_000),
        ("company", "б" * 30_000),
        ("client", "в" * 30_000),
        ("company", "г" * 40_000),
    )
    assert window(messages, GAP) == messages[1:]
    many = chat(*[("client", "а" * 500)] * 300)
    assert window(many, GAP) == window(many, GAP, limit=200)


@pytest.mark.parametrize(("characters", "kept"), [(99_999, 2), (100_000, 1)])
def test_window_has_at_most_100000_characters(characters: int, kept: int) -> None:
    messages = chat(("client", "а"), ("company", "б" * characters))
    assert window(messages, GAP) == messages[-kept:]
