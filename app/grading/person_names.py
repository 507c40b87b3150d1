"""Finds people's names in Russian text: known ones in every case, and those by which people introduce themselves."""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

_NAME = r"[А-ЯЁ][а-яё]+(?:-[А-ЯЁ][а-яё]+)?"
_SURNAME = r"[А-ЯЁ][а-яё]+(?:[оеё]в|[иы]н|[оеё]ва|[иы]на|[сц]кий|[сц]кая|ко|[уюя]к|ян|дзе|швили)"
_INTRODUCTIONS = (
    re.compile(rf"(?i:меня зовут|зовите меня|мо[её] имя|фио|получатель|с уважением)[\s:,—-]+({_NAME}(?: {_NAME}){{0,2}})"),
    re.compile(r"(?i:меня зовут) (?!как|так|не |очень|тоже|все|туда|сюда|на )([а-яё]{3,})"),
    re.compile(rf"\b((?:{_SURNAME} )?{_NAME} [А-ЯЁ][а-яё]+(?:[оеь]вич|ьич|мич|ична|[оеь]вна)(?:а|у|ем|е|ы|ой)?)\b"),
    re.compile(rf"\b({_SURNAME} [А-ЯЁ]\. ?[А-ЯЁ]\.)"),
)
_COMMON_NAMES = (
    "Александр Александра Алексей Алёна Алина Алла Анастасия Анатолий Анна Андрей Антон Анжела Арина Артём Артур Борис Вадим Валентина "
    "Валерий Василий Вероника Виктор Виктория Виталий Владимир Владислав Вячеслав Галина Геннадий Георгий Григорий Дарья Денис Диана "
    "Дмитрий Евгений Евгения Екатерина Елена Елизавета Иван Игорь Илья Инна Ирина Кирилл Константин Кристина Ксения Лариса Леонид "
    "Лидия Людмила Максим Маргарита Марина Мария Михаил Наталья Наталия Никита Николай Нина Оксана Олег Ольга Павел Пётр Полина "
    "Раиса Руслан Светлана Семён Сергей Станислав Степан Тамара Татьяна Тимур Ульяна Фёдор Эдуард Юлия Юрий Яна Ярослав "
    "Саша Дима Катя Наташа Таня Оля Юля Миша Коля Серёжа Вова Лёша Маша Настя Лена Камиль Рустам Ильдар Азамат Фарход Армен Ашот"
)
_LEGAL_FORMS = re.compile(r"(?i)ооо|ип|зао|оао|клиент|покупатель|продавец|пользователь|менеджер|частное|лицо|user|avito|авито")
# A name with one of these is a shop's; masked, it would take ordinary words out of the whole chat.
_SHOP = re.compile(
    r"(?i)\b(?:авто\w*|магазин\w*|салон\w*|мебел\w*|строй\w*|ремонт\w*|сервис\w*|центр\w*|студи\w*|компани\w*|команда|техник\w*"
    r"|запчаст\w*|квартир\w*|недвиж\w*|дом|мир|для|shop|store|market|service)\b"
)
_ENDING = r"(?:ого|его|ому|ему|ой|ей|ою|ею|ом|[её]м|ым|им|ая|яя|ую|юю|ый|ий|[аяыиеуюйьо])"
_CAN_BEND_UNCAPITALISED = 5  # letters of the stem: «марине» is Марина, «марки» is hardly Марк


def introduced_names(texts: Iterable[str]) -> list[str]:
    """Names people call themselves or others by: «меня зовут Олег», «Иванов Иван Петрович», «Иванов И. И.», and the common first names."""
    chat = "\n".join(texts)
    found = [match[1] for pattern in _INTRODUCTIONS for match in pattern.finditer(chat)]
    found += filter(None, map(_common_name, re.findall(r"(?<!\w)[А-ЯЁ][А-ЯЁа-яё]+", chat)))
    return [name for name in dict.fromkeys(found) if _words_of(name)]


# Words that look like a bent form of a common name: "Алло?" is how people begin, not Алла.
_NO_NAMES = frozenset({"алло", "алё", "ало"})


def name_pattern(name: str) -> re.Pattern[str] | None:
    """Matches the name or any of its words in any case, neighbours together; None where nothing in it is a person's name."""
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
    yield f"(?i:{_e_or_yo(word)})"
    if not re.fullmatch("(?i)[а-яё]{3,}", word):
        return
    stem = re.sub("(?i)(?:ий|ый|ая|яя|[аяйьео])$", "", word)
    bent = _e_or_yo(re.sub("(?i)(?<=..)[её](?=[лкц]$)", "е?", stem))  # Павел, Павла
    if len(stem) >= _CAN_BEND_UNCAPITALISED:
        yield f"(?i:{bent}{_ENDING}?)"
    elif len(stem) > 1:
        yield f"(?=[А-ЯЁ])(?i:{bent}{_ENDING})"


def _e_or_yo(word: str) -> str:
    return re.sub("(?i)[её]", "[её]", word)


@cache
def _common_patterns() -> list[tuple[str, re.Pattern[str]]]:
    return [(name, re.compile("|".join(_forms(name)))) for name in _COMMON_NAMES.split()]


@lru_cache(maxsize=10_000)
def _common_name(word: str) -> str | None:
    if word.lower() in _NO_NAMES:
        return None
    return next((name for name, pattern in _common_patterns() if pattern.fullmatch(word)), None)
