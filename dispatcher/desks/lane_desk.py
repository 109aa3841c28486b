"""Where people close single lanes and open them again."""

from collections.abc import Callable, Mapping

from dispatcher.desks.road_desk import RoadDesk
from dispatcher.errors import FieldFault, NotFound, Refused
from dispatcher.records.alerts import Alerts, Severity
from dispatcher.records.book import TaskBook
from dispatcher.traffic.traffic import Traffic
from fleet.clock import Clock
from routing.refusal import Refusal
from routing.site import LaneId, Site


class LaneDesk:
    """Closures; each is on disk before anybody drives by it.

    Args:
        rules: may keep a lane closed, too.
        poke: has it planned anew.
    """

    def __init__(
        self,
        site: Site,
        clock: Clock,
        traffic: Traffic,
        book: TaskBook,
        alerts: Alerts,
        rules: RoadDesk,
        poke: Callable[[], None],
    ) -> None:
        self._site, self._clock = site, clock
        self._traffic, self._rules = traffic, rules
        self._book, self._alerts = book, alerts
        self._poke = poke

    async def close_lane(self, lane: LaneId, *, until_s: float | None) -> None:
        """Close a lane: nobody is sent into it any more; NotFound."""
        if lane not in self._site.lanes:
            raise NotFound("lane", lane)
        until = None if until_s is None else self._clock.to_utc(until_s)
        await self._book.note("lane_closed", lane=lane, until=until)
        self._close(lane, until_s)
        self._poke()

    async def open_lane(self, lane: LaneId) -> None:
        """Open a lane again; NotFound, and Refused where it was a rule that closed it."""
        if lane not in self._site.lanes:
            raise NotFound("lane", lane)
        rule = self._rules.closing(lane)
        if rule is not None and lane not in self._traffic.roads.closed:
            reason = Refusal("closed_by_rule", {"value": lane, "rule": rule.id})
            raise Refused([FieldFault("closed", reason, f"lift the road rule {rule.id}")])
        await self._book.note("lane_opened", lane=lane)
        self._traffic.detours.open(lane)
        self._alerts.clear("lane_closed", thing=lane)
        self._poke()

    async def open_what_is_due(self, now_s: float) -> None:
        """Open the lanes whose closures are over."""
        for lane, until_s in self._traffic.roads.closed.items():
            if until_s is not None and until_s <= now_s:
                await self.open_lane(lane)

    def restore(self, closed: Mapping[LaneId, float | None]) -> None:
        """Take up what was closed before a restart, each until a loop second."""
        for lane, until_s in closed.items():
            if lane in self._site.lanes:
                self._close(lane, until_s)

    def _close(self, lane: LaneId, until_s: float | None) -> None:
        self._traffic.detours.close(lane, until_s)
        self._alerts.open("lane_closed", Severity.NOTICE, lane=lane)
