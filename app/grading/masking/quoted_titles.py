"""Recognize quoted titles and brands that contain a person's name: «Дядя Ваня»."""

import re

_LONGEST_TITLE = 60
_OPEN = re.compile(r"(?:[«„“]|(?<![\w»”])[\"'](?!\s))(?P<inside>[^«»„“”\"\n]{0,60})$")
_CLOSE = re.compile(r"[^«»„“”\"\n]{0,60}(?:[»“”\"]|(?<=\w)'(?!\w))")
# The words that make quoted words a person's name.
_PERSON_NAMED = re.compile(
    r"(?i)(?<!\w)(?:зовут|звать|имя|имени|фамили\w{1,3}|фио|получател\w{1,3}|отправител\w{1,3}"
    r"|табличк\w{1,4}|подписан\w?|записан\w?|запиш\w{1,4}|контакт\w?|звонок|звонк\w{1,2}|домофон"
    r"|спрос\w{1,4}|спрашивай\w{0,2}|позов\w{1,4}|профил\w{1,2}|ник\w?|назв[её]тесь|бейдж\w{0,3}"
    r"|владел\w{2,4}|держател\w{1,2}|перевод|высветится|обраща\w{1,5})"
    r"(?: (?:на|в|с|как|меня|е[её]|его|карты|кнопк\w)){0,2}[ :,—–-]{0,3}$"
)
_SPEECH = re.compile(r"(?i)(?<!\w)(?:зовут|звать|это|я|с вами|пишет) $")


def is_in_title(text: str, start: int, end: int) -> bool:
    """Return whether a title or brand in quotation marks contains this stretch of the text.

    Quoted words after "зовут" or "получатель" are a person. A name before a comma or an
    exclamation mark, or after "это" inside the marks, is a person spoken to in quoted speech.
    """
    opening = _OPEN.search(text, max(0, start - _LONGEST_TITLE - 1), start)
    if not opening or not _CLOSE.match(text, end):
        return False
    before = text[max(0, opening.start() - 40) : opening.start()]
    return not (
        _PERSON_NAMED.search(before)
        or _SPEECH.search(opening["inside"])
        or text[end : end + 1] in {",", "!"}
    )
