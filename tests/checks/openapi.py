"""The OpenAPI document as text, generated without a database.

Run as a module it updates the stored document.
"""

import json

from app.config import load_settings
from app.main import create_app
from tests.support.checkout import CHECKOUT

KEPT = CHECKOUT / "tests" / "api" / "openapi.json"


def openapi_text() -> str:
    """Return the current document in its stored form."""
    app = create_app(load_settings(_env_file=None, docs_enabled=True))
    return json.dumps(app.openapi(), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    KEPT.write_text(openapi_text(), encoding="utf-8")
