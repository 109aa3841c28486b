"""Zones of version 3.0: drawn from the site, sent once, and granted as traffic releases."""

import asyncio
import json
import math
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from fleet.bus import MemoryBus
from fleet.clock import Clock
from fleet.mission import Clearance
from fleet.vda5050.adapter import Vda5050Vehicle
from fleet.vda5050.grants import decide, due
from fleet.vda5050.orders import first as first_order
from fleet.vda5050.outbox import Outbox
from fleet.vda5050.state_messages import State, ZoneRequest
from fleet.vda5050.zone_messages import GrantType, Zone, ZoneType
from fleet.vda5050.zones import Atlas, SiteZone, zone_sets
from fleet.vehicle import Integration
from routing.geometry import Point
from routing.roads.road_rules import RoadRules
from routing.site import Area, LaneId, LevelId, Name, NodeId, Site
from routing.site import Zone as Hygiene
from routing.sites import site_yaml
from sim.vda5050.robot import Vda5050Robot
from sim.vda5050.zones import ZoneBook
from sim.world.world import World
from tests.fleet.vda5050.scene import (
    EPOCH,
    SPEC,
    Json,
    LossyBus,
    Scene,
    Scribe,
    config_for,
    load,
    loop_site,
    mission,
    running,
    staged,
    waypoints,
)
from tests.folders import CONFIGS

CORRIDOR = CONFIGS / "sites" / "corridor.yaml"
TOLD = mission("M1", "n1 n2 n3 n4", load())


@cache
def ward_site() -> Site:
    """The loop with an isolation ward around n4."""
    area = Area(
        id="iso",
        name=Name(en="Isolation", zh="隔离"),
        level=LevelId("L1"),
        kind="room",
        zone=Hygiene.CONTAMINATED,
        outline=(Point(27, -3), Point(33, -3), Point(33, 3), Point(27, 3)),
    )
    return replace(loop_site(), areas={"iso": area})


def corridor() -> Site:
    return site_yaml.load(CORRIDOR)


def drawn(rules: RoadRules | None = None, **more: object) -> dict[str, Zone]:
    zones = Atlas(corridor()).zones(rules or RoadRules(), SPEC, tuple(ZoneType), **more)  # pyright: ignore[reportArgumentType]
    return {zone.zone.zone_id: zone.zone for zone in zones}


class TestDrawing:
    def test_each_kind_of_zone_comes_from_what_it_is_for(self) -> None:
        found = drawn()
        kinds = {name: zone.zone_type for name, zone in found.items()}
        assert kinds["lift:lift-1"] == "RELEASE"
        assert kinds["door:d-pharmacy:pharmacy~a1"] == "RELEASE"
        assert kinds["area:l2-isolation"] == "RELEASE"
        assert kinds["slow:b2~b3"] == "SPEED_LIMIT"
        assert kinds["one-way:b3~b4"] == "DIRECTED"
        assert kinds["corridor:l1-corridor"] == "PRIORITY"
        assert found["slow:b2~b3"].maximum_speed == 0.8
        assert found["one-way:b3~b4"].direction == pytest.approx(math.pi, abs=1e-4)

    def test_what_people_order_is_drawn_too(self) -> None:
        rules = RoadRules(
            closed=frozenset({LaneId("a1~a2")}),
            limits_m_s={LaneId("a3~a4"): 0.3},
            one_way={LaneId("a2~a3"): NodeId("a2")},
        )
        found = drawn(rules)
        assert found["blocked:a1~a2"].zone_type == "BLOCKED"
        assert found["slow:a3~a4"].maximum_speed == 0.3
        assert found["one-way:a2~a3"].direction == pytest.approx(math.pi, abs=1e-4)

    def test_a_closed_lane_that_is_under_way_is_not_blocked_yet(self) -> None:
        rules = RoadRules(closed=frozenset({LaneId("a1~a2")}))
        assert "blocked:a1~a2" not in drawn(rules, open_lanes={LaneId("a1~a2")})

    def test_only_types_that_the_robot_can_mind_are_drawn(self) -> None:
        zones = Atlas(corridor()).zones(RoadRules(), SPEC, ("SPEED_LIMIT", "ACTION"))
        assert {zone.zone.zone_type for zone in zones} == {"SPEED_LIMIT"}

    def test_no_zone_forbids_what_the_site_allows(self) -> None:
        for rules in (RoadRules(), RoadRules(closed=frozenset({LaneId("a1~a2")}))):
            site = corridor()
            zones = Atlas(site).zones(rules, SPEC, tuple(ZoneType))
            book = ZoneBook(site, {}, SPEC.width_m)
            for zone_set in zone_sets(site, zones, {}).values():
                assert book.store(zone_set) is None
                assert book.enable(zone_set.zone_set_id) is None
            for edges in site.edges_from.values():
                for edge in edges:
                    assert (book.barred(edge) is not None) is (edge.lane.id in rules.closed)

    def test_a_set_is_named_by_what_it_says(self) -> None:
        site = corridor()

        def ids(rules: RoadRules, maps: dict[str, str] | None = None) -> dict[str, str]:
            zones = Atlas(site).zones(rules, SPEC, tuple(ZoneType))
            sets = zone_sets(site, zones, maps or {})
            return {map_id: one.zone_set_id for map_id, one in sets.items()}

        assert ids(RoadRules()) == ids(RoadRules())
        other = ids(RoadRules(limits_m_s={LaneId("a1~a2"): 0.5}))
        assert other["L1"] != ids(RoadRules())["L1"]
        assert other["L2"] == ids(RoadRules())["L2"]
        assert "floor-1" in ids(RoadRules(), {"L1": "floor-1"})


