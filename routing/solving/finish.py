"""From routes on a board to a `Plan`: charges and their queues, reasons, and the price.

The search takes every charger for free whenever somebody comes. Here those who come while all
places are taken wait; who can't wait gives up the last task that it could refuse. That may make
room for others.
"""

import heapq
import math
from dataclasses import replace

from routing.errors import NoPlan
from routing.problems.judge import PlanFault, faults_of
from routing.problems.plan import Charge, Plan, priced
from routing.problems.timetable import Plug, Rules, drive
from routing.refusal import Refusal
from routing.search.board import Board
from routing.solving.insertion import fill
from routing.solving.reasons import Reasons

_QUEUE_FAULTS = frozenset({"window", "shift", "energy", "break", "not_full"})

Charges = tuple[tuple[Charge, ...], ...]


def finish(board: Board) -> Plan:
    """The routes on the board as a plan that has passed its judge.

    Raises:
        NoPlan: the judge found a fault, which is a bug of the search.
    """
    crowded: dict[int, Refusal] = {}
    while True:
        rows = board.charges()
        queued = _Queue(board, rows).waited() if rows else rows
        plan, fault = _plan(board, queued, crowded)
        if fault is None:
            if not crowded or not _take_in(board, crowded):
                return plan
        elif fault.code not in _QUEUE_FAULTS or not _give_up_one(board, queued, crowded):
            raise NoPlan(str(fault))


def _plan(
    board: Board, charges: Charges, crowded: dict[int, Refusal]
) -> tuple[Plan, PlanFault | None]:
    problem, routes = board.problem, board.routes()
    placed, reasons = board.placed(), Reasons(board)
    unplanned = {
        request.id: crowded.get(number) or reasons.reason(number)
        for number, request in enumerate(problem.requests)
        if number not in placed
    }
    visits = tuple(tuple(board.visits[stop] for stop in route) for route in routes)
    plan, fault = priced(problem, Plan(routes=visits, charges=charges, unplanned=unplanned))
    sure = fault is None and not any(charge.wait_s for row in charges for charge in row)
    if sure and not math.isclose(plan.cost, board.price(), rel_tol=1e-9, abs_tol=0.5):
        raise NoPlan(f"the search counted {board.price()} for a plan that costs {plan.cost}")
    return plan, fault


class _Queue:
    """Who charges when, if who comes first is served first.

    Each charge is looked at as the judge's clock has it, when all that come before it are known.
    """

    def __init__(self, board: Board, rows: Charges) -> None:
        self._rules = Rules(board.problem)
        self._routes = [[board.visits[stop] for stop in route] for route in board.routes()]
        self._rows = [list(row) for row in rows]
        self._free_s = [
            heapq.nlargest(charger.places, [*charger.free_s, *[0] * charger.places])
            for charger in board.problem.chargers
        ]
        for places in self._free_s:
            heapq.heapify(places)

    def waited(self) -> Charges:
        """The same charges, with those waiting who find all places taken."""
        coming = [
            (self._plug(slot, 0).from_s, slot, 0) for slot, row in enumerate(self._rows) if row
        ]
        heapq.heapify(coming)
        while coming:
            _, slot, n = heapq.heappop(coming)
            self._serve(slot, n)
            if n + 1 < len(self._rows[slot]):
                heapq.heappush(coming, (self._plug(slot, n + 1).from_s, slot, n + 1))
        return tuple(tuple(row) for row in self._rows)

    def _plug(self, slot: int, n: int) -> Plug:
        """How a slot's n-th charge happens, after the ones before it."""
        charges = self._rows[slot][: n + 1]
        return drive(self._rules, slot, self._routes[slot], charges).plugs[n]

    def _serve(self, slot: int, n: int) -> None:
        """Let a charge wait for a place, then last until it has given what it was meant to."""
        row, plug = self._rows[slot], self._plug(slot, n)
        wanted_j, free_s = plug.has_j, self._free_s[self._rows[slot][n].charger]
        while plug.from_s < free_s[0]:  # a longer wait can put a break before it
            row[n] = replace(row[n], wait_s=row[n].wait_s + free_s[0] - plug.from_s)
            plug = self._plug(slot, n)
        battery = self._rules.problem.slots[slot].battery
        if battery and plug.had_j is not None and wanted_j is not None:
            most_s, needed_s = (
                -((plug.had_j - target_j) // battery.charge_j_s)
                for target_j in (battery.capacity_j, wanted_j)
            )
            charge_s = max(row[n].charge_s, needed_s) if row[n].wait_s else row[n].charge_s
            row[n] = replace(row[n], charge_s=min(charge_s, most_s))
        heapq.heapreplace(free_s, plug.from_s + row[n].charge_s)


def _give_up_one(board: Board, rows: Charges, crowded: dict[int, Refusal]) -> bool:
    """Take the last refusable task from somebody who can't wait for a charger; False = nobody."""
    problem, rules = board.problem, Rules(board.problem)
    bound = {problem.request_numbers[id_] for id_ in problem.bound}
    for slot, row in enumerate(rows):
        route = board.routes()[slot]
        waits = [charge.charger for charge in row if charge.wait_s]
        free = [number for stop in route if (number := board.request(stop)) not in bound]
        visits = [board.visits[stop] for stop in route]
        if not waits or not free or not any(faults_of(drive(rules, slot, visits, row))):
            continue
        given_up = dict.fromkeys(reversed(free))
        for number in given_up:
            route = [stop for stop in route if board.request(stop) != number]
            facts = {"vehicle": problem.slots[slot].id, "charger": waits[0]}
            crowded[number] = Refusal("charger_taken", facts)
            if board.set(slot, route):
                break
        return True
    return False


def _take_in(board: Board, crowded: dict[int, Refusal]) -> bool:
    """Put in what only those kept out that have been given up; False = nothing."""
    before = board.placed()
    out = before | board.lost | crowded.keys()
    fill(board, [n for n in range(len(board.problem.requests)) if n not in out])
    return board.placed() != before
