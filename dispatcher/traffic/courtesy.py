"""Passengers first: in some hours a lift rests between rides of robots, so that people get it."""

from collections.abc import Sequence
from datetime import tzinfo

from fleet.clock import Clock
from routing.site import Edge, LiftId, Site

LONGEST_S = 300.0
"""A robot that had a lift for longer than this was stuck in it; that is not paid back."""


class Courtesy:
    """How long each lift rests after it has carried a robot.

    A ride of ``used`` seconds is followed by ``used * (1 - share) / share`` seconds without
    robots, so they have the lift for ``share`` of the time at the most, and never twice in a row
    if anybody has called it meanwhile.

    Args:
        zone: where the site's days begin and end.
    """

    def __init__(self, site: Site, clock: Clock, zone: tzinfo) -> None:
        self._site = site
        self._clock = clock
        self._zone = zone
        self._since_s: dict[LiftId, float] = {}
        self._until_s: dict[LiftId, float] = {}

    def granted(self, edges: Sequence[Edge]) -> None:
        """A robot has been granted these edges; its time in a lift begins."""
        lift = self._entered(edges)
        if lift is not None:
            self._since_s[lift] = self._clock.now_s()

    def passed(self, edge: Edge) -> None:
        """A robot has driven an edge; if that was out of a lift, the lift rests."""
        lift = self._site.lift_at.get(edge.start)
        if lift is None or edge.end in lift.cabins.values():
            return
        now_s = self._clock.now_s()
        used_s = min(now_s - self._since_s.pop(lift.id, now_s), LONGEST_S)
        first = lift.passengers
        if first is not None:
            self._until_s[lift.id] = now_s + used_s * (1 - first.share) / first.share

    def rests(self, edges: Sequence[Edge]) -> LiftId | None:
        """The lift that edges to be granted lead into, if it rests now."""
        lift = self._entered(edges)
        now_s = self._clock.now_s()
        if lift is None or now_s >= self._until_s.get(lift, now_s):
            return None
        first = self._site.lifts[lift].passengers
        return lift if first is not None and first.at(self._clock_s()) else None

    def _entered(self, edges: Sequence[Edge]) -> LiftId | None:
        for edge in edges:
            lift = self._site.lift_at.get(edge.end)
            if lift is not None and edge.start not in lift.cabins.values():
                return lift.id
        return None

    def _clock_s(self) -> float:
        here = self._clock.now().astimezone(self._zone)
        return here.hour * 3600 + here.minute * 60 + here.second
