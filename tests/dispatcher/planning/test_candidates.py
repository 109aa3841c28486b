"""Leaving out idle vehicles that others are nearer than must never make a plan dearer."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.planning.candidates import SPARE, needed

Table = list[list[int]]
"""Seconds from each vehicle to each task."""


def tables(vehicles: int) -> st.SearchStrategy[Table]:
    row = st.lists(st.integers(0, 50), min_size=2, max_size=2)
    return st.lists(row, min_size=vehicles, max_size=vehicles)


def cheapest(table: Table, vehicles: list[int]) -> int:
    """The least sum of ways if both tasks go to different vehicles."""
    return min(table[a][0] + table[b][1] for a, b in itertools.permutations(vehicles, 2))


def chosen(table: Table, alike: list[object | None], tasks: int = 2) -> list[int]:
    def seconds(vehicle: int, task: int) -> int:
        return table[vehicle][task]

    def may(vehicle: int, task: int) -> bool:
        return bool(table[vehicle][task : task + 1])

    return needed(alike, tasks, may, seconds)


@settings(derandomize=True, deadline=None)
@given(tables(9))
def test_the_best_pair_is_always_among_them(table: Table) -> None:
    kept = chosen(table, ["cart"] * 9)
    assert cheapest(table, kept) == cheapest(table, list(range(9)))


def test_only_the_nearest_of_a_kind_stay() -> None:
    table = [[n] for n in range(10)]
    assert chosen(table, ["cart"] * 10, tasks=1) == list(range(1 + SPARE))


def test_those_at_work_and_the_only_ones_of_their_kind_stay() -> None:
    table = [[n] for n in range(10)]
    kinds: list[object | None] = ["cart"] * 10
    kinds[7], kinds[9] = None, "van"
    assert chosen(table, kinds, tasks=1) == [0, 1, 2, 7, 9]


def test_a_kind_that_may_take_nothing_is_left_out() -> None:
    def takes(vehicle: int, task: int) -> bool:
        return vehicle >= 5 and task == 1

    def seconds(vehicle: int, task: int) -> float:
        return abs(vehicle - 7) + task

    assert needed(["cart"] * 5 + ["van"] * 5, 3, takes, seconds) == [6, 7, 8]
