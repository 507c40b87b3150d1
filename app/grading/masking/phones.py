"""Find phone numbers in figures: of Russia, its neighbours, and Russian town numbers."""

import re
from itertools import pairwise

from app.grading.masking.finders import END, FREE, Finder, digits_of, finder

_SEP = r"[\s().\-_*\[\]{}/]{0,4}"
_PLUS = r"(?:(?<!\w)(?i:плюс) {0,2}|\+ ?)"
_CALL = (
    r"(?<!\w)(?i:(?:дом\.? )?тел\.?|телефон\w{0,6}|звон\w{0,8}|позвон\w{0,8}|перезвон\w{0,8}"
    r"|номер\w{0,6}|набер\w{0,6}|набирай\w{0,3}|диспетчер\w{0,6}|городской|стационарный"
    r"|домашний|рабочий|моб\w{0,8})\.?"
)
_TOWN_CALL = (
    r"(?<!\w)(?i:городск\w{2,3}|стационарн\w{2,3}|домашн\w{2,3}|рабоч\w{2,3} тел\w{0,5}\.?"
    r"|тел\.?|телефон\w{0,3}|диспетчер\w{0,4})"
)
_CODE = r"(?<!\w)(?i:код)\w{0,2}(?: (?i:города|оператора|района|региона))?[ :—(-]{1,3}"
_COUNTED = r"(?! ?(?i:руб|₽|р\b|тыс|шт|км|кг|мм|см|м\b|лет|год|мин|час|л\b|гб|gb))"


def phone_key(text: str) -> str:
    """Return the digits without Russia's code."""
    digits = digits_of(text)
    return digits[-10:] if len(digits) == 11 and digits[0] in "78" else digits


def _is_no_size_list(text: str) -> bool:
    """Return False for a growing row of sizes («8 9 10 11 12 13»)."""
    numbers = [float(number) for number in re.findall(r"\d{1,15}(?:\.\d)?(?!\d)", text)]
    return len(numbers) < 4 or any(after <= before for before, after in pairwise(numbers))


def _has_ten_digits(text: str) -> bool:
    return len(digits_of(text)) == 10


def _phones(pattern: str) -> Finder:
    return finder(pattern, phone_key, _is_no_size_list)


# Any sign between the digits but those of lists, prices and sums.
_SIGN = r"[^\w\n\0,;:=+×%₽$€№\"«»?!<>]"
_HINT_WORD = (
    r"(?<!\w)(?i:тел\.?|телефон\w{0,3}|моб\w{0,8}\.?|сотов\w{2,3}|номер\w{0,2}|звон\w{0,8}"
    r"|позвон\w{0,8}|перезвон\w{0,8}|набер\w{0,6}|набирай\w{0,3}|смс\w{0,4}|sms"
    r"|в[оа][тц]с?ап\w{0,2}"
    r"|whatsapp|вайбер\w{0,2}|viber|связ[ьи]|связаться|мой|пиши\w{0,2})"
)


def _has_short_groups(text: str) -> bool:
    """Return whether no group has more than four digits and the numbers do not grow."""
    return not re.search(r"\d{5}", text) and _is_no_size_list(text)


