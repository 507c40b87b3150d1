"""Find the one JSON object of an answer in a text of the model.

Prose, thinking or a code fence may surround the object. A raw line break in a string, a comment, a
trailing comma and single quotes are repaired.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from app.grading.verdict_error import VerdictError

_MOST_BRACES = 100
"""Braces that are tried as the start of an object. It limits the time for an answer of braces."""
_MOST_REPAIRS = 10
_ENDS_OF_THINKING = ("</think>", "</thinking>")
_BEGINS_OBJECT = re.compile(r"""\{\s*+(?:["']|//|/\*)""")
_STRING = r""""(?:[^"\\]|\\.)*+"?"""
_PART = re.compile(
    rf"(?s)(?P<string>{_STRING})|'(?P<single>(?:[^'\\]|\\.)*+)'?"
    r"|(?P<comment>//[^\n]*+|/\*(?:[^*]|\*(?!/)){0,1000}+\*/)"
    r"|\b(?P<constant>True|False|None)\b|(?P<brace>[{}])"
)
_TRAILING_COMMA = re.compile(rf"(?s)(?P<string>{_STRING})|,(?=\s*+[\]}}])")
_CONSTANTS = {"True": "true", "False": "false", "None": "null"}


def find_answer(text: str) -> dict[str, Any]:
    """Return the one answer in `text`. An answer that is repeated without a change counts once.

    Raises:
        VerdictError: there is no answer, or there are different ones.
    """
    thought = max(map(text.rfind, _ENDS_OF_THINKING))
    # Thinking may have many braces, but an answer may also quote the end of thinking from the chat.
    answers = _list_answers(text, max(thought, 0), thought) or _list_answers(text, 0, thought)
    if not answers:
        raise VerdictError("В ответе нет целого объекта JSON по образцу.")
    if any(answer != answers[0] for answer in answers):
        raise VerdictError("В ответе несколько объектов JSON, и они разные: нужен один.")
    return answers[0]


def _list_answers(text: str, start: int, thought: int) -> list[dict[str, Any]]:
    """Return the answers that begin after `start` and end after the thinking. Drafts do not."""
    return [
        answer
        for found, end in _objects(text, start)
        if end > thought and (answer := _unwrap(found)) is not None
    ]


def _unwrap(found: dict[str, Any]) -> dict[str, Any] | None:
    """Return the object if it is an answer, or the only answer among its values, or None."""
    if _is_answer(found):
        return found
    inner = [value for value in found.values() if isinstance(value, dict) and _is_answer(value)]
    return inner[0] if len(inner) == 1 else None


def _is_answer(found: dict[str, Any]) -> bool:
    return "criteria" in found or "summary" in found


def _objects(text: str, start: int) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield the outermost objects and their ends. A brace that opens no object is prose."""
    position, repairs = text.find("{", start), 0
    for _ in range(_MOST_BRACES):
        if position < 0:
            return
        found = _decode(text, position)
        if found is None and repairs < _MOST_REPAIRS and _BEGINS_OBJECT.match(text, position):
            repairs += 1
            found = _decode_repaired(text, position)
        if found:
            yield found
        position = text.find("{", found[1] if found else position + 1)


def _decode(text: str, position: int) -> tuple[dict[str, Any], int] | None:
    try:
        return _DECODER.raw_decode(text, position)
    except VerdictError:
        raise
    except (ValueError, RecursionError):
        return None


def _decode_repaired(text: str, position: int) -> tuple[dict[str, Any], int] | None:
    """Return the object at a brace after repairs, and its end in the text."""
    depth, pieces, last = 0, [], position
    for part in _PART.finditer(text, position):
        pieces += [text[last : part.start()], _repair(part)]
        last = part.end()
        if part["brace"]:
            depth += 1 if part["brace"] == "{" else -1
        if depth == 0:
            break
    repaired = _TRAILING_COMMA.sub(lambda match: match["string"] or "", "".join(pieces))
    found = _decode(repaired, 0)
    return (found[0], last) if found and depth == 0 else None


def _repair(part: re.Match[str]) -> str:
    if part["comment"]:
        return " "
    if part["constant"]:
        return _CONSTANTS[part["constant"]]
    if part["single"] is None:
        return part[0]
    words = part["single"].replace("\\'", "'")
    return '"' + re.sub(r'(\\.)|"', lambda match: match[1] or '\\"', words) + '"'


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise VerdictError("В объекте JSON один ключ стоит дважды.")
    return dict(pairs)


_DECODER = json.JSONDecoder(object_pairs_hook=_without_repeats, strict=False)
