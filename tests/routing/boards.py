"""Boards for tests: problems that the quick tests are exact for, routes in words, judged routes."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from routing.problems.judge import faults_of
from routing.problems.plan import Charge
from routing.problems.problem import (
    GoodsRules,
    Problem,
    Profile,
    Request,
    Slot,
    Stop,
    Visit,
    Weights,
)
from routing.problems.timetable import Rules, drive
from routing.search.board import Board, Route
from tests.routing.random_problems import priced

LINE = np.abs(np.arange(0, 110, 10)[:, None] - np.arange(0, 110, 10)[None, :])
"""Eleven nodes in a row, 10 m and 10 s apart."""
ORDER = frozenset({"order", "committed"})
"""What the search takes care of by building routes, so that it need not be rated."""


def carry(key: str, start: int, *goals: int, mass: int = 1) -> Request:
    """From one node to others, ``mass`` for each of them."""
    drops = tuple(Stop(node=goal, load=(-mass,)) for goal in goals)
    return Request(id=key, stops=(Stop(node=start, load=(mass * len(goals),)), *drops))


def look(key: str, node: int, latest_s: int | None = None) -> Request:
    """Being somewhere once."""
    return Request(id=key, stops=(Stop(node=node, load=(0,), latest_s=latest_s),))


def cart(key: str, start: int = 0, capacity: int = 4) -> Slot:
    """A vehicle that stays wherever its last visit is."""
    return Slot(id=key, profile=0, start=start, ready_s=0, capacity=(capacity,))


def on_line(
    *requests: Request, slots: Sequence[Slot] = (), goods: GoodsRules | None = None
) -> Problem:
    """A problem on `LINE` in which only metres cost something."""
    return Problem(
        profiles=(Profile.of(LINE),),
        requests=requests,
        slots=tuple(slots) or (cart("v"),),
        weights=Weights(flow_s=0),
        goods=goods,
    )


def plain(problem: Problem) -> Problem:
    """The same without washes, batteries, breaks, closed spans and loaded ways."""
    profiles = tuple(Profile(seconds=p.metres, metres=p.metres) for p in problem.profiles)
    requests = tuple(
        replace(
            request,
            goods=None,
            stops=tuple(replace(stop, closed=()) for stop in request.stops),
        )
        for request in problem.requests
    )
    slots = tuple(replace(slot, carried=(), breaks=(), battery=None) for slot in problem.slots)
    return replace(
        problem, profiles=profiles, requests=requests, slots=slots, goods=None, chargers=()
    )


def numbers(board: Board, visits: Sequence[Visit]) -> Route:
    """A route of visits as one of stop numbers."""
    return [board.number[visit] for visit in visits]


def faults(
    problem: Problem, slot: int, visits: Sequence[Visit], charges: Sequence[Charge] = ()
) -> list[str]:
    """What the judge has against a slot's route, but for the order of its stops."""
    journey = drive(Rules(problem), slot, visits, charges)
    return [fault.code for fault in faults_of(journey) if fault.code not in ORDER]


def judged_price(
    problem: Problem, slot: int, visits: Sequence[Visit], charges: Sequence[Charge] = ()
) -> int:
    """What the judge counts for a slot's route alone."""
    everybody = range(len(problem.slots))
    routes = [tuple(visits) if n == slot else () for n in everybody]
    rows = tuple(tuple(charges) if n == slot else () for n in everybody)
    made = {visit.request for visit in visits}
    dropped = sum(problem.drop_price(r) for r in problem.requests if r.id not in made)
    return priced(problem, *routes, charges=rows).cost - dropped
