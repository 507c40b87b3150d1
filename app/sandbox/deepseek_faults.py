"""Error responses of the local DeepSeek, for `switches.fail(…)`.

They are refusals, broken bodies and altered grades.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.sandbox.faults import Behaviour, CannedResponse, Cut, ReceivedRequest

Json = dict[str, Any]


@dataclass(frozen=True)
class Rewrite(Behaviour):
    """The regular completion, modified before it is sent."""

    change: Callable[[Json], None]


@dataclass(frozen=True)
class Hang(Behaviour):
    """Status 200 and blank lines for that many seconds before the regular body.

    The real server does the same while a request is queued.
    """

    seconds: float


def error_body(message: str, kind: str = "invalid_request_error") -> Json:
    """Build DeepSeek's error body."""
    return {
        "error": {"message": message, "type": kind, "param": None, "code": "invalid_request_error"}
    }


def too_many(retry_after: str | None = None) -> CannedResponse:
    """Build a 429, with `Retry-After` if given."""
    return CannedResponse(
        429,
        error_body("Rate limit reached", "rate_limit_error"),
        {} if retry_after is None else {"Retry-After": retry_after},
    )


def user_message(request: ReceivedRequest) -> str:
    """Return the last user message of a request, for `when=` of a fault; else an empty string."""
    messages = request.body.get("messages", []) if isinstance(request.body, dict) else []
    return next(
        (
            str(message.get("content", ""))
            for message in reversed(messages)
            if message.get("role") == "user"
        ),
        "",
    )


def end_with_reason(reason: str) -> Rewrite:
    """Truncate the answer and set another finish reason than `stop`."""

    def change(completion: Json) -> None:
        choice = completion["choices"][0]
        choice["finish_reason"] = reason
        choice["message"]["content"] = choice["message"]["content"][
            : len(choice["message"]["content"]) // 2
        ]

    return Rewrite(change)


def loop_with(text: str) -> Rewrite:
    """Replace the content with a text that ran out of tokens."""

    def change(completion: Json) -> None:
        choice = completion["choices"][0]
        choice["finish_reason"] = "length"
        choice["message"]["content"] = text

    return Rewrite(change)


def rewrite_content(rewrite: Callable[[str], str]) -> Rewrite:
    """Replace the content with one derived from it."""

    def change(completion: Json) -> None:
        message = completion["choices"][0]["message"]
        message["content"] = rewrite(message["content"])

    return Rewrite(change)


def edit_grading(edit: Callable[[Json], None]) -> Rewrite:
    """Edit a grading answer in place; it stays JSON. Other content stays unchanged."""

    def rewrite(content: str) -> str:
        answer = json.loads(content)
        if "criteria" in answer:
            edit(answer)
        return json.dumps(answer, ensure_ascii=False)

    return rewrite_content(rewrite)


def _extra_criterion(answer: Json) -> None:
    answer["criteria"]["charisma"] = dict(next(iter(answer["criteria"].values())))


def _missing_criterion(answer: Json) -> None:
    answer["criteria"].popitem()


def _wrong_grade(answer: Json) -> None:
    next(iter(answer["criteria"].values()))["grade"] = "excellent"


def _russian_grades(answer: Json) -> None:
    russian = {"high": "Высокий", "medium": "Среднее", "low": "низкая", "none": "Нет возражений"}
    for criterion in answer["criteria"].values():
        criterion["grade"] = russian[criterion["grade"]]


def _foreign_quotes(answer: Json) -> None:
    for criterion in answer["criteria"].values():
        for evidence in criterion["ev"]:
            evidence["q"] = "этих слов в переписке никто не писал"


UNAUTHORIZED = CannedResponse(
    401, error_body("Authentication Fails (no such user)", "authentication_error")
)
BALANCE_EMPTY = CannedResponse(402, error_body("Insufficient Balance", "unknown_error"))
BAD_REQUEST = CannedResponse(
    400, error_body("Invalid request: the field messages is not acceptable")
)
TOO_LONG = CannedResponse(
    400,
    error_body(
        "This model's maximum context length is 131072 tokens. However, you requested 140000 tokens"
        " (138500 in the messages, 1500 in the completion). Please reduce the length of the"
        " messages or completion."
    ),
)
CONTENT_RISK = CannedResponse(400, error_body("Content Exists Risk"))
SERVER_ERROR = CannedResponse(500, error_body("Internal Server Error", "server_error"))
OVERLOADED = CannedResponse(503, error_body("Service is too busy", "service_unavailable_error"))
EMPTY_BODY = CannedResponse(200, "", content_type="application/json")
HTML = CannedResponse(200, "<html><body><h1>502 Bad Gateway</h1></body></html>")
NULL_CHOICES = CannedResponse(
    200, {"choices": None, **error_body("upstream failed", "server_error")}
)
CUT = Cut()

CONTENT_FILTER = end_with_reason("content_filter")
LENGTH = end_with_reason("length")
NO_RESOURCE = end_with_reason("insufficient_system_resource")
ABORTED = end_with_reason("aborted")

BLANK = rewrite_content(lambda content: " " * len(content))
PROSE = rewrite_content(
    lambda content: f"Вот моя оценка этого чата:\n{content}\nНадеюсь, это поможет."
)
FENCES = rewrite_content(lambda content: f"```json\n{content}\n```")

EXTRA_CRITERION = edit_grading(_extra_criterion)
MISSING_CRITERION = edit_grading(_missing_criterion)
WRONG_GRADE = edit_grading(_wrong_grade)
RUSSIAN_GRADES = edit_grading(_russian_grades)
FOREIGN_QUOTES = edit_grading(_foreign_quotes)
