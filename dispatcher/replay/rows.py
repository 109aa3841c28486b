"""How tasks, vehicles and alerts are written in a recording: plain values, and back.

Moments are whole milliseconds since the recording's clock began. A value that is as it was in the
row before is left out of the next one.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from dispatcher.domain.task import (
    Priority,
    Spec,
    Task,
    TaskId,
    TaskState,
)
from dispatcher.domain.views import Activity, VehicleView
from dispatcher.records.alerts import Alert, Severity
from dispatcher.records.rows import LEG, SPECS
from fleet.clock import Clock
from fleet.mission import Waypoint
from fleet.vehicle import Position, VehicleError, VehicleSpec, VehicleState
from fleet.vehicle import Severity as ErrorSeverity
from routing.geometry import Point
from routing.refusal import Refusal
from routing.site import LevelId, NodeId, PlaceId, Site, Zone

Row = dict[str, Any]

_NAMES = {
    "task": "kind spec priority state created earliest due requester note vehicle stops_done eta "
    "ended reason leg",
    "vehicle": "activity waiting_for tasks goal route zone in_service online heard charge loads "
    "errors",
    "alert": "code severity facts vehicle task since count by cleared",
}
COLUMNS: Mapping[str, frozenset[str]] = {
    kind: frozenset(names.split()) for kind, names in _NAMES.items()
}
"""What a row of each kind of thing holds."""
OPTIONAL = frozenset({"leg"})
"""Columns that only some things have, and no recording of former versions."""

_VEHICLE: TypeAdapter[VehicleSpec] = TypeAdapter(VehicleSpec)


class Rows:
    """Writes and reads the rows of one recording.

    Args:
        clock: its loop second zero is the recording's.
    """

    def __init__(self, site: Site, clock: Clock) -> None:
        self._site, self._clock = site, clock

    def ms(self, at_s: float) -> int:
        """A loop second as the recording's milliseconds."""
        return round((at_s - self._clock.loop_s) * 1000)

    def seconds(self, at_ms: float) -> float:
        """The recording's milliseconds as a loop second."""
        return at_ms / 1000 + self._clock.loop_s

    def _opt_ms(self, at_s: float | None) -> int | None:
        return None if at_s is None else self.ms(at_s)

    def _opt_s(self, at_ms: int | None) -> float | None:
        return None if at_ms is None else self.seconds(at_ms)

    # --- tasks ---

    def of_task(self, task: Task) -> Row:
        """A task as a row."""
        return {
            "kind": task.kind.value,
            "spec": SPECS[task.kind].dump_python(task.spec, mode="json"),
            "priority": task.priority.value,
            "state": task.state.value,
            "created": self.ms(task.created_s),
            "earliest": self.ms(task.earliest_s),
            "due": self.ms(task.due_s),
            "requester": task.requester,
            "note": task.note,
            "vehicle": task.vehicle,
            "stops_done": task.stops_done,
            "eta": self._opt_ms(task.eta_s),
            "ended": self._opt_ms(task.ended_s),
            "reason": _of_refusal(task.reason),
            **({} if task.leg is None else {"leg": LEG.dump_python(task.leg, mode="json")}),
        }

    def task(self, id_: str, row: Row) -> Task:
        """The task that a row holds."""
        spec: Spec = SPECS[row["kind"]].validate_python(row["spec"])
        return Task(
            id=TaskId(id_),
            spec=spec,
            priority=Priority(row["priority"]),
            state=TaskState(row["state"]),
            created_s=self.seconds(row["created"]),
            earliest_s=self.seconds(row["earliest"]),
            due_s=self.seconds(row["due"]),
            requester=row["requester"],
            note=row["note"],
            vehicle=row["vehicle"],
            stops_done=row["stops_done"],
            eta_s=self._opt_s(row["eta"]),
            ended_s=self._opt_s(row["ended"]),
            reason=_refusal(row["reason"]),
            leg=LEG.validate_python(row["leg"]) if "leg" in row else None,
        )

    # --- alerts ---

    def of_alert(self, alert: Alert) -> Row:
        """An alert as a row."""
        return {
            "code": alert.code,
            "severity": alert.severity.value,
            "facts": dict(alert.facts),
            "vehicle": alert.vehicle,
            "task": alert.task,
            "since": self.ms(alert.since_s),
            "count": alert.count,
            "by": alert.acknowledged_by,
            "cleared": self._opt_ms(alert.cleared_s),
        }

    def alert(self, id_: str, row: Row) -> Alert:
        """The alert that a row holds."""
        return Alert(
            id=id_,
            code=row["code"],
            severity=Severity(row["severity"]),
            facts=dict(row["facts"]),
            vehicle=row["vehicle"],
            task=row["task"],
            since_s=self.seconds(row["since"]),
            count=row["count"],
            acknowledged_by=row["by"],
            cleared_s=self._opt_s(row["cleared"]),
        )

    # --- vehicles ---

    def of_vehicle(self, view: VehicleView) -> Row:
        """What screens are shown of a vehicle, but for its position, as a row.

        When it was last heard is written only of one that is not heard any more.
        """
        state = view.state
        return {
            "activity": view.activity.value,
            "waiting_for": _of_refusal(view.waiting_for),
            "tasks": list(view.tasks),
            "goal": view.goal,
            "route": [self._of_waypoint(waypoint) for waypoint in view.route],
            "zone": view.zone.name.lower(),
            "in_service": view.in_service,
            "online": state.online,
            "heard": None if state.online else self._opt_ms(state.heard_at_s),
            "charge": None if state.charge_ratio is None else round(state.charge_ratio, 3),
            "loads": list(state.loads),
            "errors": [[e.code, e.severity.value, e.text] for e in state.errors],
        }

    def vehicle(
        self, spec: VehicleSpec, row: Row, position: Position | None, now_s: float
    ) -> VehicleView:
        """What screens are shown of a vehicle at a moment."""
        online: bool = row["online"]
        return VehicleView(
            spec=spec,
            state=VehicleState(
                heard_at_s=now_s if online else self._opt_s(row["heard"]),
                online=online,
                position=position,
                charge_ratio=row["charge"],
                errors=tuple(
                    VehicleError(code=code, severity=ErrorSeverity(severity), text=text)
                    for code, severity, text in row["errors"]
                ),
                loads=tuple(row["loads"]),
            ),
            activity=Activity(row["activity"]),
            waiting_for=_refusal(row["waiting_for"]),
            tasks=tuple(row["tasks"]),
            goal=None if row["goal"] is None else PlaceId(row["goal"]),
            route=tuple(self._waypoint(item) for item in row["route"]),
            zone=Zone[row["zone"].upper()],
            in_service=row["in_service"],
        )

    def _of_waypoint(self, waypoint: Waypoint) -> str | list[Any]:
        """Its node, where that says all; else all of it."""
        node, point = self._site.nodes.get(waypoint.node), waypoint.point
        if node is not None and (node.level, node.point) == (waypoint.level, point):
            return waypoint.node
        return [waypoint.node, waypoint.level, round(point.x_m, 2), round(point.y_m, 2)]

    def _waypoint(self, item: str | list[Any]) -> Waypoint:
        if isinstance(item, str):
            node = self._site.nodes[NodeId(item)]
            return Waypoint(node=node.id, level=node.level, point=node.point)
        node_id, level, x_m, y_m = item
        return Waypoint(node=NodeId(node_id), level=LevelId(level), point=Point(x_m, y_m))


def of_spec(spec: VehicleSpec) -> Row:
    """A vehicle's unchanging facts as a row; the same for the same vehicle."""
    row: Row = _VEHICLE.dump_python(spec, mode="json")
    return {k: sorted(v) if isinstance(v, list) else v for k, v in row.items()}


def spec_of(row: Row) -> VehicleSpec:
    """The unchanging facts of the vehicle ``row["id"]``. Raises ValidationError."""
    return _VEHICLE.validate_python(row)


def difference(old: Row | None, new: Row) -> Row:
    """What is in ``new`` and was not in ``old``."""
    if old is None:
        return new
    return {key: value for key, value in new.items() if old[key] != value}


def _of_refusal(refusal: Refusal | None) -> list[Any] | None:
    return None if refusal is None else [refusal.code, dict(refusal.facts)]


def _refusal(item: list[Any] | None) -> Refusal | None:
    if item is None:
        return None
    code, facts = item
    return Refusal(str(code), dict(facts))
