"""``GET /chats/{chat_id}``: one chat with its messages and its reports."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from app.api.dependencies import ServiceDep
from app.api.v1.chat_schemas import ChatRead
from app.api.v1.responses import ERROR_RESPONSES, describe_not_found
from app.api.v1.review_schemas import review_fields
from app.grading.web_addresses import is_avito_url
from app.services.chats import ChatCard, read_chat
from app.services.display_text import display_name, display_title

router = APIRouter(tags=["chats"], responses=ERROR_RESPONSES)

ChatId = Annotated[
    str,
    Path(
        pattern="^[!-~]+$",
        description="Идентификатор чата на Авито: chat_id из отчёта.",
        examples=["u2i-f7227b263e8~7c8423dd6c9"],
    ),
]
AccountFilter = Annotated[
    str | None,
    Query(
        pattern=r"^[^\x00]+$",
        description="Имя аккаунта или его номер на Авито; нужен, если такой чат есть у нескольких.",
        examples=["Лавка на Садовой"],
    ),
]


@router.get(
    "/chats/{chat_id}",
    summary="Один чат",
    description=(
        "Что известно о чате, его сообщения словами, сколько клиент ждал ответа, чем кончилась"
        " оценка, все отчёты о нём и их проверки человеком."
    ),
    responses=describe_not_found(
        "Чата u2i-f7227b263e8~7c8423dd6c9 нет среди скопированных: проверьте номер или вызовите"
        " POST /avito/sync."
    ),
    operation_id="get_chat",
)
async def get_chat(service: ServiceDep, chat_id: ChatId, account: AccountFilter = None) -> ChatRead:
    """Return a chat from the database; Avito is not called."""
    settling = service.settings.settling
    card = await read_chat(
        service.database,
        chat_id,
        account,
        settling=settling,
        hours=service.settings.answer_hours,
        grader=service.grader,
        now=service.clock(),
    )
    return ChatRead.model_validate(_make_fields(card), context={"zone": settling.zone})


def _describe_listing(card: ChatCard) -> dict[str, object] | None:
    chat, cached = card.chat, card.listing
    if chat.item_id is None and chat.item_title is None:
        return None
    url = chat.item_url or (cached.url if cached else None)
    return {
        "title": chat.item_title or (cached.title if cached else None),
        "price": chat.item_price or (cached.price if cached else None),
        "category": cached.category if cached else None,
        "address": cached.address if cached else None,
        "status": cached.status if cached else None,
        "url": url if url and is_avito_url(url) else None,
        "read_at": cached.read_at if cached else None,
    }


def _make_fields(card: ChatCard) -> dict[str, object]:
    chat = card.chat
    return {
        "id": chat.avito_id,
        "account": card.account.name,
        "account_id": card.account.avito_user_id,
        "title": display_title(chat.item_title),
        "client_name": display_name(chat.client_name),
        "url": chat.item_url if chat.item_url and is_avito_url(chat.item_url) else None,
        "price": chat.item_price,
        "listing": _describe_listing(card),
        "type": chat.chat_type,
        "history_complete": chat.history_complete,
        "waiting_since": card.answer_times.waiting_since,
        "unanswered_since": card.unanswered_since,
        "missed_call_at": card.missed_call_at,
        "outcome": card.outcome,
        "outcome_reason": card.outcome_reason,
        "outcome_at": chat.outcome_at,
        "answer_times": card.answer_times,
        "first_human_answer_seconds": card.answer_times.first_answer_seconds,
        "answered_by": card.answered_by,
        "contact": card.contact,
        "model_answers": [
            {
                "asked_at": exchange.asked_at,
                "complaint": exchange.question["complaint"],
                "answer": exchange.answer,
            }
            for exchange in card.failed_exchanges
        ],
        "messages": card.messages,
        "reports": card.reports,
        "reviews": [review_fields(review) for review in card.reviews],
    }
