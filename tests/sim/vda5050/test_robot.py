"""The simulated robot keeps the standard's rules and says no where a strict robot would."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from fleet.vda5050.dialects import encode_instant_actions, encode_order
from fleet.vda5050.headers import Headers
from fleet.vda5050.order_messages import Action, Edge, InstantActions, Node, NodePosition, Order
from fleet.vda5050.orders import first, instant, update
from fleet.vda5050.terms import EStop
from tests.fleet.vda5050.scene import Json, Scene, config_for, load, mission, staged, unload

CORRIDOR = {"leftWidth": 1, "rightWidth": 1}
TOLD = mission("M1", "n1 n2 n3", load())


@dataclass
class Hand:
    """Speaks to the robot as a master would, past our own master's care."""

    scene: Scene
    headers: Headers

    async def order(self, order: Order) -> Json:
        await self.raw("order", encode_order(order, self.scene.config))
        return self.state

    async def base(self, nodes: str, upto: int, *, name: str = "M1", update_id: int = 0) -> Json:
        told = mission(name, nodes, load())
        draft = first(told, told.route, upto, self.scene.config)
        return await self.order(
            Order(
                **self.headers.next("order"),
                order_id=name,
                order_update_id=update_id,
                nodes=draft.nodes,
                edges=draft.edges,
            )
        )

    async def raw(self, topic: str, payload: bytes) -> None:
        await self.scene.bus.publish(self.scene.config.topic(topic), payload)
        await asyncio.sleep(0.2)

    async def act(self, action_type: str, action_id: str, **parameters: str) -> Json:
        action = instant(action_type, action_id, **parameters)
        message = InstantActions(**self.headers.next("instantActions"), actions=(action,))
        payload = encode_instant_actions(message, self.scene.config)
        await self.raw("instantActions", payload)
        return self.state

    @property
    def state(self) -> Json:
        return self.scene.scribe.of("state")[-1]

    def status(self, action_id: str) -> str:
        listed = [*self.state["actionStates"], *self.state.get("instantActionStates", ())]
        found = [a for a in listed if a["actionId"] == action_id]
        return found[0]["actionStatus"]

    def errors(self) -> list[str]:
        return [error["errorType"] for error in self.state["errors"]]


@asynccontextmanager
async def in_hand(version: str = "2.1") -> AsyncGenerator[Hand]:
    # no zones: their messages would come between those of a test
    async with staged(config_for(version, zones=False)) as scene:
        await asyncio.sleep(1)
        yield Hand(scene, Headers(scene.config, scene.clock))


async def test_it_drives_to_the_end_of_its_base_and_asks_for_more() -> None:
    async with in_hand() as hand:
        state = await hand.base("n1 n2 n3", 2)
        assert [n["nodeId"] for n in state["nodeStates"]] == ["n2", "n3"]
        assert [n["released"] for n in state["nodeStates"]] == [True, False]
        assert (state["lastNodeId"], state["lastNodeSequenceId"]) == ("n1", 0)
        assert state["driving"]
        assert state["newBaseRequest"]
        assert hand.status("load-1") == "WAITING"
        await asyncio.sleep(100)
        assert hand.state["lastNodeId"] == "n2"
        assert not hand.state["driving"]
        assert hand.scene.body.node == "n2"
        assert hand.scene.body.next_node == "n3"


async def test_an_action_goes_through_its_states() -> None:
    async with in_hand() as hand:
        await hand.base("n1", 1)
        assert hand.status("load-1") == "RUNNING"
        await asyncio.sleep(30)
        assert hand.status("load-1") == "FINISHED"
        assert hand.state["loads"] == [{"loadId": "T-000001"}]


async def test_the_same_order_twice_is_taken_once_and_silently() -> None:
    async with in_hand() as hand:
        await hand.base("n1 n2", 2)
        await hand.base("n1 n2", 2)
        assert hand.errors() == []
        await asyncio.sleep(60)
        assert len(hand.scene.body.loads) == 1


async def test_an_older_update_and_a_foreign_order_are_refused() -> None:
    async with in_hand() as hand:
        draft = first(TOLD, TOLD.route, 2, hand.scene.config)
        following = update(draft, TOLD, TOLD.route, 3, hand.scene.config)
        assert following is not None
        await hand.base("n1 n2 n3", 2)
        await hand.order(
            Order(
                **hand.headers.next("order"),
                order_id="M1",
                order_update_id=1,
                nodes=following.nodes,
                edges=following.edges,
            )
        )
        assert hand.state["orderUpdateId"] == 1
        await hand.base("n1 n2 n3", 2, update_id=0)
        assert hand.errors() == ["orderUpdateError"]
        await hand.base("n2 n3", 2, name="M2")
        assert hand.errors() == ["orderUpdateError"]
        assert hand.state["orderId"] == "M1"


