"""What a drone must do by itself: set, checked, and what becomes of one that would not."""

import asyncio
from dataclasses import replace

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.errors import ConfigError, LinkTimeout, MissionCancelled, MissionFailed
from fleet.mavlink.config import Safety
from fleet.mavlink.datagrams import Peer
from fleet.mavlink.fence import fence_items
from fleet.mavlink.missions import Item
from fleet.mavlink.parser import Message
from routing.geometry import Point
from routing.site import AirKind, Airspace, AirspaceId, Name, Site
from sim.mavlink.missions import FENCE
from tests.fleet.mavlink.scene import DRONE, Meadow, meadow, meadow_site

RTL, AUTO = 6, 3
MAY, MAY_NOT = Safety(), Safety(set_parameters=False)
SET, COUNT = mav.MAVLink_param_set_message, mav.MAVLink_mission_count_message
GOOD: dict[str, float] = {
    "FS_GCS_ENABLE": 1,
    "FS_OPTIONS": 18,
    "FENCE_ENABLE": 1,
    "FENCE_TYPE": 5,
    "FENCE_ALT_MAX": 120,
    "RTL_ALT": 6000,
}


def codes(scene: Meadow) -> list[str]:
    return [error.code for error in scene.drone.state().errors]


def written(scene: Meadow) -> list[Message]:
    return [m for m in scene.told if isinstance(m, SET | COUNT) and m.get_srcSystem() == 255]


def set_by_another(scene: Meadow, name: str, value: float) -> None:
    """Another ground station changes a parameter; the drone tells everybody."""
    packer = mav.MAVLink(None, 245, 190)
    change = mav.MAVLink_param_set_message(7, 1, name.encode(), value, 9)
    scene.ether.port(("other", 14550)).send(change.pack(packer), DRONE)


async def test_a_stock_drone_is_made_fit_when_it_is_first_heard() -> None:
    async with meadow(docked=False, safety=MAY) as scene:
        await asyncio.sleep(20)
        params = scene.autopilot.params
        assert {name: params[name] for name in GOOD} == GOOD
        assert len(scene.autopilot.copter.fence.items()) == 4
        assert scene.drone.state().fit
        await asyncio.sleep(300)
        assert len(written(scene)) == len(GOOD) + 1, "all of it once"


async def test_where_we_may_not_set_it_is_not_fit_and_says_why_until_a_person_has() -> None:
    async with meadow(docked=False, safety=MAY_NOT) as scene:
        await asyncio.sleep(20)
        assert not scene.drone.state().fit
        assert set(codes(scene)) == {
            "gcs_failsafe_off",
            "fence_off",
            "fence_differs",
            "return_height_wrong",
        }
        texts = [error.text for error in scene.drone.state().errors]
        assert "FS_GCS_ENABLE is 0, not 1" in texts
        with pytest.raises(MissionFailed) as failed:
            await scene.fly("dock-1", "clinic")
        assert failed.value.reason.code == "fence_differs"
        assert written(scene) == []
        for name, value in GOOD.items():
            scene.autopilot.params.set(name, value)
        await asyncio.sleep(60)
        assert codes(scene) == ["fence_differs"]


async def test_what_a_person_has_set_well_is_left_alone() -> None:
    params = {**GOOD, "FS_GCS_ENABLE": 5, "BATT_FS_LOW_ACT": 1, "FS_GCS_TIMEOUT": 3}
    safety = Safety(set_parameters=False, fence=False)
    async with meadow(docked=False, safety=safety, params=params) as scene:
        await asyncio.sleep(20)
        assert scene.drone.state().fit
        await scene.fly("dock-1", "clinic")


async def test_a_battery_failsafe_that_is_off_is_named() -> None:
    safety = Safety(set_parameters=False, fence=False)
    params: dict[str, float] = {**GOOD, "BATT_FS_LOW_ACT": 0}
    async with meadow(docked=False, safety=safety, params=params) as scene:
        await asyncio.sleep(20)
        assert codes(scene) == ["battery_failsafe_off"]


async def test_a_drone_asleep_in_its_dock_is_looked_at_when_it_wakes() -> None:
    async with meadow(safety=MAY_NOT) as scene:
        await asyncio.sleep(60)
        assert scene.drone.state().fit, "nobody knows better yet"
        with pytest.raises(MissionFailed):
            await scene.fly("dock-1", "clinic")
        assert not scene.drone.state().fit
        await asyncio.sleep(300)
        assert scene.autopilot.powered, "a person must be able to set it"


async def test_another_station_that_switches_it_off_is_undone_before_the_next_flight() -> None:
    async with meadow(docked=False, safety=MAY) as scene:
        await asyncio.sleep(20)
        set_by_another(scene, "FS_GCS_ENABLE", 0)
        await asyncio.sleep(1)
        assert scene.autopilot.params["FS_GCS_ENABLE"] == 0
        await scene.fly("dock-1", "clinic")
        assert scene.autopilot.params["FS_GCS_ENABLE"] == 1


