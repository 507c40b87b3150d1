"""Patterns of addresses: street with house, house with flat, plot, door code, postal code.

A town alone is not an address.
"""

import re
from collections.abc import Iterator

from app.grading.masking.finders import Finder, finder, plain_key
from app.grading.masking.spoken_numbers import SPOKEN_WORD
from app.grading.masking.words import read_word

_WORD = r"[А-ЯЁ][А-ЯЁа-яё\d-]{1,30}"
_ORDINAL = (
    r"(?:\d{1,2} лет |\d{1,2}-?(?:[яйе]|[аоы][яй]) "
    r"|\d{1,2} (?=Янв|Фев|Мар|Апр|Ма[яй]|Июн|Июл|Авг|Сен|Окт|Ноя|Дек))"
)
_NAME = (
    rf"(?:(?i:имени|им\.|реки|канала|маршала|генерала|академика|адмирала) ?)?{_ORDINAL}?{_WORD}"
    rf"(?: (?!(?i:дом|кв|корп)){_WORD}){{0,3}}"
)
_LOWER_NAME = r"[а-яё-]{3,30}(?: [а-яё-]{3,30})?"
_UNIT = (  # after a number: a quantity, no house
    r"(?! ?(?:мин|час|ч\b|шт|руб|р\b|₽|тыс|км\b|м\b|м\.|кв\.? ?м|м2|м²|метр|соток|сотк|лет|год"
    r"|дн[яе]|%|том|класс|кг|см\b|мм\b|мл|л\b|гр?\b|вт\b|в\b|ам?\b|шт|коп|серий|сер|сезон"
    r"|позици|изд|квартир|человек|мест|комнат|-?комн|из\b|раз\b|января|феврал|март|апрел|мая"
    r"|июн|июл|август|сентябр|октябр|ноябр|декабр|на \d|[xх×*/] ?\d))"
)
_ALONE = (  # no quantity after it
    r"(?! ?(?i:-?комн|кв\.? ?м|м[2²]|м(?!\w)|метр|сот|тыс|млн|руб|р(?!\w)|лет|год|шт"
    r"|эт\w{0,3} ?(?!\d)|на \d|кв\b(?! ?\d)|из|за|или|и\b|квартир|[²%₽]|\d|[xх×*]))"
)
_SPOKEN = rf"{SPOKEN_WORD}(?: {SPOKEN_WORD}){{0,2}}"
_ROOM = (
    r"(?i:корпус|корп|к|строение|стр|литера?|лит|квартира|квартиры|кв|офис|оф|помещение|пом"
    r"|подъезд|под|парадн\w{1,2}|этаж|эт|домофон|комната|ком|секция|блок|бокс|место|ячейка)"
    r"\.?(?: ?№? ?\d{1,4}[а-яА-Я]?(?![\wа-я])"
    rf"(?! ?(?i:м|кв(?!\.? ?\d)|ч|час\w{{0,3}}|утра|дня|вечера)\b)(?!:)| {_SPOKEN}(?!\w))"
)
_COUNTED_ROOM = r"\d{1,3}(?:-?[йя])? ?(?i:подъезд|парадная|этаж|эт)(?!\w)"
_NUMBER = (
    r"\d{1,4}(?:с\d{1,3}|[кК]\d{1,3}(?!\w)| ?[а-жА-Ж](?!\w)|(?i: ?лит\.? ?[а-я])(?!\w))?"
    r"(?:(?:[/-]| - )\d{1,4}(?:[а-еА-Е](?!\w))?){0,2}(?:[кК]\d{1,2}(?!\w))?(?![\d:]|[.,]\d)"
    rf"{_UNIT}"
)
_HOUSE_WORD = r"(?i:дом\w{0,2}|д|вл|владение|влад)\.?"
_ROOMS = rf"(?:[, ]{{0,3}}(?:{_ROOM}|{_COUNTED_ROOM})){{0,4}}"
_SPOKEN_HOUSE = (
    rf"[, ]{{1,3}}(?:{_HOUSE_WORD} )?{_SPOKEN}(?!\w)(?! (?i:руб|тыс|минут|час|шт|лет|метр"
    r"|комнат|этаж|квартир|сот|спальн|чел|недел|дн|месяц|машин|раз(?!\w)|дом))"
)
_HOUSE = rf"[, ]{{0,3}}(?:{_HOUSE_WORD} ?)?№? ?{_NUMBER}{_ROOMS}"
_ANY_HOUSE = rf"(?:{_HOUSE}|{_SPOKEN_HOUSE}{_ROOMS})"
_SURE_HOUSE = (  # nothing but a house is written like this
    rf"(?:[, ]{{1,3}}{_HOUSE_WORD} ?№? ?{_NUMBER}{_ROOMS}"
    r"|[, ]{1,3}\d{1,3}(?: ?[а-жА-Ж](?!\w)|[кК]\d{1,2}(?!\w)|/\d{1,3}| ?- ?\d{1,3})"
    r"(?![\d:])"
    + _UNIT
    + _ROOMS
    + rf"|[, ]{{1,3}}{_NUMBER}(?:[, ]{{0,3}}(?:{_ROOM}|{_COUNTED_ROOM})){{1,4}}"
    rf"|, ?\d{{1,3}}(?![\d:]|[.,]\d){_UNIT})"
)
_NO_STOP = r"(?<!метро )(?<!м\. )(?<!остановка )(?<!ост\. )"  # a stop is called after a street
_STREET = (
    _NO_STOP + r"(?<!\w)(?i:улиц[аеуы]|проспект[аеу]?|переул(?:ок|ке|ка)|шоссе|тракт[ае]?"
    r"|бульвар[ае]?|набережн(?:ая|ой|ую)|площад[ьи]|проезд[ае]?|микрорайон[ае]?"
    r"|тупик[ае]?|аллея|аллее|линия|квартал)"
)
_SHORT_STREET = r"(?<!\w)(?i:ул|пр-к?т|просп|пер|б-р|наб|мкр|пл|туп)(?:\. ?| )(?!Челн)"
_SHORT_STREET_WITH_HOUSE = (
    r"(?<!\w)(?i:ул|пр|пр-к?т|просп|пер|ш|мкр|мкрн|мкр-н|пл|наб|б-р|туп|ал)(?:\. ?| )(?!Челн)"
)
_STREET_AFTER_NAME = (
    r"(?i:улиц[аеуы]|ул\.?|проспект[аеу]?|пр-к?т[аеу]?|просп\.?|шоссе|тракт[ае]?|ш\."
    r"|переул(?:ок|ке|ка)|пер\.|проезд[ае]?|пр-д|бульвар[ае]?|б-р[ае]?|набережн(?:ая|ой|ую)"
    r"|наб\.|пл\.|тупик[ае]?|аллея|аллее|мкр\.?|микрорайон[ае]?)(?!\w)"
)
# The streets that every town has; said without «улица» as often as with it.
_USUAL_STREETS = (
    r"(?:Ленина|Кирова|Гагарина|Пушкина|Гоголя|Горького|Чехова|Калинина|Маяковского|Чапаева"
    r"|Фрунзе|Куйбышева|Свердлова|Дзержинского|Тукая|Карла Маркса"
    r"|\d{2} лет (?:Октября|Победы|ВЛКСМ)|(?:8|1|9|23) (?:Марта|Мая|Февраля)|Розы Люксембург"
    r"|Мира|Победы|Труда|Космонавтов|Строителей|Энтузиастов|Комарова|Корол[её]ва|Жукова"
    r"|Суворова|Кутузова|Ломоносова|Некрасова|Лермонтова|Толстого|Есенина|Октябрьск(?:ая|ой|ую)"
    r"|Советск(?:ая|ой|ую)|Комсомольск(?:ая|ой|ую)|Пролетарск(?:ая|ой|ую)"
    r"|Первомайск(?:ая|ой|ую)|Молод[её]жн(?:ая|ой|ую)|Центральн(?:ая|ой|ую)|Школьн(?:ая|ой|ую)"
    r"|Садов(?:ая|ой|ую)|Лесн(?:ая|ой|ую)|Набережн(?:ая|ой|ую)|Заречн(?:ая|ой|ую)"
    r"|Вокзальн(?:ая|ой|ую)|Московск(?:ая|ой|ую)|Полев(?:ая|ой|ую)|Зел[её]н(?:ая|ой|ую)"
    r"|Красноармейск(?:ая|ой|ую)|Юбилейн(?:ая|ый|ой|ую))"
)
_SETTLEMENT = (
    r"(?<!\w)(?i:снт|днт|днп|тсн|кп|жк|гск|мкр|мкрн|микрорайон\w?|квартал\w?"
    r"|(?:коттеджный )?пос[её]л(?:ок|ке|ка)|пос|пгт|дер|деревн[яеию]|сел[оеа]|станиц[аеы]"
    r"|хутор\w?|аул\w?|садоводств[оеа]|(?-i:[дсп]|ст)(?=\.))(?:\. ?| )"
)
_PLACE_WORD = (
    r"(?<!\w)(?i:адрес\w{0,4}|жив[уеё]\w{0,3}|прожива\w{1,4}|нахо[жд]\w{1,6}|самовывоз\w{0,2}"
    r"|приезжайте|приезжай|подъезжайте|подъед\w{1,4}|приед\w{1,4}|забрать|забира\w{1,5}"
    r"|забер\w{1,4}|доставк\w{1,2}|доставьте|привез\w{1,5}|вез[иу]\w{0,3}|отправ\w{1,6}|пвз|мы"
    r"|я|пункт\w?|офис\w?|магазин\w?|склад\w?|туда|сюда|встреч\w{1,6}|прописан\w?|еду|ехать)"
)
_BEFORE_PLACE = (
    r"(?i:[ :,-]| с| на| по| в| до| от| пвз| пункт| по адресу| г\.? ?[а-я-]{2,20},){0,4}"
)
_DOOR = (
    r"(?i:двер\w{1,2}|подъезд\w{0,2}|домофон\w{0,2}|калитк\w{1,2}|ворот\w{0,2}|шлагбаум\w{0,2}"
    r"|парадн\w{1,2}|замк[ае]|кодов\w{2,3})"
)
_DOOR_CODE = r"\d{1,4}[КкKkВвBbCcСс#*]{1,2}\d{2,6}|[#*]?\d{2,8}[#*]?"
_OF_ADJECTIVE = ("ая", "ой", "ую", "ого", "ий", "ый", "ом", "ых", "их")
_OF_SURNAME = ("а", "я", "о", "ой", "ых", "их")
_OF_PLACE = ("вка", "вке", "вки", "вку", "нка", "нке", "нки", "нку")
_OF_GENITIVE = ("ов", "ей", "ия", "ии", "сти")
_OF_STREET = (
    *("ая", "ой", "ую", "ого", "ых", "их", "ий", "ом", "ова", "ева", "ёва", "ина", "ына", "яна"),
    *("ича", "ко", "ука", "юка", "дзе"),
)
_CAPITALISED = re.compile(r"[А-ЯЁ][а-яё-]{2,30}")


