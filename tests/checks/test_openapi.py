"""The OpenAPI document is the one that clients were given: a change of it is seen in review, not by
them.
"""

from tests.checks.openapi import KEPT, openapi_text


def test_the_document_is_the_kept_one() -> None:
    """After a change that is meant: `make snapshot`."""
    assert openapi_text() == KEPT.read_text(encoding="utf-8")
