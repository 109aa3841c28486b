"""An answer in milliseconds: what still holds of the last plan, and all else where it costs least.

A request is tried at every position of every route in constant time each (`routing.search.place`).
Who has most to lose by waiting goes first (`routing.search.regret`).
"""

from collections.abc import Sequence

import numpy as np

from routing.problems.plan import Plan
from routing.problems.problem import LARGEST, Problem, Request
from routing.search.board import Board, Route
from routing.search.regret import fill as fill_kernel

CROWD = 200
"""If more requests wait than this, they are put in a quarter of that at a time, by urgency: regret
compares each with each."""


def build(board: Board, start: Plan | None = None) -> None:
    """Lay out routes: what is bound, what still fits of ``start``, then all the rest."""
    lay_standing(board, start)
    fill_up(board)


def fill_up(board: Board) -> None:
    """Put in whatever is in no route yet and worth its price."""
    placed = board.placed() | board.lost
    fill(board, [n for n in range(len(board.problem.requests)) if n not in placed])


def fill(board: Board, waiting: Sequence[int]) -> None:
    """Put the requests ``waiting`` into the routes, as many as are worth their price."""
    if not waiting:
        return
    problem = board.problem
    if len(waiting) > CROWD:
        by_urgency = sorted(waiting, key=lambda n: _urgency(problem.requests[n], problem))
        for begin in range(0, len(waiting), CROWD // 4):
            fill(board, by_urgency[begin : begin + CROWD // 4])
        return
    extra = np.full((len(board.problem.requests), len(board.problem.slots)), np.inf)
    numbers = np.array(waiting, dtype=np.int64)
    fill_kernel(board.flat, board.tour, numbers, len(waiting), extra, board.spot, board.sure)


def _urgency(request: Request, problem: Problem) -> tuple[float, int, int]:
    """Dearest to leave out, then dearest to be late, then due first."""
    due_s = LARGEST if request.due_s is None else request.due_s
    return -problem.drop_price(request), -request.late_weight, due_s


def lay_standing(board: Board, start: Plan | None) -> None:
    """Lay out what holds from before: what is bound, and of ``start`` what still fits behind it.

    ``board.lost`` gets the bound requests to which no way leads any more.
    """
    lost: set[int] = set()
    taken: set[int] = set()
    problem = board.problem
    old = start.routes if start and len(start.routes) == len(problem.slots) else None
    bound: dict[int, list[int]] = {}
    for id_, slot in problem.bound.items():
        bound.setdefault(slot, []).append(problem.request_numbers[id_])
    for slot, now in enumerate(problem.slots):
        if not (now.committed or slot in bound or (old is not None and old[slot])):
            continue  # its route is empty already
        base = _lay_bound(board, slot, bound.get(slot, []), lost)
        if old is not None:
            head = base[: board.tour.head[slot]]
            known = [board.number[visit] for visit in old[slot] if visit in board.number]
            tail = [s for s in known if s not in head and board.request(s) not in lost]
            _lay_longest(board, slot, base, head, _still_right(board, slot, head, tail, taken))
        taken |= {board.request(stop) for stop in board.route(slot)}
    board.lose(lost)


def _lay_bound(board: Board, slot: int, bound: Sequence[int], lost: set[int]) -> Route:
    """Committed visits, then the rest of all that is bound to this slot and can be reached."""
    problem = board.problem
    committed = [board.number[visit] for visit in problem.slots[slot].committed]
    while True:
        route = [stop for stop in committed if board.request(stop) not in lost]
        board.tour.head[slot] = len(route)
        if not board.set(slot, route):
            lost.add(board.request(route[_drivable(board, slot, route)]))
            continue
        missed = next(
            (
                number
                for number in bound
                if number not in lost
                and not set(board.stops(number)) <= set(route)
                and not board.complete(slot, number)
            ),
            None,
        )
        if missed is None:
            return board.route(slot)
        lost.add(missed)


def _drivable(board: Board, slot: int, route: Route) -> int:
    """The most stops that can be made of a route that can't be driven to its end."""
    return max(n for n in range(len(route)) if board.set(slot, route[:n]))


def _lay_longest(board: Board, slot: int, base: Route, head: Route, tail: Route) -> None:
    """What is bound, and as much of the old route as can still be driven behind it."""
    if [*head, *tail] == base:
        return
    wanted = set(base)
    while not (wanted <= {*head, *tail} and board.set(slot, [*head, *tail])):
        free = [stop for stop in tail if stop not in wanted]
        if not free:
            board.set(slot, base)
            return
        dropped = board.request(free[-1])
        tail = [stop for stop in tail if board.request(stop) != dropped]


def _still_right(board: Board, slot: int, head: Route, tail: Route, taken: set[int]) -> Route:
    """The stops of ``tail`` whose requests are whole, in order, allowed here and nowhere else."""
    right: set[int] = set()
    for number in dict.fromkeys(board.request(stop) for stop in tail):
        request = board.problem.requests[number]
        made = [stop for stop in (*head, *tail) if board.request(stop) == number]
        in_order = made == sorted(made) if request.fixed_order else True
        begun = request.aboard is not None or made[0] == board.stops(number)[0]
        whole = sorted(made) == board.stops(number)
        fits = whole and in_order and begun and number not in taken
        if fits and board.flat.allowed[number, slot]:
            right.add(number)
    return [stop for stop in tail if board.request(stop) in right]
