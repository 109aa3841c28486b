"""Who visits a resource after whom: the order by which robots drive, whatever the clock says.

Each step of a planned way stands in the queue of its lane and in that of the node at its end, by
the time at which it was expected when it was planned. A step is released when it heads both, and
leaves a queue when the robot has left the resource. A robot that is late makes those behind it
late; it never makes them meet.

Every step waits only for steps that were expected to set out before it. So no robots wait for
each other in a circle, however late they are; ``routing.traffic.visits_check`` looks after each
insertion whether that holds.

A robot that broke down or a closed lane changes no order: it is a delay whose end nobody knows.
What waits for it, directly or not, is expected someday, after all that has a time. A robot whose
way is expected to end someday is stuck: it sets out on none of its hops, so that it does not
drive into a dead end, and whoever is ordered behind any of them is stuck too. What others plan
meanwhile comes before all that is stuck.

Source: action dependency graph, Hönig et al., Persistent and Robust Execution of MAPF Schedules
in Warehouses, RA-L 2019.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import pairwise
from operator import attrgetter

from routing.traffic.spacetime import FOREVER, SOMEDAY, Free, Hop, Span, Step, gaps_between
from routing.traffic.visits_check import require_no_circle


class Stage(Enum):
    """What has become of a step."""

    AHEAD = auto()
    UNDER_WAY = auto()
    DONE = auto()


@dataclass(slots=True, eq=False)
class Visit:
    """A robot's step and its stay at the end of it, until the next one arrives."""

    robot: int
    hop: Hop
    depart_ms: int
    """When it set out, or is expected to."""
    arrive_ms: int
    """When it arrived, or is expected to."""
    stage: Stage = Stage.AHEAD
    before: "Visit | None" = None
    """The robot's step before."""
    after: "Visit | None" = None
    """The robot's step after it."""
    ahead: list["Visit"] = field(default_factory=list["Visit"])
    """Steps that must have arrived before this one sets out, for it to have its resources."""

    @property
    def leaves_ms(self) -> int:
        """When the node at its end is free again."""
        return FOREVER if self.after is None else self.after.arrive_ms


