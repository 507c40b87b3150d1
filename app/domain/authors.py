"""Decide whether a person or a bot wrote a message of the company.

A bot repeats a text in many chats and needs the same short time for it, by day and by night. A
person who types or pastes a text many times needs a different time each time. The evidence of a
template is therefore the times of all its uses. Each message is then judged by its own time too,
because a person may paste a bot's text.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain.author_kinds import AuthorKind, AuthorReason

MOST_USES = 200
"""The newest uses of a template that its evidence consists of."""
WITHIN_SECONDS = 90
"""A use later than this after the buyer's message is not a bot's."""
INSTANT_SECONDS = 10
INSTANT_LIMIT_SECONDS = 15
"""The latest time at which a message of an instant bot is still the bot's."""
_SOON_SECONDS = 60
"""Uses between INSTANT_SECONDS and this show that a person is at work."""
_ALWAYS_WITHIN_SECONDS = 60
FEW_CHATS = 3
"""The least number of chats from which a template is decided."""
_SURE_CHATS = 6
"""The least number of chats if a person could have sent the text in the time."""
_ALWAYS_CHATS = 8
_MANY_USES = 10
_NIGHT_ENDS_AT = 6
_NIGHT_CHATS = 3
"""Chats at night, and by day, from which a template is used around the clock."""
_TYPED_A_SECOND = 6
"""Characters that a fast person types in a second."""
_UNTYPABLE_A_SECOND = 12
_TYPED_AT_EASE = 2
"""Characters a second from the question to the answer of a person in no hurry."""
_SHORT_TEXT, _LONG_TEXT = 20, 60
"""In characters."""
_READ_SECONDS = 3
"""A person who is there reads a question and types a short text in more than this."""
_EXACT_SECONDS = 2
"""By so much the times of a bot with a constant delay differ: clocks, and Avito's whole seconds."""
_PASTE_SECONDS = 6
"""A person who is there reads a question and pastes a text in more than this."""


@dataclass(frozen=True)
class Reply:
    """One message of the company with a text.

    ``gap_seconds``: since the buyer's last message before it. ``wait_seconds``: since the first of
    the buyer's consecutive messages. Both are None if the buyer has not written before.
    ``sent_at``: in the zone of reports. ``is_opening``: the company has written nothing before.
    """

    chat_id: int
    sent_at: datetime
    gap_seconds: int | None
    wait_seconds: int | None
    characters: int
    is_opening: bool
    is_listed: bool = False

    @property
    def is_quick(self) -> bool:
        """Whether a bot may have sent it."""
        return self.gap_seconds is not None and self.gap_seconds < WITHIN_SECONDS

    @property
    def is_untypable(self) -> bool:
        """Whether it is a long first answer that a person cannot have typed in the time."""
        if self.wait_seconds is None or self.wait_seconds > INSTANT_SECONDS:
            return False
        is_fast = self.characters >= _UNTYPABLE_A_SECOND * max(self.wait_seconds, 1)
        return self.is_opening and self.characters >= _LONG_TEXT and is_fast


@dataclass(frozen=True)
class TemplateDecision:
    """What the uses of a template show.

    ``kind``: BOT, PERSON, or UNKNOWN with too few chats. ``chats``: with a quick use. ``first`` and
    ``last``: the seconds after the buyer's message between which a message is the bot's.
    ``fastest`` and ``slowest``: the seconds of the uses that are evidence.
    """

    kind: AuthorKind
    reason: AuthorReason
    chats: int
    fastest: int | None = None
    slowest: int | None = None
    first: int | None = None
    last: int | None = None

    def decides_like(self, other: "TemplateDecision") -> bool:
        """Return whether both give every message the same kind and reason."""
        return self._rule == other._rule

    def keeping(self, before: "TemplateDecision | None") -> "TemplateDecision":
        """Return this decision with the seconds of the one before if they still fit.

        Otherwise every new use would move them, and all messages would be decided again.
        """
        if before is None or (before.kind, before.reason) != (self.kind, self.reason):
            return self
        if self.first is None or self.last is None or before.first is None or before.last is None:
            return self
        is_inside = before.first <= (self.fastest or 0) and (self.slowest or 0) <= before.last
        is_wide = before.last - before.first > 2 * (self.last - self.first)
        if not is_inside or is_wide:
            return self
        return TemplateDecision(
            self.kind,
            self.reason,
            self.chats,
            self.fastest,
            self.slowest,
            before.first,
            before.last,
        )

    @property
    def _rule(self) -> tuple[object, ...]:
        return self.kind, self.reason, self.first, self.last


