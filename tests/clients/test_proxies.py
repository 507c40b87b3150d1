"""The proxy of a client by the variables of the environment."""

import pytest

from app.clients.proxies import Exemption, find_proxy, list_unreadable_exemptions
from app.errors import SettingsError

AVITO = "https://api.avito.ru"


@pytest.fixture(autouse=True)
def _no_proxies_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize(
    ("variables", "url", "proxy"),
    [
        ({}, AVITO, None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, AVITO, "http://proxy:3128"),
        ({"https_proxy": "proxy:3128"}, AVITO, "http://proxy:3128"),
        ({"HTTPS_PROXY": "https://proxy"}, AVITO, "https://proxy"),
        ({"HTTP_PROXY": "http://proxy:3128"}, AVITO, None),
        ({"HTTP_PROXY": "http://proxy:3128"}, "http://model:8000/v1", "http://proxy:3128"),
        ({"ALL_PROXY": "socks5://proxy:1080"}, AVITO, "socks5://proxy:1080"),
        ({"all_proxy": "socks5h://[::1]:1080/"}, AVITO, "socks5h://[::1]:1080"),
        ({"ALL_PROXY": "socks://127.0.0.1:7890/"}, AVITO, "socks5://127.0.0.1:7890"),
        ({"ALL_PROXY": "socks5://a", "HTTPS_PROXY": "http://b"}, AVITO, "http://b"),
        ({"HTTPS_PROXY": ""}, AVITO, None),
        ({"HTTPS_PROXY": "http://u:p@ss%2F@proxy:1"}, AVITO, "http://u:p%40ss%2F@proxy:1"),
        ({"HTTPS_PROXY": "http://user@proxy:1"}, AVITO, "http://user@proxy:1"),
    ],
)
def test_proxy_is_chosen_by_the_scheme_of_the_url(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str, proxy: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = find_proxy(url)
    assert (found and found.url) == proxy


@pytest.mark.parametrize(
    "proxy",
    [
        "socks4://canary:1080",
        "ftp://canary",
        "://canary",
        "http://",
        "http://canary:port",
        "http://canary:99999",
        "http://[canary",
        "http://user:canary/@proxy:1",
        "http://canary host:1",
    ],
)
def test_unusable_proxy_is_an_error_that_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    for variable in ("HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, proxy)
        with pytest.raises(SettingsError, match=rf"^{variable}: адрес прокси [^\n]+$") as error:
            find_proxy(AVITO)
        assert "canary" not in error.value.message
        monkeypatch.delenv(variable)


def test_address_for_people_has_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:canary@proxy:3128")
    found = find_proxy(AVITO)
    assert found
    assert (found.address, found.variable) == ("http://proxy:3128", "HTTPS_PROXY")


EXEMPTIONS = {
    "*": {AVITO, "http://10.1.2.3", "http://[::1]:8000"},
    "avito.ru": {AVITO},
    ".avito.ru": {AVITO},
    "*.avito.ru": {AVITO},
    "API.Avito.ru.": {AVITO},
    "vito.ru": set(),
    "api.avito.ru:443": {AVITO},
    "https://api.avito.ru": {AVITO},
    "http://api.avito.ru": set(),
    "api.avito.ru:8443": set(),
    "10.1.2.3": {"http://10.1.2.3"},
    "10.0.0.0/8": {"http://10.1.2.3"},
    "10.1.2.3:80": {"http://10.1.2.3"},
    "10.1.2.3/8": {"http://10.1.2.3"},
    "11.0.0.0/8": set(),
    "::1": {"http://[::1]:8000"},
    "[::1]": {"http://[::1]:8000"},
    "[::1]:8000": {"http://[::1]:8000"},
    "[::1]:80": set(),
    "::/64": {"http://[::1]:8000"},
    "[::]/64": {"http://[::1]:8000"},
    "fd00::/8": set(),
}


@pytest.mark.parametrize("entry", EXEMPTIONS)
def test_exempt_addresses_need_no_proxy(monkeypatch: pytest.MonkeyPatch, entry: str) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://proxy:3128")
    for no_proxy in (entry, f"[::1, {entry}", f"other.ru {entry},,"):
        monkeypatch.setenv("NO_PROXY", no_proxy)
        assert {
            url
            for url in (AVITO, "http://10.1.2.3", "http://[::1]:8000")
            if find_proxy(url) is None
        } == EXEMPTIONS[entry]


UNREADABLE = [
    "[::1",
    "::1]",
    "::1/200",
    "10.0.0.0/99",
    "10.0.0.300",
    "fe80::1%eth0/64",
    "a:port",
    "http://[",
    "exa*mple.ru",
    "::1:80:90:x",
    "]",
    "/",
    "пример.рф/8",
]


def test_unreadable_exemptions_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    for entry in UNREADABLE:
        with pytest.raises(ValueError, match=r"not a|does not appear"):
            Exemption.parse(entry)
    monkeypatch.setenv("NO_PROXY", ",".join(["avito.ru", *UNREADABLE]))
    monkeypatch.setenv("ALL_PROXY", "http://proxy:3128")
    assert list_unreadable_exemptions() == UNREADABLE
    assert find_proxy(AVITO) is None
    assert find_proxy("https://api.deepseek.com") is not None
