"""Ways and their order for all robots of a building: plan, think again, release.

A new trip is planned into the gaps that the ways of the others leave
(``routing.traffic.spacetime``), and stands in their queues from then on
(``routing.traffic.visits``). A robot that waits may take another way, or go first, if it arrives
earlier without anybody being expected later for it.

Every trip finds a way as long as goals are rooms that nobody else stands in or heads for: at
the latest when all others are in theirs.

Robots that break down and lanes that are closed leave all that standing. At every moment each
robot has a whole way to a room, all of them in one order without a circle, and an order without
a circle is driven to its end by whoever takes however long. So nothing has to be made safe again
after a disturbance, and no check of single grants is needed meanwhile; a broken-down robot is one
that takes long. What a disturbance needs is that the others don't wait for its end:

- Who is stuck (see ``routing.traffic.visits``) stops where it is, and takes any other way to its
  goal that has a time. It goes before all that is stuck.
- If there is none it goes to the nearest room that is free, out of the way of others, and on to
  its goal when a way is there. Until then nobody else may get its goal or that room as a goal:
  whoever draws goals leaves out ``refuges``. So what is said above of trips holds for it too.
- If there is not even a room, it keeps its way and its place, and looks again later.
- Who is late by far (``overdue_ms``) counts as broken down, too. The longest waits are those for
  such a robot in an only way, not lost races; nobody can shorten them, but whoever stood behind
  it in the way of others goes aside.
- A new trip without a way that has a time is refused; its robot is in a room and may stay there.
"""

from collections.abc import Iterable

from routing.traffic.spacetime import FOREVER, SOMEDAY, Hop, Net, find_nearest, find_way
from routing.traffic.visits import Visits

WORTHWHILE_MS = 2000


class NoWay(RuntimeError):
    """A robot can't get to its goal as things are; choose another goal, or ask again later."""

    def __init__(self, robot: int, start: int, goal: int) -> None:
        super().__init__(f"robot {robot} finds no way from {start} to {goal}")
        self.robot, self.start, self.goal = robot, start, goal


class Precedence:
    """Who goes when, over one net."""

    def __init__(
        self, net: Net, *, worthwhile_ms: int = WORTHWHILE_MS, overdue_ms: int = FOREVER
    ) -> None:
        """Another way is taken if it arrives ``worthwhile_ms`` earlier.

        Who is late by more than ``overdue_ms`` counts as broken down until it arrives.
        """
        self._net = net
        self._worthwhile_ms = worthwhile_ms
        self._goals: dict[int, int] = {}
        self.visits = Visits(overdue_ms)

    # --- ways

    def place(self, robot: int, node: int, now_ms: int) -> None:
        """A robot stands on a node that nobody holds or will hold."""
        self.visits.place(robot, node, now_ms)
        self._goals[robot] = node

    def plan(self, robot: int, goal: int, now_ms: int) -> None:
        """Give a robot whose way has ended the way to another room.

        Raises:
            NoWay: there is none, or nobody knows when there will be one; nothing has changed.
        """
        visits, start = self.visits, self.visits.stand(robot)
        visits.project(now_ms)
        way = find_way(self._net, visits.free(robot), start, goal, now_ms, by_ms=self._latest_ms)
        if way is None:
            raise NoWay(robot, start, goal)
        visits.insert(robot, way)
        self._goals[robot] = goal

    def think_again(self, robot: int, now_ms: int) -> bool:
        """Give a waiting robot another way to its goal if that is worthwhile; False = it is not."""
        visits = self.visits
        if not visits.standing(robot) or visits.stand(robot) == self._goals[robot]:
            return False
        if self._aside(robot):
            return self.get_unstuck(robot, now_ms)
        visits.project(now_ms)
        return self._lead(robot, now_ms, visits.arrival_ms(robot) - self._worthwhile_ms)

    def get_unstuck(self, robot: int, now_ms: int) -> bool:
        """The same for a robot that is stuck or not on its way to its goal; others keep theirs."""
        visits = self.visits
        if not visits.standing(robot) or visits.stand(robot) == self._goals[robot]:
            return False
        if not self._aside(robot):
            return False
        visits.project(now_ms)
        return self._lead(robot, now_ms, self._latest_ms)

    def _aside(self, robot: int) -> bool:
        return self.visits.stuck(robot) or self.visits.goal(robot) != self._goals[robot]

    def refuges(self) -> list[int]:
        """Rooms that robots stay in, or drive to, until they find a way to their goals."""
        return [end for end, goal in self._ends() if end != goal]

    def _lead(self, robot: int, now_ms: int, by_ms: int) -> bool:
        """Give it a way to its goal, or out of the way if it is stuck."""
        visits, stand = self.visits, self.visits.stand(robot)
        free = visits.free(robot)
        way = find_way(self._net, free, stand, self._goals[robot], now_ms, by_ms=by_ms)
        if way is None and visits.stuck(robot) and stand not in self._net.rooms:
            taken = {node for ends in self._ends() for node in ends}
            taken.update(visits.stand(other) for other in visits.robots)
            rooms = self._net.rooms - taken
            way = find_nearest(self._net, free, stand, rooms, now_ms, by_ms=self._latest_ms)
        if way is None:
            return False
        visits.cut(robot)
        visits.insert(robot, way)
        return True

    def _ends(self) -> list[tuple[int, int]]:
        """Where the way of each robot ends, and its goal."""
        return [(self.visits.goal(robot), goal) for robot, goal in self._goals.items()]

    @property
    def _latest_ms(self) -> int:
        """What arrives after this has no time."""
        return SOMEDAY - 1 if self.visits.disturbed else FOREVER

    # --- what happens

    def release(self, robots: Iterable[int], now_ms: int) -> list[tuple[int, Hop]]:
        """Send all of these robots on their next hop whose turn it is, unless they are stuck."""
        visits = self.visits
        if visits.disturbed:
            visits.project(now_ms)
            robots = [robot for robot in robots if not visits.stuck(robot)]
        return [(r, visits.release(r, now_ms)) for r in robots if visits.may_go(r) is not None]

    def arrive(self, robot: int, now_ms: int) -> None:
        """A robot has come to the end of its hop."""
        self.visits.arrive(robot, now_ms)

    # --- disturbances

    def halt(self, robot: int, now_ms: int) -> None:  # noqa: ARG002
        """A robot has broken down; nobody knows for how long."""
        self.visits.halt(robot)

    def go_on(self, robot: int, now_ms: int) -> None:  # noqa: ARG002
        """A robot that had broken down drives again."""
        self.visits.go_on(robot)

    def close(self, lane: int, now_ms: int) -> None:  # noqa: ARG002
        """Nobody may set out on a lane, nobody knows for how long; who is on it arrives."""
        self.visits.close(lane)

    def open(self, lane: int, now_ms: int) -> None:  # noqa: ARG002
        """A lane that was closed can be used again."""
        self.visits.open(lane)
