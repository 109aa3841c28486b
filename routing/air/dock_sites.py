"""Where docks should stand: as many of the calls as possible within reach of one of them.

Maximal covering (Church & ReVelle 1974); with busy drones its expected form (Daskin 1983), in
which each further drone in reach of a call counts less. Both are written linear, since a clause
"covered if one of these" keeps the solver from proving its answer for minutes.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ortools.sat.python import cp_model

from routing.geometry import Point

_SCALE = 10_000
"""Shares of a call are counted in whole parts of this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Which of the candidate sites to use.

    Args:
        drones: how many at each candidate.
        share: of the calls, what is reached; with busy drones, what can be expected.
        bound: what no placement can exceed; proven when it is ``share``.
    """

    drones: tuple[int, ...]
    share: float
    bound: float

    @property
    def sites(self) -> tuple[int, ...]:
        """The candidates with a dock."""
        return tuple(number for number, drones in enumerate(self.drones) if drones)

    @property
    def proven(self) -> bool:
        """Whether no placement is better."""
        return self.bound <= self.share + 1e-9


def place_docks(
    candidates: Sequence[Point],
    calls: Sequence[Point],
    *,
    docks: int,
    radius_m: float,
    drones: int | None = None,
    busy: float = 0.0,
    limit_s: float = 10.0,
    seed: int = 0,
) -> Placement:
    """The best sites for at most ``docks`` docks.

    Args:
        drones: how many in all, any number to a dock; default one for each dock.
        busy: share of its time that a drone can't be sent, 0..1; 0 = always ready.
        limit_s: of the wall's time; then the best so far is given, with its bound.

    Raises:
        ValueError: nothing to place, or a share that is none.
    """
    total = docks if drones is None else drones
    if docks < 1 or total < 1 or not candidates or not calls or not 0 <= busy < 1:
        raise ValueError("give candidates, calls, at least one dock and one drone, busy in 0..1")
    weights = _weights(candidates, calls, radius_m)
    deepest = 1 if busy == 0 else total
    model = cp_model.CpModel()
    most = total if deepest > 1 else 1
    here = [model.new_int_var(0, most, f"here{n}") for n in range(len(candidates))]
    if most > 1:
        used = [model.new_bool_var(f"used{n}") for n in range(len(candidates))]
        for drones_here, is_used in zip(here, used, strict=True):
            model.add(drones_here <= most * is_used)
        model.add(sum(used) <= docks)
        model.add(sum(here) <= total)
    else:
        model.add(sum(here) <= docks)
    gains: list[tuple[int, cp_model.IntVar]] = []
    for number, (near, weight) in enumerate(weights.items()):
        levels = [
            model.new_bool_var(f"{number}/{k}") for k in range(min(deepest, most * len(near)))
        ]
        model.add(sum(here[n] for n in near) >= sum(levels))
        gains += [
            (round(weight * _SCALE * (1 - busy) * busy**k), level) for k, level in enumerate(levels)
        ]
    model.maximize(sum(gain * level for gain, level in gains))
    solver = cp_model.CpSolver()
    solver.parameters.linearization_level = 2
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    solver.parameters.max_time_in_seconds = limit_s
    status = solver.solve(model)
    whole = len(calls) * _SCALE
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Placement(drones=(0,) * len(candidates), share=0.0, bound=1.0)
    return Placement(
        drones=tuple(solver.value(count) for count in here),
        share=solver.objective_value / whole,
        bound=solver.best_objective_bound / whole,
    )


def _weights(
    candidates: Sequence[Point], calls: Sequence[Point], radius_m: float
) -> Counter[tuple[int, ...]]:
    """How many calls have just these candidates in reach; calls with none are left out."""
    near = Counter(
        tuple(n for n, site in enumerate(candidates) if site.distance_m(call) <= radius_m)
        for call in calls
    )
    near.pop((), None)
    return near