def _is_street(text: str) -> bool:
    """Return whether the capitalised words before a house may name a street.

    An adjective may, and a person or thing in the genitive.
    """
    words = _CAPITALISED.findall(text)
    if not words:
        return False
    if len(words) == 1:
        return not read_word(words[0]).is_first_name and _may_name_street(words[0])
    return _is_surname_of_street(words[-1]) or _may_name_street(words[0])


def _may_name_street(word: str) -> bool:
    reading = read_word(word)
    return (
        (reading.is_adjective and word.endswith(_OF_ADJECTIVE))
        or _is_surname_of_street(word)
        or (reading.is_place and word.endswith(_OF_PLACE))
        or (not reading.is_common and word.endswith(_OF_STREET))
        or (reading.is_genitive and len(word) > 5 and word.endswith(_OF_GENITIVE))
    )


def _is_surname_of_street(word: str) -> bool:
    return read_word(word).is_surname and word.endswith(_OF_SURNAME)


def _is_place_or_street(text: str) -> bool:
    """Accept also a first name in the genitive after a word of a place: «на Амирхана 21»."""
    return _is_street(text) or _is_declined_first_name(_CAPITALISED.search(text))


def _is_declined_first_name(word: re.Match[str] | None) -> bool:
    if word is None:
        return False
    reading = read_word(word[0])
    return reading.is_first_name and reading.lemma != word[0].lower()


