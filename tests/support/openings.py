"""Labelled openings of chats: who wrote each message of the company, a person or a bot.

The files of ``tests/benchmarks/data`` were written and labelled by other authors than the rule's.
At first sight the rule found 206 of the 208 messages of bots in ``openings_a.json`` and took none
of its 699 messages of people for a bot's. In ``openings_b.json``, whose cases are odder, it found
193 of 240 at first sight, and took one of 746; bots with a random delay and short texts after an
exact delay were added then. In ``openings_c.json`` it found 198 of 210 at first sight and took none
of 1,006.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from app.domain.author_kinds import AuthorKind
from app.domain.authors import MOST_USES, Reply, decide_kind, decide_template
from app.domain.messages import ChatMessage, Side
from app.domain.replies import ChatTexts, KeyedReply, list_replies
from app.domain.reply_texts import ListedTexts
from tests.support.chats import MOSCOW

FOLDER = Path(__file__).parents[1] / "benchmarks" / "data"

Company = dict[str, Any]


class LabelledReply(NamedTuple):
    """A message of the company with its label, ``person`` or ``bot``, and the rule's decision."""

    text: str
    label: str
    kind: AuthorKind


@dataclass(frozen=True)
class AuthorFigures:
    """Counts of messages of bots and people, and the texts of the wrong decisions."""

    bots: int
    missed: list[str]
    people: int
    false: list[str]


def list_sets() -> list[Path]:
    """Return the files with openings."""
    return sorted(FOLDER.glob("openings*.json"))


def load_companies(path: Path) -> list[Company]:
    """Return the companies of a file with their chats."""
    companies: list[Company] = json.loads(path.read_text(encoding="utf-8"))["companies"]
    return companies


def measure_authors(companies: list[Company]) -> AuthorFigures:
    """Decide all messages of the companies and compare them with their labels."""
    decided = [reply for company in companies for reply in decide_company(company)]
    bots = [reply for reply in decided if reply.label == "bot"]
    people = [reply for reply in decided if reply.label == "person"]
    return AuthorFigures(
        len(bots),
        [reply.text for reply in bots if reply.kind is not AuthorKind.BOT],
        len(people),
        [reply.text for reply in people if reply.kind is AuthorKind.BOT],
    )


def decide_company(company: Company, listed: ListedTexts = ListedTexts()) -> list[LabelledReply]:  # noqa: B008 - frozen
    """Decide the messages of a company by all its chats."""
    labels: dict[int, dict[str, str]] = {}
    uses: dict[int, list[KeyedReply]] = defaultdict(list)
    for chat_id, chat in enumerate(company["chats"]):
        for use in _list_chat_replies(chat_id, chat, labels, listed):
            uses[use.key].append(use)
    return [
        LabelledReply(labels[use.message_id]["text"], labels[use.message_id]["kind"], kind)
        for of_template in uses.values()
        for use, kind in _decide_uses(of_template)
    ]


def _list_chat_replies(
    chat_id: int, chat: dict[str, Any], labels: dict[int, dict[str, str]], listed: ListedTexts
) -> Iterator[KeyedReply]:
    messages = []
    for entry in chat["messages"]:
        number = len(labels)
        labels[number] = entry
        at = datetime.fromisoformat(entry["at"])
        messages.append(ChatMessage(number, Side(entry["side"]), at, entry["text"], has_text=True))
    names = (chat["buyer"],) if chat["buyer"] else ()
    texts = ChatTexts(chat_id, 1, names, chat["title"], MOSCOW, listed)
    return list_replies(messages, texts)


def _decide_uses(uses: list[KeyedReply]) -> Iterator[tuple[KeyedReply, AuthorKind]]:
    evidence: list[Reply] = sorted((use.reply for use in uses), key=lambda reply: reply.sent_at)
    template = decide_template(evidence[-MOST_USES:])
    for use in uses:
        yield use, decide_kind(use.reply, template)[0]
