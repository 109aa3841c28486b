"""How long driving takes: as measured where that is known, else as planned."""

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dispatcher.records.travel_times import TravelTimes
from dispatcher.traffic.kinds import rules_of
from fleet.vehicle import VehicleSpec
from routing.errors import Unreachable
from routing.roads.pace import Paced
from routing.roads.paths import UNREACHABLE_S, IntTable, Roads, Rules
from routing.site import NodeId, Role, Site


class RoadsOfKinds(Protocol):
    """The roads as they are now."""

    def by(self, rules: Rules) -> Roads:
        """Those of one kind of vehicle."""
        ...


class DrivingTimes:
    """Answers for all kinds of vehicles, kept until the roads change."""

    def __init__(self, site: Site, roads: RoadsOfKinds) -> None:
        self._site, self._roads = site, roads
        self._times: TravelTimes | None = None
        self._paced: dict[Rules, Paced] = {}
        self._ratios: Mapping[str, float] = {}
        self._edition = 0

    def forget(self) -> None:
        """The roads are not as they were."""
        self._paced.clear()

    def learn_from(self, times: TravelTimes) -> None:
        """Count with measured driving times in `times` and `expected_s`."""
        self._times = times

    def times(self, rules: Rules, nodes: Sequence[NodeId | None]) -> IntTable:
        """Expected whole seconds between all pairs of nodes, like `Roads.times`."""
        return (self._paced_now(rules) or self._roads.by(rules)).times(nodes)

    def washed(self, rules: Rules, nodes: Sequence[NodeId | None]) -> tuple[IntTable, IntTable]:
        """Whole seconds and metres like `times`, over the station that is best for each pair.

        Its service is in them. Behind it the vehicle is clean: no other one is needed on the way
        out of the zone that it lies in.
        """
        stations = self._site.with_role(Role.DECONTAMINATION)
        every = [*nodes, *(place.node for place in stations)]
        roads, count = self._roads.by(rules), len(nodes)
        if not stations or not nodes:
            nowhere = ((UNREACHABLE_S,) * count,) * count
            return nowhere, nowhere
        times = np.array(self.times(rules, every), dtype=np.int64)
        metres = np.array(roads.lengths(every), dtype=np.int64)
        planned = np.array(roads.times(every), dtype=np.int64)
        clean = np.array([[_clean_s(roads, p.node, node) for node in nodes] for p in stations])
        service = np.array([math.ceil(place.service_s) for place in stations])
        late = times[count:, :count] - planned[count:, :count]
        onward = np.maximum(0, clean + late) + service[:, None]
        total = times[:count, count:, None] + onward[None]
        best = total.argmin(axis=1)[:, None]
        way_m = metres[:count, count:, None] + metres[None, count:, :count]
        return _table(np.take_along_axis(total, best, 1)), _table(
            np.take_along_axis(way_m, best, 1)
        )

    def from_to_s(self, rules: Rules, start: NodeId | None, goal: NodeId | None) -> int:
        """One entry of `times`."""
        paced = self._paced_now(rules)
        return (
            paced.seconds(start, goal)
            if paced
            else self._roads.by(rules).whole_seconds(start, goal)
        )

    def expected_s(self, spec: VehicleSpec, start: NodeId, goal: NodeId) -> float:
        """How long a vehicle is expected to take; raises Unreachable."""
        rules = rules_of(spec)
        paced = self._paced_now(rules)
        if paced is None:
            return self._roads.by(rules).seconds(start, goal)
        seconds = paced.seconds(start, goal)
        if seconds >= UNREACHABLE_S:
            raise Unreachable(start, goal)
        return float(seconds)

    def _paced_now(self, rules: Rules) -> Paced | None:
        times = self._times
        if times is None:
            return None
        if times.edition() != self._edition:
            self._edition, self._ratios = times.edition(), times.ratios()
            for paced in self._paced.values():
                paced.set(self._ratios)
        if not self._ratios:
            return None
        if rules not in self._paced:
            self._paced[rules] = Paced(self._roads.by(rules), times.road)
            self._paced[rules].set(self._ratios)
        return self._paced[rules]


def _clean_s(roads: Roads, station: NodeId, node: NodeId | None) -> int:
    """From a station, having been through it."""
    if node is None:
        return UNREACHABLE_S
    try:
        return math.ceil(roads.seconds(station, node, clean_start=True))
    except Unreachable:
        return UNREACHABLE_S


def _table(one_station: NDArray[np.int64]) -> IntTable:
    """Sums over one station each as a table; whatever holds an unreachable leg is unreachable."""
    rows = np.minimum(one_station[:, 0], UNREACHABLE_S).tolist()
    return tuple(tuple(row) for row in rows)
