"""Qualities in the headers by which a client and a server agree on a response (RFC 9110, 12)."""

from collections.abc import Iterator


def parse_qualities(header: str) -> Iterator[tuple[str, float]]:
    """Yield the values of ``Accept`` or ``Accept-Encoding`` in lower case, and their qualities.

    Values that cannot be parsed are left out.
    """
    for part in header.split(","):
        value, *parameters = (word.strip().lower() for word in part.split(";"))
        try:
            quality = next((float(word[2:]) for word in parameters if word.startswith("q=")), 1.0)
        except ValueError:
            continue
        yield value, quality


def prefers_gzip(accept_encoding: str) -> bool:
    """Return whether the client accepts gzip and does not prefer the response as it is."""
    qualities = dict(parse_qualities(accept_encoding))
    quality = qualities.get("gzip", qualities.get("x-gzip", 0.0))
    return quality > 0 and quality >= qualities.get("identity", 0.0)
