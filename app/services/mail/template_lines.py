"""Lines of a mail about its chats and reports, missing data, models and cost."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from app.domain.outcomes import Outcome, OutcomeCode
from app.domain.thresholds import BAD_BELOW
from app.models import DigestKind
from app.repositories.mail_days import DayMail
from app.russian_text import NBSP, dollars, format_recent, number, percent, plural
from app.services.digests.figures import BotFirst, Contacts, DigestFigures, MailPart, WorstChat
from app.services.display_text import NAME_LIMIT, list_shortened, shorten_for_mail
from app.services.mail.template_tiles import ENOUGH, format_bad_count, format_longest_wait


def describe_coverage(figures: DigestFigures, zone: ZoneInfo) -> str:
    """Return the number of chats and its four parts, with the time of counting for a past date."""
    coverage = figures.coverage
    since = figures.drawn_at if figures.drawn_at and figures.drawn_at > figures.period_end else None
    # Stored figures have no order.
    ordered = sorted(coverage.skipped.items(), key=lambda entry: (-entry[1], entry[0]))
    reasons = [
        f"{shorten_for_mail(reason, NAME_LIMIT)}:{NBSP}{number(count)}"
        for reason, count in ordered
        if count
    ]
    parts = [
        f"оценено{NBSP}{number(coverage.graded)}",
        f"пропущено{NBSP}{number(sum(coverage.skipped.values()))}"
        + (f" ({', '.join(reasons)})" if reasons else ""),
        f"с{NBSP}ошибкой{NBSP}{number(coverage.failed)}",
        f"ждут{NBSP}{number(coverage.waiting)}" + _describe_waiting(figures),
    ]
    return f"Чатов:{NBSP}{number(coverage.total)} = {' + '.join(parts)}" + (
        f"; так на {format_recent(since, zone)}" if since else ""
    )


def _describe_waiting(figures: DigestFigures) -> str:
    """Return why chats wait: how many of them are settling, and that others are in the queue."""
    waiting = figures.coverage.waiting
    going_on = sum(
        chat.status == Outcome.WAITING and chat.reason == OutcomeCode.SETTLING.label
        for chat in figures.ungraded
    )
    parts = []
    if going_on:
        parts.append(f"{OutcomeCode.SETTLING.label}:{NBSP}{number(going_on)}")
    if waiting > going_on:
        queued = waiting - going_on
        parts.append("очередь на оценку" + f":{NBSP}{number(queued)}" * bool(going_on))
    return f" ({', '.join(parts)})" if parts else ""


def describe_mails(mails: Sequence[DayMail], zone: ZoneInfo) -> str:
    """List a date's mails, oldest first, each with its time, part and number of reports."""
    parts = (
        "",
        *(
            f"{MailPart.REPEAT if mail.kind == DigestKind.RESEND else MailPart.SUPPLEMENT}, "
            for mail in mails[1:]
        ),
    )
    each = (
        f"{format_recent(mail.created_at, zone)} –"
        f" {part}{plural(mail.reports, 'отчёт', 'отчёта', 'отчётов')}"
        for mail, part in zip(mails, parts, strict=True)
    )
    return f"Письма этого дня: {'; '.join(each)}"


def describe_carried(figures: DigestFigures, *, where: str) -> str | None:
    """Describe how the reports relate to the period's chats; None if there are neither."""
    line, carried = f"Отчётов {where}:{NBSP}{number(figures.reports)}", figures.carried
    before = carried.graded_chats_mailed_before if carried else 0
    graded = plural(before, "оценённого чата", "оценённых чатов", "оценённых чатов")
    if not figures.reports:
        return f"Отчёты {graded} – в других письмах" if before else None
    if carried is None:
        return line
    own = carried.of_graded_chats + carried.of_same_chats
    again = (
        f" (из них {number(carried.of_same_chats)} – по чатам, оценённым дважды или снова ждущим)"
        if carried.of_same_chats
        else ""
    )
    if carried.of_other_chats or again:
        others = (
            f" и {number(carried.of_other_chats)} по более ранним" if carried.of_other_chats else ""
        )
        line = (
            f"Отчётов {where} {number(figures.reports)}: {number(own)} по чатам этого"
            f" периода{again}{others}"
        )
    return line + f"; отчёты ещё {graded} – в других письмах" * bool(before)


def describe_contacts(figures: DigestFigures) -> str | None:
    """Return the share of reports with a contact or a meeting; None if no report contains it."""
    found = figures.contacts
    if not found.n:
        return None
    return f"Контакт оставлен или встреча назначена: {_describe_share(found)}"


