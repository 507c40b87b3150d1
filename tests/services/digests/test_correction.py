"""The share of bad reports corrected by blind labels, in the mail and in the summary."""

from typing import Any

import pytest

from tests.support.digests import figures, summary
from tests.support.labels import (
    HIGH,
    LOW,
    add_weeks,
    fetch_sample,
    label_weeks,
    put_label,
    withdraw_review,
)
from tests.support.stage import Stage

ALL = {"start_date": "2020-01-01", "end_date": "2099-12-31"}


async def mail_with_labels(stage: Stage, *, weeks: int, bad_each: int) -> dict[str, Any]:
    """Add and label reports, mail all of them, and return the mail's figures."""
    await add_weeks(stage, weeks=weeks, reports=12)
    await label_weeks(stage, weeks=weeks, bad_each=bad_each)
    await stage.mail()
    return await figures(stage)


async def test_the_mail_and_the_summary_show_the_same_corrected_share(stage: Stage) -> None:
    mailed = await mail_with_labels(stage, weeks=3, bad_each=2)
    corrected = mailed["bad_share_corrected"]
    assert (mailed["bad_reports"], corrected["labels"]) == (0, 30)
    assert corrected["share"] == pytest.approx(6 / 30)
    assert 0.01 < corrected["low"] < 0.1
    assert 0.35 < corrected["high"] < 0.5
    mail = stage.last_mail()
    low, high = (round(100 * corrected[end]) for end in ("low", "high"))
    assert f"с поправкой: 20\xa0% ({low}–{high}\xa0%)" in mail
    assert "по 30 оценкам людей вслепую" in mail
    rounded = {name: round(value, 4) for name, value in corrected.items()}
    (day,) = [row["day"] for row in await stage.rows("SELECT day FROM digests")]
    found = await summary(stage, mail=day.isoformat())
    assert found["bad_share_corrected"] == rounded
    number = (await fetch_sample(stage))["chats"][0]["report_id"]
    stage.clock.move(hours=1)
    await put_label(stage, number, HIGH)
    assert (await summary(stage, mail=day.isoformat()))["bad_share_corrected"] == rounded, (
        "a later label does not change the figures of an earlier mail"
    )
    assert (await summary(stage, **ALL))["bad_share_corrected"]["share"] == round(5 / 30, 4)
    assert (await summary(stage, **ALL, grades="reviewed"))["bad_share_corrected"] is None
    assert (await summary(stage, **ALL, account="Чужой"))["bad_share_corrected"] is None


async def test_a_withdrawn_label_corrects_no_later_figures(stage: Stage) -> None:
    """The summary of a mail stays what the mail has shown."""
    mailed = (await mail_with_labels(stage, weeks=4, bad_each=10))["bad_share_corrected"]
    assert (mailed["labels"], mailed["share"]) == (40, 1)
    (day,) = [row["day"] for row in await stage.rows("SELECT day FROM digests")]
    stage.clock.move(hours=1)
    numbers = [chat["report_id"] for chat in (await fetch_sample(stage))["chats"]]
    for number in numbers[:3]:
        await withdraw_review(stage, number)
    found = (await summary(stage, mail=day.isoformat()))["bad_share_corrected"]
    assert found == {name: round(value, 4) for name, value in mailed.items()}
    assert (await summary(stage, **ALL))["bad_share_corrected"]["labels"] == 37
    await put_label(stage, numbers[0], HIGH)
    given_again = (await summary(stage, **ALL))["bad_share_corrected"]
    assert (given_again["labels"], given_again["share"]) == (38, round(37 / 38, 4))


async def test_fewer_than_thirty_labels_correct_nothing(stage: Stage) -> None:
    mailed = await mail_with_labels(stage, weeks=2, bad_each=5)
    assert mailed["bad_share_corrected"] is None
    assert "с поправкой" not in stage.last_mail()
    assert (await summary(stage, **ALL))["bad_share_corrected"] is None


async def test_chosen_corrections_are_not_counted(stage: Stage) -> None:
    await add_weeks(stage, weeks=1, reports=40)
    for row in await stage.rows("SELECT id FROM reports"):
        path = f"/api/v1/reports/{row['id']}/review"
        assert (await stage.rest.put(path, json={"grades": LOW})).status_code == 200
    await stage.mail()
    assert (await figures(stage))["bad_share_corrected"] is None


async def test_labels_of_another_model_are_not_counted(stage: Stage) -> None:
    await add_weeks(stage, weeks=3, reports=12)
    await label_weeks(stage, weeks=3, bad_each=1)
    assert (await summary(stage, **ALL))["bad_share_corrected"]["labels"] == 30
    await stage.change("UPDATE reports SET model = 'other' WHERE id = 1001")
    assert (await summary(stage, **ALL))["bad_share_corrected"] is None, "several series"
    await stage.change("UPDATE reports SET model = 'other' WHERE id > 1")
    await stage.change("UPDATE reports SET created_at = '2026-01-01' WHERE id = 1")
    alone = {"start_date": "2026-01-01", "end_date": "2026-01-01"}
    assert (await summary(stage, **alone))["bad_share_corrected"] is None
