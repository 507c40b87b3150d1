"""Tiles and bars of the mail: numbers, their changes, and which numbers are not compared."""

import re

from app.services.digests.figures import (
    CriterionShare,
    FirstAnswer,
    MailedDay,
    Series,
)
from app.services.mail.mime import render_html
from tests.support.mail_pages import (
    COURSE,
    OBJECTIONS,
    OTHER_CLOCK,
    OTHER_YARDSTICK,
    RICH,
    SATURDAY,
    SHARE,
    TODAY,
    YESTERDAY,
    both,
    changed,
)


def test_tiles_have_a_label_and_a_change() -> None:
    html, text = both(RICH)
    assert (
        "Средняя оценка 74 из 100, по 74 отчётам ▼3 к 21.11 ▲1 к воскресеньям Оценка ниже 50 12 % 9"
        " из 74 отчётов" in html
    )
    assert (
        "из 74 отчётов ▼8 п. п. к 21.11 ▲2 п. п. к воскресеньям Первый ответ 12 мин медиана по 70"
        " отчётам ▲1 мин к 21.11" in html
    )
    assert "p90: 3 ч 10 мин (9 из 10 быстрее) ▼10 мин к 21.11 ▼10 мин к воскресеньям" in html
    assert "Ждут ответа 4 дольше всех: 5 часов ▼2 к 21.11 ±0 к воскресеньям" in html
    assert (
        "Средняя оценка: 74 (из 100, по 74 отчётам); ▼3 к 21.11, ▲1 к воскресеньям Оценка ниже 50:"
        " 12 % (9 из 74 отчётов);" in text
    )
    for shown in (html, text):
        assert (
            "Изменения: к 21.11 (45 отчётов), к воскресеньям 01.11, 08.11, 15.11 (190 отчётов)."
            in shown
        )
        assert "другая модель" not in shown
        assert "круглосуточно" not in shown
    for shown in both(changed(RICH, working_time=True)):
        assert "медиана по 70 отчётам, рабочее время" in shown
        assert "дольше всех: 5 часов, круглосуточно" in shown
        assert re.search(
            "(?i)ждут ответа: 4 Здесь время идёт круглосуточно, не только в рабочие часы. Kia Rio",
            shown,
        )
    assert "по 1 отчёту, мало данных" in both(changed(RICH, reports=1, bad_reports=0))[1]


def test_better_number_is_blue_and_worse_is_red() -> None:
    assert re.findall(r'class="(\w+)"[^>]*>(▼3|▲1|▼8|▲2|▼2|±0)[\s\xa0]', render_html(RICH)) == [
        *(("bad", "▼3"), ("good", "▲1"), ("good", "▼8"), ("bad", "▲2")),
        *(("bad", "▲1"), ("bad", "▲1"), ("good", "▼2"), ("soft", "±0")),
    ]


def test_scores_of_another_series_are_not_compared() -> None:
    """Figures that do not depend on the model are compared."""
    for shown in both(changed(RICH, day_before=OTHER_YARDSTICK)):
        assert "▼3" not in shown
        assert "▼8" not in shown
        assert re.search("▲1 к воскресеньям .*▲1 мин к 21.11", shown)
        assert "Оценки к 21.11 не сравниваются: другая модель или рубрика." in shown


def test_answer_times_with_other_working_hours_are_not_compared() -> None:
    for hours, how in ((True, "круглосуточно"), (False, "в рабочих часах")):
        for shown in both(changed(RICH, day_before=OTHER_CLOCK, working_time=hours)):
            assert not re.search("мин к 21.11", shown)
            assert re.search(
                "▼3 к 21.11.*▲1 мин к воскресеньям.*▼10 мин к воскресеньям.*▼2 к 21.11", shown
            )
            assert f"Первый ответ к 21.11 не сравнивается: тогда он считался {how}." in shown


def test_mean_over_several_series_is_labelled() -> None:
    flash = Series(model="flash", prompt_version="r7", reports=40, mean_score=78.2, bad_reports=1)
    pro = Series(model="pro", prompt_version="r7", reports=34, mean_score=69.7, bad_reports=8)
    for shown in both(changed(RICH, series=(flash, pro))):
        words = (
            "flash с рубрикой r7 – средняя 78 по 40 отчётам; pro с рубрикой r7 – средняя 70 по 34"
            " отчётам."
        )
        assert f"В средних смешаны разные модели или рубрики: {words}" in shown
    assert all("смешаны" not in shown for shown in both(changed(RICH, series=(flash,))))


def test_fourteen_dates_are_bars_with_numbers() -> None:
    gap = MailedDay(day=SATURDAY, reports=0, mean_score=None)
    days = (
        *COURSE[:10],
        COURSE[10].model_copy(update={"new_series": True}),
        COURSE[11].model_copy(update={"new_build": True}),
        gap,
        TODAY,
    )
    html = render_html(changed(RICH, days=days))
    assert [int(height) for height in re.findall(r'<td height="(\d+)" bgcolor', html)] == [
        *(round(0.72 * (60 + n)) for n in range(12)),
        53,
    ]
    html, text = both(changed(RICH, days=days))
    assert "67 68 69 ◆ 70 ◇ 71 – 74 пн 09 вт 10" in html
    assert (
        "вс 15: 66 пн 16: 67 вт 17: 68 ср 18: 69 чт 19: 70 ◆ пт 20: 71 ◇ сб 21: – вс 22: 74" in text
    )
    for shown in (html, text):
        assert "средняя оценка по датам писем" in shown.lower()
        assert (
            "◆ другая модель или рубрика: оценки до и после не сравнить · ◇ другая сборка той же"
            " модели" in shown
        )


def test_bars_are_table_cells_and_omitted_for_few_reports() -> None:
    enough, few = changed(RICH, criteria=(SHARE,)), changed(RICH, criteria=(OBJECTIONS,))
    assert re.findall(
        r'<td width="(\d+)%" height="10" bgcolor="#[0-9a-f]{6}"', render_html(enough)
    ) == ["81", "14", "5"]
    assert not re.search(r'<td width="\d+%" height="10"', render_html(few))
    for shown in both(enough):
        assert re.search(
            "Тональность:? 81 % высоких, n = 74 .*Высокая 60 .*Средняя 10 .*Низкая 4", shown
        )
        assert "не применимо" not in shown
    for shown in both(few):
        assert re.search(
            "возражениями:? мало данных, n = 4 .*Высокая 2 .*не применимо: 70 \\(95 %\\)", shown
        )
        assert "% высоких" not in shown
    nobody = CriterionShare(label="Ясность", high=0, medium=0, low=0, absent=74)
    assert all("нет данных" in shown for shown in both(changed(RICH, criteria=(nobody,))))


def test_date_without_reports_compares_unanswered_buyers() -> None:
    nothing = YESTERDAY.model_copy(
        update={"reports": 0, "mean_score": None, "bad_reports": 0, "first_answer": FirstAnswer()}
    )
    for shown in both(changed(RICH, day_before=nothing)):
        assert re.findall("[▲▼±]\\S+(?: мин| п. п.)? к 21.11", shown) == ["▼2 к 21.11"]
        assert (
            "Изменения: к 21.11 (отчётов не было, сравниваются только ждущие), к воскресеньям"
            in shown
        )
