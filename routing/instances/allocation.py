"""Who does which delivery: robots on a graph of lanes, each with one delivery at a time.

Pickup service begins on arrival, but never before the delivery's ``earliest_s``; driving there
earlier is allowed, as in Open-RMF. Nobody has to return. Driving times come from a matrix file
beside the instance, or are shortest ways over the lanes.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from pydantic import ValidationError

from routing.errors import Fault, InstanceError
from routing.instances.allocation_file import AllocationFile, DeliveryFile, MatrixFile, faults_in
from routing.instances.instance import Figures, Objective, Routes
from routing.instances.lanes import driving_times
from routing.instances.lines import FETCH, MAX_NODES
from routing.instances.whole import DROP_PENALTY, up
from routing.problems.plan import Plan
from routing.problems.problem import Problem, Profile, Request, Slot, Stop, Table, Weights
from routing.roads.paths import UNREACHABLE_S

MATRIX_SUFFIX = ".matrix.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationInstance:
    """Robots, deliveries and the driving times between their places.

    Args:
        starts: waypoint of each robot, by its name.
        waypoints: those that matter; row and column of ``travel_s`` for each.
        travel_s: row = from, column = to; inf = no way.
    """

    name: str
    starts: dict[str, int]
    deliveries: tuple[DeliveryFile, ...]
    waypoints: dict[int, int]
    travel_s: tuple[tuple[float, ...], ...]
    objectives: frozenset[Objective] = frozenset({Objective.FLOW})

    def problem(self, objective: Objective) -> Problem:
        """The instance in milliseconds; what is left out costs more than all flow."""
        if objective not in self.objectives:
            raise ValueError(f"no allocation for {objective}")
        seconds: Table = tuple(
            tuple(UNREACHABLE_S if way_s == inf else up(way_s) for way_s in row)
            for row in self.travel_s
        )
        slots = (
            Slot(id=name, profile=0, start=self.waypoints[start], ready_s=0, capacity=(1,))
            for name, start in self.starts.items()
        )
        return Problem(
            profiles=(Profile(seconds=seconds, metres=seconds),),
            requests=tuple(map(self._request, self.deliveries)),
            slots=tuple(slots),
            weights=Weights(flow_s=1, metre=0, change=0),
        )

    def routes_of(self, plan: Plan) -> Routes:
        """The deliveries of each robot, in order of work."""
        return {
            name: [visit.request for visit in route if visit.stop == 0]
            for name, route in zip(self.starts, plan.routes, strict=True)
        }

    def figures(self, routes: Routes) -> Figures:
        """Flow, makespan and how many robots work."""
        if not isinstance(routes, Mapping):
            raise TypeError("an allocation names the robot of each route")
        if why := next(self._completeness(routes), None):
            return Figures(why=why)
        flow_s, ends_s = 0.0, [0.0]
        by_id = {delivery.id: delivery for delivery in self.deliveries}
        for robot, ids in routes.items():
            now_s, here = 0.0, self.waypoints[self.starts[robot]]
            for id_ in ids:
                job = by_id[id_]
                pickup, dropoff = self.waypoints[job.pickup], self.waypoints[job.dropoff]
                now_s = max(now_s + self.travel_s[here][pickup], job.earliest_s) + job.pickup_s
                now_s += self.travel_s[pickup][dropoff] + job.dropoff_s
                flow_s, here = flow_s + now_s - job.earliest_s, dropoff
            ends_s.append(now_s)
        if max(ends_s) == inf:
            return Figures(why="there is no way to some delivery")
        working = sum(1 for ids in routes.values() if ids)
        return Figures(vehicles=working, flow_s=round(flow_s, 3), makespan_s=round(max(ends_s), 3))

    def _completeness(self, routes: Mapping[str, Sequence[str]]) -> Iterator[str]:
        yield from (f"there is no robot {name}" for name in routes if name not in self.starts)
        done = Counter(id_ for ids in routes.values() for id_ in ids)
        wanted = {delivery.id for delivery in self.deliveries}
        yield from (f"there is no delivery {id_}" for id_ in done if id_ not in wanted)
        yield from (f"{id_} is done {times} times" for id_, times in done.items() if times > 1)
        if missing := [d.id for d in self.deliveries if d.id not in done]:
            named = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
            yield f"{len(missing)} of {len(self.deliveries)} deliveries not done: {named}"

    def _request(self, delivery: DeliveryFile) -> Request:
        pickup, dropoff = self.waypoints[delivery.pickup], self.waypoints[delivery.dropoff]
        return Request(
            id=delivery.id,
            stops=(
                Stop(node=pickup, service_s=up(delivery.pickup_s), load=(1,)),
                Stop(node=dropoff, service_s=up(delivery.dropoff_s), load=(-1,)),
            ),
            release_s=up(delivery.earliest_s),
            drop_penalty=DROP_PENALTY,
        )


def read_allocation(
    text: str, source: str, matrix: str | None = None, matrix_source: str = ""
) -> AllocationInstance:
    """The instance in a file, with the driving times of the matrix file beside it if there is one.

    Raises:
        InstanceError: one of the two can't be used.
    """
    data = _parsed(text, source)
    try:
        file = AllocationFile.model_validate(data)
    except ValidationError as error:
        raise InstanceError(source, faults_in(error)) from error
    starts = {agent.name: agent.start for agent in file.agents}
    used = [*starts.values(), *(w for d in file.deliveries for w in (d.pickup, d.dropoff))]
    _check(file, used, source)
    waypoints = list(dict.fromkeys(used))
    if matrix is None:
        travel_s = driving_times(file, waypoints)
    else:
        travel_s = _matrix_times(_parsed(matrix, matrix_source), waypoints, matrix_source)
    return AllocationInstance(
        name=file.name,
        starts=starts,
        deliveries=tuple(file.deliveries),
        waypoints={waypoint: number for number, waypoint in enumerate(waypoints)},
        travel_s=travel_s,
    )


def _parsed(text: str, source: str) -> Any:
    """The JSON in a text; NaN and the like are no JSON."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no number")

    try:
        return json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as error:
        what = f"this is not JSON: {error.msg}" if text.strip() else "the file is empty"
        raise InstanceError(source, [Fault(error.lineno, what, FETCH)]) from error
    except (ValueError, RecursionError) as error:
        fault = Fault(0, f"this is not JSON: {error}", f"correct it or {FETCH}")
        raise InstanceError(source, [fault]) from error


