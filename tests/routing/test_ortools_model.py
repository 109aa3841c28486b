"""OR-Tools on the same problems: it mends bad plans, keeps promises, and repeats itself."""

import random
from dataclasses import replace

import numpy as np

from routing.ortools_model import improve
from routing.plan import Plan, check, cost
from routing.problem import Problem, Profile, Request, Slot, Stop, Visit
from routing.refusal import Refusal
from routing.solver import insert

LINE = np.abs(np.arange(0, 110, 10)[:, None] - np.arange(0, 110, 10)[None, :])


def carry(key: str, start: int, goal: int) -> Request:
    return Request(id=key, stops=(Stop(node=start, load=(1,)), Stop(node=goal, load=(-1,))))


def both(key: str) -> tuple[Visit, Visit]:
    return Visit(key, 0), Visit(key, 1)


SLOTS = tuple(
    Slot(id=key, profile=0, start=start, ready_s=100, capacity=(2,))
    for key, start in (("left", 0), ("right", 10))
)
CROSSED = Problem(
    profiles=(Profile.of(LINE),),
    requests=(carry("a", 1, 2), carry("b", 9, 8), carry("c", 2, 3)),
    slots=SLOTS,
    now_s=100,
)


def priced(problem: Problem, *routes: tuple[Visit, ...], left_out: tuple[str, ...] = ()) -> Plan:
    plan = Plan(routes=routes, unplanned={key: Refusal("later") for key in left_out})
    plan = replace(plan, cost=cost(problem, plan))
    assert check(problem, plan) is None
    return plan


def improved(problem: Problem, start: Plan, cpu_s: float | None = None) -> Plan:
    plan = improve(problem, start, cpu_s=cpu_s)
    assert plan is not None
    assert check(problem, plan) is None
    return plan


BAD = priced(CROSSED, both("b"), (*both("a"), *both("c")))


def test_a_bad_plan_is_mended() -> None:
    plan = improved(CROSSED, BAD)
    assert plan.cost < BAD.cost
    assert set(plan.routes[0]) == {*both("a"), *both("c")}
    assert plan.routes[1] == both("b")


def test_what_was_left_out_is_taken_in() -> None:
    start = priced(CROSSED, both("a"), both("b"), left_out=("c",))
    assert not improved(CROSSED, start).unplanned


def test_allowed_vehicles_are_kept_to() -> None:
    b = replace(CROSSED.requests[1], allowed=(0,))
    problem = replace(CROSSED, requests=(CROSSED.requests[0], b, CROSSED.requests[2]))
    plan = improved(problem, priced(problem, both("b"), (*both("a"), *both("c"))))
    assert set(both("b")) <= set(plan.routes[0])


def test_a_vehicle_still_begins_as_it_was_told() -> None:
    told = replace(SLOTS[0], committed=(Visit("b", 0),))
    problem = replace(CROSSED, slots=(told, SLOTS[1]))
    plan = improved(problem, priced(problem, both("b"), (*both("a"), *both("c"))))
    assert plan.routes[0][0] == Visit("b", 0)


def test_goods_on_board_are_brought_by_who_has_them() -> None:
    aboard = Request(id="d", stops=(Stop(node=10, load=(-1,)),), aboard=0)
    problem = replace(CROSSED, requests=(*CROSSED.requests, aboard))
    start = priced(problem, (Visit("d", 0), *both("b")), (*both("a"), *both("c")))
    assert Visit("d", 0) in improved(problem, start).routes[0]


def test_an_impossible_window_stays_out() -> None:
    never = Request(id="n", stops=(Stop(node=1, load=(0,), earliest_s=500, latest_s=400),))
    problem = replace(CROSSED, requests=(*CROSSED.requests, never))
    start = priced(problem, both("b"), (*both("a"), *both("c")), left_out=("n",))
    assert improved(problem, start).unplanned.keys() == {"n"}


def test_an_empty_plan_is_nothing_to_start_from() -> None:
    keys = tuple(request.id for request in CROSSED.requests)
    assert improve(CROSSED, priced(CROSSED, (), (), left_out=keys)) is None


def test_plain_descent_ends_and_repeats_itself() -> None:
    problem = scattered(20, 4)
    start = insert(problem)
    first = improve(problem, start)
    assert first is not None
    assert first == improve(problem, start)


def test_with_time_it_searches_on() -> None:
    assert improved(CROSSED, BAD, cpu_s=0.1).cost < BAD.cost


def scattered(count: int, vehicles: int) -> Problem:
    rng = random.Random("scattered")
    at = np.array([[rng.randint(0, 300), rng.randint(0, 300)] for _ in range(30)])
    apart = np.abs(at[:, None, :] - at[None, :, :]).sum(axis=2)
    return Problem(
        profiles=(Profile.of(apart),),
        requests=tuple(carry(f"r{n}", *rng.sample(range(30), 2)) for n in range(count)),
        slots=tuple(
            Slot(id=f"v{n}", profile=0, start=n, ready_s=0, capacity=(3,)) for n in range(vehicles)
        ),
    )
