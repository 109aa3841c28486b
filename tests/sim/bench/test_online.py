"""The online replay: the same day for every policy, plans that hold, rows and mistakes."""

import json
from collections import Counter
from functools import cache
from itertools import pairwise

import pytest
from typer.testing import CliRunner

from dispatcher.cli import make_app
from dispatcher.domain.task import Priority
from routing.problems.plan import Plan, check
from routing.problems.problem import Problem
from sim.bench.online.command import policies_named
from sim.bench.online.demand import LINES, Asked, ask
from sim.bench.online.hospital import FLEET, MAKES, Hospital, load_hospital
from sim.bench.online.policies import POLICIES, Thought
from sim.bench.online.replay import Ended, Replay
from sim.options import WrongUse, seeds_named

REPEATABLE = Thought(iterations=5)


@cache
def hospital() -> Hospital:
    return load_hospital()


@cache
def morning(seed: int = 0) -> tuple[Asked, ...]:
    return tuple(ask(hospital(), rate=1.0, hours=0.2, seed=seed))


def replay(policy: str, robots: int, many: int = 99) -> Ended:
    played = Replay(
        hospital(), morning()[:many], POLICIES[policy](REPEATABLE), robots=robots, seed=0
    )
    for _ in played.run():
        pass
    return played.ended()


# --- the hospital, and what is asked for


def test_the_hospital_has_every_place_that_is_asked_for_on_several_levels() -> None:
    for line in LINES:
        for kind in (*line.origin, *line.goals):
            assert hospital().rows[kind], kind
    wards = hospital().rows["ward"]
    ways_s = {hospital().profiles[0].seconds[wards[0]][row] for row in wards[1:]}
    assert all(0 < way_s < 600 for way_s in ways_s)


def test_ten_robots_are_of_every_make() -> None:
    fleet = hospital().fleet(10)
    assert [make for make, _ in fleet] == list(FLEET)
    assert {make for make, _ in fleet} == set(MAKES)


