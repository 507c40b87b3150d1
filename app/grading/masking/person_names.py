"""Finds people's names in Russian text: known ones in every case, and those by which people introduce themselves."""

import re
from collections.abc import Iterable, Iterator

from app.grading.masking.first_names import first_name, first_name_or_word, forms, is_capitalised_only
from app.grading.masking.transliteration import in_cyrillic, in_latin

_NAME = r"[А-ЯЁ][а-яё]+(?:-[А-ЯЁ][а-яё]+)?"
_SURNAME = r"[А-ЯЁ][а-яё]+(?:[оеё]в|[иы]н|[оеё]ва|[иы]на|[сц]кий|[сц]кая|ко|[уюя]к|ян|дзе|швили)"
_PATRONYMIC = (
    r"(?:[А-ЯЁ][а-яё]+(?:[аиы]ныч|[аеи]лыч|[аео]ич|(?:[оеь]вич|ьич|[кмт]ич)(?:а|у|ем|е)?|(?:[оеь]вн|ичн)(?:а|у|ой|ы|е))"
    r"|[А-ЯЁ][а-яё]+[ -](?i:[оу]г?лы|[кг]ызы))"
)
_INTRODUCTIONS = (
    re.compile(
        r"(?i:меня зовут|(?<![а-яё] )зовут|зовите меня|звать|зовут меня|мо[её] имя|фио|получател[ья]|отправител[ья]|заказчик"
        r"|контактное лицо|на имя|с уважением,?\n?|вас приветствует|на связи|вам пишет|уважаем(?:ый|ая))"
        rf"[ :,—-]*(?<!\w)({_NAME}(?: {_NAME}){{0,2}})"
    ),
    re.compile(rf"(?i:меня) ({_NAME}) (?i:зовут)"),
    re.compile(rf"(?i:это|я) ({_NAME}), (?i:менеджер|мастер|консультант|администратор|продавец|хозя|собственник)"),
    re.compile(rf"(?<=[а-яё,] )(?:мастер|замерщик|сборщик|прораб|курьер|консультант|кладовщик)(?:[ау]|ом)? ({_NAME})"),
    re.compile(r"(?i:my name is|меня зовут) ([A-Z][a-z]+)"),
    re.compile(r"(?i:меня зовут) (?!как|так|не |очень|тоже|все|туда|сюда|на |в )([а-яё]{3,})"),
    re.compile(rf"(?<!\w)((?:{_SURNAME}(?:а|у|е|ым|ой)? )?{_NAME} {_PATRONYMIC})(?!\w)"),
    re.compile(rf"(?<!\w)({_SURNAME} [А-ЯЁ]\. ?[А-ЯЁ]\.)"),
)
_GREETING = (
    r"(?i:здрав?ствуйте|приветствую|привет|добрый (?:день|вечер)|доброе утро|доброго дня|салам(?: алейкум)?|спасибо|уважаем(?:ый|ая))"
)
# Where a name that is also a word can only be a name.
_ADDRESSED = (
    re.compile(rf"{_GREETING}[, ]+({_NAME})(?=[!.,;)]|\s*$)", re.MULTILINE),
    re.compile(rf"(?:^|[.!?] )({_NAME}), (?={_GREETING}|(?i:подскаж|скаж|добр|будьте|можно|можете|когда|извин))", re.MULTILINE),
    re.compile(
        r"(?<!\w)(?i:это|я|мастер|менеджер|замерщик|водитель|курьер|продавец|спросит[ье]|спросить|позовите|администратор[а-я]{0,2}|консультант[а-я]{0,2})"
        rf"[ —-]+({_NAME})(?=[!.,;)]|\s*$)",
        re.MULTILINE,
    ),
)
# A product's name is often a person's: «кухня Марина», «кровать Виктория».
_PRODUCT = re.compile(
    r"(?i)(?:диван|кроват|кухн|шкаф|стол|стул|кресл|комод|прихож|гостин|спальн|матрас|модел|коллекци|сери|сорт|роз|плать|ткан|цвет|люстр|обо|двер"
    r"|плитк|книг|роман|кукл|духи|аромат|виноград|клубник)[а-яё]{0,3}[ \"«„]{1,2}$"
)
_LEGAL_FORMS = re.compile(
    r"(?i)ооо|ип|зао|оао|клиент\w*|покупател\w*|продав\w*|пользовател\w*|менеджер\w*|частное|лицо|user|avito|авито|мастер\w*|служба|отдел"
    r"|друзья|администраци\w*|коллектив"
)
# A name with one of these is a shop's; masked, it would take ordinary words out of the whole chat.
_SHOP = re.compile(
    r"(?i)\b(?:авто\w*|магазин\w*|салон\w*|мебел\w*|строй\w*|ремонт\w*|сервис\w*|центр\w*|студи\w*|компани\w*|команда|техник\w*"
    r"|запчаст\w*|квартир\w*|недвиж\w*|дом|мир|для|shop|store|market|service)\b"
)
_ENDING = r"(?:ого|его|ому|ему|ой|ей|ою|ею|ом|[её]м|ым|им|ая|яя|ую|юю|ый|ий|[аяыиеуюйьо])"
_CAN_BEND_UNCAPITALISED = 5  # letters of the stem: «марине» is Марина, «марки» is hardly Марк
_WORD = re.compile(r"(?<![^\W_])[А-ЯЁа-яё]{2,}(?![^\W_])")


