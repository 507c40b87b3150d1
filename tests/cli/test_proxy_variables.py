"""Proxy variables of the environment, as real processes meet them: serve, sync and doctor."""

import signal
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from app.sandbox.server import Sandbox
from tests.support.command_line import ProcessResult, free_port, make_environment, run_app
from tests.support.proxy_server import PASSWORD, open_proxy
from tests.support.service_process import run_service
from tests.support.start_faults import start_and_read_error
from tests.support.tls_front import make_certificate, open_tls_front

LOGIN = f"user:{quote(PASSWORD, safe='')}@"
UNREADABLE = "[::1,10.0.0.0/99,fe80::%eth0/64,*.ru*"


def list_marked(ended: ProcessResult, mark: str) -> list[str]:
    return [line[2:] for line in ended.lines if line.startswith(mark)]


@pytest.mark.parametrize(
    ("variable", "scheme", "protocol", "login"),
    [
        ("HTTP_PROXY", "http", "GET", ""),
        ("http_proxy", "http", "GET", LOGIN),
        ("ALL_PROXY", "socks5", "socks", ""),
        ("ALL_PROXY", "socks5h", "socks", LOGIN),
        ("all_proxy", "socks", "socks", ""),
    ],
)
async def test_doctor_reaches_avito_and_the_model_through_the_proxy(
    tmp_path: Path, database_url: str, variable: str, scheme: str, protocol: str, login: str
) -> None:
    """The host names exist only for the proxy."""
    async with Sandbox() as sandbox, open_proxy(needs_login=bool(login)) as proxy:
        environment = make_environment(sandbox, DATABASE_URL=database_url)
        hosts = {}
        for name in ("AVITO_BASE_URL", "DEEPSEEK_BASE_URL"):
            parts = urlsplit(environment[name])
            host = f"{name.split('_')[0].lower()}.test"
            proxy.hosts[host] = "127.0.0.1"
            hosts[name] = f"{host}:{parts.port}"
            environment[name] = f"http://{hosts[name]}{parts.path}"
        address = f"{scheme}://{login}127.0.0.1:{proxy.port}"
        ended = await run_app(tmp_path, "doctor", **environment, **{variable: address})
    assert list_marked(ended, "✗") == [], ended
    shown = f"{'socks5' if scheme == 'socks' else scheme}://127.0.0.1:{proxy.port}"
    assert [line for line in list_marked(ended, "✓") if line.startswith("Прокси")] == [
        f"Прокси: Авито — через {shown} ({variable.upper()}).",
        f"Прокси: DeepSeek — через {shown} ({variable.upper()}).",
    ]
    assert {target for way, target in proxy.targets if way == protocol} == set(hosts.values())
    assert "canary" not in ended.out + ended.err


async def test_sync_goes_through_a_tunnel_and_trusts_ca_file(
    tmp_path: Path, database_url: str
) -> None:
    certificate = make_certificate(tmp_path)
    async with Sandbox() as sandbox, open_proxy(needs_login=True) as proxy:
        async with open_tls_front(sandbox.avito_url, certificate) as avito_url:
            ended = await run_app(
                tmp_path,
                "sync",
                **make_environment(sandbox, DATABASE_URL=database_url, AVITO_BASE_URL=avito_url),
                HTTPS_PROXY=f"http://{LOGIN}127.0.0.1:{proxy.port}",
                CA_FILE=str(certificate),
            )
        assert (ended.code, ended.err) == (0, ""), ended
        assert {way for way, _ in proxy.targets} == {"CONNECT"}


