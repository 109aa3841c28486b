"""A day in event time: tasks come, robots drive, and a policy plans again at each event.

There are no wires and no loop here, so nothing but the plans tells two policies apart. Robots
take longer or shorter than planned, by chance that depends on the task and the stop alone: the
same for every policy. The stop that a robot is on its way to stands; all else may change.
"""

import heapq
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from dispatcher.domain.urgency import DROP_PENALTY, LATE_WEIGHT
from dispatcher.planning.shortlist import AHEAD
from routing.problems.plan import Plan
from routing.problems.problem import Problem, Request, Slot, Visit
from sim.bench.online.demand import Asked
from sim.bench.online.hospital import MAKES, Hospital, Make
from sim.bench.online.policies import Policy

DRIFT = 0.3
"""How far ways are from what was planned: sigma of a lognormal factor with mean 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What came of one replay.

    Args:
        late_s: of each task, in the order of their ends; 0 = on time.
        cpu_s: processor time of all planning.
    """

    late_s: tuple[float, ...]
    cpu_s: float
    events: int

    @property
    def on_time(self) -> float:
        """Share of the tasks that ended before they were due, 0..1."""
        return sum(late_s <= 0 for late_s in self.late_s) / max(1, len(self.late_s))

    @property
    def p95_lateness_s(self) -> float:
        """19 of 20 tasks are late by no more than this."""
        return float(np.percentile(self.late_s, 95)) if self.late_s else 0.0


@dataclass(slots=True)
class _Task:
    """A task that has been asked for.

    Args:
        left: its stops that nobody is at or on the way to.
        robot: who has it on board, or had it in the last plan.
    """

    asked: Asked
    left: list[int]
    robot: int | None = None
    begun: bool = False


@dataclass(slots=True)
class _Robot:
    """A robot.

    Args:
        row: of the stop where it is or goes to.
        expected_s: when the plan counts on it again.
        current: the stop where it is or goes to; None = it has nothing to do.
        route: the rest of its plan.
    """

    make: Make
    row: int
    expected_s: float = 0.0
    current: tuple[str, int] | None = None
    route: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])


class Snapshot(NamedTuple):
    """A problem, and which of a task's stops those of its requests are."""

    problem: Problem
    last: Plan
    stops: dict[str, list[int]]


