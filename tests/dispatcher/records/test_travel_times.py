"""Driving times are learnt from what was driven, and plans count with them."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dispatcher.domain.task import TaskState
from dispatcher.records.executors import InlineExecutor
from dispatcher.records.store import Store
from dispatcher.records.travel_times import KEPT, LONGEST_WAIT_S, PRIOR, Pace, TravelTimes
from dispatcher.traffic.kinds import rules_of
from dispatcher.traffic.roadbook import RoadBook
from fleet.clock import Clock
from fleet.vehicle import VehicleId
from routing.errors import Unreachable
from routing.site import LaneId, NodeId, PlaceId
from routing.sites.site_yaml import load
from tests.dispatcher.ward import cart
from tests.sim.hospital import SITE, hospital, scenario_file
from tests.sim.process import place as process_place

CORRIDOR = load(SITE)
MORNING = datetime(2026, 2, 3, 8, 0, tzinfo=UTC)
C1 = VehicleId("C1")
A1, A2, B1, B2 = NodeId("a1"), NodeId("a2"), NodeId("b1"), NodeId("b2")
LANE, LANE_WORD = CORRIDOR.edge(A1, A2), "a1~a2"


def times() -> TravelTimes:
    return TravelTimes(CORRIDOR, Clock.starting(MORNING))


async def test_what_was_never_driven_takes_as_long_as_planned() -> None:
    assert times().ratios() == {}


async def test_few_samples_say_little_and_many_say_all() -> None:
    learnt = times()
    seen: list[float] = []
    for _ in range(200):
        learnt.learn(LANE, 10.0, 20.0)
        seen.append(learnt.ratios()[LANE_WORD])
    one = 1 / (1 + PRIOR)
    assert seen[0] == pytest.approx(1 + one + one * (1 - one))
    assert seen == sorted(seen)
    most = 1 / (1 - KEPT)
    away = PRIOR / (most + PRIOR)
    assert seen[-1] == pytest.approx(2 - away * away, abs=0.01)


async def test_the_newest_weigh_most() -> None:
    learnt = times()
    for took_s in (20.0, 10.0):
        for _ in range(100):
            learnt.learn(LANE, 10.0, took_s)
    assert 1.0 < learnt.ratios()[LANE_WORD] < 1.1


async def test_each_hour_is_known_for_itself_and_stands_in_for_others() -> None:
    learnt = times()
    for _ in range(50):
        learnt.learn(LANE, 10.0, 30.0)
    busy = learnt.ratios()[LANE_WORD]
    await asyncio.sleep(3600)
    assert 2.0 < learnt.ratios()[LANE_WORD] < busy
    for _ in range(50):
        learnt.learn(LANE, 10.0, 10.0)
    assert learnt.ratios()[LANE_WORD] < 1.3
    await asyncio.sleep(23 * 3600)
    assert learnt.ratios()[LANE_WORD] > 2.0


async def test_a_breakdown_is_no_traffic() -> None:
    learnt = times()
    learnt.learn(LANE, 10.0, 4 * 3600.0)
    (pace,) = learnt.take_changed()
    assert pace.measured_s == 10.0 + LONGEST_WAIT_S
    assert learnt.take_changed() == []


async def test_a_lift_is_one_road_from_all_sides() -> None:
    learnt = times()
    (lift,) = CORRIDOR.lifts
    into = [edge for cabin in CORRIDOR.lift_at for edge in CORRIDOR.edges_from[cabin]]
    rides = [edge for edge in into if edge.lane.lift]
    assert {learnt.road(edge) for edge in rides} == {f"lift {lift}"}
    assert {learnt.road(edge) for edge in into if not edge.lane.lift} == {
        edge.lane.id for edge in into if not edge.lane.lift
    }


async def test_what_was_learnt_is_in_the_store(tmp_path: Path) -> None:
    clock = Clock.starting(MORNING)
    store = await Store.open(f"sqlite:///{tmp_path / 'x.sqlite'}", clock, InlineExecutor())
    pace = Pace(road="a~b", hour=8, samples=1.0, planned_s=10.0, measured_s=12.5)
    await store.learn([pace, replace(pace, hour=9)])
    await store.learn([replace(pace, samples=2.0)])
    assert await store.paces() == [replace(pace, samples=2.0), replace(pace, hour=9)]
    await store.close()
    again = TravelTimes(CORRIDOR, clock)
    again.load([pace])
    assert again.ratios()["a~b"] > 1.0


async def test_plans_take_up_what_was_learnt_after_a_while() -> None:
    book, learnt = RoadBook(CORRIDOR), times()
    spec = cart().spec
    ward, laboratory = (CORRIDOR.places[PlaceId(p)].node for p in ("ward", "laboratory"))
    nominal = book.by(rules_of(spec)).times([ward, laboratory, None])
    book.driving.learn_from(learnt)
    assert book.driving.times(rules_of(spec), [ward, laboratory, None]) == nominal
    (lift,) = CORRIDOR.lifts
    ride = next(edge for edges in CORRIDOR.edges_from.values() for edge in edges if edge.lane.lift)
    for _ in range(100):
        learnt.learn(ride, 20.0, 80.0)
    await asyncio.sleep(3600)
    slower = book.driving.times(rules_of(spec), [ward, laboratory, None])
    assert slower[0][1] > nominal[0][1] + 20, lift
    assert slower[0][2] == nominal[0][2]
    assert book.driving.expected_s(spec, ward, laboratory) == slower[0][1]
    assert (
        book.driving.expected_s(spec, A1, A2)
        == nominal[0][0] + book.driving.times(rules_of(spec), [A1, A2])[0][1]
    )
    book.close(LaneId("a3~a4"), None)
    with pytest.raises(Unreachable):
        book.driving.expected_s(spec, ward, laboratory)


@pytest.mark.parametrize("learns", [False, True])
async def test_a_slow_robot_is_expected_later(tmp_path: Path, learns: bool) -> None:
    more = "" if learns else "planner: {learn_travel_times: false}\n"
    async with hospital(scenario_file(tmp_path, homes=("park-1",), more=more)) as here:
        here.world.ground[C1].slow = 0.4
        late_s: list[float] = []
        for _ in range(30):
            task = await here.deliver("laboratory", "ward")
            await here.until(lambda: here.task(task).stops_done == 1)  # noqa: B023
            await asyncio.sleep(1)
            expected_s = here.task(task).eta_s
            await here.until_ended(task)
            late_s.append((here.task(task).ended_s or 0.0) - (expected_s or 0.0))
        assert late_s[0] > 40
        assert (abs(late_s[-1]) < 20) is learns


async def test_what_was_learnt_survives_a_kill(tmp_path: Path) -> None:
    path = scenario_file(tmp_path, homes=("park-1",))
    async with process_place(path, tmp_path / "story.sqlite") as here:
        task = await here.submit(
            kind="delivery",
            item="meals",
            goods="food",
            mass_kg=5.0,
            **{"from": "laboratory"},
            to=["ward"],
        )
        await here.until(lambda: here.service.task(task).state is TaskState.DONE)
        await asyncio.sleep(400)
        learnt = await here.service.store.paces()
        assert {"a1~a2"} < {pace.road for pace in learnt}
        assert any(pace.road.startswith("lift ") for pace in learnt)
        await here.restart()
        assert await here.service.store.paces() == learnt
