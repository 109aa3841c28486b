"""A master and a strict simulated robot, over the bus within this process."""

import asyncio
from dataclasses import replace

import pytest

from fleet.bus import MemoryBus
from fleet.clock import Clock
from fleet.errors import LinkLost, MissionCancelled, MissionFailed, SafetyStop
from fleet.mission import Action, ActionKind, Clearance, Mission, MissionId, Outcome
from fleet.vda5050.adapter import Vda5050Vehicle
from fleet.vda5050.inbox import Inbox
from fleet.vda5050.link import Link
from fleet.vda5050.outbox import Repeat
from fleet.vda5050.terms import ConnectionState, EStop, OperatingMode
from fleet.vehicle import Mode
from routing.site import NodeId
from sim.loops import run
from tests.fleet.vda5050.scene import (
    EPOCH,
    SPEC,
    Json,
    LossyBus,
    Scene,
    config_for,
    load,
    loop_site,
    mission,
    running,
    staged,
    unload,
    waypoints,
)

THERE = mission("M1", "n1 n2 n3", load())


def begin(scene: Scene, told: Mission, clearance: Clearance | None = None) -> asyncio.Task[Outcome]:
    return asyncio.ensure_future(scene.vehicle.execute(told, clearance or Clearance.whole(told)))


@pytest.mark.parametrize("version", ["2.0", "2.1"])
async def test_a_mission_with_clearance_for_all_of_its_route_is_one_order(version: str) -> None:
    async with staged(config_for(version)) as scene:
        outcome = await scene.drive(THERE)
        assert outcome.mission == "M1"
        assert scene.body.node == "n3"
        assert scene.body.loads == ["T-000001"]
        (order,) = scene.orders()
        assert [node["nodeId"] for node in order["nodes"]] == ["n1", "n2", "n3"]
        assert [node["released"] for node in order["nodes"]] == [True, True, True]
        assert scene.vehicle.state().mission is None
        assert scene.vehicle.state().loads == ("T-000001",)


async def test_work_on_the_spot_is_an_order_of_one_node() -> None:
    async with staged() as scene:
        await scene.drive(mission("M1", "n1", load()))
        (order,) = scene.orders()
        assert (len(order["nodes"]), order["edges"]) == (1, [])
        assert scene.body.loads == ["T-000001"]


async def test_a_mission_released_step_by_step_stops_nowhere_it_need_not() -> None:
    async with staged() as scene:
        told = mission("M1", "n1 n2 n3 n4", load())
        clearance = Clearance(told.route, released=2)
        reached: list[int] = []

        def go_on(index: int) -> None:
            reached.append(index)
            clearance.release(min(index + 3, len(told.route)))

        clearance.on_reached(go_on)
        await scene.vehicle.execute(told, clearance)
        assert reached == [1, 2, 3]
        first, second = scene.orders()[:2]
        assert [n["released"] for n in first["nodes"]] == [True, True, False, False]
        assert second["orderUpdateId"] == 1
        assert second["nodes"][0] == first["nodes"][1]
        assert [n["sequenceId"] for n in second["nodes"]] == [2, 4, 6]
        assert scene.body.node == "n4"


async def test_goods_are_carried_from_one_place_to_another() -> None:
    async with staged() as scene:
        await scene.drive(mission("M1", "n1 n2", load()))
        await scene.drive(mission("M2", "n2 n3 n4", unload()))
        assert scene.body.loads == []
        assert scene.body.node == "n4"


async def test_a_charger_is_connected_and_left() -> None:
    async with staged() as scene:
        charge = Action(id="charge-1", kind=ActionKind.CHARGE)
        await scene.drive(mission("M1", "n1", charge))
        await scene.until(lambda: scene.vehicle.state().charging)
        leave = Action(id="charge-2", kind=ActionKind.STOP_CHARGING)
        await scene.drive(mission("M2", "n1", leave))
        await scene.until(lambda: not scene.vehicle.state().charging)


