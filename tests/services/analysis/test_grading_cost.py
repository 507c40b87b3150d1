"""Work that grading does once: for several chats, or for the question and the verdict of one."""

import json
import pickle
import time

from app.domain.criteria import Criterion
from app.grading.masking.masker import Masking
from app.grading.verdict import Verdict
from app.services.analysis.chat_work import ChatWork, read_verdict, write_question
from tests.support.chats import answer, chat, criterion
from tests.support.stage import GOOD_TALK, Stage
from tests.support.verdicts import RUBRIC, make_context

CHATS = 24
NONCE = "0" * 24


async def test_outcomes_of_many_chats_are_written_in_few_transactions(stage: Stage) -> None:
    for number in range(CHATS):
        stage.add_talk(*GOOD_TALK, title=f"Диван {number}")
    await stage.sync()
    stage.sandbox.deepseek.switches.latency_seconds = 0.05
    begun_at = time.monotonic()
    assert (await stage.analyze())["analyzed_chats"] == CHATS
    quarters = (time.monotonic() - begun_at) / 0.25
    rows = await stage.rows("SELECT count(DISTINCT xmin::text) AS written FROM reports")
    assert rows[0]["written"] <= 2 + quarters


def test_verdict_is_read_with_the_masker_of_the_question() -> None:
    """The quote has a token of the question, and its state restores the name."""
    window = chat(("client", "Диван в наличии?"), ("company", "Здравствуйте, Анна, да!"))
    question = write_question(ChatWork(window, ("Анна",), Masking.ON, make_context(), NONCE))
    assert "[ИМЯ_1]" in question.text
    quote = criterion("tonality", ev=[(2, "Здравствуйте, [ИМЯ_1]")])
    text = json.dumps(answer(tonality=quote), ensure_ascii=False)
    verdict = read_verdict(question.state, [text], pickle.dumps(RUBRIC))
    assert isinstance(verdict, Verdict)
    quotes = verdict.criteria[Criterion.TONALITY].quotes
    assert [quote.text for quote in quotes] == ["Здравствуйте, Анна"]
