"""Dependencies that endpoints request by type."""

from typing import Annotated, cast

from fastapi import Depends, FastAPI, Request

from app.api.attempts import FailedAttempts
from app.service import Service


def attach_service(app: FastAPI, service: Service) -> None:
    """Make the application serve this open service."""
    app.state.service = service
    app.state.failed_attempts = FailedAttempts()


def find_service(request: Request) -> Service:
    """Return the service that the application serves."""
    return cast("Service", request.app.state.service)


def find_failed_attempts(request: Request) -> FailedAttempts:
    """Return the failed attempts to authenticate, counted since the service was attached."""
    return cast("FailedAttempts", request.app.state.failed_attempts)


def build_reference(service: Service, path: str) -> str:
    """Return the path for a client: with ROOT_PATH, without scheme and host.

    The client resolves it against the address that it has called. A scheme taken from the request
    would be ``http`` behind a proxy with TLS, and the client's next call would send its key in
    plain text.
    """
    return (service.settings.root_path or "") + path


# FastAPI calls what is not a coroutine in a thread, which costs more than many queries.
async def _get_service(request: Request) -> Service:
    return find_service(request)


async def _get_failed_attempts(request: Request) -> FailedAttempts:
    return find_failed_attempts(request)


# An endpoint opens its session itself: ``async with service.database.session()``. FastAPI resolves
# dependencies before it validates parameters. With a session as a dependency, an invalid parameter
# would wait for a connection and be a 500 during an outage.
ServiceDep = Annotated[Service, Depends(_get_service)]
FailedAttemptsDep = Annotated[FailedAttempts, Depends(_get_failed_attempts)]
