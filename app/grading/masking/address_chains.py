"""Find addresses by their parts, in any letter case and without «улица».

Examples: «вишневая 17 кв 4», «снт ромашка уч 12», «6 мкр 14-2».
"""

import re
from collections.abc import Iterator

from app.grading.masking.finders import Finder, finder, in_lower, plain_key
from app.grading.masking.number_words import SPOKEN_WORD
from app.grading.masking.words import Reading, read_word

_NO_UNIT = (
    r"(?![\w:]|[.,]\d|[-–]\d{1,3} ?(?i:руб|р\b|тыс)"
    r"| ?(?i:мин|час|ч\b|шт|руб|р\b|₽|тыс|км\b|м\b|м[.,]|м[2²]|кв\.? ?м|метр|сот|лет\b|год"
    r"|дн[ейя]|%|кг|см\b|мм\b|мл\b|л\b|вт\b|квт|том\w?\b|лист|серий|позици|человек|мест\b"
    r"|комнат|-?комн|этаж(?:а|ей|ный|ного)|из\b|раз\b|на \d|[xх×*] ?\d|доллар|евро"
    r"|января|феврал|март|апрел|мая|июн|июл|август|сентябр|октябр|ноябр|декабр))"
)
_LETTER = r"(?: ?[а-гА-Г](?!\w)|(?i: ?лит(?:ера?)?\.? ?[а-я](?!\w)))?"
HOUSE_NUMBER = (
    rf"\d{{1,4}}(?:(?i:[ксc]|стр)\d{{1,3}})?{_LETTER}"
    rf"(?: ?[/-] ?\d{{1,4}}(?:[а-еА-Е](?!\w))?){{0,2}}{_NO_UNIT}"
)
SPOKEN_NUMBER = (
    rf"{SPOKEN_WORD}(?: {SPOKEN_WORD}){{0,2}}(?: (?i:дробь) {SPOKEN_WORD}(?: {SPOKEN_WORD})?)?"
    r"(?: [абвг](?!\w))?"
)
_BEFORE_NUMBER = (
    r"(?<!\w)(?i:дом|д|вл|владение|стр|строение|корпус|корп|к|кв|квартира|офис|оф|помещение|пом"
    r"|комната|комн?|бокс|гараж|ячейка|секция|ряд|участок|уч|подъезд|под|(?<!\.)п|парадн\w{1,2}"
    r"|этаж|эт|домофон|городок|в/[гч]|линия|квартал|мкр|мкрн|мкр-н|микрорайон|башня)"
)
_DISTRICT = r"(?i:мкр|мкрн|мкр-н|микрорайон|квартал|линия|улица|просека)(?!\w)"
_ROOM = r"(?i:подъезд|этаж|парадная|квартира|участок|корпус|бокс|гараж)(?!\w)"
_AFTER_NUMBER = rf"(?:{_DISTRICT}|{_ROOM}(?! ?№? ?\d{{1,4}}(?![\w-]{{1,3}} |\d| ?{_ROOM})))"
_PART = (
    rf"(?:{_BEFORE_NUMBER}(?:\.? ?№? ?{HOUSE_NUMBER}"
    rf"| {SPOKEN_NUMBER}(?![\w-])(?! (?i:руб|тыс|шт|метр|квадр|эта)))"
    r"|(?<!\w)(?i:домофон|код) \d{1,4}[КкKkВвBb#*]{1,2}\d{2,6}(?!\w)"
    r"|(?<!\w)(?i:перв|втор|трет|четв[её]рт|пят|шест|седьм|восьм|девят|десят)"
    r"(?:ый|ой|ий|ая|ом|ем) (?i:подъезд|этаж|парадная)е?(?!\w)"
    rf"|(?<![\w.,/-])\d{{1,3}}(?:-?(?:[йя]|[аоы][йяе])|[а-гА-Г])? ?{_AFTER_NUMBER})"
)
_BARE_PART = r"(?<![\w.,/-])\d{1,3}[а-г]?(?: ?[/-] ?\d{1,4}[а-г]?){1,2}(?![\d.,]\d|[\w/])"
_HOUSE_PART = r"\d{1,4}[а-г]?(?=[, ]{1,3}(?i:кв|корп|под|эт|пар|оф|стр))"
_ANY_PART = re.compile(rf"{_PART}|{_BARE_PART}")
_CHAIN = re.compile(
    rf"{_PART}(?:[,. ]{{1,3}}(?:{_PART}|{_BARE_PART}|{_HOUSE_PART}|(?i:ключ|код) \d{{2,6}}(?!\w)"
    r"|(?i:во|в\.о\.?)(?!\w))){0,6}"
)
_NUMBER_BEFORE = re.compile(rf"(?<![\w.,/-])(?:{HOUSE_NUMBER}|{SPOKEN_NUMBER})[, ]{{1,3}}$")
_WORD_BEFORE = re.compile(
    r"(?<![\w-])(\d{1,3}(?:-?(?:[йя]|[аоы][йя])| лет)?|[А-ЯЁа-яё][А-ЯЁа-яё-]{0,29})"
    r"(?:[, «»\"]{1,3}|\.,? ?)$"
)
_STREET_KIND = (
    r"ул|улиц[аеыу]|пр|пр-к?т|проспект[аеу]?|просп|пер|переул(?:ок|ке|ка)|ш|шоссе|тракт[ае]?"
    r"|бульвар[ае]?|б-р|наб|набережн(?:ая|ой|ую)|проезд[ае]?|пр-д|туп|тупик[ае]?|алле[яеюи]|пл"
    r"|площад[ьи]|городок|городк[аеу]|просек[аеиу]|канал[ае]?|м-н|мкр|мкрн|мкр-н"
    r"|микрорайон[ае]?|квартал[ае]?|линия"
)
_SETTLEMENT_KIND = (
    r"снт|днт|днп|тсн|кп|жк|гск|гк|пос[её]л(?:ок|ке|ка)|пос|пгт|дер|деревн[яеию]|сел[оеа]"
    r"|станиц[аеы]|ст-ца|хутор\w?|аул\w?|садоводств[оеа]|обществ[оеа]|товариществ[оеа]"
    r"|кооператив[ае]?|мжк|гаражи|общежити[ея]|г|город|д|с|п|х"
)
USUAL_STREET = re.compile(
    r"(?i)ленина|кирова|гагарина|пушкина|гоголя|горького|чехова|калинина|маяковского|чапаева"
    r"|фрунзе|куйбышева|свердлова|дзержинского|тукая|комарова|корол[её]ва|жукова|суворова"
    r"|кутузова|ломоносова|некрасова|лермонтова|толстого|есенина|малышева|белинского|ссср|влксм"
)
STREET_WORD = re.compile(rf"(?i:{_STREET_KIND})")
_KIND_WORD = re.compile(rf"(?i:{_STREET_KIND}|{_SETTLEMENT_KIND})")
_PLACE_NAME_WORD = re.compile(
    r"(?i:снт|днт|днп|тсн|кп|жк|гск|гк|мжк|садоводств[оеа]|обществ[оеа]|товариществ[оеа]"
    r"|кооператив[ае]?|гаражи|дер|деревн[яеию]|сел[оеа]|станиц[аеы]|пос[её]л(?:ок|ке|ка)"
    r"|хутор\w?|аул\w?)"
)
_FEMININE = re.compile(r"(?i)[а-яё]{3,30}(?:[ая]я|[ую]ю|[ое]й)")
_MASCULINE = re.compile(r"(?i)[а-яё]{3,30}(?:ий|ый|ой|ом|ого|ому|ое)")
_GENITIVE = re.compile(
    r"(?i)[а-яё]{2,30}(?:ова|ева|ёва|ина|ына|ского|цкого|ого|ых|их|ко|ия|ря|ов|ев|ей|ы|и|а|я)"
)
STREET_ENDING = re.compile(
    r"(?i)[а-яё]{2,30}(?:ова|ева|ёва|ина|ына|ича|ая|ой|ую|ого|ых|их|ко|дзе|яна|ука|юка|вка|вке"
    r"|вки|вку|нка|нке|нки|нку)"
)
_NO_PLACE = re.compile(
    r"(?i)адрес\w{0,3}|доставк\w{1,2}|общая|жилая|полезная|новая|большая|маленькая|целая|каждая"
    r"|любая|вторая|нужна\w?|какая|такая|моя|наша|ваша|самая|вся|одна|хорошая|белая|ч[её]рная"
    r"|последняя|цена|размера?|высота|длина|ширина|кухн[ия]|детская|женская|мужская|детской"
    r"|женской|мужской|русская|городская|заводская цена|комнат[ыа]|дома|квартир[ыа]|штук\w?"
    r"|номера?|телефона?|этаж\w{0,3}|подъезд\w{0,3}|цвета?|года|лет|сегодня|завтра|утра|вечера"
    r"|дня|часа|часов|рублей|литера?|секци[яи]|корпуса?|очеред[ьи]"
)
# Parts that a listing names as well («корпус 4, секция 2, этаж 14») do not make an address.
_HOME = re.compile(
    r"(?i)(?<!\w)(?!(?:корпус|корп|к|стр|строение|секция|этаж|эт|башня|линия)(?!\w))"
    r"[а-яё/]{1,15}(?:\.|\b)"
)
_FLAT = re.compile(r"(?i)кв\.? ?|квартира|подъезд|корп")
_HOUSE_WORD = re.compile(r"(?i)(?:дом|д)[. ]")
_MOST_WORDS = 5
_LOOK_BACK = 70
CHAIN_HINT = in_lower(
    r"\d/\d{1,3}[а-г]?-\d|\d(?:-?[а-я]{1,2})?[, ]{1,3}"
    r"(?:кв|под|эт|парад|мкр|микр|квартал|линия|корп|уч|ул|бокс|гараж|прос)"
    r"|(?<!\w)(?:кв|д|дом|к|корп|корпус|стр|под|п|подъезд|эт|этаж|офис|оф|бокс|гараж|уч|участок"
    r"|мкр|мкрн|квартал|линия|городок|комн|комната|пом|ряд|парадн\w{1,2}|квартира|башня)"
    rf"[. ]{{0,2}}(?:№ ?)?(?:\d|{SPOKEN_WORD})"
)