@pytest.mark.parametrize("exempt", ["127.0.0.0/8", "127.0.0.1", "*", "http://127.0.0.1"])
async def test_unreadable_entries_of_no_proxy_are_skipped(
    tmp_path: Path, database_url: str, exempt: str
) -> None:
    """httpx could not be created with such an entry; it ignored networks."""
    dead = {"ALL_PROXY": "http://127.0.0.1:9", "NO_PROXY": f"{UNREADABLE},{exempt},::1"}
    async with Sandbox() as sandbox:
        environment = make_environment(sandbox, DATABASE_URL=database_url, **dead)
        ended = await run_app(tmp_path, "sync", **environment)
        assert (ended.code, ended.err) == (0, ""), ended
        ended = await run_app(tmp_path, "doctor", **environment)
    assert list_marked(ended, "✗") == []
    [finding] = [line for line in list_marked(ended, "!") if line.startswith("NO_PROXY")]
    assert finding == (
        f"NO_PROXY: не разобрать {UNREADABLE.replace(',', ', ')}; эти записи не действуют,"
        " остальные действуют."
    )


async def test_serve_logs_unreadable_entries_once(tmp_path: Path, database_url: str) -> None:
    async with (
        Sandbox() as sandbox,
        run_service(
            database_url, sandbox, tmp_path, NO_PROXY=f"{UNREADABLE},*", ALL_PROXY="socks5://a"
        ) as service,
    ):
        service.program.send_signal(signal.SIGTERM)
        await service.program.wait()
    assert service.log.decode().count("proxy.exemptions_ignored") == 1
    assert "10.0.0.0/99" in service.log.decode()


@pytest.mark.parametrize("proxy", ["socks4://canary:1080", "http://canary:99999", "ftp://canary"])
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
async def test_unusable_proxy_is_one_line(tmp_path: Path, variable: str, proxy: str) -> None:
    proxies = {variable: proxy}
    await start_and_read_error(tmp_path, 2, variable, **proxies)
    async with Sandbox() as sandbox:
        environment = make_environment(sandbox, AVITO_BASE_URL="https://avito.test", **proxies)
        for command in (["sync"], ["analyze"], ["doctor"], ["webhook", "list"]):
            ended = await run_app(tmp_path, *command, **environment)
            lines = list_marked(ended, "✗") if command == ["doctor"] else ended.err.splitlines()
            wrong = [line for line in lines if f"{variable}: адрес прокси не подходит" in line]
            assert (len(lines), len(wrong)) == (1, 1), ended
            assert "canary" not in ended.out + ended.err


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_refused_login_names_the_proxy(
    tmp_path: Path, database_url: str, scheme: str
) -> None:
    async with (
        Sandbox() as sandbox,
        open_proxy(needs_login=True) as proxy,
        open_tls_front(sandbox.avito_url, make_certificate(tmp_path)) as avito_url,
    ):
        ended = await run_app(
            tmp_path,
            "doctor",
            **make_environment(sandbox, DATABASE_URL=database_url, AVITO_BASE_URL=avito_url),
            ALL_PROXY=f"{scheme}://user:canary@127.0.0.1:{proxy.port}",
        )
    [fault] = [line for line in list_marked(ended, "✗") if "Авито" in line]
    address = f"{scheme}://127.0.0.1:{proxy.port}"
    assert fault.startswith(f"Прокси {address} (ALL_PROXY) не пустил к Авито (")
    assert "canary" not in ended.out + ended.err


async def test_dead_proxy_is_named(tmp_path: Path, database_url: str) -> None:
    """The addresses of Avito and DeepSeek are right, and their settings alone would mislead."""
    place = f"127.0.0.1:{free_port()}"
    proxies = {"ALL_PROXY": f"http://user:canary@{place}", "NO_PROXY": ""}
    async with Sandbox() as sandbox:
        environment = make_environment(sandbox, DATABASE_URL=database_url, **proxies)
        ended = await run_app(tmp_path, "doctor", **environment)
    assert list_marked(ended, "✗") == [
        f"{system} не отвечает через прокси http://{place} (ALL_PROXY) (ConnectError): повторим"
        " позже сами; если так больше часа, проверьте прокси,"
        f" {setting} и доступ сервера в интернет."
        for system, setting in (("Авито", "AVITO_BASE_URL"), ("DeepSeek", "DEEPSEEK_BASE_URL"))
    ]
    assert "canary" not in ended.out + ended.err
