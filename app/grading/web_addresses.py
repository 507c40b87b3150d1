"""Recognize addresses in untrusted text by form, without a list of zones.

Mail programs make links of a new zone on its first day. ``defang`` keeps the text readable and
prevents links. ``replace_addresses`` removes addresses.
"""

import re
from collections.abc import Callable

_HAIR_SPACE = "\u200a"
"""Every mail program ends an address at white space; this one is a tenth of a letter wide."""
_NON_JOINER = "\u200c"
"""No width. It ends a phone number, which white space would not."""

_DOT = "[.。．｡․﹒]"
_AT = "[@＠﹫]"
_AVITO_HOST = r"(?:[a-z0-9-]{1,63}\.){0,9}avito\.ru"
_AVITO_URL = re.compile(rf"https?://{_AVITO_HOST}(?::443)?(?:[/?#]\S*)?", re.ASCII | re.IGNORECASE)
# A whole word of the text, so that neither "avito.ru.evil.com" nor "avito.ru@evil.com" is one.
_AVITO_WORD = re.compile(
    rf"(?<![^\s(«\"])(?:https?://)?{_AVITO_HOST}(?:/[\w/?=&%~.+-]*+)?(?=[)»\",.;:!?…]*+(?:\s|$))",
    re.ASCII | re.IGNORECASE,
)

_BREAKS = re.compile(
    # evil.space, ООО.Ромашка, 13.Pro; not 1.5, т.е., Ну...Да
    rf"(?<=[^\s.]){_DOT}(?=[\ufe0e\ufe0f\u200d]*[^\W\d_][\w\-\u0300-\u036f])"
    rf"|(?<=\S){_AT}(?=\S)"  # user@host, user:password@host
    rf"|(?<=www){_DOT}(?=\S)|(?<=WWW){_DOT}(?=\S)"
    r"|(?<=[A-Za-z.+-]):(?=\S)|(?<=\w):(?=[/\\])"  # https://, mailto:, tel:, host:8080; not 12:30
    r"|\\(?=\\)"  # \\server\folder
)
_IP_V4 = re.compile(rf"(?<!\d)\d++(?:{_DOT}\d++){{3,}}")
_V6 = r"(?=[\dA-Fa-f:]{0,39}::|(?:[\dA-Fa-f]{1,4}:){7})[\dA-Fa-f:]++"
_IP_V6, _IP_V6_WORD = re.compile(_V6), re.compile(rf"(?<![\w:]){_V6}(?!\w)")
_LONG_NUMBER = re.compile(r"\d(?:[\s().–-]{0,3}\d){6,}")
_THREE_DIGITS = re.compile(r"(?:\d[\s().–-]{0,3}){3}(?=\d)")