async def test_the_horizon_is_replaced_and_the_base_stays() -> None:
    async with staged() as scene:
        told = mission("M1", "n1 n2 n3 n4", load())
        clearance = Clearance(told.route, released=2)
        driving = begin(scene, told, clearance)
        await scene.until(lambda: len(scene.orders()) == 1)
        await asyncio.sleep(1.0)
        clearance.reroute(waypoints("n2", "m3", "n4")[1:])
        await scene.until(lambda: len(scene.orders()) == 2)
        clearance.release(4)
        await driving
        first, second, third = scene.orders()
        assert [n["nodeId"] for n in second["nodes"]] == ["n2", "m3", "n4"]
        assert second["nodes"][0] == first["nodes"][1]
        assert all(n["released"] for n in third["nodes"])
        assert scene.body.node == "n4"
        assert scene.body.loads == ["T-000001"]


async def test_a_route_cut_off_where_the_robot_may_already_go_still_ends_with_its_work() -> None:
    async with staged() as scene:
        told = mission("M1", "n1 n2 n3 n4", load())
        clearance = Clearance(told.route, released=2)
        driving = begin(scene, told, clearance)
        await scene.until(lambda: scene.body.node == "n2")
        clearance.reroute(())
        await driving
        assert scene.body.node == "n2"
        assert scene.body.loads == ["T-000001"]
        assert [n["nodeId"] for n in scene.orders()[-1]["nodes"]] == ["n2", "n2"]


async def test_one_update_at_a_time_is_under_way() -> None:
    bus = LossyBus()
    async with staged(bus=bus) as scene:
        told = mission("M1", "n1 n2 n3 n4", load())
        clearance = Clearance(told.route, released=2)
        driving = begin(scene, told, clearance)
        bus.lose["order"] = 1
        clearance.release(3)
        await asyncio.sleep(1.0)
        clearance.release(4)
        await driving
        assert {order["orderUpdateId"] for order in scene.orders()} <= {0, 1, 2}
        assert scene.body.node == "n4"


def test_two_runs_say_the_same_to_the_byte() -> None:
    async def story() -> list[tuple[str, Json]]:
        bus = LossyBus()
        async with staged(bus=bus) as scene:
            bus.lose["order"] = 1
            await scene.drive(THERE)
            await scene.drive(mission("M2", "n3 n4", unload()))
        return scene.scribe.messages

    assert run(story()) == run(story())


class TestCancelling:
    async def test_before_the_order_was_sent(self) -> None:
        async with staged() as scene:
            driving = begin(scene, THERE)
            await asyncio.sleep(0)
            await scene.vehicle.cancel()
            with pytest.raises(MissionCancelled):
                await driving
            assert not scene.vehicle.state().driving

    async def test_while_driving_it_stops_at_the_next_node(self) -> None:
        async with staged() as scene:
            driving = begin(scene, THERE)
            await scene.until(lambda: scene.body.driving)
            await scene.vehicle.cancel()
            assert not scene.body.driving
            assert scene.body.node == "n2"
            with pytest.raises(MissionCancelled):
                await driving
            assert scene.body.loads == []

    async def test_while_it_waits_for_clearance(self) -> None:
        async with staged() as scene:
            driving = begin(scene, THERE, Clearance(THERE.route, released=2))
            await scene.until(lambda: scene.body.node == "n2")
            await asyncio.sleep(5)
            await scene.vehicle.cancel()
            with pytest.raises(MissionCancelled):
                await driving
            await scene.drive(mission("M2", "n2 n3"))
            assert scene.body.node == "n3"

    async def test_while_it_loads_the_load_is_finished_first(self) -> None:
        async with staged() as scene:
            driving = begin(scene, mission("M1", "n1", load("a"), load("b")))
            await scene.until(lambda: scene.body.working is not None)
            await scene.vehicle.cancel()
            with pytest.raises(MissionCancelled):
                await driving
            assert len(scene.body.loads) == 1

    async def test_without_a_mission_nothing_is_sent(self) -> None:
        async with staged() as scene:
            await scene.vehicle.cancel()
            assert all(
                action["actionType"] != "cancelOrder"
                for message in scene.scribe.of("instantActions")
                for action in message["actions"]
            )

    async def test_a_lost_cancel_is_said_again(self) -> None:
        bus = LossyBus()
        async with staged(bus=bus) as scene:
            driving = begin(scene, THERE)
            await scene.until(lambda: scene.body.driving)
            bus.lose["instantActions"] = 1
            await scene.vehicle.cancel()
            with pytest.raises(MissionCancelled):
                await driving

    async def test_a_mission_that_ends_while_it_is_cancelled_has_ended_well(self) -> None:
        bus = LossyBus()
        async with staged(bus=bus) as scene:
            driving = begin(scene, THERE)
            await scene.until(lambda: scene.body.working is not None)
            bus.lose["instantActions"] = 3
            await scene.vehicle.cancel()
            assert (await driving).mission == "M1"


