"""Two robots ride together in a lift with room, and what comes between."""

import asyncio
from itertools import combinations
from pathlib import Path

import pytest

from dispatcher.desks.emergencies_in import EmergencyIn
from dispatcher.domain.emergencies import stands_aside
from dispatcher.domain.task import TaskId, TaskState
from fleet.vehicle import VehicleId
from routing.site import NodeId
from sim.world.outlines import gap_m
from tests.sim.hospital import Hospital, hospital, told_at_length
from tests.sim.process import Place
from tests.sim.process import place as start
from tests.sim.tower import lift_of, tower

C1, C2, C3 = VehicleId("C1"), VehicleId("C2"), VehicleId("C3")
TWO = ("cart", "f1-bay1"), ("cart", "f1-bay3")


class Ride:
    """Looks at the lift of a tower: who is in it, and how near to each other."""

    def __init__(self, place: Hospital | Place) -> None:
        self.place = place
        self.nearest_m = float("inf")
        self.together: set[tuple[str, ...]] = set()
        """Who has ridden together."""

    def inside(self) -> list[str]:
        cabins = set(lift_of(self.place).lift.cabins.values())
        bodies = self.place.world.ground.values()
        return [body.id for body in bodies if body.node in cabins and body.edge is None]

    def look(self) -> None:
        bodies = self.place.world.ground
        if lift_of(self.place).moving and len(self.inside()) > 1:
            self.together.add(tuple(self.inside()))
        for one, other in combinations(bodies.values(), 2):
            if one.position().level == other.position().level:
                self.nearest_m = min(self.nearest_m, gap_m(one, other))

    async def until_inside(self, many: int = 2) -> None:
        """Look on until so many are on board."""
        for _ in range(3600):
            await asyncio.sleep(0.2)
            self.look()
            if len(self.inside()) >= many:
                return
        pytest.fail("they never ride together")

    async def until_ended(self, *tasks: TaskId) -> None:
        """Look on until these tasks are done."""
        ends_s = asyncio.get_running_loop().time() + 2400
        while any(task in {t.id for t in self.place.service.open_tasks()} for task in tasks):
            assert asyncio.get_running_loop().time() < ends_s, "they never end"
            await asyncio.sleep(0.2)
            self.look()
        for task in tasks:
            assert self.place.service.task(task).state is TaskState.DONE
        assert self.nearest_m > 0.1


async def both_up(
    place: Hospital | Place, one: str = "f3-room1", other: str = "f3-room3", goods: str = "food"
) -> list[TaskId]:
    """Something from each of two rooms on the first floor to the third."""
    asked = {"kind": "delivery", "item": "box", "mass_kg": 5.0}
    return [
        await place.submit(**asked, goods=goods, **{"from": "f1-room1"}, to=[one]),
        await place.submit(**asked, goods="food", **{"from": "f1-room3"}, to=[other]),
    ]


@pytest.mark.parametrize("version", ["2.0", "2.1", "3.0"])
async def test_two_that_go_the_same_way_ride_together(tmp_path: Path, version: str) -> None:
    async with hospital(tower(tmp_path, *TWO, version=version)) as place:
        ride = Ride(place)
        tasks = await both_up(place)
        await ride.until_ended(*tasks)
        assert ride.together == {(C1, C2)}
        assert ride.nearest_m < 0.5


async def test_without_room_one_rides_at_a_time(tmp_path: Path) -> None:
    async with hospital(tower(tmp_path, *TWO, room=1)) as place:
        ride = Ride(place)
        await ride.until_ended(*await both_up(place))
        assert not ride.together


async def test_one_gets_out_on_the_way_of_the_other(tmp_path: Path) -> None:
    async with hospital(tower(tmp_path, *TWO)) as place:
        ride = Ride(place)
        tasks = await both_up(place, other="f2-room3")
        await ride.until_inside()
        rides = lift_of(place).rides
        await ride.until_ended(*tasks)
        assert ride.together == {(C1, C2)}
        assert lift_of(place).rides - rides <= 4, "up in two steps, and home again"


@pytest.mark.parametrize(
    ("robots", "goods"),
    [
        ((("bed", "f1-bay1"), ("cart", "f1-bay3")), "food"),
        ((("bin", "f1-bay1"), ("cart", "f1-bay3")), "waste"),
    ],
    ids=["too large", "with waste"],
)
async def test_who_needs_the_whole_cabin_rides_alone(
    tmp_path: Path, robots: tuple[tuple[str, str], ...], goods: str
) -> None:
    async with hospital(tower(tmp_path, *robots)) as place:
        ride = Ride(place)
        tasks = await both_up(place, goods=goods)
        await ride.until_ended(*tasks)
        assert place.task(tasks[0]).vehicle == C1
        assert place.task(tasks[1]).vehicle == C2
        assert not ride.together


