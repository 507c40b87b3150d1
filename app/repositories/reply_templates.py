"""SQL of the templates of the company's replies, with their evidence and decisions."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, any_, func, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.author_kinds import AuthorKind, AuthorReason, TemplateFigures
from app.domain.authors import MOST_USES, Reply, TemplateDecision
from app.domain.replies import KeyedReply
from app.models import Message, ReplyTemplate, ReplyUse
from app.repositories.sql_values import bigint_array


class StoredDecision(NamedTuple):
    """A stored decision. ``is_applied``: all messages of the template are decided by it."""

    decision: TemplateDecision
    is_applied: bool


def _select_replies() -> Select[*tuple[Any, ...]]:
    return select(
        ReplyUse.message_id,
        ReplyUse.key,
        Message.chat_id,
        Message.sent_at,
        ReplyUse.gap_seconds,
        ReplyUse.wait_seconds,
        ReplyUse.characters,
        ReplyUse.is_opening,
        ReplyUse.is_listed,
    ).join(Message, Message.id == ReplyUse.message_id)


async def list_evidence(
    session: AsyncSession, keys: Collection[int], zone: ZoneInfo
) -> dict[int, list[Reply]]:
    """Return the newest ``MOST_USES`` uses of each of these templates."""
    chosen = func.unnest(bigint_array(keys)).table_valued("key", name="chosen").render_derived()
    newest = (
        _select_replies()
        .where(ReplyUse.key == chosen.c.key)
        .order_by(ReplyUse.message_id.desc())
        .limit(MOST_USES)
        .lateral("newest")
    )
    found = defaultdict[int, list[Reply]](list)
    for row in await session.execute(select(newest).select_from(chosen).join(newest, true())):
        stored = _read_reply(row, zone)
        found[stored.key].append(stored.reply)
    return found


async def list_uses(
    session: AsyncSession, key: int, zone: ZoneInfo, *, after_id: int, limit: int
) -> list[KeyedReply]:
    """Return the next uses of a template, by number of the message."""
    statement = (
        _select_replies()
        .where(ReplyUse.key == key, ReplyUse.message_id > after_id)
        .order_by(ReplyUse.message_id)
        .limit(limit)
    )
    return [_read_reply(row, zone) for row in await session.execute(statement)]


def _read_reply(row: Row[Any], zone: ZoneInfo) -> KeyedReply:
    message_id, key, chat_id, sent_at, *figures = tuple[Any, ...](row)
    return KeyedReply(message_id, key, Reply(chat_id, sent_at.astimezone(zone), *figures))


async def get_decisions(session: AsyncSession, keys: Collection[int]) -> dict[int, StoredDecision]:
    """Return the stored decisions about these templates."""
    chosen = ReplyTemplate.key == any_(bigint_array(keys))
    return {
        row.key: StoredDecision(_read_decision(row), row.is_applied)
        for row in await session.scalars(select(ReplyTemplate).where(chosen))
    }


async def list_figures(
    session: AsyncSession, message_ids: Collection[int]
) -> dict[int, TemplateFigures]:
    """Return the figures of the decided templates of these messages."""
    statement = (
        select(
            ReplyUse.message_id, ReplyTemplate.chats, ReplyTemplate.fastest, ReplyTemplate.slowest
        )
        .join(ReplyTemplate, ReplyTemplate.key == ReplyUse.key)
        .where(ReplyUse.message_id == any_(bigint_array(message_ids)))
    )
    return {row[0]: TemplateFigures(*row[1:]) for row in await session.execute(statement)}


async def get_unapplied(session: AsyncSession) -> tuple[int, TemplateDecision] | None:
    """Return a template, with its decision, of which some messages are decided otherwise."""
    statement = select(ReplyTemplate).where(~ReplyTemplate.is_applied).limit(1)
    found = (await session.scalars(statement)).first()
    return None if found is None else (found.key, _read_decision(found))


def _read_decision(row: ReplyTemplate) -> TemplateDecision:
    return TemplateDecision(
        AuthorKind(row.kind),
        AuthorReason(row.reason),
        row.chats,
        row.fastest,
        row.slowest,
        row.first,
        row.last,
    )


async def upsert_decisions(
    session: AsyncSession, decisions: Mapping[int, StoredDecision], account_ids: Mapping[int, int]
) -> None:
    """Store decisions by template. ``account_ids``: those of the templates."""
    if not decisions:
        return
    rows = [
        {
            "key": key,
            "account_id": account_ids[key],
            **asdict(stored.decision),
            "is_applied": stored.is_applied,
        }
        for key, stored in decisions.items()
    ]
    statement = insert(ReplyTemplate).values(rows)
    changed = {name: statement.excluded[name] for name in rows[0] if name != "key"}
    await session.execute(
        statement.on_conflict_do_update(index_elements=[ReplyTemplate.key], set_=changed)
    )


async def mark_applied(session: AsyncSession, key: int, decision: TemplateDecision) -> None:
    """Store that all messages of a template are decided by this decision, if it still has it."""
    is_same = (
        ReplyTemplate.kind == decision.kind,
        ReplyTemplate.reason == decision.reason,
        ReplyTemplate.first.is_not_distinct_from(decision.first),
        ReplyTemplate.last.is_not_distinct_from(decision.last),
    )
    statement = update(ReplyTemplate).where(ReplyTemplate.key == key, *is_same)
    await session.execute(statement.values(is_applied=True))
