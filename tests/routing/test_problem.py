"""A problem that contradicts itself is refused where it is made."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from routing.problem import BOUND_PENALTY, Problem, Profile, Request, Slot, Stop, Visit

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
