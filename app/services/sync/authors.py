"""Decide the authors of the company's messages: in a sync's batches, and of what is stored.

A batch of the message pass decides its own messages and the templates that they use. A template
whose decision has changed is marked. After the message pass the messages with a marked template are
decided again, and so are messages that an earlier release has stored.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from app.database.engine import Database
from app.domain.author_kinds import AuthorKind, AuthorReason
from app.domain.authors import TemplateDecision, decide_kind, decide_template
from app.domain.messages import Side
from app.domain.replies import ChatTexts, KeyedReply, list_replies
from app.domain.reply_texts import ListedTexts
from app.repositories import accounts, chat_facts, messages, replies, reply_templates
from app.repositories.messages import MessageWords
from app.repositories.replies import ChatNames
from app.repositories.reply_templates import StoredDecision
from app.services.analysis.transcript import convert_messages

CHATS_AT_ONCE = 50
"""Chats of one transaction whose messages are decided."""
USES_AT_ONCE = 1_000
"""Messages with one template that are decided again in one transaction."""

_Kind = tuple[int, AuthorKind, AuthorReason]


@dataclass(frozen=True)
class AuthorRules:
    """``zone``: of reports. ``listed``: the texts of AUTOREPLY_TEXTS_FILE."""

    zone: ZoneInfo
    listed: ListedTexts = field(default_factory=ListedTexts)


async def decide_new_messages(
    session: AsyncSession, rules: AuthorRules, message_ids: Collection[int]
) -> None:
    """Decide these messages of the company.

    The caller has locked the chats and updates them afterwards.
    """
    starts = await replies.list_context_starts(session, message_ids)
    new = set(message_ids)
    await _decide_chats(session, rules, starts, lambda message: message.id in new)


async def decide_stored_messages(database: Database, rules: AuthorRules) -> None:
    """Decide the messages that are undecided or may be decided otherwise now.

    Each batch is committed. A killed process loses nothing: the next sync continues.
    """
    await _decide_undecided(database, rules)
    await _decide_listed(database, rules)
    while await _apply_decision(database, rules):
        pass


async def _decide_undecided(database: Database, rules: AuthorRules) -> None:
    chat_ids = [0]
    while chat_ids:
        async with database.session() as session:
            chat_ids = await replies.list_undecided_chats(
                session, after_id=chat_ids[-1], limit=CHATS_AT_ONCE
            )
        if chat_ids:
            await _decide_batch(database, rules, chat_ids)


async def _decide_listed(database: Database, rules: AuthorRules) -> None:
    """Decide all messages of an account again if AUTOREPLY_TEXTS_FILE has changed."""
    async with database.session() as session:
        known = await accounts.list_accounts(session)
    for account in known:
        if (account.listed_replies or "") == rules.listed.digest:
            continue
        after_id: int | None = 0
        while after_id is not None:
            after_id = await _decide_next_chats(database, rules, account.id, after_id)
        async with database.transaction() as session:
            await accounts.mark_listed_replies(session, account.id, rules.listed.digest)


async def _decide_next_chats(
    database: Database, rules: AuthorRules, account_id: int, after_id: int
) -> int | None:
    """Decide the next chats of an account again; return the last one, None if there is none."""
    async with database.session() as session:
        chat_ids = await replies.list_chat_ids(
            session, account_id, after_id=after_id, limit=CHATS_AT_ONCE
        )
    if chat_ids:
        await _decide_batch(database, rules, chat_ids, again=True)
    return chat_ids[-1] if chat_ids else None


async def _decide_batch(
    database: Database, rules: AuthorRules, chat_ids: Sequence[int], *, again: bool = False
) -> None:
    async with database.transaction() as session:
        await chat_facts.lock_chats(session, chat_ids)
        starts = (
            dict.fromkeys(chat_ids, replies.BEGINNING)
            if again
            else await replies.list_undecided_starts(session, chat_ids)
        )
        changed = await _decide_chats(
            session, rules, starts, lambda message: again or message.author_kind is None
        )
        await chat_facts.refresh_chats(session, changed)


async def _decide_chats(
    session: AsyncSession,
    rules: AuthorRules,
    starts: Mapping[int, datetime],
    is_undecided: Callable[[MessageWords], bool],
) -> list[int]:
    """Decide messages of the company in chats, by the messages since a time.

    Returns the chats whose messages of bots have changed.
    """
    if not starts:
        return []
    names = await replies.list_chat_names(session, starts)
    stored = await messages.list_words_since(session, starts)
    to_decide = {
        message.id
        for words in stored.values()
        for message in words
        if message.side == Side.COMPANY and is_undecided(message)
    }
    uses = [
        use
        for chat in names
        for use in _list_replies(chat, stored.get(chat.chat_id, ()), rules)
        if use.message_id in to_decide
    ]
    await replies.upsert_uses(session, uses)
    account_ids = {chat.chat_id: chat.account_id for chat in names}
    keys = {use.key: account_ids[use.reply.chat_id] for use in uses}
    decisions = await _decide_templates(session, rules, keys)
    without_text = to_decide - {use.message_id for use in uses}
    kinds = [(one, AuthorKind.PERSON, AuthorReason.NO_TEXT) for one in sorted(without_text)]
    return await replies.set_author_kinds(session, [*kinds, *_decide_uses(uses, decisions)])


def _list_replies(
    chat: ChatNames, stored: Sequence[MessageWords], rules: AuthorRules
) -> Iterable[KeyedReply]:
    names = (chat.client_name,) if chat.client_name else ()
    texts = ChatTexts(
        chat.chat_id, chat.account_id, names, chat.item_title, rules.zone, rules.listed
    )
    return list_replies(convert_messages(stored), texts)


async def _decide_templates(
    session: AsyncSession, rules: AuthorRules, keys: Mapping[int, int]
) -> dict[int, TemplateDecision]:
    """Decide the templates and store changed decisions. ``keys``: with their accounts."""
    evidence = await reply_templates.list_evidence(session, keys, rules.zone)
    before = await reply_templates.get_decisions(session, keys)
    decided: dict[int, TemplateDecision] = {}
    to_store: dict[int, StoredDecision] = {}
    for key in keys:
        known = before.get(key)
        decided[key] = decide_template(evidence[key]).keeping(known.decision if known else None)
        if new := _compare(known, decided[key]):
            to_store[key] = new
    await reply_templates.upsert_decisions(session, to_store, keys)
    return decided


def _compare(known: StoredDecision | None, decision: TemplateDecision) -> StoredDecision | None:
    """Return what to store about a template; None: nothing new."""
    if known is None:
        is_decided = decision.kind is not AuthorKind.UNKNOWN
        return StoredDecision(decision, is_applied=False) if is_decided else None
    if decision == known.decision:
        return None
    is_applied = known.is_applied and decision.decides_like(known.decision)
    return StoredDecision(decision, is_applied)


def _decide_uses(
    uses: Iterable[KeyedReply], decisions: Mapping[int, TemplateDecision]
) -> list[_Kind]:
    return [(use.message_id, *decide_kind(use.reply, decisions[use.key])) for use in uses]


async def _apply_decision(database: Database, rules: AuthorRules) -> bool:
    """Decide the messages of one marked template again; return whether there was one."""
    async with database.session() as session:
        found = await reply_templates.get_unapplied(session)
    if found is None:
        return False
    key, decision = found
    after_id: int | None = 0
    while after_id is not None:
        after_id = await _apply_to_next(database, rules, key, decision, after_id)
    async with database.transaction() as session:
        await reply_templates.mark_applied(session, key, decision)
    return True


async def _apply_to_next(
    database: Database, rules: AuthorRules, key: int, decision: TemplateDecision, after_id: int
) -> int | None:
    """Decide the next messages of a template; return the last one, None if there is none."""
    async with database.transaction() as session:
        uses = await reply_templates.list_uses(
            session, key, rules.zone, after_id=after_id, limit=USES_AT_ONCE
        )
        await chat_facts.lock_chats(session, sorted({use.reply.chat_id for use in uses}))
        changed = await replies.set_author_kinds(session, _decide_uses(uses, {key: decision}))
        await chat_facts.refresh_chats(session, changed)
    return uses[-1].message_id if uses else None
