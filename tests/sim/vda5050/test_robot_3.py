"""The simulated robot of version 3.0 keeps that version's rules, and refuses in its words."""

import asyncio
import json
from collections.abc import Callable

import pytest
from msgspec import structs
from pydantic.alias_generators import to_camel

from fleet.clock import Clock
from fleet.vda5050.headers import Headers
from fleet.vda5050.order_messages import NodePosition, Order
from fleet.vda5050.orders import instant
from fleet.vda5050.terms import EStop, OperatingMode
from fleet.vda5050.zone_messages import (
    RESPONSES,
    ZONE_SET,
    GrantType,
    Response,
    Responses,
    Vertex,
    Zone,
    ZoneSet,
    ZoneSetMessage,
    ZoneType,
)
from sim.vda5050.words import Words
from tests.fleet.vda5050.scene import EPOCH, Json, config_for
from tests.sim.vda5050.test_robot import CORRIDOR, Hand, in_hand, node, order_of, way


def box(left: float, right: float) -> tuple[Vertex, ...]:
    """Across the road from n1 (0, 0) to n5 (40, 0)."""
    return tuple(Vertex(x=x, y=y) for x, y in ((left, -1), (right, -1), (right, 1), (left, 1)))


RELEASE = Zone(
    zone_id="gate",
    zone_type=ZoneType.RELEASE,
    vertices=box(14, 16),
    release_loss_behavior="CONTINUE",
)
SLOW = Zone(zone_id="slow", zone_type=ZoneType.SPEED_LIMIT, vertices=box(2, 8), maximum_speed=0.2)
BLOCKED = Zone(zone_id="shut", zone_type=ZoneType.BLOCKED, vertices=box(14, 16))
WESTWARD = Zone(
    zone_id="west",
    zone_type=ZoneType.DIRECTED,
    vertices=box(14, 16),
    direction=3.14,
    directed_limitation="STRICT",
)


async def tell(hand: Hand, *zones: Zone, name: str = "set-1") -> None:
    message = ZoneSetMessage(
        **hand.headers.next("zoneSet"),
        zone_set=ZoneSet(map_id="L1", zone_set_id=name, zones=zones),
    )
    await hand.raw("zoneSet", ZONE_SET.encode(message))
    await hand.act("enableZoneSet", f"enable-{name}", zone_set_id=name)


async def answer(hand: Hand, grant: GrantType) -> None:
    (asked,) = hand.state["zoneRequests"]
    message = Responses(
        **hand.headers.next("responses"),
        responses=(Response(request_id=asked["requestId"], grant_type=grant),),
    )
    await hand.raw("responses", RESPONSES.encode(message))


def asked(hand: Hand) -> list[str]:
    return [f"{r['zoneId']} {r['requestStatus']}" for r in hand.state["zoneRequests"]]


def on_map(map_id: str) -> Callable[[Headers], Order]:
    there = NodePosition(x=0, y=0, map_id=map_id)
    return order_of([structs.replace(node("n1", 0), node_position=there)], [])


@pytest.mark.parametrize(
    ("order", "kind", "level"),
    [
        (order_of([], []), "VALIDATION_FAILURE", "WARNING"),
        (order_of([node("n1", 0), node("n2", 2)], []), "VALIDATION_FAILURE", "WARNING"),
        (order_of([node("n1", 0, released=False)], []), "VALIDATION_FAILURE", "WARNING"),
        (
            order_of([node("n1", 0), node("n3", 2)], [way("n1", "n3", 1)]),
            "NO_ROUTE_TO_TARGET",
            "WARNING",
        ),
        (
            order_of([node("n2", 0), node("n3", 2)], [way("n2", "n3", 1)]),
            "START_NODE_OUT_OF_RANGE",
            "WARNING",
        ),
        (on_map("B7"), "UNKNOWN_MAP_ID", "WARNING"),
        (
            order_of([node("n1", 0), node("n2", 2)], [way("n1", "n2", 1, corridor=CORRIDOR)]),
            "UNSUPPORTED_PARAMETER",
            "CRITICAL",
        ),
        (
            order_of([node("n1", 0, actions=(instant("dance", "d1"),))], []),
            "INVALID_ORDER_ACTION",
            "WARNING",
        ),
    ],
)
async def test_a_faulty_order_is_refused_with_its_own_word(
    order: Callable[[Headers], Order], kind: str, level: str
) -> None:
    async with in_hand("3.0") as hand:
        await hand.order(order(hand.headers))
        assert [(e["errorType"], e["errorLevel"]) for e in hand.state["errors"]] == [(kind, level)]
        assert hand.state["orderId"] == ""
        await hand.base("n1 n2", 2)
        assert hand.errors() == []


