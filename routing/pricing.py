"""What a route costs, or what stops it: the solvers' own arithmetic, on flat lists.

`routing.plan` judges plans with other code, so a slip on either side is found.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from routing.paths import UNREACHABLE_S
from routing.problem import Problem, Slot, Visit
from routing.refusal import Fact

Route = list[int]
"""Numbers of stops, as `Rater` counts them."""

_RANKS = ("not_allowed", "unreachable", "over_capacity", "out_of_range", "window_missed")
_NEAREST = len(_RANKS)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stops a route, and by how much; the amount tells which vehicle came nearest."""

    code: str
    amount: int
    facts: Mapping[str, Fact]

    @property
    def nearness(self) -> tuple[int, int]:
        """The larger, the less is missing."""
        return (_RANKS.index(self.code) if self.code in _RANKS else _NEAREST, -self.amount)


@dataclass(frozen=True, slots=True)
class Placing:
    """A route with a request put in, and what that adds to its price."""

    extra: int
    route: Route


class Rater:
    """Prices routes of one problem, on flat lists: the solvers' own arithmetic."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.memo: dict[tuple[int, ...], Placing | Obstacle] = {}
        """What `routing.insertion.place` has found: most routes outlive many rounds."""
        self.visits = [Visit(r.id, n) for r in problem.requests for n in range(len(r.stops))]
        self.number = {visit: number for number, visit in enumerate(self.visits)}
        self.request = [n for n, r in enumerate(problem.requests) for _ in r.stops]
        self.stops = [
            [self.number[Visit(r.id, n)] for n in range(len(r.stops))] for r in problem.requests
        ]
        self.size = [len(request.stops) for request in problem.requests]
        stops = [stop for request in problem.requests for stop in request.stops]
        self.node = [stop.node for stop in stops]
        self.service_s = [stop.service_s for stop in stops]
        self.load = [stop.load if any(stop.load) else None for stop in stops]
        releases = [problem.requests[n].release_s for n in self.request]
        self.earliest_s = [max(s.earliest_s, at_s) for s, at_s in zip(stops, releases, strict=True)]
        self.latest_s = [stop.latest_s for stop in stops]
        self.free = [r.id not in problem.bound for r in problem.requests]
        self.late_price = [problem.late_price(request) for request in problem.requests]
        self.load_at_start = [self._load_at_start(n) for n in range(len(problem.slots))]

    def _load_at_start(self, slot: int) -> list[int]:
        load = [0] * len(self.problem.slots[slot].capacity)
        for request in self.problem.requests:
            if request.aboard == slot:
                for stop in request.stops:
                    load = [a - b for a, b in zip(load, stop.load, strict=True)]
        return load

    def rate(self, number: int, route: Sequence[int], limit: float = math.inf) -> int | Obstacle:
        """Price of a route, or what stops it; above ``limit`` it may stop counting."""
        slot = self.problem.slots[number]
        profile = self.problem.profiles[slot.profile]
        seconds, metres, loaded_s = profile.seconds, profile.metres, profile.loaded_s
        load, here, at_s, driven_m = self.load_at_start[number], slot.start, slot.ready_s, 0
        price, any_free, left = 0, False, dict[int, int]()
        for stop in route:
            there, request = self.node[stop], self.request[stop]
            free = self.free[request]
            any_free = any_free or free
            leg_m = metres[here][there]
            if loaded_s is not None and any(n > 0 for n in load):
                leg_s = loaded_s[here][there]
            else:
                leg_s = seconds[here][there]
            if leg_s >= UNREACHABLE_S or leg_m >= UNREACHABLE_S:
                return Obstacle("unreachable", 0, {})
            at_s = max(at_s + leg_s, self.earliest_s[stop])
            latest_s = self.latest_s[stop]
            if free and latest_s is not None and at_s > latest_s:
                return Obstacle("window_missed", at_s - latest_s, {"late_s": at_s - latest_s})
            at_s += self.service_s[stop]
            driven_m += leg_m
            here = there
            added = self.load[stop]
            if added is not None:
                load = [a + b for a, b in zip(load, added, strict=True)]
                if free and (over := self._over(load, slot.capacity, added)):
                    return over
            left[request] = left.get(request, self.size[request]) - 1
            if not left[request]:
                price += self._ending_price(request, number, at_s)
                if price > limit:
                    return price
        if route and slot.end is not None:
            at_s += seconds[here][slot.end]
            driven_m += metres[here][slot.end]
        return self._over_end(slot, any_free, at_s, driven_m) or (
            price + self.problem.weights.metre * driven_m
        )

    @staticmethod
    def _over_end(slot: Slot, any_free: bool, at_s: int, driven_m: int) -> Obstacle | None:
        """What stops a route at its end: no way home, or range or shift that is used up."""
        if max(at_s, driven_m) >= UNREACHABLE_S:
            return Obstacle("unreachable", 0, {})
        over_m = driven_m - (driven_m if slot.range_m is None else slot.range_m)
        if any_free and over_m > 0:
            return Obstacle("out_of_range", over_m, {"missing_m": over_m})
        over_s = at_s - (at_s if slot.shift_end_s is None else slot.shift_end_s)
        if any_free and over_s > 0:
            return Obstacle("shift_over", over_s, {"over_s": over_s})
        return None

    def _ending_price(self, number: int, slot: int, at_s: int) -> int:
        request, weights = self.problem.requests[number], self.problem.weights
        price = weights.flow_s * (at_s - request.release_s)
        if request.due_s is not None and at_s > request.due_s:
            price += self.late_price[number] * (at_s - request.due_s)
        if request.last_slot is not None and request.last_slot != slot:
            price += weights.change
        return price

    @staticmethod
    def _over(
        load: list[int], capacity: tuple[int, ...], added: tuple[int, ...]
    ) -> Obstacle | None:
        for dimension, limit in enumerate(capacity):
            over = load[dimension] - limit
            if over > 0 and added[dimension] > 0:
                return Obstacle("over_capacity", over, {"dimension": dimension, "over": over})
        return None

    def total(self, routes: Sequence[Route]) -> int:
        """Price of all routes, and of every request that is in none."""
        prices = [self.rate(slot, route) for slot, route in enumerate(routes)]
        assert not any(isinstance(price, Obstacle) for price in prices)
        made = {self.request[stop] for route in routes for stop in route}
        left_out = (r for n, r in enumerate(self.problem.requests) if n not in made)
        dropped = sum(self.problem.drop_price(request) for request in left_out)
        return dropped + sum(price for price in prices if not isinstance(price, Obstacle))

    def prefix(self, slot: int, route: Sequence[int]) -> int:
        """How many visits at the head of a route are committed."""
        committed = {self.number[visit] for visit in self.problem.slots[slot].committed}
        return sum(1 for stop in route if stop in committed)
