"""Stories of a crowded sky: some drones, few layers of air, and all kinds of flights at once.

A story is drawn from its seed alone: how many drones, where their docks and pads lie, which
layers they share, and what people ask for, call off and call home. It is judged by the bodies.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from dispatcher.desks.control_desk import Order
from dispatcher.desks.incidents_in import IncidentIn
from dispatcher.domain.task import TaskId
from dispatcher.errors import DispatchError
from fleet.vehicle import VehicleId
from tests.sim.hospital import MODELS, Hospital, hospital

LASTS_S = 2400.0
"""How long people ask for things."""
EACH_S = (20.0, 140.0)
"""From one thing that they ask for to the next."""
ENDS_S = 3 * 3600.0
"""All is over and all are home, so long after that."""
WIDE_M = 500.0
LAYERS_M = (40.0, 52.0)
APART_M = 30.0
"""Pads lie no nearer to one another."""
SITE = """\
# A field crowded with docks and pads, and a park over half of it.
site: crowd
name: {{en: Crowd, zh: 密集场地}}
anchor: {{lat_deg: 30.59, lon_deg: 114.3}}
levels:
  yard:
    name: {{en: Yard, zh: 院区}}
    outdoors: true
    places:
{places}
air:
  fence:
    name: {{en: Fence, zh: 围栏}}
    kind: geofence
    outline: [[-150, -150], [650, -150], [650, 650], [-150, 650]]
  park:
    name: {{en: Park, zh: 公园}}
    kind: patrol
    outline: [[0, 0], [320, 0], [320, 320], [0, 320]]
"""
PLACE = (
    "      {name}: {{name: {{en: {name}, zh: {name}}}, kind: {kind}, at: [{x}, {y}], "
    "roles: {roles}}}"
)


@dataclass(slots=True)
class Ending:
    """What came of a story."""

    seed: int
    drones: int
    flights: Counter[str] = field(default_factory=Counter[str])
    """What was asked for, and how often."""
    breaches: list[str] = field(default_factory=list[str])
    still_open: list[TaskId] = field(default_factory=list[TaskId])
    not_home: list[VehicleId] = field(default_factory=list[VehicleId])


class Crowd:
    """One story while it is told."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(f"crowd:{seed}")
        self.many = self.chance.randint(3, 5)
        self.drones = [VehicleId(f"D{n}") for n in range(1, self.many + 1)]
        self.pads = ["depot", "clinic"]
        self._spots: list[tuple[float, float]] = []

    def scenario(self, folder: Path) -> Path:
        """A site and its drones, written down there."""
        docks = [f"dock-{n}" for n in range(1, self.many + 1)]
        lines = [self._line(name, "dock", "[pad, charger]") for name in docks]
        lines += [self._line(name, "pad", "[pad]") for name in self.pads]
        layers = [self.chance.choice(LAYERS_M) for _ in docks]
        (folder / "site.yaml").write_text(SITE.format(places="\n".join(lines)), encoding="utf-8")
        models = MODELS.replace("charge_w: 400", "charge_w: 4000").replace(
            "link: {mavlink: {}}", "link: {mavlink: {standby: true}}"
        )
        path = folder / "crowd.yaml"
        path.write_text(
            "# a crowd\nscenario: crowd\nsite: site.yaml\nduration: 24h\n"
            f"{models}\nvehicles:\n  - model: drone\n    ids: [{', '.join(self.drones)}]\n"
            f"    homes: [{', '.join(docks)}]\n    docks: [{', '.join(docks)}]\n"
            f"    cruise_agl_m: {layers}\n",
            encoding="utf-8",
        )
        return path

    def _line(self, name: str, kind: str, roles: str) -> str:
        while True:
            x, y = (round(self.chance.uniform(0, WIDE_M), 1) for _ in range(2))
            if all((x - a) ** 2 + (y - b) ** 2 > APART_M**2 for a, b in self._spots):
                self._spots.append((x, y))
                return PLACE.format(name=name, kind=kind, x=x, y=y, roles=roles)

    # --- what people ask for ---

    def deeds(self, place: Hospital) -> dict[str, Callable[[], Awaitable[object]]]:
        """By name, each somebody's deed."""

        async def sweep_the_park() -> None:
            await place.submit(kind="patrol", area="park", priority=self._priority())

        async def sweep_what_is_drawn() -> None:
            x, y = (self.chance.uniform(0, WIDE_M - 150) for _ in range(2))
            w, h = (self.chance.uniform(80, 150) for _ in range(2))
            outline = [[x, y], [x + w, y], [x + w, y + h], [x, y + h]]
            await place.submit(kind="patrol", outline=outline, priority=self._priority())

        async def see_places() -> None:
            await place.submit(kind="patrol", points=self.pads, by="air", dwell_s=5)

        async def deliver() -> None:
            origin, to = self.chance.sample(self.pads, 2)
            await place.deliver(origin, to, goods="general", mass_kg=1.0, priority=self._priority())

        async def call() -> None:
            x, y = (self.chance.uniform(0, WIDE_M) for _ in range(2))
            stays_s = self.chance.uniform(5, 60)
            await place.service.incidents.report(IncidentIn(x_m=x, y_m=y, on_scene_s=stays_s))

        async def call_off() -> None:
            tasks = place.service.open_tasks()
            if tasks:
                await place.service.task_desk.cancel(self.chance.choice(tasks).id)

        async def call_home() -> None:
            await self._command(place, Order.RECALL)

        async def out_of_service() -> None:
            vehicle = self.chance.choice(self.drones)
            await place.service.fleet_desk.set_in_service(vehicle, on=False)
            await asyncio.sleep(self.chance.uniform(10, 200))
            await place.service.fleet_desk.set_in_service(vehicle, on=True)

        deeds = (
            *(sweep_the_park, sweep_what_is_drawn, see_places, deliver),
            *(deliver, call, call, call_off, call_home, out_of_service),
        )
        return {f"{n} {deed.__name__}": deed for n, deed in enumerate(deeds)}

    def _priority(self) -> str:
        return self.chance.choice(["routine", "urgent"])

    async def _command(self, place: Hospital, order: Order) -> None:
        flying = [id_ for id_ in self.drones if place.world.aircraft[id_].airborne]
        if not flying:
            return
        vehicle, desk = self.chance.choice(flying), place.service.control
        with suppress(DispatchError):
            await desk.take(vehicle, "Wu")
            await desk.command(order, "Wu", [vehicle])
            await place.until(lambda: not place.world.aircraft[vehicle].airborne, 600)
            await desk.command(Order.GO_ON, "Wu", [vehicle])
            await desk.release(vehicle, "Wu")


