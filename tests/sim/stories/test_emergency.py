"""Stories of emergencies: corridors are free, nothing is lost, and all goes on afterwards."""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.desks.emergencies_in import EmergencyIn
from dispatcher.domain.emergencies import Emergency, stands_aside
from dispatcher.domain.task import TaskState
from dispatcher.errors import NotFound, Refused
from fleet.vehicle import VehicleId
from routing.site import LiftId, NodeId
from sim.loops import VirtualLoop
from tests.sim.hospital import DRONE, SITE, Hospital, hospital, scenario_file
from tests.sim.process import Place
from tests.sim.process import place as process_of

C1, C2, D1 = VehicleId("C1"), VehicleId("C2"), VehicleId("D1")


BAY = """\
      bay-4:
        {name: {en: Bay, zh: 车位}, kind: parking, at: [22, 4], joins: [b2], roles: [parking]}
      ward: """


PLACES = [
    {"kind": "fire"},
    {"kind": "code_blue", "level": "L1"},
    {"kind": "code_blue", "level": "L2"},
    {"kind": "code_blue", "zone": "contaminated"},
    {"kind": "code_blue", "lanes": ["a2~a3"]},
    {"kind": "code_blue", "lanes": ["a3~a4", "b1~b2"]},
]


def story(folder: Path, **more: Any) -> Path:
    """The corridor clinic with somewhere to stand upstairs, too."""
    site = folder / "clinic.yaml"
    site.write_text(SITE.read_text("utf-8").replace("      ward: ", BAY), encoding="utf-8")
    return scenario_file(folder, site=site, **more)


async def alarm(place: Hospital | Place, kind: Any, **where: Any) -> Emergency:
    asked = EmergencyIn.model_validate({"kind": kind, "by": "Dr Lin", **where})
    return await place.service.emergency_desk.begin(asked)


def aside(place: Hospital | Place, vehicle: VehicleId) -> bool:
    body = place.world.ground[vehicle]
    return body.edge is None and stands_aside(place.service.site, NodeId(body.node))


def loaded_at(place: Hospital | Place, vehicle: VehicleId, node: str) -> Callable[[], bool]:
    body = place.world.ground[vehicle]
    return lambda: bool(body.loads) and body.node == node


async def test_a_fire_sends_who_is_in_the_corridor_aside_with_its_goods(tmp_path: Path) -> None:
    async with hospital(story(tmp_path)) as place:
        task = await place.deliver("laboratory", "ward")
        carrier = await carrier_of(place, "a3")
        fire = await alarm(place, "fire")
        assert "fire" in place.open_codes()
        await place.until(lambda: all(aside(place, v) for v in place.world.ground), 300)
        body = place.world.ground[carrier]
        assert body.loads == [task]
        held = place.task(task)
        assert (held.state, held.vehicle) == (TaskState.UNDERWAY, carrier)
        assert held.reason is not None
        assert held.reason.code == "emergency"
        stood = {v: b.node for v, b in place.world.ground.items()}
        await asyncio.sleep(1800)
        assert {v: b.node for v, b in place.world.ground.items()} == stood
        assert len(set(stood.values())) == len(stood)
        await place.service.emergency_desk.end(fire.id, "Dr Lin")
        assert place.task(task).reason is None
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert place.deeds.loaded == [task]
        assert place.deeds.unloaded == [(task, "ward")]
        assert not {"fire", "no_refuge"} & place.open_codes()


async def carrier_of(place: Hospital, node: str) -> VehicleId:
    """Who has something on board and is at a node now."""
    bodies = place.world.ground

    def found() -> VehicleId | None:
        return next((v for v, b in bodies.items() if b.loads and b.node == node), None)

    await place.until(lambda: found() is not None)
    carrier = found()
    assert carrier is not None
    return carrier


async def test_a_task_asked_for_meanwhile_is_accepted_and_waits(tmp_path: Path) -> None:
    async with hospital(story(tmp_path, more=DRONE)) as place:
        fire = await alarm(place, "fire")
        asked = [
            await place.deliver("laboratory", "ward"),
            await place.submit(kind="patrol", area="yard-patrol"),
        ]
        await asyncio.sleep(600)
        for task in asked:
            waiting = place.task(task)
            assert waiting.state is TaskState.QUEUED
            assert waiting.reason is not None
            assert waiting.reason.code == "emergency"
        assert place.code_of("C1") == "emergency"
        await place.service.emergency_desk.end(fire.id, "Dr Lin")
        await place.until_ended(*asked)
        assert {place.task(task).state for task in asked} == {TaskState.DONE}


