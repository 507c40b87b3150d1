"""Flags: reasons for a person to review a grade or a report."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from app.domain.messages import Side


class Flag(StrEnum):
    """Reason to review a grade or a report. Stored with the report by its value."""

    CRITICAL = "critical"
    """The seller made a critical fault; it limits the grades."""
    CONTRADICTION = "contradiction"
    """The seller stated another price, size or year than the listing or the company's facts."""
    DISAGREEMENT = "disagreement"
    NO_EVIDENCE = "no_evidence"
    REUSED_QUOTE = "reused_quote"
    """One quote supports several criteria, although the seller wrote other words too."""
    ALL_NA = "all_na"
    UNSTEADY = "unsteady"
    """The model was asked twice about the chat and answered the checks differently."""
    OBJECTION_UNVERIFIED = "objection_unverified"
    NOT_AN_OBJECTION = "not_an_objection"
    """The model took a greeting or a plain question for an objection; it does not count."""
    CRITICAL_UNVERIFIED = "critical_unverified"
    """The model claimed a critical fault that its quote does not show; it does not count."""
    UNVERIFIED_QUOTATION = "unverified_quotation"
    """A quotation in the texts was not in the chat and was removed."""
    TEXTS_DISAGREE = "texts_disagree"
    """The summary or an advice calls the seller rude; the checks do not."""
    ADDRESSES_GRADER = "addresses_grader"
    AUTHOR_CHANGED = "author_changed"
    """A message was graded as a person's and is a bot's, or the reverse.

    It is found when a report is read and not stored with it.
    """

    @property
    def label(self) -> str:
        """The flag in Russian."""
        return _FLAG_LABELS[self]


_FLAG_LABELS = {
    Flag.CRITICAL: "критическая ошибка продавца",
    Flag.CONTRADICTION: "слова продавца расходятся с объявлением или данными компании",
    Flag.DISAGREEMENT: "оценка модели расходится с оценкой по проверкам",
    Flag.NO_EVIDENCE: "нет подтверждающей цитаты",
    Flag.REUSED_QUOTE: "одна цитата подтверждает несколько критериев",
    Flag.ALL_NA: "ни одна проверка не применима, стоит оценка модели",
    Flag.UNSTEADY: "на повторный вопрос модель ответила иначе",
    Flag.OBJECTION_UNVERIFIED: "модель заявила возражение, но его цитата не нашлась",
    Flag.NOT_AN_OBJECTION: "модель приняла за возражение приветствие или простой вопрос",
    Flag.CRITICAL_UNVERIFIED: "модель заявила критическую ошибку, но переписка её не показала",
    Flag.UNVERIFIED_QUOTATION: "из текстов убрана цитата, которой нет в переписке",
    Flag.TEXTS_DISAGREE: "модель пишет о грубости продавца, а её проверки грубости не нашли",
    Flag.ADDRESSES_GRADER: "текст переписки обращается к проверяющему",
    Flag.AUTHOR_CHANGED: (
        "автора одного из ответов определили уже после оценки: человек это или автоответчик"
    ),
}

_WHO_ADDRESSES_GRADER = {
    frozenset({Side.CLIENT}): "покупатель обращается к проверяющему",
    frozenset({Side.COMPANY}): "продавец обращается к проверяющему",
    frozenset({Side.CLIENT, Side.COMPANY}): "покупатель и продавец обращаются к проверяющему",
}


_LISTING_ADDRESSES_GRADER = "объявление обращается к проверяющему"


def store_flags(flags: Iterable[Flag]) -> dict[str, list[str]]:
    """Return the codes of flags under the key by which a report stores them."""
    return {"flags": [flag.value for flag in flags]}


def list_flags(stored: Mapping[str, Any]) -> list[str]:
    """Return the codes of the flags of a stored report or criterion, known ones in their order."""
    codes = stored["flags"]
    known = [flag.value for flag in Flag if flag in codes]
    return known + [code for code in codes if code not in known]


def describe_flag(code: str) -> str:
    """Return the label of a stored flag; the code itself if a later release has stored it."""
    try:
        return Flag(code).label
    except ValueError:
        return code


def addresses_grader_label(sides: Iterable[Side], *, is_by_listing: bool = False) -> str:
    """Return the Russian label of ADDRESSES_GRADER.

    ``sides``: the authors of the messages that address the grader; empty if they are unknown or
    only the listing addresses it.
    """
    otherwise = _LISTING_ADDRESSES_GRADER if is_by_listing else Flag.ADDRESSES_GRADER.label
    return _WHO_ADDRESSES_GRADER.get(frozenset(sides), otherwise)
