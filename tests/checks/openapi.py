"""The OpenAPI document as text, made without a database; run as a module it renews the one that is
kept.
"""

import json

from app.config import load_settings
from app.main import create_app
from tests.support.checkout import CHECKOUT

KEPT = CHECKOUT / "tests" / "api" / "openapi.json"


def openapi_text() -> str:
    """The document of today, in the form in which it is kept."""
    app = create_app(load_settings(_env_file=None, docs_enabled=True))
    return json.dumps(app.openapi(), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    KEPT.write_text(openapi_text(), encoding="utf-8")
