"""Doors and lifts that are out of service: nobody is sent there, and a person is told."""

from collections.abc import Callable

from dispatcher.records.alerts import Alerts, Severity
from dispatcher.traffic.traffic import Traffic
from fleet.facility import Facilities
from routing.site import DoorId, LaneId, LiftId, Site

CODES = ("lift_out_of_service", "door_out_of_service", "air_lock_open")


class Outages:
    """Keeps the roads to what machines say of themselves.

    Args:
        changed: called when there are other roads now.
    """

    def __init__(
        self,
        site: Site,
        facilities: Facilities,
        traffic: Traffic,
        alerts: Alerts,
        changed: Callable[[], None],
    ) -> None:
        self._site = site
        self._facilities = facilities
        self._traffic = traffic
        self._alerts = alerts
        self._changed = changed
        self._lanes: dict[DoorId | LiftId, frozenset[LaneId]] = {}
        facilities.on_service(self._heard)

    def _heard(self, machine: DoorId | LiftId, serves: bool) -> None:
        if serves:
            self._lanes.pop(machine, None)
            for code in CODES:
                self._alerts.clear(code, thing=machine)
        else:
            self._lanes[machine] = self._lanes_of(machine)
            self._open_alert(machine)
        out = (lane for lanes in self._lanes.values() for lane in lanes)
        self._traffic.detours.set_out(frozenset(out))
        self._changed()

    def _open_alert(self, machine: DoorId | LiftId) -> None:
        why = self._facilities.why_not(machine)
        if machine in self._site.lifts:
            self._alerts.open("lift_out_of_service", Severity.HIGH, lift=machine)
        elif why is not None and why.code == "air_lock_open":
            self._alerts.open(why.code, Severity.HIGH, door=machine, by=why.facts["by"])
        else:
            self._alerts.open("door_out_of_service", Severity.HIGH, door=machine)

    def _lanes_of(self, machine: DoorId | LiftId) -> frozenset[LaneId]:
        """The lanes that lead through a door, or through and into a lift."""
        if machine in self._site.doors:
            return frozenset(lane.id for lane in self._site.lanes.values() if lane.door == machine)
        cabins = set(self._site.lifts[LiftId(machine)].cabins.values())
        return frozenset(
            edge.lane.id
            for edges in self._site.edges_from.values()
            for edge in edges
            if edge.lane.lift == machine or edge.end in cabins
        )
