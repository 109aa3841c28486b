import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from fleet.energy import EnergySpec
from fleet.mission import Action, ActionKind
from fleet.vehicle import Medium, Position, VehicleId, VehicleSpec
from routing.geometry import Point
from routing.site import Edge, LaneId, LevelId, NodeId, PlaceId, Site
from routing.sites import site_yaml
from routing.windows import Window
from sim.judges.monitors import Monitors
from sim.world.bodies import GroundBody
from sim.world.signal import Signal
from sim.world.world import World
from tests.folders import SMALL_SITES
from tests.sim.passage import PASSAGE
from tests.sim.world.test_multirotor import SPEC

AIR = """
air:
  fence:
    name: {en: Fence, zh: 围栏}
    kind: geofence
    outline: [[-100, -100], [200, -100], [200, 100], [-100, 100]]
  school:
    name: {en: School, zh: 学校}
    kind: no_fly
    outline: [[100, 0], [120, 0], [120, 20], [100, 20]]
"""


@pytest.fixture
def site() -> Site:
    text = (SMALL_SITES / "corridor.yaml").read_text()
    return site_yaml.loads(text + AIR, "corridor.yaml")


@pytest.fixture
async def world(site: Site) -> World:
    return World(site, seed=1)


@asynccontextmanager
async def watched(world: World) -> AsyncGenerator[Monitors]:
    monitors = Monitors(world)
    task = asyncio.create_task(monitors.run())
    await asyncio.sleep(0)
    try:
        yield monitors
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def put(world: World, name: str, node: str) -> GroundBody:
    spec = VehicleSpec(
        id=VehicleId(name),
        name=name,
        medium=Medium.GROUND,
        kind="cart",
        make="test",
        home=PlaceId("park"),
        speed_m_s=1.0,
        acceleration_m_s2=1.0,
        width_m=0.6,
        length_m=0.8,
        payload_g=50_000,
        payload_ml=100_000,
        load_types=frozenset({"food"}),
        skills=frozenset({"carry"}),
        energy=EnergySpec(capacity_wh=500.0, idle_w=10.0, move_w=100.0),
    )
    return world.add_ground(spec, NodeId(node))


def edge(world: World, start: str, end: str) -> Edge:
    return world.site.edge(NodeId(start), NodeId(end))


def cargo(kind: ActionKind, load: str = "T-1") -> Action:
    return Action(id=f"{kind}-{load}", kind=kind, duration_s=5.0, facts={"load_id": load})


class Drone:
    """An aircraft that is wherever a test puts it."""

    def __init__(self, name: str, x_m: float, y_m: float, height_m: float = 60.0) -> None:
        self.id, self.spec = VehicleId(name), SPEC
        self.airborne = False
        self.changed = Signal()
        self.place, self.height_m = Point(x_m, y_m), height_m

    def position(self) -> Position:
        return Position(level=LevelId("L1"), point=self.place, height_agl_m=self.height_m)

    def charge_ratio(self) -> float:
        return 1.0

    def rise(self) -> None:
        self.airborne = True
        self.changed.fire()


async def test_bodies_that_follow_each_other_do_not_collide(world: World) -> None:
    first, second = put(world, "C1", "n2"), put(world, "C2", "n1")
    async with watched(world):
        await first.drive(edge(world, "n2", "n3"), onward=False)
        await second.drive(edge(world, "n1", "n2"), onward=False)
    assert sum(world.violations.values()) == 0


async def test_driving_at_a_standing_body_is_a_collision(world: World) -> None:
    put(world, "C1", "n2")
    second = put(world, "C2", "n1")
    async with watched(world):
        await second.drive(edge(world, "n1", "n2"), onward=False)
    assert world.violations["collision"] == 1
    assert world.incidents[-1][2] == "C2 meets C1: node n2"


async def test_meeting_on_a_lane_is_a_collision(world: World) -> None:
    first, second = put(world, "C1", "n1"), put(world, "C2", "n2")
    async with watched(world), asyncio.TaskGroup() as group:
        group.create_task(first.drive(edge(world, "n1", "n2"), onward=False))
        group.create_task(second.drive(edge(world, "n2", "n1"), onward=False))
    assert world.violations["collision"] >= 1
    assert "lane n1~n2" in " ".join(what for _, _, what in world.incidents)


@pytest.fixture
async def passage() -> World:
    return World(site_yaml.loads(PASSAGE, "passage"), seed=1)


async def go(body: GroundBody, world: World, start: str, end: str, aside_m: float) -> None:
    node = world.site.nodes[NodeId(end)].point
    beside = Point(node.x_m, node.y_m + aside_m)
    await body.drive(edge(world, start, end), onward=False, beside=beside)


