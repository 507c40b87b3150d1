"""The number of chats that Avito lists, found in few requests."""

import pytest

from app.adapters import open_avito_clients
from app.services.sync.listed_chats import count_listed_chats
from tests.support.stage import Stage


@pytest.mark.parametrize(
    ("chats", "expected"),
    [
        (0, (0, False)),
        (1, (1, False)),
        (100, (100, False)),
        (101, (101, False)),
        (999, (999, False)),
        (1_100, (1_100, False)),
        (1_101, (1_100, True)),
    ],
)
async def test_chats_are_counted_in_few_requests(
    stage: Stage, chats: int, expected: tuple[int, bool]
) -> None:
    added = stage.avito.add_synthetic_chats(chats, 1)
    async with open_avito_clients(stage.service.settings) as [(_, client)]:
        listed = await count_listed_chats(client, stage.avito.accounts[0].user_id)
    assert (listed.count, listed.has_more) == expected
    assert (listed.newest and listed.newest.id) == (added[0].id if added else None)
    requests = [request for request in stage.avito.requests if request.path.endswith("/chats")]
    assert 1 <= len(requests) <= 6
