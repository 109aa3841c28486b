"""A ground station that says only what a test tells it to, and a drone that it says it to."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TypeVar

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.commands import mav_text
from fleet.mavlink.datagrams import MemoryDatagrams, MemoryEther
from fleet.mavlink.missions import Item
from fleet.mavlink.parser import Message, Parser
from routing.site import NodeId
from sim.mavlink.autopilot import AutopilotConfig, MavlinkAutopilot
from sim.world.multirotor import Multirotor
from sim.world.world import World
from tests.fleet.mavlink.scene import DRONE, GROUND, SPEC, Kind, meadow_site

M = TypeVar("M", bound=Message)
_ASKS = (mav.MAVLink_mission_request_message, mav.MAVLink_mission_request_int_message)

ACCEPTED, FAILED, UNSUPPORTED = 0, 4, 3
ARM, TAKEOFF, MODE, START, RTL = 400, 22, 176, 300, 20
STABILIZE, AUTO, GUIDED = 0, 3, 4
RELATIVE = mav.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT


class Station:
    """A ground station that only says what the test tells it to."""

    def __init__(self, port: MemoryDatagrams, drone: MavlinkAutopilot, system_id: int) -> None:
        self.drone, self.body = drone, drone.body
        self.heard: list[Message] = []
        self._port, self._parser = port, Parser()
        self._packer = mav.MAVLink(None, system_id, 190)
        port.receive(lambda data, _: self.heard.extend(self._parser.messages(data)))

    def send(self, message: Message) -> None:
        self._port.send(message.pack(self._packer), DRONE)

    async def ask(self, message: Message, answer: type[M]) -> M | None:
        """Send something; the first answer of a kind, or None where there is none at once."""
        self.heard.clear()
        self.send(message)
        await asyncio.sleep(0.1)
        return next((m for m in self.heard if isinstance(m, answer)), None)

    async def do(self, command: int, *params: float, to: int = 7, component: int = 1) -> int | None:
        """Give a command; its MAV_RESULT, or None where nobody answers."""
        values = (*params, *[0.0] * (7 - len(params)))
        message = mav.MAVLink_command_long_message(to, component, command, 0, *values)
        ack = await self.ask(message, mav.MAVLink_command_ack_message)
        return None if ack is None else ack.result

    def texts(self) -> list[str]:
        return [
            mav_text(m.text) for m in self.heard if isinstance(m, mav.MAVLink_statustext_message)
        ]

    def kinds(self) -> list[str]:
        return [message.get_type() for message in self.heard]

    async def upload(self, *items: Item, mission_type: int = 0) -> int | None:
        """Upload as a well-behaved client does; the MAV_MISSION_RESULT."""
        self.heard.clear()
        self.send(mav.MAVLink_mission_count_message(7, 1, len(items), mission_type))
        for _ in range(len(items)):
            await asyncio.sleep(0.01)
            asked = self.heard[-1]
            if not isinstance(asked, _ASKS):
                break
            self.send(self.item(asked.seq, items[asked.seq], mission_type))
        await asyncio.sleep(0.01)
        ack = self.heard[-1]
        return ack.type if isinstance(ack, mav.MAVLink_mission_ack_message) else None

    def item(self, seq: int, item: Item, mission_type: int = 0) -> Message:
        return mav.MAVLink_mission_item_int_message(
            7,
            1,
            seq,
            item.frame,
            item.command,
            0,
            1,
            *item.params,
            item.lat_e7,
            item.lon_e7,
            item.z_m,
            mission_type,
        )

    async def held(self, seq: int, mission_type: int = 0) -> Message | None:
        request = mav.MAVLink_mission_request_int_message(7, 1, seq, mission_type)
        return await self.ask(request, mav.MAVLink_mission_item_int_message)

    async def take_off(self, height_m: float = 20) -> None:
        assert await self.do(MODE, 1, GUIDED) == ACCEPTED
        assert await self.do(ARM, 1) == ACCEPTED
        assert await self.do(TAKEOFF, 0, 0, 0, 0, 0, 0, height_m) == ACCEPTED
        await asyncio.sleep(20)

    async def take_off_slowly(self, beat: Message, height_m: float = 20) -> None:
        """The same, with a heartbeat each second all the while."""
        self.send(beat)
        await self.do(MODE, 1, GUIDED)
        await self.do(ARM, 1)
        await self.do(TAKEOFF, 0, 0, 0, 0, 0, 0, height_m)
        for _ in range(20):
            await asyncio.sleep(1)
            self.send(beat)


@asynccontextmanager
async def bench(
    *,
    ready: bool = True,
    params: dict[str, float] | None = None,
    autopilot: Kind = "ardupilot",
) -> AsyncGenerator[tuple[Station, MemoryEther], None]:
    world, ether = World(meadow_site(), seed=1), MemoryEther()
    body = Multirotor(world, SPEC, NodeId("dock-1"))
    config = AutopilotConfig(
        system_id=7, ground=(GROUND,), params=params or {}, autopilot=autopilot
    )
    drone = MavlinkAutopilot(body, ether.port(DRONE), config, world.site.frame)
    station = Station(ether.port(GROUND), drone, 255)
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(drone.run())
        await asyncio.sleep(15 if ready else 5)
        yield station, ether
        task.cancel()
    assert faults == []


def near(north_e7: int, east_e7: int, z_m: float, command: int = 16) -> Item:
    return Item(command=command, lat_e7=305928000 + north_e7, lon_e7=1143055000 + east_e7, z_m=z_m)


HOME = Item(command=16, frame=0)
FLIGHT = (HOME, near(0, 0, 20, TAKEOFF), near(9000, 0, 20), near(9000, 0, 0, 21))