def introduced_names(texts: Iterable[str]) -> list[str]:
    """Names people call themselves or others by: «меня зовут Олег», «Иванов Иван Петрович», «Иванов И. И.», and the usual first names."""
    chat = "\n\0\n".join(texts)  # nothing reaches from one message into the next
    found = [match[1] for pattern in _INTRODUCTIONS for match in pattern.finditer(chat)]
    found += [name for pattern in _ADDRESSED for match in pattern.finditer(chat) if (name := first_name_or_word(match[1]))]
    for match in _WORD.finditer(chat):
        name = first_name(match[0])
        if name and not _PRODUCT.search(chat, max(0, match.start() - 20), match.start()):
            found.append(name)
    return [name for name in dict.fromkeys(found) if _words_of(name)]


def name_pattern(name: str) -> re.Pattern[str] | None:
    """Matches the name or any of its words in any case and in the other alphabet, neighbours together; None where nobody is named."""
    words = _words_of(name)
    if not words:
        return None
    one = "|".join(form for word in words for form in _forms(word))
    initials = r"(?: ?(?-i:[А-ЯЁ])\.){0,2}"
    return re.compile(rf"(?<!\w)(?:{one})(?:[ -](?:{one}))*(?!\w){initials}")


def _words_of(name: str) -> list[str]:
    if _SHOP.search(name):
        return []
    return [word for word in re.findall(r"[^\W\d_]{2,}", name) if not _LEGAL_FORMS.fullmatch(word)]


def _forms(word: str) -> Iterator[str]:
    if re.fullmatch("(?i)[a-z]{3,}", word):
        yield f"(?i:{word})"
        yield f"(?=[А-ЯЁ])(?i:{in_cyrillic(re.sub('(?<=...)[aoy]$', '', word.lower()))}{_ENDING}?)"
    elif not re.fullmatch("(?i)[а-яё]{3,}", word):
        yield f"(?i:{word})"
    elif usual := forms(word):
        capital = "(?=[А-ЯЁ])" if is_capitalised_only(word) else ""
        yield f"{capital}(?i:{'|'.join(map(_e_or_yo, usual))})"
        yield f"(?i:{_e_or_yo(word)})" if first_name(word.capitalize()) else rf"(?i:{word})(?=[,!.]|\s*$)"
        yield f"(?=[A-Z])(?i:{in_latin(word.lower())})"
        if word[-1] in "ая":
            yield rf"(?=[А-ЯЁ])(?i:{_e_or_yo(word[:-1])}ь?)(?=[,!])"  # «Маш, привет»
    else:
        yield from _bent_by_rule(word)
        yield f"(?=[A-Z])(?i:{in_latin(word.lower())})"


def _bent_by_rule(word: str) -> Iterator[str]:
    """The forms of a name that stands in no list: its stem and any ending; uncapitalised only where the stem is long."""
    yield f"(?i:{_e_or_yo(word)})"
    stem = re.sub("(?i)(?:ий|ый|ая|яя|[аяйьеоую])$", "", word)
    bent = _e_or_yo(re.sub("(?i)(?<=..)[её](?=[лкц]$)", "е?", stem))  # Павел, Павла
    if len(stem) >= _CAN_BEND_UNCAPITALISED:
        yield f"(?i:{bent}{_ENDING}?)"
    elif len(stem) > 1:
        yield f"(?=[А-ЯЁ])(?i:{bent}{_ENDING})"


def _e_or_yo(word: str) -> str:
    return re.sub("(?i)[её]", "[её]", word)
