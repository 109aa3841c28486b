"""Stories of roads: around what is closed, around who is stuck, and never over another's home."""

import asyncio
from pathlib import Path

import pytest

from dispatcher.domain.task import TaskState
from fleet.mission import Action
from fleet.vehicle import VehicleId
from routing.site import Edge, LaneId
from sim.world.bodies import GroundBody
from sim.world.world import Observer
from tests.sim.hospital import MODELS, hospital

C1, C2 = VehicleId("C1"), VehicleId("C2")
SITE = """\
# A ring of corridors: from the kitchen to the ward it goes short by the north, long by the south.
site: ring
name: {en: Ring, zh: 环}
anchor: {lat_deg: 30.59, lon_deg: 114.3}
levels:
  L1:
    name: {en: Level 1, zh: 一层}
    nodes:
      west: [0, 0]
      n1: [10, 5]
      n2: [20, 5]
      n3: [25, 5]
      n4: [30, 5]
      n5: [35, 5]
      s1: [10, -15]
      s2: [30, -15]
      east: [40, 0]
    places:
      kitchen: {name: {en: Kitchen, zh: 厨房}, kind: kitchen, at: [-5, 0], joins: [west]}
      ward: {name: {en: Ward, zh: 病房}, kind: ward, at: [45, 0], joins: [east]}
      lodge: {name: {en: Lodge, zh: 门房}, kind: room, at: [20, 10], joins: [n2]}
      bay-1: {name: {en: Bay 1, zh: 一号}, at: [0, 5], joins: [west], roles: [parking, charger]}
      bay-2: {name: {en: Bay 2, zh: 二号}, at: [20, 0], joins: [n1, n3], roles: [parking, charger]}
    lanes:
      - [west, n1, n2, n3, n4, n5, east]
      - [west, s1, s2, east]
"""
VEHICLES = "\nvehicles:\n  - {model: cart, ids: [C1, C2], homes: [bay-1, bay-2]}\n"


class Tracks(Observer):
    """Where each body has been."""

    def __init__(self) -> None:
        self.nodes: dict[VehicleId, list[str]] = {}

    def arrived(self, body: GroundBody, edge: Edge) -> None:
        self.nodes.setdefault(body.id, []).append(edge.end)

    def acted(self, body: GroundBody, action: Action) -> None:
        self.nodes.setdefault(body.id, []).append(action.kind.value)


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    return ring_file(tmp_path)


def ring_file(folder: Path) -> Path:
    """A scenario of two carts on the ring."""
    (folder / "site.yaml").write_text(SITE, encoding="utf-8")
    path = folder / "ring.yaml"
    head = "# a ring\nscenario: ring\nsite: site.yaml\nduration: 24h\n"
    path.write_text(head + MODELS + VEHICLES, encoding="utf-8")
    return path


async def test_no_way_leads_over_the_home_of_another(ring: Path) -> None:
    async with hospital(ring) as place:
        tracks = Tracks()
        place.world.observe(tracks)
        await place.service.lane_desk.close_lane(LaneId("n1~n2"), until_s=None)
        await place.service.fleet_desk.set_in_service(C2, on=False)
        task = await place.deliver("kitchen", "ward")
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert "bay-2" not in tracks.nodes[C1]
        assert "s1" in tracks.nodes[C1]


async def test_a_lane_that_closes_under_way_is_driven_around(ring: Path) -> None:
    async with hospital(ring) as place:
        tracks = Tracks()
        place.world.observe(tracks)
        await place.service.fleet_desk.set_in_service(C2, on=False)
        task = await place.deliver("kitchen", "ward")
        await place.until(lambda: "load" in tracks.nodes.get(C1, ()))
        await place.service.lane_desk.close_lane(LaneId("n2~n3"), until_s=None)
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        assert "n3" not in tracks.nodes[C1]


async def test_others_are_led_around_one_that_is_stuck(ring: Path) -> None:
    async with hospital(ring) as place:
        await place.service.fleet_desk.set_in_service(C1, on=False)
        first = await place.deliver("lodge", "ward")
        body = place.world.ground[C2]
        await place.until(lambda: bool(body.loads) and body.node == "n2")
        body.fail("wheel_stuck")
        await place.service.fleet_desk.set_in_service(C1, on=True)
        second = await place.deliver("kitchen", "ward")
        await place.until_ended(second, at_most_s=600)
        await place.until(lambda: place.world.ground[C1].node == "bay-1", at_most_s=600)
        assert place.task(second).vehicle == C1
        assert place.task(first).state is TaskState.UNDERWAY
        body.repair()
        await place.until_ended(first)
        assert place.task(first).state is TaskState.DONE


async def test_a_place_that_closes_behind_its_only_lane_waits_with_its_reason(ring: Path) -> None:
    async with hospital(ring) as place:
        await place.service.lane_desk.close_lane(LaneId("ward~east"), until_s=None)
        task = await place.deliver("kitchen", "ward")
        await asyncio.sleep(60)
        assert place.task(task).state is TaskState.QUEUED
        assert place.task(task).reason is not None
        await place.service.lane_desk.open_lane(LaneId("ward~east"))
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