async def test_updates_are_refused_with_words_of_their_own() -> None:
    async with in_hand("3.0") as hand:
        await hand.base("n1 n2", 2, update_id=1)
        assert hand.errors() == ["VALIDATION_FAILURE"], "a new order begins with update 0"
        await hand.base("n1 n2 n3", 2)
        await hand.base("n1 n2 n3", 2)
        assert hand.errors() == [], "the same again is ignored"
        await hand.base("n1 n2 n3", 3)
        assert hand.errors() == ["SAME_ORDER_UPDATE_ID"]
        await hand.base("n1 n2", 2, name="M2")
        assert hand.errors() == ["OTHER_ORDER_ACTIVE"]
        await hand.act("cancelOrder", "c0", order_id="M7")
        assert hand.status("c0") == "FAILED"
        assert "NO_ORDER_TO_CANCEL" in hand.errors()
        await hand.act("cancelOrder", "c1", order_id="M1")
        await asyncio.sleep(30)
        assert hand.status("c1") == "FINISHED"
        await hand.base("n2 n3", 2, update_id=1)
        assert "ORDER_UPDATE_FOLLOWING_CANCEL" in hand.errors()


@pytest.mark.parametrize(
    ("junk", "fault"),
    [
        ({"zoneSetId": "z"}, "zoneSetId"),
        ({"nodes": [{"nodeId": "n1", "sequenceId": 0, "nodeDescription": "x"}]}, "nodeDescription"),
        ({"edges": [{"edgeId": "e", "sequenceId": 1, "startNodeId": "n1"}]}, "startNodeId"),
        ({"edges": [{"edgeId": "e", "sequenceId": 1, "maxSpeed": 1}]}, "maxSpeed"),
        ({"orderColour": "red"}, "orderColour"),
        ({"nodes": 7}, "shape"),
        ({"nodes": [7]}, "shape"),
    ],
)
async def test_words_of_version_2_are_no_order(junk: Json, fault: str) -> None:
    header = Headers(config_for("3.0"), Clock.starting(EPOCH)).next("order")
    header = {to_camel(key): value for key, value in header.items()}
    order = {**header, "orderId": "M1", "orderUpdateId": 0, "nodes": [], "edges": []}
    words = Words(config_for("3.0"))
    assert words.read_order(json.dumps(order).encode()).order_id == "M1"
    with pytest.raises(ValueError, match=fault):
        words.read_order(json.dumps({**order, **junk}).encode())


def test_an_instant_action_may_not_block() -> None:
    words = Words(config_for("3.0"))
    with pytest.raises(ValueError, match="HARD"):
        words.read_instant_actions(b'{"actions": [{"blockingType": "HARD"}]}')


async def test_who_is_in_a_persons_hands_takes_no_order() -> None:
    async with in_hand("3.0") as hand:
        hand.scene.robot.mode = OperatingMode.SERVICE
        await hand.base("n1 n2", 2)
        assert hand.errors() == ["MOBILE_ROBOT_NOT_AVAILABLE"]


async def test_an_unknown_instant_action_is_an_error_too() -> None:
    async with in_hand("3.0") as hand:
        await hand.act("dance", "d1")
        assert hand.status("d1") == "FAILED"
        assert hand.errors() == ["INVALID_INSTANT_ACTION"]


async def test_its_own_troubles_are_in_capitals() -> None:
    async with in_hand("3.0") as hand:
        hand.scene.body.fail("localizationLost")
        hand.scene.robot.senses.complain("wheelBlocked", "stuck")
        await asyncio.sleep(1)
        assert hand.errors() == ["LOCALIZATION_ERROR", "WHEEL_BLOCKED"]


async def test_a_stop_that_ends_by_itself_is_a_field_that_is_violated() -> None:
    async with in_hand("3.0") as hand:
        hand.scene.robot.e_stop = EStop.AUTOACK
        await asyncio.sleep(1)
        assert hand.state["safetyState"] == {
            "activeEmergencyStop": "NONE",
            "fieldViolation": True,
        }