class TestLosses:
    async def test_a_lost_order_is_said_again_unchanged(self) -> None:
        bus = LossyBus()
        async with staged(bus=bus) as scene:
            bus.lose["order"] = 2
            await scene.drive(THERE)
            (order,) = scene.orders()
            assert order["orderUpdateId"] == 0
            assert order["headerId"] == 2

    async def test_a_robot_that_hears_no_order_at_all_is_given_up(self) -> None:
        bus = LossyBus()
        async with staged(bus=bus) as scene:
            bus.lose["order"] = 1000
            with pytest.raises(MissionFailed):
                await scene.drive(THERE)

    async def test_lost_states_delay_but_do_no_harm(self) -> None:
        bus = LossyBus()
        async with staged(bus=bus) as scene:
            bus.lose["state"] = 4
            await scene.drive(THERE)
            assert scene.body.loads == ["T-000001"]

    async def test_a_robot_out_of_reach_drives_on_and_its_mission_ends_when_it_is_back(
        self,
    ) -> None:
        async with staged() as scene:
            driving = begin(scene, THERE)
            await scene.until(lambda: scene.body.driving)
            scene.robot.link_down = True
            await asyncio.sleep(100)
            assert not scene.vehicle.state().online
            assert scene.body.node == "n3"
            scene.robot.link_down = False
            assert (await driving).mission == "M1"

    async def test_the_broker_says_when_a_robot_is_gone(self) -> None:
        async with staged() as scene:
            scene.robot.link_down = True
            await asyncio.sleep(40)
            assert not scene.vehicle.state().online
            assert scene.scribe.of("connection")[-1]["connectionState"] == "CONNECTIONBROKEN"

    async def test_its_state_is_too_old_at_the_very_moment_that_is_waited_for(self) -> None:
        """Else whoever waits for that moment waits for it again, without end and without time."""
        now_s = [0.0]
        heard: list[object] = []
        config = config_for()
        inbox = Inbox(config, now_s=lambda: now_s[0], heard=heard.append, connected=lambda: None)
        inbox.connection = ConnectionState.ONLINE
        for at_ms in range(0, 5_000_000, 997):
            inbox.heard_at_s = at_ms / 1000
            now_s[0] = inbox.heard_at_s + config.fresh_s
            assert not inbox.online

    async def test_two_things_that_wait_for_an_echo_are_not_taken_for_one_another(self) -> None:
        """An update and a cancel, said equally long ago: the one may end before the other."""
        link = Link(MemoryBus(), config_for(), Clock.starting(EPOCH), lambda: None)
        update, cancel = Repeat(5.0), Repeat(5.0)
        with link.repeating(update):
            with link.repeating(cancel):
                pass
            update.heard()

    async def test_patience_with_a_silent_robot_ends(self) -> None:
        async with staged(config_for(patience_s=120)) as scene:
            driving = begin(scene, THERE)
            await scene.until(lambda: scene.body.driving)
            scene.robot.link_down = True
            with pytest.raises(LinkLost):
                await driving
            scene.robot.link_down = False
            await scene.hear()
            assert (await scene.drive(THERE)).mission == "M1"
            assert scene.body.loads == ["T-000001"]