def test_a_day_has_as_many_tasks_as_its_rate_says() -> None:
    day = ask(hospital(), rate=2.0, hours=24.0, seed=1)
    expected = 2 * 24 * 60
    assert abs(len(day) - expected) < 4 * expected**0.5
    assert sum(line.share for line in LINES) == pytest.approx(1.0)
    by_hour = Counter(int(asked.at_s // 3600) for asked in day)
    assert max(by_hour.values()) > 2 * min(by_hour.values())  # day and night
    assert {asked.priority for asked in day} == set(Priority)
    assert all(first.at_s <= then.at_s for first, then in pairwise(day))


def test_a_longer_day_begins_with_the_shorter_one() -> None:
    longer = ask(hospital(), rate=1.0, hours=1.0, seed=0)
    assert longer[: len(morning())] == list(morning())
    assert morning(1) != morning(0)


def test_every_robot_that_is_meant_to_can_carry_every_task() -> None:
    for asked in ask(hospital(), rate=6.0, hours=24.0, seed=2):
        room = [sum(loads) for loads in zip(*(stop.load for stop in asked.stops), strict=True)]
        assert room == [0, 0, 0, 0], "all that is taken on is given back"
        assert any(
            make.lamp
            if asked.lamp
            else all(
                load <= most for load, most in zip(asked.stops[0].load, make.capacity, strict=True)
            )
            for make in MAKES
        )


# --- the replay


@pytest.mark.long
@pytest.mark.parametrize("policy", POLICIES)
def test_every_task_ends_and_every_plan_holds(policy: str) -> None:
    seen: list[Problem] = []

    def watch(problem: Problem, plan: Plan) -> None:
        assert check(problem, plan) is None
        assert not plan.unplanned
        seen.append(problem)

    played = Replay(
        hospital(), morning(), POLICIES[policy](REPEATABLE), robots=6, seed=0, watch=watch
    )
    done = list(played.run())

    assert done == sorted(done)
    assert done[-1] == len(morning()) == len(played.ended().late_s)
    assert {r.id for problem in seen for r in problem.requests} == {a.id for a in morning()}
    assert any(request.aboard is not None for problem in seen for request in problem.requests)
    assert played.ended().cpu_s > 0


@pytest.mark.parametrize("policy", POLICIES)
def test_with_iterations_a_replay_repeats_itself(policy: str) -> None:
    first, again = replay(policy, 3, 9), replay(policy, 3, 9)
    assert first.late_s == again.late_s
    assert first.events == again.events


def test_more_robots_are_more_often_on_time() -> None:
    few, many = replay("insertion", 2), replay("insertion", 20)
    assert few.on_time < many.on_time


@pytest.mark.long
def test_a_long_queue_is_planned_by_and_by() -> None:
    most = 0

    def watch(problem: Problem, _: Plan) -> None:
        nonlocal most
        most = max(most, len(problem.requests))

    asked = ask(hospital(), rate=4.0, hours=0.3, seed=0)
    played = Replay(
        hospital(), asked, POLICIES["insertion"](REPEATABLE), robots=5, seed=0, watch=watch
    )
    assert list(played.run())[-1] == len(asked)
    assert most == 25


def test_what_a_replay_says_of_itself() -> None:
    ended = Ended(late_s=(0.0, 0.0, 0.0, 100.0), cpu_s=1.0, events=9)
    assert ended.on_time == 0.75
    assert ended.p95_lateness_s == pytest.approx(85.0)
    assert Ended(late_s=(), cpu_s=0.0, events=0).p95_lateness_s == 0.0


# --- the command


def online(*options: str) -> tuple[int, str, str]:
    answer = CliRunner().invoke(make_app(), ["bench", "online", *options])
    return answer.exit_code, answer.stdout, answer.stderr


def test_a_row_for_each_policy_and_seed() -> None:
    few = ("--rate", "1", "--robots", "5", "--hours", "0.1", "--seeds", "0-1")
    code, out, err = online(*few, "--iterations", "3", "--json")

    assert code == 0, err
    rows = json.loads(out)
    assert [(row["seed"], row["policy"]) for row in rows] == [
        (seed, policy) for seed in (0, 1) for policy in ("insertion", "ortools", "wardline")
    ]
    for row in rows:
        names = ("policy", "rate", "robots", "seed", "on_time", "p95_lateness_s", "cpu_s")
        assert tuple(row) == names
        assert (row["rate"], row["robots"]) == (1.0, 5)
        assert 0 <= row["on_time"] <= 1
        assert row["cpu_s"] > 0


@pytest.mark.long
def test_a_table_with_means_for_people() -> None:
    few = ("--rate", "1", "--robots", "5", "--hours", "0.1", "--seeds", "3,5")
    code, out, _ = online(*few, "--policies", "wardline", "--budget-s", "0.01")
    assert code == 0
    assert "on time %" in out
    assert "mean on time %" in out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--rate", "0"), "--rate 0 is not above 0"),
        (("--rate", "-1"), "--rate -1 is not above 0"),
        (("--rate", "nan"), "--rate nan"),
        (("--robots", "0"), "--robots 0 is not between 2 and 500"),
        (("--robots", "1"), "--robots 1 is not between 2 and 500"),
        (("--hours", "inf"), "--hours inf"),
        (("--seeds", "9-0"), "--seeds 9-0: write the lower number first, 0-9"),
        (("--policies", "insertion,luck"), "there is no policy 'luck'; choose from insertion"),
        (("--policies", ","), "no policy is named"),
        (("--budget-s", "0"), "--budget-s 0"),
        (("--iterations", "-4"), "--iterations -4"),
    ],
)
def test_wrong_options_are_refused_with_a_remedy(options: tuple[str, ...], said: str) -> None:
    code, out, err = online(*options)
    assert code == 2
    assert said in err
    assert not out


def test_lists_in_options() -> None:
    assert seeds_named("0-2") == (0, 1, 2)
    assert seeds_named("7, 3-4,3") == (7, 3, 4)
    assert policies_named("wardline, insertion,wardline") == ("wardline", "insertion")
    for wrong in ("", "a", "1-", "-1", "1.5", "0-99999", "2-1"):
        with pytest.raises(WrongUse):
            seeds_named(wrong)
