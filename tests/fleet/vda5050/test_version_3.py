"""Version 3.0 on the wire: the same robot and the same master, with other words and more rules."""

import asyncio
import json
from dataclasses import replace

import pytest

from fleet.bus import MemoryBus
from fleet.errors import MissionFailed, SafetyStop
from fleet.mission import Clearance, Mission, Outcome
from fleet.vda5050.headers import Headers
from fleet.vda5050.state_messages import STATE
from fleet.vda5050.terms import ConnectionState, EStop, OperatingMode
from fleet.vda5050.zone_messages import (
    ZONE_SET,
    Vertex,
    Zone,
    ZoneSet,
    ZoneSetMessage,
    ZoneType,
)
from fleet.vehicle import Mode, Severity
from tests.fleet.vda5050.scene import (
    Json,
    LossyBus,
    Scene,
    config_for,
    load,
    mission,
    staged,
    unload,
    waypoints,
)

THERE = mission("M1", "n1 n2 n3", load())


class DeafBus(MemoryBus):
    """A bus that loses the first messages that have a word in them."""

    def __init__(self, word: bytes, loses: int) -> None:
        super().__init__()
        self.word, self.loses = word, loses

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        if self.loses and self.word in payload and topic.endswith("instantActions"):
            self.loses -= 1
        else:
            await super().publish(topic, payload, qos=qos, retain=retain)


def begin(
    scene: Scene, told: Mission = THERE, clearance: Clearance | None = None
) -> asyncio.Task[Outcome]:
    return asyncio.ensure_future(scene.vehicle.execute(told, clearance or Clearance.whole(told)))


async def test_an_order_is_spelled_as_version_3_has_it() -> None:
    config = config_for("3.0", deviation_m=0.2)
    async with staged(config) as scene:
        slow = replace(THERE.route[1], speed_limit_m_s=0.5)
        told = replace(THERE, route=(THERE.route[0], slow, THERE.route[2]))
        await scene.drive(told)
        (order,) = scene.orders()
        assert order["version"] == "3.0.0"
        assert order["orderUpdateId"] == 0
        assert order["nodes"][0]["nodePosition"]["allowedDeviationXY"] == {
            "a": 0.2,
            "b": 0.2,
            "theta": 0.0,
        }
        assert [edge.get("maximumSpeed") for edge in order["edges"]] == [0.5, None]
        assert not {"startNodeId", "endNodeId", "maxSpeed"} & order["edges"][0].keys()
        assert order["nodes"][-1]["actions"][0]["retriable"] is True
        assert scene.body.loads == ["T-000001"]
        assert scene.vehicle.state().loads == ("T-000001",)
        assert scene.vehicle.state().charge_ratio is not None
        assert scene.vehicle.state().position is not None


async def test_an_order_of_version_2_has_nothing_of_version_3() -> None:
    async with staged(config_for("2.1")) as scene:
        await scene.drive(THERE)
        (order,) = scene.orders()
        assert "retriable" not in order["nodes"][-1]["actions"][0]
        assert not {"instantActionStates", "zoneRequests"} & scene.scribe.of("state")[-1].keys()


def test_topics_have_the_usual_prefix_of_their_version() -> None:
    assert config_for("3.0").topic("order") == "vda5050/v3/acme/C1/order"
    assert config_for("2.0").topic("order") == "uagv/v2/acme/C1/order"
    assert config_for("3.0", prefix="site/a").topic("x") == "site/a/v3/acme/C1/x"


def test_single_is_no_blocking_type_of_version_2() -> None:
    assert config_for("3.0", blocking={"observe": "SINGLE"}).blocking
    with pytest.raises(ValueError, match="SINGLE needs version"):
        config_for("2.1", blocking={"observe": "SINGLE"})


async def test_actions_block_as_configured() -> None:
    async with staged(config_for("3.0", blocking={"pick": "SINGLE"})) as scene:
        await scene.drive(mission("M1", "n1", load(), unload()))
        (order,) = scene.orders()
        assert [a["blockingType"] for a in order["nodes"][0]["actions"]] == ["SINGLE", "HARD"]


