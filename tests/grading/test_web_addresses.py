"""Web addresses in untrusted text: what a mail program would link, and what only looks like one."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.grading.web_addresses import defang, is_avito_url, replace_addresses

HOSTS = (
    *(
        "evil.space",
        "avito-bonus.ru",
        "EVIL.click",
        "Evil.zip",
        "sub.evil.pro",
        "t.me",
        "www.1evil",
        "www.1evil.com",
        "1evil.com",
    ),
    *(
        "1.2.3.4",
        "2001:db8::1",
        "[2001:db8::1]",
        "xn--e1afmkfd.xn--p1ai",
        "злой.сайт",
        "пример.рф",
        "evil.space.",
    ),
    *(
        "evil。space",
        "evil．space",
        "evil｡space",
        "evil․space",
        "evil.\ufe0fspace",
        "evil.\u200dspace",
        "avito.ru.evil.com",
    ),
)
BEFORE = (
    "",
    "http://",
    "HTTPS://",
    "//",
    "ftp://",
    "mailto:",
    "tel:",
    "user@",
    "user:password@",
    "https://avito.ru@",
    "https://avito.ru\\@",
    "(",
)
AFTER = ("", "/pay", ":8080/x", "?next=1", "#top", ".", ")", "»")
PHONES = (
    "+79161234567",
    "8 916 123-45-67",
    "8(916)123-45-67",
    "8.916.123.45.67",
    "+7 (916) 1234567",
)
ORDINARY = (
    *(
        "1.5 кг",
        "т.е. так",
        "и т.д., да",
        "Ну...Да",
        "12:30",
        "12:30:15",
        "22.11 в 15:07",
        "2,1 метра",
        "802.11ac",
        "5.0",
        "А.С. Пушкин",
    ),
    *(
        "—",
        "Skoda Octavia 1.4 TSI DSG, 2018",
        "12 000 ₽",
        "1/2",
        "№ 5",
        "100 %",
        "«Да»",
        "a:",
        "@anna",
        "C++",
    ),
)
READABLE = ("iPhone 13.Pro", "ООО.Ромашка", "ул.Ленина", "Node.js", "Готово.Потом", "И.И.Иванов")

# What the most permissive linkifiers accept: a scheme, a mailbox, a domain, an IP address, a phone
# number.
_LINK = re.compile(
    r"[a-z][a-z+.-]*:[/\\]*[\w\[]|\w:[/\\]+\w|www[.。．｡․]\S|\S[@＠]\S"
    r"|\w[.。．｡․][\ufe0f\u200d]*[^\W\d_][\w-]"
    r"|\d+\.\d+\.\d+\.\d|[\da-f]{0,4}::[\da-f]{1,4}|(?:[\da-f]{1,4}:){7}[\da-f]"
    r"|\\\\\w|\d(?:[\s().-]{0,3}\d){6}",
    re.IGNORECASE,
)


def find_links(text: str) -> list[str]:
    return [found[0] for found in _LINK.finditer(text)]


def test_no_form_of_an_address_is_linked() -> None:
    addresses = [before + host + after for before in BEFORE for host in HOSTS for after in AFTER]
    for text in (
        *addresses,
        *PHONES,
        r"\\server\share",
        "C++:8080/x",
        "evil.space, http://evil.click и 1.2.3.4",
    ):
        assert find_links(text), text
        assert not find_links(defang(text)), text


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [*HOSTS, *BEFORE, *AFTER, *PHONES, *ORDINARY, "avito.ru", " ", "x", "\u200d", "_", "-"]
        ),
        max_size=9,
    )
)
def test_no_mixture_of_parts_is_linked(parts: list[str]) -> None:
    text = defang("".join(parts))
    own = r"(?i)(?:https?://)?(?:[a-z\d-]+\.)*avito\.ru(?:/[\w/?=&%~.+-]*)?(?=[^\w@]*(?:\s|$))"
    assert not find_links(re.sub(own, "", text)), text


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_unchanged(text: str) -> None:
    assert defang(text) == text
    assert replace_addresses(text, "ссылка") == text


@pytest.mark.parametrize("text", READABLE)
def test_text_in_the_form_of_an_address_is_readable(text: str) -> None:
    assert defang(text).replace("\u200a", "") == text
    assert replace_addresses(text, "ссылка") == text


@pytest.mark.parametrize(
    "url",
    [
        "avito.ru",
        "https://avito.ru/moskva/divan_4928810066",
        "http://m.avito.ru",
        "www.avito.ru/a?b=c",
        "HTTPS://WWW.AVITO.RU/",
    ],
)
def test_avito_addresses_are_unchanged(url: str) -> None:
    for text in (url, f"Смотрите {url}, там цена.", f"({url})", f"«{url}»"):
        assert defang(text) == text
        assert replace_addresses(text, "ссылка") == text


@pytest.mark.parametrize(
    ("message_text", "expected"),
    [
        ("Не отправляйте на evil.space/pay.", "Не отправляйте на ссылка."),
        ("Сайт evil.click, он", "Сайт ссылка, он"),
        ("Сайт EVIL.ZIP", "Сайт ссылка"),
        ("Это http://злой.сайт/вход!", "Это ссылка!"),
        ("Зайдите на evil точка ру", "Зайдите на ссылка"),
        ("Зайдите на авитобонус точка рф слэш вход", "Зайдите на ссылка"),
        ("evil (точка) space, evil[.]space, evil dot space", "ссылка, ссылка, ссылка"),
        ("1.2.3.4:8080/x и [2001:db8::1]/x", "ссылка и ссылка"),
        ("avito.ru@evil.com и ivan@evil.space", "ссылка и ссылка"),
        ("evil。space", "ссылка"),
        ("Торговая точка на карте, точка зрения", "Торговая точка на карте, точка зрения"),
        ("5 тыс.руб/мес, ул.Ленина/Мира", "5 тыс.руб/мес, ул.Ленина/Мира"),
    ],
)
def test_written_and_spoken_addresses_are_replaced(message_text: str, expected: str) -> None:
    assert replace_addresses(message_text, "ссылка") == expected


@pytest.mark.parametrize(
    "word",
    [
        "evil.",
        "a@",
        "1.",
        "http://",
        "x.y",
        "точка ",
        "a точка ",
        "::",
        "[",
        "avito.ru/",
        "avito.ru",
        "1 ",
        "(.)",
    ],
)
def test_long_hostile_text_is_processed_in_time(word: str) -> None:
    """A quadratic pattern would need minutes; the suite then stops and names the test."""
    text = word * (50_000 // len(word))
    assert len(defang(text)) >= len(text)
    replace_addresses(text, "ссылка")


@pytest.mark.parametrize(
    "url",
    ["https://avito.ru/moskva/listing_1", "https://www.avito.ru", "https://m.avito.ru:443/x?y#z"],
)
def test_avito_url_is_recognized(url: str) -> None:
    assert is_avito_url(url)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://evil.example/avito.ru",
            "https://avito.ru.evil.example/",
            "https://avito.ru@evil.example/",
            "https://evilavito.ru/",
        ),
        *(
            "https://avito.ru\\@evil.example/",
            "javascript:alert(1)//avito.ru",
            "//avito.ru/x",
            "avito.ru/x",
            "https://avito.ru:8443/",
            "",
        ),
        *(
            "https://аvito.ru/",
            "https://avito.ru/ https://evil.example/",
            "https://avito.ru\n",
            "https://avito.ru。evil.example/",
        ),
    ],
)
def test_other_url_is_not_an_avito_url(url: str) -> None:
    assert not is_avito_url(url)
