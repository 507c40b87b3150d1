"""The setting DEEPSEEK_RESPONSE_FORMAT decides which form of the answer the server enforces."""

import json

import pytest
from jsonschema import Draft202012Validator

from app.errors import SettingsError
from app.grading.answer_schema import make_answer_schema
from app.grading.rubric import load_rubric
from app.sandbox.deepseek_faults import Json, rewrite_content
from tests.support.stage import BAD_TALK, GOOD_TALK, Stage, on_stage, stage_settings


@pytest.mark.parametrize(
    ("chosen", "sent"),
    [("json_object", "json_object"), ("json_schema", "json_schema"), ("none", None)],
)
async def test_form_of_the_answer_is_requested(
    stage: Stage, database_url: str, chosen: str, sent: str | None
) -> None:
    stage.add_talk(*GOOD_TALK)
    stage.add_talk(*BAD_TALK)
    await stage.sync()
    answers = list[Json]()

    def keep(content: str) -> str:
        answers.append(json.loads(content))
        return content

    stage.sandbox.deepseek.switches.fail(rewrite_content(keep), times=None)
    async with (
        stage.resting(),
        on_stage(database_url, stage.sandbox, deepseek_response_format=chosen) as other,
    ):
        assert (await other.analyze())["analyzed_chats"] == 2
    schema = make_answer_schema(load_rubric(None))
    for request in stage.sandbox.deepseek.requests:
        response_format = request.body.get("response_format")
        assert (response_format and response_format["type"]) == sent
        if sent == "json_schema":
            assert response_format["json_schema"]["schema"] == schema
    for answer in answers:
        Draft202012Validator(schema).validate(answer)


async def test_refused_form_stops_the_run_and_names_the_setting(
    stage: Stage, database_url: str
) -> None:
    stage.sandbox.deepseek.unsupported = {"json_schema"}
    for number in range(3):
        stage.add_talk(*GOOD_TALK, title=f"Диван {number}")
    await stage.sync()
    async with (
        stage.resting(),
        on_stage(database_url, stage.sandbox, deepseek_response_format="json_schema") as other,
    ):
        answer = await other.post("/llm/analyze", status=500)
    assert (answer["failed_chats"], answer["waiting_chats"]) == (0, 3)
    assert "DEEPSEEK_RESPONSE_FORMAT" in answer["message"]


def test_omitted_format_is_no_format_and_contradicts_a_schema() -> None:
    omitted = stage_settings(None, {}, deepseek_omit="response_format, balance")
    assert omitted.deepseek_omitted == {"response_format", "balance"}
    none = stage_settings(None, {}, deepseek_omit="thinking", deepseek_response_format="none")
    assert none.deepseek_omitted == {"thinking", "response_format"}
    with pytest.raises(SettingsError, match=r"^DEEPSEEK_RESPONSE_FORMAT: .*DEEPSEEK_OMIT"):
        stage_settings(
            None, {}, deepseek_omit="response_format", deepseek_response_format="json_schema"
        )
