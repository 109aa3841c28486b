from pathlib import Path

import pytest

from dispatcher.broker import split_address
from dispatcher.config import DispatchConfig, PlannerConfig, load
from dispatcher.domain.task import Priority
from dispatcher.errors import ConfigFault
from routing.solving.solver import Stage
from tests.dispatcher.ward import WITH_BAY

CONFIG = """\
# A ward with one cart.
site: ward.yaml
broker: localhost:1883
timezone: Asia/Shanghai
port: 8081
models:
  cart:
    make: Acme
    kind: cart
    speed_m_s: 1.0
    width_m: 0.6
    length_m: 0.8
    payload_kg: 50
    skills: [carry]
    load_types: [general]
    energy: {capacity_wh: 500, idle_w: 20, move_w: 120}
    link: {vda5050: {version: 2.1, manufacturer: acme}}
vehicles:
  - {model: cart, ids: [cart-1], homes: [park-1]}
dispatch:
  due_s: {stat: 600}
  charge_below_ratio: 0.4
"""


def write(folder: Path, text: str) -> Path:
    (folder / "ward.yaml").write_text(WITH_BAY)
    path = folder / "ward-serve.yaml"
    path.write_text(text)
    return path


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigFault) as caught:
        load(write(folder, text))
    return [str(fault) for fault in caught.value.faults]


def test_a_configuration_finds_its_files_beside_itself(tmp_path: Path) -> None:
    found = load(write(tmp_path, CONFIG))
    assert found.site.id == "ward"
    assert found.database == f"sqlite:///{tmp_path / 'ward-serve.sqlite'}"
    assert [(vehicle.id, vehicle.home) for vehicle in found.vehicles] == [("cart-1", "park-1")]
    config = found.config
    assert (config.host, config.port, config.timezone) == ("127.0.0.1", 8081, "Asia/Shanghai")
    assert config.broker is not None
    assert split_address(config.broker.address) == ("localhost", 1883)
    assert config.dispatch.due_s.of(Priority.STAT) == 600
    assert config.dispatch.due_s.of(Priority.URGENT) == DispatchConfig().due_s.urgent


def test_an_absolute_database_stays_where_it_is(tmp_path: Path) -> None:
    found = load(write(tmp_path, CONFIG + "database: sqlite:////srv/ward.sqlite\n"))
    assert found.database == "sqlite:////srv/ward.sqlite"


def test_vehicles_must_fit_the_site_and_the_site_must_be_there(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, CONFIG.replace("park-1", "park-9"))
    assert fault.startswith("line 19: there is no place 'park-9'; did you mean 'park-1'?")
    (fault,) = faults(tmp_path, CONFIG.replace("ward.yaml", "wart.yaml"))
    assert fault.startswith("line 2: there is no site file")


def test_every_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    text = CONFIG.replace("port: 8081", "port: 80810").replace("timezone: Asia/", "timezone: Moon/")
    text = text.replace("charge_below_ratio", "charge_bellow_ratio")
    timezone, port, key = sorted(
        faults(tmp_path, text), key=lambda said: int(said.split(":")[0][5:])
    )
    assert timezone.startswith("line 4: timezone: there is no such time zone")
    assert "Asia/Shanghai" in timezone
    assert port.startswith("line 5: port:")
    assert "80810" in port
    assert key.startswith("line 22:")
    assert "did you mean 'charge_below_ratio'?" in key


@pytest.mark.parametrize("address", ["localhost", "localhost:99999", "mqtt://localhost:1883", ":1"])
def test_an_address_is_a_host_and_a_port(tmp_path: Path, address: str) -> None:
    (fault,) = faults(tmp_path, CONFIG.replace("localhost:1883", f'"{address}"'))
    assert fault.startswith(
        "line 3: broker.address: an address is host:port, such as localhost:1883"
    )


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text\n"])
def test_something_else_is_no_configuration(tmp_path: Path, text: str) -> None:
    (fault,) = faults(tmp_path, text)
    assert "this is no configuration" in fault


def test_broken_yaml_is_told_with_its_line(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, CONFIG.replace("cart-1]", "cart-1"))
    assert fault.startswith("line 19")
    assert "this is not YAML" in fault


def test_the_planner_can_be_told_to_do_less(tmp_path: Path) -> None:
    assert load(write(tmp_path, CONFIG)).config.planner == PlannerConfig()
    text = CONFIG + "planner: {stages: [ruin_recreate], preempt: false}\n"
    planner = load(write(tmp_path, text)).config.planner
    assert (planner.stages, planner.preempt) == ((Stage.RUIN_RECREATE,), False)
    (fault,) = faults(tmp_path, text.replace("ruin_recreate", "ruin"))
    assert fault.startswith("line 23: planner.stages")
    assert "write any of ortools, ruin_recreate, partition" in fault


def test_cheap_hours_are_written_as_hours(tmp_path: Path) -> None:
    text = CONFIG + 'planner: {cheap_hours: ["22:00-06:00"]}\n'
    assert load(write(tmp_path, text)).config.planner.cheap_hours == ("22:00-06:00",)
    (fault,) = faults(tmp_path, text.replace("22:00-06:00", "at night"))
    assert "'at night' is no span of the day; write hours as 22:00-06:00" in fault
    bare = CONFIG + "planner: {cheap_hours: 22:00-06:00, preempt: false}\n"
    assert load(write(tmp_path, bare)).config.planner.cheap_hours == ("22:00-06:00",)
    (fault,) = faults(tmp_path, bare.replace("22:00-06:00", "[22:00]"))
    assert "'1320' is no span of the day; write hours as 22:00-06:00" in fault


def test_drones_call_in_or_are_called_on(tmp_path: Path) -> None:
    text = CONFIG + "mavlink: {connect: ['127.0.0.1:5760'], signed: true}\n"
    door = load(write(tmp_path, text)).config.mavlink
    assert door is not None
    assert (door.listen, door.connect, door.signed) == (None, ("127.0.0.1:5760",), True)
    (fault,) = faults(tmp_path, CONFIG + "mavlink: {}\n")
    assert "listen (UDP) or connect (TCP)" in fault
