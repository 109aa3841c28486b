"""Who is not what its settings say: refused and named, and nobody else feels it."""

import asyncio
import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.errors import ConfigFault
from fleet.errors import MissionFailed
from fleet.mission import Clearance
from fleet.vda5050.dialects import stamp
from fleet.vda5050.twins import Twins
from sim.scenario.config import load_scenario
from tests.fleet.vda5050.scene import load, mission
from tests.fleet.vda5050.test_sloppy import Puppet, puppet
from tests.sim.hospital import MODELS, SITE


def rules(robot: Puppet) -> set[str]:
    return {breach.rule for breach in robot.vehicle.state().breaches}


def errors(robot: Puppet) -> set[str]:
    return {error.code for error in robot.vehicle.state().errors}


async def say_as(robot: Puppet, **header: object) -> None:
    """Publish a state on the robot's topic, under another header, as if it stood on n5."""
    message = {**robot.said, **robot_header(robot), "lastNodeId": "n5", **header}
    await robot.raw("state", json.dumps(message).encode())


def robot_header(robot: Puppet) -> dict[str, object]:
    return {
        "headerId": next(robot.numbers),
        "timestamp": stamp(robot.clock.now()),
        "version": "2.0.0",
        "manufacturer": "acme",
        "serialNumber": "C1",
    }


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        ({"serialNumber": "C2"}, "wrong_name"),
        ({"manufacturer": "other"}, "wrong_name"),
        ({"version": "1.1.0"}, "wrong_version"),
        ({"version": "9.0.0"}, "wrong_version"),
    ],
)
async def test_a_message_of_somebody_else_changes_nothing(
    header: dict[str, object], rule: str
) -> None:
    async with puppet() as robot:
        await say_as(robot, **header)
        state = robot.vehicle.state()
        assert (state.last_node, state.online, state.fit) == ("n1", True, True)
        assert rules(robot) == {rule}
        await robot.say(lastNodeId="n2")
        assert robot.vehicle.state().last_node == "n2"


@pytest.mark.parametrize("header", [{"serialNumber": "C2"}, {"version": "9.0.0"}])
async def test_somebody_else_s_factsheet_tells_nothing_of_this_one(
    header: dict[str, object],
) -> None:
    drop = {"agvActions": [{"actionType": "drop", "actionScopes": ["NODE"]}]}
    async with puppet() as robot:
        sheet = {**robot_header(robot), **header, "protocolFeatures": drop}
        await robot.raw("factsheet", json.dumps(sheet).encode())
        assert robot.vehicle.why_not(mission("M1", "n1 n2", load())) is None
        assert len(rules(robot)) == 1
        await robot.raw("factsheet", json.dumps({**sheet, **robot_header(robot)}).encode())
        assert robot.vehicle.why_not(mission("M1", "n1 n2", load())) is not None


@pytest.mark.parametrize(
    "header",
    [
        {"serialNumber": ""},
        {"manufacturer": "ACME"},
        {"version": ""},
        {"version": "2.1.0"},
    ],
)
async def test_names_left_out_and_versions_of_the_same_kind_are_taken(
    header: dict[str, object],
) -> None:
    async with puppet() as robot:
        await say_as(robot, **header)
        assert robot.vehicle.state().last_node == "n5"
        assert rules(robot) == set()


async def test_a_robot_on_a_strange_map_is_unfit_until_it_is_back() -> None:
    async with puppet() as robot:
        pose = {"x": 1.0, "y": 2.0, "theta": 0.0, "positionInitialized": True}
        for map_id, fit in (("L1", True), ("cellar", False), ("L1", True), ("cellar", False)):
            await robot.say(agvPosition={**pose, "mapId": map_id})
            assert robot.vehicle.state().fit is fit
        assert "unknown_map" in errors(robot)
        (breach,) = robot.vehicle.state().breaches
        assert (breach.count, breach.detail) == (2, "cellar")


