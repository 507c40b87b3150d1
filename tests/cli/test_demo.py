"""The demo from start to end: the day, the table, the mail, and the service that keeps running."""

import asyncio
import email
import email.policy
import re
import shlex
import signal
from pathlib import Path

import httpx

from tests.support.clusters import list_servers
from tests.support.command_line import ProcessResult, free_port, run_app, start_app, stop
from tests.support.patience import PATIENCE

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


async def test_once_runs_the_day_and_ends(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("AVITO_ACCOUNTS=nonsense\nPORT=nonsense\n")
    ended = await run_app(tmp_path, "demo", "--once", PORT=free_port(), DATA_DIR="data", **REAL)
    assert (ended.code, ended.err) == (0, "")
    _check_table(ended)
    _check_mail(ended, tmp_path / "data" / "demo" / "mail")
    assert list_servers(tmp_path / "data" / "demo") == []


def _check_table(ended: ProcessResult) -> None:
    """Check that rows and sums match: one row per graded chat, worst first, all chats counted."""
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


def _check_mail(ended: ProcessResult, folder: Path) -> None:
    paths = [
        Path(path) for path in re.findall(r"^Письмо пришло на \S+: (.+)$", ended.out, re.MULTILINE)
    ]
    assert paths == sorted(folder.glob("*.eml"))
    assert paths
    mail = email.message_from_bytes(paths[0].read_bytes(), policy=email.policy.default)
    assert "Авито-чаты" in mail["Subject"]
    page = (folder / "0001.html").read_text(encoding="utf-8")
    assert (folder / "0001.html").as_uri() in ended.out
    assert "</html>" in page.lower()


async def test_service_keeps_running_and_every_shown_command_works(tmp_path: Path) -> None:
    async with start_app(tmp_path, "demo", PORT=free_port(), DATA_DIR="data") as process:
        assert process.stdout
        output = (await process.stdout.readuntil("Остановить: Ctrl-C.".encode())).decode()
        commands = [line for line in output.splitlines() if line.startswith("curl ")]
        answers = [await run_curl(command) for command in commands]
        assert {answer.status_code for answer in answers} == {200}
        requested = {(answer.request.method, answer.request.url.path) for answer in answers}
        assert requested >= {
            ("POST", f"/api/v1/{path}") for path in ("avito/sync", "llm/analyze", "timer/reports")
        }
        assert requested >= {
            ("GET", path) for path in ("/api/v1/reports", "/api/v1/runs", "/health/ready")
        }
        listed = next(
            answer.json() for answer in answers if answer.request.url.path == "/api/v1/reports"
        )
        assert len(listed) == sum(1 for line in output.splitlines() if ROW.match(line))
        ended = await stop(process, signal.SIGINT)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.endswith("Демо остановлено.\n")
    assert list_servers(tmp_path / "data" / "demo") == []


async def run_curl(command: str) -> httpx.Response:
    """Send the request of a curl command."""
    _, *arguments = shlex.split(command)
    method = arguments[arguments.index("-X") + 1] if "-X" in arguments else "GET"
    headers = dict(
        arguments[place + 1].split(": ", 1)
        for place, argument in enumerate(arguments)
        if argument == "-H"
    )
    body = arguments[arguments.index("-d") + 1] if "-d" in arguments else None
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        return await client.request(method, arguments[-1], headers=headers, content=body)


async def test_taken_port_is_reported_before_anything_changes(tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        ended = await run_app(tmp_path, "demo", PORT=str(port))
    assert ended.code == 2
    assert re.fullmatch(
        rf"avito-quality: PORT: порт {port} занят; другой порт: PORT=\d+ make demo\n", ended.err
    )
    assert not (tmp_path / "var").exists()
