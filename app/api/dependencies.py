"""Dependencies that endpoints request by type."""

from collections.abc import AsyncIterator
from typing import Annotated, cast

from fastapi import Depends, FastAPI, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.attempts import FailedAttempts
from app.service import Service


def attach_service(app: FastAPI, service: Service) -> None:
    """Make the application serve this open service."""
    app.state.service = service
    app.state.failed_attempts = FailedAttempts()


def get_service(request: Request) -> Service:
    """Return the service that the application serves."""
    return cast("Service", request.app.state.service)


def get_failed_attempts(request: Request) -> FailedAttempts:
    """Return the failed attempts to authenticate, counted since the service was attached."""
    return cast("FailedAttempts", request.app.state.failed_attempts)


ServiceDep = Annotated[Service, Depends(get_service)]


async def get_session(service: ServiceDep) -> AsyncIterator[AsyncSession]:
    """Open a session for reading; it is closed before the response is sent."""
    async with service.database.session() as session:
        yield session


# Function scope: a client that reads the response slowly must not hold a connection.
SessionDep = Annotated[AsyncSession, Depends(get_session, scope="function")]
FailedAttemptsDep = Annotated[FailedAttempts, Depends(get_failed_attempts)]
