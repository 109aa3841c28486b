"""What users of Open-RMF asked for, each thread as a story: whole stack, virtual time.

A test is named after the repository and the number of the thread on GitHub.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from dispatcher.domain.task import TaskId, TaskState
from dispatcher.errors import Refused
from fleet.vehicle import VehicleId
from routing.site import Edge, LevelId, LiftId
from sim.judges.standstill import wants
from sim.world.bodies import GroundBody
from sim.world.machines import LiftMachine
from sim.world.world import Observer
from tests.sim.hospital import Hospital, hospital, scenario_file
from tests.sim.stories.street import street
from tests.sim.stories.two_lifts import lift_of, side_by_side

C1, C2 = VehicleId("C1"), VehicleId("C2")
CORRIDOR = LiftId("lift-1")


@dataclass
class Waits:
    """The longest times for which somebody wanted to go on and stood."""

    one_s: float = 0.0
    """Of any robot."""
    all_s: float = 0.0
    """Of two or more at once, while nobody moved or worked."""


async def waits_until(place: Hospital, ended: Callable[[], bool]) -> Waits:
    """Look once a second, until all has ended."""
    waits, since_s, all_since_s = Waits(), dict[VehicleId, float](), None
    bodies = place.world.ground.values()
    while not ended():
        await asyncio.sleep(1.0)
        now_s = asyncio.get_running_loop().time()
        assert now_s < 2 * 3600, "it never ends"
        waiting = {body.id for body in bodies if wants(body) is not None}
        since_s = {one: since_s.get(one, now_s) for one in sorted(waiting)}
        waits.one_s = max([waits.one_s, *(now_s - at_s for at_s in since_s.values())])
        busy = any(body.edge is not None or body.working is not None for body in bodies)
        stand_off = len(waiting) > 1 and not busy
        all_since_s = (now_s if all_since_s is None else all_since_s) if stand_off else None
        waits.all_s = max(waits.all_s, 0.0 if all_since_s is None else now_s - all_since_s)
    return waits


def all_done(place: Hospital, tasks: list[TaskId]) -> bool:
    return all(place.task(task).state is TaskState.DONE for task in tasks)


@pytest.mark.parametrize("apart", [("room-1", "room-5"), ("room-2", "room-3")])
async def test_two_robots_swap_places_rmf_ros2_503(tmp_path: Path, apart: tuple[str, str]) -> None:
    """rmf_ros2 #503: two robots that swap places "invariably" deadlock. Here they do it at once."""
    left, right = apart
    homes = [room.replace("room", "bay") for room in apart]
    async with hospital(street(tmp_path, *homes)) as place:
        tasks = [await place.deliver(left, right), await place.deliver(right, left)]
        one, other = place.world.ground[C1], place.world.ground[C2]
        await place.until(lambda: bool(one.loads and other.loads))
        assert {one.node, other.node} == set(apart), "each stands where the other is to go"
        waits = await waits_until(place, lambda: all_done(place, tasks))
        assert waits.all_s < 10
        assert {place.task(task).vehicle for task in tasks} == {C1, C2}


async def test_it_takes_the_free_lift_and_does_not_wait_rmf_ros2_472(tmp_path: Path) -> None:
    """rmf_ros2 #472: why does the robot wait for the busy lift and not take the free one?"""
    async with hospital(side_by_side(tmp_path)) as place:
        lifts = [lift_of(place, name) for name in ("left", "right")]
        tasks = [await place.deliver("kitchen", "ward"), await place.deliver("kitchen", "ward")]
        bodies = place.world.ground.values()
        await place.until(lambda: all(body.loads for body in bodies) or all_done(place, tasks[:1]))
        waits = await waits_until(place, lambda: all_done(place, tasks))
        assert all(lift.rides > 0 for lift in lifts), [lift.rides for lift in lifts]
        assert waits.one_s < 40, "not for the other one's ride up and the cabin's way back"


class Sessions(Observer):
    """Whether a lift was the robot's own whenever it went in, up, down or out."""

    def __init__(self, lift: LiftMachine) -> None:
        self.lift = lift
        self.own: list[bool] = []

    def departed(self, body: GroundBody, edge: Edge) -> None:
        if {edge.start, edge.end} & set(self.lift.lift.cabins.values()):
            self.own.append(self.lift.session == body.id)


PHASES: dict[str, Callable[[GroundBody, LiftMachine], bool]] = {
    "before the lift": lambda body, lift: body.node == "a1" and lift.session is None,
    "called": lambda body, lift: lift.session == body.id and lift.moving and not body.riding,
    "door opening": lambda body, lift: (
        lift.session == body.id and lift.level == "L1" and not lift.open and not lift.moving
    ),
    "inside": lambda body, _: body.riding,
    "door open at the exit": lambda body, lift: lift.open and body.node == "lift-1@L2",
}


