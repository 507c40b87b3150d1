"""Quotes, summaries and advice of the local DeepSeek: words of the chat."""

import re
from collections import Counter

from tests.support.grading_protocol import (
    RUDE,
    build_rows,
)
from tests.support.sandbox_grades import grade_chat, list_conversations


def test_every_quote_is_verbatim_and_of_the_right_side() -> None:
    for chat in list_conversations().values():
        answer, written = grade_chat(chat), {row["i"]: row for row in chat}
        for name, criterion in answer["criteria"].items():
            for evidence in criterion["ev"]:
                row = written[evidence["i"]]
                assert evidence["q"] in row["t"]
                assert 0 < len(evidence["q"]) <= 90
                assert row["r"] == "seller" or (criterion["grade"] != "high" and name != "tonality")
        for claims, side in ((answer["objections"], "buyer"), (answer["critical"], "seller")):
            for claim in claims:
                assert claim["q"] in written[claim["i"]]["t"]
                assert written[claim["i"]]["r"] == side


def test_every_quotation_is_verbatim() -> None:
    for chat in list_conversations().values():
        answer, written = grade_chat(chat), " ".join(" ".join(row["t"].split()) for row in chat)
        texts = [
            answer["summary"],
            *(advice["t"] for advice in answer["recommendations"]),
            *(criterion["why"] for criterion in answer["criteria"].values()),
        ]
        for quotation in re.findall("«([^«»]*)»", " ".join(texts)):
            assert quotation in written


def test_criteria_have_different_quotes_if_the_seller_wrote_enough() -> None:
    for chat in list_conversations().values():
        if sum(len(row["t"].split()) for row in chat if row["r"] == "seller") < 40:
            continue
        quotes = [
            (evidence["i"], evidence["q"])
            for criterion in grade_chat(chat)["criteria"].values()
            for evidence in criterion["ev"]
        ]
        assert len(set(quotes)) == len(quotes)


def test_summaries_and_advice_refer_to_their_chat() -> None:
    chats = list_conversations()
    answers = {key: grade_chat(chat) for key, chat in chats.items()}

    summaries = {answer["summary"] for answer in answers.values()}
    assert len(summaries) >= len(answers) - 1, "two buyers ask the same question"
    named = Counter[str]()
    for key, answer in answers.items():
        written = {row["i"]: row for row in chats[key]}
        assert len(answer["recommendations"]) <= 3
        for advice in answer["recommendations"]:
            row = written[advice["i"]]
            quoted = re.search(r"\(«(.+)»\)", advice["t"])
            day, clock = f"{row['at'][8:10]}.{row['at'][5:7]}", row["at"][11:]
            matches = {
                "words": quoted is not None and quoted[1] in " ".join(row["t"].split()),
                "time": f"сообщение от {day} в {clock}" in advice["t"],
                "number": f"сообщении {advice['i']} " in advice["t"],
            }
            assert sum(matches.values()) == 1, (advice, row)
            named.update(how for how, true in matches.items() if true)
    assert named["words"] > 3 * named["number"] > 0


def test_summary_contains_questions_and_open_points() -> None:
    summary = grade_chat(RUDE)["summary"]

    assert not re.search(r"\d+ сообщени", summary), "the report has the numbers"
    assert "«За 650 отдадите?»" in summary
    assert "Сообщение клиента осталось без ответа: «Так есть торг?»." in summary


def test_chat_without_text_has_no_quotes() -> None:
    answer = grade_chat(
        build_rows(("buyer", "[голосовое сообщение]", "12:00"), ("seller", "[фото]", "12:05"))
    )

    assert all(criterion["ev"] == [] for criterion in answer["criteria"].values())
