"""Lifts that are out of service: who can goes another way at once, who can't waits for them."""

import asyncio
from pathlib import Path

from dispatcher.task import TaskState
from fleet.vehicle import VehicleId
from routing.site import LevelId, LiftId
from sim.machines import LiftMachine
from tests.sim.hospital import MODELS, Hospital, hospital, scenario_file

SITE = """\
# Two lifts, the left one nearer, each with a lobby of its own.
site: side-by-side
name: {en: Side by side, zh: 并排电梯}
anchor: {lat_deg: 30.59, lon_deg: 114.3}
levels:
  L1:
    name: {en: Level 1, zh: 一层}
    nodes: {a: [0, 0], a-left: [10, 0], a-right: [0, 20]}
    places:
      kitchen: {name: {en: Kitchen, zh: 厨房}, kind: kitchen, at: [-5, 5], joins: [a]}
      bay-1: {name: {en: Bay 1, zh: 一号机位}, at: [0, -5], joins: [a], roles: [parking, charger]}
      bay-2: {name: {en: Bay 2, zh: 二号机位}, at: [-5, -5], joins: [a], roles: [parking, charger]}
    lanes: [[a, a-left], [a, a-right]]
  L2:
    name: {en: Level 2, zh: 二层}
    elevation_m: 5
    nodes: {b: [0, 0], b-left: [10, 0], b-right: [0, 20]}
    places:
      ward: {name: {en: Ward, zh: 病区}, kind: ward, at: [-5, 5], joins: [b]}
    lanes: [[b, b-left], [b, b-right]]
lifts:
  left:
    name: {en: Left lift, zh: 左电梯}
    cabins: {L1: [10, 4], L2: [10, 4]}
    joins: {L1: [a-left], L2: [b-left]}
  right:
    name: {en: Right lift, zh: 右电梯}
    cabins: {L1: [4, 20], L2: [4, 20]}
    joins: {L1: [a-right], L2: [b-right]}
"""
LEFT = LiftId("left")
C1 = VehicleId("C1")


def side_by_side(folder: Path) -> Path:
    (folder / "site.yaml").write_text(SITE, encoding="utf-8")
    path = folder / "story.yaml"
    path.write_text(
        f"scenario: story\nsite: site.yaml\nduration: 24h\n{MODELS}\nvehicles:\n"
        "  - {model: cart, ids: [C1, C2], homes: [bay-1, bay-2]}\n",
        encoding="utf-8",
    )
    return path


def lift_of(place: Hospital, lift: str) -> LiftMachine:
    return place.simulation.stage.lifts[LiftId(lift)]


async def test_who_waits_before_a_lift_that_stops_takes_the_other_one(tmp_path: Path) -> None:
    async with hospital(side_by_side(tmp_path)) as place:
        left = lift_of(place, "left")
        left.fail()
        task = await place.deliver("kitchen", "ward")
        await asyncio.sleep(1)
        assert place.open_codes() == {"lift_out_of_service"}
        await place.until_ended(task, at_most_s=900)
        left.repair()
        await asyncio.sleep(1)
        assert place.open_codes() == set()


async def test_a_lift_that_stops_while_it_is_called_is_given_up(tmp_path: Path) -> None:
    async with hospital(side_by_side(tmp_path)) as place:
        left, body = lift_of(place, "left"), place.world.ground[C1]
        left.level = LevelId("L2")
        left.repair()
        task = await place.deliver("kitchen", "ward")
        await place.until(lambda: bool(body.loads) and left.moving)
        assert body.node != "a-left", "it comes early"
        left.fail()
        await place.until_ended(task, at_most_s=900)
        assert place.task(task).state is TaskState.DONE
        assert place.open_codes() == {"lift_out_of_service"}


async def test_who_was_told_to_enter_waits_inside_until_it_runs_again(tmp_path: Path) -> None:
    async with hospital(side_by_side(tmp_path)) as place:
        left, body = lift_of(place, "left"), place.world.ground[C1]
        task = await place.deliver("kitchen", "ward")
        await place.until(lambda: bool(body.loads) and body.node == "a")
        left.fail()
        await asyncio.sleep(900)
        assert body.node == place.service.site.lifts[LEFT].cabins[LevelId("L1")]
        assert "lift_out_of_service" in place.open_codes()
        left.repair()
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE


async def test_where_there_is_no_other_lift_all_wait_for_it(tmp_path: Path) -> None:
    async with hospital(scenario_file(tmp_path, homes=("park-1", "park-2"))) as place:
        lift = lift_of(place, "lift-1")
        lift.fail()
        task = await place.deliver("pharmacy", "ward")
        await asyncio.sleep(1200)
        assert not place.task(task).state.ended
        assert "lift_out_of_service" in place.open_codes()
        lift.repair()
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert place.open_codes() == set()
