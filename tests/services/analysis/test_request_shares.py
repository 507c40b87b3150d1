"""The shares of a process's parts in the limit of requests to the model."""

import uuid

from app.clients.limiter import AdaptiveLimiter
from app.services.analysis.request_shares import RequestShares


async def test_part_without_a_share_begins_no_request() -> None:
    """Another process may hold all of them. Without a part, the limit is that of the service."""
    limiter, token = AdaptiveLimiter(6), uuid.uuid4()
    shares = RequestShares(limiter)
    await shares.begin(token)
    assert (shares.get(token), limiter.allowed) == (0, 0)
    await shares.enlarge(token, 3)
    assert (shares.get(token), limiter.allowed) == (3, 3)
    await shares.drop(token)
    assert limiter.allowed == 6


async def test_two_parts_of_a_process_have_the_sum_of_their_shares() -> None:
    """It ends one run while it begins the next."""
    limiter, ending, beginning = AdaptiveLimiter(6), uuid.uuid4(), uuid.uuid4()
    shares = RequestShares(limiter)
    await shares.begin(ending)
    await shares.enlarge(ending, 4)
    await shares.begin(beginning)
    await shares.enlarge(beginning, 1)
    assert limiter.allowed == 5
    await shares.drop(ending)
    assert limiter.allowed == 1
