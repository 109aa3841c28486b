"""The doors of an air lock: never two of them off their frames, whatever machines and wires do."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from fleet.bus import MemoryBus
from fleet.errors import LinkTimeout
from fleet.facility import TOPICS, DoorRequest, DoorState, Facilities
from routing.site import DoorId, Site
from routing.sites.site_yaml import loads
from sim.judges.monitors import Monitors
from sim.world.machines import DoorMachine
from sim.world.world import World
from tests.fleet.alive import alive
from tests.folders import SMALL_SITES

OUTER, INNER = DoorId("outer"), DoorId("inner")
SITE = (SMALL_SITES / "air_lock.yaml").read_text(encoding="utf-8")


class House:
    """The two doors, their judge, and the dispatcher's hand on them."""

    def __init__(self, site: Site, bus: MemoryBus) -> None:
        self.site, self.bus = site, bus
        self.world = World(site, seed=1)
        self.doors = {door.id: DoorMachine(self.world, bus, door) for door in site.doors.values()}
        self.monitors = Monitors(self.world)
        self.facilities = Facilities(bus, site)

    @property
    def broken(self) -> int:
        return self.world.violations["air_lock"]

    async def by_hand(self, door: DoorId, *, wants: bool) -> None:
        """Somebody at the door opens it, or leaves it."""
        request = DoorRequest(session="porter", open=wants)
        topic = f"{TOPICS}/door/{door}/request"
        await self.bus.publish(topic, request.model_dump_json().encode())


@asynccontextmanager
async def house() -> AsyncGenerator[House]:
    made = House(loads(SITE), MemoryBus())
    async with alive(*made.doors.values(), made.facilities):
        yield made


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_the_second_door_is_not_asked_before_the_first_is_shut() -> None:
    async with house() as here:
        await here.facilities.open_door(OUTER, "C1")
        opening = asyncio.create_task(here.facilities.open_door(INNER, "C1"))
        await asyncio.sleep(60)
        assert not opening.done()
        here.facilities.release_door(OUTER, "C1")
        released_s = now()
        await opening
        assert now() == pytest.approx(released_s + 3 + 4, abs=0.1)
        assert here.broken == 0


async def test_a_door_that_somebody_opened_by_hand_keeps_the_other_one_shut() -> None:
    async with house() as here:
        await here.by_hand(INNER, wants=True)
        await asyncio.sleep(1)
        opening = asyncio.create_task(here.facilities.open_door(OUTER, "C1"))
        await asyncio.sleep(60)
        assert not opening.done()
        await here.by_hand(INNER, wants=False)
        await opening
        assert here.broken == 0


async def test_a_wish_that_is_withdrawn_at_once_may_still_open_the_door() -> None:
    async with house() as here:
        first = asyncio.create_task(here.facilities.open_door(OUTER, "C1"))
        await asyncio.sleep(0.01)
        here.facilities.release_door(OUTER, "C1")
        await here.facilities.open_door(INNER, "C2")
        await first
        assert here.broken == 0


async def test_a_door_that_does_not_answer_is_not_taken_to_be_shut() -> None:
    bus = MemoryBus()
    asked: list[str] = []
    bus.subscribe(f"{TOPICS}/door/+/request", lambda topic, _: asked.append(topic.split("/")[-2]))
    facilities = Facilities(bus, loads(SITE), patience_s=30)
    shut = DoorState(open=False).model_dump_json().encode()
    running = asyncio.create_task(facilities.run())
    await asyncio.sleep(0)
    try:
        with pytest.raises(LinkTimeout):
            await facilities.open_door(OUTER, "C1")
        assert not asked, "of neither door anything has been heard"
        for door in (OUTER, INNER):
            await bus.publish(f"{TOPICS}/door/{door}/state", shut)
        await asyncio.sleep(1)
        assert asked == ["outer"]
        facilities.release_door(OUTER, "C1")
        opening = asyncio.create_task(facilities.open_door(INNER, "C1"))
        await asyncio.sleep(5)
        assert "inner" not in asked, "the other one was asked to open and may still do so"
        await asyncio.sleep(10)
        assert "inner" in asked
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_where_one_stands_open_for_good_the_other_is_out_of_service_too() -> None:
    async with house() as here:
        heard: list[tuple[str, bool]] = []
        here.facilities.on_service(lambda machine, serves: heard.append((machine, serves)))
        await here.by_hand(INNER, wants=True)
        await asyncio.sleep(10)
        here.doors[INNER].jam()
        await asyncio.sleep(1)
        assert heard == [("outer", False), ("inner", False)]
        why = here.facilities.why_not(OUTER)
        assert why is not None
        assert (why.code, why.facts) == ("air_lock_open", {"door": "outer", "by": "inner"})
        await here.by_hand(INNER, wants=False)
        here.doors[INNER].repair()
        await asyncio.sleep(10)
        assert heard[2:] == [("outer", True), ("inner", True)]


async def test_where_one_is_stuck_shut_the_other_still_opens() -> None:
    async with house() as here:
        here.doors[INNER].jam()
        await asyncio.sleep(1)
        assert here.facilities.why_not(OUTER) is None
        await here.facilities.open_door(OUTER, "C1")
        assert here.broken == 0


async def test_a_new_process_waits_for_what_the_old_one_left_open() -> None:
    async with house() as here:
        await here.facilities.open_door(INNER, "C1")
        second = Facilities(here.bus, here.site)
        running = asyncio.create_task(second.run())
        try:
            opening = asyncio.create_task(second.open_door(OUTER, "C1"))
            await asyncio.sleep(30)
            assert not opening.done()
            here.facilities.release_door(INNER, "C1")
            await opening
            assert here.broken == 0
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