class TestTrouble:
    async def test_a_failed_action_fails_the_mission_and_leaves_the_robot_idle(self) -> None:
        async with staged() as scene:
            scene.robot.refuses["pick"] = "nothing there"
            with pytest.raises(MissionFailed) as failed:
                await scene.drive(mission("M1", "n1 n2", load("a"), unload("b")))
            assert failed.value.reason.code == "action_failed"
            assert failed.value.reason.facts["text"] == "nothing there"
            assert scene.vehicle.state().mission is None
            scene.robot.refuses.clear()
            await scene.drive(mission("M2", "n2 n3", load("c")))

    async def test_an_action_that_takes_far_too_long_fails_the_mission(self) -> None:
        async with staged(config_for(action_grace_s=60, tidy_up_s=30)) as scene:
            driving = begin(scene, THERE)
            await scene.until(lambda: scene.body.working is not None)
            scene.body.fail("jammed")
            await asyncio.sleep(300)
            assert not driving.done(), "the robot may still take the goods"
            errors = scene.vehicle.state().errors
            assert [e.code for e in errors] == ["jammed", "keeps_order"]
            assert not scene.vehicle.state().fit
            scene.robot.reboot()
            with pytest.raises(MissionFailed) as failed:
                await driving
            assert failed.value.reason.code == "action_timeout"
            assert [e.code for e in scene.vehicle.state().errors] == ["jammed"]

    async def test_an_action_that_ends_while_it_is_cancelled_was_done(self) -> None:
        async with staged(config_for(action_grace_s=60, tidy_up_s=30)) as scene:
            driving = begin(scene, THERE)
            await scene.until(lambda: scene.body.working is not None)
            scene.body.fail("slow")
            await asyncio.sleep(300)
            scene.body.repair()
            assert (await driving).mission == THERE.id
            assert scene.body.loads == ["T-000001"]
            assert scene.vehicle.state().fit

    async def test_a_robot_that_restarts_has_lost_its_mission(self) -> None:
        async with staged() as scene:
            driving = begin(scene, THERE, Clearance(THERE.route, released=2))
            await scene.until(lambda: scene.body.node == "n2")
            await asyncio.sleep(5)
            scene.robot.reboot()
            with pytest.raises(MissionFailed) as failed:
                await driving
            assert failed.value.reason.code == "vehicle_restarted"
            await scene.drive(mission("M2", "n2 n3", load("again")))
            assert scene.body.loads == ["T-000001"]

    async def test_a_start_out_of_reach_is_refused_with_the_robots_reason(self) -> None:
        async with staged() as scene:
            with pytest.raises(MissionFailed) as failed:
                await scene.drive(mission("M1", "n3 n4"))
            assert failed.value.reason.code == "order_refused"
            assert failed.value.reason.facts["error"] == "noRouteError"
            await scene.drive(mission("M2", "n1 n2"))

    async def test_an_order_without_actions_that_is_refused_is_not_done(self) -> None:
        async with staged() as scene:
            with pytest.raises(MissionFailed) as failed:
                await scene.drive(mission("M1", "n3"))
            assert failed.value.reason.code == "order_refused"

    async def test_a_node_that_the_site_does_not_have_is_refused_before_anything_is_sent(
        self,
    ) -> None:
        async with staged() as scene:
            route = waypoints("n1", "n2")
            away = Mission(
                id=MissionId("M1"), route=(route[0], replace(route[1], node=NodeId("x")))
            )
            refusal = scene.vehicle.why_not(away)
            assert refusal is not None
            assert refusal.code == "unknown_node"
            with pytest.raises(MissionFailed):
                await scene.drive(away)
            assert scene.orders() == []

    async def test_an_emergency_stop_needs_a_person_and_then_the_same_mission_goes_on(self) -> None:
        async with staged() as scene:
            driving = begin(scene, THERE)
            await scene.until(lambda: scene.body.driving)
            scene.robot.e_stop = EStop.MANUAL
            with pytest.raises(SafetyStop):
                await driving
            assert scene.vehicle.state().safety_stop
            assert not scene.vehicle.state().fit
            scene.robot.e_stop = EStop.NONE
            await scene.until(lambda: not scene.vehicle.state().safety_stop)
            assert (await scene.drive(THERE)).mission == "M1"
            assert len(scene.orders()) == 1

    async def test_a_bumper_that_acknowledges_itself_only_delays(self) -> None:
        async with staged() as scene:
            driving = begin(scene, THERE)
            await scene.until(lambda: scene.body.driving)
            scene.robot.e_stop = EStop.AUTOACK
            await asyncio.sleep(20)
            scene.robot.e_stop = EStop.NONE
            assert (await driving).mission == "M1"

    async def test_a_robot_driven_by_hand_gets_no_orders(self) -> None:
        async with staged() as scene:
            scene.robot.mode = OperatingMode.MANUAL
            await scene.until(lambda: scene.vehicle.state().mode is Mode.MANUAL)
            driving = begin(scene, THERE)
            await asyncio.sleep(60)
            assert scene.orders() == []
            scene.robot.mode = OperatingMode.AUTOMATIC
            assert (await driving).mission == "M1"

    async def test_two_missions_at_once_are_our_bug(self) -> None:
        async with staged() as scene:
            driving = begin(scene, THERE)
            await asyncio.sleep(1)
            with pytest.raises(ValueError, match="another mission"):
                await scene.drive(mission("M2", "n1 n2"))
            await driving


