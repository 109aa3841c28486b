"""One fixed problem with a bit of everything, small enough for kernels that aren't compiled."""

from dataclasses import replace

import numpy as np

from routing.problems.problem import (
    Battery,
    Break,
    Charger,
    GoodsRules,
    Problem,
    Profile,
    Request,
    Slot,
    Stop,
    Visit,
    Weights,
)
from routing.roads.paths import UNREACHABLE_S

NODES = 9


def rich_day() -> Problem:
    """Nine requests and three carts; node 8 can't be reached."""
    at = np.array([(n * 37 % 101, n * 53 % 97) for n in range(NODES)])
    ways = np.abs(at[:, None] - at[None, :]).sum(axis=2)
    ways[8, :8] = ways[:8, 8] = UNREACHABLE_S
    washed = np.minimum(ways[:, [3]] + ways[[3], :] + 20, UNREACHABLE_S)
    loaded = np.minimum(ways + ways // 3, UNREACHABLE_S)
    profile = Profile.of(ways, ways, loaded, washed, washed)
    carries = [
        Request(
            id=f"r{n}",
            stops=(
                Stop(node=n % 8, service_s=5, load=(2, 1)),
                Stop(node=(3 * n + 1) % 8, service_s=5, load=(-1, 0), closed=((100, 150),)),
                Stop(node=(5 * n + 2) % 8, load=(-1, -1), latest_s=400 + 60 * n),
            )[: 2 + n % 2],
            due_s=150 + 20 * n,
            goods=n % 2,
        )
        for n in range(6)
    ]
    even = tuple(replace(r, stops=balanced(r.stops)) for r in carries)
    looks = (
        Request(id="look", stops=(Stop(node=4, load=(0, 0), earliest_s=50),), last_slot=1),
        Request(id="cut off", stops=(Stop(node=8, load=(0, 0)),)),
        Request(id="aboard", stops=(Stop(node=6, load=(-1, 0)),), aboard=0),
    )
    battery = Battery(capacity_j=900, now_j=260, reserve_j=20, per_m_j=1, charge_j_s=5)
    slot = Slot(id="v0", profile=0, start=0, ready_s=0, capacity=(4, 2), battery=battery)
    slots = (
        replace(slot, breaks=(Break(earliest_s=60, latest_s=200, duration_s=30),)),
        replace(slot, id="v1", start=5, price=100, end=5, committed=(Visit("r1", 0),)),
        replace(slot, id="v2", start=2, battery=None, shift_end_s=900, carried=(0,)),
    )
    yes, apart = ((True, True), (True, True)), ((True, False), (True, True))
    return Problem(
        profiles=(profile,),
        requests=(*even, *looks),
        slots=slots,
        weights=Weights(imbalance=10),
        goods=GoodsRules(follow=apart, share=yes),
        chargers=(Charger(node=7),),
    )


def balanced(stops: tuple[Stop, ...]) -> tuple[Stop, ...]:
    """The last stop takes off whatever is still on board."""
    left = tuple(-sum(stop.load[d] for stop in stops[:-1]) for d in range(2))
    return (*stops[:-1], replace(stops[-1], load=left))
