"""Stories of areas that take several flights: seen once, all of them, by whoever can.

What was seen is judged by the bodies' tracks alone, with rectangles of shapely's.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import shapely
from shapely.affinity import rotate, translate
from shapely.geometry.base import BaseGeometry

from dispatcher.desks.incidents_in import IncidentIn
from dispatcher.desks.intake import parse
from dispatcher.desks.task_in import PatrolIn
from dispatcher.domain.task import TaskId, TaskState
from dispatcher.errors import Refused
from dispatcher.patrols.patrol_judge import Forecast
from dispatcher.records.book import TaskBook
from fleet.vehicle import VehicleId
from sim.scenario.config import PlannedFault
from sim.world.world import Aircraft
from tests.sim.dock_yard import dock_yard
from tests.sim.hospital import MODELS, Hospital, hospital
from tests.sim.process import Place, place

D1, D2, D3 = VehicleId("D1"), VehicleId("D2"), VehicleId("D3")
AIR = """\
  fence:
    name: {en: Fence, zh: 围栏}
    kind: geofence
    outline: [[-100, -100], [1100, -100], [1100, 1100], [-100, 1100]]
  farm:
    name: {en: Farm, zh: 农场}
    kind: no_fly
    outline: [[180, 200], [230, 200], [230, 260], [180, 260]]
  fields:
    name: {en: Fields, zh: 田野}
    kind: patrol
    outline: [[0, 60], [400, 60], [400, 300], [250, 420], [0, 420]]
