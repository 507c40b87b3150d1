"""Figures of a date, few and many, and the visible contents of the mail that shows them."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from typing import Any

from app.services.digests.figures import (
    Baseline,
    Coverage,
    CriterionShare,
    DigestFigures,
    FailedChat,
    FirstAnswer,
    GoodChat,
    ListingFigures,
    MailedDay,
    WaitingBuyer,
    WorstChat,
)
from app.services.mail.mime import render_html, render_text

END = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
SENDER, BOSS = "reports@example.ru", "boss@example.ru"
AVITO = "https://www.avito.ru/profile/messenger/channel/"

SHARE = CriterionShare(label="Тональность", high=60, medium=10, low=4, absent=0)
OBJECTIONS = CriterionShare(label="Работа с возражениями", high=2, medium=1, low=1, absent=70)
NAMES = {"chat_id": "u2i-Ab~3k/f9", "chat_title": "Kia Rio", "client_name": "Ольга"}
TOLD = {
    "criterion": "Завершение",
    "quote": "Читайте объявление",
    "quote_side": "company",
    "advice": "Назвать пробег.",
    "advice_at": END - timedelta(hours=3),
}
WORST = WorstChat.model_validate({"report_id": 512, "score": 16.67} | NAMES | TOLD)
BEST = GoodChat.model_validate(
    {
        "report_id": 77,
        "score": 100,
        "criterion": "Ясность",
        "quote": "Да, 12 000 км",
        "quote_side": "company",
    }
    | NAMES
)
BUYER = WaitingBuyer.model_validate(
    {"account": "Склад", "since": END - timedelta(hours=5, minutes=55)} | NAMES
)
LISTING = ListingFigures(item_id=4_000_915_520, chat_title="Kia Rio", reports=12, mean_score=41.5)
FAILED = FailedChat(chat_id="u2i-f1", chat_title="Гараж", reason="Модель не ответила.")

DAY = {"day": date(2026, 11, 22), "covered_days": [date(2026, 11, 22)], "timezone": "Europe/Moscow"}
PERIOD = {
    "period_start": END - timedelta(days=1),
    "period_end": END,
    "synced_at": END - timedelta(minutes=2),
}
NOTHING = {
    "coverage": {"graded": 0, "skipped": {}, "failed": 0, "waiting": 0},
    "mean_score": None,
    "cost_usd": Decimal("0.0412"),
}
ZEROS = dict.fromkeys(("reports", "bad_reports", "incomplete_chats"), 0)
LISTS = (
    "problems",
    "worst",
    "waiting_buyers",
    "failed_chats",
    "cut_short_accounts",
    "models",
    "prompt_versions",
    "failed_addresses",
)
SOME = Coverage(graded=74, skipped={"нет ответа": 8, "нет текста": 4}, failed=5, waiting=6)
MANY = Coverage(graded=8123, skipped={"нет ответа": 1712}, failed=132, waiting=33)
WHOSE = {"accounts": ["Склад", "Розница"], "criteria": [SHARE, OBJECTIONS]}
EMPTY = DigestFigures.model_validate(
    DAY | PERIOD | NOTHING | ZEROS | dict.fromkeys(LISTS, ()) | WHOSE
)


SATURDAY = date(2026, 11, 21)
SUNDAYS = tuple(date(2026, 11, 22) - timedelta(weeks=weeks) for weeks in (3, 2, 1))
ANSWERS = FirstAnswer(answered=70, median_seconds=720, p90_seconds=11_400)
EARLIER = {
    "first_answer": FirstAnswer(answered=44, median_seconds=660, p90_seconds=12_000),
    "same_series": True,
}
YESTERDAY = Baseline.model_validate(
    EARLIER
    | {
        "days": (SATURDAY,),
        "reports": 45,
        "mean_score": 77.4,
        "bad_reports": 9,
        "waiting_buyers": 6,
    }
)
WEEKS = Baseline.model_validate(
    EARLIER
    | {
        "days": SUNDAYS,
        "reports": 190,
        "mean_score": 73.0,
        "bad_reports": 19,
        "waiting_buyers": 3.7,
    }
)
COURSE = tuple(
    MailedDay(day=SATURDAY - timedelta(days=12 - ahead), reports=40, mean_score=60 + ahead)
    for ahead in range(13)
)
TODAY = MailedDay(day=date(2026, 11, 22), reports=74, mean_score=74.3)
COMPARED = {
    "day_before": YESTERDAY,
    "same_weekdays": WEEKS,
    "days": (*COURSE, TODAY),
    "first_answer": ANSWERS,
}


def changed(figures: DigestFigures, **update: Any) -> DigestFigures:
    return figures.model_copy(update=update)


OLD = changed(
    changed(
        EMPTY,
        coverage=SOME,
        reports=74,
        mean_score=74.3,
        bad_reports=9,
        worst=(WORST,),
        failed_chats=(FAILED,),
    ),
    **{
        "waiting_buyers": (BUYER,) * 4,
        "incomplete_chats": 2,
        "models": ("flash",),
        "prompt_versions": ("r7",),
    },
)
OLD_FIELDS = {*DAY, *PERIOD, *NOTHING, *ZEROS, *LISTS, *WHOSE}
"""Figures of a version that compared nothing, and what it knew."""
RICH = changed(OLD, **COMPARED, best=(BEST,))
TROUBLE = changed(
    RICH,
    problems=("Авито: тариф не оплачен.", "Баланс DeepSeek исчерпан."),
    failed_addresses=(BOSS,),
)
FULL_LISTS = {
    "worst": (WORST,) * 5,
    "worst_listings": (LISTING,) * 3,
    "best": (BEST,) * 3,
    "waiting_buyers": (BUYER,) * 1_418,
    "failed_chats": (FAILED,) * 5,
    "criteria": (SHARE,) * 6,
}
CROWD = changed(RICH, coverage=MANY, reports=8123, bad_reports=1021, **FULL_LISTS)


OTHER_YARDSTICK = YESTERDAY.model_copy(update={"same_series": False})
OTHER_CLOCK = YESTERDAY.model_copy(update={"same_hours": False})


def worded(text: str) -> DigestFigures:
    """Return figures with this text in place of every untrusted text."""
    names = {"chat_title": text, "client_name": text}
    worst = WORST.model_copy(update=names | {"quote": text, "advice": text})
    return changed(
        RICH,
        worst=(worst,),
        worst_listings=(LISTING.model_copy(update={"chat_title": text}),),
        waiting_buyers=(BUYER.model_copy(update=names),),
    )


def tags(html: str) -> list[str]:
    return re.findall(r"</?\w+", html)


def flat(text: str) -> str:
    """Return the text with all whitespace as single blanks."""
    return " ".join(text.split())


def both(figures: DigestFigures) -> tuple[str, str]:
    """Return the visible text of the HTML part and of the text part."""
    visible = re.sub(
        r"(?s)<head>.*</head>|<div style=.display:none.*?</div>|<[^>]+>", " ", render_html(figures)
    )
    return flat(unescape(visible)), flat(render_text(figures))


def parsed(mime: bytes) -> EmailMessage:
    mail = message_from_bytes(mime, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    assert mail.defects == []
    return mail
