"""The OpenAPI document equals the stored one, so that a review shows each change."""

from tests.checks.openapi import KEPT, openapi_text


def test_document_is_current() -> None:
    """After an intended change, run `make snapshot`."""
    assert openapi_text() == KEPT.read_text(encoding="utf-8")
