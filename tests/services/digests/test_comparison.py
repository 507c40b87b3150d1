"""Comparison of a date with earlier dates.

It uses what their pages show, and only values that were measured alike.
"""

from app.russian_text import number
from tests.support.digests import mail_day, summary
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage, on_stage


async def test_working_hours_are_named_if_configured(stage: Stage, database_url: str) -> None:
    await mail_day(stage, GOOD_TALK)
    assert "рабочее время" not in stage.last_mail()
    async with (
        stage.resting(),
        on_stage(
            database_url, stage.sandbox, stage.clock, working_hours="Пн-Вс 00:00-24:00"
        ) as office,
    ):
        await office.mail(resend=True)
        assert "рабочее время" not in office.last_mail(), (
            "the times that it repeats were counted round the clock"
        )
        before = (await mail_day(office, GOOD_TALK, days_ago=-1))["day_before"]
        assert (before["same_hours"], before["same_series"]) == (False, True)
        assert "не сравнивается: тогда он считался круглосуточно." in office.last_mail()
        assert "медиана по 1 отчёту, рабочее время" in office.last_mail().replace("\u00a0", " ")
        assert (await mail_day(office, GOOD_TALK, days_ago=-2))["day_before"]["same_hours"] is True


async def test_date_is_compared_with_the_day_before_and_equal_weekdays(stage: Stage) -> None:
    assert (await mail_day(stage, BAD_TALK, days_ago=14))["day_before"] is None
    await mail_day(stage, BAD_TALK, GOOD_TALK, days_ago=7)
    before = await mail_day(stage, GOOD_TALK, GOOD_TALK, BAD_TALK, days_ago=1)
    today = await mail_day(stage, GOOD_TALK, BAD_TALK)
    yesterday, weeks = today["day_before"], today["same_weekdays"]
    for name in ("reports", "mean_score", "bad_reports", "first_answer"):
        assert yesterday[name] == before[name], name
    assert yesterday["waiting_buyers"] == len(before["waiting_buyers"])
    assert weeks["reports"] == 3
    assert weeks["days"] == ["2026-03-01", "2026-03-08"]
    assert weeks["same_series"] is yesterday["same_series"] is True
    lost = int(before["mean_score"] + 0.5) - int(today["mean_score"] + 0.5)
    assert lost > 0
    (digest, *_) = await stage.rows("SELECT subject FROM digests ORDER BY id DESC")
    assert f": {number(today['mean_score'])} (▼{lost}) · " in digest["subject"]
    assert [day["reports"] for day in today["days"]] == [0] * 6 + [2, *[0] * 5, 3, 2]
    bars = [day for day in today["days"] if day["reports"]]
    assert [round(bar["mean_score"], 2) for bar in bars] == [
        (await summary(stage, mail=bar["day"]))["mean_score"] for bar in bars
    ]
    assert not any(day["new_series"] or day["new_build"] for day in today["days"])


async def test_date_is_compared_with_the_pages_of_earlier_dates(stage: Stage) -> None:
    """A supplement changes the values of its date, unanswered buyers included."""
    waits = (("client", "Ещё продаёте?"),)
    await mail_day(stage, GOOD_TALK, waits, days_ago=1)
    await stage.change("UPDATE digests SET kind = 'daily'")
    await mail_day(stage, BAD_TALK, waits, waits, days_ago=1)
    page = (await stage.rest.get("/api/v1/reports/daily/2026-03-14")).text
    assert "Ждут ответа: 4" in page
    before = (await mail_day(stage, GOOD_TALK))["day_before"]
    assert (before["reports"], before["waiting_buyers"]) == (2, 4)


async def test_other_series_is_marked_and_not_compared(stage: Stage) -> None:
    await mail_day(stage, GOOD_TALK, days_ago=3)
    await stage.change("UPDATE reports SET model = 'older', fingerprint = 'fp_old'")
    await mail_day(stage, GOOD_TALK, days_ago=2)
    await stage.change("UPDATE reports SET fingerprint = 'fp_other' WHERE model <> 'older'")
    await mail_day(stage, GOOD_TALK, days_ago=1)
    await stage.change("UPDATE reports SET prompt_version = 'older' WHERE digest_id = 3")
    today = await mail_day(stage, BAD_TALK)
    marks = [(day["new_series"], day["new_build"]) for day in today["days"][-4:]]
    assert marks == [(False, False), (True, True), (True, True), (True, False)]
    assert today["day_before"]["same_series"] is False
    assert (
        "(▼" not in (await stage.rows("SELECT subject FROM digests ORDER BY id DESC"))[0]["subject"]
    )
    assert "не сравниваются: другая модель или рубрика" in stage.last_mail()
