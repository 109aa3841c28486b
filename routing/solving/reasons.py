"""Why a request is in no route: what each vehicle would need, or what it would cost there.

A reason is true: lifting it by the amount that it names lets the request in, unless ``also`` names
what else stands in the way. To be sure of that, it is lifted and the vehicle asked again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from routing.refusal import Fact, Refusal
from routing.search.board import Board
from routing.search.flat import (
    BREAKS,
    BREAKS_END,
    CAPACITY,
    FULL,
    LATEST,
    NOW,
    RANGE,
    SHIFT_END,
    Flat,
    Small,
)
from routing.search.miss import nearest_miss
from routing.search.work import (
    BATTERY_LOW,
    BREAK_MISSED,
    CODES,
    MAY_NOT_SHARE,
    NOT_ALLOWED,
    NOWHERE,
    OUT_OF_RANGE,
    OVER_CAPACITY,
    SHIFT_OVER,
    UNREACHABLE,
    UNWASHED,
    WINDOW_MISSED,
)

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


@dataclass(frozen=True, slots=True, order=True)
class _Look:
    """A first look at what a slot would need: the smaller, the nearer it came."""

    kind: int
    """0 = it can, 1 = something is in the way, 2 = it may not."""
    rules: int
    amount: int
    slot: int


class Reasons:
    """Asks why requests are in no route, on top of the routes as they are on the board."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._missed = np.zeros(len(CODES), dtype=np.int64)
        self._dimension = 0

    def answer(self, slot: int, request: int) -> Answer:
        """What a slot says to a request that is in no route."""
        look = self._look(slot, request)
        vehicle = self._board.problem.slots[slot].id
        if look.kind == 0:
            return Answer(vehicle, look.amount, None)
        return Answer(vehicle, None, self._refusal(slot, request))

    def reason(self, request: int) -> Refusal:
        """What stops the vehicle that comes nearest to taking a request."""
        problem = self._board.problem
        if request in self._board.lost:
            holder = problem.bound[problem.requests[request].id]
            return Refusal("promise_broken", {"vehicle": problem.slots[holder].id})
        nearest = min(self._look(slot, request) for slot in range(len(problem.slots)))
        if nearest.kind > 0:
            return self._refusal(nearest.slot, request)
        vehicle = problem.slots[nearest.slot].id
        price = problem.drop_price(problem.requests[request])
        facts = {"vehicle": vehicle, "extra": nearest.amount, "price": price}
        return Refusal("too_costly", facts)

    def _look(self, slot: int, request: int) -> _Look:
        if not self._board.flat.allowed[request, slot]:
            return _Look(2, 0, 0, slot)
        extra = self._ask(self._board.flat, slot, request)
        if not np.isinf(extra):
            return _Look(0, 0, round(extra), slot)
        amounts = self._missed[1:]
        return _Look(1, int(np.count_nonzero(amounts)), int(amounts.sum()), slot)

    def _ask(self, flat: Flat, slot: int, request: int) -> float:
        """The price, or infinity and what is missed."""
        self._missed[:] = 0
        tour, spot = self._board.tour, self._board.spot
        return float(nearest_miss(flat, tour, slot, request, spot, self._missed))

    def _refusal(self, slot: int, request: int) -> Refusal:
        """The first rule in the way and its amount, then what else there is once it is lifted."""
        flat, facts = self._board.flat, dict[str, Fact](vehicle=self._board.problem.slots[slot].id)
        need, first, also = self._need(flat, slot, request), NOT_ALLOWED, set[int]()
        if flat.allowed[request, slot]:
            first = min(need)
            if CODES[first] in AMOUNTS:
                facts[AMOUNTS[CODES[first]]] = need[first]
            if first == OVER_CAPACITY:
                facts["dimension"] = self._dimension
            flat = self._lifted(flat, slot, {first: need[first]})
            need = self._need(flat, slot, request)
        for _ in CODES:  # once or twice, unless much is hidden behind ways that aren't there
            if not need:
                break
            also |= need.keys()
            flat = self._lifted(flat, slot, need)
            need = self._need(flat, slot, request)
        if also:
            facts["also"] = ", ".join(CODES[code] for code in sorted(also))
        return Refusal(CODES[first], facts)

    def _need(self, flat: Flat, slot: int, request: int) -> dict[int, int]:
        """By how much each rule is in the way; nothing = it can be done."""
        if not np.isinf(self._ask(flat, slot, request)):
            return {}
        self._dimension, *amounts = self._missed.tolist()
        need = {code: amount for code, amount in enumerate(amounts, 1) if amount}
        if BATTERY_LOW in need:
            fuller = self._lifted(flat, slot, {BATTERY_LOW: need[BATTERY_LOW]})
            extra = self._ask(fuller, slot, request)
            if np.isinf(extra) and self._missed[BATTERY_LOW]:  # no way leads to a charger
                del need[BATTERY_LOW]
                need[UNREACHABLE] = 1
        return need

    def _lifted(self, flat: Flat, slot: int, need: Mapping[int, int]) -> Flat:
        """The same problem with some rules lifted, by the amounts that are needed."""
        slots, stops, batteries, barred = (
            table.copy() for table in (flat.slots, flat.stops, flat.batteries, flat.barred)
        )
        for code, amount in need.items():
            if code == OVER_CAPACITY:
                slots[slot, CAPACITY + self._dimension] += amount
            elif code == OUT_OF_RANGE:
                slots[slot, RANGE] += amount
            elif code == SHIFT_OVER:
                slots[slot, SHIFT_END] += amount
            elif code == WINDOW_MISSED:
                stops[:, LATEST] += amount
            elif code == BATTERY_LOW:
                batteries[slot, FULL] += amount
                batteries[slot, NOW] += amount
            elif code == BREAK_MISSED:
                slots[slot, BREAKS_END] = slots[slot, BREAKS]
            elif code == UNWASHED:
                barred[0] = 0
            elif code == MAY_NOT_SHARE:
                barred[1] = 0
        lifted = flat._replace(slots=slots, stops=stops, batteries=batteries, barred=barred)
        return lifted._replace(**self._ways) if UNREACHABLE in need else lifted

    @cached_property
    def _ways(self) -> dict[str, Small]:
        """All travel tables, as if there were ways everywhere."""
        flat = self._board.flat
        names = ("seconds", "metres", "loaded", "washed_s", "washed_m")
        tables: list[Small] = [getattr(flat, name) for name in names]
        return {
            name: np.where(table >= NOWHERE, np.int32(0), table)
            for name, table in zip(names, tables, strict=True)
        }


def answers(board: Board, request: int) -> list[Answer]:
    """What each slot says to a request that is in no route, on top of the routes as they are."""
    reasons = Reasons(board)
    return [reasons.answer(slot, request) for slot in range(len(board.problem.slots))]
