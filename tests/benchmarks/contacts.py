"""Quality of the rule that finds contacts and agreed meetings."""

from tests.benchmarks.measures import Measure
from tests.support.contact_set import (
    ContactFigures,
    load_contact_set,
    load_dialogues,
    measure_contacts,
    measure_masking_sets,
)


async def measure_contact_rule(_url: str) -> list[Measure]:
    """Measure the labelled chats; needs no database."""
    everything = load_contact_set()
    sets = {
        "all chats": measure_contacts(everything),
        "half for tuning": measure_contacts(load_contact_set("tuning")),
        "half written before the rule": measure_contacts(load_contact_set("untouched")),
        "odd chats written after it": measure_contacts(load_contact_set("later")),
        "dialogues of other authors": measure_contacts(load_dialogues()),
        "contacts in other authors' texts": measure_masking_sets(),
    }
    return [row for name, figures in sets.items() for row in _make_rows(name, figures)]


def _make_rows(name: str, figures: ContactFigures) -> list[Measure]:
    return [
        Measure(
            f"{name}: contacts and meetings found, n={figures.contacts}",
            f"{1 - len(figures.missed) / figures.contacts:.1%}",
            "at least 99 %",
        ),
        Measure(
            f"{name}: false ones, n={figures.look_alikes}",
            f"{len(figures.false) / figures.look_alikes:.1%}",
            "at most 1 %",
        ),
    ]
