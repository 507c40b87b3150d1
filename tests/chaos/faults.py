"""The faults of the bench, by name and weight.

Each acts on one date and ends by itself, or when a replica starts.
"""

import random
from collections.abc import Collection, Mapping
from functools import partial
from typing import NamedTuple

from tests.chaos.days import Fault
from tests.chaos.environment_faults import (
    answer_late,
    crash_database,
    cut_after_dot,
    cut_off_server,
    do_nothing,
    fail_mail,
    fail_server,
    freeze_database,
    hold_database,
    hold_mail,
    limit_connections,
    lock_digests,
    make_read_only,
    refuse_by_policy,
    set_wrong_clock,
    skew_clocks,
    strand_connections,
)
from tests.chaos.process_faults import (
    cut_power,
    freeze_at,
    freeze_in_lock,
    kill_anywhere,
    kill_at,
    kill_at_start,
    kill_idle,
    restart_in_turn,
    stop_at,
)
from tests.chaos.taps import Step


class Weighted(NamedTuple):
    """A fault and its frequency. ``own_cluster``: it requires a Postgres for this world only."""

    fault: Fault
    weight: float
    own_cluster: bool = False


KILLS: Mapping[str, Weighted] = {
    **{
        f"kill {step}": Weighted(partial(kill_at, step), 2.0)
        for step in Step
        if step is not Step.QUERY
    },
    "kill anywhere": Weighted(kill_anywhere, 2.0),
    "kill idle": Weighted(kill_idle, 1.5),
    "cut power": Weighted(cut_power, 2.0),
    "flap": Weighted(kill_at_start, 2.5),
}
OTHERS: Mapping[str, Weighted] = {
    **{
        f"freeze {step}": Weighted(partial(freeze_at, step), 0.6)
        for step in Step
        if step not in (Step.QUERY, Step.ACKNOWLEDGED)
    },
    "freeze in the lock": Weighted(freeze_in_lock, 0.7),
    **{f"stop {step}": Weighted(partial(stop_at, step), 0.6) for step in Step},
    "rolling restart": Weighted(restart_in_turn, 1.5),
    "database crash": Weighted(crash_database, 3.0, own_cluster=True),
    "database freeze": Weighted(freeze_database, 1.2, own_cluster=True),
    "database hold": Weighted(hold_database, 1.2),
    "database strand": Weighted(strand_connections, 1.0),
    "database starve": Weighted(limit_connections, 1.2, own_cluster=True),
    "database read-only": Weighted(make_read_only, 1.2, own_cluster=True),
    "lock on digests": Weighted(lock_digests, 1.0),
    "far end fails": Weighted(fail_server, 2.5),
    "far end cut off": Weighted(cut_off_server, 1.5),
    "mail fails": Weighted(fail_mail, 2.0),
    "mail policy": Weighted(refuse_by_policy, 0.6),
    "cut after the dot": Weighted(cut_after_dot, 1.2),
    "late answer to the dot": Weighted(answer_late, 0.8),
    "mail hold": Weighted(hold_mail, 0.8),
    "clock": Weighted(set_wrong_clock, 0.8),
    "skew": Weighted(skew_clocks, 1.0),
    "nothing": Weighted(do_nothing, 0.5),
}


def draw_faults(
    rng: random.Random, *, own_cluster: bool, only: Collection[str] = ()
) -> list[tuple[str, Fault]]:
    """Draw the faults of one date: mostly kills, often another kind too, sometimes none.

    ``only``: draw one of these kinds each time.
    """
    if only:
        named = {name: kind for name, kind in {**KILLS, **OTHERS}.items() if name in only}
        return _pick(rng, named, 1, own_cluster=own_cluster)
    drawn: list[tuple[str, Fault]] = []
    if rng.random() < 0.85:
        drawn.extend(_pick(rng, KILLS, rng.choice((1, 2, 3)), own_cluster=own_cluster))
    if rng.random() < 0.4:
        drawn.extend(_pick(rng, OTHERS, 1, own_cluster=own_cluster))
    return drawn


def _pick(
    rng: random.Random, kinds: Mapping[str, Weighted], number: int, *, own_cluster: bool
) -> list[tuple[str, Fault]]:
    fit = {name: kind for name, kind in kinds.items() if own_cluster or not kind.own_cluster}
    names = rng.choices(list(fit), [kind.weight for kind in fit.values()], k=number)
    return [(name, fit[name].fault) for name in dict.fromkeys(names)]
