"""Who is caught by a lift that stops: it steps out, or a person is told that it is shut in."""

import asyncio
from collections.abc import Callable, Iterable

from dispatcher.records.alerts import Alerts, Severity
from dispatcher.traffic.traffic import Traffic
from fleet.clock import Clock
from fleet.facility import Facilities
from fleet.vehicle import VehicleId
from routing.site import LiftId, Site

LOOK_S = 10.0
"""How often it is looked who is shut in."""
PATIENCE_S = 20.0
"""A lift that ends its ride has opened its doors by then."""
CODE = "shut_in_lift"


class ShutIn:
    """One alert for each vehicle that stands in a cabin which does not move, with its doors shut.

    Args:
        vehicles: those that drive on the ground.
        step_back: called with each that can still turn back before the lift, or out of it.
        leave_to_others: called once for each: what it has not fetched yet is another's task.
    """

    def __init__(
        self,
        site: Site,
        clock: Clock,
        vehicles: Iterable[VehicleId],
        traffic: Traffic,
        facilities: Facilities,
        alerts: Alerts,
        *,
        step_back: Callable[[VehicleId], object],
        leave_to_others: Callable[[VehicleId, LiftId], None],
    ) -> None:
        self._site, self._clock = site, clock
        self._vehicles = tuple(vehicles)
        self._traffic = traffic
        self._facilities = facilities
        self._alerts = alerts
        self._step_back, self._leave_to_others = step_back, leave_to_others
        self._since_s: dict[VehicleId, float] = {}
        self._told: dict[VehicleId, LiftId] = {}

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()

    def look(self) -> None:
        """Lead out who is not shut in; open an alert for who is for long, until it is not."""
        now_s = self._clock.now_s()
        for vehicle in self._traffic.caught():
            self._step_back(vehicle)
        inside = self._inside()
        for vehicle in [one for one in self._since_s if one not in inside]:
            del self._since_s[vehicle]
            if vehicle in self._told:
                self._alerts.clear(CODE, vehicle=vehicle, thing=self._told.pop(vehicle))
        for vehicle, lift in inside.items():
            since_s = self._since_s.setdefault(vehicle, now_s)
            if vehicle not in self._told and now_s - since_s >= PATIENCE_S:
                self._told[vehicle] = lift
                self._alerts.open(CODE, Severity.HIGH, vehicle=vehicle, lift=lift)
                self._leave_to_others(vehicle, lift)

    def _inside(self) -> dict[VehicleId, LiftId]:
        """Who stands in a lift that is shut."""
        shut = [lift for lift in self._site.lifts.values() if self._facilities.stands_shut(lift.id)]
        lifts = {cabin: lift.id for lift in shut for cabin in lift.cabins.values()}
        if not lifts:
            return {}
        known = [one for one in self._vehicles if self._traffic.knows(one)]
        inside = {one: lifts.get(self._traffic.stand(one)) for one in known}
        return {one: lift for one, lift in inside.items() if lift is not None}
