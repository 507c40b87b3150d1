"""Requests of ``AvitoClient.get_self`` to the local Avito."""

from app.sandbox.avito import LocalAvito

OWN_ID = 4_900_000_001
SELF = "/core/v1/accounts/self"


def count_requests(avito: LocalAvito, path: str) -> int:
    return sum(request.path == path for request in avito.requests)
