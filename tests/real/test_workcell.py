"""A workcell over a real Mosquitto: with rights of its own, and goods that move once."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from dispatcher.broker_files import acl, mosquitto_conf, users
from dispatcher.config import Installation, load
from fleet.bus import MqttBus
from fleet.facility import TOPICS
from fleet.workcell import Goods, Way
from fleet.workcells import Workcells
from routing.site import WorkcellId
from sim.world.workcell import WorkcellMachine
from sim.world.world import World
from tests.dispatcher.test_config import CONFIG, write
from tests.fleet.vda5050.scene import running as works
from tests.real.test_broker_rights import hash_passwords
from tests.real.test_mosquitto import until

if TYPE_CHECKING:
    from tests.real.conftest import Mosquitto

pytestmark = pytest.mark.real

PICKER = WorkcellId("picker")
STATE = f"{TOPICS}/workcell/picker/state"
BOX = Goods(what="box", kind="general", loads=("T-1",), mass_kg=1.0)


@pytest_asyncio.fixture
async def pharmacy(mosquitto: "Mosquitto", tmp_path: Path) -> AsyncIterator[Installation]:
    """A ward with a dispenser, whose broker runs with the files that were made for it."""
    if shutil.which("mosquitto_passwd") is None:
        pytest.skip("needs mosquitto_passwd: apt install mosquitto")
    config = CONFIG.replace("localhost:1883", f"127.0.0.1:{mosquitto.port}")
    installation = load(write(tmp_path, config))
    (tmp_path / "acl").write_text(acl(installation))
    clear = "".join(f"{user.name}:{user.name}\n" for user in users(installation))
    (tmp_path / "passwords").write_text(clear)
    hash_passwords(tmp_path / "passwords")
    await mosquitto.stop()
    # it runs as whoever runs the test, who alone can read its folder
    conf = mosquitto_conf(installation, str(tmp_path)).replace("persistence true", "")
    mosquitto.configure(conf + "user root\n")
    await mosquitto.start()
    yield installation


def bus_as(mosquitto: "Mosquitto", user: str) -> MqttBus:
    return MqttBus(
        mosquitto.host,
        mosquitto.port,
        client_id=user,
        username=user,
        password=user,
        backoff_s=(0.05, 0.2),
    )


def machine_of(installation: Installation, bus: MqttBus) -> WorkcellMachine:
    site = installation.site
    cell = replace(site.workcells[PICKER], handover_s=1.0)
    return WorkcellMachine(World(site, seed=1), bus, cell, frozenset())


async def test_it_hands_over_once_though_the_broker_goes_and_forgets(
    mosquitto: "Mosquitto", pharmacy: Installation
) -> None:
    ours, theirs = bus_as(mosquitto, "wardline"), bus_as(mosquitto, "workcell-picker")
    machine = machine_of(pharmacy, theirs)
    workcells = Workcells(ours, pharmacy.site, repeat_s=0.3)
    async with works(ours.run(), theirs.run(), machine.run(), workcells.run()):
        asked = asyncio.create_task(
            workcells.hand_over(PICKER, "M-1", "cart-1", Way.GIVE, BOX), name="handover"
        )
        await until(lambda: machine.serves("cart-1"))
        await mosquitto.stop()
        await until(lambda: machine.handed != [])
        await mosquitto.start()
        async with asyncio.timeout(20):
            await asked
            await workcells.hand_over(PICKER, "M-1", "cart-1", Way.GIVE, BOX)
        workcells.acknowledge(PICKER, "M-1", "cart-1")
        assert machine.handed == [(Way.GIVE, "T-1")]


async def test_a_robot_can_neither_ask_it_nor_speak_for_it(
    mosquitto: "Mosquitto", pharmacy: Installation
) -> None:
    ours, theirs = bus_as(mosquitto, "wardline"), bus_as(mosquitto, "workcell-picker")
    intruder = bus_as(mosquitto, "cart-1")
    machine, said = machine_of(pharmacy, theirs), list[bytes]()
    ours.subscribe(STATE, lambda _, payload: said.append(payload))
    async with works(ours.run(), theirs.run(), intruder.run(), machine.run()):
        await until(lambda: len(said) == 1)
        forged = {"session": "cart-1", "handover": "M-1", "give": BOX.model_dump()}
        text = json.dumps(forged).encode()
        await intruder.publish(f"{TOPICS}/workcell/picker/request", text, qos=1)
        await intruder.publish(STATE, b'{"in_service": false}', qos=1, retain=True)
        await intruder.publish("uagv/v2/acme/cart-1/state", b"its own", qos=1)
        await ours.publish(f"{TOPICS}/workcell/picker/request", b"{}", qos=1)
        await until(lambda: machine.faulty == 1)
        assert not machine.serves("cart-1")
        assert all(json.loads(payload)["in_service"] for payload in said)
