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


def _missing_quotes(answer: Json) -> None:
    for criterion in answer["criteria"].values():
        criterion["ev"] = []


def _same_checks(answer: Json) -> None:
    """Answer without reading: everything is fine, and nobody objected."""
    answer["objections"], answer["critical"] = [], []
    for name, criterion in answer["criteria"].items():
        is_empty = name == "objection_handling"
        criterion["checks"] = dict.fromkeys(criterion["checks"], "na" if is_empty else "y")
        criterion["grade"] = "none" if is_empty else "high"


def _flipped_checks(answer: Json) -> None:
    opposite = {"y": "n", "n": "y", "na": "na"}
    for criterion in answer["criteria"].values():
        checks = {check: opposite[value] for check, value in criterion["checks"].items()}
        faults = list(checks.values()).count("n")
        criterion["checks"] = checks
        if criterion["grade"] != "none":
            criterion["grade"] = ("high", "medium", "low")[min(faults, 2)]


def _copied_shape(answer: Json) -> None:
    """Copy the placeholders of the prompt in place of values."""
    quote = {"i": "<номер>", "q": "<слова>"}
    answer["objections"] = [{**quote, "a": "<y|n>"}]
    answer["critical"] = [{"fault": "<insult|outside_payment|false_availability>", **quote}]
    for criterion in answer["criteria"].values():
        checks = dict.fromkeys(criterion["checks"], "<y|n|na>")
        criterion |= {
            "ev": [quote],
            "why": "<предложение>",
            "checks": checks,
            "grade": "<high|medium|low>",
        }
    answer["summary"] = "<текст>"
    answer["recommendations"] = [{"i": "<номер>", "t": "<текст>"}]


def _invented_quotation(answer: Json) -> None:
    answer["summary"] += " Продавец обещал: «вторая штука достанется даром»."


def _english_advice(answer: Json) -> None:
    answer["recommendations"].append({"i": 1, "t": "Answer the question of the buyer directly."})


def _extra_keys(answer: Json) -> None:
    answer |= {"score": 85, "comment": None}
    for criterion in answer["criteria"].values():
        criterion["confidence"] = 0.9
        criterion["checks"]["kind"] = "y"
        for evidence in criterion["ev"]:
            evidence["r"] = "seller"


def spell_checks(yes: object, no: object, not_applicable: object) -> Rewrite:
    """Spell the answers to the checks and about the objections in another way."""
    words = {"y": yes, "n": no, "na": not_applicable}

    def edit(answer: Json) -> None:
        for objection in answer["objections"]:
            objection["a"] = words[objection["a"]]
        for criterion in answer["criteria"].values():
            criterion["checks"] = {
                check: words[value] for check, value in criterion["checks"].items()
            }

    return edit_grading(edit)


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
MISSING_QUOTES = edit_grading(_missing_quotes)
SAME_CHECKS = edit_grading(_same_checks)
"""The same checks and grades for every chat."""
FLIPPED_CHECKS = edit_grading(_flipped_checks)
REROLL = (FOREIGN_QUOTES, FLIPPED_CHECKS)
"""Two answers in turn: the retry after invented quotes answers the checks differently."""
COPIED_SHAPE = edit_grading(_copied_shape)
INVENTED_QUOTATION = edit_grading(_invented_quotation)
ENGLISH_ADVICE = edit_grading(_english_advice)
EXTRA_KEYS = edit_grading(_extra_keys)
THINKING = rewrite_content(
    lambda content: (
        f'<think>Сначала черновик: {{"criteria": {{}}, "summary": "?"}}.</think>\n{content}'
    )
)
ENGLISH_CHECKS = spell_checks("yes", "no", "n/a")
RUSSIAN_CHECKS = spell_checks("да", "нет", "не применимо")
BOOLEAN_CHECKS = spell_checks(yes=True, no=False, not_applicable="n/a")
