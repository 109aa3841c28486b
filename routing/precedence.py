"""Ways and their order for all robots of a building: plan, think again, release.

A new trip is planned into the gaps that the ways of the others leave (``routing.spacetime``), and
stands in their queues from then on (``routing.visits``). A robot that waits may take another way,
or go first, if it arrives earlier without anybody being expected later for it.

Every trip finds a way as long as goals are rooms that nobody else stands in or heads for: at
the latest when all others are in theirs.
"""

from collections.abc import Iterable

from routing.spacetime import Hop, Net, find_way
from routing.visits import Visits

WORTHWHILE_MS = 2000


class NoWay(RuntimeError):
    """A robot can't get to its goal, however long it waits; choose another goal."""

    def __init__(self, robot: int, start: int, goal: int) -> None:
        super().__init__(f"robot {robot} finds no way from {start} to {goal}")
        self.robot, self.start, self.goal = robot, start, goal


class Precedence:
    """Who goes when, over one net."""

    def __init__(self, net: Net, *, worthwhile_ms: int = WORTHWHILE_MS) -> None:
        """Another way is taken if it arrives ``worthwhile_ms`` earlier."""
        self._net = net
        self._worthwhile_ms = worthwhile_ms
        self.visits = Visits()

    def place(self, robot: int, node: int, now_ms: int) -> None:
        """A robot stands on a node that nobody holds or will hold."""
        self.visits.place(robot, node, now_ms)

    def plan(self, robot: int, goal: int, now_ms: int) -> None:
        """Give a robot whose way has ended the way to another room.

        Raises:
            NoWay: there is none; nothing has changed.
        """
        visits, start = self.visits, self.visits.stand(robot)
        visits.project(now_ms)
        way = find_way(self._net, visits.busy(robot), start, goal, now_ms)
        if way is None:
            raise NoWay(robot, start, goal)
        visits.insert(robot, way)

    def think_again(self, robot: int, now_ms: int) -> bool:
        """Give a waiting robot another way to its goal if that is worthwhile; False = it is not."""
        visits = self.visits
        if not visits.standing(robot) or visits.goal(robot) == visits.stand(robot):
            return False
        visits.project(now_ms)
        by_ms = visits.arrival_ms(robot) - self._worthwhile_ms
        stand, goal = visits.stand(robot), visits.goal(robot)
        way = find_way(self._net, visits.busy(robot), stand, goal, now_ms, by_ms=by_ms)
        if way is None:
            return False
        visits.cut(robot)
        visits.insert(robot, way)
        return True

    def release(self, robots: Iterable[int], now_ms: int) -> list[tuple[int, Hop]]:
        """Send all of these robots on their next hop whose turn it is."""
        visits = self.visits
        return [(r, visits.release(r, now_ms)) for r in robots if visits.may_go(r) is not None]

    def arrive(self, robot: int, now_ms: int) -> None:
        """A robot has come to the end of its hop."""
        self.visits.arrive(robot, now_ms)