async def test_an_update_that_begins_elsewhere_than_the_base_ends_is_refused() -> None:
    async with in_hand() as hand:
        await hand.base("n1 n2 n3", 2)
        await hand.base("n1 n2 n3", 3, update_id=1)
        assert hand.errors() == ["orderUpdateError"]
        assert hand.state["orderUpdateId"] == 0


async def test_a_start_elsewhere_is_out_of_reach() -> None:
    async with in_hand() as hand:
        await hand.base("n3 n4", 2)
        assert hand.errors() == ["noRouteError"]
        assert hand.state["orderId"] == ""
        await hand.base("n1 n2", 2)
        assert hand.errors() == []


def order_of(nodes: list[Node], edges: list[Edge]) -> Callable[[Headers], Order]:
    return lambda headers: Order(
        **headers.next("order"),
        order_id="M1",
        order_update_id=0,
        nodes=tuple(nodes),
        edges=tuple(edges),
    )


def node(
    name: str, number: int, *, released: bool = True, actions: tuple[Action, ...] = ()
) -> Node:
    place = NodePosition(x=0, y=0, map_id="L1")
    return Node(
        node_id=name, sequence_id=number, released=released, node_position=place, actions=actions
    )


def way(a: str, b: str, number: int, *, released: bool = True, **more: Any) -> Edge:
    return Edge(
        edge_id=f"{a}~{b}",
        sequence_id=number,
        released=released,
        start_node_id=a,
        end_node_id=b,
        **more,
    )


@pytest.mark.parametrize(
    ("order", "kind"),
    [
        (order_of([], []), "validationError"),
        (order_of([node("n1", 0), node("n2", 2)], []), "validationError"),
        (order_of([node("n1", 0), node("n2", 4)], [way("n1", "n2", 1)]), "validationError"),
        (order_of([node("n1", 0), node("n2", 2)], [way("n1", "n2", 2)]), "validationError"),
        (order_of([node("n1", 0), node("n2", 2)], [way("n2", "n1", 1)]), "validationError"),
        (order_of([node("n1", 0, released=False)], []), "validationError"),
        (
            order_of(
                [node("n1", 0), node("n2", 2, released=False)], [way("n1", "n2", 1, released=True)]
            ),
            "validationError",
        ),
        (order_of([node("n1", 0), node("n9", 2)], [way("n1", "n9", 1)]), "noRouteError"),
        (order_of([node("n1", 0), node("n3", 2)], [way("n1", "n3", 1)]), "noRouteError"),
        (
            order_of([node("n1", 0), node("n2", 2)], [way("n1", "n2", 1, corridor=CORRIDOR)]),
            "orderError",
        ),
        (
            order_of([node("n1", 0, actions=(instant("dance", "d1"),))], []),
            "orderError",
        ),
    ],
)
async def test_a_faulty_order_is_refused_with_the_standards_word(
    order: Callable[[Headers], Order], kind: str
) -> None:
    async with in_hand() as hand:
        await hand.order(order(hand.headers))
        assert hand.errors() == [kind]
        assert hand.state["orderId"] == ""


async def test_junk_is_a_validation_error_and_no_more() -> None:
    async with in_hand() as hand:
        for junk in (b"", b"{}", b"\xff", b'{"orderId": 17}'):
            await hand.raw("order", junk)
            assert hand.errors() == ["validationError"]
            await hand.raw("instantActions", junk)
        await hand.base("n1 n2", 2)
        assert hand.errors() == []


async def test_a_cancel_without_an_order_fails_and_says_why() -> None:
    async with in_hand() as hand:
        await hand.act("cancelOrder", "c1")
        assert hand.status("c1") == "FAILED"
        assert hand.errors() == ["noOrderToCancel"]


async def test_a_cancel_runs_until_the_robot_stands_and_then_no_update_is_taken() -> None:
    async with in_hand() as hand:
        await hand.base("n1 n2 n3", 2)
        await hand.act("cancelOrder", "c1")
        assert hand.status("c1") == "RUNNING"
        await asyncio.sleep(30)
        assert hand.status("c1") == "FINISHED"
        assert hand.status("load-1") == "FAILED"
        assert hand.state["nodeStates"] == []
        assert (hand.state["orderId"], hand.state["lastNodeId"]) == ("M1", "n2")
        await hand.base("n2 n3", 2, update_id=1)
        assert hand.errors() == ["orderUpdateError"]
        await hand.base("n2 n3", 2, name="M2")
        assert hand.errors() == []


async def test_a_pause_holds_it_at_the_next_node() -> None:
    async with in_hand() as hand:
        await hand.base("n1 n2 n3", 3)
        await hand.act("startPause", "p1")
        await asyncio.sleep(100)
        assert hand.state["paused"]
        assert hand.scene.body.node == "n2"
        await hand.act("stopPause", "p2")
        await asyncio.sleep(100)
        assert hand.scene.body.node == "n3"


