"""Contacts and agreed meetings: the labelled chats, precedence, and whose contact it is."""

import pytest

from app.domain.contact import Contact, ContactKind
from app.grading.contacts import find_contact
from app.grading.masking.masker import Masker, Masking
from tests.support.chats import SOFA, chat
from tests.support.contact_set import (
    load_contact_set,
    load_dialogues,
    measure_contacts,
    measure_masking_sets,
)


@pytest.mark.parametrize("half", [None, "tuning", "untouched", "later"])
def test_shares_of_faults_are_within_the_goals(half: str | None) -> None:
    figures = measure_contacts(load_contact_set(half))
    # One case is more than 1 % of the smaller half.
    assert len(figures.missed) <= max(1, 0.01 * figures.contacts), figures.missed
    assert len(figures.false) <= 0.01 * figures.look_alikes, figures.false


def test_set_is_large_and_has_every_kind() -> None:
    cases = load_contact_set()
    kinds = [case["contact"][0] for case in cases if case["contact"]]
    assert len(cases) >= 300
    assert {kind: kinds.count(kind) >= 30 for kind in ContactKind} == dict.fromkeys(
        ContactKind, True
    )
    assert len(kinds) < len(cases) - 150


def test_meetings_in_dialogues_of_other_authors_are_found() -> None:
    figures = measure_contacts(load_dialogues())
    assert (figures.contacts, figures.look_alikes) == (29, 43)
    assert figures.missed == figures.false == []


def test_contacts_in_other_authors_texts_are_found() -> None:
    figures = measure_masking_sets()
    assert figures.contacts >= 200
    assert len(figures.missed) <= 0.01 * figures.contacts, figures.missed
    assert len(figures.false) <= 0.01 * figures.look_alikes, figures.false


def test_meeting_comes_before_a_contact_and_the_buyers_contact_before_the_sellers() -> None:
    both = (("company", "Мой номер 8 900 000-00-01"), ("client", "А мой 8 900 000-00-02"))
    assert find(*both) == Contact(ContactKind.BUYER, 102)
    met = find(*both, ("client", "Приеду завтра в 10"), ("company", "Жду вас"))
    assert met == Contact(ContactKind.MEETING, 104)


def test_repeated_number_belongs_to_the_side_that_wrote_it_first() -> None:
    found = find(("company", "8 900 000-00-01"), ("client", "это ваш? +7 (900) 000 00 01"))
    assert found == Contact(ContactKind.SELLER, 101)


def test_cancelled_meeting_counts_again_when_it_is_agreed_anew() -> None:
    agreed = (("client", "Приеду в семь"), ("company", "Жду"))
    cancelled = (*agreed, ("client", "Простите, не смогу сегодня"))
    assert find(*agreed) == Contact(ContactKind.MEETING, 102)
    assert find(*cancelled) is None
    renewed = find(*cancelled, ("client", "Давайте завтра в семь?"), ("company", "Хорошо"))
    assert renewed == Contact(ContactKind.MEETING, 105)


def test_contact_is_found_without_masking_as_well() -> None:
    window = chat(("client", "Мой номер 8 900 000-00-01"))
    masker = Masker((), [window[0].text], level=Masking.OFF)
    assert find_contact(window, masker) == Contact(ContactKind.BUYER, 101)


def test_words_of_avito_and_pictures_are_no_contact() -> None:
    assert find(("system", "Звоните 8 900 000-00-01"), ("client", "[фото 8 900 000-00-02]")) is None


def test_contact_of_a_bot_is_none_and_a_person_may_repeat_it() -> None:
    bot = ("bot", "Наш номер 8 900 000-00-01, приезжайте завтра в 12")
    assert find(("client", "Есть?"), bot, ("client", "Хорошо, приеду")) is None
    seller = ("company", "Звоните: 8 900 000-00-01")
    assert find(("client", "Есть?"), bot, seller) == Contact(ContactKind.SELLER, 103)


def test_buyers_time_within_the_sellers_proposal_is_a_consent() -> None:
    assert find_contact(SOFA, Masker(())) == Contact(ContactKind.MEETING, 105)


def find(*lines: tuple[str, str]) -> Contact | None:
    window = chat(*lines)
    return find_contact(window, Masker((), [message.text for message in window]))
