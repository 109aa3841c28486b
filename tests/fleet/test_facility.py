import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from fleet.bus import MemoryBus
from fleet.errors import LinkTimeout
from fleet.facility import Facilities, LiftWait
from routing.site import DoorId, LevelId, LiftId, Site
from routing.sites import site_yaml
from sim.world.machines import DoorMachine, LiftMachine
from sim.world.world import World
from tests.fleet.alive import alive
from tests.folders import SMALL_SITES

LIFT, DOOR = LiftId("lift-1"), DoorId("d1")
L1, L2 = LevelId("L1"), LevelId("L2")


class LossyBus(MemoryBus):
    """Loses the first requests, and counts all of them."""

    def __init__(self, lost: int = 0) -> None:
        super().__init__()
        self.lost = lost
        self.requests: list[bytes] = []

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        if topic.endswith("/request"):
            self.requests.append(payload)
            if self.lost:
                self.lost -= 1
                return
        await super().publish(topic, payload, qos=qos, retain=retain)


class House:
    """A door and a lift on a bus, and the dispatcher's hand on them."""

    def __init__(self, site: Site, bus: LossyBus) -> None:
        self.bus = bus
        world = World(site, seed=1)
        self.door = DoorMachine(world, bus, site.doors[DOOR])
        self.lift = LiftMachine(world, bus, site.lifts[LIFT])
        self.facilities = Facilities(bus, site)


@pytest.fixture
def site() -> Site:
    path = SMALL_SITES / "two_levels.yaml"
    return site_yaml.loads(path.read_text(), path.name)


@asynccontextmanager
async def running(site: Site, *, lost: int = 0) -> AsyncGenerator[House]:
    house = House(site, LossyBus(lost))
    async with alive(house.door, house.lift, house.facilities):
        yield house


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_door_opens_and_closes_after_release(site: Site) -> None:
    async with running(site) as house:
        await house.facilities.open_door(DOOR, "C1")
        assert now() == pytest.approx(3.0, abs=0.1)
        assert house.door.open
        house.facilities.release_door(DOOR, "C1")
        await asyncio.sleep(10)
        assert not house.door.open


async def test_repeats_are_harmless(site: Site) -> None:
    async with running(site) as house:
        await house.facilities.open_door(DOOR, "C1")
        await house.facilities.open_door(DOOR, "C1")
        house.facilities.release_door(DOOR, "C1")
        house.facilities.release_door(DOOR, "C1")
        house.facilities.release_lift(LIFT, "C1")
        await asyncio.sleep(10)
        assert not house.door.open
        sent = len(house.bus.requests)
        await asyncio.sleep(3600)
        assert len(house.bus.requests) == sent, "nothing is asked when nothing is wanted"


async def test_a_lift_comes_and_takes_its_session_along(site: Site) -> None:
    waits: list[LiftWait] = []
    async with running(site) as house:
        house.facilities.on_lift_wait(waits.append)
        await house.facilities.bring_lift(LIFT, L1, "C1")
        assert (house.lift.level, house.lift.open) == ("L1", True)
        await house.facilities.bring_lift(LIFT, L2, "C1")
        assert (house.lift.level, house.lift.open) == ("L2", True)
        house.facilities.release_lift(LIFT, "C1")
        await asyncio.sleep(10)
        assert house.lift.session is None
    assert [round(wait.ready_s - wait.asked_s) for wait in waits] == [4, 14]
    assert [wait.ride for wait in waits] == [False, True]


async def test_the_second_vehicle_gets_the_lift_after_the_first(site: Site) -> None:
    async with running(site) as house:
        await house.facilities.bring_lift(LIFT, L2, "C1")
        second = asyncio.create_task(house.facilities.bring_lift(LIFT, L1, "C2"))
        await asyncio.sleep(60)
        assert not second.done()
        assert house.lift.session == "C1"
        house.facilities.release_lift(LIFT, "C1")
        await second
        assert (house.lift.session, house.lift.level) == ("C2", "L1")


async def test_lost_requests_are_sent_again(site: Site) -> None:
    async with running(site, lost=2) as house:
        await house.facilities.open_door(DOOR, "C1")
        assert now() == pytest.approx(20 + 3, abs=0.1)
        house.bus.lost = 1
        house.facilities.release_door(DOOR, "C1")
        await asyncio.sleep(30)
        assert not house.door.open


async def test_a_machine_that_does_not_answer_times_out(site: Site) -> None:
    async with running(site) as house:
        house.lift.fail()
        await asyncio.sleep(1)
        reason = house.facilities.why_not(LIFT)
        assert reason is not None
        assert reason.code == "lift_out_of_service"
        with pytest.raises(LinkTimeout, match="lift-1"):
            await house.facilities.bring_lift(LIFT, L2, "C1")
        assert now() == pytest.approx(121, abs=0.1)
        house.lift.repair()
        await house.facilities.bring_lift(LIFT, L2, "C1")
        assert house.facilities.why_not(LIFT) is None


async def test_a_machine_never_heard_is_no_machine_to_count_on(site: Site) -> None:
    facilities = Facilities(MemoryBus(), site)
    assert str(facilities.why_not(DOOR)) == "door_silent (door=d1)"


async def test_a_cancelled_wait_can_be_released(site: Site) -> None:
    async with running(site) as house:
        await house.facilities.bring_lift(LIFT, L1, "C1")
        waiting = asyncio.create_task(house.facilities.bring_lift(LIFT, L1, "C2"))
        await asyncio.sleep(5)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        house.facilities.release_lift(LIFT, "C2")
        house.facilities.release_lift(LIFT, "C1")
        await asyncio.sleep(60)
        assert house.lift.session is None


async def test_nonsense_from_a_machine_is_counted(site: Site) -> None:
    async with running(site) as house:
        await house.bus.publish("wardline/v1/facilities/lift/lift-1/state", b"[]")
        await house.bus.publish(
            "wardline/v1/facilities/door/elsewhere/state", json.dumps({"open": True}).encode()
        )
        await asyncio.sleep(1)
        assert house.facilities.faulty == 1
        await house.facilities.bring_lift(LIFT, L2, "C1")