@pytest.mark.parametrize(
    ("one_m", "other_m", "collides"),
    [(-0.5, 0.5, False), (-0.5, 0.0, True), (-0.31, 0.31, False), (-0.28, 0.28, True)],
)
async def test_on_a_passing_lane_it_counts_what_bodies_cover(
    passage: World, one_m: float, other_m: float, collides: bool
) -> None:
    """Both are 0.6 m wide, and each comes to where the other has come from."""
    first, second = put(passage, "C1", "p2"), put(passage, "C2", "p6")
    async with watched(passage):
        await go(first, passage, "p2", "p3", one_m)
        await go(second, passage, "p6", "p5", other_m)
        async with asyncio.TaskGroup() as group:
            group.create_task(go(first, passage, "p3", "p4", one_m))
            await asyncio.sleep(1.0)
            group.create_task(go(second, passage, "p5", "p4", other_m))
    assert bool(passage.violations["collision"]) is collides
    if collides:
        assert passage.incidents[-1][2].startswith("C2 meets C1: ")


async def test_who_crosses_the_others_half_collides_however_late_that_is(passage: World) -> None:
    first, second = put(passage, "C1", "p3"), put(passage, "C2", "p6")
    async with watched(passage):
        await go(first, passage, "p3", "p4", -0.5)
        await go(second, passage, "p6", "p5", 0.5)
        async with asyncio.TaskGroup() as group:
            group.create_task(go(second, passage, "p5", "p4", 0.5))
            await asyncio.sleep(1.0)
            group.create_task(go(first, passage, "p4", "mid", 0.0))
    assert passage.incidents[-1][2] == "C1 meets C2: node p4"


async def test_one_lift_holds_one_body() -> None:
    path = SMALL_SITES / "two_levels.yaml"
    world = World(site_yaml.loads(path.read_text(), path.name), seed=1)
    put(world, "C1", "lift-1@L1")
    second = put(world, "C2", "b3")
    async with watched(world):
        await second.drive(edge(world, "b3", "lift-1@L2"), onward=False)
    assert world.incidents[-1][2] == "C2 meets C1: lift lift-1"


async def test_dirt_is_not_carried_into_a_clean_zone(world: World) -> None:
    body = put(world, "C1", "dirty")
    async with watched(world):
        await body.drive(edge(world, "dirty", "decon"), onward=False)
        assert world.violations["zone"] == 0
        await body.act(Action(id="d", kind=ActionKind.DECONTAMINATE, duration_s=180.0))
        await body.drive(edge(world, "decon", "n5"), onward=False)
        assert world.violations["zone"] == 0, "it came out clean"
        await body.drive(edge(world, "n5", "decon"), onward=False)
        await body.drive(edge(world, "decon", "n5"), onward=False)
    assert world.violations["zone"] == 1
    assert "carries contaminated from decon into n5" in world.incidents[-1][2]


async def test_a_load_brought_where_it_belongs_is_no_incident(world: World) -> None:
    body = put(world, "C1", "n1")
    async with watched(world) as monitors:
        monitors.cargo.asked("T-1", NodeId("n1"), NodeId("n2"))
        await body.act(cargo(ActionKind.LOAD))
        await body.drive(edge(world, "n1", "n2"), onward=False)
        await body.act(cargo(ActionKind.UNLOAD))
        monitors.close()
    assert sum(world.violations.values()) == 0


async def test_every_way_to_mishandle_a_load_is_seen(world: World) -> None:
    body, other = put(world, "C1", "n1"), put(world, "C2", "n3")
    async with watched(world) as monitors:
        for load in ("T-1", "T-2", "T-3"):
            monitors.cargo.asked(load, NodeId("n1"), NodeId("n5"))
        await body.act(cargo(ActionKind.UNLOAD, "T-9"))
        assert world.incidents[-1][2] == "C1 unloads T-9, which it does not carry"
        await body.act(cargo(ActionKind.LOAD, "T-1"))
        await other.act(cargo(ActionKind.LOAD, "T-2"))
        assert world.incidents[-1][2] == "C2 loads T-2 at n3, not at n1"
        await other.act(cargo(ActionKind.UNLOAD, "T-2"))
        assert world.incidents[-1][2] == "C2 leaves T-2 at n3, not at n5"
        await body.act(cargo(ActionKind.LOAD, "T-3"))
        body.loads.remove("T-3")
        await body.act(Action(id="look", kind=ActionKind.OBSERVE, duration_s=1.0))
        assert world.incidents[-1][2] == "T-3 has vanished from C1"
        monitors.close()
        assert world.incidents[-1][2] == "T-1 is left on board of C1"
    assert world.violations["cargo"] == 5


