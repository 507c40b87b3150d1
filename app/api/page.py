"""The web page at ``/``: static files, public.

The page fetches its data with the key that the user enters.
"""

from hashlib import sha256
from pathlib import Path
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Header, HTTPException, Response

_FOLDER = Path(__file__).parent.parent / "templates" / "page"
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}

# Inline styles are needed by the mail: it is shown in a frame, and this policy applies to it too.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self';"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class _File(NamedTuple):
    content: bytes
    media_type: str
    etag: str


def page_router() -> APIRouter:
    """Return a router for the page and its files.

    The files are read once: no request accesses the file system.
    """
    router = APIRouter(include_in_schema=False)
    files = {path.name: _read_file(path) for path in _FOLDER.iterdir() if path.suffix in _TYPES}

    async def serve(
        name: str = "index.html", if_none_match: Annotated[str, Header()] = ""
    ) -> Response:
        if name not in files:
            raise HTTPException(404)
        file = files[name]
        headers = {**_HEADERS, "ETag": file.etag}
        if file.etag in if_none_match:
            return Response(status_code=304, headers=headers)
        return Response(file.content, media_type=file.media_type, headers=headers)

    router.add_api_route("/", serve)
    router.add_api_route("/page/{name}", serve)
    return router


def _read_file(path: Path) -> _File:
    content = path.read_bytes()
    return _File(content, _TYPES[path.suffix], f'"{sha256(content).hexdigest()[:16]}"')