async def test_a_cancel_names_its_order() -> None:
    async with staged(config_for("3.0")) as scene:
        driving = begin(scene)
        await scene.until(lambda: scene.vehicle.state().driving)
        await scene.vehicle.cancel()
        with pytest.raises(MissionFailed):
            await driving
        cancel = next(
            action
            for message in scene.scribe.of("instantActions")
            for action in message["actions"]
            if action["actionType"] == "cancelOrder"
        )
        assert cancel["actionParameters"] == [{"key": "orderId", "value": "M1"}]
        assert cancel["blockingType"] == "NONE"
        states = scene.scribe.of("state")[-1]["instantActionStates"]
        assert ("cancelOrder", "FINISHED") in {(s["actionType"], s["actionStatus"]) for s in states}


@pytest.mark.parametrize("nodes", ["n4 n5", "n1 n9"])
async def test_a_refused_order_ends_as_in_version_2(nodes: str) -> None:
    reasons: list[str] = []
    for version in ("2.1", "3.0"):
        async with staged(config_for(version)) as scene:
            route = waypoints("n1", "n2") if "n9" in nodes else waypoints(*nodes.split())
            if "n9" in nodes:  # the robot's map lacks a node that ours has
                route = (route[0], replace(route[1], level="B7"))
            told = replace(THERE, route=route)
            with pytest.raises(MissionFailed) as failed:
                await scene.drive(told)
            reasons.append(failed.value.reason.code)
            error = scene.scribe.of("state")[-1]["errors"][0]
            upper = error["errorType"].isupper()
            assert upper is (version == "3.0")
    assert reasons == ["order_refused", "order_refused"]


class TestTryingAgain:
    async def test_an_action_that_fails_is_tried_again(self) -> None:
        async with staged(config_for("3.0", retries=3)) as scene:
            scene.robot.refuses["pick"] = "the box is askew"
            driving = begin(scene)
            await scene.until(lambda: len(said(scene, "retry")) == 2)
            scene.robot.refuses.clear()
            await driving
            assert scene.body.loads == ["T-000001"]
            assert said(scene, "skipRetry") == []
            assert not scene.vehicle.state().errors

    async def test_after_some_retries_a_person_is_asked_and_can_help(self) -> None:
        async with staged(config_for("3.0", retries=2)) as scene:
            scene.robot.refuses["pick"] = "the box is askew"
            driving = begin(scene)
            await scene.until(lambda: bool(scene.vehicle.state().errors))
            (error,) = scene.vehicle.state().errors
            assert (error.code, error.severity) == ("action_needs_person", Severity.FATAL)
            assert not scene.vehicle.state().fit
            assert len(said(scene, "retry")) == 2
            await asyncio.sleep(300)
            assert not driving.done()
            scene.robot.refuses.clear()
            await scene.at_once("retry", actionId="load-1")
            await driving
            assert scene.vehicle.state().fit

    async def test_if_nobody_comes_it_is_given_up(self) -> None:
        async with staged(config_for("3.0", retries=1, person_s=100)) as scene:
            scene.robot.refuses["pick"] = "the box is askew"
            with pytest.raises(MissionFailed) as failed:
                await scene.drive(THERE)
            assert failed.value.reason.code == "action_failed"
            assert len(said(scene, "skipRetry")) == 1
            assert scene.vehicle.state().fit

    async def test_a_retry_that_gets_lost_is_said_again(self) -> None:
        bus = DeafBus(b'"retry"', 1)
        async with staged(config_for("3.0", retries=1), bus=bus) as scene:
            scene.robot.refuses["pick"] = "the box is askew"
            driving = begin(scene)
            await scene.until(lambda: not bus.loses)
            scene.robot.refuses.clear()
            async with asyncio.timeout(120):
                await driving
            assert scene.body.loads == ["T-000001"]

    async def test_who_takes_no_word_is_left_to_a_person(self) -> None:
        bus = DeafBus(b'etry"', 1000)
        async with staged(config_for("3.0", retries=1, person_s=600), bus=bus) as scene:
            scene.robot.refuses["pick"] = "the box is askew"
            driving = begin(scene)
            for _ in range(2):  # first it takes no retry, then no skipRetry
                await scene.until(lambda: bool(scene.vehicle.state().errors), at_most_s=900)
                await asyncio.sleep(1200)
                assert not driving.done()
            assert [e.code for e in scene.vehicle.state().errors] == ["action_needs_person"]
            bus.loses = 0
            scene.robot.refuses.clear()
            await scene.at_once("retry", actionId="load-1")
            async with asyncio.timeout(60):
                await driving
            assert scene.vehicle.state().fit

    async def test_while_it_waits_it_can_be_cancelled(self) -> None:
        async with staged(config_for("3.0", retries=0)) as scene:
            scene.robot.refuses["pick"] = "the box is askew"
            with pytest.raises(MissionFailed) as failed:
                await scene.drive(THERE)
            assert failed.value.reason.code == "action_failed"
        async with staged(config_for("3.0", retries=1)) as scene:
            scene.robot.refuses["pick"] = "the box is askew"
            driving = begin(scene)
            await scene.until(lambda: bool(scene.vehicle.state().errors))
            await scene.vehicle.cancel()
            with pytest.raises(MissionFailed):
                await driving
            assert scene.vehicle.state().fit


