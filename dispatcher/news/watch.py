"""Watching the fleet: whose words mean that somebody must know, or that a plan no longer holds."""

from collections.abc import Callable, Mapping

from dispatcher.records.alerts import Alerts, Severity
from dispatcher.traffic.traffic import Traffic
from dispatcher.work.worker import Worker
from fleet.roster import Roster
from fleet.vehicle import Breach, Mode, VehicleId, VehicleState, Weight
from fleet.vehicle import Severity as ErrorSeverity

SAFETY_STOP = "safety_stop"
"""Where it ended a mission, its alert stays until a person lets the vehicle go on."""
ASLEEP = "vehicle_asleep"
"""No trouble that anybody must know of, though it can't be given missions."""
TROUBLES = ("vehicle_fault", "vehicle_offline", "vehicle_manual")
"""Alerts that end with their cause."""


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
        self._trouble: dict[VehicleId, str] = {}
        self._breaches: dict[VehicleId, tuple[Breach, ...]] = {}
        self._seen: dict[VehicleId, VehicleState] = {}

    def look(self, vehicle: VehicleId) -> None:
        """One vehicle has said something, or should have."""
        state = self._roster[vehicle].state()
        if state.last_node is not None and self._traffic.knows(vehicle):
            # where it stands may be news only now that its drive has ended
            self._traffic.found(vehicle, state.last_node, state.position)
        if state is self._seen.get(vehicle):
            return
        self._seen[vehicle] = state
        if state.breaches is not self._breaches.get(vehicle, ()):
            self._blame(vehicle, state.breaches)
        trouble, before = _trouble(state), self._trouble.get(vehicle)
        if trouble == before:
            return
        self._trouble[vehicle] = trouble
        self._tell(vehicle, state, trouble)
        if before is not None and bool(trouble) == bool(before):
            return
        if self._traffic.knows(vehicle):
            self._traffic.set_stuck(vehicle, vehicle not in self._workers or not state.fit)
        self._changed(vehicle)

    def look_at_all(self) -> None:
        """Silence is a word too: look at every vehicle."""
        for vehicle in self._roster:
            self.look(vehicle.spec.id)

    def _blame(self, vehicle: VehicleId, breaches: tuple[Breach, ...]) -> None:
        """Name what is new; who can't be led is set aside, each time that it does it."""
        known = {breach.rule: breach.count for breach in self._breaches.get(vehicle, ())}
        self._breaches[vehicle] = breaches
        for breach in breaches:
            if breach.rule not in known:
                borne = breach.weight is Weight.BORNE
                severity = Severity.NOTICE if borne else Severity.HIGH
                self._alerts.open(
                    "non_conformant",
                    severity,
                    vehicle=vehicle,
                    breach=breach.rule,
                    why=breach.rule,
                    what=breach.detail,
                )
            worker = self._workers.get(vehicle)
            again = breach.count > known.get(breach.rule, 0)
            if breach.weight is Weight.GRAVE and again and worker is not None:
                worker.set_aside(breach.rule)

    def _tell(self, vehicle: VehicleId, state: VehicleState, trouble: str) -> None:
        """Open the alert for a trouble, and clear those for others."""
        for code in TROUBLES:
            if code != trouble:
                self._alerts.clear(code, vehicle=vehicle)
        worker = self._workers.get(vehicle)
        if trouble != SAFETY_STOP and not (worker is not None and worker.stood_down):
            self._alerts.clear(SAFETY_STOP, vehicle=vehicle)
        if trouble == SAFETY_STOP:
            self._alerts.open(trouble, Severity.CRITICAL, vehicle=vehicle)
        elif trouble == "vehicle_offline":
            severity = Severity.CRITICAL if state.airborne else Severity.HIGH
            self._alerts.open(trouble, severity, vehicle=vehicle)
        elif trouble == "vehicle_manual":
            self._alerts.open(trouble, Severity.NOTICE, vehicle=vehicle)
        elif trouble and trouble != ASLEEP:
            worst = next(e for e in state.errors if e.severity is ErrorSeverity.FATAL)
            self._alerts.open(trouble, Severity.HIGH, vehicle=vehicle, why=worst.code)


def _trouble(state: VehicleState) -> str:
    """Why a vehicle can't be given missions, as the code of an alert; empty = it can."""
    if state.fit:
        return ""
    if state.asleep:
        return ASLEEP
    if not state.online:
        return "vehicle_offline"
    if state.safety_stop:
        return SAFETY_STOP
    return "vehicle_fault" if state.mode is Mode.AUTOMATIC else "vehicle_manual"
