"""Robots in the field are sloppier than the standard: the master survives all of them."""

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from fleet.bus import MemoryBus
from fleet.clock import Clock
from fleet.errors import LinkTimeout, MissionFailed, SafetyStop
from fleet.mission import Clearance, Mission, Outcome
from fleet.vda5050.adapter import Vda5050Vehicle
from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.dialects import stamp
from fleet.vda5050.view import SHOWN
from fleet.vehicle import Mode
from tests.fleet.vda5050.scene import (
    SPEC,
    Json,
    config_for,
    load,
    loop_site,
    mission,
    running,
)

THERE = mission("M1", "n1 n2", load("a"))


@dataclass
class Puppet:
    """A robot that says just what a test makes it say."""

    bus: MemoryBus
    clock: Clock
    config: Vda5050Config
    vehicle: Vda5050Vehicle
    orders: list[Json] = field(default_factory=list[Json])
    instant: list[Json] = field(default_factory=list[Json])
    said: Json = field(default_factory=dict[str, object])
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def listen(self) -> None:
        self.bus.subscribe(
            self.config.topic("order"), lambda _, raw: self.orders.append(json.loads(raw))
        )
        self.bus.subscribe(
            self.config.topic("instantActions"),
            lambda _, raw: self.instant.extend(json.loads(raw)["actions"]),
        )

    async def raw(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        await self.bus.publish(self.config.topic(topic), payload, retain=retain)
        await asyncio.sleep(0.01)

    async def connect(self) -> None:
        message = {**self._header(), "connectionState": "ONLINE"}
        await self.raw("connection", json.dumps(message).encode(), retain=True)

    async def say(self, **changes: object) -> None:
        """Publish a state like the last one but for ``changes``."""
        self.said.update(changes)
        await self.raw("state", json.dumps({**self.said, **self._header()}).encode())

    async def beat(self, times: int, every_s: float = 1.0) -> None:
        for _ in range(times):
            await asyncio.sleep(every_s)
            await self.say()

    def cancels(self) -> list[Json]:
        return [action for action in self.instant if action["actionType"] == "cancelOrder"]

    def _header(self) -> Json:
        return {
            "headerId": next(self.numbers),
            "timestamp": stamp(self.clock.now()),
            "version": "2.0.0",
            "manufacturer": "acme",
            "serialNumber": "C1",
        }


@asynccontextmanager
async def puppet(**changes: object) -> AsyncGenerator[Puppet]:
    bus, clock, config = MemoryBus(), Clock.starting(), config_for("2.0", **changes)
    vehicle = Vda5050Vehicle(SPEC, bus, config, loop_site(), clock)
    robot = Puppet(bus, clock, config, vehicle)
    robot.listen()
    async with running(vehicle.run()):
        await robot.connect()
        await robot.say(
            orderId="",
            orderUpdateId=0,
            lastNodeId="n1",
            lastNodeSequenceId=0,
            driving=False,
            operatingMode="AUTOMATIC",
            nodeStates=[],
            edgeStates=[],
            actionStates=[],
            batteryState={"batteryCharge": 80, "charging": False},
            errors=[],
            safetyState={"eStop": "NONE", "fieldViolation": False},
        )
        yield robot


def begin(robot: Puppet, told: Mission = THERE) -> "asyncio.Task[Outcome]":
    return asyncio.ensure_future(robot.vehicle.execute(told, Clearance.whole(told)))


def flags(robot: Puppet) -> str:
    return "; ".join(e.text for e in robot.vehicle.state().errors if e.code == "non_conformant")


PICKED = [{"actionId": "a", "actionStatus": "FINISHED"}]
AHEAD = [{"nodeId": "n2", "sequenceId": 2, "released": True}]


async def test_nodes_that_never_leave_the_list_do_not_keep_a_mission_from_ending() -> None:
    async with puppet() as robot:
        driving = begin(robot)
        await robot.say(orderId="M1", nodeStates=AHEAD)
        await robot.say(lastNodeId="n2", lastNodeSequenceId=2, actionStates=PICKED)
        await robot.beat(3)
        assert (await driving).mission == "M1"
        assert "done with" in flags(robot)


async def test_a_robot_that_never_counts_nodes_is_followed_by_their_names() -> None:
    async with puppet() as robot:
        driving = begin(robot)
        await robot.say(orderId="M1", nodeStates=AHEAD)
        await robot.say(lastNodeId="n2", nodeStates=[], actionStates=PICKED)
        assert (await driving).mission == "M1"
        assert "lastNodeSequenceId" in flags(robot)


async def test_a_result_that_is_told_only_once_is_not_forgotten() -> None:
    async with puppet() as robot:
        driving = begin(robot)
        await robot.say(orderId="M1", nodeStates=AHEAD, actionStates=PICKED)
        await robot.say(actionStates=[])
        await robot.say(lastNodeId="n2", lastNodeSequenceId=2, nodeStates=[])
        assert (await driving).mission == "M1"


async def test_an_action_that_is_never_listed_ends_with_a_person() -> None:
    async with puppet(action_grace_s=30, tidy_up_s=10) as robot:
        driving = begin(robot)
        await robot.say(orderId="M1", nodeStates=AHEAD)
        await robot.say(lastNodeId="n2", lastNodeSequenceId=2, nodeStates=[])
        await robot.beat(10, every_s=10)
        with pytest.raises(MissionFailed) as failed:
            await driving
        assert failed.value.reason.code == "action_timeout"


async def test_an_old_order_error_that_never_clears_is_not_ours() -> None:
    async with puppet() as robot:
        old = [{"errorType": "orderUpdateError", "errorLevel": "FATAL"}]
        await robot.say(errors=old)
        driving = begin(robot)
        await robot.beat(1)
        await robot.say(orderId="M1", lastNodeId="n2", lastNodeSequenceId=2, actionStates=PICKED)
        assert (await driving).mission == "M1"


async def test_a_robot_that_drives_beyond_its_base_is_flagged() -> None:
    async with puppet() as robot:
        told = mission("M1", "n1 n2 n3")
        clearance = Clearance(told.route, released=2)
        driving = asyncio.ensure_future(robot.vehicle.execute(told, clearance))
        await robot.beat(1)
        await robot.say(orderId="M1", lastNodeId="n3", lastNodeSequenceId=4)
        assert "beyond its base" in flags(robot)
        await robot.say(orderUpdateId=1)
        assert [n["nodeId"] for n in robot.orders[-1]["nodes"]] == ["n2"], "no horizon any more"
        clearance.release(3)
        await robot.say()
        await robot.say(orderUpdateId=2)
        assert (await driving).mission == "M1"


async def test_an_order_is_not_repeated_before_the_robot_has_said_enough() -> None:
    async with puppet() as robot:
        driving = begin(robot)
        await asyncio.sleep(9)
        assert len(robot.orders) == 1
        assert "stateRequest" in [action["actionType"] for action in robot.instant]
        await robot.beat(12)
        assert len(robot.orders) == 2
        assert robot.orders[0] | {"headerId": 0, "timestamp": ""} == robot.orders[1] | {
            "headerId": 0,
            "timestamp": "",
        }
        driving.cancel()
        await asyncio.wait([driving])


async def test_an_order_ended_at_the_robot_itself_has_failed() -> None:
    async with puppet() as robot:
        driving = begin(robot)
        await robot.say(orderId="M1", nodeStates=AHEAD, driving=True)
        await robot.say(nodeStates=[], driving=False)
        await robot.beat(3)
        with pytest.raises(MissionFailed) as failed:
            await driving
        assert failed.value.reason.code == "order_dropped"


async def test_a_foreign_order_is_noticed() -> None:
    async with puppet() as robot:
        driving = begin(robot)
        await robot.say(orderId="M1", nodeStates=AHEAD)
        await robot.say(orderId="X9")
        with pytest.raises(MissionFailed) as failed:
            await driving
        assert failed.value.reason.code == "order_replaced"


async def test_a_cancel_counts_only_when_the_robot_says_that_it_is_finished() -> None:
    async with puppet() as robot:
        driving = begin(robot)
        await robot.say(orderId="M1", nodeStates=AHEAD, driving=True)
        cancelling = asyncio.ensure_future(robot.vehicle.cancel())
        await asyncio.sleep(1)
        (cancel,) = robot.cancels()
        running_now = {"actionId": cancel["actionId"], "actionStatus": "RUNNING"}
        await robot.say(actionStates=[running_now])
        await robot.beat(60)
        assert not cancelling.done()
        assert len(robot.cancels()) == 1
        await robot.say(
            actionStates=[{**running_now, "actionStatus": "FINISHED"}], nodeStates=[], driving=False
        )
        await cancelling
        with pytest.raises(MissionFailed):
            await driving


async def test_a_robot_that_ignores_a_cancel_is_not_asked_for_ever() -> None:
    async with puppet(resends=2) as robot:
        driving = begin(robot)
        await robot.say(orderId="M1", nodeStates=AHEAD, driving=True)
        cancelling = asyncio.ensure_future(robot.vehicle.cancel())
        await robot.beat(60)
        with pytest.raises(LinkTimeout):
            await cancelling
        assert len(robot.cancels()) == 3
        await robot.say(
            lastNodeId="n2",
            lastNodeSequenceId=2,
            nodeStates=[],
            driving=False,
            actionStates=PICKED,
        )
        assert (await driving).mission == "M1"


async def test_a_robot_that_refuses_to_stop_needs_a_person() -> None:
    async with puppet() as robot:
        driving = begin(robot)
        await robot.say(orderId="M1", nodeStates=AHEAD)
        cancelling = asyncio.ensure_future(robot.vehicle.cancel())
        await asyncio.sleep(1)
        (cancel,) = robot.cancels()
        await robot.say(actionStates=[{"actionId": cancel["actionId"], "actionStatus": "FAILED"}])
        with pytest.raises(SafetyStop):
            await cancelling
        driving.cancel()
        await asyncio.wait([driving])


async def test_junk_is_counted_and_ends_nothing() -> None:
    async with puppet() as robot:
        driving = begin(robot)
        for junk in (b"", b"\x00\xff", b"[1]", b'{"headerId": "x"}', b'{"orderId": 17}'):
            for topic in ("state", "connection", "factsheet", "visualization"):
                await robot.raw(topic, junk)
        await robot.say(orderId=17)
        assert robot.vehicle.junk == 20
        assert robot.vehicle.state().online
        await robot.say(orderId="M1", lastNodeId="n2", lastNodeSequenceId=2, actionStates=PICKED)
        assert (await driving).mission == "M1"


async def test_a_state_that_comes_twice_or_late_changes_nothing() -> None:
    async with puppet() as robot:
        heard: list[int] = []
        robot.vehicle.watch(lambda: heard.append(1))
        header = {"headerId": 100, "timestamp": stamp(robot.clock.now())}
        before = stamp(robot.clock.now() - timedelta(minutes=1))
        late = {**robot.said, "headerId": 50, "timestamp": before}
        new = json.dumps({**robot.said, **header, "lastNodeId": "n3"}).encode()
        await robot.raw("state", new)
        await robot.raw("state", new)
        await robot.raw("state", json.dumps({**late, "lastNodeId": "n1"}).encode())
        assert robot.vehicle.state().last_node == "n3"
        assert len(heard) == 1


async def test_freshness_is_judged_when_asked() -> None:
    async with puppet() as robot:
        assert robot.vehicle.state().online
        await asyncio.sleep(46)
        assert not robot.vehicle.state().online
        await robot.say()
        assert robot.vehicle.state().online


async def test_a_silent_robot_is_asked_before_it_counts_as_gone() -> None:
    async with puppet() as robot:
        before = len(robot.instant)
        await asyncio.sleep(40)
        assert "stateRequest" in [action["actionType"] for action in robot.instant[before:]]


async def test_an_action_that_the_factsheet_does_not_know_is_refused_beforehand() -> None:
    async with puppet() as robot:
        sheet = {
            "protocolFeatures": {"agvActions": [{"actionType": "drop", "actionScopes": ["NODE"]}]}
        }
        await robot.raw("factsheet", json.dumps(sheet).encode())
        refusal = robot.vehicle.why_not(THERE)
        assert refusal is not None
        assert refusal.code == "unsupported_action"


async def test_where_a_robot_stands_is_made_out_once_and_anew_when_it_moves() -> None:
    async with puppet() as robot:
        pose = {"x": 1.0, "y": 2.0, "theta": 0.0, "mapId": "L1", "positionInitialized": True}
        await robot.say(agvPosition=pose)
        first = robot.vehicle.state()
        await robot.say(agvPosition=pose)
        again = robot.vehicle.state()
        assert again is not first
        assert again.position is first.position
        await robot.say(agvPosition={**pose, "x": 1.5})
        moved = robot.vehicle.state().position
        assert moved is not None
        assert moved.point.x_m == 1.5
        await robot.say(agvPosition={**pose, "positionInitialized": False})
        assert robot.vehicle.state().position is None


async def test_an_unknown_map_is_no_position() -> None:
    async with puppet() as robot:
        pose = {"x": 1.0, "y": 2.0, "theta": 0.0, "mapId": "L1", "positionInitialized": True}
        await robot.say(agvPosition=pose)
        position = robot.vehicle.state().position
        assert position is not None
        assert (position.level, position.point.x_m) == ("L1", 1.0)
        await robot.say(agvPosition={**pose, "mapId": "cellar"})
        assert robot.vehicle.state().position is None


@pytest.mark.parametrize(
    ("says", "fit", "mode"),
    [
        ({"operatingMode": "AUTOMATIC"}, True, Mode.AUTOMATIC),
        ({"operatingMode": "SEMIAUTOMATIC"}, True, Mode.AUTOMATIC),
        ({"operatingMode": "MANUAL"}, False, Mode.MANUAL),
        ({"operatingMode": "SERVICE"}, False, Mode.MANUAL),
        ({"operatingMode": "TEACHIN"}, False, Mode.MANUAL),
        ({"operatingMode": "TEACH_IN"}, False, Mode.MANUAL),
        ({"operatingMode": "INTERVENED"}, False, Mode.MANUAL),
        ({"errors": [{"errorType": "motor", "errorLevel": "WARNING"}]}, True, Mode.AUTOMATIC),
        ({"errors": [{"errorType": "motor", "errorLevel": "URGENT"}]}, True, Mode.AUTOMATIC),
        ({"errors": [{"errorType": "motor", "errorLevel": "FATAL"}]}, False, Mode.AUTOMATIC),
        ({"errors": [{"errorType": "motor", "errorLevel": "odd"}]}, False, Mode.AUTOMATIC),
        ({"errors": [{"errorType": "orderError", "errorLevel": "FATAL"}]}, True, Mode.AUTOMATIC),
        ({"safetyState": {"eStop": "NONE", "fieldViolation": True}}, True, Mode.AUTOMATIC),
        ({"safetyState": {"eStop": "AUTOACK", "fieldViolation": False}}, False, Mode.AUTOMATIC),
        ({"safetyState": {"eStop": "MANUAL", "fieldViolation": False}}, False, Mode.AUTOMATIC),
    ],
    ids=str,
)
async def test_what_makes_a_robot_unfit(says: Json, fit: bool, mode: Mode) -> None:
    async with puppet() as robot:
        await robot.say(**says)
        state = robot.vehicle.state()
        assert (state.fit, state.mode) == (fit, mode)


async def test_what_is_fatal_is_shown_among_a_thousand_warnings() -> None:
    async with puppet() as robot:
        mild = {"errorType": "log", "errorLevel": "WARNING", "errorDescription": "x" * 400}
        await robot.say(errors=[*[mild] * 900, {"errorType": "motor", "errorLevel": "FATAL"}])
        errors = robot.vehicle.state().errors
        assert len(errors) == SHOWN
        assert errors[0].code == "motor"
        assert not robot.vehicle.state().fit


async def test_a_result_is_kept_though_a_thousand_others_are_listed() -> None:
    async with puppet() as robot:
        driving = begin(robot)
        await robot.say(orderId="M1", nodeStates=AHEAD, actionStates=PICKED)
        for start in (0, 700):
            ids = [f"old-{number}" for number in range(start, start + 700)]
            many = [{"actionId": id_, "actionStatus": "FINISHED"} for id_ in ids]
            await robot.say(actionStates=many)
        await robot.say(lastNodeId="n2", lastNodeSequenceId=2, nodeStates=[], actionStates=[])
        assert (await driving).mission == "M1"


async def test_no_order_is_sent_while_nodes_of_the_last_one_remain() -> None:
    """Also if only its horizon remains: the robot would count the new one as foreign."""
    async with puppet() as robot:
        left = [{"nodeId": "n2", "sequenceId": 2, "released": False}]
        await robot.say(orderId="M0", nodeStates=left)
        driving = begin(robot)
        await asyncio.sleep(1)
        assert (robot.orders, len(robot.cancels())) == ([], 1)
        ended = {"actionId": robot.cancels()[0]["actionId"], "actionStatus": "FINISHED"}
        await robot.say(nodeStates=[], actionStates=[ended])
        await asyncio.sleep(1)
        assert [order["orderId"] for order in robot.orders] == ["M1"]
        await robot.say(orderId="M1", lastNodeId="n2", lastNodeSequenceId=2, actionStates=PICKED)
        assert (await driving).mission == "M1"


async def test_a_robot_that_wants_time_between_orders_gets_it() -> None:
    async with puppet() as robot:
        sheet = {"protocolLimits": {"timing": {"minOrderInterval": 3.0}}}
        await robot.raw("factsheet", json.dumps(sheet).encode())
        told = mission("M1", "n1 n2 n3")
        clearance = Clearance(told.route, released=1)
        driving = asyncio.ensure_future(robot.vehicle.execute(told, clearance))
        await robot.say(orderId="M1")
        clearance.release(2)
        await asyncio.sleep(1)
        assert len(robot.orders) == 1
        clearance.release(3)
        await asyncio.sleep(3)
        assert [order["orderUpdateId"] for order in robot.orders] == [0, 1]
        await robot.say(orderUpdateId=1, lastNodeId="n3", lastNodeSequenceId=4)
        await robot.beat(3)
        clearance.reached(2)
        await robot.say(orderUpdateId=2)
        driving.cancel()
        await asyncio.wait([driving])


async def test_an_order_of_somebody_else_is_noticed_while_it_has_none_of_ours() -> None:
    async with puppet() as robot:
        await robot.say(orderId="X9", nodeStates=AHEAD)
        await robot.say()
        (breach,) = robot.vehicle.state().breaches
        assert (breach.rule, breach.count, breach.detail) == ("stray_order", 1, "X9")


async def test_what_it_held_when_we_came_is_nobody_else_s() -> None:
    bus, clock, config = MemoryBus(), Clock.starting(), config_for("2.0")
    vehicle = Vda5050Vehicle(SPEC, bus, config, loop_site(), clock)
    robot = Puppet(bus, clock, config, vehicle)
    robot.said = {"orderId": "M0", "lastNodeId": "n1", "nodeStates": AHEAD}
    async with running(vehicle.run()):
        await robot.connect()
        await robot.beat(3)
        assert vehicle.state().mission == "M0"
        assert vehicle.state().breaches == ()
