"""Replace personal data by tokens before a text is sent to the model; restore it locally.

"[ТЕЛЕФОН_1]" is the same number throughout a chat in any spelling. A token that a person typed is a
datum as well. It gets its own token ("[МЕТКА_1]") and is never restored to another person's data.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.domain.visible_text import keep_visible
from app.grading.masking.detectors import personal_data
from app.grading.masking.finders import Found, blanked
from app.grading.masking.fragments import data_in_fragments
from app.grading.masking.person_names import People
from app.grading.masking.split_numbers import numbers_in_parts

_NAME, _LITERAL, _WORD = "ИМЯ", "МЕТКА", "СЛОВО"
_WORDS = {
    "ТЕЛЕФОН": "телефон",
    "ПОЧТА": "почта",
    "КАРТА": "карта",
    _NAME: "имя",
    "АДРЕС": "адрес",
    "ПАСПОРТ": "паспорт",
    "СНИЛС": "СНИЛС",
    "ИНН": "ИНН",
    "СЧЁТ": "счёт",
    "ССЫЛКА": "ссылка",
    "НИК": "ник",
    "АВТО": "номер машины",
    "ДАТА": "дата рождения",
    _LITERAL: "метка",
    _WORD: "слово",
}
_TOKEN = re.compile(rf"(?i)\[?(?<!\w)({'|'.join(_WORDS)}|СЧЕТ)_(\d{{1,9}})(?!\d)\]?")
# What a provider's content filter may take offence at: names of people, places and organisations,
# and long numbers.
_SUSPICIOUS = re.compile(r"(?<=[\w,;:»)] )[A-ZА-ЯЁ][\w-]+|(?<!\d)\d(?: ?\d){3,}")


class Masking(StrEnum):
    """Level of masking: none, personal data, or also capitalised words and numbers.

    The last level is used after a provider refused the text.
    """

    OFF = "off"
    ON = "on"
    STRICT = "strict"


@dataclass(frozen=True)
class Piece:
    """A part of a text: the original and what is shown to the model. They differ in a token."""

    original: str
    shown: str
    is_token: bool


class Masker:
    """The tokens of one chat. Each chat needs its own masker."""

    def __init__(
        self, names: Iterable[str], texts: Iterable[str] = (), *, level: Masking = Masking.ON
    ) -> None:
        """`names`: people known from the chat; `texts`: its messages in order, for introductions
        and for numbers sent in parts.
        """
        self._level = level
        cleaned = [] if level is Masking.OFF else [keep_visible(text) for text in texts]
        self._people = People(names, cleaned)
        self._parts = {text: [part] for text, part in numbers_in_parts(cleaned).items()}
        self._fragments = data_in_fragments(cleaned)
        self._counts: Counter[str] = Counter()
        self._numbers: dict[tuple[str, str], int] = {}  # (kind, key) -> number
        self._spellings: dict[tuple[str, int], str] = {}  # (kind, number) -> as first written
        self._names: dict[int, str] = {}  # number -> name as known
        self._pieces: dict[
            str, list[Piece]
        ] = {}  # each message is masked once and looked at again for quotes

    def at_least_on(self, texts: Iterable[str]) -> "Masker":
        """Return this masker, or one that finds personal data in these texts if this does not."""
        return Masker((), texts) if self._level is Masking.OFF else self

    def mask(self, text: str, most: int | None = None) -> str:
        """Return the text with a token in place of each personal datum.

        ``most``: the original characters that are shown. A datum that goes on after them is masked.
        """
        shown, left = list[str](), len(text) if most is None else most
        for piece in self.pieces(text):
            if left <= 0:
                break
            shown.append(piece.shown if piece.is_token else piece.shown[:left])
            left -= len(piece.original)
        return "".join(shown)

    def pieces(self, text: str) -> list[Piece]:
        """Return the masked text in pieces. The originals joined are the text."""
        if text not in self._pieces:
            self._pieces[text] = self._cut(text)
        return self._pieces[text]

    def _cut(self, text: str) -> list[Piece]:
        if self._level is Masking.OFF:
            return [Piece(text, text, is_token=False)]
        pieces, position = [], 0
        for start, end, kind, key in sorted(self._found(text)):
            if start > position:
                pieces.append(Piece(text[position:start], text[position:start], is_token=False))
            pieces.append(
                Piece(text[start:end], self._token(kind, key, text[start:end]), is_token=True)
            )
            position = end
        return [*pieces, Piece(text[position:], text[position:], is_token=False)]

    def restore(self, text: str) -> str:
        """Return the text with each token's first spelling; unknown tokens stay."""
        return _TOKEN.sub(lambda match: self._spellings.get(_identity(match), match[0]), text)

    def hide(self, text: str) -> str:
        """Return a text of the model with empty tokens ("[ТЕЛЕФОН_0]") for personal data in it."""
        if self._level is Masking.OFF:
            return text
        shown, position = "", 0
        for start, end, kind, _ in sorted(personal_data(text)):
            shown += f"{text[position:start]}[{kind}_0]"
            position = end
        return shown + text[position:]

    def to_words(self, hidden: str) -> str:
        """Return a text of the model with names restored and other tokens as words («телефон»)."""
        if self._level is Masking.OFF:
            return hidden
        return _TOKEN.sub(lambda match: self._known(match) or _WORDS[_identity(match)[0]], hidden)

    def to_speech(self, hidden: str, originals: Sequence[str] = ()) -> str:
        """Return a quotation of the model with names restored and other tokens as «[телефон]».

        `originals`: the spellings of the tokens in order; without them names are as known. The
        brackets show that the person wrote the number itself, which stays hidden.
        """
        if self._level is Masking.OFF:
            return hidden
        spellings = iter(originals)

        def convert_token(match: re.Match[str]) -> str:
            spelling, known = next(spellings, None), self._known(match)
            return (spelling or known) if known else f"[{_WORDS[_identity(match)[0]]}]"

        return _TOKEN.sub(convert_token, hidden)

    def _known(self, match: re.Match[str]) -> str | None:
        """Return an original that may be shown: a name, or a word that strict masking hides."""
        kind, number = _identity(match)
        return (
            self._names.get(number)
            if kind == _NAME
            else self._spellings.get((kind, number))
            if kind == _WORD
            else None
        )

    def _token(self, kind: str, key: str, spelling: str) -> str:
        if (kind, key) not in self._numbers:
            self._counts[kind] += 1
            self._numbers[kind, key] = self._counts[kind]
        number = self._numbers[kind, key]
        self._spellings.setdefault((kind, number), spelling)
        if kind == _NAME:
            self._names[number] = key
        return f"[{kind}_{number}]"

    def _found(self, text: str) -> Iterator[Found]:
        literals = [(*match.span(), _LITERAL, match[0]) for match in _TOKEN.finditer(text)]
        yield from literals
        rest = blanked(text, literals)
        parts = [] if literals else self._parts.get(text) or self._fragments.get(text, [])
        yield from parts
        rest = blanked(rest, parts)
        personal = list(personal_data(rest))
        yield from personal
        rest = blanked(rest, personal)
        called = [(start, end, _NAME, name) for start, end, name in self._people.find(rest)]
        yield from called
        if self._level is Masking.STRICT:
            yield from (
                (*match.span(), _WORD, match[0])
                for match in _SUSPICIOUS.finditer(blanked(rest, called))
            )


def _identity(match: re.Match[str]) -> tuple[str, int]:
    return match[1].upper().replace("СЧЕТ", "СЧЁТ"), int(match[2])
