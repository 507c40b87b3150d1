"""A name in the other alphabet: buyers are «Ivan» in their profile and «Иван» in the chat, or the other way round."""

import re

_LATIN = (  # a Russian letter, and after it the ways to write it
    "а a|б b|в [vw]|г [gh]|д d|е (?:y?e!je)|ё (?:[yj]?o!y?e)|ж (?:zh!j)|з z|и (?:iy?!y!ee)|й [yij]?|к (?:k!ck?)|л l|м m"
    "|н n|о o|п p|р r|с s|т t"
    "|у (?:u!oo)|ф (?:f!ph)|х (?:kh!h!x)|ц (?:ts!tz!c)|ч t?ch|ш sh|щ s(?:h?ch!h)|ъ |ы [yi]|ь ['’]?|э e|ю [yij]?u|я [yij]?a"
)
_CYRILLIC = (  # the other way round
    "shch щ|sch [шщ]|tch ч|zh ж|kh х|ts ц|tz ц|ch ч|sh ш|ph ф|ck к|oo у|ee и|iya ия|yu ь?ю|iu ю|ju ю|ya ь?я|ia и?я|ja я|yo [ёо]|jo ё|ye е"
    "|iy ий|ey ей|ay ай|a а|b б|c [кц]|d дь?|e [еэё]|f ф|g г|h х|i [ий]|j (?:дж!ж!й)|k к|l ль?|m м|n нь?|o [оё]|p п|q к|r рь?|s сь?|t ть?"
    "|u у|v в|w в|x (?:кс!х)|y (?:ий![йыи])|z з"
)


def _table(lines: str) -> dict[str, str]:
    """`!` stands for the patterns' own bar."""
    return {letter: spelling.replace("!", "|") for letter, _, spelling in (line.partition(" ") for line in lines.split("|"))}


_TO_LATIN, _TO_CYRILLIC = _table(_LATIN), _table(_CYRILLIC)
_LATIN_PIECE = re.compile("|".join(sorted(_TO_CYRILLIC, key=len, reverse=True)))


def in_latin(name: str) -> str:
    """A pattern of the spellings of a lower-case Russian name in Latin letters; letters of neither alphabet stay."""
    return "".join(_TO_LATIN.get(letter, re.escape(letter)) for letter in name)


def in_cyrillic(name: str) -> str:
    """A pattern of the spellings of a lower-case Latin name in Russian letters."""
    return _LATIN_PIECE.sub(lambda piece: _TO_CYRILLIC[piece[0]], name)
