"""Every error of grading has a code, and every code a Russian label."""

from collections.abc import Iterator

from app.clients.deepseek import DeepSeekError, DeepSeekRequestError, Usage
from app.clients.retry import RateLimitedError
from app.domain.outcomes import Cause, OutcomeCode, describe_cause
from app.services.analysis.budget import BudgetSpentError
from app.services.analysis.causes import find_cause
from app.services.analysis.grader import UngradedError
from app.services.analysis.worker_pool import WorkersUnavailableError
from app.services.problems import Problem, ProblemCode, describe_problem

CODES = {
    "DeepSeekAccessError": OutcomeCode.ACCESS_REFUSED,
    "DeepSeekBalanceError": OutcomeCode.ACCESS_REFUSED,
    "DeepSeekBlockedError": OutcomeCode.MODEL_REFUSED,
    "DeepSeekCostlyError": OutcomeCode.TEXT_TOO_COSTLY,
    "DeepSeekCredentialsError": OutcomeCode.ACCESS_REFUSED,
    "DeepSeekForbiddenError": OutcomeCode.ACCESS_REFUSED,
    "DeepSeekRateLimitedError": OutcomeCode.MODEL_UNAVAILABLE,
    "DeepSeekRequestError": OutcomeCode.REQUEST_REFUSED,
    "DeepSeekSettingsError": OutcomeCode.ACCESS_REFUSED,
    "DeepSeekTimeoutError": OutcomeCode.MODEL_UNAVAILABLE,
    "DeepSeekTooLongError": OutcomeCode.TEXT_TOO_LONG,
    "DeepSeekTruncatedError": OutcomeCode.ANSWER_UNUSABLE,
    "DeepSeekUnavailableError": OutcomeCode.MODEL_UNAVAILABLE,
    "DeepSeekUnreadableError": OutcomeCode.ANSWER_UNUSABLE,
}


def errors_of(kind: type[DeepSeekError]) -> Iterator[type[DeepSeekError]]:
    for error in kind.__subclasses__():
        yield error
        yield from errors_of(error)


def example(kind: type[DeepSeekError]) -> DeepSeekError:
    if issubclass(kind, DeepSeekRequestError):
        return kind("Причина.", 400)
    return kind("Причина.", None) if issubclass(kind, RateLimitedError) else kind("Причина.")


def test_each_model_error_has_a_code() -> None:
    kinds = set(errors_of(DeepSeekError))
    assert {kind.__name__: find_cause(example(kind)) for kind in kinds} == {
        name: Cause(code, "Причина.") for name, code in CODES.items()
    }


def test_other_errors_have_codes() -> None:
    for error, code in (
        (BudgetSpentError("x"), OutcomeCode.BUDGET_SPENT),
        (WorkersUnavailableError("x"), OutcomeCode.WORKERS_UNAVAILABLE),
        (UngradedError("x", Usage(), OutcomeCode.ANSWER_UNUSABLE), OutcomeCode.ANSWER_UNUSABLE),
    ):
        assert find_cause(error) == Cause(code, "x")


def test_each_code_has_a_label() -> None:
    labels = [code.label for code in OutcomeCode]
    assert len(set(labels)) == len(labels)


def test_text_of_a_stored_cause() -> None:
    assert describe_cause("no_text", None) == "нет текста"
    assert describe_cause("model_refused", "Подробно.") == "Подробно."
    assert describe_cause(None, "Прежняя служба так написала.") == "Прежняя служба так написала."
    assert describe_cause(None, None) is None


def test_cause_of_a_later_release_is_readable() -> None:
    """During the next rollout a process of this release reads rows of the next one."""
    assert describe_cause("answered_by_bot", "Ответил бот.") == "Ответил бот."
    assert describe_cause("answered_by_bot", None) == "answered_by_bot"


def test_problem_of_a_later_release_keeps_its_sentence() -> None:
    problem = Problem.model_validate({"code": "mail_quota", "detail": "Ящик полон.", "box": 1})
    assert (problem.code, describe_problem(problem)) == (ProblemCode.UNCODED, "Ящик полон.")
