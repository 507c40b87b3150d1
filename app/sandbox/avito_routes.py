"""Application of the local Avito: access, account, listings, and the routers of the other parts."""

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.sandbox import avito_messenger, avito_webhooks
from app.sandbox.avito_backend import (
    BACKEND_KEY,
    AvitoBackend,
    AvitoRefusedError,
    Backend,
    KeyOwner,
    Switches,
    call_after_page,
)
from app.sandbox.avito_payloads import build_listing_body, build_self_body
from app.sandbox.avito_switches import error_body

ITEMS = "/core/v1/items"


def build_avito_app(backend: AvitoBackend) -> ASGIApp:
    """Build the ASGI app of this backend.

    The routes are built once for all backends, because FastAPI needs as much time for it as for a
    hundred responses.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        scope[BACKEND_KEY] = backend
        await _app(scope, receive, send)

    return answer


_app = FastAPI(openapi_url=None)
_app.include_router(avito_messenger.router)
_app.include_router(avito_webhooks.router)


@_app.exception_handler(AvitoRefusedError)
async def refuse(request: Request, refusal: AvitoRefusedError) -> JSONResponse:
    return JSONResponse(refusal.body, refusal.status)


@_app.exception_handler(RequestValidationError)
async def refuse_values(request: Request, error: RequestValidationError) -> JSONResponse:
    """Answer a limit above 100 or an offset above 1000 with a 400 that names the field."""
    fields = {str(fault["loc"][-1]): fault["msg"] for fault in error.errors()}
    if request.url.path == ITEMS:  # its document has an error format of its own
        return JSONResponse(
            {"code": "400", "message": f"Validation error: {', '.join(fields)}"}, 400
        )
    return JSONResponse(error_body(400, "Validation error", fields=fields), 400)


@_app.post("/token")
async def token(request: Request, backend: Backend) -> JSONResponse:
    """Issue a token. Bad credentials get 200 with an `error` and no `access_token`."""
    form = {
        name: values[-1]
        for name, values in parse_qs((await request.body()).decode(errors="replace")).items()
    }
    if form.get("grant_type") != "client_credentials":
        return JSONResponse(
            {"error": "unsupported_grant_type", "error_description": "Unsupported grant type"}
        )
    for account in backend.accounts:
        if (account.client_id, account.client_secret) == (
            form.get("client_id"),
            form.get("client_secret"),
        ):
            return JSONResponse(backend.issue_token(account))
    return JSONResponse(
        {"error": "invalid_client", "error_description": "Client authentication failed"}
    )


@_app.get("/core/v1/accounts/self")
async def account_self(account: KeyOwner) -> JSONResponse:
    return JSONResponse(build_self_body(account))


@_app.get(ITEMS)
async def items(
    request: Request,
    backend: Backend,
    switches: Switches,
    account: KeyOwner,
    per_page: Annotated[int, Query(gt=0, lt=100)] = 25,
    page: Annotated[int, Query(gt=0)] = 1,
    status: str = "active",
) -> JSONResponse:
    """List the listings of an account; an employee's key gets none."""
    backend.admit_listing_request(account)
    wanted = set(status.split(","))
    found = (
        []
        if account.employee
        else [listing for listing in account.listings.values() if listing.status in wanted]
    )
    shown = [
        build_listing_body(listing)
        for listing in sorted(found, key=lambda listing: listing.id)[(page - 1) * per_page :][
            :per_page
        ]
    ]
    answer = JSONResponse({"meta": {"page": page, "per_page": per_page}, "resources": shown})
    call_after_page(switches, request, page)
    return answer
