"""Recognize names by their context: introductions, greetings, acts of people."""

import re
from collections.abc import Iterator

from app.grading.masking.first_names import all_short_forms, ambiguous_names, folded, listed_names
from app.grading.masking.name_things import is_animal
from app.grading.masking.name_words import (
    CYRILLIC,
    SURNAME_ENDING,
    WORD,
    NameToken,
    is_latin_name,
    is_latin_surname,
    is_plain_word,
)
from app.grading.masking.quoted_titles import is_in_title

SHOP = re.compile(
    r"(?i)(?<!\w)(?:авто\w{0,20}|магазин\w{0,4}|салон\w{0,4}|мебел\w{0,10}|строй\w{0,20}"
    r"|ремонт\w{0,10}|сервис\w{0,4}|центр\w{0,4}|студи\w{0,4}|компани\w{0,4}|команда"
    r"|техник\w{0,4}|запчаст\w{0,4}|квартир\w{0,4}|недвиж\w{0,10}|дом|мир|для|ооо|зао|оао|shop"
    r"|store|market|service|avito|авито|опт\w{0,8}|склад\w{0,4})(?!\w)"
)
NO_LATIN_NAME = re.compile(
    r"(?i)apple|iphone|samsung|xiaomi|sony|nokia|google|android|windows|home|house|auto|car"
    r"|cars|moto|sport|fashion|style|best|good|new|old|big|top|vip|pro|max|plus|lux|luxe|love"
    r"|life|world|master|king|queen|boss|black|white|red|blue|green|gold|silver|star|sun|moon"
    r"|cat|dog|fox|wolf|bear|tiger|lion|seller|buyer|user|client|customer|admin|manager|sale"
    r"|sales|price|city|hello|just|the|and|for|you|your|real|super|mega|tech|digital|online"
    r"|official|group|company|studio|design|art|photo|music|game|games|bmw|audi|toyota|mazda"
    r"|honda|ford|kia|hyundai|lada|opel|volvo|lexus|nissan|bosch|makita|philips|lenovo|asus"
    r"|acer|dell|intel|nvidia|canon|nikon|lego|nike|adidas|puma|zara"
)
TITLE = (
    r"(?:г-н|г-жа|господин|госпожа|гражданин|менеджер|мастер|замерщик|сборщик|прораб|курьер"
    r"|консультант|кладовщик|водитель|продавец|администратор|директор|хозя(?:ин|йка)"
    r"|собственник|риелтор|риэлтор|агент|оператор|бухгалтер|мама|муж|жена|сын|дочь|брат|сестра"
    r"|друг|подруга|сосед|соседка|тесть|бабушка|дедушка|отец|напарник|коллега|знакомый|дядя"
    r"|т[её]тя|баба|дед|бригадир|логист|грузчик|товарищ|представитель|секретарь|помощник"
    r"|специалист|техник|инженер|врач|доктор|учитель|тренер|преподаватель|няня)[а-яё]{0,2}"
)
INTRODUCTION = re.compile(
    r"(?i)(?<!\w)(?:меня зовут|табличк\w{1,3}|подписан\w?|фамилией|мене звати|мене звуть|звуть"
    r"|звати|кличут|величают|величать"
    r"|одержувач\w?|отримувач\w?|відправник|фамили[яиюей]{1,2}|по имени|на фамилию|держатель"
    r"|владелец|владелица|высветится|обратит\w{1,4} к|обращай\w{1,4} к|подойд\w{1,4} к"
    r"|спрос[аию]\w{0,3}|позов[иу]\w{0,2}|передай\w{0,2}|отдай\w{0,2}"
    r"|(?:скажи|скажите|скажете)(?: охране)?(?: что)? (?:от|к|для)|бронь на|запиш\w{1,4} на"
    r"|забронируй\w{0,2} на|зовут|(?:его|е[её]|мужа|жену|сына|бабушку|маму|как) зовут|зовут"
    r"|зовите меня|зовите|звать|зовут меня|мо[её] имя|имя|фио|получател[ьяюе]м?|получит"
    r"|получает|отправител[ьяю]|заказчик|контактное лицо|на имя|с уважением|вас приветствует"
    r"|на связи|вам пишет|пишет|уважаем(?:ый|ая)|спросит[ье]|спросить|позовите"
    r"|доверенност[ьи] на|оформ\w{1,8} на|записан\w? на|перевод на|карта на имя|заберет"
    r"|забер[её]т|встретит|звонил[аи]?|звонила|от имени|my name is|i am|i'm|this is|call me"
    rf"|{TITLE})(?:[ :,—–-]{{1,3}}|\n)(?:(?:ип|гр\.?|гражданин\w?|{TITLE}),? ){{0,1}}$"
)
ABBREVIATED = re.compile(r"\. ?[а-яё]")
SELF_INTRODUCTIONS = re.compile(
    r"(?:^|[.,!?;)\n] ?|(?:здравствуйте|привет|день|вечер|утро)[,.! ]{1,3})"
    r"(?:я|это|с вами|вас беспокоит)[ ,:—-]{1,3}"
)
HONORIFIC = re.compile(
    r" (?i:апа|апай|абый|абзый|ака|ага|агай|байке|эже|опа|хола|бай|хон|джан|жан|хоним|ханум"
    r"|ханым|муаллим|батоно|калбатони)(?!\w)"
)
INTRODUCTIONS = re.compile(
    INTRODUCTION.pattern.removesuffix("$").removeprefix("(?i)")
)  # of lower-case texts: four times as fast
CALLED = re.compile(
    r"(?i)(?<!\w)(?:зовут|звать|мо[её] имя|my name is|call me|кличут|мене звати)"
    r"(?: меня)?[ :,—–-]{1,3}$"
)
# A name may follow, but so may a thing: «приедет Фарух», «приедет Газель».
ACTS = re.compile(
    r"(?i)(?<!\w)(?:заедет|подъедет|приедет|прид[её]т|подойд[её]т|откроет|отдаст|передаст"
    r"|примет|выдаст|встретит|заскочит|забежит|позвонит|напишет|ответит|брат|сын|муж|мой)"
    r"[ —-]{1,3}(?:(?:мой|наш|ваш|вам|вас|наш[аеи]?|к вам|брат|сын|муж|друг|сосед|водитель"
    r"|курьер) ){0,2}$"
)
BY_PERSON = re.compile(r"(?i)(?<!\w)(?:к|от|у|для|за) $")
SELF = re.compile(r"(?i)(?<!\w)(?:это|я|меня|от|ваш|вам|с|у|к|за|для|на связи) $")
GREETING = (
    r"(?:здрав?ствуйте|salom|salam|assalom\w{0,10}|hello|hi|приветствую|привет"
    r"|добрый (?:день|вечер)|доброе утро|доброго дня|салам(?: алейкум)?|спасибо"
    r"|уважаем(?:ый|ая)|хорошо|да|нет|понял|поняла|ок|окей|благодарю|извините|простите|прости)"
)
GREETED = re.compile(rf"(?i)(?<!\w){GREETING}[, ]{{1,3}}$")
VOCATIVE_END = re.compile(r"(?i)[!.,;:)?]|\s{0,8}$")
BEFORE_NAME = re.compile(r"[.!?…,;:\n(—-]\s{0,8}$|^\s{0,8}$")
# A title's hero as often as a relative: «дядя Ваня билеты».
HERO = re.compile(
    r"(?i)(?<!\w)(?:дядя|т[её]тя|баба|дед|доктор|капитан|мистер|король|царь|принцесса) $"
)
LOOK_BACK = 60
_THIS_IS = re.compile(r"(?i)(?<!\w)это $")
_FROM_OR_BY = re.compile("(?i) (?:из|от|с|по) ")
_ME = re.compile(r"(?i)(?<!\w)меня $")
_PERSON_BEFORE = re.compile(
    r"(?i)(?<!\w)(?:это|я|меня зовут|зовут|спросит[ье]|позовите|мастер|менеджер|курьер"
    r"|водитель)[ —-]{1,3}$"
)
_REQUEST_AFTER = re.compile(
    rf"(?i), ?(?:{GREETING}|подскаж|скаж|добр|будьте|можно|можете|когда|извин)"
)
_INTRODUCES_SELF = re.compile(r"(?i)(?:^|[.!?,] )(?:это|я) $")
_PARTS_OF_NAME = frozenset({"имя", "отчество"})
_SURNAME_WORD = re.compile(r"(?i)(?<!\w)фамили[яюей]{1,2}[ :,—-]{1,3}$")
SELF_THEN = re.compile(r"(?i)[, ]{1,2}(?:я|по|насчет|насчёт|писал|звонил|с авито|из|от)(?!\w)")
_SURNAME_AFTER = re.compile(r" (?i:(?:это )?моя фамилия|запиш|оформ|отлож|заброн)")