def decide_template(uses: Sequence[Reply]) -> TemplateDecision:
    """Decide by the uses of one template, at most ``MOST_USES``, whether a bot sends it.

    - ``INSTANT``: uses in several chats within INSTANT_SECONDS, and hardly any in the minute after
      that. A person's times would be spread over both.
    - ``CONSTANT_DELAY``: nearly all uses take the same time.
    - ``ALWAYS_QUICK``: nearly all uses are within a minute, also at night.
    """
    quick = [use for use in uses if use.is_quick]
    chats = _count_chats(quick)
    if chats < FEW_CHATS:
        return TemplateDecision(AuthorKind.UNKNOWN, AuthorReason.FEW_COPIES, chats)
    found = _find_instant(quick) or _find_constant(uses, quick) or _find_always_quick(uses)
    if found is not None:
        return found
    gaps = _list_gaps(quick)
    return TemplateDecision(AuthorKind.PERSON, AuthorReason.HUMAN_PACE, chats, min(gaps), max(gaps))


def decide_kind(use: Reply, template: TemplateDecision) -> tuple[AuthorKind, AuthorReason]:
    """Return the kind of one message with a text, and why."""
    if use.is_listed:
        return AuthorKind.BOT, AuthorReason.LISTED
    if use.gap_seconds is None or use.wait_seconds is None:
        return AuthorKind.PERSON, AuthorReason.NO_QUESTION
    if template.kind is AuthorKind.BOT:
        if any(_is_within(seconds, template) for seconds in (use.gap_seconds, use.wait_seconds)):
            return AuthorKind.BOT, template.reason
        return AuthorKind.PERSON, AuthorReason.SLOWER_THAN_BOT
    if template.kind is AuthorKind.UNKNOWN and use.is_untypable:
        return AuthorKind.UNKNOWN, AuthorReason.FEW_COPIES
    is_own = use.gap_seconds <= INSTANT_SECONDS and template.kind is AuthorKind.UNKNOWN
    return AuthorKind.PERSON, AuthorReason.OWN_WORDS if is_own else AuthorReason.HUMAN_PACE


def _is_within(seconds: int, template: TemplateDecision) -> bool:
    return (template.first or 0) <= seconds <= (template.last or 0)


def _list_gaps(uses: Sequence[Reply]) -> list[int]:
    return [use.gap_seconds for use in uses if use.gap_seconds is not None]


def _count_chats(uses: Iterable[Reply]) -> int:
    return len({use.chat_id for use in uses})


def _find_instant(quick: Sequence[Reply]) -> TemplateDecision | None:
    soon = [use for use in quick if (use.gap_seconds or 0) < _SOON_SECONDS]
    is_short, within = _is_short(quick), _get_instant_limit(quick)
    instant = [use for use in soon if (use.gap_seconds or 0) <= within]
    later = len(soon) - len(instant)
    chats, seconds = _count_chats(instant), _list_gaps(instant)
    is_sure = not is_short and _is_untypable(instant)
    # Few copies must come sooner than a person pastes.
    needed = FEW_CHATS if is_sure and max(seconds, default=0) <= _PASTE_SECONDS else _SURE_CHATS
    if chats < needed or later * (3 if is_sure else 6) > len(instant):
        return None
    return _make_bot(AuthorReason.INSTANT, chats, seconds, (0, INSTANT_LIMIT_SECONDS))


def _get_instant_limit(quick: Sequence[Reply]) -> int:
    """Return the seconds within which a bot without a constant delay answers.

    If a text is often sent sooner than a person pastes it, its slower answers are the bot's too.
    """
    if _is_short(quick):
        return _READ_SECONDS
    outruns = sum(
        use.gap_seconds is not None and use.gap_seconds <= _PASTE_SECONDS for use in quick
    )
    is_long = all(use.characters >= _LONG_TEXT for use in quick)
    return INSTANT_LIMIT_SECONDS if is_long and outruns * 4 >= len(quick) else INSTANT_SECONDS