def find_chains(text: str) -> Iterator[tuple[int, int, str]]:
    """Find two parts of an address in a row («дом 4 кв 9»), or one part after a street or house."""
    position = 0
    for chain in _CHAIN.finditer(text):
        house = _house_before(text, chain.start())
        start, is_named = _name_before(
            text,
            house,
            right=chain[0].split(" ")[0],
            is_sure=house < chain.start() and bool(_FLAT.match(chain[0])),
        )
        if (is_named and _is_named_address(text, start, house, chain)) or _is_address(
            text, start, house, chain
        ):
            start = max(start, position)
            yield start, chain.end(), plain_key(text[start : chain.end()])
            position = chain.end()


def _is_named_address(text: str, start: int, house: int, chain: re.Match[str]) -> bool:
    """Return whether a name from `start` on and a chain are an address."""
    return (
        house < chain.start()
        or bool(_HOUSE_WORD.match(chain[0]))
        or _is_named_place(text, start, chain.start())
    )


def _is_address(text: str, start: int, house: int, chain: re.Match[str]) -> bool:
    """Return whether a chain is an address without a name."""
    parts = len(_ANY_PART.findall(chain[0])) + (" ключ " in chain[0])
    if parts > 1 and _HOME.search(chain[0]):
        return True
    has_fraction = house < chain.start() and "/" in text[start : chain.start()]
    return has_fraction and bool(_FLAT.match(chain[0]))


