"""The spots that a plan goes to, and how long the ways between them take: its travel tables."""

import numpy as np
from numpy.typing import NDArray

from dispatcher.domain.stops import Handling, TaskStop, stops_of
from dispatcher.domain.task import Task
from dispatcher.traffic.kinds import loaded, rules_of
from dispatcher.traffic.roadbook import RoadBook
from fleet.vehicle import Medium, VehicleSpec
from routing.geometry import Point, middle
from routing.problems.problem import Profile
from routing.roads.paths import UNREACHABLE_S, Rules
from routing.site import AirspaceId, NodeId, Role, Site

FLIGHT_OVERHEAD_S = 60
"""Taking off, climbing, coming down and landing."""
DETOUR = 1.2
"""How much longer than straight a flight is taken to be."""


class Spots:
    """Nodes, patrol areas as ``area:ID``, and what else is seen from the air as ``area:x,y``."""

    def __init__(self, site: Site, roads: RoadBook, handling: Handling) -> None:
        self._site, self._roads, self._handling = site, roads, handling

    def spot(self, stop: TaskStop) -> str:
        """The word for a stop's place among the rows of the travel matrices."""
        if stop.place is not None:
            return self._site.places[stop.place].node
        if stop.area is not None:
            return f"area:{stop.area}"
        nodes = self._site.nodes
        over = [nodes[self._site.places[place].node].point for place in stop.over]
        centre = middle(over or (stop.drawn.outline if stop.drawn is not None else ()))
        return f"area:{centre.x_m:.1f},{centre.y_m:.1f}"

    def node(self, spot: str) -> NodeId | None:
        """A spot on the ground; None = no road leads there."""
        return NodeId(spot) if spot in self._site.nodes else None

    def point(self, spot: str) -> Point:
        """Where a spot is; the middle of it, for an area."""
        if spot in self._site.nodes:
            return self._site.nodes[NodeId(spot)].point
        where = spot.removeprefix("area:")
        if AirspaceId(where) in self._site.airspaces:
            return middle(self._site.airspaces[AirspaceId(where)].outline)
        x, _, y = where.partition(",")
        return Point(float(x), float(y))

    def seconds_to(self, task: Task, spec: VehicleSpec, node: NodeId) -> float:
        """How long a vehicle takes from a node to a task's first stop, which it can get to."""
        ways = (NodeId(self.spot(stops_of(task, self._handling)[0])), node)
        return float(self.profile((spec.medium, rules_of(spec)), ways).seconds[1][0])

    def profile(
        self, kind: tuple[Medium, Rules], spots: tuple[str, ...], *, washes: bool = False
    ) -> Profile:
        """Seconds and metres between all pairs of spots, in the air or by road.

        Args:
            washes: with the ways over a decontamination station.
        """
        medium, rules = kind
        if medium is Medium.AIR:
            return self._flown(rules, spots)
        return self._driven(rules, spots, washes=washes)

    def _driven(self, rules: Rules, spots: tuple[str, ...], *, washes: bool) -> Profile:
        """By road; spots that no road leads to are unreachable."""
        nodes = [self.node(spot) for spot in spots]
        washed_s, washed_m = self._roads.driving.washed(rules, nodes) if washes else (None, None)
        return Profile(
            seconds=self._roads.driving.times(rules, nodes),
            metres=self._roads.by(rules).lengths(nodes),
            loaded_s=self._roads.driving.times(loaded(rules), nodes),
            washed_s=washed_s,
            washed_m=washed_m,
        )

    def _flown(self, rules: Rules, spots: tuple[str, ...]) -> Profile:
        """Through the air: straight lines, made a little longer for what has to be flown around."""
        points = np.array([(p.x_m, p.y_m) for p in map(self.point, spots)]).reshape(-1, 2)
        apart = points[:, None, :] - points[None, :, :]
        metres: NDArray[np.float64] = np.hypot(apart[..., 0], apart[..., 1]) * DETOUR
        seconds = metres / rules.speed_m_s + FLIGHT_OVERHEAD_S * (metres > 0)
        nowhere = [n for n, spot in enumerate(spots) if not self._can_land(spot)]
        seconds[nowhere, :] = seconds[:, nowhere] = UNREACHABLE_S
        metres[nowhere, :] = metres[:, nowhere] = UNREACHABLE_S
        return Profile.of(np.ceil(seconds).astype(np.int64), np.ceil(metres).astype(np.int64))

    def _can_land(self, spot: str) -> bool:
        places = self._site.places_at.get(NodeId(spot), ())
        return spot.startswith("area:") or any(Role.PAD in place.roles for place in places)
