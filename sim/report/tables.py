"""The report's figures as CSV: UTF-8, one header line, local times in ISO 8601."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dispatcher.domain.task import Delivery, Disinfection, Medicine, Patrol, Task, TaskState
from routing.site import PlaceId, Site
from sim.judges.outcome import is_late, use_of_all

if TYPE_CHECKING:
    from sim.report.report import RunResult

Row = Sequence[object]


def write_tables(folder: Path, result: "RunResult") -> None:
    """Write every CSV file of a report."""
    tables = {
        "tasks": _tasks(result),
        "legs": _legs(result),
        "vehicles": _vehicles(result),
        "energy": _energy(result),
        "drone_tracks": _tracks(result),
        "corridor_visits": _visits(result),
        "lift_waits": _waits(result),
        "alerts": _alerts(result),
        "violations": _violations(result),
        "faults": _faults(result),
    }
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)


def title(task: Task, site: Site) -> str:
    """What a task is about, in a few words."""
    match task.spec:
        case Delivery(item=item) | Medicine(item=item):
            return item
        case Patrol(area=area, points=points):
            if area is not None and area in site.airspaces:
                return site.airspaces[area].name.en
            return f"{len(points)} points"
        case Disinfection(room=room):
            return place_name(room, site)


def ends(task: Task) -> tuple[tuple[PlaceId, ...], tuple[PlaceId, ...]]:
    """The places that a task goes from and to."""
    match task.spec:
        case Delivery(origin=origin, drop_offs=drop_offs):
            return (origin,), drop_offs
        case Medicine(origin=origin, destination=destination):
            return (origin,), (destination,)
        case Patrol(points=points):
            return (), points
        case Disinfection(room=room):
            return (), (room,)


def place_name(place: PlaceId, site: Site) -> str:
    """What people call a place."""
    return site.places[place].name.en if place in site.places else place


def at(result: "RunResult", loop_s: float | None) -> str:
    """A loop second as local time."""
    if loop_s is None:
        return ""
    return result.clock.to_utc(loop_s).isoformat(timespec="seconds")


def _tasks(result: "RunResult") -> Iterator[Row]:
    yield (
        *("id", "kind", "priority", "state", "title", "from", "to", "vehicle", "requester"),
        *("created", "earliest", "due", "ended", "latency_s", "late", "reason", "legs"),
    )
    for asked in result.asked:
        task, legs = asked.task, " ".join(leg.id for leg in asked.legs)
        origins, goals = ends(task)
        done = task.state is TaskState.DONE and task.ended_s is not None
        latency = f"{(task.ended_s or 0.0) - task.created_s:.1f}" if done else ""
        yield (
            *(task.id, task.kind, task.priority, task.state, title(task, result.site)),
            *(" ".join(origins), " ".join(goals), " ".join(asked.vehicles), task.requester),
            *(at(result, s) for s in (task.created_s, task.earliest_s, task.due_s, task.ended_s)),
            *(latency, int(is_late(task, result.end_s)), task.reason or "", legs),
        )


def _legs(result: "RunResult") -> Iterator[Row]:
    yield (
        *("delivery", "leg", "id", "state", "from", "to", "vehicle"),
        *("earliest", "due", "ended", "late", "reason"),
    )
    for asked in result.asked:
        for number, leg in enumerate(asked.legs, 1):
            origins, goals = ends(leg)
            yield (
                *(asked.task.id, number, leg.id, leg.state, " ".join(origins), " ".join(goals)),
                *(leg.vehicle or "", *(at(result, s) for s in (leg.earliest_s, leg.due_s))),
                *(at(result, leg.ended_s), int(is_late(leg, result.end_s)), leg.reason or ""),
            )


def _vehicles(result: "RunResult") -> Iterator[Row]:
    uses = use_of_all(result.samples)
    names = list(next(iter(uses.values()), {}))
    yield (
        *("id", "name", "kind", "medium", "make", "tasks_done", "legs_done", "distance_m"),
        *("charge_least", "charge_end", *(f"{name}_share" for name in names)),
    )
    done = [task.vehicle for task in result.wholes if task.state is TaskState.DONE]
    legs = [leg.vehicle for one in result.asked for leg in one.legs if leg.state is TaskState.DONE]
    for vehicle in result.vehicles:
        charge = result.samples.charge.get(vehicle.id) or (0.0,)
        use = uses.get(vehicle.id, {})
        yield (
            *(vehicle.id, vehicle.name, vehicle.kind, vehicle.medium, vehicle.make),
            *(done.count(vehicle.id), legs.count(vehicle.id)),
            f"{result.samples.distance_m.get(vehicle.id, 0.0):.0f}",
            *(f"{min(charge):.3f}", f"{charge[-1]:.3f}"),
            *(f"{use.get(name, 0.0):.3f}" for name in names),
        )


def _energy(result: "RunResult") -> Iterator[Row]:
    samples = result.samples
    yield ("time", "vehicle", "charge_ratio", "activity")
    for index, at_s in enumerate(samples.times_s):
        time = at(result, at_s)
        for vehicle, charge in samples.charge.items():
            yield (time, vehicle, f"{charge[index]:.4f}", samples.activity[vehicle][index])


def _tracks(result: "RunResult") -> Iterator[Row]:
    yield ("time", "vehicle", "x_m", "y_m", "height_agl_m", "lat_deg", "lon_deg")
    for spot in result.samples.track:
        geo = result.site.frame.to_geo(spot.point)
        yield (
            *(at(result, spot.at_s), spot.vehicle),
            *(f"{spot.point.x_m:.2f}", f"{spot.point.y_m:.2f}", f"{spot.height_agl_m:.2f}"),
            *(f"{geo.lat_deg:.7f}", f"{geo.lon_deg:.7f}"),
        )


def _visits(result: "RunResult") -> Iterator[Row]:
    site = result.site
    yield ("lane", "level", "x0_m", "y0_m", "x1_m", "y1_m", "visits")
    for lane in site.lanes.values():
        a, b = site.nodes[lane.start], site.nodes[lane.end]
        spots = (a.point.x_m, a.point.y_m, b.point.x_m, b.point.y_m)
        yield (lane.id, a.level, *spots, result.samples.lane_visits[lane.id])


def _waits(result: "RunResult") -> Iterator[Row]:
    yield ("asked", "lift", "vehicle", "level", "waited_s", "ride")
    for wait in result.samples.lift_waits:
        waited_s = f"{wait.ready_s - wait.asked_s:.1f}"
        yield (
            at(result, wait.asked_s),
            wait.lift,
            wait.session,
            wait.level,
            waited_s,
            int(wait.ride),
        )


def _alerts(result: "RunResult") -> Iterable[Row]:
    yield (
        *("id", "code", "severity", "since", "cleared", "count"),
        *("vehicle", "task", "acknowledged_by", "facts"),
    )
    for alert in result.alerts:
        yield (
            *(alert.id, alert.code, alert.severity, at(result, alert.since_s)),
            *(at(result, alert.cleared_s), alert.count, alert.vehicle or "", alert.task or ""),
            *(alert.acknowledged_by or "", json.dumps(dict(alert.facts), ensure_ascii=False)),
        )


def _violations(result: "RunResult") -> Iterator[Row]:
    yield ("time", "kind", "what")
    for at_s, kind, what in result.incidents:
        yield (at(result, at_s), kind, what)


def _faults(result: "RunResult") -> Iterator[Row]:
    yield ("time", "target", "id", "fault", "over")
    for one in result.faults:
        fault = one.fault
        yield (at(result, one.at_s), fault.target, fault.id, fault.fault, int(one.over))