class Replay:
    """One day under one policy.

    Args:
        asked: in the order of time.
        seed: of the drift.
        watch: called with each problem and its plan.
    """

    def __init__(
        self,
        hospital: Hospital,
        asked: Sequence[Asked],
        policy: Policy,
        *,
        robots: int,
        seed: int,
        watch: Callable[[Problem, Plan], None] | None = None,
    ) -> None:
        self._hospital = hospital
        self._asked = asked
        self._policy = policy
        self._seed = seed
        self._watch = watch
        self._robots = [_Robot(make, row) for make, row in hospital.fleet(robots)]
        self._lamps = tuple(n for n, robot in enumerate(self._robots) if robot.make.lamp)
        self._tasks: dict[str, _Task] = {}
        self._ends: list[tuple[float, int]] = []
        """When each robot that has something to do is done with its stop."""
        self._late_s: list[float] = []
        self._cpu_s = 0.0
        self._events = 0

    def run(self) -> Iterator[int]:
        """Play it to the end of the last task; gives how many tasks have ended, at each event.

        What nobody has taken on by the end is as late as it is then.
        """
        now_s = 0.0
        coming = iter(self._asked)
        asked = next(coming, None)
        while asked is not None or self._ends:
            if asked is not None and (not self._ends or asked.at_s <= self._ends[0][0]):
                now_s = asked.at_s
                self._tasks[asked.id] = _Task(asked, list(range(len(asked.stops))))
                asked = next(coming, None)
            else:
                now_s, number = heapq.heappop(self._ends)
                self._arrive(now_s, number)
            self._plan(now_s)
            yield len(self._late_s)
        self._late_s += [max(1.0, now_s - t.asked.due_s) for t in self._tasks.values()]

    def ended(self) -> Ended:
        """What has come of it so far."""
        return Ended(late_s=tuple(self._late_s), cpu_s=self._cpu_s, events=self._events)

    def _arrive(self, now_s: float, number: int) -> None:
        """A robot is done with its stop."""
        robot = self._robots[number]
        assert robot.current is not None
        task = self._tasks[robot.current[0]]
        robot.current, robot.expected_s = None, now_s
        if not task.left:
            self._late_s.append(max(0.0, now_s - task.asked.due_s))
            del self._tasks[task.asked.id]

    def _plan(self, now_s: float) -> None:
        """Ask the policy, and let everybody without a stop set out for the next one."""
        shot = self._snapshot(now_s)
        self._events += 1
        if shot.problem.requests:
            plan, cpu_s = self._policy(shot.problem, shot.last, self._events)
            self._cpu_s += cpu_s
            if self._watch is not None:
                self._watch(shot.problem, plan)
            self._adopt(shot, plan)
        for number, robot in enumerate(self._robots):
            if robot.current is None and robot.route:
                self._set_out(now_s, number, robot)

    def _adopt(self, shot: Snapshot, plan: Plan) -> None:
        for number, (robot, route) in enumerate(zip(self._robots, plan.routes, strict=True)):
            robot.route = [(v.request, shot.stops[v.request][v.stop]) for v in route]
            for id_, _ in robot.route:
                self._tasks[id_].robot = number

    def _set_out(self, now_s: float, number: int, robot: _Robot) -> None:
        id_, stop = robot.current = robot.route.pop(0)
        task = self._tasks[id_]
        task.left.remove(stop)
        task.robot, task.begun = number, True
        target = task.asked.stops[stop]
        way_s = self._profile_of(robot)[robot.row][target.node]
        robot.row = target.node
        robot.expected_s = now_s + way_s + target.service_s
        done_s = now_s + way_s * self._drift(id_, stop) + target.service_s
        heapq.heappush(self._ends, (done_s, number))

    def _drift(self, id_: str, stop: int) -> float:
        """How many times as long as planned the way to a stop takes, whoever goes and whenever."""
        chance = random.Random(f"{self._seed}:{id_}:{stop}:drift")
        return chance.lognormvariate(-(DRIFT**2) / 2, DRIFT)

    def _profile_of(self, robot: _Robot) -> tuple[tuple[int, ...], ...]:
        return self._hospital.profiles[MAKES.index(robot.make)].seconds

    # --- the question ---

    def _snapshot(self, now_s: float) -> Snapshot:
        """What is open now, as many tasks as the fleet can look forward to, and the last plan."""
        open_ = [task for task in self._tasks.values() if task.left]
        open_.sort(key=lambda task: (not task.begun, task.asked.due_s, task.asked.id))
        chosen = open_[: AHEAD * len(self._robots)]
        problem = Problem(
            profiles=self._hospital.profiles,
            requests=tuple(self._request(task) for task in chosen),
            slots=tuple(self._slot(n, robot, now_s) for n, robot in enumerate(self._robots)),
            now_s=int(now_s),
        )
        stops = {task.asked.id: list(task.left) for task in chosen}
        routes = (
            tuple(Visit(id_, stops[id_].index(stop)) for id_, stop in robot.route if id_ in stops)
            for robot in self._robots
        )
        return Snapshot(problem, Plan(routes=tuple(routes)), stops)

    def _request(self, task: _Task) -> Request:
        asked = task.asked
        return Request(
            id=asked.id,
            stops=tuple(asked.stops[stop] for stop in task.left),
            release_s=int(asked.at_s),
            due_s=asked.due_s,
            late_weight=LATE_WEIGHT[asked.priority],
            drop_penalty=DROP_PENALTY[asked.priority],
            allowed=self._lamps if asked.lamp else None,
            aboard=task.robot if task.begun else None,
            last_slot=task.robot,
        )

    def _slot(self, number: int, robot: _Robot, now_s: float) -> Slot:
        soonest_s = now_s if robot.current is None else now_s + 1
        return Slot(
            id=f"R{number + 1}",
            profile=MAKES.index(robot.make),
            start=robot.row,
            ready_s=math.ceil(max(robot.expected_s, soonest_s)),
            capacity=robot.make.capacity,
        )