"""
WANTED = shapely.Polygon([(0, 60), (400, 60), (400, 300), (250, 420), (0, 420)]) - shapely.box(
    180, 200, 230, 260
)


def fields(folder: Path, drones: int, capacity_wh: int = 50) -> Path:
    models = MODELS.replace("charge_w: 400}\n    cruise", "charge_w: 1500}\n    cruise")
    return dock_yard(
        folder,
        id_="fields",
        name=("Fields", "田野"),
        about="Wide fields with three docks in a corner, and a farm that nobody flies over.",
        air=AIR,
        models=models.replace("capacity_wh: 300", f"capacity_wh: {capacity_wh}"),
        docks=[(0, 0), (60, 0), (120, 0)],
        heights_m=[48, 56, 64][:drones],
    )


class Eye:
    """What the cameras of all drones have seen, by where the bodies were."""

    def __init__(self, aircraft: Mapping[VehicleId, Aircraft]) -> None:
        self._aircraft = aircraft
        self._last: dict[VehicleId, tuple[float, float]] = {}
        self.seen: list[BaseGeometry] = []
        self.flown: dict[VehicleId, float] = dict.fromkeys(aircraft, 0.0)
        """Metres over the ground."""

    async def run(self) -> None:
        while True:
            for id_, body in self._aircraft.items():
                here = body.position()
                x, y, height = here.point.x_m, here.point.y_m, here.height_agl_m
                px, py = self._last.get(id_, (x, y))
                self._last[id_] = (x, y)
                moved = math.hypot(x - px, y - py)
                self.flown[id_] += moved
                if moved > 0.5 and height > 40:
                    picture = shapely.box(
                        -0.375 * height, -0.5 * height, 0.375 * height, 0.5 * height
                    )
                    turned = rotate(picture, math.atan2(y - py, x - px), use_radians=True)
                    self.seen.append(translate(turned, x, y))
            await asyncio.sleep(1)

    def share(self) -> float:
        """Of what is wanted."""
        return shapely.union_all(self.seen).intersection(WANTED).area / WANTED.area


@asynccontextmanager
async def watched(here: Hospital | Place) -> AsyncGenerator[Eye]:
    eye = Eye(here.world.aircraft)
    looking = asyncio.create_task(eye.run(), name="eye")
    try:
        yield eye
    finally:
        looking.cancel()
        await asyncio.wait([looking])


def landed(here: Hospital | Place) -> bool:
    return not any(body.airborne for body in here.world.aircraft.values())


def on_parts(here: Hospital, task: TaskId) -> list[VehicleId]:
    """Whoever is in the air for it."""
    views = here.service.vehicles()
    return [v.spec.id for v in views if task in v.tasks and v.state.airborne]


def left_m(here: Hospital | Place, task: TaskId) -> float:
    """Metres of line that nobody has flown yet."""
    parts = here.service.task(task).parts
    assert parts is not None
    spots = [[(p.x_m, p.y_m) for p in part.line] for part in parts.left]
    return sum(shapely.LineString(line).length for line in spots)


async def covered_s(path: Path) -> tuple[float, float, set[VehicleId]]:
    """Seconds until it is all seen, the share that was, and by whom."""
    async with hospital(path) as here, watched(here) as eye:
        began_s = asyncio.get_running_loop().time()
        task = await here.submit(kind="patrol", area="fields")
        await here.until_ended(task)
        took_s = asyncio.get_running_loop().time() - began_s
        assert here.task(task).state is TaskState.DONE
        assert here.task(task).stops_done > 1
        await here.until(lambda: landed(here))
        return took_s, eye.share(), {id_ for id_, metres in eye.flown.items() if metres > 100}


@pytest.mark.long
async def test_three_drones_see_an_area_sooner_than_one_that_flies_again_and_again(
    tmp_path: Path,
) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "three").mkdir()
    one_s, one, _ = await covered_s(fields(tmp_path / "one", 1))
    three_s, three, flew = await covered_s(fields(tmp_path / "three", 3))
    assert min(one, three) >= 0.99
    assert flew == {D1, D2, D3}
    assert three_s < 0.6 * one_s


async def test_what_a_drone_that_is_called_away_leaves_is_flown_and_no_more(tmp_path: Path) -> None:
    async with hospital(fields(tmp_path, 1, 70)) as here, watched(here) as eye:
        task = await here.submit(kind="patrol", area="fields")
        body = here.world.aircraft[D1]
        await here.until(lambda: here.task(task).parts is not None and eye.flown[D1] > 900)
        call = IncidentIn.model_validate({"x_m": 500, "y_m": 100, "on_scene_s": 30})
        assert (await here.service.incidents.report(call)).vehicle == D1
        await asyncio.sleep(10)
        left = left_m(here, task)
        await here.until(lambda: landed(here))
        before_m = eye.flown[D1]
        await here.until(lambda: body.airborne, 1200)
        await here.until_ended(task)
        await here.until(lambda: landed(here))
        assert here.task(task).state is TaskState.DONE
        assert eye.flown[D1] - before_m < left + 800, "with the ways there and home"
        assert eye.share() >= 0.99


async def test_what_a_lost_drone_leaves_is_seen_by_another(tmp_path: Path) -> None:
    async with hospital(fields(tmp_path, 2)) as here, watched(here) as eye:
        task = await here.submit(kind="patrol", area="fields")
        await here.until(lambda: eye.flown[D1] > 300 and eye.flown[D2] > 100)
        fault = PlannedFault(at_s=0.0, target="vehicle", id=D1, fault="silent", lasts_s=3000.0)
        here.simulation.inject([fault])
        await here.until_ended(task)
        assert here.task(task).state is TaskState.DONE
        assert asyncio.get_running_loop().time() < 3000
        assert eye.share() >= 0.99


async def test_a_weak_battery_goes_home_with_its_reserve_and_the_rest_is_flown_later(
    tmp_path: Path,
) -> None:
    async with hospital(fields(tmp_path, 1)) as here, watched(here) as eye:
        task = await here.submit(kind="patrol", area="fields")
        await here.until(lambda: eye.flown[D1] > 500)
        fault = PlannedFault(at_s=0.0, target="vehicle", id=D1, fault="battery", share=0.45)
        here.simulation.inject([fault])
        drone = here.world.aircraft[D1]
        left = left_m(here, task)
        await here.until(lambda: not drone.airborne, 240)
        assert drone.charge_ratio() >= 0.2
        assert 0 < left_m(here, task) <= left
        await here.until_ended(task)
        assert here.task(task).state is TaskState.DONE
        assert eye.share() >= 0.99


async def test_out_of_service_one_comes_home_and_cancelled_all_do(tmp_path: Path) -> None:
    async with hospital(fields(tmp_path, 2)) as here, watched(here) as eye:
        task = await here.submit(kind="patrol", area="fields")
        await here.until(lambda: eye.flown[D1] > 300)
        await here.service.fleet_desk.set_in_service(D1, on=False)
        await here.until(lambda: not here.world.aircraft[D1].airborne, 120)
        assert here.world.aircraft[D2].airborne
        await here.service.task_desk.cancel(task)
        assert here.task(task).state is TaskState.CANCELLING
        await here.until_ended(task, at_most_s=150)
        assert here.task(task).state is TaskState.CANCELLED
        assert landed(here)


async def test_it_goes_on_after_a_restart_with_those_in_the_air(tmp_path: Path) -> None:
    async with place(fields(tmp_path, 2), tmp_path / "fields.sqlite") as here, watched(here) as eye:
        task = await here.submit(kind="patrol", area="fields")
        await asyncio.sleep(75)
        flying = {one.id for one in here.world.aircraft.values() if one.airborne}
        left = left_m(here, task)
        await here.restart()
        await asyncio.sleep(30)
        assert flying == {D1, D2}
        assert flying == {one.id for one in here.world.aircraft.values() if one.airborne}
        assert left_m(here, task) < left
        assert (await here.until_all_ended())[task] is TaskState.DONE
        await here.until(lambda: landed(here))
        assert eye.share() >= 0.99


async def test_a_slow_store_mixes_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that is seen, and each step of a shift, takes nine seconds to be on disk."""
    commit = TaskBook.commit

    async def slow(book: TaskBook, **what: Any) -> Any:
        if what.get("tasks") or what.get("shifts"):
            await asyncio.sleep(9)
        return await commit(book, **what)

    monkeypatch.setattr(TaskBook, "commit", slow)
    async with hospital(fields(tmp_path, 2)) as here, watched(here) as eye:
        task = await here.submit(kind="patrol", area="fields")
        await here.until(lambda: eye.flown[D1] > 300)
        await here.service.fleet_desk.set_in_service(D1, on=False)
        await here.until_ended(task)
        assert here.task(task).state is TaskState.DONE
        await here.until(lambda: landed(here))
        assert eye.share() >= 0.99


