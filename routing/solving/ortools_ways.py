"""What a routing model is told about its nodes: seconds, metres, energy, and which goods may meet.

A way in the model depends on its two ends alone. What it really depends on as well, goods on
board and goods carried before, is assumed from the safe side: a leg that may be a loaded one, or
may lead over a wash, takes the longer of the two times.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from routing.problems.problem import Problem, Request, Slot, Table, Visit
from routing.roads.paths import UNREACHABLE_S

Square = NDArray[np.int64]
Mask = NDArray[np.bool_]

FINE = 2**30
"""A battery's energy is counted in about so many parts, or in joules if it holds less."""


class Nodes:
    """The nodes of a model: all stops of its requests, then a start and an end for each slot.

    Args:
        slots: numbers of those that take part.
        requests: the same.
    """

    def __init__(self, problem: Problem, slots: Sequence[int], requests: Sequence[int]) -> None:
        self.problem = problem
        self.slot_numbers = list(slots)
        self.slots: list[Slot] = [problem.slots[n] for n in slots]
        self.requests: list[Request] = [problem.requests[n] for n in requests]
        self.visits = [Visit(r.id, n) for r in self.requests for n in range(len(r.stops))]
        self.number = {visit: number for number, visit in enumerate(self.visits)}
        self.stops = [stop for request in self.requests for stop in request.stops]
        self.owner = [request for request in self.requests for _ in request.stops]
        self.size = len(self.stops) + 2 * len(self.slots)
        self.starts = np.arange(len(self.slots)) + len(self.stops)
        self.ends = self.starts + len(self.slots)
        starts = [slot.start for slot in self.slots]
        ends = [-1 if slot.end is None else slot.end for slot in self.slots]
        self._places = np.array([*(stop.node for stop in self.stops), *starts, *ends])
        self.service_s = np.array(self.padded([stop.service_s for stop in self.stops]))
        self.load_at_start = [load_at_start(problem, n) for n in slots]
        self._carried = [_carried(problem, n) for n in slots]

    def padded(self, row: list[int]) -> list[int]:
        """A number for each stop, and 0 for starts and ends."""
        return [*row, *[0] * (self.size - len(row))]

    def ways(self, profile: int) -> tuple[Square, Square]:
        """Seconds (without service) and metres between all nodes, for slots of one profile."""
        tables = self.problem.profiles[profile]
        seconds, metres = self._square(tables.seconds), self._square(tables.metres)
        if tables.loaded_s is not None:
            loaded_s = self._square(tables.loaded_s)
            maybe = self._maybe_loaded(profile) & (loaded_s < UNREACHABLE_S)
            seconds = np.where(maybe, np.maximum(seconds, loaded_s), seconds)
            seconds = np.where(self._surely_loaded, loaded_s, seconds)
        surely, maybe = self._washes
        if tables.washed_s is not None and tables.washed_m is not None:
            washed_s, washed_m = self._square(tables.washed_s), self._square(tables.washed_m)
            seconds = np.where(maybe, np.maximum(seconds, washed_s), seconds)
            metres = np.where(maybe, np.maximum(metres, washed_m), metres)
            seconds, metres = (
                np.where(surely, washed_s, seconds),
                np.where(surely, washed_m, metres),
            )
        else:
            seconds = np.where(surely, UNREACHABLE_S, seconds)
        return np.where(metres >= UNREACHABLE_S, UNREACHABLE_S, seconds), metres

    def energy(self, number: int, metres: Square) -> tuple[Square, int, int]:
        """What legs and services take from one slot's battery, and the limit of their sum.

        The way from an open end to the nearest charger is part of the last leg.

        Returns:
            Parts of the battery for each leg, for one second of waiting, and all there are.
        """
        battery = self.slots[number].battery
        assert battery is not None
        budget_j = max(0, battery.now_j - battery.reserve_j)
        part_j = max(1, budget_j // FINE)
        used_j = battery.per_m_j * metres.astype(np.float64)
        last_m = self._to_charger(number)
        used_j[: len(last_m), self.ends[number]] += battery.per_m_j * last_m
        used_j += battery.per_s_j * self.service_s[:, None]
        used_j[self.starts, self.ends] = 0
        parts = np.ceil(np.minimum(used_j / part_j, 4 * FINE)).astype(np.int64)
        return parts, min(-(-battery.per_s_j // part_j), 4 * FINE), budget_j // part_j

    def _to_charger(self, number: int) -> NDArray[np.float64]:
        """Metres from each stop, as the last one of a route, to the nearest charger."""
        slot, here = self.slots[number], self.slot_numbers[number]
        chargers = [c.node for c in self.problem.chargers if c.slots is None or here in c.slots]
        if slot.end is not None or not chargers:
            return np.zeros(len(self.stops))
        metres = np.array(self.problem.profiles[slot.profile].metres, dtype=np.float64)
        nearest: NDArray[np.float64] = metres[:, chargers].min(axis=1)
        return nearest[self._places[: len(self.stops)]]

    def _square(self, table: Table) -> Square:
        """A travel table over the nodes: open ends are near, and who is idle stays where it is."""
        square = np.array(table, dtype=np.int64)[np.ix_(self._places, self._places)]
        square[:, self._places < 0] = 0
        square[self.starts, self.ends] = 0
        return square

    # -- goods

    @cached_property
    def classes(self) -> list[int]:
        """All classes of goods of the problem, also of what takes no part in the model."""
        asked = {request.goods for request in self.problem.requests}
        carried = {goods for slot in self.problem.slots for goods in slot.carried}
        return sorted(goods for goods in asked | carried if goods is not None)

    def may_share(self, one: int | None, other: int | None) -> bool:
        """Whether two classes of goods (None = a load of none) may be on board at the same time.

        Stricter than the rules where these ask for a wash between the two.
        """
        goods = self.problem.goods
        if goods is None or (one is None and other is None):
            return True
        if one is None or other is None:
            picky = other if one is None else one
            return not self._wash_after[:, picky].any()
        washed = self._wash_after[one, other] or self._wash_after[other, one]
        return goods.share[one][other] and not washed

    def may_take(self, number: int, goods: int | None) -> bool:
        """Whether a slot could take such goods on board, having carried what it has.

        Without a station, nothing ever takes that away.
        """
        washable = self.problem.profiles[self.slots[number].profile].washed_s is not None
        return washable or goods is None or not self._must_wash(number, goods)

    def _must_wash(self, number: int, goods: int) -> bool:
        """Whether a slot has to be washed for such goods, if they are its first."""
        rules = self.problem.goods
        return rules is not None and not all(rules.follow[c][goods] for c in self._carried[number])

    @cached_property
    def _wash_after(self) -> Mask:
        """Row = what was picked up last, column = what is picked up now: the leg leads over a wash.

        That holds for all that was carried before, too: a class may follow another one only if it
        may also follow all that the other one may. Equal to the rules if these are transitive,
        else stricter.
        """
        rules = () if self.problem.goods is None else self.problem.goods.follow
        after = np.zeros((len(rules), len(rules)), dtype=np.bool_)
        for old in self.classes if rules else ():
            for new in self.classes:
                kept = all(rules[c][new] for c in self.classes if rules[c][old])
                after[old, new] = not (rules[old][new] and kept)
        return after

    @cached_property
    def _washes(self) -> tuple[Mask, Mask]:
        """Legs to a pickup that lead over a wash, and those that may: from goods of no class."""
        surely, maybe = self._nowhere(), self._nowhere()
        old = np.array([-1 if r.goods is None else r.goods for r in self.owner], dtype=np.int64)
        for n, (request, visit) in enumerate(zip(self.owner, self.visits, strict=True)):
            new = request.goods if visit.stop == 0 and request.aboard is None else None
            if new is None or not self._wash_after[:, new].any():
                continue
            after = self._wash_after[:, new]
            surely[: len(old), n] = (old >= 0) & after[old]
            maybe[: len(old), n] = old < 0
            count = len(self.slots)
            surely[self.starts, n] = [self._must_wash(number, new) for number in range(count)]
        return surely, maybe

    # -- loads

    @cached_property
    def _surely_loaded(self) -> Mask:
        """Legs from a pickup, to a drop-off, and from a start with a load on board."""
        mask = self._nowhere()
        count = len(self.stops)
        mask[:count] = np.array([_is_pickup(stop.load) for stop in self.stops])[:, None]
        mask[:, :count] |= np.array([any(n < 0 for n in stop.load) for stop in self.stops])
        mask[self.starts] = np.array([any(load) for load in self.load_at_start])[:, None]
        return mask

    def _maybe_loaded(self, profile: int) -> Mask:
        """Legs between stops with which another load may be on board."""
        mask = self._nowhere()
        count = len(self.stops)
        mask[:count, :count] = True
        if not self._two_fit(profile):
            pairs = zip(self.owner, self.visits, strict=True)
            mask[:count][[len(r.stops) == 2 and v.stop == 1 for r, v in pairs]] = False
        return mask

    def _two_fit(self, profile: int) -> bool:
        """Whether some slot of the profile may have room for the loads of two requests."""
        stops = [stop for request in self.problem.requests for stop in request.stops]
        loads = [stop.load for stop in stops if _is_pickup(stop.load)]
        least = [min(amounts) for amounts in zip(*loads, strict=True)]
        return any(
            all(2 * amount <= limit for amount, limit in zip(least, slot.capacity, strict=False))
            for slot in self.problem.slots
            if slot.profile == profile
        )

    def _nowhere(self) -> Mask:
        return np.zeros((self.size, self.size), dtype=np.bool_)


def _is_pickup(load: tuple[int, ...]) -> bool:
    return any(amount > 0 for amount in load)


def load_at_start(problem: Problem, slot: int) -> list[int]:
    """What a slot has on board at the start, per dimension."""
    loads = [stop.load for r in problem.requests if r.aboard == slot for stop in r.stops]
    nothing = [0 for _ in problem.slots[slot].capacity]
    return [-sum(amounts) for amounts in zip(*loads, strict=True)] or nothing


def _carried(problem: Problem, slot: int) -> set[int]:
    """Classes of goods that a slot has carried since its last wash, or has on board."""
    aboard = {r.goods for r in problem.requests if r.aboard == slot and r.goods is not None}
    return aboard.union(problem.slots[slot].carried)