def _house_before(text: str, end: int) -> int:
    match = _NUMBER_BEFORE.search(text, max(0, end - 40), end)
    return match.start() if match else end


def _name_before(text: str, end: int, right: str, *, is_sure: bool) -> tuple[int, bool]:
    """Return where the street and settlement before `end` begin, and whether there is one.

    `is_sure`: any noun before `end` names one.
    """
    start, named = end, False
    right = right if STREET_WORD.fullmatch(right) else ""
    for _ in range(_MOST_WORDS):
        match = _WORD_BEFORE.search(text, max(0, start - _LOOK_BACK), start)
        if not match or not (
            _belongs(text, match, right) or (is_sure and not named and _is_noun(match[1]))
        ):
            break
        named = named or not match[1][0].isdecimal()
        start, right = match.start(), match[1]
    return start, named


def _belongs(text: str, match: re.Match[str], right: str) -> bool:
    """Return whether a word belongs to the name of a street or settlement.

    `right`: the word after it, which belongs to the name.
    """
    word = match[1]
    if word[0].isdecimal():
        return bool(right) and not _SETTLEMENT.fullmatch(right)
    if _KIND_WORD.fullmatch(word):
        return len(word) > 1 or bool(right)
    if _FEMININE.fullmatch(word) and _FEMININE.fullmatch(right):  # «большая подгорная»
        return True
    return may_name_street(word, len(right) > 1 and bool(_KIND_WORD.fullmatch(right))) or (
        not _NO_PLACE.fullmatch(word) and _follows_kind(text, match.start(), right)
    )