async def test_every_round_is_flown(tmp_path: Path) -> None:
    async with hospital(fields(tmp_path, 2, 30)) as here, watched(here) as eye:
        outline = [[0, 60], [300, 60], [300, 300], [0, 300]]
        task = await here.submit(kind="patrol", outline=outline, rounds=2)
        await here.until(lambda: (parts := here.task(task).parts) is not None and parts.round == 2)
        first_m = sum(eye.flown.values())
        await here.until_ended(task)
        assert here.task(task).state is TaskState.DONE
        assert sum(eye.flown.values()) > 1.6 * first_m


async def preview(here: Hospital, **asked: Any) -> Forecast:
    request = parse({"kind": "patrol", **asked})
    assert isinstance(request, PatrolIn)
    return await here.service.admission.preview(request)


async def test_what_it_takes_is_said_before_anything_flies(tmp_path: Path) -> None:
    async with hospital(fields(tmp_path, 3)) as here:
        told = await preview(here, area="fields")
        assert not told.faults
        assert (told.used, told.able, told.needed) == (3, 3, 1)
        assert told.sorties == len(told.lines) == 3
        assert told.minutes is not None
        assert 3 < told.minutes < 6
        assert told.battery_ratio is not None
        assert 0.3 < told.battery_ratio <= (0.9 - 0.2) / 1.25
        seen = shapely.union_all(
            [shapely.LineString([(p.x_m, p.y_m) for p in line]).buffer(24) for line in told.lines]
        )
        assert seen.intersection(WANTED).area >= 0.97 * WANTED.area
        small = await preview(here, outline=[[0, 60], [90, 60], [90, 150], [0, 150]])
        assert (small.used, small.sorties, len(small.lines)) == (1, 1, 1)


async def test_what_nobody_could_ever_see_is_refused(tmp_path: Path) -> None:
    path = fields(tmp_path, 3)

    async def why(here: Hospital, **asked: Any) -> list[tuple[str, str]]:
        with pytest.raises(Refused) as caught:
            await here.submit(kind="patrol", **asked)
        with suppress(Refused):  # what is no area of this site's is refused as such
            told = await preview(here, **asked)
            assert [f.reason for f in told.faults] == [f.reason for f in caught.value.faults]
        return [(fault.field, fault.reason.code) for fault in caught.value.faults]

    async with hospital(path) as here:
        outside = [[900, 900], [1300, 900], [1300, 1300], [900, 1300]]
        assert await why(here, outline=outside) == [("outline", "area_outside_fence")]
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("capacity_wh: 50", "capacity_wh: 30"), encoding="utf-8")
    async with hospital(path) as here:
        assert await why(here, area="fields", rounds=20) == [("area", "area_takes_too_long")]
        far = [[700, 700], [1000, 700], [1000, 1000], [700, 1000]]
        assert await why(here, outline=far) == [("outline", "area_out_of_reach")]
    path.write_text(text.replace("skills: [carry, camera]", "skills: [carry]"), encoding="utf-8")
    async with hospital(path) as here:
        assert await why(here, area="fields") == [("kind", "lacks_skill")]
