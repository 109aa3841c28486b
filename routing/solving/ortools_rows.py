"""The rows of a routing model: what its slots are limited by, what they cost, and each request."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ortools.constraint_solver import pywrapcp

from routing.problems.problem import Problem, Request, Stop, Visit
from routing.solving.ortools_ways import Nodes

HORIZON_S = 10_000_000
"""Longest span of time in one model; less than `UNREACHABLE_S`, so such legs are never driven."""
ENDLESS = 2**50
"""More than the sum of anything but loads, energy and prices."""
LARGEST_PRICE = 2**59
"""Of all terms of one sort, for sums overflow silently: eight sorts fit into 64 bits."""

Types = pywrapcp.RoutingModel


def allowed(problem: Problem, request: Request) -> Sequence[int]:
    """Slots that may do a request."""
    holder = problem.bound.get(request.id)
    if holder is not None:
        return [holder]
    return range(len(problem.slots)) if request.allowed is None else request.allowed


class Rows:
    """A routing model with all its rows, not yet closed.

    Args:
        start: routes of the start plan, as numbers of nodes.

    Attributes:
        index: OR-Tools' number of each stop.
    """

    def __init__(self, nodes: Nodes, start: Sequence[Sequence[int]]) -> None:
        self.problem, self.nodes, self.start = nodes.problem, nodes, start
        self.base_s = min(slot.ready_s for slot in nodes.slots)
        self.ceiling = LARGEST_PRICE // (nodes.size + 1)
        self.manager = pywrapcp.RoutingIndexManager(
            nodes.size, len(nodes.slots), nodes.starts.tolist(), nodes.ends.tolist()
        )
        self.routing = pywrapcp.RoutingModel(self.manager)
        self.index: list[int] = [self.manager.NodeToIndex(n) for n in range(len(nodes.stops))]
        profiles = sorted({slot.profile for slot in nodes.slots})
        self.ways = {profile: nodes.ways(profile) for profile in profiles}
        self._add_times()
        self._add_prices()
        self._add_shares()
        self._add_changes()
        self._add_metres()
        self._add_loads()
        self._add_energy()
        self._add_breaks()
        self._add_requests()
        self._add_goods()
        self._lock_committed()

    # -- slots

    def _add_times(self) -> None:
        """Time, and once more if seconds have two prices: a stop has one soft bound in each."""
        slots, service_s = self.nodes.slots, self.nodes.service_s[:, None]
        rows = {p: self._matrix(seconds + service_s) for p, (seconds, _) in self.ways.items()}
        self.steps = [rows[slot.profile] for slot in slots]
        due = any(request.due_s is not None for request in self.nodes.requests)
        names = ["time", "flow"] if due and self.problem.weights.flow_s else ["time"]
        self.clocks = [self._clock(name) for name in names]
        self.time, self.flow = self.clocks[0], self.clocks[-1]
        for number, slot in enumerate(slots):
            if slot.shift_end_s is not None:
                end_s = max(slot.shift_end_s, slot.ready_s) - self.base_s
                self.time.CumulVar(self.routing.End(number)).SetMax(min(end_s, HORIZON_S))

    def _clock(self, name: str) -> Any:
        self.routing.AddDimensionWithVehicleTransits(self.steps, HORIZON_S, HORIZON_S, False, name)
        clock = self.routing.GetDimensionOrDie(name)
        for number, slot in enumerate(self.nodes.slots):
            clock.CumulVar(self.routing.Start(number)).SetValue(slot.ready_s - self.base_s)
        return clock

    def _add_prices(self) -> None:
        """Metres, and the use of a slot at all."""
        metre = min(self.problem.weights.metre, self.ceiling)
        rows = {
            profile: self._matrix(np.minimum(metre * metres, self.ceiling))
            for profile, (_, metres) in self.ways.items()
        }
        for number, slot in enumerate(self.nodes.slots):
            self.routing.SetArcCostEvaluatorOfVehicle(rows[slot.profile], number)
            self.routing.SetFixedCostOfVehicle(slot.price, number)

    def _add_shares(self) -> None:
        """The square of each slot's share of the requests."""
        nodes, count = self.nodes, len(self.nodes.requests)
        if not self.problem.weights.imbalance:
            return
        row = self._row([int(visit.stop == 0) for visit in nodes.visits])
        shares = self._sum("requests", [row] * len(nodes.slots), [count] * len(nodes.slots))
        price = min(self.problem.weights.imbalance, self.ceiling // (count + 1))
        for number in range(len(nodes.slots)):
            shares.SetQuadraticCostSoftSpanUpperBoundForVehicle(
                pywrapcp.BoundCost(0, price), number
            )

    def _add_changes(self) -> None:
        """Requests that another slot had in the last plan."""
        nodes, count = self.nodes, len(self.nodes.requests)
        last = [r.last_slot for r in nodes.owner]
        if not self.problem.weights.change or all(slot is None for slot in last):
            return
        firsts = [visit.stop == 0 for visit in nodes.visits]
        rows = [
            self._row([int(a and n not in (None, slot)) for a, n in zip(firsts, last, strict=True)])
            for slot in nodes.slot_numbers
        ]
        changes = self._sum("changes", rows, [count] * len(nodes.slots))
        changes.SetSpanCostCoefficientForAllVehicles(self.problem.weights.change)

    def _add_metres(self) -> None:
        slots = self.nodes.slots
        if any(slot.range_m is not None for slot in slots):
            rows = {profile: self._matrix(metres) for profile, (_, metres) in self.ways.items()}
            limits = [ENDLESS if slot.range_m is None else slot.range_m for slot in slots]
            self._sum("metres", [rows[slot.profile] for slot in slots], limits)

    def _add_loads(self) -> None:
        nodes = self.nodes
        for d in range(len(nodes.slots[0].capacity)):
            row = self._row([stop.load[d] for stop in nodes.stops])
            limits = [slot.capacity[d] for slot in nodes.slots]
            load = self._sum(f"load {d}", [row] * len(limits), limits, from_zero=False)
            for number, start in enumerate(nodes.load_at_start):
                load.CumulVar(self.routing.Start(number)).SetValue(start[d])

    def _add_energy(self) -> None:
        """What is in the battery now has to last; waiting takes from it, too."""
        nodes, routing = self.nodes, self.routing
        if all(slot.battery is None for slot in nodes.slots):
            return
        rows = [self._row([])] * len(nodes.slots)
        rates, limits = [0] * len(nodes.slots), [0] * len(nodes.slots)
        for number, slot in enumerate(nodes.slots):
            if slot.battery is not None:
                metres = self.ways[slot.profile][1]
                parts, rates[number], limits[number] = nodes.energy(number, metres)
                rows[number] = self._matrix(parts)
        used = self._sum("energy", rows, limits)
        if not any(rates):
            return
        busy_s = self._sum("busy", self.steps, [HORIZON_S] * len(nodes.slots))
        for number, (slot, rate) in enumerate(zip(nodes.slots, rates, strict=True)):
            end, ready_s = routing.End(number), slot.ready_s - self.base_s
            waited_s = self.time.CumulVar(end) - busy_s.CumulVar(end) - ready_s
            routing.solver().Add(used.CumulVar(end) + rate * waited_s <= limits[number])

    def _add_breaks(self) -> None:
        interval = self.routing.solver().FixedDurationIntervalVar
        service_s = self.nodes.service_s.tolist()
        for number, slot in enumerate(self.nodes.slots):
            breaks: list[Any] = []
            for pause in slot.breaks:
                low_s = max(pause.earliest_s, slot.ready_s) - self.base_s
                high_s = min(max(pause.latest_s, slot.ready_s) - self.base_s, HORIZON_S)
                if low_s <= high_s:
                    breaks.append(interval(low_s, high_s, pause.duration_s, False, "break"))
            if breaks:
                self.time.SetBreakIntervalsOfVehicle(breaks, number, service_s)

    def _lock_committed(self) -> None:
        for number, slot in enumerate(self.nodes.slots):
            here = self.routing.Start(number)
            for visit in slot.committed:
                stop = self.nodes.number.get(visit)
                if stop is not None and stop in self.start[number]:
                    self.routing.solver().Add(self.routing.NextVar(here) == self.index[stop])
                    here = self.index[stop]

    def _sum(self, name: str, rows: list[int], limits: list[int], *, from_zero: bool = True) -> Any:
        """Something that adds up on the way, up to a limit for each slot."""
        add = self.routing.AddDimensionWithVehicleTransitAndCapacity
        add(rows, 0, limits, from_zero, name)
        return self.routing.GetDimensionOrDie(name)

    def _row(self, row: list[int]) -> int:
        return self.routing.RegisterUnaryTransitVector(self.nodes.padded(row))

    def _matrix(self, square: NDArray[np.int64]) -> int:
        return self.routing.RegisterTransitMatrix(square.tolist())

    # -- requests

    def _add_requests(self) -> None:
        spots = (stop for route in self.start for stop in route)
        self.spot = {stop: spot for spot, stop in enumerate(spots)}
        self.position: Any = None
        if not all(_is_pair(request) for request in self.nodes.requests):
            self.routing.AddConstantDimension(1, self.nodes.size, True, "order")
            self.position = self.routing.GetDimensionOrDie("order").CumulVar
        for request in self.nodes.requests:
            stops = self._indexes(request)
            self._add_windows(request, stops)
            self._add_vehicles(request, stops)
            self._add_order(request, stops)

    def _indexes(self, request: Request) -> list[int]:
        numbers = self.nodes.number
        return [self.index[numbers[Visit(request.id, n)]] for n in range(len(request.stops))]

    def _add_windows(self, request: Request, stops: Sequence[int]) -> None:
        """When each stop may begin, and what it costs to be late, slow, or left out."""
        price = min(self.problem.drop_price(request), self.ceiling)
        spans = [self._spans(request, stop) for stop in request.stops]
        for n, (stop, open_s) in enumerate(zip(stops, spans, strict=True)):
            self.routing.AddDisjunction([stop], 0 if n else price)
            if not all(spans):
                self.routing.ActiveVar(stop).SetValue(0)
                continue
            for clock in self.clocks:
                at_s = clock.CumulVar(stop)
                at_s.SetRange(open_s[0][0], open_s[-1][1])
                for (_, until_s), (since_s, _) in pairwise(open_s):
                    at_s.RemoveInterval(until_s + 1, since_s - 1)
            if _may_be_last(request, n):
                self._add_lateness(request, request.stops[n], stop)

    def _spans(self, request: Request, stop: Stop) -> list[tuple[int, int]]:
        """When a service may begin, in the model's seconds, both ends included."""
        at_s = max(stop.earliest_s, request.release_s, self.base_s)
        until_s = self.base_s + HORIZON_S
        if stop.latest_s is not None and request.id not in self.problem.bound:
            until_s = min(until_s, stop.latest_s)
        spans: list[tuple[int, int]] = []
        for shut_s, open_s in (*stop.closed, (until_s + 1, until_s + 1)):
            last_s = min(shut_s - 1, until_s)
            if at_s <= last_s:
                spans.append((at_s - self.base_s, last_s - self.base_s))
            at_s = max(at_s, open_s)
        return spans

    def _add_lateness(self, request: Request, stop: Stop, index: int) -> None:
        ceiling, weights = self.ceiling // HORIZON_S, self.problem.weights
        if weights.flow_s:
            self.flow.SetCumulVarSoftUpperBound(index, 0, min(weights.flow_s, ceiling))
        if request.due_s is not None:
            due_s = max(0, request.due_s - stop.service_s - self.base_s)
            price = min(self.problem.late_price(request), ceiling)
            self.time.SetCumulVarSoftUpperBound(index, min(due_s, HORIZON_S), price)

    def _add_vehicles(self, request: Request, stops: Sequence[int]) -> None:
        """All stops by one vehicle that may, or none."""
        vehicle, nodes = self.routing.VehicleVar, self.nodes
        slots = set(allowed(self.problem, request))
        numbers = [number for number, n in enumerate(nodes.slot_numbers) if n in slots]
        if request.id not in self.problem.bound:
            numbers = [number for number in numbers if nodes.may_take(number, request.goods)]
        if len(numbers) < len(nodes.slots):
            for stop in stops:
                vehicle(stop).SetValues([-1, *numbers])
        for stop in stops[1:]:
            self.routing.solver().Add(vehicle(stops[0]) == vehicle(stop))

    def _add_order(self, request: Request, stops: Sequence[int]) -> None:
        if len(stops) == 2 and request.aboard is None:
            self.routing.AddPickupAndDelivery(stops[0], stops[1])
        elif self.position is not None:
            pairs = [] if request.aboard is not None else [(stops[0], stop) for stop in stops[1:]]
            if request.fixed_order or self._is_pinned(request):
                pairs = list(pairwise(self._in_turn(stops)))
            for before, after in pairs:
                self.routing.solver().Add(self.position(before) <= self.position(after))

    def _is_pinned(self, request: Request) -> bool:
        """Whether its drop-offs keep their order, for it must be known which is the last."""
        others = (*self.nodes.classes, None)
        return len(request.stops) > 2 and not all(
            self.nodes.may_share(request.goods, other) for other in others
        )

    def _in_turn(self, stops: Sequence[int]) -> list[int]:
        """Its stops in the order of the start plan."""
        return sorted(stops, key=lambda stop: self.spot.get(self.manager.IndexToNode(stop), stop))

    def _add_goods(self) -> None:
        """Goods that may not share a vehicle are never on board at the same time."""
        nodes, routing = self.nodes, self.routing
        classes = (*nodes.classes, None)
        pairs = [(a, b) for a in classes for b in classes if not nodes.may_share(a, b)]
        types: dict[int | None, int] = {}
        for request in nodes.requests if pairs else ():
            for stop, policy in self._policies(request):
                routing.SetVisitType(stop, types.setdefault(request.goods, len(types)), policy)
        for a, b in pairs:
            if a in types and b in types:  # OR-Tools writes out of bounds for a type of no stop
                routing.AddTemporalTypeIncompatibility(types[a], types[b])

    def _policies(self, request: Request) -> Iterator[tuple[int, Any]]:
        """What its stops change about the goods on board."""
        stops = self._in_turn(self._indexes(request))
        if request.goods is None and not any(any(stop.load) for stop in request.stops):
            return  # only loads and goods of a class are in a wash's way
        if request.aboard is not None:
            yield from ((stop, Types.TYPE_ON_VEHICLE_UP_TO_VISIT) for stop in stops)
        elif len(stops) == 1:
            yield stops[0], Types.TYPE_SIMULTANEOUSLY_ADDED_AND_REMOVED
        else:
            yield stops[0], Types.TYPE_ADDED_TO_VEHICLE
            yield stops[-1], Types.ADDED_TYPE_REMOVED_FROM_VEHICLE


def _is_pair(request: Request) -> bool:
    """Whether no order of its stops has to be said, other than pickup before delivery."""
    return len(request.stops) == 1 or (len(request.stops) == 2 and request.aboard is None)


def _may_be_last(request: Request, n: int) -> bool:
    if request.fixed_order:
        return n == len(request.stops) - 1
    return n > 0 or request.aboard is not None or len(request.stops) == 1
