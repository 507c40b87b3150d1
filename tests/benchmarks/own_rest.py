"""A real REST server in this process, so that its memory and its event loop can be measured."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

from app.cli.listening import listen
from app.cli.rest_server import serve_rest
from app.service import Service


@asynccontextmanager
async def serve_here(service: Service) -> AsyncIterator[int]:
    """Serve and yield the port."""
    nothing = asyncio.create_task(asyncio.sleep(3600))
    with closing(listen("127.0.0.1", 0, "")) as listener:
        async with serve_rest(service, listener, nothing):
            yield listener.getsockname()[1]