class TestGrants:
    zone = next(
        zone
        for zone in Atlas(ward_site()).zones(RoadRules(), SPEC, ("RELEASE",))
        if zone.zone.zone_id == "area:iso"
    )

    def answer(
        self, released: int, *, passed: int = 0, held: bool = False, at: str = "n1"
    ) -> GrantType:
        clearance = Clearance(TOLD.route, released)
        clearance.reached(passed)
        return decide(request(held=held), {"area:iso": self.zone}, state_at(at), clearance)

    def test_what_is_released_is_granted_and_what_is_not_waits(self) -> None:
        assert self.zone.nodes == {"n4"}
        assert self.answer(3) == "QUEUED"
        assert self.answer(4) == "GRANTED"

    def test_who_is_inside_stays_granted(self) -> None:
        assert self.answer(4, passed=3, at="n4") == "GRANTED"
        assert decide(request(), {"area:iso": self.zone}, state_at("n4"), None) == "GRANTED"

    def test_what_is_not_on_the_way_is_rejected_or_taken_back(self) -> None:
        elsewhere = Clearance(waypoints("n1", "n2"), 2)
        zones = {"area:iso": self.zone}
        assert decide(request(), zones, state_at("n1"), elsewhere) == "REJECTED"
        assert decide(request(held=True), zones, state_at("n1"), elsewhere) == "REVOKED"
        assert decide(request(), zones, state_at("n1"), None) == "REJECTED"
        assert decide(request(held=True), zones, state_at("n1"), None) == "REVOKED"

    def test_unknown_zones_and_new_plans_are_rejected(self) -> None:
        clearance = Clearance.whole(TOLD)
        assert decide(request(), {}, state_at("n1"), clearance) == "REJECTED"
        replan = structs.replace(request(), request_type="REPLANNING")
        assert decide(replan, {"area:iso": self.zone}, state_at("n1"), clearance) == "REJECTED"

    def test_what_got_lost_is_said_again_and_a_queue_once(self) -> None:
        assert due(request(), GrantType.GRANTED, GrantType.GRANTED)
        assert not due(request(held=True), GrantType.GRANTED, None)
        assert due(request(), GrantType.QUEUED, None)
        assert not due(request(), GrantType.QUEUED, GrantType.QUEUED)
        assert due(request(held=True), GrantType.REVOKED, None)
        revoked = structs.replace(request(), request_status="REVOKED")
        assert not due(revoked, GrantType.REVOKED, GrantType.REVOKED)

    @given(data=st.data())
    def test_nothing_is_granted_that_traffic_has_not_released(self, data: st.DataObject) -> None:
        names = data.draw(
            st.lists(st.sampled_from(["n1", "n2", "n3", "m3", "n4", "n5"]), min_size=1)
        )
        route = tuple(
            replace(waypoints("n1")[0], node=NodeId(name), lane=LaneId(f"l{index}"))
            for index, name in enumerate(names)
        )
        clearance = Clearance(route, data.draw(st.integers(1, len(route))))
        clearance.reached(data.draw(st.integers(0, clearance.released - 1)))
        nodes = frozenset(map(NodeId, data.draw(st.sets(st.sampled_from(names)))))
        zone = SiteZone(level=LevelId("L1"), zone=self.zone.zone, nodes=nodes)
        held = data.draw(st.booleans())
        here = names[clearance.passed]
        answer = decide(request(held=held), {"area:iso": zone}, state_at(here), clearance)
        inside = here in nodes
        ahead = [i for i in range(clearance.passed + 1, len(route)) if route[i].node in nodes]
        behind = any(w.node in nodes for w in route[: clearance.passed + 1])
        if answer is GrantType.GRANTED:
            assert inside or (ahead and ahead[0] < clearance.released) or (held and behind)
        else:
            assert not inside
            assert not ahead or ahead[0] >= clearance.released


