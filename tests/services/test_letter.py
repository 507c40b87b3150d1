"""The mail: what it says, how it survives hostile text and mail clients, and the bytes that are stored and sent."""

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.services.figures import (
    Baseline,
    CarriedReports,
    Coverage,
    CriterionShare,
    DigestFigures,
    FailedChat,
    FirstAnswer,
    GoodChat,
    MailedDay,
    Series,
    WaitingBuyer,
    WorstChat,
)
from app.services.letter import address, compose, message_id, render_html, render_text, subject
from app.services.mail_sheet import Attachment

END = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
SENDER, BOSS = "reports@example.ru", "boss@example.ru"
AVITO = "https://www.avito.ru/profile/messenger/channel/"

SHARE = CriterionShare(label="Тональность", high=60, medium=10, low=4, absent=0)
OBJECTIONS = CriterionShare(label="Работа с возражениями", high=2, medium=1, low=1, absent=70)
NAMES = {"chat_id": "u2i-Ab~3k/f9", "chat_title": "Kia Rio", "client_name": "Ольга"}
TOLD = {"criterion": "Завершение", "quote": "Читайте объявление", "quote_side": "company", "advice": "Назвать пробег."}
WORST = WorstChat.model_validate({"report_id": 512, "score": 16.67} | NAMES | TOLD)
BEST = GoodChat.model_validate(
    {"report_id": 77, "score": 100, "criterion": "Ясность", "quote": "Да, 12 000 км", "quote_side": "company"} | NAMES
)
BUYER = WaitingBuyer.model_validate({"since": END - timedelta(hours=5, minutes=55)} | NAMES)
FAILED = FailedChat(chat_id="u2i-f1", chat_title="Гараж", reason="Модель не ответила.")

DAY = {"day": date(2026, 11, 22), "covered_days": [date(2026, 11, 22)], "timezone": "Europe/Moscow"}
PERIOD = {"period_start": END - timedelta(days=1), "period_end": END, "synced_at": END - timedelta(minutes=2)}
NOTHING = {"coverage": {"graded": 0, "skipped": {}, "failed": 0, "waiting": 0}, "mean_score": None, "cost_usd": Decimal("0.0412")}
ZEROS = dict.fromkeys(("reports", "bad_reports", "waiting_buyers_total", "incomplete_chats"), 0)
LISTS = ("problems", "worst", "waiting_buyers", "failed_chats", "cut_short_accounts", "models", "prompt_versions", "failed_addresses")
SOME = Coverage(graded=74, skipped={"нет ответа": 8, "нет текста": 4}, failed=5, waiting=6)
MANY = Coverage(graded=8123, skipped={"нет ответа": 1712}, failed=132, waiting=33)
WHOSE = {"accounts": ["Склад", "Розница"], "criteria": [SHARE, OBJECTIONS]}
EMPTY = DigestFigures.model_validate(DAY | PERIOD | NOTHING | ZEROS | dict.fromkeys(LISTS, ()) | WHOSE)


SATURDAY = date(2026, 11, 21)
SUNDAYS = tuple(date(2026, 11, 22) - timedelta(weeks=weeks) for weeks in (3, 2, 1))
ANSWERS = FirstAnswer(answered=70, median_seconds=720, p90_seconds=11_400)
EARLIER = {"first_answer": FirstAnswer(answered=44, median_seconds=660, p90_seconds=12_000), "same_series": True}
YESTERDAY = Baseline.model_validate(
    EARLIER | {"days": (SATURDAY,), "reports": 45, "mean_score": 77.4, "bad_reports": 9, "waiting_buyers": 6}
)
WEEKS = Baseline.model_validate(EARLIER | {"days": SUNDAYS, "reports": 190, "mean_score": 73.0, "bad_reports": 19, "waiting_buyers": 3.7})
COURSE = tuple(MailedDay(day=SATURDAY - timedelta(days=12 - ahead), reports=40, mean_score=60 + ahead) for ahead in range(13))
TODAY = MailedDay(day=date(2026, 11, 22), reports=74, mean_score=74.3)
COMPARED = {"day_before": YESTERDAY, "same_weekdays": WEEKS, "days": (*COURSE, TODAY), "first_answer": ANSWERS}


