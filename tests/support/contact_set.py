"""Labelled chats for the rule that finds contacts and agreed meetings, and its figures.

The texts of ``contact_set.json`` were written by the author of the rule:

- ``untouched`` (120): written and committed before the rule. At first sight, with the rule tuned on
  ``tuning`` (205), 62 of its 63 contacts and meetings were found, and 0 of its 57 other chats were
  false. The rule was corrected afterwards with dialogues of other authors.
- ``later`` (50): deliberately odd chats, written after that. At first sight 14 of 20 were found and
  1 of 30 was false. The rule was corrected with them.

Texts of other authors: ``dialogues.json`` with MEETINGS_IN_DIALOGUES, which the author of the rule
labelled and corrected the rule with, and the labelled sets of masking. Phones, e-mails and accounts
in them are contacts; their look-alikes, attacks and innocent texts are not.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.grading.contacts import find_contact
from app.grading.masking.masker import Masker
from tests.support.chats import chat
from tests.support.labelled_set import load_set

_MASKING_SETS = ("given", "fresh", "unseen", "hard")
_CONTACT_KINDS = {"phone", "phone_split", "email", "handle"}

MEETINGS_IN_DIALOGUES = {
    **{4: 6, 5: 5, 10: 5, 11: 3, 12: 216, 13: 6, 15: 6, 16: 3, 18: 6, 19: 6, 24: 4, 27: 8, 30: 6},
    **{33: 4, 37: 7, 41: 8, 43: 6, 46: 230, 48: 4, 102: 6, 103: 6, 104: 8, 106: 4, 110: 8, 113: 6},
    **{114: 8, 115: 8, 120: 7, 123: 6},
}
"""The number of the accepting message by the number of the dialogue."""
_SIDES = {"buyer": "client", "seller": "company"}

ContactCase = dict[str, Any]


def load_contact_set(half: str | None = None) -> list[ContactCase]:
    """Return the cases of the file, or of one half of it."""
    cases: list[ContactCase] = json.loads(
        Path(__file__).with_suffix(".json").read_text(encoding="utf-8")
    )
    return [case for case in cases if half is None or case["half"] == half]


@dataclass(frozen=True)
class ContactFigures:
    """Counts of cases with and without a contact, and the texts of the wrong ones.

    A contact with a wrong kind or message counts as missed.
    """

    contacts: int
    missed: list[str]
    look_alikes: int
    false: list[str]


def measure_contacts(cases: Iterable[ContactCase]) -> ContactFigures:
    """Look once for the contact of each case."""
    contacts, look_alikes = 0, 0
    missed: list[str] = []
    false: list[str] = []
    for case in cases:
        found = _find(case)
        contacts += case["contact"] is not None
        look_alikes += case["contact"] is None
        if found != case["contact"]:
            words = " / ".join(text for _, text in case["messages"])
            (missed if case["contact"] else false).append(f"{found} {words}")
    return ContactFigures(contacts, missed, look_alikes, false)


def load_dialogues() -> list[ContactCase]:
    """Return the dialogues of ``dialogues.json`` with their labels."""
    path = Path(__file__).with_name("dialogues.json")
    dialogues = json.loads(path.read_text(encoding="utf-8"))["dialogues"]
    return [
        {
            "contact": ["meeting", MEETINGS_IN_DIALOGUES[one["n"]]]
            if one["n"] in MEETINGS_IN_DIALOGUES
            else None,
            "messages": [(_SIDES.get(side, side), text) for _, side, text in one["messages"]],
        }
        for one in dialogues
    ]


def measure_masking_sets() -> ContactFigures:
    """Look for contacts in the labelled texts of masking, each written by a buyer."""
    contacts, look_alikes = 0, 0
    missed: list[str] = []
    false: list[str] = []
    for case in (case for name in _MASKING_SETS for case in load_set(name)):
        is_contact = case["kind"] in _CONTACT_KINDS
        if case["set"] == "personal" and not is_contact:
            continue
        contacts += is_contact
        look_alikes += not is_contact
        texts = [re.sub("[{}]", "", text) for text in case["texts"]]
        found = _find({"messages": [("client", text) for text in texts]})
        if (found is not None) is not is_contact:
            (missed if is_contact else false).append(" / ".join(texts))
    return ContactFigures(contacts, missed, look_alikes, false)


def _find(case: ContactCase) -> list[object] | None:
    window = chat(*case["messages"])
    contact = find_contact(window, Masker((), [message.text for message in window]))
    return [contact.kind.value, contact.message_id - 100] if contact else None
