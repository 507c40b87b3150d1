"""Pack the texts of a model exchange into bytes, and unpack them.

A packed exchange is a version byte, the hash, and deflated JSON: question, parameters, answer. The
texts are short, so the compression uses a dictionary of what most of them contain. The ids of the
question's messages are stored as differences, because most follow each other.
"""

import json
import zlib
from collections.abc import Mapping
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, NamedTuple

_VERSION = b"\x01"
"""A packed exchange is read with the dictionary of its version, so the file never changes."""
_DICTIONARY = Path(__file__).with_name("exchange_dictionary_1.txt").read_bytes()
_HASH_BYTES = 32
_RAW = -zlib.MAX_WBITS
"""Without the header and the checksum of zlib."""


class ExchangeTexts(NamedTuple):
    """The texts of an exchange."""

    question: dict[str, Any]
    """What the user message was built from: nonce, masking, names, zone, working_hours, graded_at,
    earlier, complaint (None for a first question), messages (ids of the window). Also ``attempts``,
    the number of requests of the grading up to this answer, and ``unused``, why the verdict is
    built without the answer (None: it is used).
    """
    parameters: str
    """The body of the request as JSON text without its messages, in the order of its keys."""
    request_sha256: str
    """Hex digest of the body that was sent."""
    answer: str


def pack_texts(texts: ExchangeTexts) -> bytes:
    """Return the bytes of ``packed_exchanges.content``."""
    question = _change_ids(texts.question, _subtract)
    content = [question, texts.parameters, texts.answer]
    packer = zlib.compressobj(9, wbits=_RAW, zdict=_DICTIONARY)
    packed = packer.compress(
        json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    )
    return _VERSION + bytes.fromhex(texts.request_sha256) + packed + packer.flush()


def unpack_texts(content: bytes) -> ExchangeTexts:
    """Return the texts of packed bytes.

    Raises:
        ValueError: the bytes are of a version that this release does not have.
    """
    version, rest = content[:1], content[1:]
    if version != _VERSION:
        raise ValueError(f"unknown version of a packed exchange: {version!r}")
    packed = zlib.decompressobj(wbits=_RAW, zdict=_DICTIONARY).decompress(rest[_HASH_BYTES:])
    question, parameters, answer = json.loads(packed)
    sha256 = rest[:_HASH_BYTES].hex()
    return ExchangeTexts(_change_ids(question, accumulate), parameters, sha256, answer)


def _subtract(ids: list[int]) -> list[int]:
    return ids[:1] + [second - first for first, second in pairwise(ids)]


def _change_ids(question: Mapping[str, Any], change: Any) -> dict[str, Any]:
    if "messages" not in question:
        return dict(question)
    return {**question, "messages": list(change(question["messages"]))}