def _is_short(uses: Iterable[Reply]) -> bool:
    return any(use.characters < _SHORT_TEXT for use in uses)


def _is_untypable(uses: Sequence[Reply]) -> bool:
    """Return whether a fast person can hardly have read most questions and typed the answers."""
    untypable = sum(use.characters > _TYPED_A_SECOND * ((use.gap_seconds or 0) - 1) for use in uses)
    return untypable * 5 >= len(uses) * 3


def _find_constant(uses: Sequence[Reply], quick: Sequence[Reply]) -> TemplateDecision | None:
    """Find a time that nearly all uses take, counted from either message of the buyer."""
    chats = _count_chats(quick)
    if chats < _SURE_CHATS:
        return None
    slack, is_at_all_hours = 1 if _is_short(quick) else 4, _is_at_all_hours(quick)
    waits = [use.wait_seconds for use in uses if use.wait_seconds is not None]
    for delays in (_list_gaps(uses), waits):
        found = _find_cluster(sorted(delays), slack, is_at_all_hours=is_at_all_hours)
        if found is not None and (
            is_at_all_hours or _is_exact(found) or _is_brisk(quick, found[-1])
        ):
            margin = max(3, found[0] // 4, (found[-1] - found[0]) // 2)
            span = max(found[0] - margin, 0), found[-1] + margin
            return _make_bot(AuthorReason.CONSTANT_DELAY, chats, found, span)
    return None


def _is_exact(seconds: Sequence[int]) -> bool:
    """Return whether many times are as equal as only a machine keeps them."""
    has_many = len(seconds) >= _ALWAYS_CHATS
    return has_many and seconds[-1] - seconds[0] <= max(_EXACT_SECONDS, seconds[0] // 20)


def _is_brisk(uses: Iterable[Reply], seconds: int) -> bool:
    """Return whether a person who types the texts at ease needs more than these seconds."""
    return all(use.characters > _TYPED_AT_EASE * seconds for use in uses)


def _is_at_all_hours(uses: Sequence[Reply]) -> bool:
    """Return whether the text is sent by day and also when people who work by day sleep."""
    by_night = {use.chat_id for use in uses if use.sent_at.hour < _NIGHT_ENDS_AT}
    by_day = {use.chat_id for use in uses if use.sent_at.hour >= _NIGHT_ENDS_AT}
    return min(len(by_night), len(by_day)) >= _NIGHT_CHATS


def _find_cluster(
    seconds: Sequence[int], slack: int, *, is_at_all_hours: bool
) -> Sequence[int] | None:
    """Return the most times that are nearly the same, if hardly any others are near.

    A person may use the text too, but much later. Few times must be more alike than many.
    ``slack``: seconds by which short times may differ.
    """
    has_many = len(seconds) >= _MANY_USES
    ratio = (1.4 if has_many else 1.2) + (0.4 if is_at_all_hours else 0)
    start, end = max(
        (
            (bisect_left(seconds, low), bisect_right(seconds, max(low + slack, low * ratio)))
            for low in sorted({second for second in seconds if second < WITHIN_SECONDS})
        ),
        key=lambda span: span[1] - span[0],
        default=(0, 0),
    )
    if end - start < _SURE_CHATS:
        return None
    near = bisect_right(seconds, 3 * seconds[end - 1])
    is_clear = end - start >= (0.85 if has_many else 1.0) * near
    return seconds[start:end] if is_clear else None


def _find_always_quick(uses: Sequence[Reply]) -> TemplateDecision | None:
    quick = [
        use
        for use in uses
        if use.gap_seconds is not None and use.gap_seconds <= _ALWAYS_WITHIN_SECONDS
    ]
    chats = _count_chats(quick)
    is_always = chats >= _ALWAYS_CHATS and len(quick) >= 0.95 * len(uses)
    if not is_always or _is_short(quick) or not _is_at_all_hours(quick):
        return None
    seconds = _list_gaps(quick)
    return _make_bot(AuthorReason.ALWAYS_QUICK, chats, seconds, (0, max(seconds) + 3))


def _make_bot(
    reason: AuthorReason, chats: int, seconds: Sequence[int], span: tuple[int, int]
) -> TemplateDecision:
    return TemplateDecision(AuthorKind.BOT, reason, chats, min(seconds), max(seconds), *span)