async def test_two_robots_of_one_name_are_one_too_many() -> None:
    """Both started long ago, each with its own numbers."""
    async with puppet() as robot:
        for number in range(500, 510):
            await robot.say()
            await say_as(robot, headerId=number)
        assert "two_robots" in errors(robot)
        assert not robot.vehicle.state().fit
        for _ in range(20):
            await asyncio.sleep(10)
            await robot.say()
        assert robot.vehicle.state().fit, "the other one has long been silent"


def spot(x_m: float, at_s: float) -> tuple[str, float, float, float]:
    return ("L1", x_m, 0.0, at_s)


def test_two_robots_that_were_switched_on_together_are_told_apart_by_their_places() -> None:
    twins = Twins()
    found = [
        twins.hear(number, spot(away_m + number * 0.5, float(number)))
        for number in range(12)
        for away_m in (0.0, 40.0)
    ]
    assert any(found)


@settings(max_examples=30)
@given(st.integers(0, 10**9), st.integers(0, 10**6))
def test_one_robot_alone_never_counts_as_two(seed: int, first: int) -> None:
    """Messages overtake one another or are lost; it restarts, or loses its place for a while."""
    rng = random.Random(seed)
    twins, number, x_m, at_s = Twins(), first, 0.0, 0.0
    waiting: list[tuple[int, float]] = []
    for _ in range(300):
        number, x_m, at_s = number + 1, x_m + rng.uniform(0, 1.5), at_s + 1
        if rng.random() < 0.02:
            number, at_s = 0, at_s + 20
            waiting.clear()
        waiting.append((number, x_m + 50 if rng.random() < 0.1 else x_m))
        if rng.random() < 0.2:
            continue
        rng.shuffle(waiting)
        for id_, at_m in waiting[: rng.choice((1, 3))]:
            assert not twins.hear(id_, spot(at_m, at_s))
        waiting = waiting[3:]


def test_two_vehicles_of_one_serial_are_an_error_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text(
        f"# two carts\nscenario: two\nsite: {SITE}\nduration: 1h\n{MODELS}\nvehicles:\n"
        "  - {model: cart, ids: [C1], homes: [park-1], serials: [SN-7]}\n"
        "  - {model: cart, ids: [C2], homes: [park-2], serials: [SN-7]}\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigFault) as wrong:
        load_scenario(path)
    line = (
        path.read_text("utf-8")
        .splitlines()
        .index("  - {model: cart, ids: [C2], homes: [park-2], serials: [SN-7]}")
    )
    assert f"line {line + 1}: C2 and C1 have one wire, uagv/v2/Porter/SN-7" in str(wrong.value)


@pytest.mark.parametrize("keeps", ["M1", ""])
async def test_who_refuses_an_update_and_drives_on_to_a_node_is_known_to_stand_there(
    keeps: str,
) -> None:
    async with puppet() as robot:
        told = mission("M1", "n1 n2 n3")
        clearance = Clearance(told.route, 2)
        driving = asyncio.ensure_future(robot.vehicle.execute(told, clearance))
        await asyncio.sleep(0.1)
        base = [{"nodeId": "n2", "sequenceId": 2, "released": True}]
        await robot.say(orderId="M1", nodeStates=base, driving=True)
        clearance.release(3)
        await asyncio.sleep(0.1)
        refusal = {"errorType": "orderUpdateError", "errorLevel": "WARNING"}
        await robot.say(errors=[refusal])
        cancel = {"actionId": robot.cancels()[0]["actionId"], "actionStatus": "FINISHED"}
        at_n2 = {"lastNodeId": "n2", "lastNodeSequenceId": 2, "nodeStates": [], "driving": False}
        await robot.say(**at_n2, orderId=keeps, actionStates=[cancel], errors=[])
        await robot.beat(2)
        with pytest.raises(MissionFailed, match="order_refused"):
            await driving
        assert clearance.passed == 1
