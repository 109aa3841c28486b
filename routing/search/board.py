"""A problem laid out for the kernels, with the routes that are worked on, and the way back."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from routing.problems.plan import Charge
from routing.problems.problem import Problem, Visit
from routing.search.chain import place_chain
from routing.search.clash import find_clashes
from routing.search.dice import SURE
from routing.search.flat import FULL, OF, Whole, flatten
from routing.search.place import put
from routing.search.rate import rate
from routing.search.refresh import refresh_all, routes_of, set_route
from routing.search.ruin import followers, neighbours
from routing.search.spot import make_spot
from routing.search.tour import make_tour

Route = list[int]
"""Numbers of stops, counted over all requests of the problem."""


class Board:
    """All arrays of one problem.

    Args:
        problem: with at least one slot; without one there is nothing to search.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.visits = [Visit(r.id, n) for r in problem.requests for n in range(len(r.stops))]
        self.number = {visit: number for number, visit in enumerate(self.visits)}
        self.flat = flatten(problem)
        longest = len(self.visits)
        self.tour = make_tour(self.flat, longest)
        self.spot = make_spot(longest)
        self.sure = np.array([1, SURE], dtype=np.int64)
        """Dice that overlook nothing."""
        self.lost: set[int] = set()
        """Requests that were promised, and to which no way leads any more."""
        self._of: list[int] = self.flat.stops[:, OF].tolist()
        self._clashes_known = False
        refresh_all(self.flat, self.tour)

    @cached_property
    def near(self) -> Whole:
        """Neighbours of each stop: see `routing.search.ruin`."""
        return neighbours(self.flat)

    @cached_property
    def after(self) -> Whole:
        """Who may follow each stop: see `routing.search.ruin`."""
        return followers(self.flat)

    def find_clashes(self) -> None:
        """From now on, routes know who can't be in them: `routing.search.clash`."""
        if not self._clashes_known:
            self.tour.clash[:] = find_clashes(self.flat)
            self._clashes_known = True
            refresh_all(self.flat, self.tour)

    def stops(self, request: int) -> list[int]:
        """The numbers of a request's stops."""
        first, count = self.flat.requests[request, :2].tolist()
        return list(range(first, first + count))

    def request(self, stop: int) -> int:
        """Whose stop it is."""
        return self._of[stop]

    def lose(self, requests: set[int]) -> None:
        """These were promised in an order that can't be kept: no search touches them."""
        self.lost = requests
        self.flat.allowed[list(requests)] = False

    def route(self, slot: int) -> Route:
        """A slot's route as it is now."""
        return self.tour.route[slot, : self.tour.size[slot]].tolist()

    def routes(self) -> list[Route]:
        """The routes as they are now."""
        return routes_of(self.tour)

    def placed(self) -> set[int]:
        """The requests that are in a route."""
        return {self.request(stop) for route in self.routes() for stop in route}

    def set(self, slot: int, route: Sequence[int]) -> bool:
        """Give a slot another route; False = it breaks a rule."""
        return set_route(self.flat, self.tour, slot, route)

    def lay(self, routes: Sequence[Sequence[int]]) -> bool:
        """Give every slot another route; False = one of them breaks a rule."""
        for slot in range(len(routes)):
            self.set(slot, ())
        fits = [self.set(slot, route) for slot, route in enumerate(routes)]
        return all(fits)

    def complete(self, slot: int, request: int) -> bool:
        """Put all stops of a request that are not in the slot's route yet where they cost least."""
        self.spot.extra[0] = np.inf
        place_chain(self.flat, self.tour, slot, request, self.spot)
        if np.isinf(self.spot.extra[0]):
            return False
        put(self.flat, self.tour, request, self.spot)
        return True

    def charges(self) -> tuple[tuple[Charge, ...], ...]:
        """Where and how long each slot charges on its route; empty = nobody does."""
        rows: list[tuple[Charge, ...]] = []
        powered: list[bool] = (self.flat.batteries[:, FULL] >= 0).tolist()
        for slot, route in enumerate(self.routes()):
            if not route or not powered[slot]:
                rows.append(())
                continue
            work = self.tour.work
            rate(self.flat, slot, self.tour.route[slot], len(route), work)
            plugs = work.plug[: len(route) + 1].tolist()
            rows.append(
                tuple(
                    Charge(before=k, charger=plug, charge_s=int(work.plugged_s[k]))
                    for k, plug in enumerate(plugs)
                    if plug >= 0
                )
            )
        return tuple(rows) if any(rows) else ()

    def price(self) -> float:
        """Price of all routes, and of every request that is in none."""
        placed = self.placed()
        left = [n for n in range(len(self.problem.requests)) if n not in placed]
        return float(self.tour.cost.sum() + self.flat.prices[left, 1].sum())
