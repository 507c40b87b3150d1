"""Flags: reasons for a person to review a grade or a report."""

from collections.abc import Iterable
from enum import StrEnum

from app.domain.messages import Side


class Flag(StrEnum):
    """Reason to review a grade or a report. Stored with the report by its value."""

    DISAGREEMENT = "disagreement"
    NO_EVIDENCE = "no_evidence"
    ALL_NA = "all_na"
    OBJECTION_UNVERIFIED = "objection_unverified"
    ADDRESSES_GRADER = "addresses_grader"

    @property
    def label(self) -> str:
        """The flag in Russian."""
        return _FLAG_LABELS[self]


_FLAG_LABELS = {
    Flag.DISAGREEMENT: "оценка модели расходится с оценкой по проверкам",
    Flag.NO_EVIDENCE: "нет подтверждающей цитаты",
    Flag.ALL_NA: "ни одна проверка не применима, стоит оценка модели",
    Flag.OBJECTION_UNVERIFIED: "модель заявила возражение, но его цитата не нашлась",
    Flag.ADDRESSES_GRADER: "текст переписки обращается к проверяющему",
}

_WHO_ADDRESSES_GRADER = {
    frozenset({Side.CLIENT}): "покупатель обращается к проверяющему",
    frozenset({Side.COMPANY}): "продавец обращается к проверяющему",
    frozenset({Side.CLIENT, Side.COMPANY}): "покупатель и продавец обращаются к проверяющему",
}


def addresses_grader_label(sides: Iterable[Side]) -> str:
    """Return the Russian label of ADDRESSES_GRADER.

    ``sides``: the authors of the messages that address the grader; empty if they are unknown.
    """
    return _WHO_ADDRESSES_GRADER.get(frozenset(sides), Flag.ADDRESSES_GRADER.label)
