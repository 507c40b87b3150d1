"""All endpoints under ``/api/v1``: the key is checked first, then unknown parameters."""

from fastapi import APIRouter

from app.api.parameters import RefuseUnknownQuery
from app.api.security import RequireKey
from app.api.v1 import (
    avito,
    chats,
    labels,
    llm,
    report_detail,
    reports,
    reviews,
    runs,
    summary,
    timer,
)
from app.api.v1 import mail_dates as daily

router = APIRouter(prefix="/api/v1", dependencies=[RequireKey, RefuseUnknownQuery])
for part in (
    avito,
    llm,
    timer,
    reports,
    summary,
    daily,
    report_detail,
    reviews,
    labels,
    chats,
    runs,
):
    router.include_router(part.router)
