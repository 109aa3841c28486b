"""Routes are changed here, so that all that is known of them stays right."""

from collections.abc import Sequence

import numpy as np

from routing.search.clash import find_barred
from routing.search.compiled import kernel
from routing.search.flat import PLAIN, Flat, Whole
from routing.search.plain import rate_plain, refresh_plain
from routing.search.rate import rate
from routing.search.tour import Tour, find_cuts, find_legs, find_slack
from routing.search.work import METRES, REQUESTS


def routes_of(tour: Tour) -> list[list[int]]:
    """The routes as lists of stop numbers."""
    sizes: list[int] = tour.size.tolist()
    return [tour.route[slot, :size].tolist() if size else [] for slot, size in enumerate(sizes)]


def set_route(flat: Flat, tour: Tour, slot: int, route: Sequence[int]) -> bool:
    """Give a slot another route; False = it can't be driven (it is set all the same)."""
    for stop in tour.route[slot, : tour.size[slot]].tolist():
        if tour.slot_of[stop] == slot:
            tour.slot_of[stop] = -1
    tour.route[slot, : len(route)] = route
    tour.size[slot] = len(route)
    return bool(refresh(flat, tour, slot))


@kernel
def refresh(flat: Flat, tour: Tour, slot: int) -> bool:
    """Work out anew all that is known of a route; False = it breaks a rule."""
    find_barred(flat, tour.clash, tour.route[slot], tour.size[slot], tour.barred[slot])
    if flat.weights[PLAIN]:
        return refresh_plain(flat, tour, slot)
    route, size, work = tour.route[slot], tour.size[slot], tour.work
    price = rate(flat, slot, route, size, work)
    tour.cost[slot] = price
    tour.metres[slot] = work.facts[METRES] if size else 0
    tour.tasks[slot] = work.facts[REQUESTS] if size else 0
    for k in range(size):
        tour.begin[slot, k], tour.ends[slot, k] = work.begin[k], work.ends[k]
    find_legs(flat, tour, slot)
    find_cuts(flat, tour, slot)
    find_slack(flat, tour, slot)
    return price < np.inf


@kernel
def refresh_all(flat: Flat, tour: Tour) -> None:
    """The same for every route."""
    for slot in range(len(tour.size)):
        refresh(flat, tour, slot)


@kernel
def price_of(flat: Flat, tour: Tour, slot: int, route: Whole, size: int) -> float:
    """Price of the first ``size`` stops of a route; infinity = it breaks a rule."""
    if flat.weights[PLAIN]:
        return rate_plain(flat, slot, route, size)
    return rate(flat, slot, route, size, tour.work)
