"""The conformance session, against a strict robot and against sloppy ones, in virtual time."""

from collections.abc import Sequence

import pytest

from fleet.bus import MemoryBus
from fleet.clock import Clock
from fleet.mission import Waypoint
from fleet.vda5050.conform import Answer, Finding, NotReady, Session, Wishes
from fleet.vda5050.state_messages import State
from fleet.vda5050.terms import OperatingMode
from fleet.vda5050.zone_messages import ZoneSet
from routing.site import NodeId
from sim.vda5050.robot import Vda5050Robot
from sim.world.bodies import GroundBody
from sim.world.world import World
from tests.fleet.vda5050.scene import (
    EPOCH,
    SPEC,
    Json,
    Scribe,
    config_for,
    loop_site,
    running,
    waypoints,
)
from tests.sim.vda5050 import sloppy
from tests.sim.vda5050.sloppy import Fault, SloppyBus


def over_the_loop(state: State) -> Sequence[Waypoint]:
    del state
    return waypoints("n1", "n2", "n3")


def onward(state: State) -> Sequence[Waypoint]:
    """Three nodes, from where it stands."""
    nodes = {"n1": ("n1", "n2", "n3"), "n2": ("n2", "n3", "n4")}
    return waypoints(*nodes.get(state.last_node_id, ("n3", "n2", "n1")))


SITE = Wishes(route=over_the_loop)


async def examined(
    fault: Fault, wishes: Wishes = SITE, *, mode: str = "AUTOMATIC", version: str = "2.1"
) -> list[Finding]:
    """What a session finds of a robot at n1 that has a fault."""
    bus, site, clock, config = MemoryBus(), loop_site(), Clock.starting(EPOCH), config_for(version)
    body: GroundBody = World(site, seed=1).add_ground(SPEC, NodeId("n1"))
    robot = Vda5050Robot(body, SloppyBus(bus, "C1", fault), config, clock, site)
    robot.mode = OperatingMode(mode)
    async with running(robot.run()):
        return await Session(bus, config, clock, wishes).run()


def broken(findings: Sequence[Finding]) -> set[str]:
    return {f.rule for f in findings if f.answer is Answer.BREAKS}


async def test_a_strict_robot_honours_all() -> None:
    findings = await examined(Fault(), Wishes(route=over_the_loop, actions=("pick", "drop")))
    assert broken(findings) == set()
    untried = [f.rule for f in findings if f.answer is Answer.UNTRIED]
    assert untried == ["its last will says CONNECTIONBROKEN"]
    assert len(findings) >= 24


@pytest.mark.parametrize(
    ("fault", "rules"),
    [
        (sloppy.NeverEmpties, {"nodes leave nodeStates when it has passed them"}),
        (sloppy.IgnoresCancel, {"cancelOrder without an order: FAILED, noOrderToCancel"}),
        (sloppy.IntoHorizon, {"stays there, and keeps off its horizon"}),
        (sloppy.Deaf, {"takes an order and echoes it"}),
        (sloppy.NoConnection, {"connection is ONLINE and retained"}),
        (sloppy.OldStamps, {"noticed: clock_off"}),
        (sloppy.OneHeaderId, {"noticed: repeated_header"}),
        (sloppy.Junk, {"noticed: unreadable"}),
        (sloppy.NotNumbers, {"noticed: not_a_number"}),
    ],
)
async def test_a_fault_is_found(fault: type[Fault], rules: set[str]) -> None:
    assert rules <= broken(await examined(fault()))


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (sloppy.OldVersion, "another version"),
        (sloppy.WrongName, "another robot's name"),
        (sloppy.OrderIdIsNumber, "can't be read"),
    ],
)
async def test_who_can_t_be_understood_is_not_tried(fault: type[Fault], says: str) -> None:
    with pytest.raises(NotReady, match=says):
        await examined(fault())


async def test_who_is_in_a_person_s_hands_is_not_tried() -> None:
    with pytest.raises(NotReady, match="MANUAL"):
        await examined(Fault(), mode="MANUAL")


