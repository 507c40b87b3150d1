"""SQL of the chats: upserts from Avito's list, hints of webhooks, single chats for REST."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Text, cast, literal, or_, select, text, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.settling import SettlingSpan
from app.models import Account, Chat
from app.repositories.chat_conditions import COMPANY_IS_BUYER
from app.repositories.chat_locks import lock_account
from app.repositories.coverage import CURRENT_OUTCOME, get_cause


@dataclass(frozen=True)
class ListedCount:
    """Numbers of new chats and of unread chats among those that a page of Avito's list changes.

    A chat that only webhooks have named is new, whether the list pass or the message pass fetches
    it first.
    """

    new: int
    unread: int


class AccountChat(NamedTuple):
    """A chat, its account, and its current outcome, with code and detail of the cause."""

    chat: Chat
    account: Account
    outcome: str | None
    code: str | None
    detail: str | None
    company_is_buyer: bool


# A change of a chat without a time or a last message cannot be detected, so it is always unread.
# Unchanged chats are left out before the INSERT: ON CONFLICT locks each row, which writes it.
# OFFSET 0 keeps the planner from a scan of the table. Raw SQL: a bulk upsert from
# jsonb_to_recordset.
_UPSERT_LISTED = text("""
    WITH listed AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (
            avito_id text, chat_type text, item_id bigint, item_title text, item_url text,
            item_price text, item_owner_id bigint, client_id bigint, client_name text,
            avito_created_at timestamptz, avito_updated_at timestamptz, listed_message_id text)
    ), changed AS (
        SELECT listed.*,
               known.id IS NULL OR (
                   known.hints > 0 AND known.messages_read_at IS NULL
                   AND known.avito_updated_at IS NULL AND known.listed_message_id IS NULL
               ) AS is_new
        FROM listed LEFT JOIN LATERAL (
            SELECT * FROM chats
            WHERE account_id = :account_id AND avito_id = listed.avito_id OFFSET 0) known ON true
        WHERE known.id IS NULL
           OR (known.chat_type, known.item_id, known.item_title, known.item_url, known.item_price,
               known.item_owner_id, known.client_id, known.client_name, known.avito_created_at,
               known.avito_updated_at, known.listed_message_id)
            IS DISTINCT FROM
              (coalesce(listed.chat_type, known.chat_type),
               coalesce(listed.item_id, known.item_id),
               coalesce(listed.item_title, known.item_title),
               coalesce(listed.item_url, known.item_url),
               coalesce(listed.item_price, known.item_price),
               coalesce(listed.item_owner_id, known.item_owner_id),
               coalesce(listed.client_id, known.client_id),
               coalesce(listed.client_name, known.client_name),
               coalesce(listed.avito_created_at, known.avito_created_at),
               listed.avito_updated_at, listed.listed_message_id)
            OR (listed.avito_updated_at IS NULL AND listed.listed_message_id IS NULL)
            OR :reread
    ), written AS (
        INSERT INTO chats AS known (
            account_id, avito_id, chat_type, item_id, item_title, item_url, item_price,
            item_owner_id, client_id, client_name, avito_created_at, avito_updated_at,
            listed_message_id, messages_due)
        SELECT :account_id, avito_id, chat_type, item_id, item_title, item_url, item_price,
               item_owner_id, client_id, client_name, avito_created_at, avito_updated_at,
               listed_message_id, true
        FROM changed ORDER BY avito_updated_at
        ON CONFLICT (account_id, avito_id) DO UPDATE SET
            chat_type = coalesce(excluded.chat_type, known.chat_type),
            item_id = coalesce(excluded.item_id, known.item_id),
            item_title = coalesce(excluded.item_title, known.item_title),
            item_url = coalesce(excluded.item_url, known.item_url),
            item_price = coalesce(excluded.item_price, known.item_price),
            item_earlier_prices = CASE WHEN excluded.item_price <> known.item_price
                THEN (known.item_earlier_prices || known.item_price)[
                    greatest(1, cardinality(known.item_earlier_prices) - 3):]
                ELSE known.item_earlier_prices END,
            item_owner_id = coalesce(excluded.item_owner_id, known.item_owner_id),
            client_id = coalesce(excluded.client_id, known.client_id),
            client_name = coalesce(excluded.client_name, known.client_name),
            avito_created_at = coalesce(excluded.avito_created_at, known.avito_created_at),
            avito_updated_at = coalesce(excluded.avito_updated_at, known.avito_updated_at),
            listed_message_id = coalesce(excluded.listed_message_id, known.listed_message_id),
            messages_due = known.messages_due OR :reread
                OR coalesce(excluded.avito_updated_at <> known.avito_updated_at,
                            (excluded.avito_updated_at IS NULL)
                                <> (known.avito_updated_at IS NULL))
                OR coalesce(excluded.listed_message_id <> known.listed_message_id,
                            (excluded.listed_message_id IS NULL)
                                <> (known.listed_message_id IS NULL))
                OR (excluded.avito_updated_at IS NULL AND excluded.listed_message_id IS NULL)
        RETURNING messages_due
    )
    SELECT (SELECT count(*) FROM changed WHERE is_new),
           (SELECT count(*) FROM written WHERE messages_due)
    """)


async def upsert_listed(
    session: AsyncSession, account_id: int, rows: Iterable[Mapping[str, Any]], *, reread: bool
) -> ListedCount:
    """Upsert one page of Avito's list and mark its changed chats as unread.

    If Avito omits a value, the stored one is kept.

    ``rows`` contain a chat at most once; their keys are the columns of the statement. ``reread``
    marks every chat of the page.
    """
    parameters = {
        "account_id": account_id,
        "rows": json.dumps(list(rows), default=str),
        "reread": reread,
    }
    await lock_account(session, account_id)
    new, unread = (await session.execute(_UPSERT_LISTED, parameters)).one()
    return ListedCount(new, unread)


async def add_hint(
    session: AsyncSession, *, avito_user_id: int, avito_id: str, chat_type: str | None, times: int
) -> None:
    """Mark the chat that webhooks have named ``times`` times; insert it if it is not known.

    Without such an account nothing happens.
    """
    hinted = select(
        Account.id, literal(avito_id), literal(chat_type, Text), true(), literal(times, BigInteger)
    ).where(Account.avito_user_id == avito_user_id)
    columns = ["account_id", "avito_id", "chat_type", "messages_due", "hints"]
    statement = insert(Chat).from_select(columns, hinted)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[Chat.account_id, Chat.avito_id],
            set_={"messages_due": True, "hints": Chat.hints + statement.excluded.hints},
        )
    )


async def mark_hinted(
    session: AsyncSession, avito_user_id: int, avito_id: str, *, times: int
) -> bool:
    """Mark a known chat that webhooks have named ``times`` times; False if it is not known."""
    statement = (
        update(Chat)
        .where(
            Account.id == Chat.account_id,
            Account.avito_user_id == avito_user_id,
            Chat.avito_id == avito_id,
        )
        .values(messages_due=True, hints=Chat.hints + times)
        .returning(Chat.id)
        .execution_options(synchronize_session=False)
    )
    return (await session.execute(statement)).first() is not None


async def list_keys(
    session: AsyncSession, *, after_id: int, limit: int
) -> list[tuple[int, int, str]]:
    """Return the next chats by id: chat id, Avito's account id, Avito's chat id."""
    statement = (
        select(Chat.id, Account.avito_user_id, Chat.avito_id)
        .join(Account, Account.id == Chat.account_id)
        .where(Chat.id > after_id)
        .order_by(Chat.id)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in await session.execute(statement)]


async def list_item_ids(session: AsyncSession, account_id: int) -> list[int]:
    """Return the ids of the listings that the account's chats are about."""
    statement = (
        select(Chat.item_id)
        .where(Chat.account_id == account_id, Chat.item_id.is_not(None))
        .distinct()
        .order_by(Chat.item_id)
    )
    return [item_id for item_id in await session.scalars(statement) if item_id is not None]


async def find_chats(
    session: AsyncSession, avito_id: str, *, account: str | None, settling: SettlingSpan | None
) -> list[AccountChat]:
    """Return the chats with this Avito id, at most one in each account.

    ``account``: only chats of accounts with this name or Avito number. ``settling``: see
    ``coverage.get_cause``.
    """
    statement = (
        select(Chat, Account, CURRENT_OUTCOME, *get_cause(settling), COMPANY_IS_BUYER)
        .join(Account, Account.id == Chat.account_id)
        .where(Chat.avito_id == avito_id)
        .order_by(Account.id)
    )
    if account is not None:
        statement = statement.where(
            or_(Account.name == account, cast(Account.avito_user_id, Text) == account)
        )
    return [AccountChat(*row) for row in await session.execute(statement)]
