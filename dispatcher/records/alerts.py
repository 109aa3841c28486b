"""Alerts: what a person should know or do, one entry for each cause."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from dispatcher.domain.emergencies import EmergencyId
from dispatcher.domain.incidents import IncidentId
from dispatcher.domain.road_rules import RuleId
from dispatcher.domain.task import TaskId
from dispatcher.errors import NotFound
from fleet.clock import Clock
from fleet.vehicle import VehicleId
from routing.refusal import Fact
from routing.site import DoorId, LaneId, LiftId, WorkcellId

THINGS = ("lane", "lift", "door", "workcell", "rule", "emergency", "incident", "breach")
"""Facts that tell two alerts of one code apart."""
Thing = LaneId | LiftId | DoorId | WorkcellId | RuleId | EmergencyId | IncidentId


class Severity(StrEnum):
    """How much it matters, the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    NOTICE = "notice"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One cause for concern; repeats of it are counted, not listed."""

    id: str
    code: str
    severity: Severity
    facts: Mapping[str, Fact]
    vehicle: VehicleId | None
    task: TaskId | None
    since_s: float
    count: int = 1
    acknowledged_by: str | None = None
    cleared_s: float | None = None


class Alerts:
    """All alerts of this run; tells ``changed`` of each new one and each change.

    Args:
        changed: called with the alert as it is now.
        keep: how many cleared ones are remembered.
    """

    def __init__(self, clock: Clock, changed: Callable[[Alert], None], *, keep: int = 200) -> None:
        self._clock = clock
        self._changed = changed
        self._keep = keep
        self._alerts: dict[str, Alert] = {}
        self._number = 0

    def all(self) -> list[Alert]:
        """All that are remembered, the oldest first."""
        return list(self._alerts.values())

    def open(
        self,
        code: str,
        severity: Severity,
        *,
        vehicle: VehicleId | None = None,
        task: TaskId | None = None,
        **facts: Fact,
    ) -> bool:
        """Raise an alert; False = it is open already, and was counted once more."""
        alert = self._find(code, vehicle, task, _thing(facts))
        if alert is not None:
            self._put(replace(alert, count=alert.count + 1, facts=facts))
            return False
        self._number += 1
        self._put(
            Alert(
                id=f"A-{self._number:05d}",
                code=code,
                severity=severity,
                facts=facts,
                vehicle=vehicle,
                task=task,
                since_s=self._clock.now_s(),
            )
        )
        self._forget()
        return True

    def is_open(
        self, code: str, *, vehicle: VehicleId | None = None, task: TaskId | None = None
    ) -> bool:
        """Whether this cause is known and has not gone."""
        return self._find(code, vehicle, task, None) is not None

    def is_open_for(self, code: str, thing: Fact) -> bool:
        """Whether a cause about a thing of its own is known and has not gone."""
        return self._find(code, None, None, thing) is not None

    def clear(
        self,
        code: str,
        *,
        vehicle: VehicleId | None = None,
        task: TaskId | None = None,
        thing: Thing | None = None,
    ) -> bool:
        """The cause is gone; False = there was no such alert."""
        alert = self._find(code, vehicle, task, thing)
        if alert is None:
            return False
        self._put(replace(alert, cleared_s=self._clock.now_s()))
        return True

    def acknowledge(self, alert: str, by: str) -> Alert:
        """A person has seen it; NotFound if it is not there."""
        if alert not in self._alerts:
            raise NotFound("alert", alert)
        self._put(replace(self._alerts[alert], acknowledged_by=by))
        return self._alerts[alert]

    def _find(self, *cause: Fact | None) -> Alert | None:
        for alert in self._alerts.values():
            its = alert.code, alert.vehicle, alert.task, _thing(alert.facts)
            if alert.cleared_s is None and its == cause:
                return alert
        return None

    def _put(self, alert: Alert) -> None:
        self._alerts[alert.id] = alert
        self._changed(alert)

    def _forget(self) -> None:
        cleared = [a.id for a in self._alerts.values() if a.cleared_s is not None]
        for old in cleared[: max(0, len(cleared) - self._keep)]:
            del self._alerts[old]


def _thing(facts: Mapping[str, Fact]) -> Fact | None:
    """What an alert is about besides a vehicle and a task."""
    return next((facts[kind] for kind in THINGS if kind in facts), None)
