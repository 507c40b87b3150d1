"""Placeholder texts and call statuses."""

import re

import pytest

from app.domain.messages import ChatMessage, Side
from app.domain.placeholders import (
    COMPLETED_CALL,
    HIDDEN_AS,
    NOTICES,
    Placeholder,
    find_placeholder,
    read_call_status,
)
from tests.support.chats import START


@pytest.mark.parametrize("placeholder", Placeholder)
@pytest.mark.parametrize(
    "form",
    [
        "{}",
        "{}.",
        " {}\n",
        "[Системное сообщение] {}",
        "[Системное\u00a0сообщение]  {}.",
        "\u200b{}",
    ],
)
def test_whole_text_is_found_in_every_form(placeholder: Placeholder, form: str) -> None:
    for text in (placeholder.value, re.sub(" ", "\u00a0 ", placeholder.value)):
        assert find_placeholder(form.format(text)) is placeholder
    assert find_placeholder(form.format(placeholder.value.upper())) is placeholder


@pytest.mark.parametrize("placeholder", Placeholder)
@pytest.mark.parametrize(
    "form", ["Пишут: {}", "«{}»", "{}?", "{}. Почему?", "{}\nЧто это?", "> {}"]
)
def test_quoted_text_is_words_of_a_person(placeholder: Placeholder, form: str) -> None:
    assert find_placeholder(form.format(placeholder.value)) is None


@pytest.mark.parametrize("text", [None, 7, {}, "", "удалено", "Сообщение", "а" * 300])
def test_other_values_are_no_placeholders(text: object) -> None:
    assert find_placeholder(text) is None


@pytest.mark.parametrize(("length", "expected"), [(200, Placeholder.DELETED), (201, None)])
def test_longer_text_is_no_placeholder(length: int, expected: Placeholder | None) -> None:
    assert find_placeholder(Placeholder.DELETED.ljust(length)) is expected


def test_every_placeholder_has_one_treatment() -> None:
    assert set(HIDDEN_AS) | NOTICES == set(Placeholder)
    assert not set(HIDDEN_AS) & NOTICES


@pytest.mark.parametrize(
    ("kind", "content", "status"),
    [
        ("call", {"call": {"status": "missed"}}, "missed"),
        ("call", {"call": {"status": "MISSED"}}, "missed"),
        ("appCall", {"call": {"status": "completed"}}, "completed"),
        ("appCall", {"appCall": {"status": "completed"}}, "completed"),
        ("appCall", {}, None),
        ("call", {"call": {"status": None}}, None),
        ("call", {"call": "missed"}, None),
        ("call", None, None),
        ("text", {"call": {"status": "missed"}}, None),
    ],
)
def test_call_status(kind: str, content: object, status: str | None) -> None:
    assert read_call_status(kind, content) == status


@pytest.mark.parametrize("kind", ["call", "appCall"])
@pytest.mark.parametrize(
    ("side", "status", "begins", "ends"),
    [
        ("client", "missed", True, False),
        ("company", "missed", False, False),
        ("system", "missed", False, False),
        *(
            (side, status, False, True)
            for side in ("client", "company")
            for status in COMPLETED_CALL
        ),
        ("system", "completed", False, False),
        ("client", "rejected", False, False),
        ("company", "rejected", False, False),
        ("client", None, False, False),
        ("company", None, False, False),
    ],
)
def test_effect_of_a_call_on_a_wait(
    kind: str, side: str, status: str | None, begins: bool, ends: bool
) -> None:
    call = ChatMessage(1, Side(side), START, "[звонок]", False, kind, status)
    assert (call.begins_wait, call.ends_wait) == (begins, ends)
