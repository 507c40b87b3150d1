"""Turn the model's texts about a chat into texts for people.

Masking is undone where that is allowed. The time of a message replaces its number, because the
number is the window's own and invisible to people. A number that may mean anything else (a price, a
count, a date) stays: a number too many is better than a wrong time.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from app.domain.messages import ChatMessage
from app.grading.evidence import QuoteVerifier
from app.grading.masking.masker import Masker
from app.grading.web_addresses import replace_addresses

# «…» with quotations inside it, “…” and "…"; an inch is no quotation mark.
QUOTATION = re.compile(r"""«(?:[^«»]++|«[^«»]*+»)*+»|[“„][^“”„]*+[“”]|(?<![\w"])"[^"]*+"(?!\w)""")
_LEFT_OUT = re.compile(r"(…|\.{3})")
# A number within a window; no part of a price, a decimal, a date, a time or a word.
_N = r"[1-9]\d{0,2}(?![\d%₽°]|[.,:/×*xх]\d|[ \xa0]\d|-?[а-яёa-z])"
_NUMBERS = rf"(?>с {_N} по (?:№ ?)?{_N}|{_N}(?:(?:, | и | или |, и | ?[–—-] ?)(?:№ ?)?{_N})*)"
_MARK = r"(?:(?:под|с|за) номер(?:ом|ами)|номера?|(?:под )?№{1,2}|#|n|i ?[=:]?)"
_OWNER = (
    r"(?:клиента|покупателя|продавца|компании|менеджера"
    rf"|(?-i:[А-ЯЁ][а-яё]+)(?= ?(?:{_MARK} ?\d|[(\[])))"
)
_NAMED = re.compile(
    r"(?i)(?<!\d[ \xa0])\b(?P<noun>(?:сообщени(?:е|я|ю|ем|и|й|ям|ями|ях)|реплик"
    rf"(?:а|и|е|у|ой|ам|ами|ах))\b|сообщ\b\.?)(?P<owner> {_OWNER})? ?"
    rf"(?:[(\[](?:{_MARK} ?)?(?P<framed>{_NUMBERS})[)\]]|{_MARK} ?(?P<marked>{_NUMBERS})"
    rf"|(?<=[ .])(?P<bare>{_NUMBERS}))"
)
# What follows a count, a day, a price or a share.
_COUNTED = re.compile(
    r"(?i)[ \xa0]?(?:[%₽$€°²]|(?:из|лет|раза?|года?|мин|сек|час(?:а|ов)?|ма[йя]|р|руб\w*|тыс\w*"
    r"|млн|евро|к?м|[смк][мг]|г|л|шт|фото\w*|видео|человека?|мест[ао]?"
    r"|(?:шту|ошиб|опечат|стро|ссыл|попыт)(?:ки|ок|к)|(?:сообщени|предложени|рубл)[яй]"
    r"|(?:вопрос|вариант|довод|совет|слов|товар|файл|этаж|звонк|градус|балл|метр)а)\b|секунд"
    r"|минут|дн[яей]|день|сут[ок]|недел|месяц|процент|комнат|январ|феврал|март|апрел|ию[нл]"
    r"|август|(?:сент|окт|но|дек)[а-я]{0,2}бр)"
)
_COUNTED_FROM_FIVE = re.compile(r"(?i)[ \xa0](?!готов\b)[а-яё]{2,}(?:[оеё]в|ей)\b")
_CITED = re.compile(
    r"(?i)(?:\b(?P<before>в|на|к|по|из|до|после|о) )?"
    rf"(?:(?P<bracket>\()?(?<![a-z\d\]])\[(?:№ ?)?(?P<listed>{_NUMBERS})\](?(bracket)\))"
    rf"|(?P<paren>\()?\bi ?= ?(?P<field>{_N})(?(paren)\)))"
)
_CASES = {
    **dict.fromkeys(("в", "о"), ("сообщении", "сообщениях")),
    **dict.fromkeys(("к", "по"), ("сообщению", "сообщениям")),
    **dict.fromkeys(("из", "до", "после"), ("сообщения", "сообщений")),
    "на": ("сообщение", "сообщения"),
}
_SEVERAL = "сообщений"


class Retelling:
    """Converter of the texts of one answer about one window."""

    def __init__(
        self,
        window: Sequence[ChatMessage],
        masker: Masker,
        transcript: QuoteVerifier,
        zone: ZoneInfo,
    ) -> None:
        """`zone`: the time zone of the times."""
        self._masker = masker
        self._transcript = transcript
        self._moments = [message.sent_at.astimezone(zone) for message in window]

    def in_words(self, text: str, near: int = 1) -> str:
        """Convert a summary, or a recommendation about message `near` (from 1).

        Quotations from the chat keep their names and numbers.
        """
        hidden = self._masker.hide(text)
        result, position = "", 0
        for quotation in QUOTATION.finditer(hidden):
            result += self._retell(hidden[position : quotation.start()]) + self._convert_quotation(
                quotation[0], near
            )
            position = quotation.end()
        return result + self._retell(hidden[position:])

    def _retell(self, hidden: str) -> str:
        return replace_addresses(
            replace_numbers_with_times(self._masker.to_words(hidden), self._moments), "ссылка"
        )

    def _convert_quotation(self, quotation: str, near: int) -> str:
        parts = _LEFT_OUT.split(quotation[1:-1])
        return (
            quotation[0]
            + "".join(
                replace_addresses(self._convert_spoken(part, near), "[ссылка]") for part in parts
            )
            + quotation[-1]
        )

    def _convert_spoken(self, part: str, near: int) -> str:
        converted = replace_numbers_with_times(self._masker.to_speech(part), self._moments)
        if converted == part:
            return part
        originals = self._transcript.originals(part, near)
        return converted if originals is None else self._masker.to_speech(part, originals)


def replace_numbers_with_times(text: str, moments: Sequence[datetime]) -> str:
    """Replace «Сообщение 8» with «Сообщение от 22.11 в 14:05».

    `moments`: the local times of the window's messages; the first has number 1. A number without a
    message stays, and so do all numbers in the same list.
    """

    def named(match: re.Match[str]) -> str:
        times = _times(match["framed"] or match["marked"] or match["bare"], moments)
        if not times or (match["bare"] and _is_count(match)):
            return match[0]
        return f"{match['noun']}{match['owner'] or ''} от {times}"

    def cited(match: re.Match[str]) -> str:
        numbers = match["listed"] or match["field"]
        if not (times := _times(numbers, moments)):
            return match[0]
        several = not numbers.isdigit()
        if before := match["before"]:
            return f"{before} {_CASES[before.lower()][several]} от {times}"
        glued = match.start() > 0 and match.string[match.start() - 1] not in " \n(«"
        return f"{' ' * glued}({'сообщения' if several else 'сообщение'} от {times})"

    result = _NAMED.sub(named, text)
    # This pattern takes four times as long as the first.
    return _CITED.sub(cited, result) if "[" in result or "=" in result else result


def _is_count(match: re.Match[str]) -> bool:
    """Recognize «Сообщений 8», «в сообщении 5 ошибок», «сообщение 8 марта»."""
    if match["noun"].lower() == _SEVERAL and match["bare"].isdigit():
        return True
    last = int(re.findall(r"\d+", match["bare"])[-1])
    takes_plural = last % 10 in {0, 5, 6, 7, 8, 9} or last % 100 in {11, 12, 13, 14}
    rest, end = match.string, match.end()
    return bool(_COUNTED.match(rest, end) or (takes_plural and _COUNTED_FROM_FIVE.match(rest, end)))


def _times(numbers: str, moments: Sequence[datetime]) -> str:
    """Return the times for a list of numbers, each day once in a row.

    The result is empty if a number has no message.
    """
    converted, day, clock = "", "", ""
    for joint, digits in re.findall(r"(\D*)(\d+)", numbers):
        if int(digits) > len(moments):
            return ""
        moment = moments[int(digits) - 1]
        before, day, clock = (day, clock), f"{moment:%d.%m}", f"{moment:%H:%M}"
        if before != (day, clock):
            converted += _joint(joint, same_day=before[0] == day) * bool(converted) + (
                clock if before[0] == day else f"{day} в {clock}"
            )
    return converted


def _joint(joint: str, *, same_day: bool) -> str:
    """Adapt the text between two numbers to their times."""
    if re.search("[–—-]|по", joint):
        return "–" if same_day else " – "
    return joint.replace("№", "").rstrip() + " "
