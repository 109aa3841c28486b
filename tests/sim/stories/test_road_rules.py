"""Stories of rules of the road: they hold for who is under way, end by themselves, and last."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from dispatcher.desks.road_rules_in import RoadRuleIn
from dispatcher.domain.road_rules import RoadRule
from dispatcher.domain.task import TaskId, TaskState
from dispatcher.errors import Refused
from fleet.vehicle import VehicleId
from routing.site import Edge, LaneId
from sim.world.bodies import GroundBody
from sim.world.world import Observer
from tests.sim.hospital import Hospital, hospital, scenario_file
from tests.sim.process import place as process_of
from tests.sim.stories.test_detours import C1, C2, Tracks, ring_file

NORTH = ["west", "n1", "n2", "n3", "n4", "n5", "east"]


class Speeds(Observer):
    """How long each drive along a lane took."""

    def __init__(self) -> None:
        self.began: dict[VehicleId, float] = {}
        self.took_s: dict[LaneId, float] = {}

    def departed(self, body: GroundBody, edge: Edge) -> None:
        self.began[body.id] = asyncio.get_running_loop().time()

    def arrived(self, body: GroundBody, edge: Edge) -> None:
        self.took_s[edge.lane.id] = asyncio.get_running_loop().time() - self.began[body.id]


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    return ring_file(tmp_path)


async def order(place: Hospital, **asked: Any) -> RoadRule:
    return await place.service.road_desk.set(RoadRuleIn.model_validate(asked))


async def one_at_work(place: Hospital) -> tuple[Tracks, TaskId]:
    """C1 alone, with a box on board on its way to the ward."""
    tracks = Tracks()
    place.world.observe(tracks)
    await place.service.fleet_desk.set_in_service(C2, on=False)
    task = await place.deliver("kitchen", "ward")
    await place.until(lambda: "load" in tracks.nodes.get(C1, ()))
    return tracks, task


async def test_a_one_way_turns_who_is_under_way(ring: Path) -> None:
    async with hospital(ring) as place:
        tracks, task = await one_at_work(place)
        await order(place, kind="one_way", along=NORTH[::-1])
        await place.until_ended(task)
        assert place.task(task).state is TaskState.DONE
        loaded = tracks.nodes[C1].index("load")
        assert "s2" in tracks.nodes[C1][loaded:]
        assert "n5" not in tracks.nodes[C1][loaded : tracks.nodes[C1].index("unload")]
        await place.until(lambda: place.world.ground[C1].node == "bay-1")
        assert "n5" in tracks.nodes[C1]  # home by the north, which leads that way


async def test_a_corridor_closed_in_one_go_is_driven_around(ring: Path) -> None:
    async with hospital(ring) as place:
        tracks, task = await one_at_work(place)
        rule = await order(place, kind="closed", along=NORTH[2:6])
        assert place.open_codes() == {"roads_closed"}
        await place.until_ended(task)
        assert not {"n3", "n4"} & set(tracks.nodes[C1])
        with pytest.raises(Refused, match="lift the road rule"):
            await place.service.lane_desk.open_lane(rule.lanes[0])
        await place.service.road_desk.lift(rule.id)
        assert not place.open_codes()


async def test_another_who_is_nearer_under_a_rule_takes_what_cannot_wait(ring: Path) -> None:
    async with hospital(ring) as place:
        body = place.world.ground[C1]
        await place.service.fleet_desk.set_in_service(C2, on=False)
        task = await place.deliver("lodge", "kitchen", priority="stat")
        await place.until(lambda: body.edge is not None and body.edge.start == "bay-1")
        await place.service.fleet_desk.set_in_service(C2, on=True)
        await order(place, kind="closed", along=["n1", "n2"])
        await place.until_ended(task, at_most_s=600)
        assert place.task(task).vehicle == C2


async def test_a_speed_limit_holds_for_the_next_lanes_and_in_what_is_expected(ring: Path) -> None:
    async with hospital(ring) as place:
        speeds = Speeds()
        place.world.observe(speeds)
        _, task = await one_at_work(place)
        await asyncio.sleep(1)
        eta_s = place.task(task).eta_s
        await order(place, kind="speed_limit", level="L1", speed_m_s=0.25)
        await place.until_ended(task)
        assert (place.task(task).ended_s or 0.0) > (eta_s or 0.0) + 60
        length_m = place.service.site.lanes[LaneId("n3~n4")].length_m
        assert speeds.took_s[LaneId("n3~n4")] >= length_m / 0.25 - 0.01


async def test_a_plan_counts_with_a_limit(ring: Path) -> None:
    async with hospital(ring) as place:
        await place.service.fleet_desk.set_in_service(C2, on=False)
        await order(place, kind="speed_limit", level="L1", speed_m_s=0.25)
        task = await place.deliver("kitchen", "ward")
        await asyncio.sleep(1)
        eta_s = place.task(task).eta_s
        await place.until_ended(task)
        assert place.task(task).ended_s == pytest.approx(eta_s, abs=30)


async def test_a_rule_ends_by_itself(ring: Path) -> None:
    async with hospital(ring) as place:
        clock = place.service.clock
        until = clock.to_utc(clock.now_s() + 90.5)
        await order(place, kind="closed", along=NORTH, until=until)
        await asyncio.sleep(90)
        assert place.service.road_rules()
        await asyncio.sleep(1)
        assert not place.service.road_rules()
        assert not place.open_codes()
        tracks = Tracks()
        place.world.observe(tracks)
        await place.service.fleet_desk.set_in_service(C2, on=False)
        await place.until_ended(await place.deliver("kitchen", "ward"))
        assert "n3" in tracks.nodes[C1]


async def test_a_one_way_that_cuts_off_a_place_is_refused(ring: Path) -> None:
    async with hospital(ring) as place:
        with pytest.raises(Refused, match=r"cuts_off \(value=ward.*there and back"):
            await order(place, kind="one_way", lanes=["ward~east"], direction="forward")
        await order(place, kind="one_way", along=NORTH)
        with pytest.raises(Refused, match="cuts_off"):
            await order(place, kind="one_way", along=["west", "s1"])
        with pytest.raises(Refused, match=r"against_rule.*lift R-00001 first"):
            await order(place, kind="one_way", along=NORTH[::-1])
        again = await order(place, kind="one_way", along=NORTH)
        assert [rule.id for rule in place.service.road_rules()] == [again.id]


async def test_who_has_no_way_on_turns_back_and_goes_on_when_the_rule_ends(ring: Path) -> None:
    async with hospital(ring) as place:
        tracks, task = await one_at_work(place)
        clock = place.service.clock
        until = clock.to_utc(clock.now_s() + 600)
        await order(place, kind="closed", lanes=["ward~east"], until=until)
        await place.until(lambda: place.world.ground[C1].node == "bay-1")
        await place.until_ended(task, at_most_s=900)
        assert place.task(task).state is TaskState.DONE
        assert tracks.nodes[C1].count("load") == tracks.nodes[C1].count("unload") == 1


async def test_rules_hold_over_a_restart_and_end_there(tmp_path: Path) -> None:
    path = scenario_file(tmp_path, homes=("park-1",))
    async with process_of(path, tmp_path / "story.sqlite") as here:
        clock = here.service.clock
        until = clock.to_utc(clock.now_s() + 600)
        slow = {"kind": "speed_limit", "lanes": ["a1~a2", "a2~a3"], "speed_m_s": 0.3}
        asked = RoadRuleIn.model_validate({**slow, "until": until})
        shut = RoadRuleIn.model_validate({"kind": "closed", "lanes": "a3~a4"})
        rule = await here.service.road_desk.set(asked)
        lifted = await here.service.road_desk.set(shut)
        await here.service.road_desk.lift(lifted.id)
        task = await here.submit(kind="patrol", points=["ward"], rounds=1)
        await asyncio.sleep(20)
        await here.restart()
        assert [r.id for r in here.service.road_rules()] == [rule.id]
        third = await here.service.road_desk.set(shut)
        assert third.id == "R-00003"
        await here.service.road_desk.lift(third.id)
        assert (await here.until_all_ended())[task] is TaskState.DONE
        await asyncio.sleep(700)
        assert not here.service.road_rules()


async def test_a_rule_begins_and_ends_by_itself_also_after_a_restart(tmp_path: Path) -> None:
    path = scenario_file(tmp_path, homes=("park-1",))
    async with process_of(path, tmp_path / "story.sqlite") as here:
        clock = here.service.clock
        now_s = clock.now_s()
        times = {"from": clock.to_utc(now_s + 300), "until": clock.to_utc(now_s + 900)}
        asked = RoadRuleIn.model_validate({"kind": "closed", "lanes": "a2~a3", **times})
        lane = LaneId("a2~a3")

        def shut() -> tuple[bool, bool]:
            desk = here.service.road_desk
            told = any(alert.code == "roads_closed" for alert in here.service.alerts())
            return desk.closing(lane) is not None, told

        rule = await here.service.road_desk.set(asked)
        assert await here.service.road_desk.set(asked) == rule
        await asyncio.sleep(200)
        assert shut() == (False, False)
        await here.restart()
        assert here.service.road_rules() == [rule]
        assert shut() == (False, False)
        await asyncio.sleep(101)
        assert shut() == (True, True)
        await here.restart()
        assert shut()[0]
        await asyncio.sleep(600)
        assert not here.service.road_rules()
        assert not shut()[0]


async def test_until_a_rule_begins_all_drive_as_before(ring: Path) -> None:
    async with hospital(ring) as place:
        clock = place.service.clock
        tracks, task = await one_at_work(place)
        begins = clock.to_utc(clock.now_s() + 60)
        rule = await order(place, kind="closed", along=NORTH[2:6], **{"from": begins})
        assert not place.open_codes()
        await place.until_ended(task)
        assert "n3" in tracks.nodes[C1]
        await place.until(lambda: place.world.ground[C1].node == "bay-1")
        assert place.open_codes() == {"roads_closed"}
        loaded = len(tracks.nodes[C1])
        await place.until_ended(await place.deliver("kitchen", "ward"))
        assert "n3" not in tracks.nodes[C1][loaded:]
        await place.service.road_desk.lift(rule.id)
        later = clock.to_utc(clock.now_s() + 60)
        again = await order(place, kind="closed", along=NORTH[2:6], **{"from": later})
        await place.service.road_desk.lift(again.id)
        await asyncio.sleep(120)
        assert not place.open_codes()
