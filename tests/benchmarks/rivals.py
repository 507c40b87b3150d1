"""Two other implementations of ``GET /reports`` as servers of their own, for comparison.

- ``orm``: what a FastAPI project usually has: entities, a response model, an async session.
- ``bare``: an ASGI callable; Postgres joins the stored JSON of the period. No framework, no
  streaming: the whole answer is in memory.

Both check the key, and run on uvicorn with asyncio and h11 as the service does.

    python -m tests.benchmarks.rivals orm PORT DATABASE_URL
"""

import argparse
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import asyncpg
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import APIKeyHeader
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import load_only

from app.api.v1.schemas import ReportRead
from app.models import Report, ReportKind
from tests.support.service_process import KEY

_ZONE = ZoneInfo("Europe/Moscow")
_JOINED = """
    SELECT convert_to(
        '[' || coalesce(string_agg(body::text, ',' ORDER BY created_at DESC, id DESC), '') || ']',
        'UTF8'
    )
    FROM reports WHERE kind = 'grading' AND created_at >= $1 AND created_at < $2
"""

Application = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[Any]],
        Callable[[dict[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]


def _read_bounds(start: date, end: date) -> tuple[datetime, datetime]:
    days = (start, end + timedelta(days=1))
    first, last = (datetime.combine(day, time.min, _ZONE) for day in days)
    return first, last


def make_orm_app(url: str) -> FastAPI:
    """Return the usual implementation."""
    engine = create_async_engine(url)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    header = APIKeyHeader(name="X-API-Key", auto_error=False)

    async def check_key(key: Annotated[str | None, Security(header)]) -> None:
        if not hmac.compare_digest((key or "").encode(), KEY.encode()):
            raise HTTPException(401)

    async def get_session() -> AsyncIterator[AsyncSession]:
        async with sessions() as session:
            yield session

    app = FastAPI(dependencies=[Depends(check_key)])

    @app.get("/api/v1/reports", response_model=list[ReportRead])
    async def list_reports(
        start_date: date, end_date: date, session: Annotated[AsyncSession, Depends(get_session)]
    ) -> list[dict[str, Any]]:
        start, end = _read_bounds(start_date, end_date)
        rows = await session.scalars(
            select(Report)
            .options(load_only(Report.id, Report.created_at, Report.body))
            .where(Report.kind == ReportKind.GRADING)
            .where(Report.created_at >= start, Report.created_at < end)
            .order_by(Report.created_at.desc(), Report.id.desc())
        )
        return [row.body for row in rows]

    return app


def make_bare_app(url: str) -> Application:
    """Return the least code that gives the same bytes."""
    plain = url.replace("+asyncpg", "")
    pools: list[asyncpg.Pool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if not pools:
            pools.append(await asyncpg.create_pool(plain, min_size=1, max_size=10))
        given = dict(scope["headers"]).get(b"x-api-key", b"")
        if not hmac.compare_digest(given, KEY.encode()):
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body"})
            return
        query = parse_qs(scope["query_string"].decode())
        bounds = _read_bounds(
            *(date.fromisoformat(query[name][0]) for name in ("start_date", "end_date"))
        )
        body = await pools[0].fetchval(_JOINED, *bounds)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["orm", "bare"])
    parser.add_argument("port", type=int)
    parser.add_argument("url")
    chosen = parser.parse_args()
    app = (make_orm_app if chosen.kind == "orm" else make_bare_app)(chosen.url)
    uvicorn.run(
        app,
        port=chosen.port,
        loop="asyncio",
        http="h11",
        lifespan="off",
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main()
