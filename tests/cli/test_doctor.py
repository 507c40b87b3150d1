"""Doctor: one line per check, and a fix for each fault."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from app.api.security import compute_key_id
from app.database.engine import Database
from app.database.migrate import migrate
from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import numbered_account
from app.sandbox.deepseek_faults import BALANCE_EMPTY
from app.sandbox.faults import CannedResponse, ReceivedRequest
from app.sandbox.server import Sandbox
from tests.support.command_line import ProcessResult, make_environment, run_app

NOW = datetime.now(UTC)
SECRETS = ("key-of-the-cli-tests", "sandbox-secret-1", "sk-sandbox", "canary")


def is_head(request: ReceivedRequest) -> bool:
    return request.method == "HEAD"


def list_faults(ended: ProcessResult) -> list[str]:
    return [line[2:] for line in ended.lines if line.startswith("✗ ")]


def list_findings(ended: ProcessResult, account: str) -> list[str]:
    return [
        line.replace(f"Авито, «{account}»: ", "") for line in ended.lines if f"«{account}»" in line
    ]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (
            "{имя}, {время}!\nМы закрыты\n",
            [
                "✓ Автоответы из AUTOREPLY_TEXTS_FILE: 1.",
                "! AUTOREPLY_TEXTS_FILE: в строках без слов сравнивать нечего, они не действуют:"
                " {имя}, {время}!; впишите постоянные слова автоответа.",
            ],
        ),
        (
            "\n \n",
            [
                "! AUTOREPLY_TEXTS_FILE: файл autoreplies.txt пуст; впишите автоответы, по"
                " одному на строку."
            ],
        ),
    ],
)
async def test_texts_of_automatic_replies_without_words_are_named(
    content: str, lines: list[str], tmp_path: Path, database_url: str
) -> None:
    (tmp_path / "autoreplies.txt").write_text(content, encoding="utf-8")
    ended = await run_app(
        tmp_path, "doctor", DATABASE_URL=database_url, AUTOREPLY_TEXTS_FILE="autoreplies.txt"
    )
    assert [line for line in ended.lines if "AUTOREPLY_TEXTS_FILE" in line] == lines


async def test_valid_setup_has_no_faults(tmp_path: Path, database_url: str) -> None:
    texts = tmp_path / "autoreplies.txt"
    texts.write_text("Мы ответим вам утром\nМы закрыты\n", encoding="utf-8")
    async with Sandbox() as sandbox:
        sandbox.avito.switches.fail(
            CannedResponse(404, {}, {"Date": formatdate(usegmt=True)}), when=is_head
        )
        ended = await run_app(
            tmp_path,
            "doctor",
            **make_environment(
                sandbox,
                DATABASE_URL=database_url,
                SCHEDULER_ENABLED="true",
                AUTOREPLY_TEXTS_FILE=str(texts),
            ),
        )
    assert (ended.code, ended.err) == (0, ""), ended.out
    assert "✓ Автоответы из AUTOREPLY_TEXTS_FILE: 2." in ended.lines
    checks = ended.lines[1:-1]
    assert {line[0] for line in checks} == {"✓"}, ended.out
    for subject in (
        "Настройки",
        f"API_KEYS: в журнале запросов ключи обозначены {compute_key_id('key-of-the-cli-tests')}.",
        "Критерии",
        "Расписание",
        "DATA_DIR",
        "База",
        "Авито",
        "Часы",
        "DeepSeek",
        "Почта",
    ):
        assert [line for line in checks if line[2:].startswith(subject)], subject
    # A completion would cost money.
    assert "/chat/completions" not in {request.path for request in sandbox.deepseek.requests}
    assert sandbox.smtp.messages == []
    assert not [secret for secret in SECRETS if secret in ended.out]


async def test_each_fault_is_reported_with_its_fix(tmp_path: Path, postgres_url: str) -> None:
    async with Sandbox(accounts=2) as sandbox:
        sandbox.avito.switches.plan_missing = "nested"
        sandbox.avito.switches.fail(
            CannedResponse(404, {}, {"Date": "Sun, 22 Nov 2020 12:00:00 GMT"}), when=is_head
        )
        sandbox.deepseek.switches.fail(BALANCE_EMPTY, path="/user/balance")
        sandbox.smtp.switches.refuse_connections = True
        settings = make_environment(
            sandbox,
            DATABASE_URL=postgres_url,
            DEEPSEEK_MODEL="gpt",
            REPORT_RECIPIENTS="",
            API_KEYS="",
        )
        accounts = json.loads(settings["AVITO_ACCOUNTS"])
        settings["AVITO_ACCOUNTS"] = json.dumps(
            [accounts[0], {**accounts[1], "client_secret": "canary"}]
        )
        ended = await run_app(tmp_path, "doctor", **settings)
    assert (ended.code, ended.err) == (1, "")
    first, second = (account["name"] for account in accounts)
    expected = [
        "API_KEYS: не задано",
        "REPORT_RECIPIENTS: не задано",
        f"Авито, «{first}»: тариф с API мессенджера не оплачен",
        f"Авито, «{second}»: Авито не принял ключи",
        "Часы: расходятся с Авито",
        "DEEPSEEK_MODEL: модели gpt нет",
        "На счету DeepSeek кончились деньги",
        "Почтовый сервер 127.0.0.1",
    ]
    for fault, beginning in zip(list_faults(ended), expected, strict=True):
        assert fault.startswith(beginning)
    assert "! База: таблиц службы в ней ещё нет" in ended.out
    assert not [secret for secret in SECRETS if secret in ended.out]


async def test_each_account_has_findings_for_chats_plan_and_webhooks(
    tmp_path: Path, database_url: str
) -> None:
    """Many and few chats, a missing plan, and webhooks with our, a former or a foreign URL."""
    base, secret = "https://quality.example.ru/webhooks/avito/", "canary-webhook-secret"
    async with Sandbox(
        avito=LocalAvito([numbered_account(number) for number in (1, 2, 3)])
    ) as sandbox:
        first, second, third = sandbox.avito.accounts
        sandbox.avito.switches.fail(
            CannedResponse(404, {}, {"Date": formatdate(usegmt=True)}), when=is_head
        )
        sandbox.avito.add_synthetic_chats(1_101, 1, first)
        sandbox.avito.add_synthetic_chats(730, 1, second)
        sandbox.avito.switches.fail(
            CannedResponse(402, {"code": 402, "message": "no"}),
            path=f"{second.user_id}/chats/",
            times=None,
        )
        first.webhooks.append(f"{base}{secret}")
        second.webhooks.append(f"{base}former-canary-secret")
        third.webhooks.append("https://crm.example.ru/canary")
        receiver = {"AVITO_WEBHOOK_SECRET": secret, "PUBLIC_URL": "https://quality.example.ru"}
        ended = await run_app(
            tmp_path, "doctor", **make_environment(sandbox, DATABASE_URL=database_url, **receiver)
        )
        findings = {
            account.name: list_findings(ended, account.name)[1:]
            for account in (first, second, third)
        }
    assert findings == {
        first.name: [
            "✓ список чатов читается; их больше 1100, остальные находятся по объявлениям.",
            "✓ сообщения читаются, тариф оплачен.",
            "✓ вебхуки подключены.",
        ],
        second.name: [
            "✓ список чатов читается, чатов: 730.",
            (
                "✗ тариф с API мессенджера не оплачен, сообщения не читаются; подключите его в"
                " кабинете Авито, раздел «Тарифы»."
            ),
            (
                "! вебхуки приходят с прежним AVITO_WEBHOOK_SECRET и не принимаются; запустите"
                " webhook subscribe."
            ),
        ],
        third.name: [
            "✓ список чатов читается, чатов: 0.",
            "! чатов ещё нет; оплачен ли тариф с API мессенджера, не узнать.",
            (
                "! вебхуки не подключены, чаты находит только синхронизация; запустите webhook"
                " subscribe."
            ),
        ],
    }
    assert "canary" not in ended.out
    assert not [request for request in sandbox.avito.requests if request.path.endswith("/read")]
    assert (
        len(
            [
                request
                for request in sandbox.avito.requests
                if request.path.endswith(f"{second.user_id}/chats")
            ]
        )
        <= 6
    )


async def test_every_invalid_setting_is_named(tmp_path: Path) -> None:
    ended = await run_app(
        tmp_path, "doctor", PORT="canary", REPORT_TIMEZONE="Mars/Olympus", SYNC_INTERVAL_MINUTES="0"
    )
    assert (ended.code, ended.err) == (1, "")
    assert {fault.split(":")[0] for fault in list_faults(ended)} == {
        "PORT",
        "REPORT_TIMEZONE",
        "SYNC_INTERVAL_MINUTES",
    }
    assert "canary" not in ended.out


async def test_clock_difference_to_the_database_is_reported(
    tmp_path: Path, postgres_url: str
) -> None:
    """The database's clock is an hour behind. A run with a future time in it is also reported."""
    database = Database(postgres_url)
    await migrate(database)
    name = make_url(postgres_url).database
    async with database.transaction() as session:
        shifted = (
            "CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT now()"
            " - interval '1 hour' $$"
        )
        await session.execute(text(shifted))
        await session.execute(text(f"ALTER DATABASE {name} SET search_path = public, pg_catalog"))
        left = (
            "INSERT INTO runs (kind, state, params, created_at) VALUES ('sync', 'done', '{}', now()"
            " + interval '40 days')"
        )
        await session.execute(text(left))
    await database.close()
    async with Sandbox() as sandbox:
        sandbox.avito.switches.fail(
            CannedResponse(404, {}, {"Date": formatdate(usegmt=True)}), when=is_head
        )
        ended = await run_app(
            tmp_path, "doctor", **make_environment(sandbox, DATABASE_URL=postgres_url)
        )
    assert ended.code == 1
    (fault,) = list_faults(ended)
    assert fault.startswith("Часы: спешат против часов базы на 36")
    assert [
        line
        for line in ended.lines
        if line.startswith("! Часы: последний запуск в базе — из будущего")
    ]


