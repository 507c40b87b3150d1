"""Response bodies bounded in size, so that no response, compressed or not, fills the memory.

The clients accept only gzip and decompress it here. httpx decompresses each received piece at once,
which may expand it a thousandfold.
"""

import zlib
from collections.abc import AsyncIterable, AsyncIterator

_GZIP = 16 + zlib.MAX_WBITS
_CHUNK_BYTES = 64 * 1024


class UnreadableBodyError(Exception):
    """A body is too large, damaged or in an unrequested encoding; it was not read to its end."""


async def decompress(
    body: AsyncIterable[bytes], encoding: str, max_bytes: int
) -> AsyncIterator[bytes]:
    """Decompress a body according to its ``Content-Encoding``, piece by piece.

    Raises:
        UnreadableBodyError: it has more than ``max_bytes``, compressed or decompressed, or cannot
          be decompressed.
    """
    match encoding.strip().lower():
        case "" | "identity":
            pieces: AsyncIterable[bytes] = body
        case "gzip" | "x-gzip":
            pieces = _decompress_gzip(body)
        case _:
            raise UnreadableBodyError("unknown encoding")
    size = 0
    async for piece in pieces:
        size += len(piece)
        if size > max_bytes:
            raise UnreadableBodyError(f"more than {max_bytes} bytes")
        yield piece


async def _decompress_gzip(body: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    decompressor = zlib.decompressobj(_GZIP)
    try:
        async for compressed in body:
            rest = compressed
            while rest and not decompressor.eof:
                yield decompressor.decompress(rest, _CHUNK_BYTES)
                rest = decompressor.unconsumed_tail
        while piece := decompressor.decompress(b"", _CHUNK_BYTES):
            yield piece
    except zlib.error:
        raise UnreadableBodyError("damaged gzip") from None
    if not decompressor.eof:
        raise UnreadableBodyError("gzip without its end")
