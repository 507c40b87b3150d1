"""Compare names in Russian and Latin letters.

A buyer may be «Ivan» in the profile and «Иван» in the chat, or the other way round.
"""

import re


def _table(lines: str) -> dict[str, str]:
    return {
        spelling: letter
        for spelling, _, letter in (line.partition(" ") for line in lines.split("|"))
    }


_LATIN = _table(
    "а a|б b|в v|г g|д d|е e|ё e|ж zh|з z|и i|й i|к k|л l|м m|н n|о o|п p|р r|с s"
    "|т t|у u|ф f|х h|ц ts|ч ch|ш sh|щ sh|ъ |ы i|ь |э e"
    "|ю iu|я ia"
)
_PLAIN = _table(
    "shch sh|sch sh|tch ch|kh h|tz ts|ck k|ph f|yu iu|ju iu|ya ia|ja ia|yo e|jo e"
    "|ye e|ee i|oo u|iy i|ey ei|x ks|w v|y i|j i|c k|q k|' "
    "|’ |` "
)
_SPELLINGS = re.compile(
    "shch|sch|tch|zh|kh|ts|tz|ck|ph|yu|ju|ya|ja|yo|jo|ye|ee|oo|iy|ey|x|w|y|j|c|q|['’`]"
)
_REPEATED = re.compile(r"(.)\1{1,40}")
_CYRILLIC = _table(
    "iia ия|ia ия|shch щ|sch щ|tch ч|zh ж|kh х|ts ц|tz ц|ch ч|sh ш|ph ф|ck к|oo у"
    "|ee и|yu ю|ju ю|ya я|ja я|yo ё|jo ё|ye е|iy ий|ey ей"
    "|ay ай|sky ский"
    "|a а|b б|c к|d д|e е|f ф|g г|h х|i и|j й|k к|l л|m м|n н|o о|p п|q к|r р|s с"
    "|t т|u у|v в|w в|x кс|y и|z з|' ь|’ ь|` ь"
)
_LATIN_PIECE = re.compile("|".join(sorted(_CYRILLIC, key=len, reverse=True)))


def skeleton(word: str) -> str:
    """Return one spelling for a name in either alphabet: «Sergey» and «Сергей» are "sergei"."""
    latin = "".join(_LATIN.get(letter, letter) for letter in word.lower())
    plain = _SPELLINGS.sub(lambda match: _PLAIN.get(match[0], match[0]), latin)
    return _REPEATED.sub(r"\1", plain)


def in_cyrillic(word: str) -> str:
    """Return the likeliest Russian spelling of a Latin name, in lower case."""
    return _LATIN_PIECE.sub(lambda match: _CYRILLIC[match[0]], word.lower())