def _street_finder(pattern: str) -> Finder:
    """Return a finder of the group `v` if the group `street` may be a street."""
    compiled = re.compile(pattern)

    def find(text: str) -> Iterator[tuple[int, int, str]]:
        for match in compiled.finditer(text):
            if _is_street(match["street"]):
                yield *match.span("v"), plain_key(match["v"])

    return find


_BARE = (
    rf"(?<!\w)(?P<street>{_ORDINAL}?{_WORD}(?: [А-ЯЁ][а-яё-]{{2,30}}| [а-яё]{{3,20}}(?:ов|ев|ей))?)"
)
STREET_HINT = re.compile(
    r"(?<!\w)(?i:ул|пр|пер|шос|бул|б-р|наб|пл|мик|мкр|туп|алле|лини|кварт)[а-яё-]{0,20}[. ]"
)
HOUSE_HINT = re.compile(
    r"[А-ЯЁ][а-яё-]{2,30}[., ]{1,3}(?:[\w.-]{1,12}[., ]{1,3}){0,3}№? ?\d|\x01|\d{6}"
    r"|\d/\d{1,3}[а-я]?[, ]{1,3}кв|[КкKkВвBbCcСс#*]\d{2}"
    r"|(?<!\w)(?i:дом|кв|квартир\w|участок|уч|бокс|апарт\w{0,6}|код|пароль|домофон|подъезд"
    r"|парадн\w{1,2}|ул|пр|пер|ш|наб|мкр\w{0,2})(?:\. ?| )"
    rf"|(?<!\w)[А-ЯЁ][а-яё-]{{2,30}},? (?:дом )?{SPOKEN_WORD}(?!\w)"
)
STREET_FINDERS = (
    finder(rf"(?:(?<!\w)\d{{1,2}}-?[яй]{{1,2}} )?{_STREET} {_NAME}{_ANY_HOUSE}"),
    finder(rf"{_SHORT_STREET}{_NAME}{_ANY_HOUSE}"),
)
HOUSE_FINDERS = (
    finder(rf"{_SHORT_STREET_WITH_HOUSE}(?:{_NAME}|{_LOWER_NAME}){_ANY_HOUSE}"),
    finder(
        rf"{_NO_STOP}(?<!\w){_ORDINAL}?[А-ЯЁ][а-яё-]{{2,30}}"
        rf"(?: [А-ЯЁ][а-яё-]{{2,30}})? {_STREET_AFTER_NAME}{_ANY_HOUSE}"
    ),
    finder(
        rf"{_PLACE_WORD}{_BEFORE_PLACE}\s?(?P<v>{_NAME}{_HOUSE})(?!\d)", accept=_is_place_or_street
    ),
    finder(
        rf"{_SETTLEMENT}[«\"]?{_WORD}(?: {_WORD})?[»\"]?"
        r"(?=[, ]{1,3}(?:\x01|(?i:ул|пер|пр|ш|б-р)[. ]"
        r"|(?i:участок|уч|дом|бокс|гараж)[. ]{1,2}№? ?\d"
        rf"|{_WORD}(?: {_WORD})? \d))"
    ),
    _street_finder(rf"{_NO_STOP}(?<!\w)(?P<v>{_BARE}{_SURE_HOUSE})"),
    finder(rf"{_NO_STOP}(?<!\w){_USUAL_STREETS}{_ANY_HOUSE}"),
    finder(r"(?<!\w)(?i:дом) (?P<v>\d{1,3}[а-я]?(?!\w)) (?=(?i:по|на) [А-ЯЁ])"),
    _street_finder(
        r"\x01 (?i:по|на) (?P<v>(?P<street>[А-ЯЁ][а-яё-]{3,30}(?: [А-ЯЁ][а-яё-]{3,30})?))"
    ),
    finder(
        r"(?<!\w)(?i:квартир[аыу]|кв|дом|участок|уч|бокс|апартаменты|апарт)(?:\. ?| )"
        rf"№? ?\d{{1,3}}[а-яА-Я]?(?![\w-])(?![.,]\d| ?/){_ALONE}"
    ),
    finder(rf"(?<!\w)(?i:квартира) (?P<v>{_SPOKEN})(?!\w)"),
    finder(
        r"(?<!\w)(?i:код|пароль)\w{0,2} (?:(?i:от|на|у|в|для) )?"
        rf"(?:\w{{3,10}} )?{_DOOR}[ :,-]{{1,3}}(?P<v>{_DOOR_CODE})(?!\w)"
    ),
    finder(
        rf"(?<!\w){_DOOR} ?(?:(?i:код) ?)?[:-]? ?"
        r"(?P<v>(?!\d{2,3}\*\d{3}(?!\d))\d{1,4}[КкKkВвBbCcСс#*]{1,2}\d{2,6}|(?<=домофон )\d{1,5}"
        r"|(?<=код )\d{2,8})(?![\w-])"
    ),
    finder(
        r"\x01[, ]{1,3}(?P<v>(?i:этаж|эт\.?|подъезд|домофон|код|под\.?)"
        r" ?№? ?\d{1,5}[а-яА-Я]?\d{0,5})(?!\w)(?! ?(?i:из)\b)"
    ),
    finder(r"(?<!\w)(?i:индекс|адрес)\w{0,4}[ :-]{0,3}[1-6]\d{5}(?!\d)"),
    finder(
        r"(?<!\d)(?!\d{3,4}00)(?P<v>[1-6]\d{5})"
        r",? (?=(?i:г\.|город|обл|респ|россия|рф|ул\.)|[А-ЯЁ][а-яё-]{1,30}, |\x01)"
    ),
)
"""The last of them read what stands beside an address already found."""