async def test_instant_actions_are_cleared_before_they_are_too_many() -> None:
    async with staged(config_for("3.0")) as scene:
        for _ in range(12):
            await scene.at_once("stateRequest")
        assert len(said(scene, "clearInstantActions")) == 1
        assert len(scene.scribe.of("state")[-1]["instantActionStates"]) < 10


async def test_who_sleeps_is_not_missing() -> None:
    async with staged(config_for("3.0")) as scene:
        await scene.at_once("startHibernation")
        await scene.until(lambda: scene.vehicle.state().asleep)
        assert not scene.vehicle.state().online
        asked = len(scene.scribe.of("instantActions"))
        said_before = len(scene.scribe.of("state"))
        await asyncio.sleep(600)
        assert len(scene.scribe.of("state")) == said_before
        assert len(scene.scribe.of("instantActions")) == asked, "it is left alone"
        assert scene.scribe.of("connection")[-1]["connectionState"] == ConnectionState.HIBERNATING
        await scene.at_once("stopHibernation")
        await scene.until(lambda: scene.vehicle.state().online)
        assert not scene.vehicle.state().asleep


async def test_a_critical_error_ends_the_order_and_not_the_robot() -> None:
    async with staged(config_for("3.0", recover_s=30)) as scene:
        driving = begin(scene)
        await scene.until(lambda: scene.vehicle.state().driving)
        await send_zones(scene, blocked("n2", "n3"))
        await scene.at_once("enableZoneSet", zoneSetId="by-hand")
        await scene.until(lambda: bool(scene.vehicle.state().errors))
        assert scene.body.node == "n2"
        assert scene.vehicle.state().fit
        await asyncio.sleep(25)
        assert not driving.done()
        with pytest.raises(MissionFailed) as failed:
            await driving
        assert failed.value.reason.code == "cannot_go_on"
        assert failed.value.reason.facts["error"] == "nodeUnreachable"


async def test_modes_and_stops_of_version_3() -> None:
    async with staged(config_for("3.0")) as scene:
        for mode in (OperatingMode.INTERVENED, OperatingMode.TEACHIN, OperatingMode.STARTUP):
            scene.robot.mode = mode
            await scene.until(lambda: scene.vehicle.state().mode is Mode.MANUAL)
            scene.robot.mode = OperatingMode.AUTOMATIC
            await scene.until(lambda: scene.vehicle.state().mode is Mode.AUTOMATIC)
        driving = begin(scene)
        await scene.until(lambda: scene.vehicle.state().driving)
        scene.robot.e_stop = EStop.MANUAL
        with pytest.raises(SafetyStop):
            await driving