async def test_a_robot_in_a_lift_rides_on_and_leaves_it_free(tmp_path: Path) -> None:
    async with hospital(story(tmp_path, homes=("park-1",))) as place:
        task = await place.deliver("laboratory", "ward")
        body = place.world.ground[C1]
        await place.until(lambda: body.riding)
        blue = await alarm(place, "code_blue", level="L2")
        lift = place.simulation.stage.lifts[LiftId("lift-1")]
        await place.until(lambda: lift.session is None and body.node != "lift-1.L2", 300)
        await place.until(lambda: not body.driving)
        stands = body.node
        assert place.service.site.nodes[NodeId(stands)].level == "L2"
        assert "no_refuge" in place.open_codes() or aside(place, C1)
        await asyncio.sleep(600)
        assert (body.node, lift.session) == (stands, None)
        await place.service.emergency_desk.end(blue.id, "Dr Lin")
        await place.until_ended(task)
        assert place.deeds.unloaded == [(task, "ward")]
        assert "no_refuge" not in place.open_codes()


async def test_outside_of_it_work_goes_on_and_nobody_goes_in(tmp_path: Path) -> None:
    async with hospital(story(tmp_path)) as place:
        first = await place.deliver("laboratory", "ward")
        carrier = await carrier_of(place, "a3")
        blue = await alarm(place, "code_blue", level="L2")
        entered: list[str] = []

        site = place.service.site
        other = await place.deliver("laboratory", "pharmacy")
        await place.until_ended(other, at_most_s=1800)
        assert place.task(other).state is TaskState.DONE
        for _ in range(300):
            await asyncio.sleep(1)
            entered += [
                b.node
                for b in place.world.ground.values()
                if site.nodes[NodeId(b.node)].level == "L2" or NodeId(b.node) in site.lift_at
            ]
        assert entered == []
        assert place.task(first).state is TaskState.UNDERWAY
        assert place.world.ground[carrier].loads == [first]
        await place.service.emergency_desk.end(blue.id, "Dr Lin")
        await place.until_ended(first)
        assert place.deeds.unloaded.count((first, "ward")) == 1


async def test_who_stands_in_a_room_stays_there(tmp_path: Path) -> None:
    async with hospital(story(tmp_path, homes=("park-1",))) as place:
        task = await place.deliver("laboratory", "ward")
        body = place.world.ground[C1]
        await place.until(lambda: body.node == "ward" and not body.driving)
        await alarm(place, "fire")
        await asyncio.sleep(600)
        assert body.node == "ward"
        assert place.task(task).state is TaskState.DONE


async def test_a_drone_under_way_goes_home_in_a_fire(tmp_path: Path) -> None:
    path = story(tmp_path, homes=("park-1",), more=DRONE)
    async with hospital(path) as place:
        task = await place.submit(kind="patrol", area="yard-patrol")
        drone = place.world.aircraft[D1]
        await place.until(lambda: drone.airborne)
        await asyncio.sleep(20)
        fire = await alarm(place, "fire")
        await place.until(lambda: not drone.airborne, 300)
        assert place.task(task).state is TaskState.UNDERWAY
        await asyncio.sleep(600)
        assert not drone.airborne
        await place.service.emergency_desk.end(fire.id, "Dr Lin")
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE


@pytest.mark.parametrize("pause_s", [0.0, 3.0, 11.0, 40.0])
async def test_killed_in_the_middle_of_it(tmp_path: Path, pause_s: float) -> None:
    path = story(tmp_path)
    async with process_of(path, tmp_path / "story.sqlite") as here:
        tasks = [
            await here.submit(
                kind="delivery",
                item="meals",
                goods="food",
                **{"from": "laboratory"},
                to=["ward"],
                mass_kg=5.0,
            ),
            await here.submit(kind="medicine", item="insulin", to="ward"),
        ]
        bodies = here.world.ground
        await here.until(lambda: any(b.loads and b.node == "a3" for b in bodies.values()))
        fire = await alarm(here, "fire")
        await asyncio.sleep(pause_s)
        await here.restart()
        assert [one.id for one in here.service.emergencies()] == [fire.id]
        await here.until(lambda: all(aside(here, v) for v in bodies), 900)
        stood = [b.node for b in bodies.values()]
        await asyncio.sleep(300)
        await here.restart()
        await asyncio.sleep(300)
        assert [b.node for b in bodies.values()] == stood
        await here.service.emergency_desk.end(fire.id, "Dr Lin")
        assert set((await here.until_all_ended()).values()) == {TaskState.DONE}
        assert sorted(here.deeds.loaded) == sorted(tasks)
        assert sorted(load for load, _ in here.deeds.unloaded) == sorted(tasks)
        assert not any(body.loads for body in bodies.values())


