"""Response bodies bounded in size, so that no response, compressed or not, fills the memory.

The clients accept only gzip and decompress it here. httpx decompresses each received piece at once,
which may expand it a thousandfold.
"""

import errno
import zlib
from collections.abc import AsyncIterable, AsyncIterator

_GZIP = 16 + zlib.MAX_WBITS
_AT_A_TIME = 64 * 1024


class UnreadableBodyError(Exception):
    """A body is too large, damaged or in an unrequested encoding; it was not read to its end."""


async def unpacked(body: AsyncIterable[bytes], encoding: str, most: int) -> AsyncIterator[bytes]:
    """Decompress a body according to its ``Content-Encoding``, piece by piece.

    Raises:
        UnreadableBodyError: it has more than ``most`` bytes, compressed or decompressed, or cannot
          be decompressed.
    """
    match encoding.strip().lower():
        case "" | "identity":
            pieces: AsyncIterable[bytes] = body
        case "gzip" | "x-gzip":
            pieces = _gunzipped(body)
        case _:
            raise UnreadableBodyError("unknown encoding")
    size = 0
    async for piece in pieces:
        size += len(piece)
        if size > most:
            raise UnreadableBodyError(f"more than {most} bytes")
        yield piece


async def _gunzipped(body: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    unpacking = zlib.decompressobj(_GZIP)
    try:
        async for packed in body:
            rest = packed
            while rest and not unpacking.eof:
                yield unpacking.decompress(rest, _AT_A_TIME)
                rest = unpacking.unconsumed_tail
        while held := unpacking.decompress(b"", _AT_A_TIME):
            yield held
    except zlib.error:
        raise UnreadableBodyError("damaged gzip") from None
    if not unpacking.eof:
        raise UnreadableBodyError("gzip without its end")


def is_out_of_files(error: BaseException | None) -> bool:
    """Return whether a connection failed because no file descriptor is left.

    The limit may be that of the process or of the machine.
    """
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            return True
        error = error.__cause__ or error.__context__
    return False


OUT_OF_FILES = (
    "У службы кончились файлы для соединений: повторим позже сами; если повторяется, увеличьте"
    " предел (ulimit -n, LimitNOFILE)."
)
"""Message for this case, for any external system."""