async def test_its_last_will_and_its_factsheet_stay_on_the_broker() -> None:
    async with in_hand("3.0") as hand:
        will = json.loads(hand.scene.robot.last_will.payload)
        assert will["connectionState"] == "CONNECTION_BROKEN"
        heard: list[bytes] = []
        topic = hand.scene.config.topic("factsheet")
        hand.scene.bus.subscribe(topic, lambda _, payload: heard.append(payload))
        await asyncio.sleep(0.1)
        (sheet,) = map(json.loads, heard)
        assert "RELEASE" in sheet["typeSpecification"]["supportedZones"]


class TestZones:
    async def test_a_zone_that_must_be_released_is_asked_for_and_left(self) -> None:
        async with in_hand("3.0") as hand:
            await tell(hand, RELEASE)
            await hand.base("n1 n2 n3 n4", 4)
            assert asked(hand) == ["gate REQUESTED"]
            await asyncio.sleep(100)
            assert hand.scene.body.node == "n2"
            await answer(hand, GrantType.QUEUED)
            await asyncio.sleep(100)
            assert hand.scene.body.node == "n2"
            await answer(hand, GrantType.GRANTED)
            assert asked(hand) == ["gate GRANTED"]
            await asyncio.sleep(100)
            assert hand.scene.body.node == "n4"
            assert asked(hand) == []

    async def test_without_an_order_it_asks_for_nothing(self) -> None:
        async with in_hand("3.0") as hand:
            await tell(hand, RELEASE)
            assert asked(hand) == []

    async def test_a_no_is_a_no_until_there_is_another_order(self) -> None:
        async with in_hand("3.0") as hand:
            await tell(hand, RELEASE)
            await hand.base("n1 n2 n3", 3)
            await answer(hand, GrantType.REJECTED)
            await asyncio.sleep(100)
            assert asked(hand) == []
            assert hand.scene.body.node == "n2"

    async def test_a_grant_that_is_taken_back_in_time_is_asked_for_anew(self) -> None:
        async with in_hand("3.0") as hand:
            await tell(hand, RELEASE)
            await hand.base("n1 n2 n3", 3)
            await answer(hand, GrantType.GRANTED)
            first = hand.state["zoneRequests"][0]["requestId"]
            await answer(hand, GrantType.REVOKED)
            assert asked(hand) == ["gate REQUESTED"]
            assert hand.state["zoneRequests"][0]["requestId"] != first

    async def test_its_speed_is_what_the_zone_allows(self) -> None:
        async with in_hand("3.0") as hand:
            await tell(hand, SLOW)
            await hand.base("n1 n2", 2)
            await asyncio.sleep(30)
            assert hand.state["lastNodeId"] == "n1"
            await asyncio.sleep(60)
            assert hand.state["lastNodeId"] == "n2"

    @pytest.mark.parametrize("zone", [BLOCKED, WESTWARD])
    async def test_it_takes_no_order_through_what_is_shut_to_it(self, zone: Zone) -> None:
        async with in_hand("3.0") as hand:
            await tell(hand, zone)
            await hand.base("n1 n2 n3", 3)
            assert hand.errors() == ["NO_ROUTE_TO_TARGET"]
            await hand.base("n1 n2", 2)
            assert hand.errors() == []

    async def test_sets_are_kept_enabled_and_deleted_by_their_ids(self) -> None:
        async with in_hand("3.0") as hand:
            await tell(hand, RELEASE)
            await tell(hand, SLOW, name="set-2")
            status = {s["zoneSetId"]: s["zoneSetStatus"] for s in hand.state["zoneSets"]}
            assert status == {"set-1": "DISABLED", "set-2": "ENABLED"}
            await hand.act("deleteZoneSet", "x1", zone_set_id="set-2")
            assert hand.status("x1") == "FAILED"
            await hand.act("deleteZoneSet", "x2", zone_set_id="set-1")
            assert [s["zoneSetId"] for s in hand.state["zoneSets"]] == ["set-2"]
            await hand.act("enableZoneSet", "x3", zone_set_id="set-9")
            assert hand.status("x3") == "FAILED"
            await tell(hand, SLOW, name="set-2")
            assert hand.errors() == ["DUPLICATE_ZONE_SET"]
