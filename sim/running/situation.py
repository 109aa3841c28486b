"""How a simulation stands, in lines for people: who is where, does what, and waits for what."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from dispatcher.api.views import TaskOut, task_out
from dispatcher.commands.words import reason_words
from dispatcher.domain.task import Task
from dispatcher.domain.views import VehicleView
from routing.refusal import Refusal
from sim.running.scenario import Simulation

TASKS_SHOWN = 30
ALERTS_SHOWN = 20
VIOLATIONS_SHOWN = 10


def situation(simulation: Simulation, tasks: Sequence[Task] = ()) -> str:
    """All that a person needs to see why something does not come about; call it in the loop.

    The reasons are those that the API tells; where vehicles are is what they say themselves.

    Args:
        tasks: shown besides the open ones, also when they have ended.
    """
    return "\n".join(
        [
            _head(simulation),
            *_vehicles(simulation),
            *_tasks(simulation, tasks),
            *_alerts(simulation),
            *_violations(simulation),
        ]
    )


def _head(simulation: Simulation) -> str:
    name, seed = simulation.scenario.name, simulation.seed
    now = _clock_time(simulation, simulation.clock.now())
    return f"{name}, seed {seed}, at {now}, {simulation.elapsed_s:g} s after the start"


def _vehicles(simulation: Simulation) -> list[str]:
    views = simulation.service.vehicles()
    rows = [(view.spec.id, _charge(view), _place(simulation, view)) for view in views]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    lines = ["vehicles:"]
    for row, view in zip(rows, views, strict=True):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        lines.append(f"  {'  '.join(cells)}  {'; '.join(_deeds(simulation, view))}")
    return lines


def _charge(view: VehicleView) -> str:
    ratio = view.state.charge_ratio
    return "battery ?" if ratio is None else f"battery {ratio:.0%}"


def _place(simulation: Simulation, view: VehicleView) -> str:
    state, site = view.state, simulation.scenario.site
    if state.airborne and state.position is not None:
        spot = state.position.point
        height = state.position.height_agl_m
        return f"in the air at ({spot.x_m:.0f}, {spot.y_m:.0f}), {height:.0f} m up"
    if state.last_node is None:
        return "nobody knows where"
    places = site.places_at.get(state.last_node, ())
    node = site.nodes.get(state.last_node)
    name = places[0].id if places else state.last_node
    return f"at {name}" + (f" ({node.level})" if node is not None else "")


def _deeds(simulation: Simulation, view: VehicleView) -> Iterable[str]:
    """What it is at, on which mission, what it waits for, and what it complains of."""
    yield view.activity.value.replace("_", " ") + _for_task(simulation, view)
    if view.state.mission is not None:
        ahead = f", {len(view.route)} nodes ahead" if view.route else ""
        goal = view.goal or (view.route[-1].node if view.route else None)
        yield f"mission {view.state.mission}" + (f" to {goal}" if goal else "") + ahead
    if view.waiting_for is not None:
        yield _words(view.waiting_for)
    if not view.state.online and view.state.heard_at_s is not None:
        yield f"not heard for {simulation.clock.now_s() - view.state.heard_at_s:.0f} s"
    for error in view.state.errors:
        yield f"reports {error.code} ({error.severity})"
    if not view.in_service:
        yield "taken out of service"


def _for_task(simulation: Simulation, view: VehicleView) -> str:
    """The task that it is at, or has next, and those after it."""
    if not view.tasks:
        return ""
    first, *more = view.tasks
    if not simulation.service.task(first).state.begun:
        return f", next {', '.join(view.tasks)}"
    task = _out(simulation, simulation.service.task(first))
    stop = f"stop {min(task.stops_done + 1, task.stops_total)} of {task.stops_total}"
    return f" for {first}, {stop}" + (f", then {', '.join(more)}" if more else "")


def _tasks(simulation: Simulation, wanted: Sequence[Task]) -> list[str]:
    shown = {task.id: task for task in (*wanted, *simulation.service.open_tasks())}
    if not shown:
        return ["tasks: none"]
    lines = [_task(simulation, _out(simulation, task)) for task in shown.values()]
    return ["tasks:", *_first(lines, TASKS_SHOWN)]


def _task(simulation: Simulation, task: TaskOut) -> str:
    goes = " -> ".join(filter(None, (task.origin, ", ".join(task.to))))
    facts = [f"{task.kind} {task.item}".strip() + (f" ({goes})" if goes else "")]
    by = f" by {task.vehicle}" if task.vehicle else ""
    facts.append(f"{task.state}{by}, {task.stops_done} of {task.stops_total} stops made")
    if task.ended_at is not None:
        facts.append(f"ended {_clock_time(simulation, task.ended_at)}")
    else:
        eta = "none" if task.eta_at is None else _clock_time(simulation, task.eta_at)
        late = ", late" if task.late else ""
        facts.append(f"due {_clock_time(simulation, task.due_at)}, ETA {eta}{late}")
    if task.reason is not None:
        facts.append(reason_words(task.reason.model_dump()))
    return f"{task.id}  {'; '.join(facts)}"


def _alerts(simulation: Simulation) -> list[str]:
    lines: list[str] = []
    for alert in simulation.service.alerts():
        if alert.cleared_s is None:
            about = " ".join(filter(None, (alert.vehicle, alert.task)))
            since = _clock_time(simulation, simulation.clock.to_utc(alert.since_s))
            what = _words(Refusal(alert.code, alert.facts))
            lines.append(f"{alert.severity} {what} {about}".strip() + f", since {since}")
    return ["alerts:", *_first(lines, ALERTS_SHOWN)] if lines else ["alerts: none"]


def _violations(simulation: Simulation) -> list[str]:
    lines = list(violations(simulation))[-VIOLATIONS_SHOWN:]
    return ["rules broken so far:", *(f"  {line}" for line in lines)] if lines else []


def violations(simulation: Simulation, *, allowed: Iterable[str] = ()) -> Iterable[str]:
    """What the monitors saw go wrong, one sentence each, but for the kinds that are allowed."""
    excused = tuple(allowed)
    for at_s, kind, what in simulation.stage.world.incidents:
        if kind not in excused:
            at = _clock_time(simulation, simulation.clock.to_utc(at_s))
            yield f"{at} {kind}: {what}"


def _first(lines: Sequence[str], many: int) -> list[str]:
    more = [f"and {len(lines) - many} more"] if len(lines) > many else []
    return [f"  {line}" for line in (*lines[:many], *more)]


def _out(simulation: Simulation, task: Task) -> TaskOut:
    return task_out(task, simulation.scenario.site, simulation.clock)


def _words(reason: Refusal) -> str:
    return reason_words({"code": reason.code, "facts": reason.facts})


def _clock_time(simulation: Simulation, at: datetime) -> str:
    return f"{at.astimezone(simulation.scenario.start.tzinfo):%H:%M:%S}"
