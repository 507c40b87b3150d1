"""Webhook subscriptions of the local Avito."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.sandbox.avito_backend import AvitoRefusedError, KeyOwner
from app.sandbox.avito_switches import error_body

router = APIRouter()


@router.post("/messenger/v3/webhook")
async def subscribe(request: Request, account: KeyOwner) -> JSONResponse:
    """Subscribe an address. An account may have several; the same address is stored once."""
    url = await _read_url(request)
    if url not in account.webhooks:
        account.webhooks.append(url)
    return JSONResponse({"ok": True})


@router.post("/messenger/v1/subscriptions")
async def subscriptions(account: KeyOwner) -> JSONResponse:
    return JSONResponse(
        {"subscriptions": [{"url": url, "version": "3"} for url in account.webhooks]}
    )


@router.post("/messenger/v1/webhook/unsubscribe")
async def unsubscribe(request: Request, account: KeyOwner) -> JSONResponse:
    url = await _read_url(request)
    account.webhooks[:] = [known for known in account.webhooks if known != url]
    return JSONResponse({"ok": True})


async def _read_url(request: Request) -> str:
    try:
        url = (await request.json())["url"]
    except (ValueError, KeyError, TypeError):
        url = None
    if not isinstance(url, str) or not url:
        raise AvitoRefusedError(
            400, error_body(400, "Validation error", fields={"url": "url is required"})
        )
    return url