class TestOnTheWire:
    async def test_a_set_is_sent_once_enabled_and_asked_for(self) -> None:
        async with staged(config_for("3.0"), site=ward_site()) as scene:
            await scene.until(lambda: enabled(scene) != [])
            clearance = Clearance(TOLD.route, released=2)
            driving = asyncio.ensure_future(scene.vehicle.execute(TOLD, clearance))
            await scene.until(lambda: grants(scene) == ["QUEUED"])
            await scene.until(lambda: scene.body.node == "n2" and not scene.body.driving)
            await asyncio.sleep(60)
            assert grants(scene) == ["QUEUED"]
            clearance.release(4)
            await driving
            assert grants(scene) == ["QUEUED", "GRANTED"]
            (zone_set,) = scene.scribe.of("zoneSet")
            assert [zone["zoneId"] for zone in zone_set["zoneSet"]["zones"]] == ["area:iso"]

    async def test_what_gets_lost_is_said_again(self) -> None:
        bus = LossyBus()
        bus.lose |= {"zoneSet": 1, "responses": 1}
        async with staged(config_for("3.0"), bus=bus, site=ward_site()) as scene:
            await scene.until(lambda: enabled(scene) != [])
            await scene.drive(TOLD)
            assert scene.body.node == "n4"
            assert scene.vehicle.state().errors == ()

    async def test_after_our_own_restart_nothing_is_sent_that_the_robot_has(self) -> None:
        bus = MemoryBus()
        async with staged(config_for("3.0"), bus=bus, site=ward_site()) as scene:
            await scene.until(lambda: enabled(scene) != [])
            again = Vda5050Vehicle(SPEC, bus, scene.config, ward_site(), scene.clock)
            async with running(again.run()):
                await asyncio.sleep(120)
            assert len(scene.scribe.of("zoneSet")) == 1

    @pytest.mark.parametrize("released", [2, 4])
    async def test_what_was_granted_before_our_own_restart_stays_so(self, released: int) -> None:
        bus, clock, config, site = (
            MemoryBus(),
            Clock.starting(EPOCH),
            config_for("3.0"),
            ward_site(),
        )
        body = World(site, seed=1).add_ground(SPEC, NodeId("n1"))
        robot, said = Vda5050Robot(body, bus, config, clock, site), Scribe(config.version)
        subscription = bus.subscribe(config.topic("+"), said.note)
        async with running(robot.run()):
            former = Vda5050Vehicle(SPEC, bus, config, site, clock)
            async with running(former.run()):
                await asyncio.sleep(1)
                job = asyncio.ensure_future(former.execute(TOLD, Clearance(TOLD.route, released)))
                first = "QUEUED" if released == 2 else "GRANTED"
                async with asyncio.timeout(60):
                    while grants(said) != [first]:  # noqa: ASYNC110
                        await asyncio.sleep(0.1)
                await asyncio.sleep(2)
                job.cancel()
            again = Vda5050Vehicle(SPEC, bus, config, site, clock)
            async with running(again.run()):
                await asyncio.sleep(10)  # the store is read, traffic let in again
                assert grants(said) == [first]
                clearance = Clearance(TOLD.route, released)
                driving = asyncio.ensure_future(again.execute(TOLD, clearance))
                await asyncio.sleep(20)
                clearance.release(4)
                async with asyncio.timeout(600):
                    await driving
        subscription.close()
        assert body.node == "n4"
        assert set(grants(said)) <= {"QUEUED", "GRANTED"}
        assert said.faults == []

    async def test_who_is_at_somebody_else_s_order_is_told_no(self) -> None:
        async with staged(config_for("3.0"), site=ward_site()) as scene:
            await scene.until(lambda: enabled(scene) != [])
            other = Outbox(scene.bus, scene.config, scene.clock)
            await other.send_order(first_order(TOLD, TOLD.route, 4, scene.config))
            await scene.until(lambda: grants(scene) == ["REJECTED"], at_most_s=20)

    async def test_a_lane_that_was_closed_under_way_is_not_shut_by_our_own_restart(self) -> None:
        async with staged(config_for("3.0"), site=ward_site()) as scene:
            await scene.until(lambda: enabled(scene) != [])
            driving = asyncio.ensure_future(scene.drive(TOLD))
            await scene.until(lambda: scene.vehicle.state().driving)
            rules = RoadRules(closed=frozenset({LaneId("n2~n3")}))
            scene.vehicle.set_rules(rules)
            again = Vda5050Vehicle(SPEC, scene.bus, scene.config, ward_site(), scene.clock)
            again.set_rules(rules)
            async with running(again.run()), asyncio.timeout(600):
                await driving
            assert scene.body.node == "n4"

    async def test_a_zone_is_not_refused_before_it_is_known_what_zones_there_are(self) -> None:
        bus = LossyBus()
        async with staged(config_for("3.0"), bus=bus, site=ward_site()) as scene:
            await scene.until(lambda: enabled(scene) != [])
            driving = asyncio.ensure_future(scene.vehicle.execute(TOLD, Clearance(TOLD.route, 2)))
            await scene.until(lambda: grants(scene) == ["QUEUED"])
            driving.cancel()
            await bus.publish(scene.config.topic("factsheet"), b"", retain=True)
            bus.lose["factsheet"] = 1
            again = Vda5050Vehicle(SPEC, bus, scene.config, ward_site(), scene.clock)
            async with running(again.run()):
                await asyncio.sleep(2)
                clearance = Clearance(TOLD.route, 4)
                driving = asyncio.ensure_future(again.execute(TOLD, clearance))
                async with asyncio.timeout(600):
                    await driving
            assert set(grants(scene)) == {"QUEUED", "GRANTED"}

    async def test_two_robots_of_one_name_are_told_nothing(self) -> None:
        async with staged(config_for("3.0"), site=ward_site()) as scene:
            await scene.until(lambda: enabled(scene) != [])
            state = scene.scribe.of("state")[-1]
            for x in (40.0, 0.0, 40.0, 0.0, 40.0):
                place = {**state["mobileRobotPosition"], "x": x}
                twin = {**state, "mobileRobotPosition": place}
                await scene.bus.publish(scene.config.topic("state"), json.dumps(twin).encode())
            await asyncio.sleep(1)
            assert "two_robots" in {error.code for error in scene.vehicle.state().errors}
            told = len(scene.scribe.of("instantActions")), len(scene.scribe.of("zoneSet"))
            scene.vehicle.set_rules(RoadRules(closed=frozenset({LaneId("n4~n5")})))
            scene.robot.go_down()
            scene.robot.come_up()
            await asyncio.sleep(150)
            assert told == (len(scene.scribe.of("instantActions")), len(scene.scribe.of("zoneSet")))
            await scene.until(lambda: len(scene.scribe.of("zoneSet")) > told[1])

    async def test_who_is_only_watched_is_told_nothing_of_zones(self) -> None:
        bus, clock, config, site = (
            MemoryBus(),
            Clock.starting(EPOCH),
            config_for("3.0"),
            ward_site(),
        )
        body = World(site, seed=1).add_ground(SPEC, NodeId("n1"))
        robot, said = Vda5050Robot(body, bus, config, clock, site), Scribe(config.version)
        subscription = bus.subscribe(config.topic("+"), said.note)
        for integration in (Integration.RESPECTED, Integration.USED):
            spec = replace(SPEC, integration=integration)
            watcher = Vda5050Vehicle(spec, bus, config, site, clock)
            async with running(robot.run(), watcher.run()):
                await asyncio.sleep(120)
                assert watcher.state().online
            assert bool(said.of("zoneSet")) is (integration is Integration.USED)
        subscription.close()

    async def test_other_rules_are_another_set_and_the_old_one_goes(self) -> None:
        async with staged(config_for("3.0"), site=ward_site()) as scene:
            await scene.until(lambda: enabled(scene) != [])
            (first,) = enabled(scene)
            scene.vehicle.set_rules(RoadRules(closed=frozenset({LaneId("n4~n5")})))
            await scene.until(lambda: enabled(scene) not in ([], [first]))
            await scene.until(lambda: len(stored(scene)) == 1)
            zones = scene.scribe.of("zoneSet")[-1]["zoneSet"]["zones"]
            assert {zone["zoneType"] for zone in zones} == {"RELEASE", "BLOCKED"}

    async def test_a_lane_that_is_closed_under_way_is_driven_to_its_end(self) -> None:
        async with staged(config_for("3.0"), site=ward_site()) as scene:
            await scene.until(lambda: enabled(scene) != [])
            (first,) = enabled(scene)
            driving = asyncio.ensure_future(scene.drive(TOLD))
            await scene.until(lambda: scene.vehicle.state().driving)
            scene.vehicle.set_rules(RoadRules(closed=frozenset({LaneId("n2~n3")})))
            await driving
            assert scene.body.node == "n4"
            await scene.until(lambda: enabled(scene) not in ([], [first]))

    @pytest.mark.parametrize("settings", [{"version": "2.1"}, {"zones": False}])
    async def test_who_knows_of_no_zones_is_told_of_none(self, settings: Json) -> None:
        config = config_for(**{"version": "3.0", **settings})
        async with staged(config, site=ward_site()) as scene:
            await scene.drive(TOLD)
            assert scene.scribe.of("zoneSet") == []
            assert scene.scribe.of("responses") == []

    async def test_a_robot_that_asks_for_a_corridor_is_told_no(self) -> None:
        async with staged(config_for("3.0"), site=ward_site()) as scene:
            state: Json = dict(scene.scribe.of("state")[-1])
            state["headerId"] = 999
            state["edgeRequests"] = [
                {
                    "requestId": "r1",
                    "requestType": "CORRIDOR",
                    "edgeId": "n1~n2",
                    "sequenceId": 1,
                    "requestStatus": "REQUESTED",
                }
            ]
            await scene.bus.publish(scene.config.topic("state"), json.dumps(state).encode())
            await scene.until(lambda: grants(scene) == ["REJECTED"])


def request(*, held: bool = False) -> ZoneRequest:
    status = "GRANTED" if held else "REQUESTED"
    return ZoneRequest(request_id="r1", zone_id="area:iso", zone_set_id="s", request_status=status)


def state_at(node: str) -> State:
    return State(header_id=1, timestamp="", last_node_id=node)


def stored(scene: Scene) -> list[Json]:
    return scene.scribe.of("state")[-1].get("zoneSets", [])


def enabled(scene: Scene) -> list[str]:
    return [one["zoneSetId"] for one in stored(scene) if one["zoneSetStatus"] == "ENABLED"]


def grants(scene: Scene | Scribe) -> list[str]:
    found: list[str] = []
    scribe = scene.scribe if isinstance(scene, Scene) else scene
    for message in scribe.of("responses"):
        found += [response["grantType"] for response in message["responses"]]
    return found
