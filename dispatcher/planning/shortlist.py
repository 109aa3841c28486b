"""Which tasks and which vehicles a plan is about: what could be done now, by whom."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from dispatcher.air.docks import Docks
from dispatcher.domain.eligibility import why_not
from dispatcher.domain.hygiene import Hygiene
from dispatcher.domain.stops import Handling, on_board, stops_of
from dispatcher.domain.task import Task, TaskId
from dispatcher.domain.urgency import urgency
from dispatcher.planning.candidates import needed
from dispatcher.planning.free import Free, lasts
from dispatcher.planning.reach import Leg, Reach, legs_of
from dispatcher.planning.spots import Spots
from dispatcher.traffic.kinds import rules_of
from dispatcher.traffic.roadbook import RoadBook
from dispatcher.traffic.shut_out import ShutOut, Start
from fleet.vehicle import Medium, VehicleId, VehicleSpec
from routing.errors import Unreachable
from routing.refusal import Refusal
from routing.site import NodeId, Site

AHEAD = 5
"""How many tasks are planned for each vehicle at a time; the rest wait until those are begun.

Keeps the answer to an event quick however long the queue is, also after a restart."""

May = Mapping[TaskId, Sequence[bool]]
"""Per task, which of the vehicles may be planned for it."""


class Shortlist:
    """Chooses what a problem is made of; keeps who could ever do what."""

    def __init__(
        self,
        site: Site,
        roads: RoadBook,
        docks: Docks,
        spots: Spots,
        handling: Handling,
        hygiene: Hygiene,
    ) -> None:
        self._site, self._roads, self._spots = site, roads, spots
        self._handling, self._hygiene = handling, hygiene
        self._reach = Reach(site, roads, docks)
        self._able: dict[TaskId, dict[VehicleId, bool]] = {}
        self._shut_out = None if roads.hours is None else ShutOut(site, roads, roads.hours)
        self.waits: dict[TaskId, Refusal] = {}
        """The tasks that were left out of the last question, for an hour to come."""

    def choose(
        self, now_s: float, tasks: Sequence[Task], fleet: Sequence[Free]
    ) -> tuple[Sequence[Task], Sequence[Free], May]:
        """The tasks to plan now, the vehicles to plan them for, and who may do what.

        Vehicles that could do none of it are left out, and those that others are nearer than.
        """
        if all(task.state.begun for task in tasks):
            holders = {task.vehicle for task in tasks}
            fleet = [free for free in fleet if free.spec.id in holders]
        if self._roads.any_shut:
            fleet = self._bound_by_goods(tasks, fleet)
        if self.minds_hours:
            tasks = self._beginnable(now_s, tasks, fleet)
        may = {task.id: self._may_take(task, fleet) for task in tasks}
        if self._shut_out is not None:
            may |= {
                task.id: self._at_this_hour(self._shut_out, now_s, task, fleet, may[task.id])
                for task in tasks
                if not task.state.begun
            }
        tasks = self._window(now_s, tasks, fleet, may)
        for chosen_by in (self._takers, self._nearest):
            chosen = chosen_by(tasks, fleet, may)
            if len(chosen) < len(fleet):
                fleet = [fleet[n] for n in chosen]
                may = {task.id: [may[task.id][n] for n in chosen] for task in tasks}
        return tasks, fleet, may

    @property
    def minds_hours(self) -> bool:
        """Whether some lane is shut to some goods at some hour."""
        return self._shut_out is not None

    def _beginnable(self, now_s: float, tasks: Sequence[Task], fleet: Sequence[Free]) -> list[Task]:
        """The tasks that are begun, or could be at this hour; why not is kept for the rest."""
        self.waits = {}
        for task in tasks:
            why = None if task.state.begun else self.why_wait(now_s, task, fleet)
            if why is not None:
                self.waits[task.id] = why
        return [task for task in tasks if task.id not in self.waits]

    def why_wait(self, now_s: float, task: Task, fleet: Sequence[Free]) -> Refusal | None:
        """Why none of a fleet can begin a task at this hour, if windows of lanes are why."""
        may = zip(fleet, self._may_take(task, fleet), strict=True)
        able = [free for free, takes in may if takes]
        if self._shut_out is None or any(free.spec.medium is Medium.AIR for free in able):
            return None
        starts = [_start(one, now_s) for one in able]
        return self._shut_out.why_wait(stops_of(task, self._handling), starts)

    def _at_this_hour(
        self,
        shut_out: ShutOut,
        now_s: float,
        task: Task,
        fleet: Sequence[Free],
        may: Sequence[bool],
    ) -> Sequence[bool]:
        """Without those who would wait for a lane to open when another could set out before."""
        stops = stops_of(task, self._handling)
        waits_until_s: dict[int, float] = {}
        others_s = math.inf
        for number, (free, takes) in enumerate(zip(fleet, may, strict=True)):
            if not takes:
                continue
            ready_s = max(now_s, free.ready_s)
            if free.spec.medium is Medium.AIR:
                others_s = min(others_s, ready_s)
                continue
            begins_s = shut_out.begins_s(stops, _start(free, now_s))
            if begins_s > ready_s:
                waits_until_s[number] = begins_s
            else:
                others_s = min(others_s, ready_s)
        return [
            takes and waits_until_s.get(number, -math.inf) <= others_s
            for number, takes in enumerate(may)
        ]

    def _window(
        self,
        now_s: float,
        tasks: Sequence[Task],
        fleet: Sequence[Free],
        may: May,
    ) -> list[Task]:
        """The most urgent tasks, as many as the vehicles that could do them can look forward to."""
        left = {free.spec.id: AHEAD for free in fleet}
        all_open = not self._roads.any_shut
        chosen: list[Task] = []
        for task in sorted(tasks, key=lambda task: urgency(task, now_s)):
            able = [
                free.spec.id
                for free, takes in zip(fleet, may[task.id], strict=True)
                if takes and (all_open or self._gets_there(task, free))
            ]
            taker = max(able, key=lambda vehicle: left[vehicle], default=None)
            if taker is not None and (left[taker] or task.state.begun):
                left[taker] -= 1
                chosen.append(task)
            elif taker is None:
                chosen.append(task)  # the solver says why nobody can
        return chosen

    def _takers(self, tasks: Sequence[Task], fleet: Sequence[Free], may: May) -> Sequence[int]:
        """Those who could do any of the tasks, or have begun one; all, if nobody could do some."""
        taken: set[int] = set()
        for task in tasks:
            able = [n for n, takes in enumerate(may[task.id]) if takes]
            if not able:
                return range(len(fleet))
            taken.update(able)
            if task.state.begun:
                taken.update(n for n, free in enumerate(fleet) if free.spec.id == task.vehicle)
        return sorted(taken)

    def _nearest(self, tasks: Sequence[Task], fleet: Sequence[Free], may: May) -> Sequence[int]:
        """Those who could make a plan better than others just like them.

        Batteries that all last for hours of driving count as alike.
        """
        to_give = [task for task in tasks if not task.state.begun]
        first = [self._spots.spot(stops_of(task, self._handling)[0]) for task in to_give]
        named = {task.vehicle for task in tasks}
        now_s = min((free.ready_s for free in fleet), default=0.0)

        def alike(number: int) -> Hashable | None:
            free = fleet[number]
            spec = free.spec
            idle = free.takes_new and free.current is None and free.ready_s <= now_s
            far = spec.medium is Medium.GROUND and lasts(free)
            if not idle or not far or spec.id in named:
                return None
            load, carried = (spec.payload_g, spec.payload_ml), self._hygiene.carried_by(spec.id)
            return rules_of(spec), load, carried, tuple(may[task.id][number] for task in to_give)

        return needed(
            [alike(number) for number in range(len(fleet))],
            len(to_give),
            lambda number, task: may[to_give[task].id][number],
            lambda number, task: self._roads.driving.from_to_s(
                rules_of(fleet[number].spec),
                self._spots.node(fleet[number].spot),
                self._spots.node(first[task]),
            ),
        )

    def able(self, task: Task, spec: VehicleSpec) -> bool:
        """Whether a vehicle could ever do a task: by what it is, and by the roads."""
        known = self._able.setdefault(task.id, {})
        if spec.id not in known:
            known[spec.id] = self._could(task, spec, self._legs(task))
        return known[spec.id]

    def _legs(self, task: Task) -> tuple[Leg, ...]:
        return legs_of(stops_of(task, self._handling))

    def _could(self, task: Task, spec: VehicleSpec, legs: tuple[Leg, ...]) -> bool:
        return not why_not(task.spec, spec) and self._reach.all_of(spec, legs)

    def _may_take(self, task: Task, fleet: Sequence[Free]) -> list[bool]:
        """Which vehicles may be planned for a task that is not begun."""
        known = self._able.setdefault(task.id, {})
        new = [f.spec for f in fleet if f.takes_new and f.spec.id not in known]
        if new:
            legs = self._legs(task)
            known.update({spec.id: self._could(task, spec, legs) for spec in new})
        return [free.takes_new and known[free.spec.id] for free in fleet]

    def _bound_by_goods(self, tasks: Sequence[Task], fleet: Sequence[Free]) -> list[Free]:
        """Nothing new for those with goods on board that they can't bring on for now.

        It could lead into a dirtier zone, and nobody comes out of there with goods.
        """
        kept = {
            task.vehicle
            for task in tasks
            for free in fleet
            if free.spec.id == task.vehicle and self._cut_off(task, free)
        }
        return [replace(f, takes_new=False) if f.spec.id in kept else f for f in fleet]

    def _cut_off(self, task: Task, free: Free) -> bool:
        current = free.current is not None and free.current[0] == task.id
        begun = task.stops_done + current
        if free.spec.medium is Medium.AIR or not (on_board(task) or current):
            return False
        roads = self._roads.of(free.spec, goods_on_board=True)
        spots = [free.spot, *(self._spots.spot(s) for s in stops_of(task, self._handling)[begun:])]
        nodes = [NodeId(spot) for spot in spots if spot in self._site.nodes]
        return not all(roads.reaches(one, other) for one, other in pairwise(nodes))

    def _gets_there(self, task: Task, free: Free) -> bool:
        """Whether all stops can be driven to over the roads that are open now."""
        if free.spec.medium is Medium.AIR:
            return True
        roads, here = self._roads.of(free.spec), NodeId(free.spot)
        try:
            for stop in stops_of(task, self._handling):
                there = NodeId(self._spots.spot(stop))
                roads.seconds(here, there, clean_start=True)
                here = there
        except Unreachable:
            return False
        return True

    def bar(self, task: TaskId, vehicle: VehicleId) -> None:
        """A vehicle has found that it can't do a task after all."""
        self._able.setdefault(task, {})[vehicle] = False

    def forget(self, task: TaskId) -> None:
        """A task has ended."""
        self._able.pop(task, None)


def _start(free: Free, now_s: float) -> Start:
    return Start(free.spec, NodeId(free.spot), max(now_s, free.ready_s))