_SIGN_FINDERS = (
    finder(
        rf"{FREE}(?:\+ ?7|[78]){_SIGN}{{0,8}}9(?:{_SIGN}{{0,8}}\d){{9}}{END}(?! ?\d)",
        phone_key,
        _has_short_groups,
    ),
    finder(
        rf"{_HINT_WORD}[^\d\0\n]{{0,25}}(?<![\d,.])"
        rf"(?P<v>(?:(?:\+ ?7|[78])[^\w\n\0]{{0,8}})?9(?:[^\w\n\0₽$€%№]{{0,8}}\d){{9}}){END}"
        rf"(?! ?\d)",
        phone_key,
        _has_short_groups,
    ),
    finder(rf"{FREE}9(?:{_SIGN}{{1,4}}\d){{9}}{END}(?! ?\d)", phone_key, _is_no_size_list),
)
PHONE_FINDERS = (
    _phones(rf"(?:{_PLUS}|(?<![\d-])00) ?\(?\d(?:{_SEP}\d){{9,13}}{END}"),
    _phones(rf"{FREE}[78]{_SEP}[3-9](?:{_SEP}\d){{9}}(?: \d{{1,2}}(?=\s{{0,4}}$))?{END}"),
    _phones(rf"{FREE}(?<!\d[ -])(?:375|380|99[2-68])(?:{_SEP}\d){{9}}{END}"),
    _phones(
        rf"{FREE}(?<!\d-)\(?[3489]\d\d\)?[ .-]{{1,2}}(?!000)\d{{3}}[ .-]?\d\d[ .-]?\d\d{END}(?!-\d)"
    ),
    _phones(
        rf"{FREE}(?<!\d-)(?:[78][ .*~/_-]{{1,3}})?\(?9\d\d\)?[ .*~/_-]{{1,4}}(?!000)"
        rf"\d{{3}}[ .*~/_-]{{1,4}}\d\d[ .*~/_-]{{0,4}}\d\d{END}(?!-\d)"
    ),
    _phones(rf"{FREE}(?<![\d,.] )9(?:\d{{9}}|([ .*~/_-]{{1,3}})\d(?:\1\d){{8}}){END}(?! ?\d)"),
    _phones(rf"{FREE}(?<![\d-])0 ?(?:39|50|6[36-8]|73|9[1-9])[ -]\d{{3}}[ -]\d\d[ -]\d\d{END}"),
    _phones(rf"(?<![\d+])\+?[78]([,/…|~:•·=]{{1,2}})\d{{3}}\1\d{{3}}\1\d\d\1\d\d{END}"),
    _phones(rf"{FREE}(?<![\d,+] )[78][ ,]{{1,2}}9\d\d(, )\d{{3}}(?:\1\d\d\1\d\d|\1\d{{4}}){END}"),
    _phones(r"(?<![\w+])\+?[78]([^\d\s\0]{1,4}|\" \")9\d\d\1\d{3}\1\d\d\1\d\d(?!\w)"),
    _phones(rf"{_HINT_WORD}[^\d\0\n]{{0,25}}(?P<v>9\d{{4}}[ -]\d{{5}}){END}"),
    _phones(r"\A\W{0,3}(?P<v>9\d{2}(?!00)\d\d[ -]\d{5})\W{0,3}\Z"),
    *_SIGN_FINDERS,
    _phones(
        rf"{_CALL}[^\d\0]{{0,25}}(?<![\d,.])(?P<v>\(?\d{{3,5}}\)?[ -]\d{{1,3}}-\d\d-\d\d)(?![\d-])"
    ),
    _phones(rf"{_CALL}[^\d\0]{{0,25}}(?<![\d,.])(?P<v>\d{{1,3}}-\d\d-\d\d)(?![\d-])"),
    _phones(
        rf"{_CALL}[^\d\0]{{0,15}}(?<![\d,.])(?P<v>\d{{1,3}}(?:[ .]\d\d){{2,3}})(?! ?\d){_COUNTED}"
    ),
    finder(
        rf"{_TOWN_CALL}[^\d\0]{{0,12}}(?<![\d,.])"
        r"(?P<v>\d{2}-\d{3}|\d{1,3}-\d{2,3}-?\d\d|\d{5,7}|\d{1,3}(?: \d\d){2,3})"
        rf"(?![\d-]| ?\d){_COUNTED}"
    ),
    finder(
        rf"{_CODE}(?P<v>[3-9]\d{{2,4}}\)?[^\d\0]{{1,25}}\d{{2,7}}(?:[ -]\d{{2,3}}){{0,2}})"
        r"(?![\d-])",
        phone_key,
        _has_ten_digits,
    ),
    finder(rf"{_CODE}(?P<v>[3-9]\d{{2,4}})(?=[^\d\0]{{1,25}}\0)"),
    finder(rf"\0[^\d\0]{{0,25}}{_CODE}(?P<v>[3-9]\d{{2,4}})(?!\d)"),
    finder(r"\0[ ,.(]{1,3}(?i:доб\w{0,8}|внутр\w{0,8})\.?[ :№]{0,3}(?P<v>\d{1,6})(?!\d)"),
)
