"""Find who a sentence of the model says a quotation is by."""

import re

from app.domain.messages import Side

_SPEAKER_WORD = (
    r"(?<!\w)(?:(?P<seller>продав(?:ец|ц|щиц)\w{0,4}|менеджер\w{0,4}|магазин\w{0,4}"
    r"|компани\w{0,4})|(?P<buyer>покупател\w{0,6}|клиент\w{0,6}))(?!\w)"
)
_SPEAKER = re.compile(rf"(?i){_SPEAKER_WORD}")
_NOMINATIVE = re.compile(
    r"(?i)(?:продавец|продавщица|менеджер|магазин|компания|покупатель|покупательница"
    r"|клиент|клиентка)"
)
_ADDRESSED = re.compile(r"(?i)\w{4,20}(?:[ую]|ам|ям|ке|нице)")
"""A speaker word in the dative: the words were written to that person."""
_BESIDE = re.compile(r"(?i)(?<!\w)(?:перед|с|со|к|для|о|об|про)\s$")
"""A preposition before a speaker word that makes it no speaker: «извинитесь перед клиентом»."""
_SAYING = (
    r"(?:сказа|сказы|говор|ответ(?!ств)|отвеч|напис|пис(?:ал|ать)|пиш|возраз|возраж|заяв|сообщил|сообщает"
    r"|добави|добавля|отрез|отмахну|отказа|отказыв|произн|повтор|пообещ|обещ|предлож|предлаг"
    r"|утвержда|подтверди|груб|нагруб|хам|нахам|крикну|крич|угрож|пригрози|буркну|выругал|ругал"
    r"|поздоров|попрощ|словами)"
)
_NAMING = r"(?:назва|назыв|посла|посыла|обозва|обзыва|оскорб|унизи|унижа)"
_ASKING = r"(?:спроси|спраш|попроси|прос(?:ил|ит|ят)|уточн|поинтерес|интерес)"
_SPEECH = r"(?:слов(?:а|о|ам|ах|ами)?|фраз|реплик|возражени|вопрос|сообщени|обещани)"
_GAP = r"(?:\W{1,5}\w{1,40}){0,4}"
_SAID = re.compile(rf"(?i)(?<!\w){_SAYING}\w{{0,12}}{_GAP}\W{{0,5}}$")
_NAMED = re.compile(rf"(?i)(?<!\w){_NAMING}\w{{0,12}}{_GAP}\W{{0,5}}$")
_ASKED = re.compile(rf"(?i)(?<!\w){_ASKING}\w{{0,12}}\W{{0,5}}$")
_BUYERS_SPEECH = re.compile(
    r"(?i)(?<!\w)(?:возражени|вопрос|сомнени|просьб|претензи|жалоб|не ответи|(?:про)?игнорир)"
    rf"\w{{0,8}}{_GAP}\W{{0,5}}$"
)
_NEAR = re.compile(r"(?:\W{1,5}\w{1,40}){0,2}\W{0,5}")
_AS_EVIDENCE = re.compile(r"[(:]\s{0,3}$")
_SPEECH_OF = re.compile(rf"(?i)(?<!\w){_SPEECH}\w{{0,3}}(?:\s{_SPEAKER_WORD})?\W{{0,5}}$")
_SPEECH_FOLLOWS = re.compile(
    rf"(?i)[\s,.!?…—–-]{{0,6}}(?:\w{{1,20}}\s){{0,2}}(?:{_SAYING}|{_NAMING}|{_ASKING})\w{{0,12}}"
)
_SPEAKER_FOLLOWS = re.compile(
    rf"(?i)[\s,.!?…—–-]{{0,6}}(?:так\s)?(?:{_SAYING}|{_ASKING})\w{{0,12}}\s{_SPEAKER_WORD}"
)
_SPEAKER_AND_COLON = re.compile(rf"(?i){_SPEAKER_WORD}\s{{0,3}}:\s{{0,3}}$")
_SURELY_SAID = (_NAMED, _ASKED, _SPEECH_OF, _SPEAKER_AND_COLON)
_ON_A_TOPIC = re.compile(r"(?i)(?<!\w)(?:в|во|на|про|о|об|по|из|для|с|со|к|через|от)\s{1,3}$")
_FORM_OF_ADDRESS = re.compile(r"(?i)(?:вы|ты)")


def find_speakers(before: str, after: str) -> frozenset[Side]:
    """Return the sides that may have written a quotation, by the words around it.

    The last speaker before it counts, if it is a subject or next to the quotation. Others may be
    meant as well:

    - the last subject, if that speaker is no subject («спросил продавца», «слова покупателя»);
    - the buyer, if the words are a question or an objection («не ответил на вопрос: «…»»);
    - both sides, if the words are evidence and nobody says them («нет конца разговора: «…»»);
    - a speaker after it («…», ответил продавец).
    """
    if _is_evidence(before):
        return frozenset(Side)
    named = [
        speaker
        for speaker in _SPEAKER.finditer(before)
        if not _BESIDE.search(before[: speaker.start()])
    ]
    subjects = [speaker for speaker in named if _NOMINATIVE.fullmatch(speaker[0])]
    others = [speaker for speaker in named if _may_speak(speaker, before)]
    following = _SPEAKER_FOLLOWS.match(after)
    found = [*subjects[-1:], *others[-1:], *filter(None, [following])]
    sides = set(map(_side_of, found))
    if sides and _BUYERS_SPEECH.search(before):
        sides.add(Side.CLIENT)
    return frozenset(sides or Side)


def _is_evidence(before: str) -> bool:
    """Return whether a quotation after a colon or in brackets has no verb of speech."""
    said = (_SAID, _NAMED, _SPEAKER_AND_COLON)
    return bool(_AS_EVIDENCE.search(before)) and not any(entry.search(before) for entry in said)


def _may_speak(speaker: re.Match[str], before: str) -> bool:
    """Return whether the word is a subject, or next to the quotation and not addressed."""
    if _NOMINATIVE.fullmatch(speaker[0]):
        return True
    is_near = _NEAR.fullmatch(before, speaker.end()) is not None
    return is_near and not _ADDRESSED.fullmatch(speaker[0])


def _side_of(speaker: re.Match[str]) -> Side:
    return Side.COMPANY if speaker["seller"] else Side.CLIENT


def is_stated(before: str) -> bool:
    """Return whether the words before a quotation introduce a statement, not a question."""
    return bool(_SAID.search(before)) and not _ASKED.search(before)


def is_said(words: str, before: str, after: str) -> bool:
    """Return whether somebody is said to have written a quotation of one or two words."""
    if _FORM_OF_ADDRESS.fullmatch(words) and _ON_A_TOPIC.search(before):
        return False
    if any(pattern.search(before) for pattern in _SURELY_SAID):
        return True
    if _SAID.search(before):
        return " " in words or not _ON_A_TOPIC.search(before)
    return bool(_SPEECH_FOLLOWS.match(after)) and not before.strip(" —–-")