async def test_a_silent_robot_is_named_with_what_to_check() -> None:
    session = Session(MemoryBus(), config_for(), Clock.starting(EPOCH), Wishes())
    with pytest.raises(NotReady, match="check MANUFACTURER/SERIAL"):
        await session.run()


async def test_without_a_site_a_robot_that_knows_its_own_nodes_only_says_so() -> None:
    findings = await examined(Fault(), Wishes())
    (order,) = [f for f in findings if f.rule == "takes an order and echoes it"]
    assert order.answer is Answer.BREAKS
    assert "no node conform-1" in order.note


class Says(Fault):
    """Its states say something else."""

    def __init__(self, change: Json) -> None:
        self._change = change

    def state(self, message: Json) -> Json:
        return message | self._change


class Grants(Fault):
    """Takes each answer to a request for leave."""

    def heard(self, name: str, message: Json) -> Sequence[Json]:
        if name != "responses":
            return [message]
        leave = [{**one, "grantType": "GRANTED"} for one in message["responses"]]
        return [{**message, "responses": leave}]


class NoZones(Fault):
    """Minds no zones, by its factsheet."""

    def said(self, name: str, message: Json) -> Sequence[Json | bytes]:
        if name == "factsheet":
            del message["typeSpecification"]["supportedZones"]
        return [message]


class TestVersion3:
    """The same session in the words of 3.0, and what only 3.0 has."""

    async def test_a_strict_robot_honours_all(self) -> None:
        findings = await examined(
            Fault(), Wishes(route=onward, actions=("pick", "drop")), version="3.0"
        )
        assert broken(findings) == set()
        untried = [f.rule for f in findings if f.answer is Answer.UNTRIED]
        assert untried == ["its last will says CONNECTIONBROKEN"]
        rules = {f.rule for f in findings}
        assert {"stays out of it before that is GRANTED", "goes in then"} <= rules
        assert len(findings) >= 37

    async def test_what_was_in_force_before_is_so_afterwards(self) -> None:
        bus, site, clock = MemoryBus(), loop_site(), Clock.starting(EPOCH)
        config = config_for("3.0")
        body = World(site, seed=1).add_ground(SPEC, NodeId("n1"))
        robot = Vda5050Robot(body, bus, config, clock, site)
        robot.zones.store(ZoneSet(map_id="L1", zone_set_id="theirs", zones=()))
        robot.zones.enable("theirs")
        scribe = Scribe(config.version)
        subscription = bus.subscribe(config.topic("+"), scribe.note)
        async with running(robot.run()):
            await Session(bus, config, clock, Wishes(route=onward)).run()
        subscription.close()
        assert scribe.of("zoneSet")
        assert scribe.of("responses")
        assert scribe.faults == []
        (left,) = robot.zones.stored()
        assert (left.zone_set_id, left.enabled) == ("theirs", True)

    @pytest.mark.parametrize(
        ("change", "rules"),
        [
            ({"zoneSets": []}, {"takes a zone set and lists it"}),
            ({"zoneRequests": []}, {"asks for a RELEASE zone on its way"}),
            (
                {"instantActionStates": []},
                {
                    "instant actions stand in instantActionStates",
                    "clearInstantActions clears those that have ended",
                },
            ),
        ],
    )
    async def test_a_fault_is_found(self, change: dict[str, object], rules: set[str]) -> None:
        wishes = Wishes(route=onward, drive="zoneRequests" in change, period=False)
        assert rules <= broken(await examined(Says(change), wishes, version="3.0"))

    async def test_who_drives_in_unasked_is_found(self) -> None:
        findings = await examined(Grants(), Wishes(route=onward, period=False), version="3.0")
        assert "stays out of it before that is GRANTED" in broken(findings)

    async def test_who_knows_of_no_zones_is_not_tried_with_them(self) -> None:
        findings = await examined(NoZones(), Wishes(route=onward, period=False), version="3.0")
        assert broken(findings) == set()
        untried = {f.rule for f in findings if f.answer is Answer.UNTRIED}
        assert {"zone sets", "access to RELEASE zones"} <= untried
