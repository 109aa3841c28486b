"""Why a request is in no route: what each vehicle would need, or what it would cost there.

A reason is true: where one rule alone stands in the way, lifting it by the amount named lets the
request in. Where several do, ``also`` names the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from routing.refusal import Fact, Refusal
from routing.search.board import Board
from routing.search.miss import nearest_miss
from routing.search.work import CODES, NOT_ALLOWED

AMOUNTS: Mapping[str, str] = {
    "over_capacity": "over",
    "battery_range": "missing_m",
    "window_missed": "late_s",
    "shift_over": "over_s",
    "battery_low": "missing_j",
    "break_missed": "late_s",
}
"""What the amount of each code is called; the others are yes or no."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one vehicle says: ``extra`` = the price it would do it for, or the refusal."""

    vehicle: str
    extra: int | None
    refusal: Refusal | None
    rank: tuple[int, int, int]
    """The smaller, the nearer it came."""


def answers(board: Board, request: int) -> list[Answer]:
    """What each slot says to a request that is in no route, on top of the routes as they are."""
    return [_answer(board, slot, request) for slot in range(len(board.problem.slots))]


def reason(board: Board, request: int) -> Refusal:
    """Why a request is in no route: what stops the vehicle that comes nearest to taking it."""
    if request in board.lost:
        holder = board.problem.bound[board.problem.requests[request].id]
        return Refusal("promise_broken", {"vehicle": board.problem.slots[holder].id})
    best = min(answers(board, request), key=lambda answer: answer.rank)
    if best.refusal is not None:
        return best.refusal
    assert best.extra is not None
    price = board.problem.drop_price(board.problem.requests[request])
    return Refusal("too_costly", {"vehicle": best.vehicle, "extra": best.extra, "price": price})


def _answer(board: Board, slot: int, request: int) -> Answer:
    vehicle = board.problem.slots[slot].id
    if not board.flat.allowed[request, slot]:
        refusal = Refusal(CODES[NOT_ALLOWED], {"vehicle": vehicle})
        return Answer(vehicle, None, refusal, (2, 0, 0))
    missed = np.zeros(len(CODES), dtype=np.int64)
    extra = nearest_miss(board.flat, board.tour, slot, request, board.spot, missed)
    if not np.isinf(extra):
        return Answer(vehicle, round(extra), None, (0, round(extra), 0))
    broken = [code for code in range(1, len(CODES)) if missed[code] > 0]
    worst = broken[0]
    facts: dict[str, Fact] = {"vehicle": vehicle}
    if CODES[worst] in AMOUNTS:
        facts[AMOUNTS[CODES[worst]]] = int(missed[worst])
    if CODES[worst] == "over_capacity":
        facts["dimension"] = int(missed[0])
    if len(broken) > 1:
        facts["also"] = ", ".join(CODES[code] for code in broken[1:])
    amount = int(missed[broken].sum())
    return Answer(vehicle, None, Refusal(CODES[worst], facts), (1, len(broken), amount))