async def test_in_flight_nothing_is_changed() -> None:
    async with meadow(docked=False, safety=MAY) as scene:
        await asyncio.sleep(20)
        flight = scene.begin(scene.flight("dock-1", "clinic"))
        await scene.until(lambda: scene.body.velocity()[0] > 5)
        before = len(written(scene))
        set_by_another(scene, "FENCE_ENABLE", 0)
        await asyncio.sleep(30)
        assert scene.body.airborne
        assert len(written(scene)) == before
        assert codes(scene) == ["fence_off"]
        await flight
        await asyncio.sleep(60)
        assert scene.drone.state().fit
        assert scene.autopilot.params["FENCE_ENABLE"] == 1


async def test_in_flight_nothing_is_asked() -> None:
    async with meadow(docked=False, safety=MAY) as scene:
        await asyncio.sleep(20)
        flight = scene.begin(scene.flight("dock-1", "clinic"))
        await scene.until(lambda: scene.body.velocity()[0] > 5)
        scene.autopilot.link_down = True
        await asyncio.sleep(40)
        scene.autopilot.link_down = False
        before = len(scene.told)
        await scene.until(lambda: not scene.body.airborne)
        questions = (
            mav.MAVLink_param_request_read_message | mav.MAVLink_mission_request_list_message
        )
        assert not any(isinstance(m, questions) for m in scene.told[before:])
        await flight
        await asyncio.sleep(30)
        assert any(isinstance(m, questions) for m in scene.told[before:])


async def test_on_standby_it_is_looked_at_again_after_a_silence() -> None:
    async with meadow(docked=True, standby=True, safety=MAY) as scene:
        await asyncio.sleep(60)
        scene.autopilot.link_down = True
        scene.autopilot.params.set("FS_GCS_ENABLE", 0)
        await asyncio.sleep(50)
        scene.autopilot.link_down = False
        await asyncio.sleep(30)
        assert scene.autopilot.params["FS_GCS_ENABLE"] == 1


async def test_a_drone_that_does_not_tell_its_parameters_is_not_fit() -> None:
    def lose(message: Message, receiver: Peer) -> bool:
        return isinstance(message, mav.MAVLink_param_value_message)

    async with meadow(docked=False, safety=MAY, lost=lose) as scene:
        await asyncio.sleep(60)
        assert codes(scene) == ["safeguards_unknown"]
        with pytest.raises(LinkTimeout):
            await scene.fly("dock-1", "clinic")
        scene.lost = None
        await asyncio.sleep(120)
        assert scene.drone.state().fit


async def test_a_fence_that_another_station_is_just_uploading_is_waited_for() -> None:
    async with meadow(docked=False, safety=MAY) as scene:
        other = scene.ether.port(("other", 14550))
        packer = mav.MAVLink(None, 245, 190)
        await scene.until(lambda: scene.drone.state().online)
        other.send(COUNT(7, 1, 3, FENCE).pack(packer), DRONE)
        await asyncio.sleep(20)
        assert scene.drone.state().fit
        assert len(scene.autopilot.copter.fence.items()) == 4


async def test_a_mission_that_leaves_the_fence_is_ended_by_the_drone_itself() -> None:
    """Ours never would; the fence is for what we did not foresee."""
    async with meadow(docked=False, safety=MAY) as scene:
        await asyncio.sleep(20)
        far = Point(0.0, -900.0)
        mission = scene.flight("dock-1", "field", "clinic")
        route = (mission.route[0], replace(mission.route[1], point=far), mission.route[2])
        flight = scene.begin(replace(mission, route=route))
        with pytest.raises(MissionFailed) as failed:
            await flight
        assert failed.value.reason.code == "drone_turned_back"
        assert failed.value.reason.facts["text"] == "Polygon fence breached"
        assert scene.stands_at("dock-1")


async def test_above_the_ceiling_it_turns_back_too() -> None:
    async with meadow(docked=False, safety=MAY) as scene:
        await asyncio.sleep(20)
        mission = scene.flight("dock-1", "field", "clinic")
        high = replace(mission.route[1], height_agl_m=150.0)
        flight = scene.begin(replace(mission, route=(mission.route[0], high, mission.route[2])))
        with pytest.raises(MissionFailed):
            await flight
        assert "Max Alt fence breached" in scene.said()
        assert scene.stands_at("dock-1")


@pytest.mark.parametrize(("rule", "mode"), [("continue", AUTO), ("return", RTL)])
async def test_a_lost_link_in_auto_ends_as_the_configuration_says(rule: str, mode: int) -> None:
    safety = Safety.model_validate({"on_lost_link": rule})
    async with meadow(docked=False, safety=safety) as scene:
        await asyncio.sleep(20)
        flight = scene.begin(scene.flight("dock-1", "clinic"))
        await scene.until(lambda: scene.body.velocity()[0] > 5)
        scene.autopilot.link_down = True
        await asyncio.sleep(10)
        assert scene.autopilot.copter.mode == mode
        scene.autopilot.link_down = False
        if rule == "continue":
            await flight
            assert scene.stands_at("clinic")
        else:
            with pytest.raises(MissionFailed, match="drone_turned_back"):
                await flight
            assert scene.stands_at("dock-1")


