"""Stories of one drone above the pad of another: past in good time, or not before the other."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dispatcher.desks.control_desk import Order
from dispatcher.desks.incidents_in import IncidentIn
from dispatcher.domain.incidents import IncidentState
from fleet.vehicle import VehicleId
from routing.geometry import Point
from sim.world.multirotor import Multirotor, Wind
from tests.sim.dock_yard import STANDBY, dock_yard
from tests.sim.hospital import Hospital, hospital
from tests.sim.process import place as process

D1, D2 = VehicleId("D1"), VehicleId("D2")
PAD_1, PAD_2, SCENE = Point(0, 0), Point(30, 0), Point(300, 0)
LAYER_2_M = 55.0
AIR = """\
  fence:
    name: {en: Fence, zh: 围栏}
    kind: geofence
    outline: [[-300, -300], [600, -300], [600, 1200], [-300, 1200]]
  park:
    name: {en: Park, zh: 公园}
    kind: patrol
    outline: [[-100, 500], [200, 500], [200, 900], [-100, 900]]
"""


def twins(folder: Path) -> Path:
    """A scenario there."""
    return dock_yard(
        folder,
        id_="twins",
        name=("Twins", "双坪"),
        about="Two pads side by side, a park behind them, and a scene beyond the second pad.",
        docks=[(0, 0), (30, 0)],
        heights_m=[40, 55],
        air=AIR,
        models=STANDBY,
    )


class Sky:
    """The two bodies, and what was nearest."""

    def __init__(self, place: Hospital) -> None:
        self.place, self.service = place, place.service
        self.one, self.two = (place.simulation.stage.autopilots[id_].body for id_ in (D1, D2))
        self.nearest_m = 1000.0
        """How near the first one came to the second pad in the air."""
        self.lower_before_s = 0.0
        """How long the second one was below its layer above its pad before the first was past."""

    @property
    def past(self) -> bool:
        """Whether the first one is behind the second pad."""
        return self.one.position().point.x_m > PAD_2.x_m + 9

    def follow(self) -> None:
        """Look at the present moment."""
        here, other = self.one.position(), self.two.position()
        if self.one.airborne:
            self.nearest_m = min(self.nearest_m, here.point.distance_m(PAD_2))
        over_pad = other.point.distance_m(PAD_2) < 9 and self.two.airborne
        if over_pad and other.height_agl_m < LAYER_2_M - 2 and not self.past:
            self.lower_before_s += 0.25

    async def until_past(self, at_most_s: float = 300.0) -> None:
        """Follow until the first one is behind the pad."""
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + at_most_s
        while not self.past:
            assert loop.time() < ends_s, "it is never past"
            self.follow()
            await asyncio.sleep(0.25)

    async def call(self) -> None:
        """Someone calls from beyond the second pad: the first one is sent."""
        asked = IncidentIn(x_m=SCENE.x_m, y_m=SCENE.y_m, on_scene_s=30.0)
        incident = await self.service.incidents.report(asked)
        assert incident.vehicle == D1

    async def holds(self) -> list[tuple[str, str | None]]:
        """Who had to wait in the air, as it is in the journal."""
        events = await self.service.store.events_of(["air_hold", "air_hold_ended"])
        return [(event.kind, event.vehicle) for event in events]

    async def all_home(self) -> None:
        """Let both come home, and the incident be seen."""
        await self.place.until(lambda: not (self.one.airborne or self.two.airborne), 1200)
        assert at(self.one, PAD_1)
        assert at(self.two, PAD_2)
        assert [i.state for i in self.service.incidents.shown] == [IncidentState.OBSERVED]


def at(body: Multirotor, pad: Point) -> bool:
    return body.position().point.distance_m(pad) < 2


@asynccontextmanager
async def second_comes_home_from(path: Path, away_m: float) -> AsyncGenerator[Sky]:
    """The second drone sweeps the park and is on its way home, so far from its pad."""
    async with hospital(path) as place:
        sky = Sky(place)
        await place.service.fleet_desk.set_in_service(D1, on=False)
        await place.submit(kind="patrol", area="park")
        await place.until(lambda: sky.two.airborne)
        await place.until(lambda: sky.two.position().point.y_m > 800)
        await place.service.fleet_desk.set_in_service(D1, on=True)
        await place.service.fleet_desk.set_in_service(D2, on=False)
        await place.until(lambda: sky.two.position().point.distance_m(PAD_2) < away_m, 1200)
        yield sky


async def test_who_is_past_well_before_the_other_lands_flies_straight(tmp_path: Path) -> None:
    async with second_comes_home_from(twins(tmp_path), 800) as sky:
        await sky.call()
        await sky.until_past()
        assert sky.nearest_m < 2
        await sky.all_home()
        assert await sky.holds() == []


async def test_who_would_be_there_together_with_the_other_flies_round(tmp_path: Path) -> None:
    async with second_comes_home_from(twins(tmp_path), 250) as sky:
        await sky.call()
        await sky.until_past()
        assert sky.nearest_m > 9
        await sky.all_home()
        assert await sky.holds() == []


async def test_who_would_land_waits_in_the_air_for_one_that_is_late(tmp_path: Path) -> None:
    async with second_comes_home_from(twins(tmp_path), 500) as sky:
        await sky.call()
        desk = sky.service.control
        await sky.place.until(lambda: sky.one.position().height_agl_m > 25)
        await desk.take(D1, "Wu")
        await desk.command(Order.HOLD, "Wu", [D1])
        await asyncio.sleep(60)
        assert sky.two.airborne
        assert sky.place.code_of("D2") == "waits_for_airspace"
        await desk.command(Order.GO_ON, "Wu", [D1])
        await sky.until_past()
        assert sky.nearest_m < 2
        assert sky.lower_before_s == 0
        await sky.place.until(lambda: not sky.two.airborne)
        assert await sky.holds() == [("air_hold", "D2"), ("air_hold_ended", "D2")]


async def test_nobody_waits_for_ever_for_one_that_does_not_come(tmp_path: Path) -> None:
    async with second_comes_home_from(twins(tmp_path), 500) as sky:
        await sky.call()
        desk = sky.service.control
        await sky.place.until(lambda: sky.one.position().height_agl_m > 25)
        await desk.take(D1, "Wu")
        await desk.command(Order.HOLD, "Wu", [D1])
        await sky.place.until(lambda: not sky.two.airborne, 300)
        assert at(sky.two, PAD_2)
        await desk.command(Order.GO_ON, "Wu", [D1])
        await sky.all_home()


@pytest.mark.long
async def test_before_one_that_hears_nothing_the_late_one_waits(tmp_path: Path) -> None:
    async with second_comes_home_from(twins(tmp_path), 500) as sky:
        await sky.call()
        sky.place.simulation.stage.autopilots[D2].link_down = True
        sky.one.set_wind(Wind(-11.5, 0.0))
        await sky.until_past(600)
        assert not sky.two.airborne, "it has landed before"
        assert sky.lower_before_s > 0
        sky.one.set_wind(Wind())
        sky.place.simulation.stage.autopilots[D2].link_down = False
        await sky.all_home()
        assert await sky.holds() == [("air_hold", "D1"), ("air_hold_ended", "D1")]


@pytest.mark.parametrize("after_s", [2.0, 20.0])
async def test_a_wait_in_the_air_ends_well_over_a_restart(tmp_path: Path, after_s: float) -> None:
    async with process(twins(tmp_path), tmp_path / "store.sqlite") as here:
        one, two = (here.stage.autopilots[id_].body for id_ in (D1, D2))
        await asyncio.sleep(30)
        await here.service.fleet_desk.set_in_service(D1, on=False)
        await here.submit(kind="patrol", area="park")
        await here.until(lambda: two.airborne)
        await here.until(lambda: two.position().point.y_m > 800)
        await here.service.fleet_desk.set_in_service(D1, on=True)
        await here.service.fleet_desk.set_in_service(D2, on=False)
        await here.until(lambda: two.position().point.distance_m(PAD_2) < 500, 1200)
        asked = IncidentIn(x_m=SCENE.x_m, y_m=SCENE.y_m, on_scene_s=30.0)
        await here.service.incidents.report(asked)
        one.set_wind(Wind(-11.5, 0.0))

        def waits() -> bool:
            view = next(v for v in here.service.vehicles() if v.spec.id == D2)
            return view.waiting_for is not None and two.airborne

        await here.until(waits, 120)
        await asyncio.sleep(after_s)
        await here.restart()
        one.set_wind(Wind())
        await here.until(lambda: not (one.airborne or two.airborne), 1200)
        assert at(one, PAD_1)
        assert at(two, PAD_2)
        assert here.world.violations["airspace"] == 0