def may_be_name(token: NameToken, before: str) -> bool:
    """Return whether a word is a name where one is expected.

    A first name is, in any spelling, and a capitalised word of no dictionary. A word in lower case
    that is no first name is a name only after «меня зовут».
    """
    if not CYRILLIC.fullmatch(token.word):
        return token.is_capitalised and _may_be_latin_name(token, before)
    form = folded(token.word)
    if form in ambiguous_names():
        return token.is_capitalised
    if _is_first_name_form(token, form):
        return True
    is_called = bool(CALLED.search(before)) and not token.reading.is_known
    if not token.is_capitalised:
        return is_called
    if is_called or _SURNAME_WORD.search(before):
        return len(token.word) > 1 and form not in _PARTS_OF_NAME
    return _may_be_unlisted_name(token)


def _may_be_latin_name(token: NameToken, before: str) -> bool:
    is_called = len(token.word) > 2 and CALLED.search(before)
    return (
        bool(is_called and not NO_LATIN_NAME.fullmatch(token.word))
        or is_latin_name(token)
        or is_latin_surname(token)
    )


def _is_first_name_form(token: NameToken, form: str) -> bool:
    return (
        form in listed_names()
        or (token.is_capitalised and form in all_short_forms())
        or (token.reading.is_first_name and not token.reading.is_common)
    )


