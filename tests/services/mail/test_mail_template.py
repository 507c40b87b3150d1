"""Contents of the mail about a date, in both of its parts."""

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from app.services.digests.figures import (
    CarriedReports,
    CorrectedShare,
    Coverage,
    DigestFigures,
)
from app.services.mail.mime import make_subject, render_html, render_text
from tests.support.mail_pages import (
    AVITO,
    BEST,
    BOSS,
    BUYER,
    COMPARED,
    CROWD,
    EMPTY,
    END,
    FAILED,
    LISTING,
    OLD,
    OLD_FIELDS,
    OTHER_YARDSTICK,
    RICH,
    SOME,
    TROUBLE,
    WORST,
    both,
    changed,
    flat,
    tags,
)


def test_corrected_share_is_shown_with_its_interval_and_its_basis() -> None:
    corrected = CorrectedShare(share=0.184, low=0.0946, high=0.3051, labels=42)
    for shown, without in zip(
        both(changed(RICH, bad_share_corrected=corrected)), both(RICH), strict=True
    ):
        assert "с поправкой: 18 % (9–31 %)" in shown
        assert "её 95-процентный интервал: по 42 оценкам людей вслепую" in shown
        assert "поправк" not in without


def test_subject_summarizes_the_date() -> None:
    late = (date(2026, 11, 20), date(2026, 11, 22))
    expectations: dict[str, dict[str, Any]] = {
        "22.11: 74 (▼3) · 97 чатов · 4 ждут ответа": {},
        "22.11: 78 (▲1) · 97 чатов · 1 ждёт ответа": {
            "waiting_buyers": (BUYER,),
            "mean_score": 77.5,
        },
        "22.11: 77 (±0) · 97 чатов · никто не ждёт ответа": {
            "waiting_buyers": (),
            "mean_score": 76.9,
        },
        "20.11–22.11: 74 (▼3) · 97 чатов · 4 ждут ответа · не всё получилось": {
            "covered_days": late,
            "problems": ("!",),
        },
        "22.11: 74 · 97 чатов · 4 ждут ответа": {"day_before": OTHER_YARDSTICK},
        "22.11: 74 · 97 чатов · 5 ждут ответа": {
            "day_before": None,
            "waiting_buyers": (BUYER,) * 5,
        },
        "22.11: новых отчётов нет · 97 чатов · 4 ждут ответа": {"reports": 0, "mean_score": None},
        "22.11, повтор: 74 по 74 отчётам · 97 чатов · 4 ждут ответа": {"part": "повтор"},
        "22.11, дополнение: 74 по 3 отчётам · 4 ждут ответа": {"part": "дополнение", "reports": 3},
    }
    for expected, update in expectations.items():
        assert make_subject(changed(RICH, **update)) == f"Авито-чаты {expected}"


@pytest.mark.parametrize(
    "form",
    [
        "0 чатов",
        "1 чат",
        "2 чата",
        "4 чата",
        "5 чатов",
        "11 чатов",
        "14 чатов",
        "21 чат",
        "102 чата",
    ],
)
def test_counts_have_correct_plurals(form: str) -> None:
    coverage = Coverage(graded=int(form.partition(" ")[0]), skipped={}, failed=0, waiting=0)
    assert f" · {form} · " in make_subject(changed(RICH, coverage=coverage))


def test_each_chat_is_shown_with_its_account_if_there_are_several() -> None:
    """A chat on Avito opens only in the account that it belongs to."""
    named = {"account": "Розница"}
    chats = {
        "worst": (WORST.model_copy(update=named),),
        "best": (BEST.model_copy(update=named),),
        "failed_chats": (FAILED.model_copy(update=named),),
    }
    for shown in both(changed(RICH, **chats)):
        assert shown.count("Ольга · Розница · ") == 2
        assert "Ольга · Склад · ждёт 5 часов" in shown
        assert "Розница · Модель не ответила." in shown
    for shown in both(changed(RICH, **chats, accounts=("Розница",))):
        assert shown.count("Розница") == 1, "in the header only"
    removed = changed(RICH, **chats, accounts=("Склад",), dropped_accounts=("Розница",))
    for shown in both(removed):
        assert shown.count("Ольга · Розница · ") == 2


def test_text_and_html_show_the_same_figures() -> None:
    for figures in (RICH, EMPTY, TROUBLE, CROWD, OLD):
        html, text = (
            Counter(re.findall(r"\d+", re.sub(r"https://\S+", "", part))) for part in both(figures)
        )
        assert html == text != Counter()


