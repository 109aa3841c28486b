"""The earliest way through the gaps that other robots leave: safe-interval path planning.

A resource is a node, or what lies between two: a lane, a door, a lift. Each holds one robot at
a time. A hop claims its lane and the node at its end together, when it sets out; the node at its
start is held until it arrives. So robots wait on nodes only. Rooms are where ways begin and end,
and no way leads through one.

Of all arrivals at a node within one gap only the earliest counts: who is there can wait for the
others. That makes the search small although time is continuous (whole milliseconds).

Source: Phillips and Likhachev, SIPP: Safe Interval Path Planning for Dynamic Environments,
ICRA 2011.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

FOREVER = 1 << 62
"""Later than any time, in milliseconds."""

SOMEDAY = 1 << 60
"""When that is expected whose end nobody knows, in milliseconds: not for ever, but after all that
has a time. What is expected from then on can still be told apart by order."""

Span = tuple[int, int]
"""From the first millisecond up to, not including, the second."""

Free = Callable[[int], Sequence[Span]]
"""Resource -> when nobody else holds it: ascending, without overlap; see `gaps_between`."""


@dataclass(frozen=True, slots=True)
class Hop:
    """From one node to the next; ``nominal_ms`` > 0 is how long it takes if all goes well."""

    start: int
    end: int
    nominal_ms: int
    lane: int
    """The resource between them; hops that share it exclude each other."""


@dataclass(frozen=True, slots=True)
class Step:
    """A hop with the times at which it is to set out and to arrive."""

    hop: Hop
    depart_ms: int
    arrive_ms: int


class Net:
    """Nodes and hops; a node is the resource of its own number."""

    def __init__(self, hops: Iterable[Hop], rooms: Iterable[int]) -> None:
        self.rooms = frozenset(rooms)
        self.hops: dict[int, list[Hop]] = {}
        self._into: dict[int, list[Hop]] = {}
        for hop in hops:
            if hop.nominal_ms <= 0:
                raise ValueError(f"a hop takes time: {hop}")
            self.hops.setdefault(hop.start, []).append(hop)
            self._into.setdefault(hop.end, []).append(hop)
        self._left: dict[int, Mapping[int, int]] = {}
        self.no_ms: Mapping[int, int] = dict.fromkeys((*self.hops, *self._into), 0)
        """For each node, 0: how far it is at least to wherever."""

    def ms_to(self, goal: int) -> Mapping[int, int]:
        """Shortest driving time from each node that has a way to ``goal``, without any waiting."""
        if goal not in self._left:
            self._left[goal] = self._count_back(goal)
        return self._left[goal]

    def _count_back(self, goal: int) -> Mapping[int, int]:
        left: dict[int, int] = {}
        heap = [(0, goal)]
        while heap:
            ms, node = heappop(heap)
            if node in left:
                continue
            left[node] = ms
            if node == goal or node not in self.rooms:
                for hop in self._into.get(node, ()):
                    heappush(heap, (ms + hop.nominal_ms, hop.start))
        return left


def gaps_between(busy: Iterable[Span]) -> list[Span]:
    """What is free between these ascending spans, before the first and after the last."""
    free, since_ms = list[Span](), -FOREVER
    for taken_ms, freed_ms in busy:
        if taken_ms > since_ms:
            free.append((since_ms, taken_ms))
        since_ms = max(since_ms, freed_ms)
    if since_ms < FOREVER:
        free.append((since_ms, FOREVER))
    return free


def find_way(
    net: Net, free: Free, start: int, goal: int, now_ms: int, *, by_ms: int = FOREVER
) -> tuple[Step, ...] | None:
    """The way that arrives first and can stay, fitting between what others hold.

    Args:
        free: when no other holds a resource; what the robot itself holds is free to it.
        start: where the robot stands at ``now_ms``.
        goal: free from the arrival on for ever.
        by_ms: a way that arrives later is no use.

    Returns:
        No steps if it is there already. None = there is no such way.
    """
    if start == goal:
        return ()
    return _search(net, free, start, (goal,), net.ms_to(goal), now_ms, by_ms)


def find_nearest(
    net: Net, free: Free, start: int, goals: Collection[int], now_ms: int, *, by_ms: int = FOREVER
) -> tuple[Step, ...] | None:
    """The way to whichever goal is reached first, as for `find_way`; ``start`` is none of them."""
    return _search(net, free, start, goals, net.no_ms, now_ms, by_ms)


def _search(
    net: Net,
    free: Free,
    start: int,
    goals: Collection[int],
    left: Mapping[int, int],
    now_ms: int,
    by_ms: int,
) -> tuple[Step, ...] | None:
    first = next((i for i, gap in enumerate(free(start)) if gap[0] <= now_ms < gap[1]), None)
    if first is None or start not in left or now_ms + left[start] > by_ms:
        return None
    earliest = {(start, first): now_ms}
    came: dict[tuple[int, int], tuple[tuple[int, int], Step]] = {}
    heap = [(now_ms + left[start], -now_ms, start, first)]
    while heap:
        _, negative_ms, node, number = heappop(heap)
        here, there_ms = (node, number), -negative_ms
        if there_ms > earliest[here]:
            continue
        if node in goals:
            return _steps_to(here, came)
        until_ms = free(node)[number][1]
        for hop in net.hops.get(node, ()):
            end = hop.end
            there = end in goals
            if end not in left or (end in net.rooms and not there):
                continue
            for gap, depart_ms in _entries(free, hop, there_ms, until_ms, stay=there):
                arrive_ms = depart_ms + hop.nominal_ms
                if arrive_ms + left[end] > by_ms:
                    break
                key = (end, gap)
                if arrive_ms < earliest.get(key, FOREVER):
                    earliest[key] = arrive_ms
                    came[key] = here, Step(hop, depart_ms, arrive_ms)
                    heappush(heap, (arrive_ms + left[end], -arrive_ms, end, gap))
    return None


def _steps_to(
    here: tuple[int, int], came: Mapping[tuple[int, int], tuple[tuple[int, int], Step]]
) -> tuple[Step, ...]:
    steps: list[Step] = []
    while here in came:
        here, step = came[here]
        steps.append(step)
    return tuple(reversed(steps))


def _entries(free: Free, hop: Hop, ready_ms: int, until_ms: int, *, stay: bool) -> Iterable[Span]:
    """Each gap of the hop's end that can be entered: its number, and the earliest departure.

    The robot is ready from ``ready_ms`` on and must have left by ``until_ms``.
    """
    nominal_ms = hop.nominal_ms
    latest_ms = until_ms - nominal_ms
    soonest_ms = ready_ms + nominal_ms
    lane_free = free(hop.lane)
    for number, (opens_ms, closes_ms) in enumerate(free(hop.end)):
        if opens_ms > latest_ms:
            return
        if closes_ms <= soonest_ms or (stay and closes_ms < FOREVER):
            continue
        depart_ms = _first_fit(lane_free, nominal_ms, max(ready_ms, opens_ms))
        if depart_ms > latest_ms:
            return
        if depart_ms + nominal_ms < closes_ms:
            yield number, depart_ms


def _first_fit(gaps: Sequence[Span], nominal_ms: int, from_ms: int) -> int:
    for opens_ms, closes_ms in gaps:
        depart_ms = max(from_ms, opens_ms)
        if depart_ms + nominal_ms <= closes_ms:
            return depart_ms
    return FOREVER
