"""Chargers have places: who finds them taken waits, and who can't wait gives something up."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.problems.plan import Plan, check
from routing.problems.problem import Battery, Break, Charger, Problem, Request, Slot, Weights
from routing.solving.solver import Budget, Stage, insert, solve
from tests.routing.boards import carry, cart, look, on_line
from tests.routing.random_problems import FEW

SOME = Battery(capacity_j=100, now_j=45, per_m_j=1)
"""Enough for 45 m; a charger gives 1 J a second."""


def electric(key: str, start: int, battery: Battery = SOME) -> Slot:
    return replace(cart(key, start), battery=battery)


def two_at(charger: Charger, requests: Sequence[Request], *slots: Slot) -> Problem:
    """Everybody's own request is far away, over a charger at node 5."""
    own = [replace(r, allowed=(n,), due_s=0, late_weight=1) for n, r in enumerate(requests)]
    return replace(on_line(*own, slots=slots), chargers=(charger,))


def waits(plan: Plan) -> list[list[int]]:
    return [[charge.wait_s for charge in row] for row in plan.charges]


def answer(problem: Problem) -> Plan:
    plan = insert(problem)
    assert check(problem, plan) is None
    return plan


FAR = (look("a", 10), look("b", 10))


def test_there_is_room_for_two() -> None:
    plan = answer(two_at(Charger(node=5, places=2), FAR, electric("v", 2), electric("w", 1)))
    assert waits(plan) == [[0], [0]]


def test_who_comes_later_waits() -> None:
    plan = answer(two_at(Charger(node=5), FAR, electric("v", 2), electric("w", 1)))
    (first,), (second,) = plan.charges
    assert first.wait_s == 0
    assert second.wait_s == first.charge_s - 10
    assert not plan.unplanned


def test_a_place_may_be_taken_by_somebody_outside_the_plan() -> None:
    plan = answer(two_at(Charger(node=5, free_s=(50,)), FAR[:1], electric("v", 2)))
    assert waits(plan) == [[20]]


def test_who_cannot_wait_gives_up_the_last_task_it_may_refuse() -> None:
    hurried = (FAR[0], look("b", 10, latest_s=200))
    plan = answer(two_at(Charger(node=5), hurried, electric("v", 2), electric("w", 1)))
    assert plan.unplanned["b"].code == "charger_taken"
    assert plan.unplanned["b"].facts == {"vehicle": "w", "charger": 0}
    assert plan.routes[0]


def test_what_was_given_up_makes_room_for_others() -> None:
    far, near = look("far", 10, latest_s=200), look("near", 2, latest_s=150)
    later = replace(near, stops=(replace(near.stops[0], earliest_s=100),), drop_penalty=10_000)
    problem = on_line(later, far, slots=[electric("v", 1)])
    plan = answer(replace(problem, chargers=(Charger(node=5, free_s=(500,)),)))
    assert plan.unplanned["far"].code == "charger_taken"
    assert [[visit.request for visit in route] for route in plan.routes] == [["near"]]


def test_only_who_is_too_late_gives_up() -> None:
    """The one in the middle waits too, but it has all the time in the world."""
    charger = Charger(node=5)
    problem = two_at(
        charger,
        (*FAR, look("c", 10, latest_s=200)),
        electric("v", 2),
        electric("w", 1),
        electric("x", 1),
    )
    plan = answer(problem)
    assert set(plan.unplanned) == {"c"}
    assert [len(route) for route in plan.routes] == [1, 1, 0]


def test_what_waiting_uses_is_charged_as_well() -> None:
    thirsty = replace(SOME, per_s_j=1)
    charger = Charger(node=5, free_s=(45,))
    plan = answer(two_at(charger, FAR[:1], electric("v", 2, thirsty)))
    (charge,) = plan.charges[0]
    assert charge.wait_s == 15
    assert not plan.unplanned


@st.composite
def crowds(draw: st.DrawFn) -> Problem:
    """Many vehicles with little charge, few chargers; breaks, shifts and windows come between."""

    def slot(number: int) -> Slot:
        capacity_j = draw(st.sampled_from([60, 80, 120]))
        early_s = draw(st.integers(0, 60))
        pause = Break(earliest_s=early_s, latest_s=early_s + 60, duration_s=20)
        return Slot(
            id=f"v{number}",
            profile=0,
            start=draw(st.integers(0, 10)),
            ready_s=draw(st.integers(0, 30)),
            capacity=(4,),
            breaks=draw(st.sampled_from([(), (), (pause,)])),
            shift_end_s=draw(st.sampled_from([None, None, 300])),
            battery=Battery(
                capacity_j=capacity_j,
                now_j=draw(st.integers(20, capacity_j)),
                per_m_j=1,
                per_s_j=draw(st.integers(0, 1)),
                charge_j_s=draw(st.integers(1, 4)),
            ),
        )

    def request(number: int) -> Request:
        made = draw(st.sampled_from([look("", 0), carry("", 0, 0)]))
        windows = st.sampled_from([(0, None), (0, None), (0, 150), (100, 300)])
        stops = [replace(stop, node=draw(st.integers(0, 10))) for stop in made.stops]
        earliest_s, latest_s = draw(windows)
        stops[0] = replace(stops[0], earliest_s=earliest_s, latest_s=latest_s)
        due_s = draw(st.sampled_from([None, 100]))
        return replace(made, id=f"r{number}", stops=tuple(stops), due_s=due_s)

    def charger() -> Charger:
        return Charger(
            node=draw(st.integers(0, 10)),
            places=draw(st.sampled_from([1, 1, 2])),
            full=draw(st.booleans()),
            free_s=draw(st.sampled_from([(), (), (50,), (200,)])),
        )

    requests = [request(n) for n in range(draw(st.integers(2, 8)))]
    problem = on_line(*requests, slots=[slot(n) for n in range(draw(st.integers(2, 4)))])
    return replace(
        problem,
        chargers=tuple(charger() for _ in range(draw(st.integers(1, 2)))),
        charge_loaded=draw(st.booleans()),
        weights=Weights(flow_s=draw(st.integers(0, 1))),
    )


@pytest.mark.long
@settings(FEW, max_examples=120)
@given(crowds())
def test_every_queue_passes_the_judge(problem: Problem) -> None:
    plan = answer(problem)
    rounds = Budget(iterations=10, stages=frozenset({Stage.RUIN_RECREATE}))
    better = solve(problem, budget=rounds)
    assert check(problem, better) is None
    assert better.cost <= plan.cost
