"""Answers of the company that contain no information: automatic texts and "I will find out"."""

import re

_AUTOMATIC = re.compile(
    r"получили ваш\w* (?:сообщение|обращение|заявку|запрос|вопрос)"
    r"|(?:сообщение|обращение|звонок) очень важ"
    r"|спасибо за (?:ваше )?(?:обращение|сообщение)|нерабочее время|автоответ"
    r"|\b(?:менеджер|оператор|специалист|консультант|сотрудник)\w*\b[^.!]{0,80}"
    r"\b(?:свяж\w+|ответ[ия]т|перезвон[ия]т)\b"
    r"|\b(?:скоро|вскоре|в ближайшее время|в рабоч(?:ее|ие) (?:время|часы)|в течение)\b[^.!]{0,80}"
    r"\b(?:ответ(?:им|ят|ит)|свяж\w+)\b"
    r"|\b(?:ответим|свяжемся)\b"
)
_PROMISE = re.compile(
    r"\b(?:сейчас|щас) (?:\w+ )?(?:узна|уточн|провер|посмотр|спро[сш]|гля)\w+"
    r"|\b(?:узнаю|уточню|уточняю|проверю|посмотрю|спрошу|смотрю|проверяю|узнаем|уточним|проверим)\b"
    r"|\b(?:минут[уы]|минутк[уи]|минуточку|секунд[уы]|секундочку|сек|момент)\b"
    r"|^(?:сейчас|подождите(?: пожалуйста)?|ожидайте(?: пожалуйста)?)$"
)
_GREETING = re.compile(
    r"(?:(?:здравствуй(?:те)?|привет\w*|добр(?:ый|ое|ой) \w+|спасибо за \w+|извините|простите"
    r"|пожалуйста|хорошо)\b\W*)+"
)
_TERM = re.compile(
    r"\b(?:сегодня|завтра|послезавтра|утром|днем|вечером|до \w+|к (?:вечеру|обеду|утру)"
    r"|после (?:обеда|\w+)|через (?!минут|секунд)\w+|в течение (?!минут)\w+|полчаса"
    r"|во? (?:понедельник|вторник|среду|четверг|пятницу|субботу|воскресенье))\b"
)
_INFORMATION = re.compile(
    r"\d|[?₽]|\b(?:да|нет|есть|в наличии|цен[аыу]|руб\w*|стоит|продан\w*|забронир\w*|подойд\w*"
    r"|подход\w*|можно|можем|могу|отправ\w*|доставка|адрес)\b"
    r"|\b(?!здравствуйте|подождите|ожидайте|извините|простите)\w+(?:й|ь|и)те\b"
)
"""Facts, and requests to the buyer."""
_NO_INFORMATION = re.compile(r"\bесть ли(?: в наличии)?\b|\bили нет\b")
_WORKING_TIMES = re.compile(
    r"\b(?:с|до|от) \d{1,2}(?:[:.]\d{2})?(?: (?:до|по) \d{1,2}(?:[:.]\d{2})?)?"
    r"|\b\d{1,2}[:.]\d{2}(?: ?[-–—] ?\d{1,2}[:.]\d{2})?"
    r"|\b\d{1,2} ?[-–—] ?\d{1,2}\b|\b\d{1,3} (?:минут\w*|мин|час\w*)\b"
)
"""Times in an automatic text, which are no information about the buyer's question."""
_SENTENCE = re.compile(r"[^.!;\n]+")


def is_automatic(text: str) -> bool:
    """Return whether a text only announces an answer of a manager, or in working time."""
    words = _WORKING_TIMES.sub(" ", _simplify(text))
    return bool(_AUTOMATIC.search(words)) and not _INFORMATION.search(words)


def is_promise(text: str) -> bool:
    """Return whether a text only promises to find out, and names no term."""
    words = _NO_INFORMATION.sub(" ", _simplify(text))
    if _INFORMATION.search(words) or _TERM.search(words):
        return False
    sentences = [sentence.strip(" ,)(") for sentence in _SENTENCE.findall(words)]
    others = [words for words in sentences if words and not _GREETING.fullmatch(words)]
    return bool(others) and all(map(_PROMISE.search, others))


def _simplify(text: str) -> str:
    return re.sub(r"[^\S\n]+", " ", text.lower().replace("ё", "е"))
