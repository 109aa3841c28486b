"""Watching the fleet: whose words mean that somebody must know, or that a plan no longer holds."""

from collections.abc import Callable, Mapping

from dispatcher.alerts import Alerts, Severity
from dispatcher.traffic import Traffic
from dispatcher.worker import Worker
from fleet.roster import Roster
from fleet.vehicle import Mode, VehicleId, VehicleState
from fleet.vehicle import Severity as ErrorSeverity


class FleetWatch:
    """Compares each vehicle's word with its last one, and acts on the difference.

    Args:
        changed: called with a vehicle whose fitness has changed.
    """

    def __init__(
        self,
        roster: Roster,
        workers: Mapping[VehicleId, Worker],
        traffic: Traffic,
        alerts: Alerts,
        changed: Callable[[VehicleId], None],
    ) -> None:
        self._roster = roster
        self._workers = workers
        self._traffic = traffic
        self._alerts = alerts
        self._changed = changed
        self._fit: dict[VehicleId, bool] = {}

    def look(self, vehicle: VehicleId) -> None:
        """One vehicle has said something, or should have."""
        state = self._roster[vehicle].state()
        if self._fit.get(vehicle) == state.fit:
            return
        first = vehicle not in self._fit
        self._fit[vehicle] = state.fit
        self._tell(vehicle, state, first=first)
        if self._traffic.knows(vehicle):
            self._traffic.set_stuck(vehicle, not state.fit)
        self._changed(vehicle)

    def look_at_all(self) -> None:
        """Silence is a word too: look at every vehicle."""
        for vehicle in self._roster:
            self.look(vehicle.spec.id)

    def _tell(self, vehicle: VehicleId, state: VehicleState, *, first: bool) -> None:
        if state.fit:
            for code in ("vehicle_fault", "vehicle_offline", "vehicle_manual"):
                self._alerts.clear(code, vehicle=vehicle)
        elif not state.online:
            if not first or state.heard_at_s is not None:
                airborne = state.airborne
                severity = Severity.CRITICAL if airborne else Severity.HIGH
                self._alerts.open("vehicle_offline", severity, vehicle=vehicle)
        elif state.safety_stop:
            self._alerts.open("safety_stop", Severity.CRITICAL, vehicle=vehicle)
        elif state.mode is not Mode.AUTOMATIC:
            self._alerts.open("vehicle_manual", Severity.NOTICE, vehicle=vehicle)
        else:
            worst = next(e for e in state.errors if e.severity is ErrorSeverity.FATAL)
            self._alerts.open("vehicle_fault", Severity.HIGH, vehicle=vehicle, why=worst.code)
