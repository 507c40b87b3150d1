"""Problems of a run as objects. Steps compare and store them; people read them in Russian."""

from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from app.models import Run
from app.russian_text import plural


class ProblemCode(StrEnum):
    """A kind of problem."""

    ACCOUNT_FAILED = "account_failed"
    """An Avito account could not be read."""
    CHATS_UNREAD = "chats_unread"
    """Some chats of an account could not be read; the others were."""
    GRADING_STOPPED = "grading_stopped"
    """Grading stopped before every due chat was graded."""
    UNCODED = "uncoded"
    """A kind of the release after."""

    @classmethod
    def _missing_(cls, value: object) -> "ProblemCode | None":
        """Read a kind that this release does not have as ``UNCODED``."""
        return cls.UNCODED if isinstance(value, str) else None


class Problem(BaseModel):
    """A problem of a run.

    ``detail``: the cause, a Russian sentence. ``account``: the affected account. ``chats``: number
    of affected chats; 0: not counted.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    code: ProblemCode
    detail: str
    account: str | None = None
    chats: int = 0


def describe_problem(problem: Problem) -> str:
    """Return the problem in Russian."""
    match problem.code:
        case ProblemCode.ACCOUNT_FAILED:
            return f"{problem.account}: {problem.detail}"
        case ProblemCode.CHATS_UNREAD:
            count = plural(
                problem.chats,
                "чат не прочитан и остался в очереди",
                "чата не прочитаны и остались в очереди",
                "чатов не прочитаны и остались в очереди",
            )
            return f"{problem.account}: {count}. Причина: {problem.detail}"
        case ProblemCode.GRADING_STOPPED:
            return f"{problem.detail.rstrip('.')}. Сделанное сохранено."
        case ProblemCode.UNCODED:
            return problem.detail


def describe_problems(problems: Iterable[Problem]) -> list[str]:
    """Return each problem in Russian."""
    return [describe_problem(problem) for problem in problems]


def list_problems(run: Run) -> list[Problem]:
    """Return the problems of a run that has ended."""
    return [Problem.model_validate(problem) for problem in run.problems or ()]
