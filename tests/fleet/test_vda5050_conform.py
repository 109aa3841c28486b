"""The conformance session, against a strict robot and against sloppy ones, in virtual time."""

from collections.abc import Sequence

import pytest

from fleet.bus import MemoryBus
from fleet.clock import Clock
from fleet.mission import Waypoint
from fleet.vda5050.conform import Answer, Finding, NotReady, Session, Wishes
from fleet.vda5050.messages import OperatingMode, State
from routing.site import NodeId
from sim.bodies import GroundBody
from sim.vda5050_robot import Vda5050Robot
from sim.world import World
from tests.fleet.vda5050_scene import EPOCH, SPEC, config_for, loop_site, running, waypoints
from tests.sim import sloppy
from tests.sim.sloppy import Fault, SloppyBus


def over_the_loop(state: State) -> Sequence[Waypoint]:
    del state
    return waypoints("n1", "n2", "n3")


SITE = Wishes(route=over_the_loop)


async def examined(
    fault: Fault, wishes: Wishes = SITE, *, mode: str = "AUTOMATIC"
) -> list[Finding]:
    """What a session finds of a robot at n1 that has a fault."""
    bus, site, clock, config = MemoryBus(), loop_site(), Clock.starting(EPOCH), config_for()
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
