"""Mosquitto as ``wardline broker-config`` sets it up: TLS, a user for each, rights for each."""

import asyncio
import gc
import json
import logging
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
import yaml

from dispatcher.broker import PASSWORD, bus_of
from dispatcher.broker_files import acl, mosquitto_conf, users
from dispatcher.config import Installation, load
from dispatcher.desks.intake import parse
from dispatcher.domain.task import TaskState
from dispatcher.installed import running
from fleet.bus import MqttBus
from fleet.clock import Clock
from sim.vda5050.robot import Vda5050Robot
from sim.world.world import World
from tests.fleet.vda5050.scene import running as works
from tests.real.serving import free_port
from tests.real.test_conform import conform
from tests.real.test_mosquitto import until
from tests.real.test_peer_fleet import hospital

if TYPE_CHECKING:
    from tests.real.conftest import Mosquitto

pytestmark = pytest.mark.real

INTRUDER = "F2"
CA = ("req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=ward CA")
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


def secret(user: str) -> str:
    return f"secret-of-{user}"


def certificates(folder: Path) -> None:
    """A certificate authority, and what it signs for a broker on the loopback."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    (folder / "san").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl(*CA, *KEY, "-keyout", "ca.key", "-out", "ca.crt")
    request = ("req", *KEY, "-nodes", "-keyout", "server.key", "-out", "server.csr")
    openssl(*request, "-subj", "/CN=broker")
    signed = ("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key")
    openssl(*signed, "-CAcreateserial", "-days", "2", "-extfile", "san", "-out", "server.crt")


def hash_passwords(file: Path) -> None:
    subprocess.run(["mosquitto_passwd", "-U", str(file)], check=True)


@pytest_asyncio.fixture(params=["3.1.1", "5"])
async def ward(
    request: pytest.FixtureRequest,
    mosquitto: "Mosquitto",
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Installation]:
    """A ward whose broker runs with the files that were made for it."""
    for program in ("openssl", "mosquitto_passwd"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}: apt install mosquitto openssl")
    file = hospital(tmp_path, mosquitto.port, free_port())
    data = yaml.safe_load(file.read_text())
    data["models"]["cart"]["link"]["vda5050"] = {"version": "2.1", "manufacturer": "acme"}
    data["broker"] = {
        "address": f"127.0.0.1:{mosquitto.port}",
        "protocol": request.param,
        "tls": {"ca": "ca.crt"},
    }
    file.write_text(yaml.safe_dump(data, sort_keys=False))
    installation = load(file)
    monkeypatch.setenv(PASSWORD, secret("wardline"))
    certificates(tmp_path)
    (tmp_path / "acl").write_text(acl(installation))
    clear = "".join(f"{user.name}:{secret(user.name)}\n" for user in users(installation))
    (tmp_path / "passwords").write_text(clear)
    hash_passwords(tmp_path / "passwords")
    await mosquitto.stop()
    # it runs as whoever runs the test, who alone can read its folder
    mosquitto.configure(mosquitto_conf(installation, str(tmp_path)) + "user root\n")
    await mosquitto.start()
    yield installation


def bus_as(
    ward: Installation, user: str, password: str | None = None, *, client: str = ""
) -> MqttBus:
    """A connection of one user."""
    assert ward.config.broker is not None
    return MqttBus(
        "127.0.0.1",
        int(ward.config.broker.address.rpartition(":")[2]),
        client_id=client or f"{user}-{password}",
        username=user,
        password=password or secret(user),
        tls=ssl.create_default_context(cafile=str(ward.folder / "ca.crt")),
        protocol=ward.config.broker.protocol,
        backoff_s=(0.05, 0.2),
    )


def robot_of(ward: Installation, id_: str, world: World, bus: MqttBus) -> Vda5050Robot:
    vehicle = next(vehicle for vehicle in ward.vehicles if vehicle.id == id_)
    assert vehicle.link.vda5050 is not None
    spec = vehicle.to_spec()
    body = world.add_ground(spec, ward.site.places[spec.home].node)
    return Vda5050Robot(body, bus, vehicle.link.vda5050, Clock.starting(), ward.site)


async def test_a_robot_with_anothers_credentials_is_not_heard_and_others_go_on(
    ward: Installation,
) -> None:
    world = World(ward.site, seed=1)
    right, wrong = bus_as(ward, "F1"), bus_as(ward, "F1", client="another")
    robots = robot_of(ward, "F1", world, right), robot_of(ward, "F2", world, wrong)
    async with (
        works(right.run(), wrong.run(), *(robot.run() for robot in robots)),
        running(ward) as service,
    ):
        states = {str(vehicle.spec.id): vehicle.state() for vehicle in service.roster}
        assert states["F1"].online
        assert states["F2"].heard_at_s is None
        told = [a for a in service.alerts() if a.code == "vehicle_offline" and a.cleared_s is None]
        assert [alert.vehicle for alert in told] == ["F2"]
        asked = {"kind": "delivery", "item": "Box", "from": "room-0", "to": "room-1"}
        request = parse({**asked, "mass_kg": 1})
        assert not isinstance(request, list)
        task = await service.task_desk.submit(request)
        await until(lambda: service.task(task.id).state is TaskState.DONE, 60.0)
        assert service.task(task.id).vehicle == "F1"


async def test_a_robot_is_tried_over_tls_as_the_dispatcher(ward: Installation) -> None:
    assert ward.config.broker is not None
    bus = bus_as(ward, "F1")
    robot = robot_of(ward, "F1", World(ward.site, seed=1), bus)
    ca = str(ward.folder / "ca.crt")
    async with works(bus.run(), robot.run()):
        address = ward.config.broker.address
        code, out, err = await conform(
            address, "acme/F1", "--ca", ca, "--no-drive", "--no-period", "--json"
        )
        assert (code, err) == (0, "")
        assert json.loads(out)["counts"]["honours"] >= 4
        code, out, err = await conform(address, "acme/F1", "--no-drive")
        assert code == 1
        assert f"no broker answers at {address}; check the address, --ca" in err


async def test_nobody_can_say_or_hear_what_is_anothers(
    ward: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    assert ward.config.broker is not None
    master, victim = bus_of(ward.config.broker, ward.folder), bus_as(ward, "F1")
    intruder, guesser = bus_as(ward, INTRUDER), bus_as(ward, "F1", "guessed")
    heard: dict[str, list[tuple[str, bytes]]] = {"master": [], "victim": [], "intruder": []}
    master.subscribe("#", lambda topic, payload: heard["master"].append((topic, payload)))
    victim.subscribe("#", lambda topic, payload: heard["victim"].append((topic, payload)))
    intruder.subscribe("#", lambda topic, payload: heard["intruder"].append((topic, payload)))
    own, other = "uagv/v2/acme/F2", "uagv/v2/acme/F1"
    with caplog.at_level(logging.WARNING, "fleet.bus"):
        async with works(master.run(), victim.run(), intruder.run(), guesser.run()):
            for bus in (master, victim, intruder):
                async with asyncio.timeout(20):
                    await bus.connected()
            for topic in ("state", "connection", "order", "instantActions"):
                await intruder.publish(f"{other}/{topic}", b"forged", qos=1, retain=True)
            await intruder.publish(f"{own}/order", b"an order to itself", qos=1)
            await intruder.publish("wardline/v1/facilities/door/d/request", b"forged", qos=1)
            await master.publish(f"{other}/order", b"to the victim")
            await intruder.publish(f"{own}/state", b"its own")
            await victim.publish(f"{other}/state", b"its own")
            await until(lambda: len(heard["master"]) == 2 and len(heard["victim"]) == 1)
            await until(lambda: "uthori" in caplog.text)
            assert not guesser.online
    assert sorted(heard["master"]) == [(f"{other}/state", b"its own"), (f"{own}/state", b"its own")]
    assert heard["victim"] == [(f"{other}/order", b"to the victim")]
    assert heard["intruder"] == []
    assert "secret" not in caplog.text
    assert "guessed" not in caplog.text


# the client leaves a socket whose handshake has failed to the collector of garbage
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_broker_with_another_certificate_is_not_spoken_to(
    ward: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    assert ward.config.broker is not None
    elsewhere = ward.folder / "elsewhere"
    elsewhere.mkdir()
    certificates(elsewhere)
    bus = bus_of(ward.config.broker, elsewhere)
    with caplog.at_level(logging.WARNING, "fleet.bus"):
        async with works(bus.run()):
            await until(lambda: "CERTIFICATE_VERIFY_FAILED" in caplog.text)
            assert bus.connects == 0
    gc.collect()
