"""Scenarios moved on by plain code: what the pytest plug-in hands to a user's test."""

import asyncio
import signal
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dispatcher.errors import ConfigFault, IllegalMove, Refused
from fleet.vehicle import VehicleId
from routing.site import LaneId
from sim.options import WrongUse
from sim.run import Wishes, run
from sim.running.rehearsal import NotSo, Rehearsal, RuleBroken
from sim.scenario.config import load_scenario
from tests.sim.hospital import DRONE, scenario_file

DEMAND = """
demand:
  - {kind: delivery, total: 2, goods: food, from: [laboratory], to: [ward], mass_kg: [2, 20]}
  - {kind: patrol, total: 1, area: yard-patrol}
faults:
  - {at: 5min, vehicle: C1, fault: stop, for: 2min}
"""
MEAL = {"item": "meal", "goods": "food", "source": "laboratory", "to": "ward", "mass_kg": 5.0}


@pytest.fixture
def hospital(tmp_path: Path) -> Rehearsal:
    """Two carts, and nobody who asks for anything; not begun yet."""
    return Rehearsal(load_scenario(scenario_file(tmp_path, homes=("park-1", "park-2"))), seed=3)


def test_it_is_the_same_run_as_wardline_run(tmp_path: Path) -> None:
    path = scenario_file(tmp_path, more=DRONE + DEMAND)
    scenario = load_scenario(path, overrides=["duration=15min"])
    with Rehearsal(scenario, seed=3) as here:
        here.until(lambda: here.now_s > 300, within="1h", each=0.5)
        here.wait(scenario.duration_s - here.now_s)
        journal = here.journal_sha256
    assert journal == run(scenario, Wishes(seed=3)).summary["journal_sha256"]


def journal_of(folder: Path, *, each: float = 1.0, broken_s: float = 60.0) -> str:
    scenario = load_scenario(scenario_file(folder, homes=("park-1", "park-2")))
    with Rehearsal(scenario, seed=3) as here:
        task = here.submit("delivery", **MEAL)
        here.wait(broken_s)
        here.inject(lift="lift-1", lasts="2min")
        here.until_done(task, within="20min")
        here.until(lambda: here.now_s >= 900, within="20min", each=each)
        return here.journal_sha256


def test_the_same_calls_give_the_same_journal_and_others_another(tmp_path: Path) -> None:
    journal = journal_of(tmp_path)
    assert journal_of(tmp_path) == journal
    assert journal_of(tmp_path, each=7.0) == journal, "looking changes nothing"
    assert journal_of(tmp_path, broken_s=20.0) != journal


def test_a_task_is_followed_to_its_end(hospital: Rehearsal) -> None:
    with hospital:
        task = hospital.submit("delivery", **MEAL)
        vehicle = hospital.until(lambda: task.vehicle, within="1min")
        assert vehicle in (view.spec.id for view in hospital.vehicles())
        assert hospital.until(lambda: task.state == "done", within=timedelta(minutes=30))
        assert hospital.vehicle(str(vehicle)).state.loads == ()
        assert [event.kind for event in task.history][-1] == "task_done"
        assert task.ended_s is not None
        assert 0 <= hospital.now_s - task.ended_s <= 1.0
        assert hospital.now == hospital.scenario.start + timedelta(seconds=hospital.now_s)
    assert task.state == "done"
    assert "done by C" in repr(task)


def test_what_is_not_so_in_time_is_told_with_what_everybody_waits_for(
    hospital: Rehearsal,
) -> None:
    with hospital:
        task = hospital.submit("delivery", **MEAL)
        hospital.until(lambda: task.task.stops_done == 1, within="5min")
        hospital.inject(lift="lift-1", lasts="20min")
        begun_s = hospital.now_s
        with pytest.raises(NotSo) as told:
            hospital.until(lambda: task.state == "done", within="5min")
        assert hospital.now_s == pytest.approx(begun_s + 300)
    head, where, vehicles, first, _, tasks, only, alerts, lift = str(told.value).splitlines()
    assert head == "not so within 5min"
    assert where.startswith("story, seed 3, at 00:06:0")
    assert (vehicles, tasks, alerts) == ("vehicles:", "tasks:", "alerts:")
    assert first.startswith(
        "  C1  battery 99%   at park-1 (L1)  waiting for T-000001, stop 2 of 2; "
        "waits for safe passage (waited_s 2"
    )
    assert only.startswith("  T-000001  delivery meal (laboratory -> ward); underway by C1, 1 of 2")
    assert lift.startswith("  high lift out of service (lift lift-1), since 00:01:")


def test_who_can_not_move_and_is_in_the_way_is_named(hospital: Rehearsal) -> None:
    with hospital:
        tasks = [hospital.submit("delivery", **MEAL, note=str(n)) for n in range(2)]
        hospital.until(lambda: all(task.state == "underway" for task in tasks), within="1min")
        hospital.until(lambda: hospital.vehicle("C1").state.last_node == "a2", within="2min")
        hospital.inject(vehicle="C1", fault="stop")
        with pytest.raises(NotSo, match=r"C2 .* waits for stuck vehicle \(by C1"):
            hospital.until_done(*tasks, within="5s")
        assert "at a2 (L1)      fault for T-000001" in hospital.situation()
        assert "reports stopped (fatal)" in hospital.situation()