async def play(folder: Path, seed: int) -> Ending:
    """Tell one story to its end."""
    crowd = Crowd(seed)
    ending = Ending(seed=seed, drones=crowd.many)
    kinds = ("airspace", "geofence", "reserve")
    async with hospital(crowd.scenario(folder), seed=seed, forgiven=kinds) as place:
        deeds = crowd.deeds(place)
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + LASTS_S
        async with asyncio.TaskGroup() as group:
            while loop.time() < ends_s:
                name = crowd.chance.choice(list(deeds))
                ending.flights[name.partition(" ")[2]] += 1
                group.create_task(_done(deeds[name]), name=name)
                await asyncio.sleep(crowd.chance.uniform(*EACH_S))
        with suppress(AssertionError):
            await place.until(lambda: not (place.service.open_tasks() or abroad(place)), ENDS_S)
        ending.still_open = [task.id for task in place.service.open_tasks()]
        ending.not_home = abroad(place)
        ending.breaches = [f"{at_s:.0f} s: {what}" for at_s, _, what in place.world.incidents]
    return ending


def abroad(place: Hospital) -> list[VehicleId]:
    """Who is not on the ground in its dock."""
    site, found = place.service.site, list[VehicleId]()
    for vehicle in place.service.vehicles():
        body = place.world.aircraft[vehicle.spec.id]
        home = site.nodes[site.places[vehicle.spec.home].node].point
        if body.airborne or body.position().point.distance_m(home) > 3:
            found.append(vehicle.spec.id)
    return found


async def _done(deed: Callable[[], Awaitable[object]]) -> None:
    with suppress(DispatchError):
        await deed()
