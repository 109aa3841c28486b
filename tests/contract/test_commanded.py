"""What a person can have a vehicle do past its mission, in the air and on the road."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import pytest
import pytest_asyncio
from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.errors import CommandFailed, LinkError, MissionCancelled, MissionFailed, NotSupported
from fleet.mavlink.datagrams import Peer
from fleet.mavlink.dialects import ARDUPILOT
from fleet.mavlink.parser import Message
from fleet.mission import Action, ActionKind, Clearance, Mission, MissionId, Waypoint
from fleet.vehicle import Commanded, Diverted, GivesWay, Mode
from routing.geometry import Point
from routing.site import LevelId, NodeId
from sim.mavlink.copter_modes import AUTO, RTL, STABILIZE
from sim.mavlink.dock import DockMachine
from tests.fleet.mavlink.scene import DRONE, Meadow, meadow
from tests.fleet.vda5050.scene import LossyBus, load, mission, staged


@pytest_asyncio.fixture(params=["ardupilot", "px4"])
async def scene(request: pytest.FixtureRequest) -> AsyncIterator[Meadow]:
    async with meadow(docked=True, autopilot=request.param) as scene:
        await scene.until(lambda: scene.drone.state().position is not None)
        yield scene


async def over_the_field(scene: Meadow) -> "asyncio.Task[object]":
    flying = scene.begin(scene.flight("dock-1", "field", "clinic"))
    await scene.until(lambda: scene.body.position().height_agl_m > 45)
    await asyncio.sleep(10)
    return flying  # pyright: ignore[reportReturnType]


def help_at(scene: Meadow, x_m: float, y_m: float, *, stays_s: float = 60) -> Mission:
    """From where it is in the air to a scene, and home."""
    here = scene.drone.state().position
    assert here is not None
    level, home = LevelId("L0"), scene.site.nodes[NodeId("dock-1")]
    at = Point(x_m, y_m)
    route = (
        Waypoint(node=NodeId("air-0"), level=level, point=here.point, height_agl_m=50.0),
        Waypoint(node=NodeId("scene"), level=level, point=at, height_agl_m=50.0),
        Waypoint(node=NodeId("scene-looked"), level=level, point=at, height_agl_m=50.0),
        Waypoint(node=home.id, level=home.level, point=home.point),
    )
    look = Action(id="M2.1", kind=ActionKind.OBSERVE, duration_s=stays_s, facts={"waypoint": 2})
    return Mission(id=MissionId("M2"), route=route, actions=(look,))


async def test_on_hold_it_hovers_and_then_flies_on(scene: Meadow) -> None:
    assert isinstance(scene.drone, Commanded)
    flying = await over_the_field(scene)
    await scene.drone.hold()
    await asyncio.sleep(2)
    stood = scene.body.position()
    await asyncio.sleep(60)
    assert scene.body.position() == stood
    assert scene.drone.state().mode is Mode.AUTOMATIC
    assert not flying.done()
    await scene.drone.go_on()
    await flying
    assert scene.stands_at("clinic")


async def test_waiting_on_its_way_it_flies_on_when_told(scene: Meadow) -> None:
    assert isinstance(scene.drone, GivesWay)
    flying = await over_the_field(scene)
    await scene.drone.wait_on_way()
    await asyncio.sleep(2)
    stood = scene.body.position()
    await asyncio.sleep(20)
    assert scene.body.position() == stood
    await scene.drone.end_wait()
    await flying
    assert scene.stands_at("clinic")


async def test_who_comes_home_by_itself_is_not_made_to_wait(scene: Meadow) -> None:
    flying = await over_the_field(scene)
    await scene.drone.recall()
    await asyncio.sleep(2)
    with pytest.raises(CommandFailed):
        await scene.drone.wait_on_way()
    with pytest.raises(MissionFailed, match="drone_turned_back"):
        await flying
    assert scene.stands_at("dock-1")


async def test_what_it_does_by_itself_while_it_waits_is_not_undone(scene: Meadow) -> None:
    flying = await over_the_field(scene)
    await scene.drone.wait_on_way()
    scene.body.set_charge(0.1)
    await scene.until(lambda: scene.autopilot.copter.mode in ARDUPILOT.returning)
    await scene.drone.end_wait()
    with pytest.raises(MissionFailed, match="drone_turned_back"):
        await flying
    assert scene.stands_at("dock-1")


HOLDS = (mav.MAV_CMD_DO_SET_MODE, mav.MAV_CMD_DO_REPOSITION, mav.MAV_CMD_DO_PAUSE_CONTINUE)
"""Commands that stop it, turn it, or have it fly on."""


@pytest.mark.parametrize("moment", ["it has not said so yet", "the command is on its way"])
async def test_a_wait_does_not_undo_what_it_has_just_begun_by_itself(
    scene: Meadow, moment: str
) -> None:
    flying = await over_the_field(scene)
    turn = turns_home_at(scene, moment)
    await turn()
    with pytest.raises(CommandFailed):
        await scene.drone.wait_on_way()
    assert scene.autopilot.copter.mode in ARDUPILOT.returning
    with pytest.raises(MissionFailed, match="drone_turned_back"):
        await flying
    assert scene.stands_at("dock-1")


@pytest.mark.parametrize("moment", ["it has not said so yet", "the command is on its way"])
async def test_the_end_of_a_wait_does_not_undo_it_either(scene: Meadow, moment: str) -> None:
    flying = await over_the_field(scene)
    await scene.drone.wait_on_way()
    await asyncio.sleep(5)
    turn = turns_home_at(scene, moment)
    await turn()
    with suppress(CommandFailed):
        await scene.drone.end_wait()
    assert scene.autopilot.copter.mode in ARDUPILOT.returning
    with pytest.raises(MissionFailed, match="drone_turned_back"):
        await flying
    assert scene.stands_at("dock-1")


@pytest.mark.parametrize("moment", ["it has not said so yet", "the command is on its way"])
@pytest.mark.parametrize("somewhere", [True, False])
async def test_a_turn_does_not_undo_it_either(scene: Meadow, moment: str, somewhere: bool) -> None:
    flying = await over_the_field(scene)
    to = scene.route("dock-1", "clinic", "dock-1")[1] if somewhere else None
    await turns_home_at(scene, moment)()
    with pytest.raises(CommandFailed, match="drone_turned_back"):
        await scene.drone.turn_away(to)
    with pytest.raises(MissionCancelled):
        await flying
    assert scene.autopilot.copter.mode in ARDUPILOT.returning
    await scene.until(lambda: not scene.body.airborne)
    assert scene.stands_at("dock-1")


@pytest.mark.parametrize("later", [mav.MAV_CMD_DO_REPOSITION, mav.MAV_CMD_DO_SET_MODE])
async def test_who_turns_home_as_it_is_given_its_next_mission_comes_home(
    scene: Meadow, later: int
) -> None:
    flying = await over_the_field(scene)
    await scene.drone.turn_away()
    with pytest.raises(MissionCancelled):
        await flying
    scene.lost = turning_home_before(scene, later)
    helping = help_at(scene, 800, 0)
    clearance = Clearance.whole(helping)
    with pytest.raises(MissionFailed, match="drone_turned_back"):
        await scene.drone.execute(helping, clearance)
    assert clearance.passed == 0
    assert scene.stands_at("dock-1")


def turning_home_before(scene: Meadow, *commands: int) -> Callable[[Message, Peer], bool]:
    """Its battery is low just as the first of these commands reaches it."""
    done: list[Message] = []

    def strike(message: Message, to: Peer) -> bool:
        if to == DRONE and getattr(message, "command", None) in commands and not done:
            done.append(message)
            scene.autopilot.copter.set_mode(RTL)
        return False

    return strike


def turns_home_at(scene: Meadow, moment: str) -> Callable[[], Awaitable[None]]:
    """Its battery is low at the worst moment, between its last word and our command."""

    async def turn() -> None:
        if moment == "the command is on its way":
            scene.lost = turning_home_before(scene, *HOLDS)
            return
        beats = len([m for m in scene.heard if isinstance(m, mav.MAVLink_heartbeat_message)])
        await scene.until(
            lambda: (
                len([m for m in scene.heard if isinstance(m, mav.MAVLink_heartbeat_message)])
                > beats
            )
        )
        scene.autopilot.copter.set_mode(RTL)

    return turn


async def test_one_that_can_t_pause_where_it_climbs_waits_all_the_same(scene: Meadow) -> None:
    flying = scene.begin(scene.flight("dock-1", "field", "clinic"))
    await scene.until(lambda: scene.body.position().height_agl_m > 15)
    await scene.drone.wait_on_way()
    await asyncio.sleep(2)
    stood = scene.body.position()
    await asyncio.sleep(10)
    assert scene.body.position() == stood
    await scene.drone.end_wait()
    await flying
    assert scene.stands_at("clinic")


async def test_recalled_it_comes_home(scene: Meadow) -> None:
    flying = await over_the_field(scene)
    await scene.drone.hold()
    await scene.drone.recall()
    with pytest.raises(MissionFailed, match="drone_turned_back"):
        await flying
    assert scene.stands_at("dock-1")


async def test_it_says_that_it_comes_back(scene: Meadow) -> None:
    flying = await over_the_field(scene)
    assert not scene.drone.state().returning
    await scene.drone.recall()
    await scene.until(lambda: scene.drone.state().returning, within_s=3)
    with pytest.raises(MissionFailed, match="drone_turned_back"):
        await flying
    assert not scene.drone.state().returning


async def test_told_to_land_it_comes_down_where_it_is(scene: Meadow) -> None:
    flying = await over_the_field(scene)
    await scene.drone.land()
    with pytest.raises(MissionFailed, match="drone_turned_back"):
        await flying
    assert not scene.body.airborne
    assert not scene.drone.state().fit
    assert scene.body.position().point.distance_m(Point(0, 0)) > 50


async def test_who_does_not_answer_is_told_as_such(scene: Meadow) -> None:
    flying = await over_the_field(scene)
    scene.autopilot.link_down = True
    with pytest.raises(LinkError):
        await scene.drone.hold()
    scene.autopilot.link_down = False
    await flying
    assert scene.stands_at("clinic")


async def test_in_flight_it_turns_to_another_mission_at_once(scene: Meadow) -> None:
    assert isinstance(scene.drone, Diverted)
    flying = await over_the_field(scene)
    since_s = asyncio.get_running_loop().time()
    await scene.drone.turn_away()
    with pytest.raises(MissionCancelled):
        await flying
    helping = help_at(scene, 800, 0)
    clearance = Clearance.whole(helping)
    reached: list[tuple[int, float]] = []
    clearance.on_reached(lambda n: reached.append((n, asyncio.get_running_loop().time())))
    second = asyncio.create_task(scene.drone.execute(helping, clearance))
    await scene.until(lambda: scene.body.velocity()[1] < -0.1, within_s=10)
    assert asyncio.get_running_loop().time() - since_s < 2
    await second
    assert scene.stands_at("dock-1")
    assert [number for number, _ in reached] == [1, 2, 3]
    assert reached[1][1] - reached[0][1] == pytest.approx(60, abs=2)


async def test_called_back_and_then_turned_elsewhere_it_does_what_it_was_told_last(
    scene: Meadow,
) -> None:
    flying = await over_the_field(scene)
    back = asyncio.create_task(scene.drone.cancel(), name="cancel")
    await scene.until(lambda: scene.autopilot.copter.mode in ARDUPILOT.returning)
    assert isinstance(scene.drone, Diverted)
    await scene.drone.turn_away()
    await asyncio.wait_for(back, 10)
    with pytest.raises(MissionCancelled):
        await flying
    elsewhere = help_at(scene, 300, 300, stays_s=5)
    await scene.drone.execute(elsewhere, Clearance.whole(elsewhere))
    assert scene.stands_at("dock-1")


async def test_called_back_and_turned_before_it_says_so_it_flies_its_next_mission(
    scene: Meadow,
) -> None:
    flying = await over_the_field(scene)
    back = asyncio.create_task(scene.drone.cancel(), name="cancel")
    await scene.until(lambda: scene.drone.state().returning)
    elsewhere = help_at(scene, 300, 300, stays_s=5)
    await scene.drone.turn_away(elsewhere.route[1])
    with pytest.raises(MissionCancelled):
        await flying
    await back
    clearance = Clearance.whole(elsewhere)
    async with asyncio.timeout(900):
        await scene.drone.execute(elsewhere, clearance)
    assert clearance.passed == 3
    assert scene.stands_at("dock-1")


async def test_who_is_taken_over_on_its_way_home_is_seen(scene: Meadow) -> None:
    flying = await over_the_field(scene)
    scene.autopilot.copter.set_mode(RTL)
    await scene.until(lambda: scene.drone.state().returning)
    scene.autopilot.copter.set_mode(STABILIZE)
    with pytest.raises(MissionFailed, match="taken_over"):
        async with asyncio.timeout(60):
            await flying


async def test_our_restart_finds_the_turned_drone_on_its_mission(scene: Meadow) -> None:
    flying = await over_the_field(scene)
    await scene.drone.turn_away()
    with pytest.raises(MissionCancelled):
        await flying
    helping = help_at(scene, 800, 0)
    second = scene.begin(helping)
    await scene.until(lambda: scene.autopilot.copter.mode == AUTO)
    await asyncio.sleep(1.5)  # until it has said so
    second.cancel()
    await asyncio.wait([second])
    scene.drone.adopt(helping)
    uploads = len(scene.told)
    await scene.drone.execute(helping, Clearance.whole(helping))
    assert scene.stands_at("dock-1")
    assert not any(m.get_type() == "MISSION_COUNT" for m in scene.told[uploads:])


async def turned_to_help(scene: Meadow) -> Mission:
    """On its way to a scene; nobody follows it, as after a restart of ours."""
    flying = await over_the_field(scene)
    await scene.drone.turn_away()
    with pytest.raises(MissionCancelled):
        await flying
    helping = help_at(scene, 800, 0)
    second = scene.begin(helping)
    await scene.until(lambda: scene.autopilot.copter.mode == AUTO)
    await asyncio.sleep(1.5)  # until it has said so
    second.cancel()
    await asyncio.wait([second])
    return helping


async def test_our_restart_leaves_a_drone_on_hold_where_it_is(scene: Meadow) -> None:
    helping = await turned_to_help(scene)
    scene.drone.adopt(helping)
    await scene.drone.hold()
    await asyncio.sleep(2)
    stood, told = scene.body.position(), len(scene.told)
    following = scene.begin(helping)
    await asyncio.sleep(60)
    assert scene.body.position() == stood
    assert not any(m.get_type() == "COMMAND_INT" for m in scene.told[told:])
    await scene.drone.go_on()
    await following
    assert scene.stands_at("dock-1")


async def test_who_is_on_hold_in_the_air_is_given_no_other_mission(scene: Meadow) -> None:
    helping = await turned_to_help(scene)
    await scene.drone.hold()
    await asyncio.sleep(2)
    stood, told = scene.body.position(), len(scene.told)
    other = replace(help_at(scene, 0, 800), id=MissionId("M3"))
    with pytest.raises(MissionFailed, match="already_flying"):
        await scene.drone.execute(other, Clearance.whole(other))
    assert scene.body.position() == stood
    assert not any(m.get_type() == "COMMAND_INT" for m in scene.told[told:])
    scene.drone.adopt(helping)
    following = scene.begin(helping)
    await asyncio.sleep(1)
    await scene.drone.go_on()
    await following


async def test_on_hold_while_it_turns_it_stays_until_it_may_go_on(scene: Meadow) -> None:
    flying = await over_the_field(scene)
    await scene.drone.turn_away()
    with pytest.raises(MissionCancelled):
        await flying
    second = scene.begin(help_at(scene, 800, 0))
    await scene.until(lambda: any(m.get_type() == "COMMAND_INT" for m in scene.told))
    await scene.drone.hold()
    await asyncio.sleep(2)
    stood = scene.body.position()
    await asyncio.sleep(60)
    assert scene.body.position() == stood
    await scene.drone.go_on()
    await second
    assert scene.stands_at("dock-1")


async def test_on_hold_while_it_turns_it_can_be_called_home(scene: Meadow) -> None:
    flying = await over_the_field(scene)
    await scene.drone.turn_away()
    with pytest.raises(MissionCancelled):
        await flying
    second = scene.begin(help_at(scene, 800, 0))
    await scene.until(lambda: any(m.get_type() == "COMMAND_INT" for m in scene.told))
    await scene.drone.hold()
    await asyncio.sleep(20)
    await scene.drone.recall()
    with pytest.raises(MissionFailed, match="drone_turned_back"):
        await second
    assert scene.stands_at("dock-1")


async def until_told(scene: Meadow, type_: str, command: int | None = None) -> None:
    """Until the drone is being told this; its answer is not there yet."""
    told = asyncio.Event()

    def see(message: Message, _: Peer) -> bool:
        if message.get_type() == type_ and command in (None, getattr(message, "command", None)):
            told.set()
        return False

    scene.lost = see
    async with asyncio.timeout(60):
        await told.wait()


async def test_on_hold_before_it_is_armed_it_stays_on_the_ground(scene: Meadow) -> None:
    flying = scene.begin(scene.flight("dock-1", "field", "clinic"))
    await until_told(scene, "MISSION_ITEM_INT")
    await scene.drone.hold()
    await asyncio.sleep(120)
    assert not scene.body.airborne
    assert mav.MAV_CMD_COMPONENT_ARM_DISARM not in scene.commands()
    assert not flying.done()
    await scene.drone.go_on()
    await flying
    assert scene.stands_at("clinic")


@pytest.mark.parametrize("after", [mav.MAV_CMD_DO_SET_MODE, mav.MAV_CMD_COMPONENT_ARM_DISARM])
async def test_on_hold_between_two_words_of_the_start_it_stays_on_the_ground(
    scene: Meadow, after: int
) -> None:
    flying = scene.begin(scene.flight("dock-1", "field", "clinic"))
    await until_told(scene, "COMMAND_LONG", after)
    await scene.drone.hold()
    await asyncio.sleep(120)
    assert not scene.body.airborne
    await scene.drone.go_on()
    await flying
    assert scene.stands_at("clinic")


@pytest.mark.parametrize("later_s", [0.0, 0.1, 0.5, 1.0, 1.5, 2.5])
async def test_on_hold_just_after_its_start_it_goes_no_further(
    scene: Meadow, later_s: float
) -> None:
    flying = scene.begin(scene.flight("dock-1", "field", "clinic"))
    await until_told(scene, "COMMAND_LONG", mav.MAV_CMD_MISSION_START)
    await asyncio.sleep(later_s)
    await scene.drone.hold()
    await asyncio.sleep(2)
    stood = scene.body.position()
    assert stood.height_agl_m < 15
    await asyncio.sleep(120)
    assert scene.body.position() == stood
    assert not flying.done()
    await scene.drone.go_on()
    await flying
    assert scene.stands_at("clinic")


@pytest.mark.parametrize("later_s", [0.0, 0.1, 0.5, 1.0, 1.5, 2.5])
async def test_called_home_just_after_its_start_it_comes_down_again(
    scene: Meadow, later_s: float
) -> None:
    flying = scene.begin(scene.flight("dock-1", "field", "clinic"))
    await until_told(scene, "COMMAND_LONG", mav.MAV_CMD_MISSION_START)
    await asyncio.sleep(later_s)
    await scene.drone.recall()
    with pytest.raises(MissionFailed, match="drone_turned_back"):
        await flying
    assert scene.stands_at("dock-1")
    await scene.drone.go_on()
    await scene.fly("dock-1", "clinic", name="M9")


async def test_on_hold_and_called_home_on_the_ground_it_stays_there(scene: Meadow) -> None:
    flying = scene.begin(scene.flight("dock-1", "field", "clinic"))
    await until_told(scene, "MISSION_ITEM_INT")
    await scene.drone.hold()
    await scene.drone.recall()
    await asyncio.sleep(120)
    assert not scene.body.airborne
    await scene.drone.go_on()
    await flying


@pytest.mark.parametrize("down", ["recall", "land"])
async def test_called_down_before_it_is_armed_it_stays_on_the_ground(
    scene: Meadow, down: str
) -> None:
    flying = scene.begin(scene.flight("dock-1", "field", "clinic"))
    await until_told(scene, "MISSION_ITEM_INT")
    await getattr(scene.drone, down)()
    await asyncio.sleep(120)
    assert not scene.body.airborne
    assert not flying.done()
    await scene.drone.go_on()
    await flying
    assert scene.stands_at("clinic")


async def test_a_second_hold_that_is_not_heard_undoes_nothing(scene: Meadow) -> None:
    flying = await over_the_field(scene)
    await scene.drone.hold()
    await asyncio.sleep(2)
    stood = scene.body.position()
    scene.autopilot.link_down = True
    with pytest.raises(LinkError):
        await scene.drone.hold()
    scene.autopilot.link_down = False
    await asyncio.sleep(20)
    assert scene.body.position() == stood
    assert not flying.done()
    await scene.drone.go_on()
    await flying


async def test_a_pilot_who_flies_a_drone_that_is_on_hold_is_seen(scene: Meadow) -> None:
    flying = await over_the_field(scene)
    await scene.drone.hold()
    await asyncio.sleep(2)
    assert scene.drone.state().mode is Mode.AUTOMATIC
    scene.autopilot.copter.set_mode(STABILIZE)
    await asyncio.sleep(2)
    assert scene.drone.state().mode is Mode.MANUAL
    flying.cancel()
    await asyncio.wait([flying])


async def test_no_other_drone_may_be_sent_a_mission_from_the_air(scene: Meadow) -> None:
    other = replace(help_at(scene, 800, 0), id=MissionId("M3"))
    with pytest.raises(MissionFailed):
        await scene.drone.execute(other, Clearance.whole(other))
    assert scene.stands_at("dock-1")


async def test_a_drone_on_standby_takes_off_within_seconds() -> None:
    async with meadow(docked=True, standby=True) as scene:
        await scene.until(lambda: scene.drone.state().position is not None)
        await asyncio.sleep(300)
        assert scene.autopilot.powered
        since_s = asyncio.get_running_loop().time()
        flying = scene.begin(scene.flight("dock-1", "field", "clinic"))
        await scene.until(lambda: scene.body.airborne)
        assert asyncio.get_running_loop().time() - since_s < 2
        await flying


async def test_on_standby_it_is_woken_again_until_it_is_awake() -> None:
    async with meadow(docked=True, standby=True) as scene:
        scene.theirs.pop().cancel()
        await asyncio.sleep(100)
        assert not scene.autopilot.powered
        place = scene.site.nodes[NodeId("dock-1")].point
        dock = DockMachine(scene.bus, "dock-1", scene.autopilot, place)
        scene.theirs.append(scene.group.create_task(dock.run(), name="dock"))
        await asyncio.sleep(150)
        assert scene.autopilot.powered
        assert scene.drone.state().online


async def test_a_robot_on_hold_stands_still_with_its_order_and_then_drives_on() -> None:
    async with staged() as scene:
        assert isinstance(scene.vehicle, Commanded)
        driving = asyncio.create_task(scene.drive(mission("M1", "n1 n2 n3", load())))
        await scene.until(lambda: scene.body.edge is not None)
        await scene.vehicle.hold()
        await asyncio.sleep(60)
        stood = scene.body.position()
        await asyncio.sleep(60)
        assert scene.body.position() == stood
        assert not driving.done()
        await scene.vehicle.go_on()
        await driving
        assert scene.body.node == "n3"


async def test_a_robot_that_is_not_heard_does_not_answer() -> None:
    lossy = LossyBus()
    async with staged(bus=lossy) as scene:
        lossy.lose["instantActions"] = 1000
        with pytest.raises(LinkError):
            await scene.vehicle.hold()


async def test_a_robot_can_not_be_called_home_or_down() -> None:
    async with staged() as scene:
        with pytest.raises(NotSupported):
            await scene.vehicle.recall()
        with pytest.raises(NotSupported):
            await scene.vehicle.land()