@pytest.mark.parametrize("broken", [C1, C2])
async def test_one_breaks_down_inside_and_the_other_leaves(tmp_path: Path, broken: str) -> None:
    async with hospital(tower(tmp_path, *TWO)) as place:
        ride = Ride(place)
        tasks = await both_up(place, other="f2-room3")
        await ride.until_inside()
        body = place.world.ground[VehicleId(broken)]
        body.fail("wheel_stuck")
        free = next(task for task in tasks if place.task(task).vehicle != broken)
        await ride.until_ended(free)
        assert ride.inside() == [broken]
        body.repair()
        await ride.until_ended(*tasks)


async def test_the_lift_fails_with_two_inside_and_they_leave_it_where_it_opens(
    tmp_path: Path,
) -> None:
    async with hospital(tower(tmp_path, *TWO)) as place:
        ride = Ride(place)
        tasks = await both_up(place)
        await ride.until_inside()
        lift_of(place).fail()
        await place.until(lambda: not ride.inside(), at_most_s=120)
        await asyncio.sleep(60)
        lift_of(place).repair()
        await ride.until_ended(*tasks)


async def test_the_lift_stops_between_levels_with_two_inside(tmp_path: Path) -> None:
    async with hospital(tower(tmp_path, *TWO)) as place:
        ride = Ride(place)
        tasks = await both_up(place)
        await ride.until_inside()
        lift_of(place).fail(between=True)
        await asyncio.sleep(600)
        assert ride.inside() == [C1, C2]
        lift_of(place).repair()
        await ride.until_ended(*tasks)


@pytest.mark.parametrize("level", ["L1", "L2", "L3"])
@pytest.mark.parametrize("after_s", [2.0, *told_at_length(0.0, 6.0, 12.0)])
async def test_a_code_blue_finds_two_inside(tmp_path: Path, after_s: float, level: str) -> None:
    """Both leave the lift to people at once, and clear the corridor where they come out."""
    async with hospital(tower(tmp_path, *TWO)) as place:
        ride, lift = Ride(place), lift_of(place)
        tasks = await both_up(place)
        await ride.until_inside()
        await asyncio.sleep(after_s)
        asked = {"kind": "code_blue", "level": level, "by": "Dr Lin"}
        blue = await place.service.emergency_desk.begin(EmergencyIn.model_validate(asked))
        await place.until(lambda: not ride.inside() and lift.session is None, at_most_s=120)
        bodies = [place.world.ground[id_] for id_ in (C1, C2)]
        site = place.service.site
        await place.until(
            lambda: all(
                stands_aside(site, NodeId(body.node)) and not body.driving for body in bodies
            ),
            at_most_s=120,
        )
        rides = lift.rides
        await asyncio.sleep(300)
        assert (ride.inside(), lift.session, lift.rides) == ([], None, rides)
        await place.service.emergency_desk.end(blue.id, "Dr Lin")
        await ride.until_ended(*tasks)


@pytest.mark.parametrize("after_s", [0.0, 1.5, 6.0, 12.0, 20.0])
async def test_the_dispatcher_is_killed_with_two_inside(tmp_path: Path, after_s: float) -> None:
    async with start(tower(tmp_path, *TWO), tmp_path / "story.sqlite") as place:
        ride = Ride(place)
        tasks = await both_up(place)
        await ride.until_inside()
        await asyncio.sleep(after_s)
        await place.restart()
        await ride.until_ended(*tasks)


@pytest.mark.parametrize("after_s", [0.0, 1.0, 2.0, 3.0])
async def test_it_is_killed_while_one_comes_in(tmp_path: Path, after_s: float) -> None:
    """Nobody has written down which place it was told to take."""
    async with start(tower(tmp_path, *TWO), tmp_path / "story.sqlite") as place:
        ride = Ride(place)
        tasks = await both_up(place)
        await ride.until_inside(1)
        body = place.world.ground[C2 if ride.inside() == [C1] else C1]
        await place.until(lambda: body.edge is not None and body.edge.end == "lift@L1")
        await asyncio.sleep(after_s)
        await place.restart()
        await ride.until_ended(*tasks)
