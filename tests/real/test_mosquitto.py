"""The MQTT bus and a whole mission over a real Mosquitto, on the wall clock."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from fleet.bus import MqttBus, Will
from fleet.clock import Clock
from fleet.mission import Clearance
from fleet.vda5050.adapter import Vda5050Vehicle
from routing.site import NodeId
from sim.vda5050.robot import Vda5050Robot
from sim.world.world import World
from tests.fleet.vda5050.scene import (
    SPEC,
    config_for,
    load,
    loop_site,
    mission,
    running,
    staged,
)

if TYPE_CHECKING:
    from tests.real.conftest import Mosquitto

pytestmark = pytest.mark.real


def bus_of(
    broker: "Mosquitto", name: str, will: Will | None = None, queue_limit: int = 1000
) -> MqttBus:
    return MqttBus(
        broker.host,
        broker.port,
        client_id=name,
        will=will,
        backoff_s=(0.05, 0.2),
        rng=random.Random(name),
        queue_limit=queue_limit,
    )


async def until(happened: Callable[[], bool], at_most_s: float = 10.0) -> None:
    async with asyncio.timeout(at_most_s):
        while not happened():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@asynccontextmanager
async def connected(*buses: MqttBus) -> AsyncGenerator[None]:
    async with running(*(bus.run() for bus in buses)):
        for bus in buses:
            async with asyncio.timeout(10):
                await bus.connected()
        yield


async def test_messages_retained_ones_and_wildcards(mosquitto: "Mosquitto") -> None:
    ours, theirs = bus_of(mosquitto, "ours"), bus_of(mosquitto, "theirs")
    heard: list[tuple[str, bytes]] = []
    ours.subscribe("a/+/c", lambda topic, payload: heard.append((topic, payload)))
    async with connected(ours, theirs):
        for number in range(100):
            await theirs.publish("a/b/c", str(number).encode())
        await theirs.publish("a/b/d", b"not for us")
        await until(lambda: len(heard) == 100)
        assert [int(payload) for _, payload in heard] == list(range(100))

        await theirs.publish("door/1", b"open", qos=1, retain=True)
        late: list[bytes] = []
        await asyncio.sleep(0.1)
        subscription = ours.subscribe("door/#", lambda _, payload: late.append(payload))
        await until(lambda: late == [b"open"])
        subscription.close()
        await theirs.publish("door/1", b"closed", qos=1)
        await theirs.publish("a/b/c", b"last")
        await until(lambda: heard[-1][1] == b"last")
        assert late == [b"open"]


async def test_the_will_is_said_when_a_connection_breaks(mosquitto: "Mosquitto") -> None:
    will = Will(topic="robot/connection", payload=b"CONNECTIONBROKEN")
    ours, theirs = bus_of(mosquitto, "ours"), bus_of(mosquitto, "theirs", will)
    heard: list[bytes] = []
    ours.subscribe("robot/connection", lambda _, payload: heard.append(payload))
    async with connected(ours, theirs):
        # a second client of the same name takes the first one's place
        usurper = bus_of(mosquitto, "theirs")
        async with connected(usurper):
            await until(lambda: b"CONNECTIONBROKEN" in heard)


async def test_after_a_broker_restart_all_is_heard_again_and_nothing_in_line_is_lost(
    mosquitto: "Mosquitto",
) -> None:
    bus = bus_of(mosquitto, "ours")
    heard: list[bytes] = []
    bus.subscribe("a", lambda _, payload: heard.append(payload))
    async with connected(bus):
        await mosquitto.stop()
        await until(lambda: not bus.online)
        for number in range(5):
            await bus.publish("a", str(number).encode(), qos=1)
        assert heard == []
        await mosquitto.start()
        await until(lambda: len(heard) >= 5)
        assert heard == [b"0", b"1", b"2", b"3", b"4"]
        assert bus.connects == 2
        assert bus.dropped == 0


async def test_retained_messages_survive_a_broker_that_forgets(mosquitto: "Mosquitto") -> None:
    bus = bus_of(mosquitto, "ours")
    heard: list[bytes] = []
    async with connected(bus):
        await bus.publish("robot/connection", b"ONLINE", qos=1, retain=True)
        await asyncio.sleep(0.1)
        await mosquitto.stop()
        await until(lambda: not bus.online)
        await mosquitto.start()
        await until(lambda: bus.online)
        bus.subscribe("robot/connection", lambda _, payload: heard.append(payload))
        await until(lambda: heard == [b"ONLINE"])


async def test_a_line_that_is_full_drops_the_oldest(mosquitto: "Mosquitto") -> None:
    bus = bus_of(mosquitto, "ours", queue_limit=3)
    heard: list[bytes] = []
    bus.subscribe("a", lambda _, payload: heard.append(payload))
    for number in range(5):
        await bus.publish("a", str(number).encode())
    assert bus.dropped == 2
    async with connected(bus):
        await until(lambda: len(heard) == 3)
    assert heard == [b"2", b"3", b"4"]


async def test_a_bus_ends_when_it_is_told_to_whatever_it_waits_for(
    mosquitto: "Mosquitto",
) -> None:
    luck = random.Random("cancel")
    for _ in range(40):
        bus = bus_of(mosquitto, "ours")
        for number in range(1000):
            bus.subscribe(f"a/{number}", lambda _topic, _payload: None)
        running_bus = asyncio.ensure_future(bus.run())
        await asyncio.sleep(luck.uniform(0.0, 0.05))
        running_bus.cancel()
        _, left = await asyncio.wait([running_bus], timeout=5)
        assert not left


async def test_thousands_of_filters_cost_a_few_packets(mosquitto: "Mosquitto") -> None:
    ours, theirs = bus_of(mosquitto, "ours"), bus_of(mosquitto, "theirs", queue_limit=4000)
    heard: list[str] = []
    closed = [
        ours.subscribe(f"robot/{number}/{word}", lambda topic, _: heard.append(topic))
        for number in range(2000)
        for word in ("state", "order")
    ]
    async with connected(ours, theirs):
        for subscription in closed[1::2]:
            subscription.close()
        await asyncio.sleep(0.2)
        for number in range(2000):
            await theirs.publish(f"robot/{number}/order", b"")
            await theirs.publish(f"robot/{number}/state", b"")
        await until(lambda: len(heard) == 2000, 30.0)
        assert heard == [f"robot/{number}/state" for number in range(2000)]


async def test_after_a_restart_under_load_every_robot_is_heard_again(
    mosquitto: "Mosquitto",
) -> None:
    """Two hundred robots at 5 Hz; what they say while the broker is away waits, or is dropped."""
    robots, rounds = 200, 20
    ours, theirs = bus_of(mosquitto, "ours"), bus_of(mosquitto, "theirs", queue_limit=500)
    heard: dict[int, list[int]] = {number: [] for number in range(robots)}

    def hear(topic: str, payload: bytes) -> None:
        heard[int(topic.split("/")[1])].append(int(payload))

    for number in range(robots):
        ours.subscribe(f"robot/{number}/state", hear)
    async with connected(ours, theirs):
        for turn in range(rounds):
            if turn == 5:
                await mosquitto.stop()
            if turn == 12:
                await mosquitto.start()
            for number in range(robots):
                await theirs.publish(f"robot/{number}/state", str(turn).encode())
            await asyncio.sleep(0.2)
        await until(lambda: theirs.online and ours.online and not theirs.waiting, 30.0)
        for number in range(robots):
            await theirs.publish(f"robot/{number}/state", str(rounds).encode())
        await until(lambda: all(turns and turns[-1] == rounds for turns in heard.values()), 30.0)
    assert all(turns == sorted(turns) for turns in heard.values()), "in their order"
    assert theirs.dropped >= 7 * robots - 500 - robots
    assert (ours.connects, theirs.connects) == (2, 2)


async def test_retained_junk_is_counted_and_a_robot_behind_it_is_heard(
    mosquitto: "Mosquitto",
) -> None:
    ours, theirs = bus_of(mosquitto, "master"), bus_of(mosquitto, "robot")
    vandal, config = bus_of(mosquitto, "vandal"), config_for()
    async with connected(vandal):
        for word in ("state", "connection", "factsheet", "visualization"):
            await vandal.publish(config.topic(word), b"\xff\x00{junk", qos=1, retain=True)
        stamp = b'"headerId": 9, "timestamp": "2020-01-01T00:00:00.000Z"'
        old = b'{%s, "connectionState": "OFFLINE"}' % stamp
        await vandal.publish(config.topic("connection"), old, qos=1, retain=True)
        await until(lambda: not vandal.waiting)
        site, clock = loop_site(), Clock.starting()
        vehicle = Vda5050Vehicle(SPEC, ours, config, site, clock)
        body = World(site, seed=1).add_ground(SPEC, NodeId("n1"))
        robot = Vda5050Robot(body, theirs, config, clock, site)
        async with connected(ours, theirs), running(vehicle.run()):
            await until(lambda: vehicle.junk == 3)
            assert not vehicle.state().online
            async with running(robot.run()):
                await until(lambda: vehicle.state().online)


async def test_a_mission_over_a_real_broker_that_restarts_in_the_middle(
    mosquitto: "Mosquitto",
) -> None:
    ours, theirs = bus_of(mosquitto, "master"), bus_of(mosquitto, "robot")
    config = config_for(ack_timeout_s=0.5)
    async with connected(ours, theirs), staged(config, bus=ours, robot_bus=theirs) as scene:
        told = mission("M1", "n1 n2", load(duration_s=1.0))
        clearance = Clearance(told.route, released=1)
        driving = asyncio.ensure_future(scene.vehicle.execute(told, clearance))
        await until(lambda: scene.vehicle.state().mission == "M1")
        await mosquitto.stop()
        await until(lambda: not ours.online)
        clearance.release(2)
        await asyncio.sleep(0.2)
        assert not scene.body.driving
        await mosquitto.start()
        await until(lambda: scene.body.driving)
        async with asyncio.timeout(60):
            outcome = await driving
        assert outcome.mission == "M1"
        assert scene.body.node == "n2"
        assert scene.body.loads == ["T-000001"]
