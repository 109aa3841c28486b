"""Which idle vehicles a plan can do without: others just like them are nearer to all there is.

With n tasks to give out, at most n idle vehicles get one, and each begins with one of the tasks.
Whoever has n others of its kind before it at every task could change places with one that gets
none, so leaving it out makes no plan dearer, and each answer quicker.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence

SPARE = 2
"""So many more stay at each task: how much is lost with the first choice is measured by them."""


def needed(
    alike: Sequence[Hashable | None],
    tasks: int,
    takes: Callable[[int, int], bool],
    seconds: Callable[[int, int], float],
) -> list[int]:
    """The vehicles that a plan has to look at, in their order.

    Args:
        alike: per vehicle, all that tells it from others but its place; None = it is needed.
        tasks: how many are to be given out.
        takes: whether a vehicle may take a task, by their numbers; the same for all of a kind.
        seconds: how long a vehicle takes to the task's first stop.
    """
    kinds: dict[Hashable, list[int]] = {}
    found = {number for number, kind in enumerate(alike) if kind is None}
    for number, kind in enumerate(alike):
        if kind is not None:
            kinds.setdefault(kind, []).append(number)
    for members in kinds.values():
        mine = [task for task in range(tasks) if takes(members[0], task)]
        enough = len(mine) + SPARE
        if len(members) <= enough:
            found.update(members)
            continue
        for task in mine:
            way_s: Mapping[int, float] = {n: seconds(n, task) for n in members}
            found.update(sorted(members, key=lambda n: (way_s[n], n))[:enough])
    return sorted(found)
