"""Broken messages on every topic that we listen to: nothing ends, grows, or is believed for long.

``WARDLINE_FUZZ=100000 pytest tests/fleet/test_mutated_messages.py -s`` sends as many and tells
what it measured.
"""

import asyncio
import gc
import json
import logging
import math
import os
import random
import sys
import time
import tracemalloc
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dispatcher.api.views import vehicle_out
from dispatcher.domain.views import Activity, VehicleView
from fleet.bus import MemoryBus
from fleet.clock import Clock
from fleet.config import LinkConfig
from fleet.dock import Dock
from fleet.facility import Facilities
from fleet.vda5050.adapter import Vda5050Vehicle
from fleet.vda5050.any_version import AnyVersionVehicle
from fleet.vda5050.config import VERSIONS, Vda5050Config
from fleet.vda5050.dialects import stamp
from fleet.vehicle import VehicleState
from routing.site import DoorId, LiftId, Site, Zone
from sim.scenario.config import load_scenario
from tests.fleet.mutations import mutated
from tests.fleet.vda5050.scene import SPEC, running
from tests.sim.hospital import DRONE, hospital, scenario_file

MESSAGES = int(os.environ.get("WARDLINE_FUZZ", "1000"))
ALL = 20_000
BATCH = 100
FACILITIES = "wardline/v1/facilities"
ROBOT = "uagv/v2/Porter/C1"


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@dataclass
class Target:
    """All that listens, and what each topic was truly told last."""

    site: Site
    bus: MemoryBus
    clock: Clock
    vehicle: Vda5050Vehicle
    unknown: AnyVersionVehicle
    """The same robot, for who finds out its version by listening."""
    facilities: Facilities
    dock: Dock
    true: dict[str, Any]
    number: int = 1000
    heard: int = 0
    raised: list[str] = field(default_factory=list[str])
    """By handlers, which never should."""

    async def tell_truth(self) -> None:
        """Every thing says how it truly is, the robot three times."""
        for topic, message in self.true.items():
            for _ in range(3 if topic.endswith("C1/state") else 1):
                if topic.startswith(ROBOT):
                    self.number += 1
                    now = stamp(self.clock.now())
                    message = {**message, "headerId": self.number, "timestamp": now}
                await self.bus.publish(topic, json.dumps(message).encode())
                await asyncio.sleep(0.01)

    def check(self) -> None:
        """What is shown of the robot can be shown, whatever it said."""
        assert self.raised == []
        for state in (self.vehicle.state(), self.unknown.state()):
            self.check_shown(state)

    def check_shown(self, state: VehicleState) -> None:
        position, charge = state.position, state.charge_ratio
        if position is not None:
            spot = (position.point.x_m, position.point.y_m, position.yaw_rad)
            assert all(math.isfinite(v) for v in spot)
            assert position.level in self.site.levels
        assert charge is None or 0 <= charge <= 1
        assert state.last_node is None or state.last_node in self.site.nodes
        assert len(state.errors) <= 30
        view = VehicleView(
            spec=SPEC,
            state=state,
            activity=Activity.IDLE,
            waiting_for=None,
            tasks=(),
            goal=None,
            route=(),
            zone=Zone.CLEAN,
            in_service=True,
        )
        text = vehicle_out(view, self.clock.now_s()).model_dump_json()
        assert len(text) < 200_000
        json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is shown"))

    def check_truth(self) -> None:
        """A true word has set everything right."""
        state, said = self.vehicle.state(), self.true[f"{ROBOT}/state"]
        assert state.online
        assert state.position is not None
        assert state.position.point.x_m == said["agvPosition"]["x"]
        assert state.charge_ratio == said["batteryState"]["batteryCharge"] / 100
        assert state.last_node == said["lastNodeId"]
        assert (state.driving, state.loads) == (said["driving"], ())
        assert self.facilities.why_not(DoorId("d-pharmacy")) is None
        assert self.facilities.why_not(LiftId("lift-1")) is None
        dock, said = self.dock.state, self.true[f"{FACILITIES}/dock/dock-1/state"]
        assert dock is not None
        assert (dock.powered, dock.occupied) == (said["powered"], said["occupied"])
        assert dock.charge_ratio is None or 0 <= dock.charge_ratio <= 1


async def captured(folder: Path) -> tuple[Site, dict[str, list[Any]], Vda5050Config]:
    """What was truly said on every topic during a delivery through a door and a lift."""
    path = scenario_file(folder, homes=("park-1",), more=DRONE)
    said: dict[str, list[Any]] = {}
    scenario = load_scenario(path)
    link: LinkConfig = scenario.vehicles[0].link
    assert link.vda5050 is not None
    async with hospital(path) as place:
        bus = place.simulation.wires.bus

        def note(topic: str, payload: bytes) -> None:
            said.setdefault(topic, []).append(json.loads(payload))

        listening = bus.subscribe("#", note)
        task = await place.deliver("pharmacy", "ward")
        await bus.publish(f"{ROBOT}/instantActions", factsheet_request(said))
        await place.until_ended(task)
        await asyncio.sleep(60)
        listening.close()
    seen = {topic: said[topic] for topic in said if not topic.endswith(INBOUND_NOT)}
    states = seen[f"{ROBOT}/state"]
    keep = ("headerId", "timestamp", "version", "manufacturer", "serialNumber", "agvPosition")
    seen[f"{ROBOT}/visualization"] = [{key: one[key] for key in keep} for one in states]
    return scenario.site, seen, link.vda5050


