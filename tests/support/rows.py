"""Rows that tests of the SQL insert: an account, chats, and reports of these chats."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.criteria import GRADE_COLUMNS
from app.domain.grades import Grade
from app.models import Account, Chat, Report, Run, RunKind, RunState

NOON = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
_numbers = count(1)


async def add_account(session: AsyncSession) -> Account:
    account = Account(avito_user_id=next(_numbers), client_id="client", name="Лавка")
    session.add(account)
    await session.flush()
    return account


async def add_chat(session: AsyncSession, account: Account, **values: Any) -> Chat:
    chat = Chat(account_id=account.id, avito_id=f"chat-{next(_numbers)}", **values)
    session.add(chat)
    await session.flush()
    return chat


async def add_run(session: AsyncSession) -> Run:
    run = Run(kind=RunKind.ANALYZE, state=RunState.DONE, params={}, created_at=NOON)
    session.add(run)
    await session.flush()
    return run


async def add_report(
    session: AsyncSession, run: Run, chat: Chat, score: str, *, flags: list[str], low: str | None
) -> Report:
    """A report with medium grades; ``low`` names the column with a low grade."""
    grades: dict[str, Any] = dict.fromkeys(GRADE_COLUMNS, Grade.MEDIUM)
    if low is not None:
        grades[low] = Grade.LOW
    report = Report(
        chat_id=chat.id,
        account_id=chat.account_id,
        run_id=run.id,
        created_at=NOON,
        body={"chat_title": "Диван", "client_name": "Анна"},
        score=Decimal(score),
        detail={"flags": flags, "answer_times": {"first_answer_seconds": 60}},
        first_message_id=1,
        last_message_id=1,
        window_messages=1,
        model="model",
        prompt_version="version",
        prompt_hit_tokens=0,
        prompt_miss_tokens=0,
        completion_tokens=0,
        **grades,
    )
    session.add(report)
    await session.flush()
    return report