@pytest.mark.long
@settings(max_examples=12)
@given(data=st.data())
def test_after_any_emergencies_every_task_is_done_and_nothing_left_on_board(data: Any) -> None:
    """Wherever and whenever: while one lasts nobody enters; afterwards all is delivered once."""
    first_s = data.draw(st.sampled_from(range(0, 400, 9)))
    alarms: list[tuple[float, dict[str, Any], float]] = []
    at_s = float(first_s)
    for _ in range(data.draw(st.integers(1, 3))):
        lasts_s = float(data.draw(st.integers(1, 400)))
        alarms.append((at_s, data.draw(st.sampled_from(PLACES)), lasts_s))
        at_s += data.draw(st.integers(1, 500))

    async def day(folder: Path) -> None:
        async with hospital(story(folder)) as place:
            tasks = [
                await place.deliver("laboratory", "ward"),
                await place.deliver("ward", "laboratory", goods="specimen"),
                await place.submit(kind="medicine", item="insulin", to="ward"),
                await place.submit(kind="patrol", points=["ward", "laboratory"], rounds=1),
                await place.submit(kind="disinfection", room="isolation"),
            ]
            loads = [*tasks[:3]]
            began_s = asyncio.get_running_loop().time()

            async def one(at_s: float, asked: dict[str, Any], lasts_s: float) -> None:
                await asyncio.sleep(began_s + at_s - asyncio.get_running_loop().time())
                raised = await alarm(place, **asked)
                await asyncio.sleep(lasts_s)
                with suppress(NotFound):  # two of one kind and place are one
                    await place.service.emergency_desk.end(raised.id, "Dr Lin")

            async with asyncio.TaskGroup() as group:
                for at, asked, lasts_s in alarms:
                    group.create_task(one(at, asked, lasts_s))
            await place.until_ended(*tasks, at_most_s=7200)
            assert {place.task(task).state for task in tasks} == {TaskState.DONE}
            assert sorted(place.deeds.loaded) == sorted(loads)
            assert sorted(load for load, _ in place.deeds.unloaded) == sorted(loads)
            assert not any(body.loads for body in place.world.ground.values())
            assert not {"fire", "code_blue", "no_refuge"} & place.open_codes()

    with TemporaryDirectory() as folder:
        loop = VirtualLoop()
        try:
            loop.run_until_complete(day(Path(folder)))
        finally:
            loop.close()


@pytest.mark.parametrize("seed", [4, 5, 148])
async def test_killed_again_and_again_through_three_emergencies(tmp_path: Path, seed: int) -> None:
    """With goods on board nobody is sent where it can't come back from with them, either."""
    rng = random.Random(seed)
    async with process_of(story(tmp_path), tmp_path / "story.sqlite") as here:
        box = {"kind": "delivery", "item": "box", "mass_kg": 5.0}
        loads = [
            await here.submit(**box, goods="food", **{"from": "laboratory"}, to=["ward"]),
            await here.submit(**box, goods="specimen", **{"from": "ward"}, to=["laboratory"]),
            await here.submit(kind="medicine", item="insulin", to="ward"),
        ]
        await here.submit(kind="patrol", points=["ward", "laboratory"], rounds=1)
        await here.submit(kind="disinfection", room="isolation")
        for _ in range(3):
            await asyncio.sleep(rng.uniform(1, 150))
            raised = await alarm(here, **rng.choice(PLACES))
            for _ in range(rng.randint(1, 3)):
                await asyncio.sleep(rng.uniform(0, 60))
                await here.restart()
            await asyncio.sleep(rng.uniform(0, 60))
            await here.service.emergency_desk.end(raised.id, "Dr Lin")
        assert set((await here.until_all_ended()).values()) == {TaskState.DONE}
        assert sorted(here.deeds.loaded) == sorted(loads)
        assert sorted(load for load, _ in here.deeds.unloaded) == sorted(loads)


async def test_bad_ones_say_what_to_send(tmp_path: Path) -> None:
    async with hospital(story(tmp_path)) as place:
        for asked, field in [
            ({"kind": "fire", "level": "L1"}, "level"),
            ({"kind": "fire", "building": "east"}, "building"),
            ({"kind": "code_blue"}, "level"),
            ({"kind": "code_blue", "level": "L1", "lanes": ["a1~a2"]}, "level"),
            ({"kind": "code_blue", "level": "L7"}, "level"),
            ({"kind": "code_blue", "lanes": ["a1~a7"]}, "lanes.0"),
        ]:
            with pytest.raises(Refused) as refused:
                await alarm(place, **asked)
            assert [fault.field for fault in refused.value.faults] == [field], asked
        first = await alarm(place, "code_blue", level="L1")
        assert (await alarm(place, "code_blue", level="L1")).id == first.id