def test_both_parts_show_a_date_with_all_figures() -> None:
    for shown in both(RICH):
        assert (
            "22 ноября 2026, воскресенье Период: с 21.11.2026 20:00 до 22.11.2026 20:00,"
            " Europe/Moscow (UTC+03:00)" in shown
        )
        assert "Аккаунты: Склад, Розница Последняя синхронизация: 22.11.2026 19:58" in shown
        assert (
            "Чатов: 97 = оценено 74 + пропущено 12 (нет ответа: 8, нет текста: 4) + с ошибкой 5 +"
            " ждут 6" in shown
        )
        assert "Отчётов в письме: 74" in shown
        assert "Ольга · Завершение · отчёт № 512" in shown
        assert (
            "Продавец: «Читайте объявление» Совет к сообщению 22.11 17:00: Назвать пробег." in shown
        )
        assert re.search("(?i)Хорошие примеры Kia Rio.* 100.* «Да, 12 000 км»", shown)
        assert (
            "Модель: flash · рубрика: r7 · стоимость: 0,0412 $ · чатов с неполной историей" in shown
        )
        assert "не всё получилось" not in shown.lower()
    assert f'href="{AVITO}u2i-Ab~3k%2Ff9"' in render_html(RICH)
    assert f"{AVITO}u2i-Ab~3k%2Ff9" in render_text(RICH)


def test_reports_of_chats_outside_the_period_are_distinguished() -> None:
    def expected_text(reports: int, *numbers: int) -> str:
        carried = CarriedReports(**dict(zip(CarriedReports.model_fields, numbers, strict=True)))
        html, text = both(changed(RICH, reports=reports, bad_reports=0, carried=carried))
        found = re.search("Отчётов в письме.*?(?= Средняя)", text)
        assert found
        assert found[0] in html
        return found[0]

    assert expected_text(74, 74, 0, 0, 0) == "Отчётов в письме: 74"
    assert (
        expected_text(52, 47, 0, 5, 0)
        == "Отчётов в письме 52: 47 по чатам этого периода и 5 по более ранним"
    )
    again = "(из них 2 – по чатам, оценённым дважды или снова ждущим)"
    assert (
        expected_text(54, 47, 2, 5, 0)
        == f"Отчётов в письме 54: 49 по чатам этого периода {again} и 5 по более ранним"
    )
    assert (
        expected_text(20, 20, 0, 0, 54)
        == "Отчётов в письме: 20; отчёты ещё 54 оценённых чатов – в других письмах"
    )
    elsewhere = CarriedReports(
        of_graded_chats=0, of_same_chats=0, of_other_chats=0, graded_chats_mailed_before=121
    )
    for shown in both(changed(EMPTY, coverage=SOME, carried=elsewhere)):
        assert "Новых отчётов нет. Чатов: 97 = оценено 74" in shown
        assert "(очередь на оценку) Отчёты 121 оценённого чата – в других письмах" in shown


def test_figures_of_an_older_version_are_rendered() -> None:
    old = {name: value for name, value in OLD.model_dump(mode="json").items() if name in OLD_FIELDS}
    for entry in old["worst"]:
        entry.pop("quote_side")
    for shown in both(DigestFigures.model_validate(old)):
        assert "Средняя оценка" in shown
        assert "Изменения" not in shown
        assert "по датам" not in shown.lower()
        assert "None" not in shown


def test_lowest_chats_are_not_called_the_worst() -> None:
    """With few reports or only good ones, a chat with one low grade has another heading."""
    better = WORST.model_copy(update={"score": 50})
    for chats, title in (
        ((WORST,), "худшие чаты"),
        ((better,), "чаты с низкими оценками"),
        ((WORST, better), "чаты с низкими оценками"),
    ):
        for shown in both(changed(RICH, worst=chats)):
            assert re.findall("худшие чаты|чаты с низкими оценками", shown.lower()) == [title]


def test_listings_are_shown_with_their_mean_and_number_of_reports() -> None:
    single = LISTING.model_copy(update={"reports": 21, "mean_score": 49.5})
    html, text = both(changed(RICH, worst_listings=(LISTING, single)))
    assert (
        "Объявления с самой низкой оценкой Kia Rio 42 из 100, 12 отчётов"
        " Kia Rio 50 из 100, 21 отчёт" in html
    )
    assert (
        "ОБЪЯВЛЕНИЯ С САМОЙ НИЗКОЙ ОЦЕНКОЙ Kia Rio: 42 из 100, 12 отчётов"
        " Kia Rio: 50 из 100, 21 отчёт" in text
    )
    for shown in both(RICH):
        assert "самой низкой оценкой" not in shown.lower()


def test_period_is_exact_across_daylight_saving() -> None:
    start = datetime(2026, 10, 24, 18, 0, 7, tzinfo=UTC)
    for shown in both(
        changed(
            RICH, timezone="Europe/Berlin", period_start=start, period_end=start + timedelta(days=1)
        )
    ):
        assert (
            "с 24.10.2026 20:00:07 до 25.10.2026 19:00:07, Europe/Berlin (UTC+02:00, затем"
            " UTC+01:00)" in shown
        )


