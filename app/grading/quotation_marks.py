"""Unify the quotation marks of a text: every outer quotation stands in «…»."""

import re
from functools import lru_cache

_MARK = re.compile("[«»„“”‟\"'‘’‹›<>`]")
"""Without one of these characters a text has no quotation."""
_BALANCED = r"«(?:[^«»]++|«[^«»]*+»)*+»"
_INNER = r"[^«»‘’'\n]|(?<=\w)[’'](?=\w)"
"""A character within single marks. An apostrophe within a word is one, too."""
_PAIR = re.compile(
    rf"(?P<kept>{_BALANCED})|„(?P<low>[^“”„]*+)[“”]|“(?P<high>[^“”„]*+)[”“]"
    r"|(?<![\w\"])\"(?P<straight>[^\"]++)\"(?![\w\"])|(?<!\w)\"\"(?P<twice>[^\"]++)\"\""
    rf"|(?<![\w'])'(?P<single>(?:{_INNER}){{1,400}}+)'(?!\w)"
    rf"|(?<!\w)‘(?P<curly>(?:{_INNER}){{1,400}}+)’(?!\w)"
    r"|‹(?P<angle>[^‹›<>]*+)[›>]{1,2}|<[<‹](?P<signs>[^‹›<>]*+)[>›]{1,2}|`{1,3}(?P<tick>[^`]++)`{1,3}"
)
_LONE = re.compile(
    rf"(?P<kept>{_BALANCED})"
    r"|(?:[«“„‹]|<<|(?<![\w\"])\"(?=[^\W\d_]))(?P<words>[^«»“”„‹›\".!?…]{0,400}+)(?P<end>[»“”›\"]?)"
    r"|(?P<close>[»”›]|>>|(?<=[^\W\d_])\"(?!\w))"
)


@lru_cache(maxsize=16)
def unify_marks(text: str) -> tuple[str, bool]:
    """Return the text with its quotations in «…», and whether a mark had no partner.

    A quotation without its end ends with its sentence. An inch and an apostrophe are no marks.
    Marks within a quotation stay as they are.
    """
    if not _MARK.search(text):
        return text, False
    paired = _PAIR.sub(_unify_pair, text)
    is_unbalanced = False

    def close(match: re.Match[str]) -> str:
        nonlocal is_unbalanced
        if match["kept"]:
            return match[0]
        is_unbalanced = True
        words = (match["words"] or "").strip(" ,;:")
        return f"«{words}»" + " " * match["words"].endswith(" ") if words else ""

    closed = _LONE.sub(close, paired)
    return closed.replace("`", ""), is_unbalanced


def _unify_pair(match: re.Match[str]) -> str:
    words = next(filter(None, match.groups()), "")
    return match[0] if match["kept"] else f"«{words.strip()}»" if words.strip() else ""
