"""Quotations of the listing and the company's facts in the model's texts."""

from app.grading.evidence import QuoteVerifier
from app.grading.masking.masker import Masker
from app.grading.quotations import check_quotations
from tests.support.chats import SOFA

TRANSCRIPT = QuoteVerifier(SOFA, Masker([]))
KNOWN = ("Диван угловой «Бергамо», серый", "Доставка по городу — 500 ₽")


def test_quotation_of_the_listing_is_kept() -> None:
    text = "Объявление «Диван угловой Бергамо». Доставка «по городу — 500 ₽»."
    assert check_quotations(text, TRANSCRIPT, KNOWN).text == text
    assert check_quotations(text, TRANSCRIPT).is_cut


def test_quotation_that_somebody_is_said_to_have_written_must_stand_in_the_chat() -> None:
    text = "Продавец написал: «Диван угловой Бергамо, серый»."
    assert check_quotations(text, TRANSCRIPT, KNOWN).is_cut
