"""Recognize colloquial names in lower case and vocatives of neighbouring languages.

Examples: «толян», «михалычу», «Оксано», «Сергію».
"""

import re
from functools import cache, lru_cache

from app.grading.masking.first_names import ambiguous_names, folded, listed_names
from app.grading.masking.words import name_forms, read_word

# Short forms that are no other words.
_COLLOQUIAL = (
    "Толян Колян Вован Костян Димон Санёк Витёк Лёха Серёга Славик Виталик Толик Юрик Эдик Владик "
    "Вадик Димас Саныч Палыч Михалыч Иваныч Степаныч Антоха Илюха Андрюха Ванёк Игорёк Русик"
    " Рустик "
    "Маратик Ринатик Тимурка Алёнка Танюха Ленка Светка Наташка Иришка Настюха Катюха Оксанка Ирка "
    "Ольгуня Маринка Юлька Анька Танька Валюха Любаша Надюха Зинка Галка Нинка Вовка Серёжка Жорик "
    "Гарик Ашотик Федька Петька Васька Гришка Стасик Женёк Женька Сашок Лёнчик Санчо Дэн Жека"
    " Ромыч "
    "Кузьмич Петрович Николаич Семёныч Василич Сергеич Алексеич Андреич Борисыч Максимыч"
)
_PATRONYMIC = re.compile(r"(?i)[а-яё]{2,12}(?:ыч|ич)(?:а|у|ем|ом|е)?")
PATRONYMIC_ENDINGS = tuple(
    f"{stem}{ending}" for stem in ("ыч", "ич") for ending in ("", "а", "у", "ем", "ом", "е")
)
_FOLLOWED = re.compile(
    r" (?i:(?:вам |тебе |сам |сама |завтра |сегодня |щас |сейчас |уже |потом ){0,2}"
    r"(?:подъед|приед|прид|заед|забер|подойд|позвон|напиш|отда|встрет|привез|покаж|откро"
    r"|скаж|сказал|жд|зна|делал|помо))"
)
_ASKED = re.compile(
    r"(?i)(?<!\w)(?:переда\w{1,3}|отда\w{1,4}|спрос\w{1,4}|спрашива\w{1,3}|позов\w{1,4}|зов\w{1,4}"
    r"|набер\w{1,3}|позвон\w{1,4}|звон\w{1,3}|скаж\w{1,4}|привет|пусть|от|к|для|это|я|с|у|брат\w?"
    r"|сосед\w{0,2}|дядя|дядь|дядю|мастер\w?|спасибо|здорово|слышь|слушай|напарник\w?|кореш\w?"
    r"|подъед\w{1,3}|приед\w{1,3}|заед\w{1,3}|прид[её]\w{1,2}|забер\w{1,3}|встрет\w{1,3}"
    r"|откро\w{1,3}"
    r"|выйд\w{1,3}|знает) $"
)
_VOCATIVE_ENDINGS = (
    ("о", "а"),
    ("е", ""),
    ("е", "а"),
    ("ю", "й"),
    ("ю", "я"),
    ("е", "я"),
    ("у", ""),
)
_LOOK_BACK = 24


@cache
def colloquial_names() -> frozenset[str]:
    """Return every case of the colloquial names, folded."""
    return frozenset(
        folded(form) for name in _COLLOQUIAL.split() for form in (*name_forms(name), *_cases(name))
    )


def _cases(name: str) -> list[str]:
    """Decline a name that the dictionary takes for another word."""
    if name.endswith(("а", "я")):
        return [name[:-1] + ending for ending in ("у", "е", "и", "ой")]
    stem = name[:-2] + "ьк" if name.endswith("ёк") and name[-3] in "нл" else name
    stem = name[:-2] + "к" if name.endswith("ёк") and stem == name else stem
    return [stem + ending for ending in ("а", "у", "ом", "ем", "е")]


@lru_cache(maxsize=20_000)
def may_be_nickname(word: str) -> bool:
    """Return whether the word, in any case, is a colloquial name or a patronymic used as one."""
    form = folded(word)
    return form in colloquial_names() or (
        form.endswith(PATRONYMIC_ENDINGS)
        and bool(_PATRONYMIC.fullmatch(word))
        and read_word(word).is_patronymic
        and not read_word(word).is_common
    )


def is_nickname(text: str, start: int, end: int) -> bool:
    """Return whether a nickname stands where a person does something or is asked for.

    Shops and goods bear the same names («петрович закрыт», «лампочка ильича»).
    """
    if not may_be_nickname(text[start:end]):
        return False
    before = text[max(0, start - _LOOK_BACK) : start]
    is_called = text[end : end + 1] in {",", "!"} and not before.strip()
    return is_called or bool(_ASKED.search(before)) or bool(_FOLLOWED.match(text, end))


def is_foreign_vocative(word: str) -> bool:
    """Return whether the word is a Ukrainian or Belarusian form of address: «Оксано», «Іване»."""
    form = folded(word).translate(_LETTERS)
    return (
        len(form) > 3
        and word[0].isupper()
        and not read_word(word).is_common
        and any(
            form.endswith(ending) and _is_name(form[: -len(ending)] + nominative)
            for ending, nominative in _VOCATIVE_ENDINGS
        )
    )


def _is_name(form: str) -> bool:
    return form in listed_names() or form in ambiguous_names()


_LETTERS = str.maketrans("ієїґ", "иеиг")
