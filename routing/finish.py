"""From routes on a board to a `Plan`: charges and their queues, reasons, and the price.

The search takes every charger for free whenever somebody comes. Here those who come while all
places are taken wait; who can't wait gives up the last task that it could refuse.
"""

import heapq
import math
from dataclasses import dataclass, replace

from routing.errors import NoPlan
from routing.plan import Charge, Plan, check, cost
from routing.reasons import Reasons
from routing.refusal import Refusal
from routing.search.board import Board
from routing.search.flat import PROFILE, SERVICE

_QUEUE_FAULTS = frozenset({"places", "window", "shift", "energy", "break", "not_full"})


def finish(board: Board) -> Plan:
    """The routes on the board as a plan that has passed its judge.

    Raises:
        NoPlan: the judge found a fault, which is a bug of the search.
    """
    crowded: dict[int, Refusal] = {}
    while True:
        rows = board.charges()
        queued = _queue(board, rows) if rows else rows
        plan = _plan(board, queued, crowded)
        fault = check(board.problem, plan)
        if fault is None:
            return plan
        waiting = [n for n, row in enumerate(queued) if any(charge.wait_s for charge in row)]
        if fault.code not in _QUEUE_FAULTS or not _give_up_one(board, waiting, rows, crowded):
            raise NoPlan(str(fault))


def _plan(
    board: Board, charges: tuple[tuple[Charge, ...], ...], crowded: dict[int, Refusal]
) -> Plan:
    problem = board.problem
    placed, reasons = board.placed(), Reasons(board)
    unplanned = {
        request.id: crowded.get(number) or reasons.reason(number)
        for number, request in enumerate(problem.requests)
        if number not in placed
    }
    routes = tuple(tuple(board.visits[stop] for stop in route) for route in board.routes())
    plan = Plan(routes=routes, charges=charges, unplanned=unplanned)
    price = cost(problem, plan)
    waits = any(charge.wait_s for row in charges for charge in row)
    if not waits and not math.isclose(price, board.price(), rel_tol=1e-9, abs_tol=0.5):
        raise NoPlan(f"the search counted {board.price()} for a plan that costs {price}")
    return replace(plan, cost=price)


@dataclass(frozen=True, slots=True, order=True)
class _Arrival:
    at_s: int
    slot: int
    position: int


def _queue(board: Board, rows: tuple[tuple[Charge, ...], ...]) -> tuple[tuple[Charge, ...], ...]:
    """The same charges, with those waiting who find all places taken."""
    problem = board.problem
    free = [
        heapq.nlargest(charger.places, [*charger.free_s, *[0] * charger.places])
        for charger in problem.chargers
    ]
    for places in free:
        heapq.heapify(places)
    waits: dict[tuple[int, int], int] = {}
    arrivals = [
        _Arrival(_arrival_s(board, slot, charge), slot, n)
        for slot, row in enumerate(rows)
        for n, charge in enumerate(row)
    ]
    for arrival in sorted(arrivals):
        charge = rows[arrival.slot][arrival.position]
        earlier_s = sum(waits.get((arrival.slot, n), 0) for n in range(arrival.position))
        at_s = arrival.at_s + earlier_s
        begin_s = max(at_s, free[charge.charger][0])
        heapq.heapreplace(free[charge.charger], begin_s + charge.charge_s)
        waits[arrival.slot, arrival.position] = begin_s - at_s
    return tuple(
        tuple(replace(charge, wait_s=waits[slot, n]) for n, charge in enumerate(row))
        for slot, row in enumerate(rows)
    )


def _arrival_s(board: Board, slot: int, charge: Charge) -> int:
    """When a slot comes to a charger, if it need not wait anywhere."""
    flat, tour, spec = board.flat, board.tour, board.problem.slots[slot]
    at_s, node = spec.ready_s, spec.start
    if charge.before > 0:
        stop = tour.route[slot, charge.before - 1]
        at_s = int(tour.begin[slot, charge.before - 1] + flat.stops[stop, SERVICE])
        node = int(flat.stops[stop, 0])
    there = board.problem.chargers[charge.charger].node
    return at_s + int(flat.seconds[flat.slots[slot, PROFILE], node, there])


def _give_up_one(
    board: Board,
    waiting: list[int],
    rows: tuple[tuple[Charge, ...], ...],
    crowded: dict[int, Refusal],
) -> bool:
    """Take the last refusable task from somebody who waits for a charger; False = there is none."""
    bound = {board.problem.request_numbers[id_] for id_ in board.problem.bound}
    for slot in waiting:
        route = board.routes()[slot]
        free = [number for stop in route if (number := board.request(stop)) not in bound]
        if free:
            board.set(slot, [stop for stop in route if board.request(stop) != free[-1]])
            facts = {"vehicle": board.problem.slots[slot].id, "charger": rows[slot][0].charger}
            crowded[free[-1]] = Refusal("charger_taken", facts)
            return True
    return False
