"""The whole service for tests: local servers, a real database, REST, a movable clock."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from app.api.dependencies import attach_service
from app.clients.retry import RetryPolicy
from app.config import Settings, load_settings
from app.database.engine import Database
from app.domain.working_hours import ROUND_THE_CLOCK
from app.main import create_app
from app.models import Report
from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import AvitoChat, AvitoListing, SandboxBuyer
from app.sandbox.server import Sandbox
from app.service import Service, open_service, working
from app.services.analysis.worker_pool import WorkerPool
from tests.support.patience import PATIENCE

KEY, SECOND_KEY = "test-key-1-of-two", "test-key-2-of-two"
IMPATIENT = RetryPolicy(attempts=3, first_wait_seconds=0.001, longest_wait_seconds=0.01)


class MovableClock:
    """A clock that runs like the machine's, from a time that a test sets and moves."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def set(self, moment: datetime) -> None:
        """Set the current time."""
        self._ahead = moment - datetime.now(UTC)

    def move(self, **span: float) -> None:
        """Move the time forward by a span: ``hours=3``."""
        self._ahead += timedelta(**span)


@dataclass
class Stage:
    """The service under test: its sandbox, its database and REST."""

    sandbox: Sandbox
    service: Service
    clock: MovableClock
    rest: httpx.AsyncClient
    _work: AsyncExitStack

    @asynccontextmanager
    async def resting(self) -> AsyncIterator[None]:
        """Stop this service's worker, so that another service executes the runs."""
        await self._work.aclose()
        yield
        await self._work.enter_async_context(working(self.service))

    @property
    def avito(self) -> LocalAvito:
        return self.sandbox.avito

    async def post(
        self, path: str, body: dict[str, Any] | None = None, status: int = 200
    ) -> dict[str, Any]:
        """Call ``/api/v1`` + path and check the status."""
        answer = (
            await self.rest.post(f"/api/v1{path}", json=body)
            if body is not None
            else await self.rest.post(f"/api/v1{path}")
        )
        assert answer.status_code == status, answer.text
        return dict(answer.json())

    async def sync(self, **body: Any) -> dict[str, Any]:
        return await self.post("/avito/sync", body or None)

    async def analyze(self, **body: Any) -> dict[str, Any]:
        return await self.post("/llm/analyze", body or None)

    async def mail(self, **body: Any) -> dict[str, Any]:
        return await self.post("/timer/reports", body or None)

    async def reports(self, **params: Any) -> list[dict[str, Any]]:
        """Return every report of a period that covers all tests; ``params`` can restrict it."""
        span = {"start_date": "2020-01-01", "end_date": "2099-12-31", **params}
        answer = await self.rest.get("/api/v1/reports", params=span)
        assert answer.status_code == 200, answer.text
        return list(answer.json())

    async def rows(self, sql: str, **params: Any) -> list[dict[str, Any]]:
        """Execute a query and return its rows."""
        async with self.service.database.session() as session:
            return [dict(row) for row in (await session.execute(text(sql), params)).mappings()]

    async def change(self, sql: str, **params: Any) -> None:
        """Execute an SQL statement directly in the database."""
        async with self.service.database.transaction() as session:
            await session.execute(text(sql), params)

    async def copy_first_report(self, copies: int) -> None:
        """Add copies of report 1, three per second going back; each has its own ID and time."""
        columns = ", ".join(
            column.name
            for column in Report.__table__.columns
            if column.name not in ("id", "created_at", "body")
        )
        await self.change(
            f"""
            INSERT INTO reports (id, created_at, body, {columns})
            SELECT 1000 + n, moment,
                   (left(shown, -length('1}}')) || (1000 + n) || '}}')::json, {columns}
            FROM reports, generate_series(1, CAST(:copies AS int)) AS n,
                 LATERAL (SELECT created_at - (n / 3) * interval '1 second') AS moved(moment),
                 LATERAL (SELECT replace(
                     body::text, left(body->>'created_at', -6),
                     to_char(
                         moment AT TIME ZONE CAST(right(body->>'created_at', 6) AS interval),
                         :iso
                     )
                 )) AS written(shown)
            WHERE reports.id = 1
            """,  # noqa: S608 - our own columns
            copies=copies,
            iso='YYYY-MM-DD"T"HH24:MI:SS.MS',
        )

    def last_mail(self) -> str:
        """Return the text part of the last received mail."""
        message = message_from_bytes(self.sandbox.smtp.messages[-1].data, policy=policy.default)
        assert isinstance(message, EmailMessage)
        body = message.get_body(("plain",))
        assert body is not None
        return str(body.get_content())

    def add_talk(
        self,
        *turns: tuple[str, str],
        title: str = "Диван",
        client: str | None = "Анна",
        minutes_ago: float = 60,
    ) -> AvitoChat:
        """Add a chat of turns (side, text), two minutes apart; the last is ``minutes_ago`` old."""
        number = len(self.avito.accounts[0].chats) + 1
        first = self.clock() - timedelta(minutes=minutes_ago + 2 * (len(turns) - 1))
        buyer = SandboxBuyer(6_000_000_000 + number, client)
        chat = self.avito.add_chat(
            item=AvitoListing(8_000_000_000 + number, title, "1 000 ₽"), client=buyer, at=first
        )
        for place, (side, message_text) in enumerate(turns):
            at = first + timedelta(minutes=2 * place)
            self.avito.add_message(
                chat.id, "client" if side == "client" else "company", text=message_text, at=at
            )
        return chat


