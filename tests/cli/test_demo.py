"""The demo, from its start to its end: the day, the table, the mail, and the service that stays."""

import asyncio
import email
import email.policy
import re
import shlex
import signal
from pathlib import Path

import httpx

from tests.cli.processes import Ended, free_port, run_app, started, stop
from tests.database.clusters import list_servers

REAL = {  # settings of a real service, which the demo must not touch
    "AVITO_CLIENT_ID": "real-client",
    "AVITO_CLIENT_SECRET": "real-secret",
    "DEEPSEEK_BASE_URL": "http://127.0.0.1:1",
    "SMTP_HOST": "127.0.0.1",
    "SMTP_PORT": "1",
    "REPORT_RECIPIENTS": "real@example.org",
    "DATABASE_URL": "postgresql://real@127.0.0.1:1/real",
    "HTTP_PROXY": "http://127.0.0.1:1",
}
SUMS = re.compile(
    r"^(\d+) чат\w* = оценено (\d+) \+ пропущено (\d+) \((.*)\) \+ с ошибкой (\d+) \+ ждут"
    r" (\d+)\.$",
    re.MULTILINE,
)
ROW = re.compile(r"^.{10,60}\s+(?P<score>\d{1,3})(?P<grades>(\s+[ВСН–]){6})\s*$")


async def test_once_runs_the_day_shows_it_and_ends(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("AVITO_ACCOUNTS=nonsense\nPORT=nonsense\n")
    ended = await run_app(tmp_path, "demo", "--once", PORT=free_port(), DATA_DIR="data", **REAL)
    assert (ended.code, ended.err) == (0, "")
    _check_table(ended)
    _check_mail(ended, tmp_path / "data" / "demo" / "mail")
    assert list_servers(tmp_path / "data" / "demo") == []


def _check_table(ended: Ended) -> None:
    """As many rows as graded chats, worst first; every chat that was copied is accounted for."""
    rows = [row for line in ended.lines if (row := ROW.match(line))]
    assert max(len(row.group().rstrip()) for row in rows) <= 100
    scores = [int(row["score"]) for row in rows]
    assert scores == sorted(scores)
    assert len({row["grades"] for row in rows}) > 5
    copied = re.search(r"Синхронизировано (\d+)", ended.out)
    sums = SUMS.search(ended.out)
    assert copied
    assert sums
    total, graded, skipped, failed, waiting = (int(sums[number]) for number in (1, 2, 3, 5, 6))
    assert (total, len(rows)) == (int(copied[1]), graded)
    assert total == graded + skipped + failed + waiting
    assert skipped == sum(map(int, re.findall(r"— (\d+)", sums[4])))


def _check_mail(ended: Ended, folder: Path) -> None:
    told = [
        Path(path) for path in re.findall(r"^Письмо пришло на \S+: (.+)$", ended.out, re.MULTILINE)
    ]
    assert told == sorted(folder.glob("*.eml"))
    assert told
    mail = email.message_from_bytes(told[0].read_bytes(), policy=email.policy.default)
    assert "Авито-чаты" in mail["Subject"]
    page = (folder / "0001.html").read_text(encoding="utf-8")
    assert (folder / "0001.html").as_uri() in ended.out
    assert "</html>" in page.lower()


async def test_the_service_stays_and_every_command_that_is_shown_works(tmp_path: Path) -> None:
    async with started(tmp_path, "demo", PORT=free_port(), DATA_DIR="data") as process:
        assert process.stdout
        said = (await process.stdout.readuntil("Остановить: Ctrl-C.".encode())).decode()
        commands = [line for line in said.splitlines() if line.startswith("curl ")]
        answers = [await _carry_out(command) for command in commands]
        assert {answer.status_code for answer in answers} == {200}
        asked = {(answer.request.method, answer.request.url.path) for answer in answers}
        assert asked >= {
            ("POST", f"/api/v1/{path}") for path in ("avito/sync", "llm/analyze", "timer/reports")
        }
        assert asked >= {
            ("GET", path) for path in ("/api/v1/reports", "/api/v1/runs", "/health/ready")
        }
        listed = next(
            answer.json() for answer in answers if answer.request.url.path == "/api/v1/reports"
        )
        assert len(listed) == sum(1 for line in said.splitlines() if ROW.match(line))
        ended = await stop(process, signal.SIGINT)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.endswith("Демо остановлено.\n")
    assert list_servers(tmp_path / "data" / "demo") == []


async def _carry_out(command: str) -> httpx.Response:
    """What curl would get."""
    _, *words = shlex.split(command)
    method = words[words.index("-X") + 1] if "-X" in words else "GET"
    headers = dict(
        words[place + 1].split(": ", 1) for place, word in enumerate(words) if word == "-H"
    )
    body = words[words.index("-d") + 1] if "-d" in words else None
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        return await client.request(method, words[-1], headers=headers, content=body)


async def test_a_taken_port_is_said_before_anything_is_touched(tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        ended = await run_app(tmp_path, "demo", PORT=str(port))
    assert ended.code == 2
    assert re.fullmatch(
        rf"avito-quality: PORT: порт {port} занят; другой порт: PORT=\d+ make demo\n", ended.err
    )
    assert not (tmp_path / "var").exists()