async def test_goods_that_are_not_on_board_cannot_be_dropped() -> None:
    async with in_hand() as hand:
        told = mission("M1", "n1", unload())
        draft = first(told, told.route, 1, hand.scene.config)
        await hand.order(
            Order(
                **hand.headers.next("order"),
                order_id="M1",
                order_update_id=0,
                nodes=draft.nodes,
                edges=(),
            )
        )
        assert hand.status("unload-1") == "FAILED"


async def test_unknown_instant_actions_fail() -> None:
    async with in_hand() as hand:
        await hand.act("dance", "d1")
        assert hand.status("d1") == "FAILED"


@pytest.mark.parametrize(("version", "kept"), [("2.0", False), ("2.1", False), ("3.0", True)])
async def test_only_in_version_3_a_new_order_leaves_what_was_asked_before(
    version: str, kept: bool
) -> None:
    async with in_hand(version) as hand:
        await hand.act("stateRequest", "s1")
        assert hand.status("s1") == "FINISHED"
        state = await hand.base("n1 n2", 2)
        listed = [*state["actionStates"], *state.get("instantActionStates", ())]
        assert ("s1" in [action["actionId"] for action in listed]) is kept
        assert hand.status("load-1") == "WAITING"


async def test_what_an_idle_robot_repeats_is_new_in_what_changes_by_itself() -> None:
    async with in_hand() as hand:
        one, _, other = await said(hand, 3)
        new = {key for key in one if one[key] != other[key]}
        assert new == {"headerId", "timestamp", "batteryState"}
        hand.scene.robot.senses.complain("sensorDirty", "a lens")
        hand.scene.robot.senses.off_m = 2.0
        (third,) = await said(hand, 1)
        assert [error["errorType"] for error in third["errors"]] == ["sensorDirty"]
        assert third["agvPosition"]["x"] == other["agvPosition"]["x"] + 2.0


async def said(hand: Hand, states: int) -> list[Json]:
    """The robot's next states, in which nothing has happened."""
    before = len(hand.scene.scribe.of("state"))
    await asyncio.sleep(30.5 * states)
    return hand.scene.scribe.of("state")[before : before + states]


@pytest.mark.parametrize("version", ["2.0", "2.1"])
async def test_its_factsheet_comes_on_request(version: str) -> None:
    async with in_hand(version) as hand:
        before = len(hand.scene.scribe.of("factsheet"))
        await hand.act("factsheetRequest", "f1")
        sheets = hand.scene.scribe.of("factsheet")
        assert len(sheets) == before + 1
        assert sheets[-1]["typeSpecification"]["maxLoadMass"] == 50.0


async def test_an_idle_robot_says_little() -> None:
    async with in_hand() as hand:
        before = len(hand.scene.scribe.of("state"))
        await asyncio.sleep(3600)
        assert len(hand.scene.scribe.of("state")) - before <= 125


async def test_at_most_one_state_at_one_moment() -> None:
    async with in_hand() as hand:
        await hand.base("n1 n2 n3", 3)
        await asyncio.sleep(100)
        stamps = [state["timestamp"] for state in hand.scene.scribe.of("state")]
        assert len(stamps) == len(set(stamps))
        numbers = [state["headerId"] for state in hand.scene.scribe.of("state")]
        assert numbers == list(range(len(numbers)))


async def test_a_failed_body_is_a_fatal_error_until_it_is_repaired() -> None:
    async with in_hand() as hand:
        hand.scene.body.fail("motorFailure")
        await asyncio.sleep(1)
        assert [(e["errorType"], e["errorLevel"]) for e in hand.state["errors"]] == [
            ("motorFailure", "FATAL")
        ]
        hand.scene.body.repair()
        await asyncio.sleep(1)
        assert hand.state["errors"] == []


async def test_an_emergency_stop_holds_it_in_the_middle_of_the_lane() -> None:
    async with in_hand() as hand:
        await hand.base("n1 n2", 2)
        await asyncio.sleep(5)
        hand.scene.robot.e_stop = EStop.MANUAL
        await asyncio.sleep(100)
        assert hand.state["safetyState"]["eStop"] == "MANUAL"
        assert not hand.state["driving"]
        assert hand.state["lastNodeId"] == "n1"
        hand.scene.robot.e_stop = EStop.NONE
        await asyncio.sleep(100)
        assert hand.state["lastNodeId"] == "n2"


async def test_its_last_will_is_a_connection_broken() -> None:
    async with in_hand() as hand:
        will = hand.scene.robot.last_will
        assert will.retain
        assert json.loads(will.payload)["connectionState"] == "CONNECTIONBROKEN"


async def test_it_says_goodbye_when_it_is_switched_off() -> None:
    async with in_hand() as hand:
        scribe = hand.scene.scribe
    assert scribe.of("connection")[-1]["connectionState"] == "OFFLINE"