def test_late_mail_names_each_day_it_covers() -> None:
    for last, words in (
        (date(2026, 11, 22), "20–22 ноября 2026 Одно письмо за дни: 20.11, 21.11, 22.11 "),
        (date(2026, 12, 1), "29 ноября – 1 декабря 2026 Одно письмо за дни: 29.11, 30.11, 01.12 "),
        (
            date(2027, 1, 1),
            "30 декабря 2026 – 1 января 2027 Одно письмо за дни: 30.12, 31.12, 01.01 ",
        ),
    ):
        days = tuple(last - timedelta(days=ago) for ago in (2, 1, 0))
        assert all(words in shown for shown in both(changed(RICH, day=last, covered_days=days)))


def test_waiting_time_is_in_words() -> None:
    for hours, words in {
        -3: "меньше часа",
        0.9: "меньше часа",
        1: "1 час",
        5.9: "5 часов",
        24: "1 день",
        49: "2 дня 1 час",
    }.items():
        buyer = BUYER.model_copy(update={"since": END - timedelta(hours=hours)})
        for shown in both(changed(RICH, waiting_buyers=(buyer,))):
            assert re.search(rf"Ольга · Склад · ждёт {words} ?, с \d\d\.11 \d\d:\d\d", shown)
            assert f"дольше всех: {words}" in shown


def test_truncated_lists_count_the_rest() -> None:
    for shown in both(CROWD):
        assert "и ещё 1 408 – все в таблице письма, лист «Ждут ответа»" in shown
        assert re.search("(?i)не удалось оценить: 132 гараж модель не ответила", shown)
        assert "и ещё 127 – все в таблице письма, лист «Без оценки»" in shown


def test_reason_of_a_failed_chat_is_not_truncated() -> None:
    reason = (
        "Ответ модели дважды не подошёл: Ответ не по образцу: summary: нужен непустой текст на"
        " русском языке."
    )
    failed = FAILED.model_copy(update={"reason": reason})
    assert all(f"Гараж {reason}" in shown for shown in both(changed(RICH, failed_chats=(failed,))))


def test_advice_names_the_time_of_its_message_once() -> None:
    known = WORST.model_copy(update={"advice": "В сообщении от 22.11 в 17:00 назовите пробег."})
    unknown = WORST.model_copy(update={"advice_at": None})
    for shown in both(changed(RICH, worst=(known, unknown))):
        assert "Совет: В сообщении от 22.11 в 17:00" in shown
        assert "Совет: Назвать пробег." in shown


def test_chats_that_address_the_grader_are_marked() -> None:
    suspect = WORST.model_copy(update={"addressed": True})
    for shown in both(changed(RICH, worst=(suspect, WORST), addressed_reports=3)):
        assert shown.count("Переписка обращается к проверяющему") == 1
        assert "отчётов, где переписка обращается к проверяющему: 3" in shown
    assert not any("проверяющему" in shown or "цитаты" in shown for shown in both(RICH))


def test_problems_are_in_a_banner() -> None:
    for shown in both(TROUBLE):
        assert re.search(
            "не всё получилось .*тариф не оплачен. .*исчерпан. .*не дошли: boss@example.ru",
            shown.lower(),
        )
    assert "не дошли: boss@example.ru" in both(changed(RICH, failed_addresses=(BOSS,)))[0]


def test_missing_values_are_named_or_omitted() -> None:
    bare = WORST.model_copy(update={"quote": None, "advice": None})
    for shown in both(changed(RICH, worst=(bare,), best=(), cost_usd=None, synced_at=None)):
        assert not re.search("«(?!Без оценки)|Совет|None", shown)
        assert shown.count("У оценки нет подтверждающей цитаты: оцените чат сами") == 1
        assert "стоимость: неизвестна" in shown
        assert "Последняя синхронизация: ещё не было" in shown


def test_empty_date_is_short_with_problems_and_unanswered_buyers() -> None:
    assert flat(render_text(EMPTY)).endswith(
        "Новых отчётов нет. Чатов: 0 = оценено 0 + пропущено 0 + с ошибкой 0 + ждут 0"
    )
    assert len([line for line in render_text(EMPTY).splitlines() if line]) == 7
    assert render_text(changed(EMPTY, **COMPARED)) == render_text(EMPTY), "nothing to compare"
    assert "<h2" not in tags(render_html(EMPTY))
    for shown in both(changed(EMPTY, problems=("Авито не отвечал.",), waiting_buyers=(BUYER,))):
        assert re.search("Авито не отвечал. .*Новых отчётов нет. .*Kia Rio .*Ольга", shown)