async def test_texts_that_begin_many_chats_are_reported(tmp_path: Path, database_url: str) -> None:
    """Only identical texts within seconds of the creation, without questions and known ones."""
    async with Sandbox(avito=LocalAvito()) as sandbox:
        for number in range(20):
            chat = sandbox.avito.add_chat(at=NOW - timedelta(hours=number))
            for seconds, side, words in (
                (1, "client", "Клиент смотрит объявление"),
                (2, "client", "Ещё продаётся?"),
                (3, "client", "Сообщение удалено"),
                (4, "client", f"Беру {number}"),
                (60, "company", "Здравствуйте"),
            ):
                at = NOW - timedelta(hours=number) + timedelta(seconds=seconds)
                sandbox.avito.add_message(
                    chat.id, "client" if side == "client" else "company", text=words, at=at
                )
        settings = make_environment(sandbox, DATABASE_URL=database_url)
        before = await run_app(tmp_path, "doctor", **settings)
        assert (await run_app(tmp_path, "sync", **settings)).code == 0
        after = await run_app(tmp_path, "doctor", **settings)
    assert [line[0] for line in before.lines if "Тексты: " in line] == ["✓"]
    (found,) = [line for line in after.lines if "Тексты: " in line]
    assert found.startswith(
        "! Тексты: «Клиент смотрит объявление» от клиента стоит в начале 20 чатов"
    )