GOOD_TALK = (
    ("client", "Здравствуйте! Диван ещё продаётся?"),
    (
        "company",
        (
            "Добрый день! Да, продаётся, 12 000 рублей, длина 2,1 метра. Могу показать сегодня с 18"
            " до 20."
        ),
    ),
    ("client", "Отлично, приеду в 19."),
    ("company", "Договорились, жду вас в 19:00. Спасибо!"),
)
BAD_TALK = (
    ("client", "Здравствуйте, торг есть? Дорого у вас, у других дешевле. Пришлите фото."),
    (
        "company",
        (
            "Нет, вроде всё нормально. Не нравится — не берите, никто вас не заставляет. Фото слать"
            " не буду."
        ),
    ),
    ("client", "А доставка?"),
)


def stage_settings(url: str | None, environment: Mapping[str, str], **settings: Any) -> Settings:
    """Return settings for the servers of ``environment``; ``settings`` take precedence.

    Without a ``url`` the service starts its own Postgres.
    """
    chosen: dict[str, Any] = {
        "_env_file": None,
        "database_url": url,
        "api_keys": (KEY, SECOND_KEY),
        "mail_from": "reports@example.ru",
        "report_recipients": ("boss@example.ru", "second@example.ru"),
        "scheduler_enabled": False,
        "steadiness_share": 0,
        "working_hours": ROUND_THE_CLOCK,  # the tests run at any hour
        "avito_requests_per_minute": 0,
        **{name.lower(): value for name, value in environment.items()},
        **settings,
    }
    return load_settings(**chosen)


@cache
def shared_graders() -> WorkerPool:
    """Return the worker processes of this test process, closed after its last test.

    They stay between two tests that grade: starting one takes as long as ten tests.
    """
    return WorkerPool(idle_seconds=3600)


idle_apps: list[FastAPI] = []
"""Applications that no stage is using: creating one takes as long as a run of a few chats."""


def make_app(service: Service) -> FastAPI:
    """Return a new application that answers for the service."""
    app = create_app(service.settings)
    attach_service(app, service)
    return app


@contextmanager
def open_app(service: Service, *, usual: bool) -> Iterator[FastAPI]:
    """Yield an application for the service; with ``usual`` settings later stages reuse it."""
    if not usual:
        yield make_app(service)
        return
    app = idle_apps.pop() if idle_apps else create_app(service.settings)
    attach_service(app, service)
    yield app
    idle_apps.append(app)


@asynccontextmanager
async def on_stage(
    url: str | None,
    sandbox: Sandbox,
    clock: MovableClock | None = None,
    pool: Database | None = None,
    graders: WorkerPool | None = None,
    finish_seconds: float = 0.2,
    **settings: Any,
) -> AsyncIterator[Stage]:
    """Start the service over the sandbox and yield it with a REST client.

    ``pool``: connections to share with other stages. Unless ``graders`` are given, all stages of a
    test process share worker processes: starting one takes as long as many tests.
    """
    clock = clock or MovableClock()
    chosen = stage_settings(url, sandbox.environment(), **settings)
    async with AsyncExitStack() as stack:
        opened = open_service(
            chosen,
            clock=clock,
            retry=IMPATIENT,
            pool=pool,
            graders=graders or shared_graders(),
            finish_seconds=finish_seconds,
        )
        service = await stack.enter_async_context(opened)
        work = await stack.enter_async_context(AsyncExitStack())
        await work.enter_async_context(working(service))
        app = stack.enter_context(open_app(service, usual=not settings))
        rest = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False),
            base_url="http://localhost:8000",
            headers={"X-API-Key": KEY},
            timeout=PATIENCE,
        )
        yield Stage(sandbox, service, clock, await stack.enter_async_context(rest), work)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = PATIENCE) -> None:
    """Wait until an async condition holds."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - the condition reads the database
            await asyncio.sleep(0.05)
