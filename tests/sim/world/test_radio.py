"""A vehicle's radio: nothing changes without a fault, and with one just what it says."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from fleet.bus import MemoryBus
from sim.world.radio import HELD_BACK_S, LINE_MOST, Radio, RadioBus


class Ends:
    """A robot and its master, each hearing the other, with the seconds at which they do."""

    def __init__(self) -> None:
        self.radio = Radio(random.Random("link"))
        self.broker = MemoryBus()
        self.robot = RadioBus(self.broker, self.radio)
        self.up: list[tuple[float, str]] = []
        self.down: list[tuple[float, str]] = []
        self.broker.subscribe("state", lambda _, text: self.up.append(self._noted(text)))
        self.order = self.robot.subscribe(
            "order", lambda _, text: self.down.append(self._noted(text))
        )

    def _noted(self, text: bytes) -> tuple[float, str]:
        return asyncio.get_running_loop().time(), text.decode()

    async def say(self, *texts: str, each_s: float = 0.0) -> None:
        """Both say these words."""
        for text in texts:
            await self.robot.publish("state", text.encode())
            await self.broker.publish("order", text.encode())
            await asyncio.sleep(each_s)


@asynccontextmanager
async def ends() -> AsyncGenerator[Ends]:
    both = Ends()
    running = asyncio.create_task(both.radio.run())
    yield both
    running.cancel()
    await asyncio.wait([running])


def words(heard: list[tuple[float, str]]) -> list[str]:
    return [text for _, text in heard]


NUMBERS = [str(number) for number in range(500)]


async def test_without_a_fault_all_passes_at_once() -> None:
    async with ends() as both:
        await both.say(*NUMBERS)
        await asyncio.sleep(0)
        assert words(both.up) == words(both.down) == NUMBERS
        assert asyncio.get_running_loop().time() == both.up[0][0]


async def test_of_many_messages_that_share_is_lost_but_none_that_is_repeated() -> None:
    async with ends() as both:
        both.radio.loss = 0.2
        await both.say(*NUMBERS)
        await asyncio.sleep(1)
        assert len(both.up) == pytest.approx(400, abs=40)
        assert len(both.down) == pytest.approx(400, abs=40)
        assert both.radio.lost == 1000 - len(both.up) - len(both.down)
        both.up.clear()
        for text in NUMBERS:
            await both.robot.publish("state", text.encode(), qos=1)
        await asyncio.sleep(1)
        assert words(both.up) == NUMBERS


async def test_what_is_late_keeps_its_order_also_when_the_link_is_well_again() -> None:
    async with ends() as both:
        both.radio.delay_s = 3.0
        await both.say("1", "2", each_s=1.0)
        both.radio.delay_s = 0.0
        await both.say("3")
        await asyncio.sleep(10)
        assert words(both.up) == words(both.down) == ["1", "2", "3"]
        assert both.up[0][0] == pytest.approx(3.0)
        await both.say("4")
        await asyncio.sleep(0)
        assert words(both.up)[-1] == "4"


async def test_some_are_overtaken_and_none_is_lost() -> None:
    async with ends() as both:
        both.radio.reorder = 0.1
        await both.say(*NUMBERS, each_s=0.1)
        await asyncio.sleep(HELD_BACK_S + 0.1)
        assert words(both.up) != NUMBERS
        assert sorted(words(both.up), key=int) == sorted(words(both.down), key=int) == NUMBERS


async def test_nobody_hears_after_it_has_closed() -> None:
    async with ends() as both:
        both.radio.delay_s = 3.0
        await both.say("1")
        await asyncio.sleep(1)
        both.order.close()
        await asyncio.sleep(5)
        assert both.down == []


async def test_no_more_are_under_way_than_there_is_room_for() -> None:
    async with ends() as both:
        both.radio.delay_s = 60.0
        for _ in range(LINE_MOST + 5):
            await both.robot.publish("state", b"")
        await asyncio.sleep(100)
        assert len(both.up) == LINE_MOST
        assert both.radio.lost == 5
