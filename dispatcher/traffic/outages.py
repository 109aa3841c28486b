"""Doors and lifts that are out of service: nobody is sent there, and a person is told."""

from collections.abc import Callable

from dispatcher.records.alerts import Alerts, Severity
from dispatcher.traffic.traffic import Traffic
from fleet.facility import Facilities
from fleet.vehicle import VehicleId
from routing.site import DoorId, LaneId, LiftId, Site

CODES = ("lift_out_of_service", "door_out_of_service", "air_lock_open")


class Outages:
    """Keeps the roads to what machines say of themselves.

    Args:
        turn_back: called with each that is on a way that can't be driven on.
        changed: called when there are other roads now.
    """

    def __init__(
        self,
        site: Site,
        facilities: Facilities,
        traffic: Traffic,
        alerts: Alerts,
        *,
        turn_back: Callable[[VehicleId], None],
        changed: Callable[[], None],
    ) -> None:
        self._site = site
        self._facilities = facilities
        self._traffic = traffic
        self._alerts = alerts
        self._turn_back, self._changed = turn_back, changed
        self._lanes: dict[DoorId | LiftId, frozenset[LaneId]] = {}
        facilities.on_service(self._heard)

    def _heard(self, machine: DoorId | LiftId, serves: bool) -> None:
        if serves:
            self._lanes.pop(machine, None)
            for code in CODES:
                self._alerts.clear(code, thing=machine)
        else:
            if machine not in self._lanes:
                self._open_alert(machine)
            self._lanes[machine] = self._lanes_of(machine)
        out = frozenset(lane for lanes in self._lanes.values() for lane in lanes)
        lifts = frozenset(lift for lift in self._site.lifts if lift in self._lanes)
        for vehicle in self._traffic.detours.set_out(out, lifts):
            self._turn_back(vehicle)
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
        """The lanes that lead through a door, or into, through and out of a lift.

        Where a lift stands open, whoever is in it may leave it: such lanes are in no way's way.
        """
        lanes = self._site.lanes.values()
        if machine in self._site.doors:
            return frozenset(lane.id for lane in lanes if lane.door == machine)
        lift = self._site.lifts[LiftId(machine)]
        stands_open = self._facilities.opens_to(lift.id)
        cabins = set(lift.cabins.values())
        shut = {cabin for level, cabin in lift.cabins.items() if level != stands_open}
        return frozenset(
            lane.id
            for lane in lanes
            if lane.lift == machine
            or (lane.end in cabins and not lane.two_way)
            or {lane.start, lane.end} & shut
        )