def changed(figures: DigestFigures, **update: Any) -> DigestFigures:
    return figures.model_copy(update=update)


RICH = changed(
    changed(EMPTY, coverage=SOME, reports=74, mean_score=74.3, bad_reports=9, worst=(WORST,), failed_chats=(FAILED,)),
    **{"waiting_buyers": (BUYER,), "waiting_buyers_total": 4, "incomplete_chats": 2, "models": ("flash",), "prompt_versions": ("r7",)},
)
OLD = RICH
"""Figures of a version that compared nothing."""
RICH = changed(RICH, **COMPARED, best=(BEST,))
TROUBLE = changed(RICH, problems=("Авито: тариф не оплачен.", "Баланс DeepSeek исчерпан."), failed_addresses=(BOSS,))
FULL_LISTS = {
    "worst": (WORST,) * 5,
    "best": (BEST,) * 3,
    "waiting_buyers": (BUYER,) * 10,
    "failed_chats": (FAILED,) * 10,
    "criteria": (SHARE,) * 6,
}
CROWD = changed(RICH, coverage=MANY, reports=8123, bad_reports=1021, waiting_buyers_total=1418, **FULL_LISTS)


OTHER_YARDSTICK = YESTERDAY.model_copy(update={"same_series": False})


def worded(text: str) -> DigestFigures:
    """Figures in which every text that a stranger writes is this one."""
    names = {"chat_title": text, "client_name": text}
    worst = WORST.model_copy(update=names | {"quote": text, "advice": text})
    return changed(RICH, worst=(worst,), waiting_buyers=(BUYER.model_copy(update=names),))


def tags(html: str) -> list[str]:
    return re.findall(r"</?\w+", html)


def flat(text: str) -> str:
    """The text with all white space alike, as eyes see it."""
    return " ".join(text.split())


def both(figures: DigestFigures) -> tuple[str, str]:
    """What the HTML part and the text part show."""
    visible = re.sub(r"(?s)<head>.*</head>|<div style=.display:none.*?</div>|<[^>]+>", " ", render_html(figures))
    return flat(unescape(visible)), flat(render_text(figures))


