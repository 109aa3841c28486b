"""What the API says of tasks, vehicles and alerts: the JSON shapes, and how they are filled."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from dispatcher.domain.task import (
    AreaParts,
    Delivery,
    Disinfection,
    Medicine,
    Patrol,
    Spec,
    Task,
    VisitOrder,
)
from dispatcher.domain.views import VehicleView
from dispatcher.errors import FieldFault
from dispatcher.records.alerts import Alert
from dispatcher.records.journal import Event
from fleet.clock import Clock
from fleet.vehicle import Breach, Medium
from routing.refusal import Refusal
from routing.site import Site


class View(BaseModel):
    """Base of all that is sent out."""

    model_config = ConfigDict(frozen=True)


class ReasonOut(View):
    """A "no" or a "not yet": screens have the sentence for the code."""

    code: str
    facts: dict[str, Any]


class LegOut(View):
    """Which leg of one delivery a task is: 1 ends at the pad ``via``, 2 goes on from there."""

    number: int
    other: str
    via: str


class TaskOut(View):
    """One task."""

    id: str
    kind: str
    state: str
    priority: str
    item: str
    origin: str | None = Field(serialization_alias="from")
    to: list[str]
    spec: dict[str, Any]
    created_at: datetime
    earliest_at: datetime
    due_at: datetime
    eta_at: datetime | None
    ended_at: datetime | None
    late: bool
    vehicle: str | None
    stops_done: int
    stops_total: int
    reason: ReasonOut | None
    requester: str
    note: str
    leg: LegOut | None = None


class EventOut(View):
    """One thing that happened to a task."""

    at: datetime
    event: str
    vehicle: str | None
    facts: dict[str, Any]


class TaskDetail(TaskOut):
    """One task with all that happened to it."""

    timeline: list[EventOut]


class TasksPage(View):
    """Some tasks, the newest first; ``next`` is the cursor of the next page."""

    tasks: list[TaskOut]
    next: int | None
    total: int


class ErrorOut(View):
    """One thing that a vehicle complains of."""

    code: str
    severity: str
    text: str


class BreachOut(View):
    """One rule of its protocol that a vehicle has broken since the program started."""

    rule: str
    words: str
    weight: str
    count: int
    first_ago_s: float
    last_ago_s: float
    detail: str


class VehicleOut(View):
    """One vehicle."""

    id: str
    name: str
    medium: str
    kind: str
    make: str
    home: str
    activity: str
    waiting_for: ReasonOut | None
    online: bool
    age_s: float | None
    level: str | None
    x_m: float | None
    y_m: float | None
    yaw_rad: float | None
    height_agl_m: float | None
    charge_ratio: float | None
    tasks: list[str]
    goal: str | None
    route: list[tuple[str, float, float]]
    zone: str
    errors: list[ErrorOut]
    loads: list[str]
    skills: list[str]
    in_service: bool
    breaches: list[BreachOut] = []


class AlertOut(View):
    """One cause for concern."""

    id: str
    code: str
    severity: str
    facts: dict[str, Any]
    vehicle: str | None
    task: str | None
    since: datetime
    count: int
    acknowledged_by: str | None
    cleared_at: datetime | None


class FaultOut(View):
    """What is wrong with one field, and what to send instead."""

    field: str
    code: str
    facts: dict[str, Any]
    remedy: str


def task_out(task: Task, site: Site, clock: Clock) -> TaskOut:
    """A task as it stands."""
    return TaskOut(**_task_values(task, site, clock))


def task_detail(task: Task, events: list[Event], site: Site, clock: Clock) -> TaskDetail:
    """A task and its timeline."""
    timeline = [
        EventOut(
            at=clock.to_utc(event.at_s),
            event=event.kind,
            vehicle=event.vehicle,
            facts=dict(event.facts),
        )
        for event in events
    ]
    return TaskDetail(**_task_values(task, site, clock), timeline=timeline)


def vehicle_out(view: VehicleView, now_s: float) -> VehicleOut:
    """A vehicle as people see it."""
    spec, state, position = view.spec, view.state, view.state.position
    return VehicleOut(
        id=spec.id,
        name=spec.name,
        medium=spec.medium.value,
        kind=spec.kind,
        make=spec.make,
        home=spec.home,
        activity=view.activity.value,
        waiting_for=_reason(view.waiting_for),
        online=state.online,
        age_s=age_s(view, now_s),
        level=position.level if position else None,
        x_m=round(position.point.x_m, 2) if position else None,
        y_m=round(position.point.y_m, 2) if position else None,
        yaw_rad=round(position.yaw_rad, 3) if position else None,
        height_agl_m=round(position.height_agl_m, 2) if position else None,
        charge_ratio=None if state.charge_ratio is None else round(state.charge_ratio, 3),
        tasks=list(view.tasks),
        goal=view.goal,
        route=[(w.level, round(w.point.x_m, 2), round(w.point.y_m, 2)) for w in view.route],
        zone=view.zone.name.lower(),
        errors=[ErrorOut(code=e.code, severity=e.severity, text=e.text) for e in state.errors],
        loads=list(state.loads),
        skills=sorted(spec.skills),
        in_service=view.in_service,
        breaches=[_breach_out(breach, now_s) for breach in state.breaches],
    )


def _breach_out(breach: Breach, now_s: float) -> BreachOut:
    return BreachOut(
        rule=breach.rule,
        words=breach.words,
        weight=breach.weight.value,
        count=breach.count,
        first_ago_s=round(max(0.0, now_s - breach.first_s), 1),
        last_ago_s=round(max(0.0, now_s - breach.last_s), 1),
        detail=breach.detail,
    )


def age_s(view: VehicleView, now_s: float) -> float | None:
    """How long ago a vehicle was last heard, in seconds; None = never."""
    heard_at_s = view.state.heard_at_s
    return None if heard_at_s is None else round(max(0.0, now_s - heard_at_s), 1)


def alert_out(alert: Alert, clock: Clock) -> AlertOut:
    """An alert as it stands."""
    return AlertOut(
        id=alert.id,
        code=alert.code,
        severity=alert.severity.value,
        facts=dict(alert.facts),
        vehicle=alert.vehicle,
        task=alert.task,
        since=clock.to_utc(alert.since_s),
        count=alert.count,
        acknowledged_by=alert.acknowledged_by,
        cleared_at=None if alert.cleared_s is None else clock.to_utc(alert.cleared_s),
    )


def fault_out(fault: FieldFault) -> FaultOut:
    """A wrong field."""
    return FaultOut(
        field=fault.field,
        code=fault.reason.code,
        facts=dict(fault.reason.facts),
        remedy=fault.remedy,
    )


def asked(spec: Spec) -> dict[str, Any]:
    """A specification in the words of a request: asking for this again gives the like task."""
    match spec:
        case Delivery():
            return {
                "item": spec.item,
                "goods": spec.goods.value,
                "from": spec.origin,
                "to": list(spec.drop_offs),
                "mass_kg": spec.mass_g / 1000,
                "volume_l": spec.volume_ml / 1000,
                "by": spec.by.value if spec.by else None,
            }
        case Medicine():
            return {
                "item": spec.item,
                "from": spec.origin,
                "to": spec.destination,
                "recipient_role": spec.recipient_role,
                "mass_kg": spec.mass_g / 1000,
                "volume_l": spec.volume_ml / 1000,
                "controlled": spec.controlled,
            }
        case Patrol():
            return {
                "area": spec.area,
                "points": list(spec.points),
                "rounds": spec.rounds,
                "dwell_s": spec.dwell_s,
                **_more_of(spec),
            }
        case Disinfection():
            return {
                "room": spec.room,
                "method": spec.method.value,
                "dose_mj_cm2": spec.dose_mj_cm2,
            }


def _more_of(spec: Patrol) -> dict[str, Any]:
    """What only some patrols have."""
    found: dict[str, Any] = {}
    if spec.drawn is not None:
        found["outline"] = [[p.x_m, p.y_m] for p in spec.drawn.outline]
    if spec.by is not None:
        found["by"] = spec.by.value
    if spec.order is not VisitOrder.GIVEN:
        found["order"] = spec.order.value
    if spec.revisit_s is not None:
        found["revisit_s"] = spec.revisit_s
    return found


def is_late(task: Task, now_s: float) -> bool:
    """Whether it ended too late, or will, as far as is known now."""
    if task.state.ended:
        return (task.ended_s or 0.0) > task.due_s
    return max(now_s, task.eta_s or 0.0) > task.due_s


def _task_values(task: Task, site: Site, clock: Clock) -> dict[str, Any]:
    item, origin, to, stops = _walk(task.spec, site)
    return {
        "id": task.id,
        "kind": task.kind.value,
        "state": task.state.value,
        "priority": task.priority.value,
        "item": item,
        "origin": origin,
        "to": to,
        "spec": asked(task.spec),
        "created_at": clock.to_utc(task.created_s),
        "earliest_at": clock.to_utc(task.earliest_s),
        "due_at": clock.to_utc(task.due_s),
        "eta_at": None if task.eta_s is None else clock.to_utc(task.eta_s),
        "ended_at": None if task.ended_s is None else clock.to_utc(task.ended_s),
        "late": is_late(task, clock.now_s()),
        "vehicle": task.vehicle,
        "stops_done": task.stops_done,
        "stops_total": stops,
        "reason": _reason(task.reason),
        "requester": task.requester,
        "note": task.note,
        "leg": None if task.leg is None else LegOut(**asdict(task.leg)),
    }


def _walk(spec: Spec, site: Site) -> tuple[str, str | None, list[str], int]:
    """Title, origin, goals and number of stops."""
    match spec:
        case Delivery():
            return spec.item, spec.origin, list(spec.drop_offs), 1 + len(spec.drop_offs)
        case Medicine():
            return spec.item, spec.origin, [spec.destination], 2
        case Patrol(area=str() as area):
            air = site.airspaces.get(area)
            return air.name.en if air else area, None, [], _flights(spec)
        case Patrol(parts=AreaParts()):
            return "", None, [], _flights(spec)
        case Patrol():
            each = 1 if spec.drawn or spec.by is Medium.AIR else len(spec.points)
            return "", None, list(spec.points), each * spec.rounds
        case Disinfection():
            return spec.method.value, None, [spec.room], 1


def _flights(spec: Patrol) -> int:
    """How many flights an area takes, as far as is known."""
    return spec.rounds if spec.parts is None else max(spec.rounds, spec.parts.many)


def _reason(refusal: Refusal | None) -> ReasonOut | None:
    return None if refusal is None else ReasonOut(code=refusal.code, facts=dict(refusal.facts))