class Visits:
    """The queues of all resources, and the ways of all robots through them."""

    def __init__(self, overdue_ms: int = FOREVER) -> None:
        """Who is late by more than ``overdue_ms`` counts as broken down until it arrives."""
        self._overdue_ms = overdue_ms
        self._overdue: set[int] = set()
        self._queues: dict[int, list[Visit]] = {}
        self._stands: dict[int, Visit] = {}
        self._ends: dict[int, Visit] = {}
        self._order: list[Visit] = []
        self._projected_ms: int | None = None
        self._halted: set[int] = set()
        self._closed: set[int] = set()
        self._stuck: set[int] | None = set()
        self._free: dict[int, list[Span]] = {}

    # --- what there is

    @property
    def robots(self) -> Iterable[int]:
        """All robots, in the order in which they were placed."""
        return self._stands

    def stand(self, robot: int) -> int:
        """The node where the robot stands, or that it left last."""
        return self._stands[robot].hop.end

    def standing(self, robot: int) -> bool:
        """Whether it is not between two nodes."""
        step = self._stands[robot].after
        return step is None or step.stage is Stage.AHEAD

    def goal(self, robot: int) -> int:
        """Where its way ends."""
        return self._ends[robot].hop.end

    def arrival_ms(self, robot: int) -> int:
        """When its way ends, as projected last."""
        return self._ends[robot].arrive_ms

    def stuck(self, robot: int) -> bool:
        """Whether nobody knows when its way can end."""
        return robot in self._all_stuck

    @property
    def disturbed(self) -> bool:
        """Whether any robot is halted or overdue, or any lane closed."""
        return bool(self._halted or self._overdue or self._closed)

    def way(self, robot: int) -> Iterator[Visit]:
        """Its steps that have not arrived, in order."""
        step = self._stands[robot].after
        while step is not None:
            yield step
            step = step.after

    def queues(self) -> Mapping[int, Sequence[Visit]]:
        """Who holds or will hold each resource, one after another."""
        return self._queues

    def free(self, robot: int) -> Free:
        """When no other holds a resource, as projected last; never where ways end, or if closed."""
        own = {resource for v in self.way(robot) for resource in (v.hop.lane, v.hop.end)}
        own.add(self.stand(robot))
        mine: dict[int, list[Span]] = {}
        shared = self._free

        def gaps(resource: int) -> list[Span]:
            known = mine if resource in own else shared
            found = known.get(resource)
            if found is None:
                found = known[resource] = gaps_between(self._busy(resource, robot))
            return found

        return gaps

    def _busy(self, resource: int, robot: int) -> Iterator[Span]:
        """When others hold it."""
        if resource in self._closed:
            yield -FOREVER, FOREVER
            return
        for visit in self._queues.get(resource, ()):
            if visit.robot != robot:
                stays = visit.hop.end == resource
                yield visit.depart_ms, visit.leaves_ms if stays else visit.arrive_ms

    # --- what is planned

    def place(self, robot: int, node: int, now_ms: int) -> None:
        """A robot stands on a node that nobody holds or will hold."""
        if self._queues.get(node) or robot in self._stands:
            raise ValueError(
                f"robot {robot} can't be placed on {node}: it is, or the node is taken"
            )
        stand = Visit(robot, Hop(node, node, 0, node), now_ms, now_ms, Stage.DONE)
        self._queues[node] = [stand]
        self._stands[robot] = self._ends[robot] = stand
        self._projected_ms = None

    def insert(self, robot: int, steps: Iterable[Step]) -> None:
        """Plan these steps behind the robot's last; they fit between what was projected last.

        Raises:
            Circle: robots would wait for each other; the steps did not fit.
            ValueError: something has happened since the last projection, or another is to pass
                where this or another robot's way ends.
        """
        if self._projected_ms is None:
            raise ValueError("project before steps are inserted: times are out of date")
        for step in steps:
            before = self._ends[robot]
            visit = Visit(robot, step.hop, step.depart_ms, step.arrive_ms, before=before)
            before.after = self._ends[robot] = visit
            self._order.append(visit)
            for resource in (step.hop.lane, step.hop.end):
                _queue_up(self._queues.setdefault(resource, []), visit)
        self._order.sort(key=attrgetter("depart_ms"))
        self._link()
        require_no_circle(self._bare_ways(), self._bare_queues())
        self._forget()

    def cut(self, robot: int) -> list[Step]:
        """Take back all steps of a robot that are not released.

        Others may wait for it to leave: insert another way, or this one again, before anything
        else happens.

        Returns:
            What is taken back, at the times that were projected last.
        """
        tail = [visit for visit in self.way(robot) if visit.stage is Stage.AHEAD]
        if tail and (last := tail[0].before):
            last.after, self._ends[robot] = None, last
        for visit in tail:
            for resource in (visit.hop.lane, visit.hop.end):
                self._queues[resource].remove(visit)
        gone = set(tail)
        self._order = [visit for visit in self._order if visit not in gone]
        self._free = {}
        return [Step(visit.hop, visit.depart_ms, visit.arrive_ms) for visit in tail]

    def _forget(self) -> None:
        """What is known of times and of who is stuck no longer holds."""
        self._projected_ms = self._stuck = None

    def _link(self) -> None:
        """Note for each step what it waits for."""
        for visit in self._order:
            visit.ahead.clear()
        for resource, queue in self._queues.items():
            for first, then in pairwise(queue):
                wait = first.after if first.hop.end == resource else first
                if wait is None:
                    raise ValueError(f"robot {then.robot} is to pass where {first.robot} stays")
                then.ahead.append(wait)

    def _bare_ways(self) -> dict[int, list[tuple[int, ...]]]:
        return {
            robot: [(stand.hop.end,), *((v.hop.lane, v.hop.end) for v in self.way(robot))]
            for robot, stand in self._stands.items()
        }

    def _bare_queues(self) -> dict[int, list[int]]:
        return {key: [v.robot for v in queue] for key, queue in self._queues.items() if queue}

    # --- what happens

    def may_go(self, robot: int) -> Hop | None:
        """Its next hop, if it heads every queue that the hop needs."""
        step = self._stands[robot].after
        if step is None or step.stage is not Stage.AHEAD:
            return None
        hop = step.hop
        if robot in self._halted or hop.lane in self._closed:
            return None
        free = self._queues[hop.lane][0] is step and self._queues[hop.end][0] is step
        return hop if free else None

    def release(self, robot: int, now_ms: int) -> Hop:
        """It sets out on its next hop, which it keeps from now on.

        Raises:
            ValueError: it may not go.
        """
        step, hop = self._stands[robot].after, self.may_go(robot)
        if step is None or hop is None:
            raise ValueError(f"robot {robot} does not head the queues of its next hop")
        step.stage, step.depart_ms = Stage.UNDER_WAY, now_ms
        step.arrive_ms = now_ms + hop.nominal_ms
        self._projected_ms = None
        return hop

    def arrive(self, robot: int, now_ms: int) -> int:
        """It has come to the end of its hop and frees all behind it.

        Returns:
            The node where it stands now.
        """
        left = self._stands[robot]
        step = left.after
        if step is None or step.stage is not Stage.UNDER_WAY:
            raise ValueError(f"robot {robot} is not under way")
        step.stage, step.arrive_ms, step.before = Stage.DONE, now_ms, None
        step.ahead.clear()
        for resource, visit in ((step.hop.lane, step), (left.hop.end, left)):
            if self._queues[resource].pop(0) is not visit:
                raise ValueError(f"robot {robot} held {resource} out of turn")
        left.after = None
        self._stands[robot] = step
        self._projected_ms = None
        if robot in self._overdue:
            self._overdue.remove(robot)
            self._forget()
        return step.hop.end

    def halt(self, robot: int) -> None:
        """It has broken down: it neither sets out nor arrives until it goes on."""
        self._halted.add(robot)
        self._forget()

    def go_on(self, robot: int) -> None:
        """A robot that was halted drives again."""
        self._halted.remove(robot)
        self._forget()

    def close(self, lane: int) -> None:
        """Nobody sets out on this lane until it is opened; who is on it arrives."""
        self._closed.add(lane)
        self._forget()

    def open(self, lane: int) -> None:
        """A lane that was closed can be used again."""
        self._closed.remove(lane)
        self._forget()

    def project(self, now_ms: int) -> None:
        """Expect times for all steps: nominal ones, in this order, from now on.

        Who is overdue is expected to be late by as much again, and who is stuck someday.
        """
        if self._projected_ms == now_ms:
            return
        self._order = [visit for visit in self._order if visit.stage is not Stage.DONE]
        self._free = {}
        self._note_overdue(now_ms)
        stuck = self._all_stuck
        for visit in self._order:
            if visit.stage is Stage.UNDER_WAY:
                due_ms = visit.depart_ms + visit.hop.nominal_ms
                late_ms = now_ms - due_ms
                visit.arrive_ms = due_ms if late_ms <= 0 else now_ms + late_ms
                if visit.robot in self._halted or visit.robot in self._overdue:
                    visit.arrive_ms = SOMEDAY
                continue
            depart_ms = SOMEDAY if visit.robot in stuck else now_ms
            if visit.before is not None and visit.before.arrive_ms > depart_ms:
                depart_ms = visit.before.arrive_ms
            for other in visit.ahead:
                if other.arrive_ms > depart_ms:
                    depart_ms = other.arrive_ms
            visit.depart_ms = depart_ms
            visit.arrive_ms = depart_ms + visit.hop.nominal_ms
        self._projected_ms = now_ms

    def _note_overdue(self, now_ms: int) -> None:
        before = len(self._overdue)
        for visit in self._order:
            if visit.stage is Stage.UNDER_WAY:
                due_ms = visit.depart_ms + visit.hop.nominal_ms
                if now_ms - due_ms > self._overdue_ms:
                    self._overdue.add(visit.robot)
        if len(self._overdue) > before:
            self._stuck = None

    @property
    def _all_stuck(self) -> set[int]:
        """Those who are stuck; driving changes nothing about it."""
        if self._stuck is None:
            self._stuck = self._who_is_stuck() if self.disturbed else set()
        return self._stuck

    def _who_is_stuck(self) -> set[int]:
        """Who is halted, needs what is closed, or is ordered behind a hop of one who is stuck."""
        behind: dict[int, list[int]] = {}
        halted = self._halted | self._overdue
        stuck = set(halted)
        for visit in self._order:
            if visit.stage is Stage.UNDER_WAY:
                continue
            if visit.hop.lane in self._closed:
                stuck.add(visit.robot)
            for other in visit.ahead:
                under_way = other.stage is Stage.UNDER_WAY
                if other.stage is Stage.AHEAD or (under_way and other.robot in halted):
                    behind.setdefault(other.robot, []).append(visit.robot)
        todo = sorted(stuck)
        while todo:
            for robot in behind.get(todo.pop(), ()):
                if robot not in stuck:
                    stuck.add(robot)
                    todo.append(robot)
        return stuck


def _queue_up(queue: list[Visit], visit: Visit) -> None:
    """Behind all that are expected to have set out before."""
    place = len(queue)
    while place and queue[place - 1].depart_ms > visit.depart_ms:
        place -= 1
    queue.insert(place, visit)
