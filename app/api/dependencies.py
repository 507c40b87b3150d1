"""Dependencies that endpoints request by type."""

from typing import Annotated, cast

from fastapi import Depends, FastAPI, Request

from app.api.attempts import FailedAttempts
from app.service import Service


def attach_service(app: FastAPI, service: Service) -> None:
    """Let the application answer for this open service from now on."""
    app.state.service = service
    app.state.failed_attempts = FailedAttempts()


def get_service(request: Request) -> Service:
    """Return the service that the application answers for."""
    return cast("Service", request.app.state.service)


def get_failed_attempts(request: Request) -> FailedAttempts:
    """Return the failed attempts to authenticate, counted since the service was attached."""
    return cast("FailedAttempts", request.app.state.failed_attempts)


ServiceDep = Annotated[Service, Depends(get_service)]
FailedAttemptsDep = Annotated[FailedAttempts, Depends(get_failed_attempts)]