def describe_bot_first(figures: DigestFigures) -> str | None:
    """Return in how many reports a bot was the first to answer; None if in none."""
    found = figures.bot_first
    if not found.count:
        return None
    return f"Автоответчик ответил первым: {_describe_share(found)}"


def _describe_share(found: Contacts | BotFirst) -> str:
    few = ", мало данных" if found.n < ENOUGH else ""
    reports = plural(found.n, "отчёта", "отчётов", "отчётов").replace(" ", NBSP)
    return f"{percent(found.count, found.n)} ({number(found.count)} из {reports}{few})"


def make_advice_label(chat: WorstChat, zone: ZoneInfo) -> str:
    """Return the label of an advice, with the time of its message unless the advice contains it."""
    if (
        chat.advice_at is None
        or chat.advice is None
        or f"{chat.advice_at.astimezone(zone):%H:%M}" in chat.advice
    ):
        return "Совет:"
    return f"Совет к сообщению {format_recent(chat.advice_at, zone)}:"


def describe_mixed_series(figures: DigestFigures) -> str | None:
    """List the series with their figures if the mean combines several; None otherwise."""
    if len(figures.series) < 2:
        return None
    each = (
        f"{shorten_for_mail(series.model, NAME_LIMIT)} с рубрикой"
        f" {shorten_for_mail(series.prompt_version, NAME_LIMIT)} – средняя"
        f" {number(series.mean_score)} по {plural(series.reports, 'отчёту', 'отчётам', 'отчётам')}"
        for series in figures.series
    )
    return (
        "В средних смешаны разные модели или рубрики:"
        f" {'; '.join(list_shortened(each, most=3, limit=160))}."
    )


def describe_grading(figures: DigestFigures) -> str:
    """Describe models, rubrics, cost and limitations of the grades."""
    parts = []
    if figures.models:
        parts.append(f"Модель: {', '.join(list_shortened(figures.models, most=4))}")
    if figures.prompt_versions:
        parts.append(f"рубрика: {', '.join(list_shortened(figures.prompt_versions, most=4))}")
    if figures.reports:
        parts.append(f"стоимость: {dollars(figures.cost_usd)}")
    if figures.steadiness.n:
        flipped = percent(figures.steadiness.flipped, figures.steadiness.n)
        parts.append(
            f"на повторный вопрос модель меняет {flipped} ответов"
            f" (n{NBSP}={NBSP}{number(figures.steadiness.n)})"
        )
    if figures.critical_reports:
        parts.append(f"отчётов с критической ошибкой продавца: {number(figures.critical_reports)}")
    if figures.contradicting_reports:
        parts.append(
            "отчётов, где слова продавца расходятся с объявлением или данными компании:"
            f" {number(figures.contradicting_reports)}"
        )
    if figures.addressed_reports:
        parts.append(
            "отчётов, где переписка обращается к проверяющему:"
            f" {number(figures.addressed_reports)}, взгляните на них сами"
        )
    if figures.unproven_reports:
        parts.append(
            "отчётов, где у высокой или низкой оценки нет подтверждающей цитаты:"
            f" {number(figures.unproven_reports)}"
        )
    if figures.bad_share_corrected:
        labels = plural(figures.bad_share_corrected.labels, "оценке", "оценкам", "оценкам")
        parts.append(
            "доля с поправкой на ошибки модели и её 95-процентный интервал: по"
            f" {labels} людей вслепую"
        )
    if figures.incomplete_chats:
        parts.append(
            "чатов с неполной историей (Авито не отдаёт её целиком):"
            f" {number(figures.incomplete_chats)}"
        )
    if figures.cut_short_accounts:
        names = ", ".join(list_shortened(figures.cut_short_accounts, most=4))
        parts.append(f"чатов больше, чем отдаёт Авито, самые старые не видны: {names}")
    return " · ".join(parts)


def make_preheader(figures: DigestFigures, problems: list[str]) -> str:
    """Return the text that mail programs show after the subject in a list of mails."""
    if problems:
        return f"Не всё получилось: {shorten_for_mail(problems[0], 120)}"
    longest = format_longest_wait(figures)
    waiting = f" Дольше всех ждут ответа: {longest}." if longest else ""
    if not figures.reports:
        return f"Новых отчётов нет.{waiting}"
    return f"С оценкой ниже {BAD_BELOW}: {format_bad_count(figures)}.{waiting}"