INBOUND_NOT = ("order", "instantActions", "request")


def factsheet_request(said: dict[str, list[Any]]) -> bytes:
    ask = {"actionType": "factsheetRequest", "actionId": "f1", "blockingType": "NONE"}
    header = {
        "headerId": 1,
        "timestamp": "2026-03-01T08:00:00.000Z",
        "version": "2.1.0",
        "manufacturer": "Porter",
        "serialNumber": "C1",
    }
    assert said is not None
    return json.dumps({**header, "actions": [ask]}).encode()


@asynccontextmanager
async def target(
    site: Site, said: dict[str, list[Any]], config: Vda5050Config
) -> AsyncGenerator[Target]:
    bus, clock = MemoryBus(), Clock.starting()
    vehicle = Vda5050Vehicle(SPEC, bus, config, site, clock)
    facilities = Facilities(bus, site)
    true = {topic: messages[-1] for topic, messages in said.items()}
    true[f"{ROBOT}/connection"] = {**said[f"{ROBOT}/connection"][0], "connectionState": "ONLINE"}
    dock = Dock(bus, "dock-1")
    auto = config.model_copy(update={"version": "auto"})
    unknown = AnyVersionVehicle(SPEC, bus, auto, site, clock)
    one = Target(site, bus, clock, vehicle, unknown, facilities, dock, true)

    def count() -> None:
        one.heard += 1

    def fail(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        one.raised.append(repr(context.get("exception") or context["message"]))

    vehicle.watch(count)
    asyncio.get_running_loop().set_exception_handler(fail)
    async with running(vehicle.run(), unknown.run(), facilities.run()):
        await asyncio.sleep(0.1)
        yield one
    dock.close()


async def bombard(one: Target, said: dict[str, list[Any]], count: int, *, seed: int) -> float:
    """Send broken messages, and true ones every now and then; CPU seconds of the broken ones."""
    rng, topics, spent_s = random.Random(seed), list(said), 0.0
    for number in range(0, count, BATCH):
        batch = [
            (topic := rng.choice(topics), mutated(rng, rng.choice(said[topic])))
            for _ in range(BATCH)
        ]
        began_s = time.process_time()
        for topic, payload in batch:
            await one.bus.publish(topic, payload)
        await asyncio.sleep(0.05)
        spent_s += time.process_time() - began_s
        one.check()
        if number % (5 * BATCH) == 0:
            await one.tell_truth()
            one.check_truth()
    for _ in range(2):  # the first time it may have to be taken over
        await one.tell_truth()
        one.check_truth()
    assert one.unknown.version in VERSIONS
    assert one.unknown.state().online
    return spent_s


@pytest.mark.parametrize("count", [MESSAGES, pytest.param(ALL, marks=pytest.mark.long)])
async def test_broken_messages_harm_nothing(tmp_path: Path, count: int) -> None:
    site, said, config = await captured(tmp_path)
    kinds = {topic.rpartition("/")[2] for topic in said}
    assert kinds == {"state", "connection", "factsheet", "visualization"}
    async with target(site, said, config) as one:
        await one.tell_truth()
        one.check_truth()
        await bombard(one, said, count // 3, seed=1)
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        spent_s = await bombard(one, said, count, seed=2)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        sys.stdout.write(
            f"\n{count} broken messages on {len(said)} topics: "
            f"{1e3 * spent_s / count:.3f} ms of CPU each (traced), {grown / 1024:.0f} kB grown, "
            f"{one.vehicle.junk} unreadable\n"
            f"{ {b.rule: b.count for b in one.vehicle.state().breaches} }\n"
        )
        assert grown < 3_000_000


async def test_broken_messages_keep_no_true_one_from_being_heard(tmp_path: Path) -> None:
    site, said, config = await captured(tmp_path)
    async with target(site, said, config) as one:
        await one.tell_truth()
        rng, topic = random.Random(3), f"{ROBOT}/state"
        for _ in range(MESSAGES // 10):
            one.number += 1
            node = rng.choice(("a1", "a2", "a3"))
            now = stamp(one.clock.now())
            true = {**one.true[topic], "headerId": one.number, "timestamp": now}
            for payload in (
                b"junk",
                json.dumps({**true, "orderId": 17}).encode(),
                json.dumps({**true, "lastNodeId": node}).encode(),
                json.dumps({**true, "nodeStates": None, "orderId": []}).encode(),
            ):
                await one.bus.publish(topic, payload)
            await asyncio.sleep(0.01)
            assert one.vehicle.state().last_node == node