class TestOurRestart:
    async def again(self, scene: Scene) -> Vda5050Vehicle:
        return Vda5050Vehicle(SPEC, scene.bus, scene.config, loop_site(), scene.clock)

    async def test_in_the_middle_of_a_drive_the_order_is_followed_not_sent_again(self) -> None:
        async with staged() as scene:
            old = begin(scene, THERE)
            await scene.until(lambda: scene.body.driving)
            old.cancel()
            await asyncio.wait([old])
            vehicle = await self.again(scene)
            async with running(vehicle.run()):
                await scene.until(lambda: vehicle.state().online)
                assert vehicle.state().mission == "M1"
                outcome = await vehicle.execute(THERE, Clearance.whole(THERE))
            assert outcome.mission == "M1"
            assert len(scene.orders()) == 1
            assert scene.body.loads == ["T-000001"]

    async def test_while_it_waits_the_next_update_follows_what_the_robot_holds(self) -> None:
        async with staged() as scene:
            clearance = Clearance(THERE.route, released=2)
            old = begin(scene, THERE, clearance)
            await scene.until(lambda: scene.body.node == "n2")
            await asyncio.sleep(5)
            old.cancel()
            await asyncio.wait([old])
            vehicle = await self.again(scene)
            async with running(vehicle.run()):
                await scene.until(lambda: vehicle.state().online)
                clearance = Clearance(THERE.route, released=3)
                await vehicle.execute(THERE, clearance)
            assert [order["orderUpdateId"] for order in scene.orders()] == [0, 1]
            assert clearance.passed == 2

    async def test_a_mission_that_was_finished_meanwhile_says_so_at_once(self) -> None:
        async with staged() as scene:
            await scene.drive(THERE)
            vehicle = await self.again(scene)
            async with running(vehicle.run()):
                await scene.until(lambda: vehicle.state().online)
                before_s = scene.clock.now_s()
                outcome = await vehicle.execute(THERE, Clearance(THERE.route, released=1))
                assert scene.clock.now_s() == before_s
            assert outcome.mission == "M1"
            assert len(scene.orders()) == 1

    async def test_an_order_that_nobody_knows_any_more_is_given_up_for_the_next(self) -> None:
        async with staged() as scene:
            old = begin(scene, THERE, Clearance(THERE.route, released=2))
            await scene.until(lambda: scene.body.node == "n2")
            await asyncio.sleep(5)
            old.cancel()
            await asyncio.wait([old])
            await scene.drive(mission("M2", "n2 m3"))
            assert scene.body.node == "m3"

    async def test_the_same_id_with_another_way_is_not_followed(self) -> None:
        async with staged() as scene:
            old = begin(scene, THERE, Clearance(THERE.route, released=3))
            await scene.until(lambda: scene.body.driving)
            old.cancel()
            await asyncio.wait([old])
            with pytest.raises(MissionFailed) as failed:
                await scene.drive(mission("M1", "n1 n2 m3"))
            assert failed.value.reason.code == "order_differs"