def parsed(mime: bytes) -> EmailMessage:
    mail = message_from_bytes(mime, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    assert mail.defects == []
    return mail


def test_subject_says_the_day_in_a_line() -> None:
    late = (date(2026, 11, 20), date(2026, 11, 22))
    expectations: dict[str, dict[str, Any]] = {
        "22.11: 74 (▼3) · 97 чатов · 4 ждут ответа": {},
        "22.11: 78 (▲1) · 97 чатов · 1 ждёт ответа": {"waiting_buyers_total": 1, "mean_score": 77.5},
        "22.11: 77 (±0) · 97 чатов · никто не ждёт ответа": {"waiting_buyers_total": 0, "mean_score": 76.9},
        "20.11–22.11: 74 (▼3) · 97 чатов · 4 ждут ответа · не всё получилось": {"covered_days": late, "problems": ("!",)},
        "22.11: 74 · 97 чатов · 4 ждут ответа": {"day_before": OTHER_YARDSTICK},
        "22.11: 74 · 97 чатов · 5 ждут ответа": {"day_before": None, "waiting_buyers_total": 5},
        "22.11: новых отчётов нет · 97 чатов · 4 ждут ответа": {"reports": 0, "mean_score": None},
    }
    for expected, update in expectations.items():
        assert subject(changed(RICH, **update)) == f"Авито-чаты {expected}"


@pytest.mark.parametrize("form", ["0 чатов", "1 чат", "2 чата", "4 чата", "5 чатов", "11 чатов", "14 чатов", "21 чат", "102 чата"])
def test_counts_take_the_right_plural(form: str) -> None:
    coverage = Coverage(graded=int(form.partition(" ")[0]), skipped={}, failed=0, waiting=0)
    assert f" · {form} · " in subject(changed(RICH, coverage=coverage))


def test_text_and_html_show_the_same_figures() -> None:
    for figures in (RICH, EMPTY, TROUBLE, CROWD, OLD):
        html, text = (Counter(re.findall(r"\d+", re.sub(r"https://\S+", "", part))) for part in both(figures))
        assert html == text != Counter()


def test_what_a_rich_day_says_in_both_parts() -> None:
    for shown in both(RICH):
        assert "22 ноября 2026, воскресенье Период: с 21.11.2026 20:00 до 22.11.2026 20:00, Europe/Moscow (UTC+03:00)" in shown
        assert "Аккаунты: Склад, Розница Последняя синхронизация: 22.11.2026 19:58" in shown
        assert "Чатов: 97 = оценено 74 + пропущено 12 (нет ответа: 8, нет текста: 4) + с ошибкой 5 + ждут 6" in shown
        assert "Отчётов в письме: 74" in shown
        assert "Ольга · Завершение · отчёт № 512" in shown
        assert "Продавец: «Читайте объявление» Совет: Назвать пробег." in shown
        assert re.search("(?i)Хорошие примеры Kia Rio.* 100.* «Да, 12 000 км»", shown)
        assert "Модель: flash · рубрика: r7 · стоимость: 0,0412 $ · чатов с неполной историей" in shown
        assert "не всё получилось" not in shown.lower()
    assert f'href="{AVITO}u2i-Ab~3k%2Ff9"' in render_html(RICH)
    assert f"{AVITO}u2i-Ab~3k%2Ff9" in render_text(RICH)


def test_four_numbers_say_what_they_are_of_and_how_they_changed() -> None:
    html, text = both(RICH)
    assert "Средняя оценка 74 из 100, по 74 отчётам ▼3 к 21.11 ▲1 к воскресеньям Плохие чаты 12 % 9 из 74 с оценкой ниже 50" in html
    assert "ниже 50 ▼8 п. п. к 21.11 ▲2 п. п. к воскресеньям Первый ответ 12 мин медиана по 70 отчётам ▲1 мин к 21.11" in html
    assert "p90: 3 ч 10 мин (9 из 10 быстрее) ▼10 мин к 21.11 ▼10 мин к воскресеньям" in html
    assert "Ждут ответа 4 дольше всех: 5 часов ▼2 к 21.11 ±0 к воскресеньям" in html
    assert "Средняя оценка: 74 (из 100, по 74 отчётам); ▼3 к 21.11, ▲1 к воскресеньям Плохие чаты: 12 % (9 из 74" in text
    for shown in (html, text):
        assert "Изменения: к 21.11 (45 отчётов), к воскресеньям 01.11, 08.11, 15.11 (190 отчётов)." in shown
        assert "другая модель" not in shown
    assert "медиана по 70 отчётам, рабочее время ▲1" in both(changed(RICH, working_time=True))[0]
    assert "по 1 отчёту, мало данных" in both(changed(RICH, reports=1, bad_reports=0))[1]


def test_a_better_number_is_blue_and_a_worse_one_is_red() -> None:
    assert re.findall(r'class="(\w+)"[^>]*>(▼3|▲1|▼8|▲2|▼2|±0)[\s\xa0]', render_html(RICH)) == [
        *(("bad", "▼3"), ("good", "▲1"), ("good", "▼8"), ("bad", "▲2")),
        *(("bad", "▲1"), ("bad", "▲1"), ("good", "▼2"), ("soft", "±0")),
    ]


def test_scores_of_another_model_or_rubric_are_not_compared() -> None:
    """What does not depend on who grades is."""
    for shown in both(changed(RICH, day_before=OTHER_YARDSTICK)):
        assert "▼3" not in shown
        assert "▼8" not in shown
        assert re.search("▲1 к воскресеньям .*▲1 мин к 21.11", shown)
        assert "Оценки к 21.11 не сравниваются: другая модель или рубрика." in shown


def test_a_mean_over_several_yardsticks_says_so() -> None:
    flash = Series(model="flash", prompt_version="r7", reports=40, mean_score=78.2, bad_reports=1)
    pro = Series(model="pro", prompt_version="r7", reports=34, mean_score=69.7, bad_reports=8)
    for shown in both(changed(RICH, series=(flash, pro))):
        words = "flash с рубрикой r7 – средняя 78 по 40 отчётам; pro с рубрикой r7 – средняя 70 по 34 отчётам."
        assert f"В средних смешаны разные модели или рубрики: {words}" in shown
    assert all("смешаны" not in shown for shown in both(changed(RICH, series=(flash,))))


def test_reports_of_other_chats_than_the_periods_are_told_apart() -> None:
    def said(reports: int, *numbers: int) -> str:
        carried = CarriedReports(**dict(zip(CarriedReports.model_fields, numbers, strict=True)))
        html, text = both(changed(RICH, reports=reports, bad_reports=0, carried=carried))
        found = re.search("Отчётов в письме.*?(?= Средняя)", text)
        assert found
        assert found[0] in html
        return found[0]

    assert said(74, 74, 0, 0, 0) == "Отчётов в письме: 74"
    assert said(52, 47, 0, 5, 0) == "Отчётов в письме 52: 47 по чатам этого периода и 5 по более ранним"
    again = "(из них 2 – по чатам, оценённым дважды или снова ждущим)"
    assert said(54, 47, 2, 5, 0) == f"Отчётов в письме 54: 49 по чатам этого периода {again} и 5 по более ранним"
    assert said(20, 20, 0, 0, 54) == "Отчётов в письме: 20; отчёты ещё 54 оценённых чатов ушли в прежних письмах"


def test_fourteen_days_are_bars_with_numbers_and_marks() -> None:
    gap = MailedDay(day=SATURDAY, reports=0, mean_score=None)
    days = (*COURSE[:10], COURSE[10].model_copy(update={"new_series": True}), COURSE[11].model_copy(update={"new_build": True}), gap, TODAY)
    html = render_html(changed(RICH, days=days))
    assert [int(height) for height in re.findall(r'<td height="(\d+)" bgcolor', html)] == [*(round(0.72 * (60 + n)) for n in range(12)), 53]
    html, text = both(changed(RICH, days=days))
    assert "67 68 69 ◆ 70 ◇ 71 – 74 пн 09 вт 10" in html
    assert "вс 15: 66 пн 16: 67 вт 17: 68 ср 18: 69 чт 19: 70 ◆ пт 20: 71 ◇ сб 21: – вс 22: 74" in text
    for shown in (html, text):
        assert "◆ другая модель или рубрика: оценки до и после не сравнить · ◇ другая сборка той же модели" in shown


def test_figures_of_an_older_version_still_make_a_mail() -> None:
    old = {name: value for name, value in OLD.model_dump(mode="json").items() if name in {*DAY, *PERIOD, *NOTHING, *ZEROS, *LISTS, *WHOSE}}
    for entry in old["worst"]:
        entry.pop("quote_side")
    for shown in both(DigestFigures.model_validate(old)):
        assert "Средняя оценка" in shown
        assert "Изменения" not in shown
        assert "по дням" not in shown.lower()
        assert "None" not in shown


def test_period_is_exact_to_the_second_and_over_a_change_of_clocks() -> None:
    start = datetime(2026, 10, 24, 18, 0, 7, tzinfo=UTC)
    for shown in both(changed(RICH, timezone="Europe/Berlin", period_start=start, period_end=start + timedelta(days=1))):
        assert "с 24.10.2026 20:00:07 до 25.10.2026 19:00:07, Europe/Berlin (UTC+02:00, затем UTC+01:00)" in shown


def test_late_mail_names_each_day_it_covers() -> None:
    for last, words in (
        (date(2026, 11, 22), "20–22 ноября 2026 Одно письмо за дни: 20.11, 21.11, 22.11 "),
        (date(2026, 12, 1), "29 ноября – 1 декабря 2026 Одно письмо за дни: 29.11, 30.11, 01.12 "),
        (date(2027, 1, 1), "30 декабря 2026 – 1 января 2027 Одно письмо за дни: 30.12, 31.12, 01.01 "),
    ):
        days = tuple(last - timedelta(days=ago) for ago in (2, 1, 0))
        assert all(words in shown for shown in both(changed(RICH, day=last, covered_days=days)))


def test_bars_are_cells_with_numbers_beside_and_few_reports_get_none() -> None:
    enough, few = changed(RICH, criteria=(SHARE,)), changed(RICH, criteria=(OBJECTIONS,))
    assert re.findall(r'<td width="(\d+)%" height="10" bgcolor="#[0-9a-f]{6}"', render_html(enough)) == ["81", "14", "5"]
    assert not re.search(r'<td width="\d+%" height="10"', render_html(few))
    for shown in both(enough):
        assert re.search("Тональность:? 81 % высоких, n = 74 .*Высокая 60 .*Средняя 10 .*Низкая 4", shown)
        assert "не применимо" not in shown
    for shown in both(few):
        assert re.search("возражениями:? мало данных, n = 4 .*Высокая 2 .*не применимо: 70 \\(95 %\\)", shown)
        assert "% высоких" not in shown
    nobody = CriterionShare(label="Ясность", high=0, medium=0, low=0, absent=74)
    assert all("нет данных" in shown for shown in both(changed(RICH, criteria=(nobody,))))


def test_waiting_is_said_in_words() -> None:
    for hours, words in {-3: "меньше часа", 0.9: "меньше часа", 1: "1 час", 5.9: "5 часов", 24: "1 день", 49: "2 дня 1 час"}.items():
        buyer = BUYER.model_copy(update={"since": END - timedelta(hours=hours)})
        for shown in both(changed(RICH, waiting_buyers=(buyer,))):
            assert re.search(rf"Ольга · ждёт {words} ?, с \d\d\.11 \d\d:\d\d", shown)
            assert f"дольше всех: {words}" in shown


def test_longer_lists_say_how_many_are_left_out() -> None:
    for shown in both(CROWD):
        assert "и ещё 1 408" in shown
        assert re.search("не удалось оценить: 132 гараж модель не ответила. .*и ещё 122", shown.lower())


def test_trouble_stands_in_a_banner() -> None:
    for shown in both(TROUBLE):
        assert re.search("не всё получилось .*тариф не оплачен. .*исчерпан. .*не дошли: boss@example.ru", shown.lower())
    assert "не дошли: boss@example.ru" in both(changed(RICH, failed_addresses=(BOSS,)))[0]


def test_gaps_are_said_or_leave_no_trace() -> None:
    bare = WORST.model_copy(update={"quote": None, "advice": None})
    for shown in both(changed(RICH, worst=(bare,), best=(), cost_usd=None, synced_at=None)):
        assert not re.search("«|Совет|None", shown)
        assert "стоимость: неизвестна" in shown
        assert "Последняя синхронизация: ещё не было" in shown


def test_empty_day_is_a_few_calm_lines_with_trouble_and_buyers_if_any() -> None:
    assert flat(render_text(EMPTY)).endswith("Новых отчётов нет. Чатов: 0 = оценено 0 + пропущено 0 + с ошибкой 0 + ждут 0")
    assert len([line for line in render_text(EMPTY).splitlines() if line]) == 7
    assert render_text(changed(EMPTY, **COMPARED)) == render_text(EMPTY), "nothing to compare"
    assert "<h2" not in tags(render_html(EMPTY))
    for shown in both(changed(EMPTY, problems=("Авито не отвечал.",), waiting_buyers=(BUYER,), waiting_buyers_total=1)):
        assert re.search("Авито не отвечал. .*Новых отчётов нет. .*Kia Rio .*Ольга", shown)


def test_page_is_what_mail_clients_draw() -> None:
    html = render_html(TROUBLE)
    assert html.startswith('<!DOCTYPE html>\n<html lang="ru">')
    assert '<meta name="color-scheme" content="light dark">' in html
    assert not re.search(r"<svg|<img|<script|<link|data:|url\(|@import|rgb", html, re.IGNORECASE)
    assert all(url.startswith(AVITO) for url in re.findall(r"\w+://[^\s\"'<]*", html))
    assert set(re.findall(r'([\w-]+)="[^"]*//', html)) == {"href"}
    opened = Counter(tag for tag in re.findall(r"<(\w+)", html) if tag not in {"meta", "br"})
    assert opened == Counter(re.findall(r"</(\w+)", html))


def test_hidden_first_line_adds_to_the_subject() -> None:
    said = ("Плохих чатов: 9 из 74. Дольше всех ждут ответа: 5 часов.", "Не всё получилось: Авито: тариф не оплачен.", "Новых отчётов нет.")
    for figures, line in zip((RICH, TROUBLE, EMPTY), said, strict=True):
        assert re.search(f"<div style=.display:none[^>]*>{line}</div>", flat(render_html(figures)))


@pytest.mark.parametrize("letter", ["'", "<", "🙂", "ж"])
def test_size_is_bounded_whatever_the_texts(letter: str) -> None:
    long = letter * 5_000
    texts = dict.fromkeys(("chat_title", "client_name", "quote", "advice", "criterion", "reason"), long)
    texts["chat_id"] = "u2i-0582e17b467~56c31ded9f0" * 2
    lists = {
        name: tuple(entry.model_copy(update={key: texts[key] for key in texts.keys() & dict(entry)}) for entry in getattr(CROWD, name))
        for name in ("worst", "best", "waiting_buyers", "failed_chats")
    }
    many: dict[str, Any] = dict.fromkeys(("accounts", "problems", "failed_addresses", "models", "prompt_versions"), (long,) * 50)
    days = tuple(date(2026, 1, 1) + timedelta(days=ahead) for ahead in range(300))
    many["series"] = (Series(model=long, prompt_version=long, reports=8_123, mean_score=50, bad_reports=8_123),) * 50
    course = tuple(MailedDay(day=day, reports=8_123, mean_score=100, new_series=True) for day in days[:14])
    assert len(render_html(changed(CROWD, covered_days=days, **lists, **many, days=course)).encode()) <= 60_000


def test_hostile_text_is_shown_and_does_nothing() -> None:
    text = '<script>1</script>"><img src=http://evil/x>{{ 7 * 7 }}</table>\r\nBcc: spy@evil\u202e\u2028\ud800\x00\x1b[31m'
    figures = worded(text)
    assert not re.search("[\u202e\u2028\ud800\x00\x1b\r]", render_html(figures) + render_text(figures))
    assert all('<script>1</script>"><img src=http://evil/x>{{ 7 * 7 }}</table> Bcc: spy@evil' in shown for shown in both(figures))
    assert parsed(compose(figures, sender=SENDER, now=END)).keys() == parsed(compose(RICH, sender=SENDER, now=END)).keys()


@given(st.text(max_size=400))
@settings(max_examples=40, deadline=None)
def test_no_text_changes_the_structure_of_either_part(text: str) -> None:
    plain, strange = worded("Текст"), worded(f"Ж{text}")
    assert tags(render_html(strange)) == tags(render_html(plain))
    assert len(render_text(strange).splitlines()) == len(render_text(plain).splitlines())


def test_texts_are_cut_and_nameless_chats_get_a_name_to_click() -> None:
    for shown in both(worded("т" * 301)):
        assert re.search(" т{69}….*«т{159}…».*Совет: т{239}…", shown)
    for shown in both(worded("\u200b \x00")):
        assert "Чат без объявления" in shown
        assert "Клиент · ждёт" in shown


def test_stored_mail_has_two_parts_and_no_recipient() -> None:
    mail = parsed(compose(RICH, sender=SENDER, now=END))
    assert mail["Subject"] == subject(RICH)
    assert mail["From"].addresses[0].addr_spec == mail["Reply-To"].addresses[0].addr_spec == SENDER
    assert mail["Date"] == "Sun, 22 Nov 2026 20:00:00 +0300"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert set(mail) == {"Subject", "From", "Reply-To", "Date", "Auto-Submitted", "MIME-Version", "Content-Type"}
    assert mail.get_content_type() == "multipart/alternative"
    parts = [(part.get_content_type(), part["Content-Transfer-Encoding"], part.get_content_charset()) for part in mail.iter_parts()]
    assert parts == [("text/plain", "base64", "utf-8"), ("text/html", "base64", "utf-8")]
    texts = [part.get_content().splitlines() for part in mail.iter_parts() if isinstance(part, EmailMessage)]
    assert texts == [render_text(RICH).splitlines(), render_html(RICH).splitlines()]


def test_a_sheet_goes_with_the_two_parts() -> None:
    sheet = Attachment(bytes(range(256)) * 40, "avito-chats-2026-11-22.xlsx")
    mail = parsed(compose(RICH, sender=SENDER, now=END, attachment=sheet))
    assert mail.get_content_type() == "multipart/mixed"
    texts, attached = (part for part in mail.iter_parts() if isinstance(part, EmailMessage))
    assert [part.get_content_type() for part in texts.iter_parts()] == ["text/plain", "text/html"]
    assert (attached.get_filename(), attached.get_content_disposition()) == (sheet.filename, "attachment")
    assert attached.get_content_type() == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert attached.get_content() == sheet.content
    assert compose(RICH, sender=SENDER, now=END, attachment=sheet) == compose(RICH, sender=SENDER, now=END, attachment=sheet)


def test_stored_mail_is_fit_for_the_wire() -> None:
    mime = compose(CROWD, sender=SENDER, now=END, attachment=Attachment(bytes(range(256)) * 40, "sheet.xlsx"))
    assert mime.isascii()
    assert mime.count(b"\n") == mime.count(b"\r\n") == mime.count(b"\r")
    assert max(len(line) for line in mime.split(b"\r\n")) <= 79  # the sheet's content type has no place to fold at


def test_sender_has_a_name_and_an_ascii_domain() -> None:
    for sender, name, spec in (
        (SENDER, "Авито-чаты", SENDER),
        (f"Отчёты <{SENDER}>", "Отчёты", SENDER),
        ("reports@пример.рф", "Авито-чаты", "reports@xn--e1afmkfd.xn--p1ai"),
    ):
        origin = parsed(compose(RICH, sender=sender, now=END))["From"].addresses[0]
        assert (origin.display_name, origin.addr_spec) == (name, spec)
        assert message_id(7, BOSS, sender, END).endswith(f"@{origin.domain}>")


def test_address_puts_two_headers_in_front_of_the_stored_bytes() -> None:
    mime, identity = compose(RICH, sender=SENDER, now=END), message_id(7, BOSS, SENDER, END)
    addressed = address(mime, recipient=BOSS, message_id=identity)
    assert addressed == f"To: {BOSS}\r\nMessage-ID: {identity}\r\n".encode() + mime
    assert addressed == address(mime, recipient=BOSS, message_id=identity)
    mail = parsed(addressed)
    assert (mail["To"], mail["Message-ID"], mail["Subject"]) == (BOSS, identity, subject(RICH))
    spy = f"{BOSS}\r\nBcc: spy@evil.example"
    assert "Bcc" not in parsed(address(compose(RICH, sender=spy, now=END), recipient=spy, message_id=identity + spy))


def test_message_id_is_stable_unique_and_discreet() -> None:
    identity = message_id(7, BOSS, SENDER, END)
    assert identity == message_id(7, BOSS, SENDER, END)
    assert re.fullmatch(r"<digest-7\.[0-9a-f]{32}@example\.ru>", identity)
    assert (
        len(
            {
                message_id(digest, who, SENDER, now)
                for digest in (7, 8)
                for who in (BOSS, "chief@example.ru")
                for now in (END, END - timedelta(days=1))
            }
        )
        == 8
    )
