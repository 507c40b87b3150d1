"""Recognize things and animals that bear names of people.

Examples: «кухня Мария», «Маша и медведь», «собаку зовут Рекс».
"""

import re

from app.grading.masking.first_names import folded, listed_names
from app.grading.masking.name_words import WORD, NameToken
from app.grading.masking.words import read_word

# A product's name is often a person's: «кухня Марина», «кровать Виктория».
_PRODUCT = re.compile(
    r"(?i)(?<!\w)(?:кот|кошк|щен|собак|п[её]с|мишк|барби|попуга|коров|лошад|кличк|диван|кроват"
    r"|кухн|шкаф|стол|стул|кресл|комод|прихож|гостин|спальн|матрас|модел|коллекци|сери|сорт|роз"
    r"|плать|ткан|цвет|люстр|обо|двер|лад|тойот|шкод|плитк|книг|роман|повест|кукл|духи|аромат"
    r"|виноград|клубник|игр|лего|марк|картин|учебник|майк|футболк|парфюм|постер|плакат|фильм"
    r"|диск|пластинк|винил|мультик|костюм|комикс|раскраск|автограф|ноты|мультфильм|сказк|сумк"
    r"|очк|часы|туфл|пион|сирен|рубашк|джинс|кроссовк|фигурк|пазл|билет|сериал|аниме|песн"
    r"|альбом|бюст|портрет|стих|том|собрани|автомат|пистолет|самосвал|поезд|теплоход|крейсер"
    r"|яхт|кат[ео]р|моторк|мотор|кофе|шоколад|торт|вафл|икр|вин|коньяк|медал|орден|значок|монет"
    r"|икон|праздник|ден|церков|храм|собор|монастыр|театр|парк|музе)"
    r"[а-яё]{0,4}(?: [«\"„]?[А-ЯЁа-яё]{2,20})? ?[ \"«„]$"
)
_NOT_BEFORE_THING = re.compile(
    r"(?:привет|день|вечер|утро|ночь|время|имя|номер|телефон|карта|карту|карте|сбер|контакт"
    r"|перевод|адрес|получатель|вопрос|спасибо|фамилия|посылка|посылку|заказ|тел|мама|папа"
    r"|салам|здравия|добро|паспорт|договор|счет|чек|запись|почта|тинькофф|втб|доброе|добрый"
    r"|данные|фио|подпись|ответ|сообщение|ключ|бронь|озон|альфа|банк)"
)
_MARK_AFTER = re.compile(
    r"(?i)[,.]? (?:[а-яё]{1,20} ){0,2}(?:оригинал|реплик|паль|копи[яи]|размер|издани|обложк|том"
    r"(?:а|ов|ах)?(?!\w)|част[ие]|сери[ия]|сезон|билет|сборник|репродукц|фигурк|диск|двд|dvd"
    r"|кассет|пластинк|винил|рассад|сажен|семен|сорт|мушкет|рассказ|роман|стих|сочинен|альбом"
    r"|концерт|полотно|\d{1,4} ?(?:мл|гр?|шт|см|том\w{0,2}|г|год\w?)(?!\w))"
)
_PLACE_AFTER = re.compile(
    r" (?i:дель?|ла|лос|сан|бэй|бич|плаза|парк|хилл|сити|стрит|холл|тауэр)(?!\w)"
)
_PARTNER = re.compile(r" и ([А-ЯЁа-яё][а-яё]{1,30})(?![а-яё])")
_FIRST_OF_TWO = re.compile(r"\W{0,3}([А-ЯЁа-яё]{3,20}) и ")
_HIS = frozenset(["его", "ее", "её", "их"])
_KIN = re.compile(
    r"(?i)(?:муж|жен|сын|доч|брат|сестр|мам|пап|друг|подруг|сосед|напарник|коллег|бабушк|дедушк"
    r"|тест|тещ|дет)[а-яё]{0,4}"
)
_FOLLOWING = re.compile(r" ([А-ЯЁа-яё]{3,30})(?![А-ЯЁа-яё])")
_LONGEST_LABEL = 60
_DAY_GREETING = re.compile(r"(?i)(?:добрый|доброго|доброй|всем) д[а-яё]{2,3} $")
_LAST_WORD = re.compile(r"([А-ЯЁа-яё]{2,30}) [«\"„]?$")
_ANIMAL = re.compile(
    r"(?i)(?<!\w)(?:собак|собачк|п[её]с|пса|щен|кот|кошк|кош|попуга|хомя|кролик|конь|коня|лошад"
    r"|коров|коз[ауы]|кличк|питом|родител|зверь|кобел|сук[ау]|порода|породы)"
    r"[а-яё]{0,4}[^.!?\n]{0,25}$"
)
_RELATIVE = re.compile(r"(?i)(?<!\w)(?:баб[аеуы]|т[её]т[яеи]|дяд[яею]|сосед\w{0,3}|дочь|сын\w?) $")


