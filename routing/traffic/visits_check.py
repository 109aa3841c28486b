"""Whether robots would ever wait for each other in a circle, judged from the bare queues.

It knows neither times nor how the queues came about: it counts off steps that wait for nothing
any more, until none is left. Source: Kahn, Topological Sorting of Large Networks, Communications
of the ACM 5(11), 1962.
"""

from collections.abc import Iterator, Mapping, Sequence

Deed = tuple[int, int]
"""A robot and the number of its step; 0 is where it stands."""


class Circle(RuntimeError):
    """Robots would wait for each other for ever; ``robots`` are those who could never go on."""

    def __init__(self, robots: Sequence[int]) -> None:
        super().__init__(f"robots {list(robots)} would wait for each other for ever")
        self.robots = tuple(robots)


def require_no_circle(
    ways: Mapping[int, Sequence[tuple[int, ...]]], queues: Mapping[int, Sequence[int]]
) -> None:
    """Raise ``Circle`` unless all steps can be made, one after another, in these queues.

    Args:
        ways: of each robot, what it stands on and then what each step takes; what comes last in
            a step is the node at its end, which the robot holds until the next step is made.
        queues: resource -> robots, first come first served; as often as they take it.
    """
    waits: dict[Deed, int] = {
        (robot, number): min(number - 1, 1)
        for robot, way in ways.items()
        for number in range(1, len(way))
    }
    behind: dict[Deed, list[Deed]] = {}
    for first, then in _handovers(ways, queues):
        waits[then] += 1
        behind.setdefault(first, []).append(then)
    open_ = [deed for deed, count in waits.items() if not count]
    made = 0
    while open_:
        deed = open_.pop()
        made += 1
        robot, number = deed
        for then in (*behind.get(deed, ()), (robot, number + 1)):
            if then in waits:
                waits[then] -= 1
                if not waits[then]:
                    open_.append(then)
    if made < len(waits):
        raise Circle(sorted({robot for (robot, _), count in waits.items() if count}))


def _handovers(
    ways: Mapping[int, Sequence[tuple[int, ...]]], queues: Mapping[int, Sequence[int]]
) -> Iterator[tuple[Deed, Deed]]:
    """Each step that frees a resource, and the one that takes it next."""
    uses: dict[tuple[int, int], list[Deed]] = {}
    for robot, way in ways.items():
        for number, resources in enumerate(way):
            for resource in resources:
                uses.setdefault((robot, resource), []).append((robot, number))
    turns = {key: iter(deeds) for key, deeds in uses.items()}
    for resource, queue in queues.items():
        frees: Deed | None = None
        for robot in queue:
            deed = next(turns[robot, resource])
            if frees is not None:
                yield frees, deed
            stays = ways[robot][deed[1]][-1] == resource
            frees = (robot, deed[1] + 1) if stays else deed