def test_a_task_that_can_not_become_done_any_more_ends_the_wait(hospital: Rehearsal) -> None:
    with hospital:
        task = hospital.submit("delivery", **MEAL)
        task.prioritise("stat")
        task.cancel()
        with pytest.raises(NotSo, match="T-000001 has cancelled"):
            hospital.until_done(task, within="20min")
        assert hospital.now_s < 60
        with pytest.raises(IllegalMove):
            task.cancel()
        with pytest.raises(WrongUse, match="stat, urgent, routine"):
            task.prioritise("at once")


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({}, r"item: missing; send item; from: missing"),
        (MEAL | {"to": "wrad"}, r"to.0: unknown_place .* did you mean ward\?"),
        (MEAL | {"mass_kg": 1000}, r"mass_kg: over_payload"),
        (MEAL | {"mas_kg": 1}, r"unknown_field .* did you mean mass_kg\?"),
    ],
)
def test_a_request_is_refused_as_the_api_refuses_it(
    hospital: Rehearsal, request_: dict[str, Any], said: str
) -> None:
    with hospital:
        with pytest.raises(Refused, match=said):
            hospital.submit("delivery", **request_)
        assert hospital.simulation.service.open_tasks() == []


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("faults", {"lift": "lift-9"}),
        ("faults", {"vehicle": "C7", "fault": "silent"}),
        ("faults", {"door": "d-farmacy", "fault": "jam"}),
        ("events", {"close_lane": "a1~a9"}),
        ("events", {"emergency": "code_blue", "level": "L9"}),
        ("events", {"emergency": "fire", "building": "east"}),
    ],
)
def test_a_name_that_is_not_there_is_refused_as_in_a_file(
    hospital: Rehearsal, tmp_path: Path, key: str, fault: dict[str, str]
) -> None:
    row = ", ".join(f"{name}: {word}" for name, word in {"at": "1min", **fault}.items())
    with pytest.raises(ConfigFault) as of_file:
        load_scenario(tmp_path / "story.yaml", overrides=[f"{key}=[{{{row}}}]"])
    with hospital, pytest.raises(ConfigFault) as injected:
        hospital.inject(**fault)
    words = [(fault.what, fault.remedy) for fault in injected.value.faults]
    assert words == [(fault.what, fault.remedy) for fault in of_file.value.faults]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"lift": "lift-1", "fault": "explode"}, "write one of 'stop', 'slow'"),
        ({"lift": "lift-1", "fault": "slow", "share": 0.5}, "can have the faults jam, stop"),
        ({"lift": "lift-1", "lasts": "20"}, "a duration is a number with s, min, h or d"),
        ({"lift": "lift-1", "at": "20min"}, "leave it out: what is injected happens now"),
        ({"vehicel": "C1"}, "unknown key 'vehicel' in it; did you mean 'vehicle'?"),
        ({"emergency": "flood"}, "write one of 'fire', 'code_blue' or 'weather'"),
        ({"close_lane": "a1~a2", "level": "L1"}, "close_lane has no level; leave that out"),
        ({}, "it does not fit together; name one of vehicle, link, door, lift, workcell and lane"),
    ],
)
def test_a_wrong_fault_says_what_to_write(
    hospital: Rehearsal, fault: dict[str, Any], said: str
) -> None:
    with hospital, pytest.raises(ConfigFault) as told:
        hospital.inject(**fault)
    assert said in str(told.value)


def test_what_is_injected_breaks_at_once_and_works_again(hospital: Rehearsal) -> None:
    lane = LaneId("a3~a4")
    with hospital:
        (lift,) = hospital.simulation.stage.lifts.values()
        hospital.inject(lift="lift-1", lasts="2min")
        hospital.inject(close_lane=lane, lasts="3min")
        lanes = hospital.simulation.service.lane_desk
        assert not lift.in_service
        assert {alert.code for alert in hospital.alerts()} >= {"lane_closed"}
        hospital.wait("119s")
        assert not lift.in_service
        hospital.wait(2)
        assert lift.in_service
        hospital.until(lambda: not hospital.alerts(), within="2min")
        hospital.run(lanes.close_lane(lane, until_s=None))
        assert [alert.code for alert in hospital.alerts()] == ["lane_closed"]


def test_an_emergency_is_injected_and_ends_by_itself(hospital: Rehearsal) -> None:
    with hospital:
        task = hospital.submit("delivery", **MEAL)
        hospital.until(lambda: task.state == "underway", within="1min")
        hospital.inject(emergency="fire", lasts="10min")
        hospital.wait("9min")
        assert "fire" in {alert.code for alert in hospital.alerts()}
        assert task.state == "underway"
        hospital.wait("61s")
        assert "fire" not in {alert.code for alert in hospital.alerts()}
        hospital.until_done(task, within="15min")