async def test_who_is_taken_in_hand_gives_up_its_order() -> None:
    async with staged(config_for("3.0")) as scene:
        driving = begin(scene)
        await scene.until(lambda: scene.vehicle.state().driving)
        scene.robot.mode = OperatingMode.MANUAL
        await scene.until(lambda: scene.vehicle.state().mission is None)
        scene.robot.mode = OperatingMode.AUTOMATIC
        with pytest.raises(MissionFailed) as failed:
            async with asyncio.timeout(300):
                await driving
        assert failed.value.reason.code == "action_failed"


def test_a_state_of_either_version_is_one_state() -> None:
    old = {
        "headerId": 1,
        "timestamp": "",
        "agvPosition": {"x": 1, "y": 2, "mapId": "L1", "positionInitialized": False},
        "batteryState": {"batteryCharge": 50},
        "safetyState": {"eStop": "REMOTE"},
        "actionStates": [
            {"actionId": "a", "actionStatus": "FAILED", "resultDescription": "no"},
        ],
    }
    new = {
        "headerId": 1,
        "timestamp": "",
        "mobileRobotPosition": {"x": 1, "y": 2, "mapId": "L1", "localized": False},
        "powerSupply": {"stateOfCharge": 50},
        "safetyState": {"activeEmergencyStop": "REMOTE"},
        "actionStates": [{"actionId": "a", "actionStatus": "FAILED", "actionResult": "no"}],
    }
    read = STATE.decode(json.dumps(new).encode())
    assert read == STATE.decode(json.dumps(old).encode())
    assert read.agv_position is not None
    assert not read.agv_position.position_initialized


async def send_zones(scene: Scene, *zones: Zone) -> None:
    message = ZoneSetMessage(
        **Headers(scene.config, scene.clock).next("zoneSet"),
        zone_set=ZoneSet(map_id="L1", zone_set_id="by-hand", zones=zones),
    )
    await scene.bus.publish(scene.config.topic("zoneSet"), ZONE_SET.encode(message))


def blocked(start: str, end: str) -> Zone:
    (a, b) = (w.point for w in waypoints(start, end))
    corners = [(a.x_m + 2, -1), (b.x_m - 2, -1), (b.x_m - 2, 1), (a.x_m + 2, 1)]
    return Zone(
        zone_id="closed",
        zone_type=ZoneType.BLOCKED,
        vertices=tuple(Vertex(x=x, y=y) for x, y in corners),
    )


def said(scene: Scene, action_type: str) -> list[Json]:
    return [
        action
        for message in scene.scribe.of("instantActions")
        for action in message["actions"]
        if action["actionType"] == action_type
    ]


@pytest.mark.parametrize("version", ["2.0", "2.1", "3.0"])
async def test_a_robot_is_paused_and_goes_on(version: str) -> None:
    async with staged(config_for(version)) as scene:
        driving = begin(scene)
        await scene.until(lambda: scene.vehicle.state().driving)
        scene.vehicle.set_paused(True)
        await scene.until(
            lambda: scene.vehicle.state().paused and not scene.vehicle.state().driving
        )
        stands_at = scene.body.node
        await asyncio.sleep(900)
        assert scene.body.node == stands_at
        assert not driving.done()
        assert len(said(scene, "startPause")) == 1
        scene.vehicle.set_paused(False)
        await driving
        assert scene.body.node == "n3"
        assert not scene.vehicle.state().paused


async def test_a_pause_that_got_lost_is_asked_for_again() -> None:
    bus = LossyBus()
    async with staged(config_for("3.0"), bus=bus) as scene:
        driving = begin(scene)
        await scene.until(lambda: scene.vehicle.state().driving)
        bus.lose["instantActions"] = 1
        scene.vehicle.set_paused(True)
        await scene.until(lambda: scene.vehicle.state().paused)
        scene.vehicle.set_paused(False)
        await driving
