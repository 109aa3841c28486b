"""Stories of areas that take several flights: seen once, all of them, by whoever can.

What was seen is judged by the bodies' tracks alone, with rectangles of shapely's.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import shapely
from shapely.affinity import rotate, translate
from shapely.geometry.base import BaseGeometry

from dispatcher.errors import Refused
from dispatcher.incidents_in import IncidentIn
from dispatcher.intake import parse
from dispatcher.patrol_judge import Forecast
from dispatcher.shifts import PART
from dispatcher.task import TaskId, TaskState
from dispatcher.task_in import PatrolIn
from fleet.vehicle import VehicleId
from sim.world import Aircraft
from sim.config import PlannedFault
from tests.sim.hospital import MODELS, Hospital, hospital
from tests.sim.process import Place, place

D1, D2, D3 = VehicleId("D1"), VehicleId("D2"), VehicleId("D3")
SITE = """\
# Wide fields with three docks in a corner, and a farm that nobody flies over.
site: fields
name: {en: Fields, zh: 田野}
anchor: {lat_deg: 30.59, lon_deg: 114.3}
levels:
  yard:
    name: {en: Yard, zh: 院区}
    outdoors: true
    places:
      dock-1: {name: {en: Dock 1, zh: 一号}, kind: dock, at: [0, 0], roles: [pad, charger]}
      dock-2: {name: {en: Dock 2, zh: 二号}, kind: dock, at: [60, 0], roles: [pad, charger]}
      dock-3: {name: {en: Dock 3, zh: 三号}, kind: dock, at: [120, 0], roles: [pad, charger]}
air:
  fence:
    name: {en: Fence, zh: 围栏}
    kind: geofence
    outline: [[-100, -100], [1100, -100], [1100, 1100], [-100, 1100]]
  farm:
    name: {en: Farm, zh: 农场}
    kind: no_fly
    outline: [[300, 300], [420, 300], [420, 380], [300, 380]]
  fields:
    name: {en: Fields, zh: 田野}
    kind: patrol
    outline: [[0, 60], [700, 60], [700, 460], [400, 700], [0, 700]]
"""
WANTED = shapely.Polygon([(0, 60), (700, 60), (700, 460), (400, 700), (0, 700)]) - shapely.box(
    300, 300, 420, 380
)


def fields(folder: Path, drones: int, capacity_wh: int = 300) -> Path:
    (folder / "site.yaml").write_text(SITE, encoding="utf-8")
    path, models = folder / "fields.yaml", MODELS.replace("charge_w: 400}\n    cruise", "charge_w: 1500}\n    cruise")
    models = models.replace("capacity_wh: 300", f"capacity_wh: {capacity_wh}")
    docks = ", ".join(f"dock-{n + 1}" for n in range(drones))
    ids = ", ".join(f"D{n + 1}" for n in range(drones))
    path.write_text(
        "# drones over fields\nscenario: fields\nsite: site.yaml\nduration: 24h\n" + models +
        f"vehicles:\n  - {{model: drone, ids: [{ids}], homes: [{docks}], docks: [{docks}], "
        f"cruise_agl_m: [{', '.join(str(48 + 8 * n) for n in range(drones))}]}}\n",
        encoding="utf-8",
    )
    return path


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
                    picture = shapely.box(-0.375 * height, -0.5 * height, 0.375 * height, 0.5 * height)
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


async def covered_s(path: Path) -> tuple[float, float, set[VehicleId]]:
    """Seconds until it is all seen, the share that was, and by whom."""
    async with hospital(path) as here, watched(here) as eye:
        began_s = asyncio.get_running_loop().time()
        task = await here.submit(kind="patrol", area="fields")
        await here.until_ended(task, at_most_s=4 * 3600)
        assert here.task(task).state is TaskState.DONE
        took_s = asyncio.get_running_loop().time() - began_s
        flew = {id_ for id_, metres in eye.flown.items() if metres > 100}
        await here.until(lambda: not any(a.airborne for a in here.world.aircraft.values()))
        return took_s, eye.share(), flew


async def test_three_drones_see_a_large_area_sooner_than_one(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "three").mkdir()
    one_s, one, _ = await covered_s(fields(tmp_path / "one", 1))
    three_s, three, flew = await covered_s(fields(tmp_path / "three", 3))
    print(one_s, one, three_s, three, flew)
    assert min(one, three) >= 0.99
    assert flew == {D1, D2, D3}
    assert three_s < 0.6 * one_s


async def test_one_drone_sees_what_is_too_large_for_one_flight_in_several(tmp_path: Path) -> None:
    took_s, seen, flew = await covered_s(fields(tmp_path, 1, capacity_wh=110))
    print(took_s, seen, flew)
    assert seen >= 0.99