def _may_be_unlisted_name(token: NameToken) -> bool:
    reading = token.reading
    is_of_person = not reading.is_known or reading.is_surname or reading.is_patronymic
    return is_of_person and reading.is_noun and not reading.is_common


def is_spoken_to(text: str, before: str, token: NameToken) -> bool:
    """Return whether a name that is also a word can only be a name in this place.

    Examples: «Спасибо, Вера!», «Роман, подскажите», «это Слава».
    """
    after = text[token.end : token.end + 20]
    if _THIS_IS.search(before) and _FROM_OR_BY.match(after):
        return True
    if GREETED.search(before) or _PERSON_BEFORE.search(before):
        return bool(VOCATIVE_END.match(after) or INTRODUCTION.search(before))
    if _ME.search(before):
        return after.lower().startswith(" зовут")
    return bool(BEFORE_NAME.search(before) and _REQUEST_AFTER.match(after))


UNDECLINED = re.compile("(?:ко|их|ых|о|дзе|швили)$")
_CARRIER = re.compile(
    r"(?i)сдэк\w?|боксберри|озон\w?|авито|яндекс\w?|пэк\w?|wildberries|вайлдберриз|вб|убер|икеа"
)


def is_named_by_context(text: str, before: str, token: NameToken) -> bool:
    """Return whether the words around a capitalised word make it a person's name.

    Examples: «к Гайнутдинову» (a surname after a preposition), «приедет Фарух».
    """
    if _is_no_person(token):
        return False
    if ACTS.search(before):
        return not _CARRIER.fullmatch(token.word) and may_be_name(token, before)
    if _introduces_self(text, before, token) and not token.reading.is_known:
        return True
    if BY_PERSON.search(before):
        return _has_form_after_preposition(token) and _may_be_surname(token)
    return bool(_SURNAME_AFTER.match(text, token.end)) and _may_be_surname(token)


def _has_form_after_preposition(token: NameToken) -> bool:
    return token.is_oblique or bool(UNDECLINED.search(token.word))


def _is_no_person(token: NameToken) -> bool:
    reading = token.reading
    return reading.is_common or reading.is_place or folded(token.word) in ambiguous_names()


def _introduces_self(text: str, before: str, token: NameToken) -> bool:
    """Recognize «Это Фарух, я по объявлению»."""
    return bool(_INTRODUCES_SELF.search(before) and SELF_THEN.match(text, token.end))


def _may_be_surname(token: NameToken) -> bool:
    reading = token.reading
    is_by_form = not reading.is_known and SURNAME_ENDING.fullmatch(token.word)
    return (
        len(token.word) > 4
        and bool(CYRILLIC.fullmatch(token.word))
        and (reading.is_surname or bool(is_by_form))
    )


def introduced_words(text: str) -> Iterator[str]:
    """Yield the words with which people introduce themselves or others: «меня зовут Нурсеит»."""
    lower = text.lower()
    if len(lower) != len(text):
        return
    for introduction in INTRODUCTIONS.finditer(lower):
        match = WORD.match(text, introduction.end())
        if match and len(match[0]) > 2 and _is_introduced(text, introduction.end(), match):
            yield match[0]
    for introduction in SELF_INTRODUCTIONS.finditer(lower):
        match = WORD.match(text, introduction.end())
        if match and folded(match[0]) in listed_names() and not is_plain_word(match[0]):
            yield match[0]


def _is_introduced(text: str, end: int, match: re.Match[str]) -> bool:
    before = text[:end][-LOOK_BACK:]
    return (
        may_be_name(NameToken(*match.span(), match[0]), before)
        and not is_animal(before)
        and not is_in_title(text, *match.span())
    )
