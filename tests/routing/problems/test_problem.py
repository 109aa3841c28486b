"""A problem that contradicts itself is refused where it is made."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from routing.errors import BadProblem, RoutingError
from routing.problems.problem import (
    BOUND_PENALTY,
    Battery,
    Break,
    Charger,
    GoodsRules,
    Problem,
    Profile,
    Request,
    Slot,
    Stop,
    Visit,
    Weights,
)
from routing.problems.problem_faults import LARGEST, LARGEST_AMOUNT
from tests.routing.random_problems import FEW, rich_problems

CARRY = (Stop(node=0, load=(1,)), Stop(node=1, load=(-1,)))
REQUEST = Request(id="r", stops=CARRY)
SLOT = Slot(id="v", profile=0, start=0, ready_s=0, capacity=(1,))
PROFILE = Profile.of(np.array([[0, 7], [8, 0]]))
PROBLEM = Problem(profiles=(PROFILE,), requests=(REQUEST,), slots=(SLOT,))


def test_a_profile_counts_seconds_for_metres_unless_told() -> None:
    assert PROFILE.metres == PROFILE.seconds == ((0, 7), (8, 0))
    assert PROFILE.loaded_s is None


def test_a_problem_survives_the_way_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(PROBLEM)) == PROBLEM


def test_lateness_weighs_more_the_longer_a_request_has_waited() -> None:
    assert PROBLEM.late_price(REQUEST) == 10
    assert replace(PROBLEM, now_s=3600).late_price(REQUEST) == 30


def test_what_is_bound_is_hardly_ever_dropped() -> None:
    aboard = replace(REQUEST, stops=CARRY[1:], aboard=0)
    problem = replace(PROBLEM, requests=(aboard,))
    assert problem.bound == {"r": 0}
    assert problem.drop_price(aboard) == BOUND_PENALTY + REQUEST.drop_penalty
    assert PROBLEM.drop_price(REQUEST) == REQUEST.drop_penalty


@pytest.mark.parametrize(
    ("requests", "slot", "complaint"),
    [
        ((REQUEST, REQUEST), SLOT, "same id"),
        ((REQUEST,), replace(SLOT, capacity=(1, 1)), "dimensions"),
        ((REQUEST,), replace(SLOT, profile=1), "no profile 1"),
        ((replace(REQUEST, stops=()),), SLOT, "no stops"),
        ((replace(REQUEST, allowed=(1,)),), SLOT, "isn't there"),
        ((REQUEST,), replace(SLOT, committed=(Visit("x", 0),)), "there is no Visit"),
        ((REQUEST,), replace(SLOT, committed=(Visit("r", 2),)), "there is no Visit"),
        ((REQUEST,), replace(SLOT, committed=(Visit("r", 1),)), "wrong order"),
        ((REQUEST,), replace(SLOT, committed=(Visit("r", 0), Visit("r", 0))), "wrong order"),
    ],
)
def test_contradictions_are_bugs(requests: tuple[Request, ...], slot: Slot, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Problem(profiles=(PROFILE,), requests=requests, slots=(slot,))


def test_one_request_can_be_committed_to_one_vehicle_only() -> None:
    told = replace(SLOT, committed=(Visit("r", 0),))
    with pytest.raises(ValueError, match="another slot"):
        Problem(profiles=(PROFILE,), requests=(REQUEST,), slots=(told, replace(told, id="w")))


# -- what is out of range, or not there ------------------------------------------------------------

BATTERY = Battery(capacity_j=100, now_j=50)
BREAK = Break(earliest_s=10, latest_s=20, duration_s=5)
CHARGER = Charger(node=1)
RULES = GoodsRules(follow=((True,),), share=((True,),))
FULL = replace(
    PROBLEM,
    requests=(replace(REQUEST, goods=0),),
    slots=(replace(SLOT, battery=BATTERY, breaks=(BREAK,), carried=(0,)),),
    chargers=(CHARGER,),
    goods=RULES,
)
OVER, FAR_OVER = LARGEST + 1, LARGEST_AMOUNT + 1


def with_request(**changes: Any) -> Problem:
    return replace(FULL, requests=(replace(FULL.requests[0], **changes),))


def with_stop(**changes: Any) -> Problem:
    return with_request(stops=(replace(CARRY[0], **changes), CARRY[1]))


def with_slot(**changes: Any) -> Problem:
    return replace(FULL, slots=(replace(FULL.slots[0], **changes),))


def with_battery(**changes: Any) -> Problem:
    return with_slot(battery=replace(BATTERY, **changes))


def with_breaks(*breaks: Break) -> Problem:
    return with_slot(breaks=breaks)


def with_charger(**changes: Any) -> Problem:
    return replace(FULL, chargers=(replace(CHARGER, **changes),))


def with_profile(**changes: Any) -> Problem:
    return replace(FULL, profiles=(replace(PROFILE, **changes),))


def with_goods(*rules: tuple[tuple[bool, ...], ...]) -> Problem:
    return replace(FULL, goods=GoodsRules(follow=rules[0], share=rules[1]))


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        # requests
        (lambda: with_request(release_s=-1), "request r: a time or price"),
        (lambda: with_request(release_s=OVER), "time or price"),
        (lambda: with_request(due_s=-1), "time or price"),
        (lambda: with_request(late_weight=-1), "time or price"),
        (lambda: with_request(late_weight=OVER), "time or price"),
        (lambda: with_request(drop_penalty=-1), "time or price"),
        (lambda: with_request(drop_penalty=FAR_OVER), "time or price"),
        (lambda: with_request(allowed=(-1,)), "names a slot"),
        (lambda: with_request(aboard=1), "names a slot"),
        (lambda: with_request(aboard=-1), "names a slot"),
        (lambda: with_request(goods=1), "no goods 1"),
        (lambda: with_request(goods=-1), "no goods -1"),
        (lambda: replace(with_slot(carried=()), goods=None), "no rules"),
        # stops
        (lambda: with_stop(node=2), "node that isn't there"),
        (lambda: with_stop(node=-1), "node that isn't there"),
        (lambda: with_stop(service_s=-1), "a stop has a time"),
        (lambda: with_stop(service_s=OVER), "a stop has a time"),
        (lambda: with_stop(earliest_s=-1), "a stop has a time"),
        (lambda: with_stop(latest_s=-1), "a stop has a time"),
        (lambda: with_stop(latest_s=OVER), "a stop has a time"),
        (lambda: with_stop(load=(FAR_OVER,)), "load"),
        (lambda: with_stop(load=(-FAR_OVER,)), "load"),
        (lambda: with_stop(load=()), "dimensions"),
        (lambda: with_stop(closed=((10, 5),)), "closed spans"),
        (lambda: with_stop(closed=((10, 20), (15, 30))), "closed spans"),
        (lambda: with_stop(closed=((-5, 20),)), "closed spans"),
        (lambda: with_stop(closed=((5, OVER),)), "closed spans"),
        # slots
        (lambda: with_slot(profile=-1), "no profile -1"),
        (lambda: with_slot(start=2), "no node 2"),
        (lambda: with_slot(start=-1), "no node -1"),
        (lambda: with_slot(end=2), "no node 0 or 2"),
        (lambda: with_slot(ready_s=-1), "time, range or price"),
        (lambda: with_slot(ready_s=OVER), "time, range or price"),
        (lambda: with_slot(shift_end_s=-1), "time, range or price"),
        (lambda: with_slot(range_m=-1), "time, range or price"),
        (lambda: with_slot(price=-1), "time, range or price"),
        (lambda: with_slot(capacity=(-1,)), "capacity"),
        (lambda: with_slot(capacity=(FAR_OVER,)), "capacity"),
        (lambda: with_slot(carried=(1,)), "carried goods"),
        (lambda: with_slot(carried=(-1,)), "carried goods"),
        # the breaks of a slot
        (lambda: with_breaks(replace(BREAK, earliest_s=-1)), "no break"),
        (lambda: with_breaks(replace(BREAK, earliest_s=21)), "no break"),
        (lambda: with_breaks(replace(BREAK, latest_s=OVER)), "no break"),
        (lambda: with_breaks(replace(BREAK, duration_s=-1)), "no break"),
        (lambda: with_breaks(BREAK, BREAK), "not after the one before"),
        (
            lambda: with_breaks(BREAK, replace(BREAK, earliest_s=24, latest_s=30)),
            "not after the one before",
        ),
        # batteries and chargers
        (lambda: with_battery(now_j=101), "no battery"),
        (lambda: with_battery(now_j=-1), "no battery"),
        (lambda: with_battery(capacity_j=FAR_OVER), "no battery"),
        (lambda: with_battery(reserve_j=-1), "no battery"),
        (lambda: with_battery(per_m_j=-1), "no battery"),
        (lambda: with_battery(per_s_j=-1), "no battery"),
        (lambda: with_battery(charge_j_s=0), "no battery"),
        (lambda: with_charger(node=2), "charger 0"),
        (lambda: with_charger(node=-1), "charger 0"),
        (lambda: with_charger(places=0), "charger 0"),
        (lambda: with_charger(slots=(1,)), "charger 0: it names a slot"),
        (lambda: with_charger(slots=(-1,)), "charger 0: it names a slot"),
        # tables
        (lambda: with_profile(seconds=((0, 7),)), "not square"),
        (lambda: with_profile(seconds=((0, 7), (8,))), "not square"),
        (lambda: with_profile(metres=((0,),)), "not square"),
        (lambda: with_profile(loaded_s=((0, 7, 7),) * 3), "not square"),
        (lambda: with_profile(seconds=((0, -7), (8, 0))), "negative"),
        (lambda: with_profile(metres=((0, OVER), (8, 0))), "negative or over"),
        (lambda: with_profile(washed_s=PROFILE.seconds), "come together"),
        (lambda: with_profile(washed_m=PROFILE.metres), "come together"),
        (lambda: replace(FULL, profiles=(PROFILE, Profile.of(np.array([[0]])))), "not square"),
        # goods
        (lambda: with_goods(((True, True),), ((True,),)), "not square"),
        (lambda: with_goods(((True,),), ((True,), (True,))), "differ in size"),
        (lambda: with_goods(((True,),), ((True, True),)), "not square"),
        (lambda: with_goods(((True,) * 61,) * 61, ((True,) * 61,) * 61), "more than 60"),
        # the rest
        (lambda: replace(FULL, now_s=-1), "now_s"),
        (lambda: replace(FULL, weights=Weights(flow_s=-1)), "a weight"),
        (lambda: replace(FULL, weights=Weights(metre=OVER)), "a weight"),
        (lambda: replace(FULL, weights=Weights(imbalance=-1)), "a weight"),
        (lambda: replace(FULL, weights=Weights(waiting_s=0)), "waiting_s"),
    ],
)
def test_what_is_out_of_range_or_not_there_is_refused(
    spoil: Callable[[], Problem], complaint: str
) -> None:
    with pytest.raises(BadProblem, match=complaint):
        spoil()


def test_the_largest_numbers_are_taken() -> None:
    edge = Stop(node=0, load=(LARGEST_AMOUNT,), latest_s=LARGEST, closed=((0, LARGEST),))
    assert with_request(stops=(edge,), drop_penalty=LARGEST_AMOUNT)
    assert with_breaks(BREAK, replace(BREAK, earliest_s=25, latest_s=LARGEST))
    assert with_battery(capacity_j=LARGEST_AMOUNT)


def test_a_bad_problem_is_a_bug_of_the_caller() -> None:
    assert issubclass(BadProblem, RoutingError)
    assert issubclass(BadProblem, ValueError)


@FEW
@given(rich_problems())
def test_every_valid_problem_survives_the_way_to_another_process(problem: Problem) -> None:
    assert pickle.loads(pickle.dumps(problem)) == problem