_LOWER = r"(?:[a-z0-9][a-z0-9-]{0,62}\.){1,9}[a-z][a-z0-9-]{1,62}"
_UPPER = r"(?:[A-Z0-9][A-Z0-9-]{0,62}\.){1,9}[A-Z][A-Z0-9-]{1,62}"
_PATH = r"[^\s<>«»\"]*"
_SAID_POINT = r"(?: ?[(\[{](?:точка|тчк|дот|dot|\.)[)\]}] ?| (?:точка|тчк|дот|dot) )"
_SAID_ZONE = (
    r"(?:ру|рф|ком|орг|су|нет|инфо|онлайн|про|клик|спейс|сайт|зип|топ|шоп|стор|магазин|клуб"
    r"|линк|дев|ио)"
)
_HOST = rf"(?:[\w-]{{1,63}}{_DOT}){{1,9}}[a-z][a-z0-9-]{{1,62}}"
_WRITTEN = re.compile(
    rf"(?<![\w.@-])(?:(?:[a-z][a-z0-9+.-]{{1,20}}://|www{_DOT}"
    rf"|(?:mailto|tel|tg|javascript|data):(?=\S)){_PATH}"
    rf"|[^\s@<>«»\"(]{{1,64}}{_AT}(?:[\w-]{{1,63}}{_DOT}){{1,9}}[\w-]{{2,63}}(?::\d{{1,5}})?"
    rf"(?:/{_PATH})?|{_HOST}(?:(?::\d{{1,5}})?[/?#](?=\S){_PATH}|:\d{{2,5}}(?!\d))"
    r"|(?:[\w-]{1,63}[。．｡․﹒]){1,9}[^\W\d_][\w-]{1,62}"
    rf"|\d{{1,3}}(?:{_DOT}\d{{1,3}}){{3}}(?::\d{{1,5}})?(?:/{_PATH})?(?![\w.])"
    rf"|\[[\da-f:]{{2,39}}\](?::\d{{1,5}})?(?:/{_PATH})?)",
    re.IGNORECASE,
)
# In one case throughout: "Node.js" and "iPhone 13.Pro" are names of things.
_SIGN = re.compile(r"[.。．｡․﹒@＠﹫:](?=\S)")
"""Every address that is written has one of these characters before another character."""
_BARE = re.compile(rf"(?<![\w.@-])(?![\d-]*\.)(?:{_LOWER}|{_UPPER})(?![\w@-])")
_SPOKEN = re.compile(
    rf"(?<![\w-])(?:[a-z0-9-]{{2,63}}{_SAID_POINT}(?:[a-z][a-z0-9-]{{1,62}}|{_SAID_ZONE})"
    r"|[\w-]{2,63} (?:точка|тчк|дот) (?:ру|рф|ком|орг|су|эр ?эф)"
    r"|[\w-]{2,63} ?[(\[{](?:точка|тчк|дот|dot|\.)[)\]}] ?[\w-]{2,63})(?![\w-])"
    r"(?:(?: (?:слэш|слеш|slash) |/)[\w-]{1,63}){0,9}",
    re.IGNORECASE,
)


def is_avito_url(url: str) -> bool:
    """Return whether an address leads to Avito's own site."""
    return _AVITO_URL.fullmatch(url) is not None


def defang(text: str) -> str:
    """Return the text with breaks in addresses and phone numbers, so that no link results.

    An address gets a hair space, a phone number invisible breaks. Avito's addresses are unchanged.
    """
    return _outside_avito(
        text, lambda part: _LONG_NUMBER.sub(_break_number, _break_addresses(part))
    )


def defang_certain(text: str) -> str:
    """Return the text with a hair space only in what is almost certainly an address.

    It is for cells that people filter and search.
    """
    if _SIGN.search(text) is None:
        return text
    return _outside_avito(
        text, lambda part: _sub_written(part, lambda match: _break_addresses(match[0]))
    )


def replace_addresses(text: str, word: str) -> str:
    """Return the text with ``word`` for each address, written or in words, except Avito's."""

    def replaced(match: re.Match[str]) -> str:
        return word + _trailing(match[0])

    return _outside_avito(text, lambda part: _SPOKEN.sub(replaced, _sub_written(part, replaced)))


def _outside_avito(text: str, change: Callable[[str], str]) -> str:
    result, position = "", 0
    for own in _AVITO_WORD.finditer(text):
        result += change(text[position : own.start()]) + own[0]
        position = own.end()
    return result + change(text[position:])


def _sub_written(text: str, replacement: Callable[[re.Match[str]], str]) -> str:
    return _BARE.sub(replacement, _IP_V6_WORD.sub(replacement, _WRITTEN.sub(replacement, text)))


def _break_addresses(text: str) -> str:
    text = _IP_V4.sub(lambda match: re.sub(f"({_DOT})", rf"\1{_HAIR_SPACE}", match[0]), text)
    text = _IP_V6.sub(lambda match: match[0].replace(":", f":{_HAIR_SPACE}"), text)
    return _BREAKS.sub(rf"\g<0>{_HAIR_SPACE}", text)


def _break_number(number: re.Match[str]) -> str:
    return _THREE_DIGITS.sub(rf"\g<0>{_NON_JOINER}", number[0])


def _trailing(address: str) -> str:
    """Return the punctuation after an address."""
    return address[len(address.rstrip(".,;:!?…)'")) :]
