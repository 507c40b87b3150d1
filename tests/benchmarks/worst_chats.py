"""Chats that have slowed the service down, by cause."""

import itertools

from app.sandbox.avito import LocalAvito
from app.sandbox.avito_state import SandboxBuyer

_FIRST = (
    "Александр",
    "Екатерина",
    "Владимир",
    "Анастасия",
    "Константин",
    "Виктория",
    "Станислав",
    "Маргарита",
)
_ROOTS = ("Иван", "Кузнец", "Воробь", "Медвед", "Соколов", "Лебед", "Григорь", "Тимофе")
_PATRONYMICS = ("Александрович", "Владимировна", "Константинович", "Станиславовна")


def build_full_names(count: int) -> list[str]:
    """Return different surnames with first name and patronymic."""
    ends = ("ов", "ин", "енко", "ский", "ян", "швили")
    made = (
        f"{root}{chr(1072 + number)}{end} {first} {patronymic}"
        for number, root, end, first, patronymic in itertools.product(
            range(8), _ROOTS, ends, _FIRST, _PATRONYMICS
        )
    )
    return list(itertools.islice(made, count))


def build_worst_chats() -> dict[str, tuple[str, list[str]]]:
    """Return the buyer's name and the texts of such chats, by cause."""
    names = build_full_names(150 * 30)
    return {
        "150 messages of full names": (
            "Анна",
            [", ".join(names[start : start + 30]) for start in range(0, len(names), 30)],
        ),
        "repeated letters": ("Анна", ["а" * 1_000 for _ in range(150)]),
        "words before digits": ("Анна", ["12345 " + "тел" * 330 for _ in range(150)]),
        "a name of 100 kB": (
            " ".join(names)[:100_000],
            ["Здравствуйте, диван ещё продаётся?"] * 10,
        ),
    }


def add_worst_chats(avito: LocalAvito) -> None:
    """Add one chat of each kind; messages of the buyer and the company alternate."""
    for number, (name, texts) in enumerate(build_worst_chats().values()):
        chat = avito.add_chat(client=SandboxBuyer(5_900_000_000 + number, name))
        for place, text in enumerate(texts):
            avito.add_message(chat.id, "client" if place % 2 == 0 else "company", text=text)
