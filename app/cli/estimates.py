"""``--estimate``: what a grading would take, before any of it is spent."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal

from app.adapters import open_database, open_grader
from app.cli.actions import list_unknown_named
from app.cli.console import print_line
from app.cli.listening import check_data_dir
from app.cli.process import ExitCode
from app.cli.regrades import regrade_period
from app.clients.deepseek.prices import get_peak_factor
from app.clock import local_date, system_clock
from app.config import Settings
from app.database.engine import Database
from app.domain.outcomes import OutcomeCode
from app.repositories.grading_scope import Scope
from app.russian_text import dollars, number, plural
from app.services.analysis.budget import sum_spent
from app.services.analysis.estimate import Estimate, PlannedGrading, estimate_due, estimate_windows
from app.services.analysis.originals import list_originals
from app.services.requested_chats import describe_unknown
from app.services.run_params import RegradePeriod


async def estimate_analyze(
    settings: Settings, *, limit: int | None, chat_ids: list[str], force: bool
) -> int:
    """Print what ``analyze`` with the same options would take."""
    check_data_dir(settings)
    scope = Scope(
        chat_ids=tuple(chat_ids) or None,
        force=force,
        settling=settings.settling.find_span(system_clock()),
    )
    async with open_grader(settings) as grader, open_database(settings) as database:
        unknown = await list_unknown_named(database, chat_ids)
        estimate = await estimate_due(database, grader, scope, limit)
        spent = await sum_spent(database, local_date(system_clock(), grader.zone), grader.zone)
    twice = f", из них дважды: {estimate.repeats}" if estimate.repeats else ""
    print_line(f"К оценке: {plural(estimate.windows, 'чат', 'чата', 'чатов')}{twice}.")
    if estimate.skipped:
        reasons = ", ".join(
            f"{reason.label}: {count}" for reason, count in estimate.skipped.most_common()
        )
        print_line(
            "Оценить нельзя, будут пропущены:"
            f" {plural(estimate.skipped.total(), 'чат', 'чата', 'чатов')} ({reasons})."
        )
    if estimate.settling:
        going_on = plural(estimate.settling, "чат", "чата", "чатов")
        print_line(f"Подождут, {OutcomeCode.SETTLING.label}: {going_on}.")
    if unknown:
        print_line(f"Из названных {describe_unknown(unknown)}.")
    code = _print_estimate(settings, estimate, spent)
    return ExitCode.FAILED if unknown else code


async def estimate_regrade(
    settings: Settings, *, since: date, until: date | None, limit: int | None
) -> int:
    """Print what ``regrade`` with the same options would take."""
    period = regrade_period(settings, since, until, limit)
    check_data_dir(settings)
    async with open_grader(settings) as grader, open_database(settings) as database:
        estimate = await estimate_windows(
            database, grader, _plan_regrades(database, period, grader.episode_gap)
        )
        spent = await sum_spent(database, local_date(system_clock(), grader.zone), grader.zone)
    print_line(f"К переоценке: {plural(estimate.windows, 'отчёт', 'отчёта', 'отчётов')}.")
    return _print_estimate(settings, estimate, spent)


async def _plan_regrades(
    database: Database, period: RegradePeriod, gap: timedelta
) -> AsyncIterator[PlannedGrading]:
    async for case in list_originals(database, period, gap):
        yield PlannedGrading(case.window, case.listing, case.is_repeated)


def _print_estimate(settings: Settings, estimate: Estimate, spent: Decimal) -> int:
    usage = estimate.usage
    prompt = usage.prompt_hit_tokens + usage.prompt_miss_tokens
    print_line(
        f"Токенов примерно: {number(prompt)} на входе, из них {number(usage.prompt_hit_tokens)} из"
        f" кэша, и {number(usage.completion_tokens)} на выходе."
    )
    if estimate.usd is None or estimate.most_usd is None:
        print_line(f"Деньги: цены модели {settings.deepseek_model} в справочнике нет.")
    else:
        dearer = get_peak_factor(settings.deepseek_model, system_clock())
        peak = f"; сейчас часы пик, вне их дешевле в {dearer} раза" if dearer > 1 else ""
        print_line(
            f"Деньги: около {dollars(estimate.usd)}, никак не больше"
            f" {dollars(estimate.most_usd)}{peak}."
        )
    if settings.deepseek_daily_budget_usd is not None:
        print_line(
            f"Дневной бюджет: {dollars(settings.deepseek_daily_budget_usd)}, сегодня из него"
            f" потрачено {dollars(spent)}."
        )
    print_line("Ничего не отправлено.")
    return ExitCode.DONE