@pytest.mark.parametrize("phase", PHASES)
async def test_a_cancel_is_safe_in_every_phase_of_a_lift_rmf_ros2_389(
    tmp_path: Path, phase: str
) -> None:
    """rmf_ros2 #389: a robot whose task is cancelled enters the lift without a session."""
    async with hospital(scenario_file(tmp_path, homes=("park-1",))) as place:
        lift, body = lift_of(place, CORRIDOR), place.world.ground[C1]
        sessions = Sessions(lift)
        place.world.observe(sessions)
        lift.level = LevelId("L2")  # so that it has to come
        lift.repair()
        task = await place.deliver("pharmacy", "ward")
        await place.until(lambda: bool(body.loads) and PHASES[phase](body, lift))
        await place.service.task_desk.cancel(task)
        await place.until_ended(task)
        assert place.task(task).state is TaskState.CANCELLED
        assert place.deeds.unloaded == [(task, "pharmacy")]
        assert all(sessions.own)
        await place.until(lambda: body.node == "park-1" and lift.session is None)
        after = await place.deliver("pharmacy", "ward")
        await place.until_ended(after)
        assert all_done(place, [after]), "the lift serves on"
        assert all(sessions.own)
        assert len(sessions.own) >= 3


async def test_several_robots_both_ways_on_one_single_lane_rmf_373(tmp_path: Path) -> None:
    """rmf #373: several robots both ways on one lane: "draw two lanes". Here one is enough."""
    async with hospital(scenario_file(tmp_path)) as place:
        places = ("pharmacy", "laboratory", "ward")
        tasks = [
            await place.deliver(places[n % 3], places[(n + 1 + n // 3 % 2) % 3]) for n in range(12)
        ]
        await place.until_ended(*tasks, at_most_s=2 * 3600)
        assert all_done(place, tasks)


async def test_two_robots_that_meet_never_stand_off_rmf_356(tmp_path: Path) -> None:
    """rmf #356: two robots stand opposite each other for 2.5 minutes before one gives way."""
    async with hospital(street(tmp_path, "bay-1", "bay-5")) as place:
        tasks = [
            await place.deliver(*(("room-1", "room-5") if n % 2 else ("room-5", "room-1")))
            for n in range(8)
        ]
        waits = await waits_until(place, lambda: all_done(place, tasks))
        assert waits.all_s < 10
        assert waits.one_s < 150, "the other one loads, and drives the whole street in 50 s"


@pytest.mark.parametrize("robots", [2, 3, 4, 5])
async def test_no_minutes_of_waiting_nor_endless_replanning_rmf_traffic_108(
    tmp_path: Path, robots: int
) -> None:
    """rmf_traffic #108: 2 to 5 robots wait for minutes, or negotiate new plans without end."""
    journal: list[str] = []
    homes = [f"bay-{number}" for number in range(1, robots + 1)]
    async with hospital(street(tmp_path, *homes), sink=journal.append) as place:
        tasks = [
            await place.deliver(f"room-{1 + n % 5}", f"room-{1 + (n * 3 + 2) % 5}")
            for n in range(3 * robots)
            if n % 5 != (n * 3 + 2) % 5
        ]
        waits = await waits_until(place, lambda: all_done(place, tasks))
        assert waits.all_s < 10
        assert waits.one_s < 60 * robots
    missions = sum('"mission_sent"' in line and '"purpose":"stop"' in line for line in journal)
    assert missions <= 2 * 2 * len(tasks), "two stops a task, and hardly any of them begun anew"


async def test_a_robot_on_an_unconnected_part_is_no_reason_to_accept_rmf_demos_341(
    tmp_path: Path,
) -> None:
    """rmf_demos #341: a task for a robot on another part of the graph errs later, not at once."""
    async with hospital(street(tmp_path, "bay-x")) as place:
        with pytest.raises(Refused) as refused:
            await place.deliver("room-1", "room-5")
        (fault,) = refused.value.faults
        assert (fault.reason.code, fault.reason.facts["value"]) == ("unreachable", "room-1")
        assert "get to" in fault.remedy
        assert place.service.open_tasks() == []
    async with hospital(street(tmp_path, "bay-x", "bay-1")) as place:
        task = await place.deliver("room-1", "room-5")
        await place.until_ended(task)
        assert place.task(task).vehicle == C2, "the one that can get there"
