"""Texts of model exchanges as bytes."""

import hashlib
import json
from typing import Any

import pytest

from app.repositories import exchange_packing
from app.repositories.exchange_packing import ExchangeTexts, pack_texts, unpack_texts

QUESTION: dict[str, Any] = {
    "nonce": "HElDlFm-CKm4FuqJE1-r16iT",
    "masking": "on",
    "names": ["Инна"],
    "zone": "Europe/Moscow",
    "messages": [1423, 1424, 1425, 1500, 9234, 7],
    "unused": None,
}
PARAMETERS = '{"model": "deepseek-flash", "messages": [], "max_tokens": 1500}'
SHA256 = hashlib.sha256(b"request").hexdigest()
STORED = (
    "011f58b9145b24d108d7ac38887338b3ea3229833b9c1e418250343f907bfd104743aaa93d5c735c72dc7275"
    "9dbd734ddc4a0bbd5c0d758b0ccd324370d7e04a17668046452e6c50c25d9723d78a2646c6e0cad0dc54c7dc"
    "dcd84447d7d2c8c83c96463520b44ec28c4ba55800"
)
DICTIONARY_SHA256 = "1292ae1a61d37a29da57e624fe52a296a9db8a71f8abbcb56f75eadf96a58ffd"


@pytest.mark.parametrize(
    "question",
    [
        QUESTION,
        {**QUESTION, "messages": []},
        {**QUESTION, "messages": [7]},
        {key: value for key, value in QUESTION.items() if key != "messages"},
        {},
    ],
)
@pytest.mark.parametrize("answer", ["", "{}", '{"why": "Ответ\\u0000 — «да»"}', "да " * 10_000])
def test_unpacked_texts_are_the_packed_ones(question: dict[str, Any], answer: str) -> None:
    texts = ExchangeTexts(question, PARAMETERS, SHA256, answer)
    assert unpack_texts(pack_texts(texts)) == texts


def test_bytes_of_version_1_stay_readable() -> None:
    """Stored bytes are never rewritten: neither the dictionary nor the format may change."""
    stored = bytes.fromhex(STORED)
    assert unpack_texts(stored) == ExchangeTexts(QUESTION, PARAMETERS, SHA256, '{"grade": "high"}')


def test_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version"):
        unpack_texts(b"\x02" + bytes(40))


def test_dictionary_is_the_one_of_version_1() -> None:
    found = hashlib.sha256(exchange_packing._DICTIONARY).hexdigest()
    assert found == DICTIONARY_SHA256


def test_usual_answer_takes_less_than_half() -> None:
    answer = {"criteria": {"tonality": {"ev": [{"i": 2, "q": "Добрый день!"}], "grade": "high"}}}
    texts = ExchangeTexts(QUESTION, PARAMETERS, SHA256, json.dumps(answer, ensure_ascii=False))
    plain = json.dumps(texts, ensure_ascii=False).encode()
    assert len(pack_texts(texts)) < len(plain) / 2
