"""Copies of the domain's values where code cannot import them: REST literals and the page's
JavaScript.
"""

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

import app
from app.api.v1.chat_schemas import ChatRead, MessageRead
from app.api.v1.label_schemas import LabelMessage
from app.api.v1.report_query import ReportQuery
from app.api.v1.report_schemas import ReportDetail
from app.api.v1.schemas import DeliveryRead, GradeWord, ObjectionGradeWord, RunRead
from app.domain.author_kinds import AuthorKind
from app.domain.criteria import Criterion
from app.domain.grades import Grade
from app.domain.messages import Side
from app.domain.outcomes import Outcome
from app.domain.substitutes import Substitute
from app.domain.thresholds import BAD_BELOW, ENOUGH_REPORTS
from app.domain.waiting import WAITING_FOR_AT_MOST
from app.models import DeliveryState, ReportKind, RunKind, RunState
from app.repositories.report_order import ReportSort

PAGE = Path(app.__file__).parent / "templates" / "page"


def test_rest_and_the_page_have_the_orders_of_reports() -> None:
    sort = ReportQuery.__annotations__["sort"]
    words = [value for part in get_args(get_args(sort)[0]) for value in get_args(part)]
    assert words == list(ReportSort)
    orders = re.search(r"ORDERS = \{ '': '[^']+', (.*?) \};", read_page("reports.js"))
    assert orders
    assert re.findall(r"'?([-\w]+)'?: '", orders[1]) == words


def test_rest_has_the_words_of_the_grades() -> None:
    assert get_args(ObjectionGradeWord.__value__) == tuple(Grade)
    assert get_args(GradeWord.__value__) == tuple(g for g in Grade if g is not Grade.NONE)


@pytest.mark.parametrize(
    ("schema", "field", "words"),
    [
        (ChatRead, "outcome", Outcome),
        (ReportDetail, "kind", ReportKind),
        (DeliveryRead, "state", DeliveryState),
        (RunRead, "kind", RunKind),
        (RunRead, "state", RunState),
    ],
)
def test_rest_has_the_words_of_an_enum(
    schema: type[BaseModel], field: str, words: type[StrEnum]
) -> None:
    document = json.dumps(schema.model_json_schema()["properties"][field])
    listed = re.search(r'"enum": (\[[^]]*\])', document)
    assert listed
    assert set(json.loads(listed[1])) == {word.value for word in words}


def test_rest_has_the_sides() -> None:
    """A stored message of a bot has the side of the company."""
    sides = [
        get_args(schema.model_fields["side"].annotation) for schema in (MessageRead, LabelMessage)
    ]
    assert set(sides[0]) == set(Side) - {Side.BOT}
    assert set(sides[1]) == set(Side) - {Side.SYSTEM}


def test_the_page_has_the_sides() -> None:
    listed = re.search(r"SIDES = \{(.*?)\}", read_page("bubbles.js"))
    assert listed
    assert set(re.findall(r"(\w+):", listed[1])) == set(Side)
    assert f"author_kind === '{AuthorKind.BOT}'" in read_page("bubbles.js")
    assert all(f"{word}: ' Ответил" in read_page("chat.js") for word in Substitute)


def read_page(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")


def read_list(name: str, constant: str) -> Any:
    found = re.search(rf"{constant} = (\[.*?\]);", read_page(name))
    assert found
    return json.loads(found[1].replace("'", '"'))


def test_the_page_has_the_grades() -> None:
    assert [*read_list("words.js", "GRADES"), Grade.NONE] == list(Grade)
    assert f"NO_OBJECTION = '{Grade.NONE}'" in read_page("words.js")


def test_the_page_has_the_criteria() -> None:
    labels = dict(re.findall(r"^  (\w+_grade): '(.+)',$", read_page("words.js"), re.MULTILINE))
    assert list(labels.items()) == [(name.column, name.label) for name in Criterion]


def test_the_page_has_the_thresholds() -> None:
    assert f"'Оценка ниже {BAD_BELOW}'" in read_page("summary.js")
    assert f"BAD_BELOW = {BAD_BELOW};" in read_page("words.js")
    assert f"ENOUGH = {ENOUGH_REPORTS};" in read_page("words.js")
    assert f"больше {WAITING_FOR_AT_MOST.days} дней назад" in read_page("chat.js")
