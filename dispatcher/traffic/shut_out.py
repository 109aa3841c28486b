"""Tasks that must wait for an hour: lanes on their way are shut to their goods, or to all."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dispatcher.domain.stops import TaskStop
from dispatcher.traffic.hours import Goods, Hours
from dispatcher.traffic.roadbook import RoadBook
from fleet.vehicle import VehicleSpec
from routing.errors import Unreachable
from routing.refusal import Refusal
from routing.site import NodeId, Site

SLACK_S = 300.0
"""Nothing is begun that could not be so late at any of its stops: lifts and people take time."""


@dataclass(frozen=True, slots=True)
class Start:
    """From where and when a vehicle could set out for a task."""

    spec: VehicleSpec
    node: NodeId
    at_s: float


class ShutOut:
    """Looks whether somebody could come through at all stops of a task without waiting."""

    def __init__(self, site: Site, roads: RoadBook, hours: Hours) -> None:
        self._site = site
        self._roads = roads
        self._hours = hours

    def why_wait(self, stops: Sequence[TaskStop], starts: Sequence[Start]) -> Refusal | None:
        """Why it can't be begun now, if that is for the windows of lanes; None = it is not.

        Where no hour of the day to come is any better, the windows are not why.
        """
        if any(self._comes_through(stops, start, 0.0) for start in starts):
            return None
        for later_s in self._hours.changes(min((s.at_s for s in starts), default=0.0)):
            if any(self._comes_through(stops, start, later_s) for start in starts):
                return self._refusal(stops, starts, later_s)
        return None

    def begins_s(self, stops: Sequence[TaskStop], start: Start) -> float:
        """When a vehicle could set out and come through at all stops; infinity = never in a day."""
        for later_s in (0.0, *self._hours.changes(start.at_s)):
            if self._comes_through(stops, start, later_s):
                return start.at_s + later_s
        return math.inf

    def _comes_through(self, stops: Iterable[TaskStop], start: Start, later_s: float) -> bool:
        here, at_s, goods = start.node, start.at_s + later_s, Goods()
        try:
            for stop in stops:
                there = self._node(stop)
                way = self._roads.way_at(start.spec, here, there, goods, at_s)
                if self._roads.met(start.spec, way.edges, goods, at_s + SLACK_S) is not None:
                    return False
                here, at_s = there, at_s + way.seconds + stop.service_s
                goods |= frozenset(stop.taken)
        except Unreachable:
            return False
        return True

    def _refusal(
        self, stops: Iterable[TaskStop], starts: Sequence[Start], later_s: float
    ) -> Refusal | None:
        """What is shut on the way that one of them would take, and when they may set out."""
        for start in starts:
            here, at_s, goods = start.node, start.at_s, Goods()
            for stop in stops:
                there = self._node(stop)
                roads = self._roads.of(start.spec, goods_on_board=bool(goods))
                try:
                    way = roads.shortest(here, there, clean_start=True)
                except Unreachable:
                    break
                moments = (at_s, at_s + SLACK_S)
                found = (self._roads.met(start.spec, way.edges, goods, one) for one in moments)
                met = next((one for one in found if one is not None), None)
                if met is not None:
                    return self._hours.refusal(met[0], start.at_s + later_s)
                here, at_s = there, at_s + way.seconds + stop.service_s
                goods |= frozenset(stop.taken)
        return None

    def _node(self, stop: TaskStop) -> NodeId:
        if stop.place is None:
            raise Unreachable("the ground", "the air")
        return self._site.places[stop.place].node