def _is_noun(word: str) -> bool:
    reading = read_word(word)
    return (
        len(word) > 3
        and (reading.is_noun or reading.is_adjective)
        and not (reading.is_verb or _NO_PLACE.fullmatch(word))
    )


_SETTLEMENT = re.compile(rf"(?i:{_SETTLEMENT_KIND})")


def _follows_kind(text: str, start: int, right: str) -> bool:
    """Recognize a name after the kind of a settlement: «жк светлый», «снт северное сияние»."""
    before = text[max(0, start - 40) : start]
    words = re.findall(r"[А-ЯЁа-яё-]{1,30}", before)[-2:]
    return any(_PLACE_NAME_WORD.fullmatch(word) for word in (words[-1:] if right else words))


def _is_named_place(text: str, start: int, end: int) -> bool:
    return any(
        _KIND_WORD.fullmatch(word) and len(word) > 1
        for word in re.findall(r"[А-ЯЁа-яё-]{1,30}", text[start:end])
    )


def may_name_street(word: str, before_kind: bool = False) -> bool:
    """Return whether a street may have this name: an adjective, or a genitive.

    `before_kind`: «переулок» or another kind of street follows the word.
    """
    if len(word) < 4 or _NO_PLACE.fullmatch(word):
        return False
    if USUAL_STREET.fullmatch(word):
        return True
    reading = read_word(word)
    if reading.is_adjective and not reading.is_verb:
        return _is_adjective_of_street(word, before_kind=before_kind)
    return reading.is_place or _is_genitive_of_street(word, reading)


def _is_adjective_of_street(word: str, *, before_kind: bool) -> bool:
    return bool(
        _FEMININE.fullmatch(word)
        or (before_kind and _MASCULINE.fullmatch(word))
        or word.lower().endswith(("ых", "их", "ского", "цкого"))
    )


def _is_genitive_of_street(word: str, reading: Reading) -> bool:
    has_genitive_ending = bool(_GENITIVE.fullmatch(word))
    if reading.is_genitive or (reading.is_surname and not reading.is_common):
        return has_genitive_ending and not (reading.is_verb and word.islower())
    is_unknown_noun = not reading.is_known and reading.is_noun
    return is_unknown_noun and (has_genitive_ending or bool(_FEMININE.fullmatch(word)))


# «4 квартал 2027» is a date of delivery of a new building.
QUARTER_OF_YEAR = finder(
    r"(?<!\w)(?i:[1-4]|[ivхi]{1,3})(?:-?(?:й|м|ый|ом|ой|ий|ем))? ?"
    r"(?i:квартал\w{0,2}|кв\.?) ?,? ?(?:20[2-4]\d(?!\d)|[2-4]\d ?(?i:г|года?)(?!\w))"
)
CHAIN_FINDERS: tuple[Finder, ...] = (
    find_chains,
    finder(
        r"(?<![\w/.,-])(?<![№:] )(?<!№)\d{1,2}/\d{1,3}[а-г]?-(?!(?:19|20)\d\d(?!\d))"
        r"\d{1,4}(?![\d/-]|[.,]\d)(?=[^\0]{0,40}"
        r"(?i:кв|подъезд|лифт|этаж|код|домофон|челн|город|звон)|\W{0,3}$)",
    ),
    finder(
        r"(?<!\w)\d{1,3}(?:-?(?:[йя]|[аоы][йя]))? "
        r"(?i:мкр|мкрн|микрорайон|квартал|линия|просека)"
        r"[,. ]{1,3}(?:(?i:дом|д)\.? ?)?\d{1,3}[а-г]?(?:[/-]\d{1,4})?(?![\d.])"
    ),
)
