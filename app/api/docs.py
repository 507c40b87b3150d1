"""``/docs`` without the internet, and an OpenAPI document in Russian without what FastAPI adds that never happens."""

from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

_ASSETS = Path(fastapi_offline.__file__).parent / "static"


def add_docs(app: FastAPI) -> None:
    """Serves the documentation page with its assets, and the document behind it."""
    app.mount("/docs/assets", StaticFiles(directory=_ASSETS), name="docs-assets")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url=str(app.openapi_url),
            title=app.title,
            swagger_js_url="/docs/assets/swagger-ui-bundle.js",
            swagger_css_url="/docs/assets/swagger-ui.css",
            swagger_favicon_url="/docs/assets/favicon.png",
        )

    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign] # FastAPI's own way to change the document


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
        schema["servers"] = [{"url": "http://localhost:8000"}]
        for operations in schema["paths"].values():
            for operation in operations.values():
                operation["responses"].pop("422", None)  # a wrong parameter is a 400
                operation["responses"]["200"]["description"] = "Успешный запрос."
        models = schema["components"]["schemas"]
        for name in ("HTTPValidationError", "ValidationError"):
            models.pop(name, None)
        for model in models.values():
            model.pop("description", None)  # our docstring, which speaks to programmers
        app.openapi_schema = schema
    return app.openapi_schema
