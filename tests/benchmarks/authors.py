"""Quality of the rule that distinguishes bots from people."""

from tests.benchmarks.measures import Measure
from tests.support.openings import list_sets, load_companies, measure_authors


async def measure_author_rule(_url: str) -> list[Measure]:
    """Measure the labelled openings; needs no database."""
    rows: list[Measure] = []
    for path in list_sets():
        companies = load_companies(path)
        chats = sum(len(company["chats"]) for company in companies)
        figures = measure_authors(companies)
        name = f"{path.stem}, {chats} chats"
        rows += [
            Measure(
                f"{name}: bots found, n={figures.bots}",
                f"{1 - len(figures.missed) / figures.bots:.1%}",
                "at least 95 %",
            ),
            Measure(
                f"{name}: people taken for bots, n={figures.people}",
                f"{len(figures.false) / figures.people:.1%}",
                "at most 1 %",
            ),
        ]
    return rows