def _check(file: AllocationFile, used: list[int], source: str) -> None:
    """Complain of names that are there twice, and of waypoints that aren't there."""
    faults: list[Fault] = []
    count = len(file.graph.waypoints)
    named = {"robot": [a.name for a in file.agents], "delivery": [d.id for d in file.deliveries]}
    for kind, names in named.items():
        twice = [name for name, times in Counter(names).items() if times > 1]
        faults += [Fault(0, f"there are two of {kind} {name}", "rename one") for name in twice[:3]]
    ends = [*used, *(end for lane in file.graph.lanes for end in (lane.start, lane.goal))]
    lost = sorted({waypoint for waypoint in ends if not 0 <= waypoint < count})
    faults += [
        Fault(0, f"there is no waypoint {w}: they go from 0 to {count - 1}", "name another one")
        for w in lost[:3]
    ]
    if len(set(used)) > MAX_NODES:
        what = f"robots and deliveries use {len(set(used))} waypoints"
        faults.append(Fault(0, what, f"take an instance with at most {MAX_NODES}"))
    if faults:
        raise InstanceError(source, faults)


def _matrix_times(data: Any, waypoints: list[int], source: str) -> tuple[tuple[float, ...], ...]:
    """What a matrix file says of these waypoints."""
    try:
        matrix = MatrixFile.model_validate(data)
    except ValidationError as error:
        raise InstanceError(source, faults_in(error)) from error
    size = len(matrix.waypoints)
    if len(matrix.seconds) != size or any(len(row) != size for row in matrix.seconds):
        what = f"seconds is not a square of {size} x {size}, one row for each waypoint"
        raise InstanceError(source, [Fault(0, what, FETCH)])
    at = {waypoint: number for number, waypoint in enumerate(matrix.waypoints)}
    if lost := [waypoint for waypoint in waypoints if waypoint not in at]:
        what = f"waypoint {lost[0]}, which the instance uses, is not in it"
        raise InstanceError(source, [Fault(0, what, "fetch both files again, or remove this one")])
    rows = [matrix.seconds[at[waypoint]] for waypoint in waypoints]
    return tuple(tuple(row[at[waypoint]] for waypoint in waypoints) for row in rows)
