"""``POST /webhooks/avito/{secret}``: receives Avito's notifications of new messages.

The secret in the path is the only protection. Avito requires a 200 within two seconds and repeats
any other response without end. Therefore every notification is accepted, and its chat is copied
later.
"""

import hmac

from fastapi import APIRouter, HTTPException, Request

from app.api.dependencies import ServiceDep
from app.api.parameters import read_body
from app.clients.avito import AvitoHint, parse_hint
from app.clients.text import read_json
from app.config import WEBHOOK_PATH


def webhook_router(secret: str) -> APIRouter:
    """Return the router of the receiver; it puts each hint into the service's queue."""
    router = APIRouter(include_in_schema=False)

    @router.post(WEBHOOK_PATH + "{given}")
    async def receive(given: str, request: Request, service: ServiceDep) -> dict[str, bool]:
        if not hmac.compare_digest(given.encode(), secret.encode()):
            raise HTTPException(404)
        hint = await _read_hint(request)
        if hint is not None and service.hints is not None:
            service.hints.offer(hint)
        return {"ok": True}

    return router


async def _read_hint(request: Request) -> AvitoHint | None:
    try:
        return parse_hint(read_json((await read_body(request)).decode(errors="replace")))
    except (ValueError, RecursionError):
        return None