async def test_it_returns_at_the_height_of_its_own_layer() -> None:
    async with meadow(docked=False, safety=Safety(return_height_m=90)) as scene:
        await asyncio.sleep(20)
        flight = scene.begin(scene.flight("dock-1", "clinic"))
        await scene.until(lambda: scene.body.velocity()[0] > 5)
        highest = 0.0
        cancelling = asyncio.create_task(scene.drone.cancel())
        while not cancelling.done():
            highest = max(highest, scene.body.position().height_agl_m)
            await asyncio.sleep(1)
        with pytest.raises(MissionCancelled):
            await flight
        assert highest == pytest.approx(90, abs=0.1)
        assert scene.stands_at("dock-1")


async def test_with_rally_points_it_returns_to_the_nearer_pad() -> None:
    async with meadow(docked=False, safety=Safety(rally=True)) as scene:
        await asyncio.sleep(20)
        assert len(scene.autopilot.copter.flight.rally()) == 1
        flight = scene.begin(scene.flight("dock-1", "field", "clinic"))
        await scene.until(lambda: scene.body.position().point.y_m > 550)
        await scene.drone.cancel()
        with pytest.raises(MissionCancelled):
            await flight
        assert scene.stands_at("field")
        assert scene.drone.state().last_node == "field"


# --- which of the site's air goes on board ------------------------------------------------------

HOME = Point(0, 0)


def site_with(*volumes: tuple[AirKind, tuple[Point, ...], float, float]) -> Site:
    spaces = {
        AirspaceId(f"v{number}"): Airspace(
            id=AirspaceId(f"v{number}"),
            name=Name(en="V", zh="V"),
            kind=kind,
            outline=outline,
            floor_agl_m=floor,
            ceiling_agl_m=ceiling,
        )
        for number, (kind, outline, floor, ceiling) in enumerate(volumes)
    }
    return replace(meadow_site(), airspaces=spaces)


def square(x_m: float, y_m: float, side_m: float) -> tuple[Point, ...]:
    return tuple(
        Point(x_m + a * side_m, y_m + b * side_m) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1))
    )


def kinds(items: tuple[Item, ...]) -> list[int]:
    return [item.command - 5000 for item in items]


def test_only_what_is_shut_at_every_height_goes_on_board() -> None:
    fence = (AirKind.GEOFENCE, square(-100, -100, 500), 0.0, 120.0)
    low = (AirKind.NO_FLY, square(0, 200, 50), 0.0, 40.0)
    aloft = (AirKind.NO_FLY, square(0, 200, 50), 60.0, 200.0)
    shut = (AirKind.NO_FLY, square(200, 200, 50), 0.0, 120.0)
    assert kinds(fence_items(site_with(fence, low, aloft), HOME)) == [1] * 4
    assert kinds(fence_items(site_with(fence, low, shut), HOME)) == [1] * 4 + [2] * 4
    assert fence_items(site_with(), HOME) == ()


def test_fences_that_overlap_are_one_and_of_others_only_the_own_is_taken() -> None:
    """ArduCopter wants to be inside each of them."""
    one, beside = square(-100, -100, 200), square(50, -100, 200)
    far = square(5000, 5000, 200)
    fences = [(AirKind.GEOFENCE, outline, 0.0, 120.0) for outline in (far, one, beside)]
    items = fence_items(site_with(*fences), HOME)
    assert len(items) >= 4
    assert {item.params[0] for item in items} == {len(items)}
    frame = meadow_site().frame
    assert all(abs(item.lat_e7 / 1e7 - frame.to_geo(HOME).lat_deg) < 0.01 for item in items)


def test_a_fence_of_too_many_corners_says_what_to_do() -> None:
    ring = tuple(Point(1000.0 + n, 1000.0 + (n % 2)) for n in range(300))
    fence = (AirKind.GEOFENCE, (*ring, Point(1300, -1000), Point(-1000, -1000)), 0.0, 120.0)
    with pytest.raises(ConfigError, match="fence: false"):
        fence_items(site_with(fence), HOME)


async def test_a_look_that_gets_no_answer_keeps_nobody_on_the_ground_whose_last_one_is_good() -> (
    None
):
    deaf = False

    def lost(message: Message, receiver: Peer) -> bool:
        return deaf and receiver == DRONE and message.get_type().startswith("PARAM")

    async with meadow(docked=False, safety=MAY, lost=lost) as scene:
        await asyncio.sleep(300)
        deaf = True
        await asyncio.sleep(125)
        flying = scene.begin(scene.flight("dock-1", "clinic"))
        await scene.until(lambda: scene.body.airborne, within_s=5)
        await flying
