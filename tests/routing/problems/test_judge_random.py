"""The judge on random problems: what it lets through keeps every rule, to the last second."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.problems.plan import Plan, check, cost, timetable
from routing.problems.problem import Problem, Slot
from tests.routing.random_problems import FEW, plans, rich_problems, verdict

Case = tuple[Problem, Plan]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    problem = draw(rich_problems())
    return problem, draw(plans(problem))


def with_slot(problem: Problem, number: int, slot: Slot) -> Problem:
    return replace(problem, slots=(*problem.slots[:number], slot, *problem.slots[number + 1 :]))


@pytest.mark.long
def test_all_rules_are_in_some_problems_and_many_verdicts_on_some_plans() -> None:
    seen: set[str] = set()
    verdicts: set[str | None] = set()

    @settings(FEW, max_examples=100)
    @given(cases())
    def look(case: Case) -> None:
        problem, plan = case
        verdicts.add(verdict(problem, plan))
        present = {
            "goods": problem.goods,
            "chargers": problem.chargers,
            "full": any(charger.full for charger in problem.chargers),
            "taken": any(charger.free_s for charger in problem.chargers),
            "breaks": any(slot.breaks for slot in problem.slots),
            "battery": any(slot.battery for slot in problem.slots),
            "price": any(slot.price for slot in problem.slots),
            "carried": any(slot.carried for slot in problem.slots),
            "committed": any(slot.committed for slot in problem.slots),
            "aboard": any(request.aboard is not None for request in problem.requests),
            "allowed": any(request.allowed for request in problem.requests),
            "nobody": any(request.allowed == () for request in problem.requests),
            "closed": any(stop.closed for request in problem.requests for stop in request.stops),
            "washed": any(profile.washed_s for profile in problem.profiles),
            "loaded_s": any(profile.loaded_s for profile in problem.profiles),
            "imbalance": problem.weights.imbalance,
            "charges": any(plan.charges),
        }
        seen.update(name for name, there in present.items() if there)

    look()
    rules = "goods chargers full taken breaks battery price carried committed aboard allowed nobody"
    rules += " closed washed loaded_s imbalance charges"
    assert seen == set(rules.split())
    assert None in verdicts
    assert len(verdicts) > 5


@pytest.mark.long
@FEW
@given(cases())
def test_time_goes_on_and_services_begin_when_they_may(case: Case) -> None:
    problem, plan = case
    for slot, rows in zip(problem.slots, timetable(problem, plan), strict=True):
        at_s, driven_m = slot.ready_s, 0
        for row in rows:
            request = problem.requests[problem.request_numbers[row.visit.request]]
            stop = request.stops[row.visit.stop]
            assert at_s <= row.arrive_s <= row.start_s
            assert driven_m <= row.driven_m
            assert row.start_s >= max(stop.earliest_s, request.release_s)
            assert not any(from_s <= row.start_s < to_s for from_s, to_s in stop.closed)
            assert row.end_s == row.start_s + stop.service_s
            assert slot.battery is None or (row.energy_j or 0) <= slot.battery.capacity_j
            at_s, driven_m = row.end_s, row.driven_m


@FEW
@given(cases())
def test_who_uses_energy_only_to_drive_has_driven_it_all(case: Case) -> None:
    problem, plan = case
    slots = tuple(
        slot if slot.battery is None else replace(slot, battery=replace(slot.battery, per_s_j=0))
        for slot in problem.slots
    )
    thrifty = replace(problem, slots=slots)
    for slot, rows in zip(slots, timetable(thrifty, replace(plan, charges=())), strict=True):
        for row in rows:
            left = slot.battery and slot.battery.now_j - slot.battery.per_m_j * row.driven_m
            assert row.energy_j == left


@pytest.mark.long
@FEW
@given(cases())
def test_limits_hold_to_the_last_second_and_metre(case: Case) -> None:
    problem, plan = case
    if check(problem, plan) is not None:
        return
    for number, (slot, rows) in enumerate(
        zip(problem.slots, timetable(problem, plan), strict=True)
    ):
        charges = plan.charges[number] if plan.charges else ()
        last_is_a_visit = slot.end is None and all(c.before < len(rows) for c in charges)
        if not last_is_a_visit or all(row.visit.request in problem.bound for row in rows):
            continue
        end_s, driven_m = rows[-1].end_s, rows[-1].driven_m
        tight = replace(slot, shift_end_s=end_s, range_m=driven_m)
        assert verdict(with_slot(problem, number, tight), plan) is None
        if end_s:
            late = replace(tight, shift_end_s=end_s - 1)
            assert verdict(with_slot(problem, number, late), plan) == "shift"
        if driven_m:
            far = replace(tight, range_m=driven_m - 1)
            assert verdict(with_slot(problem, number, far), plan) == "range"
        if slot.battery is not None and not charges:
            left_j = min(row.energy_j or 0 for row in rows)
            drained = replace(slot, battery=replace(slot.battery, reserve_j=left_j + 1))
            assert verdict(with_slot(problem, number, drained), plan) == "energy"


@FEW
@given(cases(), st.data())
def test_a_tampered_plan_fails(case: Case, data: st.DataObject) -> None:
    problem, plan = case
    number = data.draw(st.integers(0, len(plan.routes) - 1))
    route = plan.routes[number]
    for spot in range(len(route)):
        for other in ((*route[:spot], *route[spot + 1 :]), (*route, route[spot])):
            routes = (*plan.routes[:number], other, *plan.routes[number + 1 :])
            assert verdict(problem, replace(plan, routes=routes, charges=())) in ("torn", "lost")
    if check(problem, plan) is None:
        assert verdict(problem, replace(plan, cost=plan.cost + 1)) == "cost"
        assert verdict(problem, replace(plan, routes=plan.routes[:-1])) == "routes"


@FEW
@given(cases(), st.integers(1, 1000))
def test_prices_of_slots_and_of_imbalance_add_up(case: Case, price: int) -> None:
    problem, plan = case
    work = [len({visit.request for visit in route}) for route in plan.routes]
    dearer = replace(
        problem,
        slots=tuple(replace(slot, price=slot.price + price) for slot in problem.slots),
        weights=replace(problem.weights, imbalance=problem.weights.imbalance + price),
    )
    more = price * sum(n > 0 for n in work) + price * sum(n * n for n in work)
    assert cost(dearer, plan) == plan.cost + more