async def test_loads_of_tasks_under_way_may_be_on_board_at_the_end(world: World) -> None:
    body = put(world, "C1", "n1")
    async with watched(world) as monitors:
        await body.act(cargo(ActionKind.LOAD))
        monitors.close(excused_loads={"T-1"})
    assert world.violations["cargo"] == 0


async def test_two_that_wait_for_each_other_are_a_deadlock(world: World) -> None:
    first, second = put(world, "C1", "n1"), put(world, "C2", "n2")
    first.next_node, second.next_node = second.node, first.node
    async with watched(world):
        await asyncio.sleep(14 * 60)
        assert world.violations["deadlock"] == 0
        await asyncio.sleep(5 * 60)
        assert world.violations["deadlock"] == 1, "one for both"
        await asyncio.sleep(3600)
        assert world.violations["deadlock"] == 1, "and only once"
    assert world.incidents[-1][2] == "C1 at n1 waits for C2 at n2 waits for C1 at n1"


async def test_waiting_behind_a_failed_or_busy_body_is_no_deadlock(world: World) -> None:
    first, second, third = put(world, "C1", "n1"), put(world, "C2", "n2"), put(world, "C3", "n4")
    first.next_node, third.next_node = second.node, NodeId("n5")
    second.fail("motor")
    async with watched(world):
        await asyncio.sleep(3600)
        assert world.violations["deadlock"] == 0
        second.repair()
        third.next_node = None
        work = asyncio.create_task(
            second.act(Action(id="a", kind=ActionKind.DISINFECT, duration_s=7200))
        )
        await asyncio.sleep(3600)
        assert world.violations["deadlock"] == 0
        await work


async def test_waiting_for_an_idle_body_or_for_nothing_is_a_deadlock(world: World) -> None:
    first, _, third = put(world, "C1", "n1"), put(world, "C2", "n2"), put(world, "C3", "n4")
    first.next_node, third.next_node = NodeId("n2"), NodeId("n5")
    async with watched(world):
        await asyncio.sleep(20 * 60)
    assert [what for _, _, what in world.incidents] == [
        "C1 at n1 waits for C2 at n2, which is idle",
        "C3 at n4 wants to go to n5, and nothing is in its way",
    ]


async def test_a_flight_inside_the_fence_is_fine(world: World) -> None:
    drone = Drone("D1", 0.0, 0.0)
    world.add_aircraft(drone)
    async with watched(world):
        drone.rise()
        await asyncio.sleep(60)
    assert sum(world.violations.values()) == 0


async def test_leaving_the_fence_counts_once_for_each_time(world: World) -> None:
    drone = Drone("D1", 0.0, 0.0)
    world.add_aircraft(drone)
    async with watched(world):
        drone.rise()
        for _ in range(2):
            drone.place = Point(0.0, 150.0)
            await asyncio.sleep(30)
            drone.place = Point(0.0, 0.0)
            await asyncio.sleep(30)
        drone.height_m = 130.0
        await asyncio.sleep(30)
    assert world.violations["geofence"] == 3


async def test_closed_air_may_not_be_entered(world: World) -> None:
    drone = Drone("D1", 110.0, 10.0)
    world.add_aircraft(drone)
    async with watched(world):
        drone.rise()
        await asyncio.sleep(10)
    assert world.violations["airspace"] == 1


async def test_aircraft_keep_their_distance(world: World) -> None:
    drones = [Drone("D1", 0.0, 0.0), Drone("D2", 5.0, 0.0, 63.0), Drone("D3", 5.0, 0.0, 80.0)]
    for drone in drones:
        world.add_aircraft(drone)
    async with watched(world):
        for drone in drones:
            drone.rise()
        await asyncio.sleep(10)
    assert world.violations["airspace"] == 1
    assert world.incidents[-1][2] == "D1 and D2 are 5.0 m apart"


async def test_goods_in_a_lane_that_is_shut_to_them_are_counted(site: Site) -> None:
    night = Window(only=frozenset({"waste"}), from_s=22 * 3600, to_s=6 * 3600)
    lane = replace(site.lanes[LaneId("n1~n2")], windows=(night,))
    world = World(replace(site, lanes={**site.lanes, lane.id: lane}), seed=1)
    clock_s = 23 * 3600.0
    world.hindrances.expect((), lambda: clock_s)
    body = put(world, "C1", "n1")
    async with watched(world):
        world.departed(body, edge(world, "n1", "n2"))
        facts = {"load_id": "T-1", "load_type": "food"}
        world.acted(body, Action(id="1", kind=ActionKind.LOAD, duration_s=5.0, facts=facts))
        body.loads.append("T-1")
        clock_s = 12 * 3600.0
        world.departed(body, edge(world, "n1", "n2"))
        assert world.violations["window"] == 0
        clock_s = 5 * 3600.0
        world.departed(body, edge(world, "n1", "n2"))
        assert world.violations["window"] == 1
