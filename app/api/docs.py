"""The page ``/docs``, served without the internet, and the OpenAPI document in Russian.

Parts that FastAPI adds to the document but that the service never returns are removed.
"""

import asyncio
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles

from app.api.examples import make_example

_DOCUMENT = "/openapi.json"
_ASSETS = Path(fastapi_offline.__file__).parent / "static"


def add_docs(app: FastAPI, root_path: str | None) -> None:
    """Serve the documentation page, its assets and the OpenAPI document.

    The page's references are relative to its address. ``root_path``: the path of the API's server
    in the document.
    """
    app.mount("/docs/assets", StaticFiles(directory=_ASSETS), name="docs-assets")

    page = get_swagger_ui_html(
        openapi_url=_DOCUMENT.removeprefix("/"),
        title=app.title,
        swagger_js_url="docs/assets/swagger-ui-bundle.js",
        swagger_css_url="docs/assets/swagger-ui.css",
        swagger_favicon_url="docs/assets/favicon.png",
    ).body
    headers = {
        "Content-Security-Policy": _docs_policy(bytes(page)),
        "Cache-Control": "no-cache",
        "Referrer-Policy": "no-referrer",
    }

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(page, headers=headers)

    # FastAPI's documented way to change the document.
    app.openapi = lambda: _build_openapi(app, root_path or "/")  # type: ignore[method-assign]
    built: list[Response] = []

    @app.get(_DOCUMENT, include_in_schema=False)
    async def document() -> Response:
        # It takes a third of a second, during which other requests are served.
        if not built:
            built.append(await asyncio.to_thread(lambda: JSONResponse(app.openapi())))
        return Response(built[0].body, media_type="application/json")


def _docs_policy(page: bytes) -> str:
    """Return the Content-Security-Policy of the page.

    The inline script is allowed by its hash. The styles and images of Swagger UI are inline.
    """
    scripts = re.findall(rb"<script>(.*?)</script>", page, re.DOTALL)
    hashes = " ".join(
        f"'sha256-{b64encode(sha256(script).digest()).decode()}'" for script in scripts
    )
    return (
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src"
        " 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors"
        " 'none'"
    )


_CONTACT = {"name": "Тот, кто запустил службу у вас"}
_DESCRIPTION = """
Копирует чаты Авито в свою базу, оценивает через DeepSeek, как в них отвечала компания, хранит и \
рассылает отчёты.

Каждый вызов под `/api/v1` требует ключа в заголовке `X-API-Key`. Неизвестный параметр — ошибка \
400, которая его называет. У всех ошибок
одно тело: `{"status": "error", "message": "что случилось и что сделать"}`; у 400 ещё и \
`errors` — по записи на параметр.
"""
_TAGS = {
    "avito": "Копирование чатов и сообщений.",
    "analysis": "Оценки через DeepSeek.",
    "reports": "Готовые оценки: списком, по одной, письмом.",
    "chats": "Переписка, как она скопирована.",
    "runs": "Что и когда делала служба.",
    "health": "Для наблюдения за службой, без ключа.",
}


def _build_openapi(app: FastAPI, server: str) -> dict[str, Any]:
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=_DESCRIPTION.strip(),
            contact=_CONTACT,
            tags=[
                {"name": name, "description": description} for name, description in _TAGS.items()
            ],
            servers=[{"url": server, "description": "Эта служба."}],
            routes=app.routes,
        )
        models = schema["components"]["schemas"]
        for name in ("HTTPValidationError", "ValidationError"):
            models.pop(name, None)
        for model in models.values():
            model.pop("description", None)  # the docstring of the class, in English
        for operations in schema["paths"].values():
            for operation in operations.values():
                _simplify_parameters(operation)
                _complete_responses(operation, models)
        app.openapi_schema = schema
    return app.openapi_schema


def _simplify_parameters(operation: dict[str, Any]) -> None:
    """Simplify the schemas of an operation's query parameters.

    Remove the alternative ``null``: a query string cannot express it. Remove the title and the
    description, which the parameter already has.
    """
    for parameter in operation.get("parameters", ()):
        schema = parameter["schema"]
        alternatives = [
            alternative
            for alternative in schema.pop("anyOf", ())
            if alternative != {"type": "null"}
        ]
        parameter["schema"] = schema = {**(alternatives[0] if alternatives else {}), **schema}
        for duplicate in ("title", "description"):
            schema.pop(duplicate, None)


def _complete_responses(operation: dict[str, Any], models: dict[str, Any]) -> None:
    """Remove the response 422 and add an example to each JSON response.

    The service responds to an invalid parameter with 400.
    """
    responses = operation["responses"]
    responses.pop("422", None)
    responses["200"]["description"] = "Успешный запрос."
    for response in responses.values():
        content = response.get("content", {}).get("application/json")
        if content and "example" not in content:
            content["example"] = make_example(content["schema"], models)