def test_a_broken_rule_fails_when_it_is_broken(hospital: Rehearsal) -> None:
    with hospital:
        task = hospital.submit("delivery", **MEAL)
        hospital.until(lambda: task.state == "underway", within="1min")
        hospital.inject(vehicle=str(task.vehicle), fault="battery", share=0.0001)
        with pytest.raises(RuleBroken, match=r"energy: C\d has run its battery flat") as told:
            hospital.until_done(task, within="1h")
        assert "vehicles:" in str(told.value)
        assert len(hospital.violations()) == 1
        assert hospital.now_s < 300


def test_a_rule_broken_at_the_end_fails_the_block(hospital: Rehearsal) -> None:
    with pytest.raises(RuleBroken, match="cargo: T-9 is left on board of C1"), hospital:
        left_behind(hospital)


def left_behind(hospital: Rehearsal) -> None:
    hospital.simulation.stage.world.ground[VehicleId("C1")].loads.append("T-9")


def test_a_rule_may_be_allowed_to_break(tmp_path: Path) -> None:
    scenario = load_scenario(scenario_file(tmp_path, homes=("park-1",)))
    with Rehearsal(scenario, allow=["energy"]) as here:
        here.submit("delivery", **MEAL)
        here.wait(20)
        here.inject(vehicle="C1", fault="battery", share=0.0001)
        here.wait("10min")
        assert [line.split()[1] for line in here.violations()] == ["energy:"]
    with pytest.raises(WrongUse, match="collision, energy, zone"):
        Rehearsal(scenario, allow=["fire"])


def test_a_deadlock_ends_the_wait_at_once(hospital: Rehearsal) -> None:
    with hospital:
        one, two = hospital.simulation.stage.world.ground.values()
        one.next_node, two.next_node = two.node, one.node
        with pytest.raises(RuleBroken, match="deadlock: C1 at park-1 waits for C2"):
            hospital.until(lambda: False, within="10h")
        assert hospital.now_s < 20 * 60


def test_what_the_block_raises_is_not_hidden(hospital: Rehearsal) -> None:
    def block() -> None:
        with hospital:
            left_behind(hospital)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        block()


def test_a_crash_of_the_simulation_comes_out_of_the_call(hospital: Rehearsal) -> None:
    mistakes = iter([KeyError("our mistake")])

    def crash(task: object) -> None:
        for mistake in mistakes:
            raise mistake

    def block() -> None:
        with hospital:
            hospital.submit("delivery", **MEAL)
            hospital.simulation.service.on_task(crash)
            hospital.until(lambda: False, within="10h")

    with pytest.raises(KeyError, match="our mistake"):
        block()
    assert hospital.now_s < 3600


def test_ctrl_c_ends_a_long_wait(hospital: Rehearsal) -> None:
    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    def block() -> None:
        with hospital:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            hospital.wait("400d")

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            block()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    "condition", [True, lambda: asyncio.sleep(0)], ids=["a value", "a coroutine"]
)
def test_a_condition_must_be_a_plain_function(hospital: Rehearsal, condition: Any) -> None:
    with hospital, pytest.raises(WrongUse, match="function"):
        hospital.until(condition, within="1min")


@pytest.mark.parametrize("lasts", ["soon", "30", 0, -1.0, float("nan"), "500d"])
def test_a_duration_must_be_one(hospital: Rehearsal, lasts: str | float) -> None:
    with hospital:
        with pytest.raises(WrongUse, match="is no duration"):
            hospital.wait(lasts)
        assert hospital.now_s < 1


def test_time_passes_in_the_block_only(hospital: Rehearsal) -> None:
    with pytest.raises(WrongUse, match="with"):
        hospital.wait(1)
    with pytest.raises(WrongUse, match="with"):
        assert hospital.now_s
    with hospital:
        hospital.wait(1)
    with pytest.raises(WrongUse, match="block"):
        hospital.wait(1)
    with pytest.raises(WrongUse, match="make another"), hospital:
        pass


async def test_an_async_test_may_use_it_and_nothing_is_left(hospital: Rehearsal) -> None:
    before = set(threading.enumerate())
    with hospital:
        task = hospital.submit("delivery", **MEAL)
        hospital.until_done(task, within="30min")
        left = hospital.run(_tasks())
    assert asyncio.get_running_loop().time() == 0.0, "our own time has stood still"
    assert left, "it was alive"
    assert all(one.done() for one in left)
    assert set(threading.enumerate()) == before


async def _tasks() -> set["asyncio.Task[Any]"]:
    return asyncio.all_tasks() - {asyncio.current_task()}  # pyright: ignore


def test_any_means_all_of_them(hospital: Rehearsal) -> None:
    with hospital:
        hospital.inject(vehicle={"model": "cart"}, lasts="1min")
        hospital.wait("10s")
        assert [view.state.fit for view in hospital.vehicles()] == [False, False]
        hospital.wait("1min")
        assert [view.state.fit for view in hospital.vehicles()] == [True, True]
