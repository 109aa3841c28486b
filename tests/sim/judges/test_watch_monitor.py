"""The judge of watches looks at bodies alone."""

import asyncio

from dispatcher.domain.task import Patrol
from fleet.vehicle import Position, VehicleId
from routing.air.drawn import DrawnArea
from routing.geometry import Point
from routing.site import LevelId
from routing.sites import site_yaml
from sim.judges.sky import Sky
from sim.judges.watch_monitor import SETTLE_S, WatchMonitor
from sim.world.signal import Signal
from sim.world.world import World
from tests.folders import SMALL_SITES
from tests.sim.world.test_multirotor import SPEC

AIR = """
air:
  fence:
    name: {en: Fence, zh: 围栏}
    kind: geofence
    outline: [[-500, -500], [500, -500], [500, 500], [-500, 500]]
  stadium:
    name: {en: Stadium, zh: 体育场}
    kind: no_fly
    outline: [[60, 0], [100, 0], [100, 40], [60, 40]]
    hours: ["02:00-03:00"]
"""
FIELD = DrawnArea(outline=(Point(0, 0), Point(100, 0), Point(100, 40), Point(0, 40)))


class Puppet:
    """An aircraft that is where a test puts it."""

    def __init__(self) -> None:
        self.id, self.spec, self.changed = VehicleId("D1"), SPEC, Signal()
        self.airborne, self.ratio, self.place, self.height_m = True, 1.0, Point(50, 20), 50.0

    def position(self) -> Position:
        """There."""
        return Position(level=LevelId("yard"), point=self.place, height_agl_m=self.height_m)

    def charge_ratio(self) -> float:
        """As told."""
        return self.ratio


def world(clock_s: float = 0.0) -> tuple[World, Puppet]:
    text = (SMALL_SITES / "corridor.yaml").read_text("utf-8")
    made, puppet = World(site_yaml.loads(text + AIR, "corridor.yaml"), seed=1), Puppet()
    made.hindrances.clock_s = lambda: clock_s
    made.add_aircraft(puppet)
    return made, puppet


async def watched(made: World, puppet: Puppet, places: list[Point]) -> tuple[float, float]:
    """Gap and worst idleness when a drone is at each of these places for ten minutes."""
    monitor, now_s = WatchMonitor(made), asyncio.get_running_loop().time()
    monitor.asked("T-1", Patrol(drawn=FIELD, revisit_s=300), now_s, now_s + 1e5)
    for place in places:
        puppet.place = place
        for _ in range(600):
            now_s += 1
            monitor.look(now_s)
    figures = monitor.figures()
    assert figures is not None
    return figures.gap_s, figures.worst_idle_s


async def test_a_drone_high_above_the_middle_sees_all_of_a_field() -> None:
    made, puppet = world()
    puppet.height_m = 100
    assert (await watched(made, puppet, [Point(50, 20)] * 3))[0] == 0


async def test_what_no_camera_sees_is_a_gap_from_the_revisit_time_on() -> None:
    made, puppet = world()
    gap_s, worst_s = await watched(made, puppet, [Point(-400, -400)] * 2)
    assert worst_s == 1200 - SETTLE_S
    assert gap_s == 1200 - SETTLE_S - 300
    puppet.airborne = False
    assert (await watched(made, puppet, [Point(50, 20)]))[1] == 600 - SETTLE_S


async def test_a_low_drone_sees_a_part_of_it_only() -> None:
    made, puppet = world()
    puppet.height_m = 30
    assert (await watched(made, puppet, [Point(10, 20)] * 2))[0] > 0


async def test_what_may_not_be_flown_over_need_not_be_seen_meanwhile() -> None:
    for clock_s, gap in ((2.5 * 3600, False), (4 * 3600, True)):
        made, puppet = world(clock_s)
        puppet.height_m = 50
        gap_s, _ = await watched(made, puppet, [Point(30, 20)] * 2)
        assert (gap_s > 0) is gap


async def test_a_closed_volume_and_a_used_reserve_are_told_once() -> None:
    for clock_s, many in ((2.5 * 3600, 1), (4 * 3600, 0)):
        made, puppet = world(clock_s)
        sky, puppet.place = Sky(made), Point(80, 20)
        sky.look()
        sky.look()
        assert made.violations["airspace"] == many
        puppet.ratio = SPEC.energy.reserve_ratio - 0.02
        sky.look()
        sky.look()
        assert made.violations["reserve"] == 1