def is_product(before: str, token: NameToken) -> bool:
    """Return whether the text before a name makes it the name of a thing or an animal.

    Examples: «кухня Мария», «духи Шанель», «собаку зовут Рекс».
    """
    if (_PRODUCT.search(before) and not _DAY_GREETING.search(before)) or is_animal(before):
        return True
    last = _LAST_WORD.search(before)
    if not last or _NOT_BEFORE_THING.fullmatch(folded(last[1])):
        return False
    reading = read_word(last[1])
    is_nominative = folded(token.word) == folded(token.reading.lemma)
    return (
        reading.is_thing
        and not (reading.is_first_name or reading.is_surname)
        and (is_nominative or last[1][0].isupper())
    )


def is_animal(before: str) -> bool:
    """Return whether an animal is introduced («собаку зовут») before the name."""
    return bool(_ANIMAL.search(before)) and not _RELATIVE.search(before)


def names_thing(text: str, token: NameToken, end: int = 0) -> bool:
    """Return whether the text after a name makes it the name of a thing.

    Examples: «Катюша сорт», «Маша и Медведь». `end`: the end of the whole name.
    """
    end = end or token.end
    if _PLACE_AFTER.match(text, end) or _MARK_AFTER.match(text, end):
        return True
    if partner := _PARTNER.match(text, end):
        return _is_title_of_two(text, token, partner) and not _has_verb(text)
    return _precedes_thing(text, token, end) and not _has_verb(text)


def _is_title_of_two(text: str, token: NameToken, partner: re.Match[str]) -> bool:
    """Recognize «Иван и Марья» and «Маша и медведь»."""
    is_pair = (
        not token.is_oblique
        and _is_first_name(partner[1])
        and text[partner.end() : partner.end() + 1] != ","
    )
    return len(text) <= _LONGEST_LABEL if is_pair else _is_title_partner(partner[1])


def _precedes_thing(text: str, token: NameToken, end: int) -> bool:
    """Recognize a thing after the name, or after an adjective: «Мария угловая кухня»."""
    following = _FOLLOWING.match(text, end)
    if not following or token.is_oblique or len(text) > _LONGEST_LABEL:
        return False
    if read_word(following[1]).is_thing:
        return True
    after = (
        _FOLLOWING.match(text, following.end()) if read_word(following[1]).is_adjective else None
    )
    return after is not None and read_word(after[1]).is_thing


def _is_title_partner(word: str) -> bool:
    """Recognize the second word of «Маша и медведь», «Томас и его друзья»; not «Сергей и жена»."""
    reading = read_word(word)
    is_person = _is_first_name(word) or _KIN.fullmatch(word)
    return word.lower() in _HIS or (
        reading.is_noun and (reading.is_common or word.islower()) and not is_person
    )


def is_second_in_title(text: str, before: str) -> bool:
    """Recognize the second name of «Мастер и Маргарита» in a text without a verb."""
    match = _FIRST_OF_TWO.fullmatch(before)
    return match is not None and not (_KIN.fullmatch(match[1]) or _has_verb(text))


def _is_first_name(word: str) -> bool:
    return read_word(word).is_first_name or folded(word) in listed_names()


def _has_verb(text: str) -> bool:
    return any(read_word(word).is_verb for word in WORD.findall(text[:_LONGEST_LABEL]))
