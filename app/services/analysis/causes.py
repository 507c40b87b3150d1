"""Map errors of grading to causes: a code, and the error's text as detail."""

from app.clients.deepseek import (
    DeepSeekAccessError,
    DeepSeekBlockedError,
    DeepSeekCostlyError,
    DeepSeekError,
    DeepSeekRequestError,
    DeepSeekTooLongError,
    DeepSeekTruncatedError,
    DeepSeekUnreadableError,
)
from app.domain.outcomes import Cause, OutcomeCode
from app.errors import AppError
from app.services.analysis.budget import BudgetSpentError
from app.services.analysis.grader import UngradedError
from app.services.analysis.worker_pool import WorkersUnavailableError
from app.services.problems import Problem, ProblemCode

_CODES: tuple[tuple[type[AppError], OutcomeCode], ...] = (
    (BudgetSpentError, OutcomeCode.BUDGET_SPENT),
    (WorkersUnavailableError, OutcomeCode.WORKERS_UNAVAILABLE),
    (DeepSeekAccessError, OutcomeCode.ACCESS_REFUSED),
    (DeepSeekBlockedError, OutcomeCode.MODEL_REFUSED),
    (DeepSeekCostlyError, OutcomeCode.TEXT_TOO_COSTLY),
    (DeepSeekTooLongError, OutcomeCode.TEXT_TOO_LONG),
    (DeepSeekUnreadableError, OutcomeCode.ANSWER_UNUSABLE),
    (DeepSeekRequestError, OutcomeCode.REQUEST_REFUSED),
    (DeepSeekTruncatedError, OutcomeCode.ANSWER_UNUSABLE),
    (DeepSeekError, OutcomeCode.MODEL_UNAVAILABLE),
)
"""The order matters: a subclass precedes its base."""


def find_cause(error: AppError) -> Cause:
    """Return the cause that an error of grading is stored as."""
    if isinstance(error, UngradedError):
        return Cause(error.code, error.message)
    code = next(code for kind, code in _CODES if isinstance(error, kind))
    return Cause(code, error.message)


def make_stop_problem(cause: Cause) -> Problem:
    """Return the problem of a run whose grading has stopped."""
    return Problem(code=ProblemCode.GRADING_STOPPED, detail=cause.text)
