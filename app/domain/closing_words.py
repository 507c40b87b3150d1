"""Words with which a buyer ends an exchange, and question marks that ask nothing.

The rules err towards an answer: a text counts as closing only if nothing in it may be a request.
"""

import re

_LINK = re.compile(
    r"(?:https?://|www\.)\S+"
    r"|(?<![\w.-])[\w-]{1,63}(?:\.[\w-]{1,63}){0,3}\.(?:ru|com|рф)/\S*",
    re.IGNORECASE,
)
_THANKS = r"(?:спасиб\w*|спс|пасиб\w*|благодар\w*|спасиочки|сенкс|thanks|thx)"
_THANKS_MARK = re.compile(rf"(\b{_THANKS}(?: (?:большое|огромное|вам))?)\s*\?+")
_RHETORICAL = re.compile(
    r"\bчто (?:же|ж|уж)(?: тут)? (?:поделать|поделаешь|делать)\s*\?+"
    r"|\b(?:куда деваться|кто бы (?:мог )?(?:знал|подумать)|как же иначе|почему бы и нет)\s*\?+"
)

_TIME_OF_DAY = r"(?:дня|вечера|утра|ночи|настроения|выходных|недели|отдыха|пути)"
_CLOSING = re.compile(
    rf"\b(?:{_THANKS}(?: (?:большое|огромное))?|(?:большое|огромное) спасибо"
    r"|хорош\w?|ок|окей|ok|океюшки|понял\w?|понятно|понятненько|ясно|ясненько|ладно|ладненько"
    r"|договорились|принято|принял\w?|вижу|отлично|супер|здорово|класс|круто|прекрасно"
    r"|замечательно|годится|идет"
    r"|(?:буду |будем )?(?:по)?(?:думаю|думаем|думать)|решу|решим"
    r"|(?:по)?советуюсь(?: с \w+(?: и \w+)?)?"
    r"|(?:от|на)пишу(?:сь)?|сообщу|будем знать|буду знать|если что"
    r"|до (?:свидания|встречи|завтра|связи|скорого|вечера|понедельника|вторника|среды|четверга"
    r"|пятницы|субботы|воскресенья)"
    r"|всего (?:вам )?(?:доброго|хорошего|наилучшего)|удачи"
    rf"|(?:хорошего|доброго|приятного|удачного|хороших|приятных|доброй|спокойной) {_TIME_OF_DAY}"
    r"|взаимно|(?:и )?(?:вам|вас) (?:тоже|также)|и вам"
    r"|(?:буду )?(?:жду|ждем|ждать)(?: вас)?"
    r"|(?:больше |уже |пока )?(?:ничего )?(?:не (?:надо|нужно|актуально|стоит)|неактуально)"
    r"|(?:уже )?(?:купил|взял|нашел|нашл|приобрел|заказал|передумал)\w?(?: уже)?"
    r"|все)\b"
)
_FILLING = re.compile(
    r"\b(?:я|мы|ну|ой|это|и|а|тогда|тоже|уже|так|то|вам|вас|тебя|за|ответ|помощь|информацию|очень|еще)\b"
)
"""Words that mean nothing alone; texts of nothing else need an answer."""
_CONSENT = re.compile(r"\b(?:да|нет|не|неа|ага|угу)\b(?! (?:надо|нужно|актуально|стоит))")

_REQUEST = re.compile(
    # questions without a question mark
    r"\b(?:где|сколько|почем|почему|зачем|куда|откуда|кто|чем|можно|возможно|ли|вопрос\w*)\b"
    r"|\bкак(?:ой|ая|ое|ие|ого|ую|им|их)\b"
    r"|\b(?:как|когда)\b(?! (?:только|раз|\w+[ую])\b)"
    r"|(?:^|[,.!;] ?)(?:(?:а|и|ну) )?что\b"
    r"|\b(?:а|и|еще) \w+ есть\b"
    r"|\bа (?!все\b|так\b|то\b|я\b|мы\b|вот\b|вижу\b|понял)"
    # requests
    r"|(?<!\bне )\b(?!простите|извините|здравствуйте|ждите|будьте)\w+(?:й|ь|и)те(?:сь)?\b"
    r"|\b(?:скинь|пришли|напиши|скажи|подскажи|отправь|дай|давай|покажи|позвони|оформи|забронируй"
    r"|отложи|посчитай|ответь|пожалуйста|прошу|просьба|интересу\w+|уточнить)\b"
    r"|(?<!\bне )\b(?:нужен|нужн\w+|надо)\b|\bхо(?:чу|тим|тел\w*|телось)\b"
    r"|\bжд(?:у|ем)(?= \w)"
    r"(?! (?:вас|тебя|с|и|тогда|завтра|посылк\w+|доставк\w+|заказ\w*|курьер\w*)\b)"
    # reminders, objections and complaints
    r"|\bвсе (?:еще )?жд(?:у|ем)\b"
    r"|\b(?:дорог\w*|дешевле|смуща\w+|боюсь|сомнева\w+|проблем\w*|не работает|слома\w+|брак\w*)\b"
)
_FOUND = re.compile(
    r"\bне (?:надо|нужно|актуально|стоит)\b|\bнеактуально\b"
    r"|(?<!\bне )\b(?:вижу|увидел\w?|нашел|нашла|нашли|разобрал\w*|купил\w?|взял\w?|передумал\w?)\b"
)
_WAITING = re.compile(r"\b(?:жду|ждем|ждать|подожду|заранее)\b")
_WORD = re.compile(r"\w+")


def is_question(text: str) -> bool:
    """Return whether a question mark asks something: not in a link, in thanks, rhetorical."""
    return "?" in _simplify(text)


def is_closing(text: str, *, is_asked: bool) -> bool:
    """Return whether a text of the buyer needs no answer: thanks, consent, a farewell, a refusal.

    ``is_asked``: the company's text before it is a question. A plain yes or no then needs an
    answer. Any text with thanks is closing unless it contains a request.
    """
    words = _simplify(text)
    if "?" in words or (_LINK.search(text) and not _WORD.search(words)):
        return False
    if re.search(rf"\b{_THANKS}\b", words):
        return not _REQUEST.search(words)
    if _CONSENT.search(words):
        if is_asked:
            return False
        words = _CONSENT.sub(" ", words) + " ок"
    if not _WORD.search(words):
        return True
    left, closings = _CLOSING.subn(" ", " ".join(_WORD.findall(words)))
    return closings > 0 and not _WORD.search(_FILLING.sub(" ", left)) and not _REQUEST.search(words)


def gives_up(text: str) -> bool:
    """Return whether a closing text ends the buyer's wait: he has found the answer, or refuses."""
    return bool(_FOUND.search(_simplify(text)))


def is_waiting(text: str) -> bool:
    """Return whether a closing text confirms that the buyer waits, or thanks in advance."""
    return bool(_WAITING.search(_simplify(text)))


def _simplify(text: str) -> str:
    """Return the text in lower case without links, «ё», and question marks that ask nothing."""
    words = " ".join(_LINK.sub(" ", text).lower().replace("ё", "е").split())
    return _THANKS_MARK.sub(r"\1", _RHETORICAL.sub("ладно", words))
