"""``/docs`` without the internet, and an OpenAPI document in Russian without what FastAPI adds that
never happens.
"""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from app.api.examples import example_of

_ASSETS = Path(fastapi_offline.__file__).parent / "static"


def add_docs(app: FastAPI) -> None:
    """Serves the documentation page with its assets, and the document behind it."""
    app.mount("/docs/assets", StaticFiles(directory=_ASSETS), name="docs-assets")

    page = get_swagger_ui_html(
        openapi_url=str(app.openapi_url),
        title=app.title,
        swagger_js_url="/docs/assets/swagger-ui-bundle.js",
        swagger_css_url="/docs/assets/swagger-ui.css",
        swagger_favicon_url="/docs/assets/favicon.png",
    ).body
    headers = {
        "Content-Security-Policy": _docs_policy(bytes(page)),
        "Cache-Control": "no-cache",
        "Referrer-Policy": "no-referrer",
    }

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(page, headers=headers)

    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign] # FastAPI's own way to change the document


def _docs_policy(page: bytes) -> str:
    """The Content-Security-Policy of the page: its inline script is allowed by hash, Swagger UI's
    styles and images are inline.
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
Копирует чаты Авито в свою базу, оценивает через DeepSeek, как в них отвечала компания, хранит и рассылает отчёты.

Каждый вызов под `/api/v1` требует ключа в заголовке `X-API-Key`. Неизвестный параметр — ошибка 400, которая его называет. У всех ошибок
одно тело: `{"status": "error", "message": "что случилось и что сделать"}`; у 400 ещё и `errors` — по записи на параметр.
"""
_TAGS = {
    "avito": "Копирование чатов и сообщений.",
    "analysis": "Оценки через DeepSeek.",
    "reports": "Готовые оценки: списком, по одной, письмом.",
    "chats": "Переписка, как она скопирована.",
    "runs": "Что и когда делала служба.",
    "health": "Для наблюдения за службой, без ключа.",
}


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=_DESCRIPTION.strip(),
            contact=_CONTACT,
            tags=[{"name": name, "description": words} for name, words in _TAGS.items()],
            servers=[{"url": "/", "description": "Эта служба."}],
            routes=app.routes,
        )
        models = schema["components"]["schemas"]
        for name in ("HTTPValidationError", "ValidationError"):
            models.pop(name, None)
        for model in models.values():
            model.pop("description", None)  # our docstring, which speaks to programmers
        for operations in schema["paths"].values():
            for operation in operations.values():
                _tell_parameters(operation)
                _tell_answers(operation, models)
        app.openapi_schema = schema
    return app.openapi_schema


def _tell_parameters(operation: dict[str, Any]) -> None:
    """What a parameter may be, without the null that only Python knows: a query has no spelling for
    it.
    """
    for parameter in operation.get("parameters", ()):
        schema = parameter["schema"]
        alternatives = [one for one in schema.pop("anyOf", ()) if one != {"type": "null"}]
        parameter["schema"] = schema = {**(alternatives[0] if alternatives else {}), **schema}
        for said_already in ("title", "description"):
            schema.pop(said_already, None)


def _tell_answers(operation: dict[str, Any], models: dict[str, Any]) -> None:
    """No 422, because a wrong parameter is a 400; and an example for each answer in JSON."""
    answers = operation["responses"]
    answers.pop("422", None)
    answers["200"]["description"] = "Успешный запрос."
    for answer in answers.values():
        content = answer.get("content", {}).get("application/json")
        if content and "example" not in content:
            content["example"] = example_of(content["schema"], models)
