"""The REST application: ``uvicorn --factory app.main:create_app`` or ``python -m app serve``."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app.api.dependencies import attach_service
from app.api.docs import add_docs
from app.api.errors import install_error_handlers
from app.api.health import router as health_router
from app.api.metrics import router as metrics_router
from app.api.middleware import HeadAsGet, KeyBeforeBody, PrivateResponses, WithoutRootPath
from app.api.page import page_router
from app.api.request_log import RequestLog
from app.api.request_metrics import MeasureRequests, NoteRoute
from app.api.routing import FixedPaths
from app.api.transfer import EntityTags, NegotiatedGzip
from app.api.v1.router import router as v1_router
from app.api.webhook import webhook_router
from app.config import Settings, load_settings
from app.log import configure_logging
from app.service import open_service, working


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application; without ``settings`` they are read from the environment and `.env`.

    Its lifespan opens the service and executes runs. A server that manages the service itself
    starts the application without its lifespan and calls ``attach_service``.

    Raises:
        SettingsError: a setting is missing or wrong.
    """
    settings = settings or load_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        settings.require("api", "avito", "deepseek", "mail")
        configure_logging(settings.log_level, settings.log_format)
        async with open_service(settings, patience_seconds=None) as service, working(service):
            attach_service(app, service)
            yield

    app = FastAPI(
        title="Avito Quality API",
        version="1.0.0",
        summary="Копирует чаты Авито, оценивает их через DeepSeek, рассылает отчёты.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    install_error_handlers(app)
    _add_middleware(app, settings)
    _include_routers(app, settings)
    return app


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    """Add the middleware. The last one added gets a request first."""
    app.add_middleware(NoteRoute)
    app.add_middleware(KeyBeforeBody)
    app.add_middleware(NegotiatedGzip)
    app.add_middleware(EntityTags)
    app.add_middleware(HeadAsGet)
    app.add_middleware(PrivateResponses)
    app.add_middleware(MeasureRequests)
    if settings.root_path is not None:
        app.add_middleware(WithoutRootPath, root_path=settings.root_path)
    app.add_middleware(RequestLog, secrets=_list_path_secrets(settings))


_SHORTEST_SECRET = 8


def _list_path_secrets(settings: Settings) -> list[str]:
    secrets = [
        *settings.api_keys,
        *(account.client_secret for account in settings.accounts),
        settings.avito_webhook_secret,
        settings.deepseek_api_key,
        settings.smtp_password,
    ]
    values = [secret.get_secret_value() for secret in secrets if secret is not None]
    # A local model's key may be one letter, which occurs in every path.
    return [value for value in values if len(value) >= _SHORTEST_SECRET]


def _include_routers(app: FastAPI, settings: Settings) -> None:
    app.include_router(health_router)
    app.include_router(metrics_router)
    app.include_router(page_router())
    app.include_router(v1_router)
    if settings.webhook_url is not None and settings.avito_webhook_secret is not None:
        app.include_router(webhook_router(settings.avito_webhook_secret.get_secret_value()))
    if settings.docs_enabled:
        add_docs(app, settings.root_path)
    app.router.routes.insert(0, FixedPaths(app.routes))
