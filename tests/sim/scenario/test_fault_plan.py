"""Random faults: as many as asked for, and everybody has luck of his own."""

from collections import Counter
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.vehicle import VehicleId
from routing.site import Edge, Lane, LaneId, NodeId
from sim.moments import DAY_S
from sim.scenario.fault_checks import crowd_streams
from sim.scenario.fault_plan import FaultSource, PlannedFault, planned_faults, stream
from sim.scenario.fault_rows import CrowdRow, FaultRow
from sim.world.hindrances import Crowd, Hindrances

NAMES = st.lists(st.sampled_from(["C1", "C2", "C3", "M1", "U1"]), unique=True, min_size=1)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "per_day": st.sampled_from([0.5, 2.0, 9.0]),
            "fault": st.sampled_from(["stop", "silent", "reboot"]),
            "for": st.sampled_from(["5min", "5min to 30min", "20s to 1h"]),
        }
    ),
    max_size=4,
)


def plan(
    rows: list[dict[str, object]], ids: list[str], *, days: float = 5.0, seed: int = 1
) -> list[PlannedFault]:
    read = [FaultRow.model_validate({"vehicle": ids, **row}) for row in rows]
    sources = [FaultSource(row=row, ids=tuple(ids), stream=stream(row)) for row in read]
    return planned_faults(sources, midnight_s=8 * 3600.0, duration_s=days * DAY_S, seed=seed)


@given(ROWS, NAMES)
def test_another_vehicle_changes_nobodys_luck(
    rows: list[dict[str, object]], ids: list[str]
) -> None:
    before = plan(rows, ids)
    assert before == [fault for fault in plan(rows, ["X9", *ids]) if fault.id != "X9"]


@given(ROWS, ROWS, NAMES)
def test_another_row_changes_no_other_rows_luck(
    rows: list[dict[str, object]], more: list[dict[str, object]], ids: list[str]
) -> None:
    together = Counter(plan([*more, *rows], ids))
    assert Counter(plan(rows, ids)) <= together
    assert Counter(plan(more, ids)) <= together


@given(ROWS, NAMES, st.floats(0.1, 4.9))
def test_a_longer_run_begins_with_the_shorter_ones_faults(
    rows: list[dict[str, object]], ids: list[str], days: float
) -> None:
    short = plan(rows, ids, days=days)
    assert plan(rows, ids)[: len(short)] == short


@given(ROWS, NAMES)
def test_every_fault_lasts_as_its_row_says_and_begins_in_the_run(
    rows: list[dict[str, object]], ids: list[str]
) -> None:
    for fault in plan(rows, ids):
        assert 0 <= fault.at_s < 5 * DAY_S
        assert fault.lasts_s is not None
        assert 20 <= fault.lasts_s <= 3600


def test_so_many_as_asked_for_and_spread_evenly() -> None:
    row: dict[str, object] = {"per_day": 4, "fault": "stop", "for": "5min to 30min"}
    found = plan([row], ["C1", "C2"], days=200)
    assert len(found) == pytest.approx(4 * 200 * 2, rel=0.1)
    assert fmean(fault.lasts_s or 0 for fault in found) == pytest.approx(17.5 * 60, rel=0.05)
    assert fmean(fault.at_s for fault in found) == pytest.approx(100 * DAY_S, rel=0.05)


def test_two_seeds_are_two_days_and_two_vehicles_too() -> None:
    row: dict[str, object] = {"per_day": 4, "for": "5min"}
    moments = {
        tuple(fault.at_s for fault in plan([row], [id_], seed=seed))
        for id_ in ("C1", "C2")
        for seed in (1, 2)
    }
    assert len(moments) == 4


def test_a_named_row_keeps_its_moments_when_its_words_change() -> None:
    one, other = (
        plan([{"name": "bad wheels", "per_day": 4, "fault": fault, "for": lasts}], ["C1"])
        for fault, lasts in (("stop", "5min"), ("stuck_wheel", "1h"))
    )
    assert [fault.at_s for fault in one] == [fault.at_s for fault in other]


def test_nothing_breaks_outside_of_its_hours() -> None:
    row: dict[str, object] = {"per_day": 20, "for": "1min", "between": ["22:00", "06:00"]}
    found = plan([row], ["C1"], days=30)
    hours = {(fault.at_s + 8 * 3600.0) % DAY_S // 3600 for fault in found}
    assert hours == {22.0, 23.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0}


LANE = Lane(id=LaneId("a~b"), start=NodeId("a"), end=NodeId("b"), length_m=10.0)
EDGE = Edge(start=NodeId("a"), end=NodeId("b"), lane=LANE)


def crowd(**words: object) -> Crowd:
    row = CrowdRow.model_validate({"lanes": "any", "chance": 0.3, "delay": "8s", **words})
    (name,) = crowd_streams([row])
    return Crowd(
        lanes=frozenset({LANE.id}),
        chances=row.chance,
        between=row.between,
        mean_s=row.delay,
        stream=name,
    )


def waits(*crowds: Crowd, body: str = "C1", clock_s: float = 43_200.0) -> list[float]:
    hindrances = Hindrances(seed=1)
    hindrances.expect(crowds, lambda: clock_s)
    halts = [hindrances.people(VehicleId(body), EDGE) for _ in range(3000)]
    assert all(halt is None or 2.0 <= halt.at_m <= 8.0 for halt in halts)
    return [0.0 if halt is None or halt.lasts_s is None else halt.lasts_s for halt in halts]


def test_people_are_met_as_often_and_for_as_long_as_said() -> None:
    met = [wait for wait in waits(crowd()) if wait > 0]
    assert len(met) == pytest.approx(900, rel=0.1)
    assert fmean(met) == pytest.approx(8.0, rel=0.1)


def test_people_keep_their_hours() -> None:
    lunch = crowd(between=["11:30", "13:00"])
    assert any(waits(lunch))
    assert not any(waits(lunch, clock_s=14 * 3600.0))
    by_hour = crowd(chance=[0.0] * 12 + [1.0] + [0.0] * 11)
    assert all(waits(by_hour))
    assert not any(waits(by_hour, clock_s=13 * 3600.0))


def test_each_robot_meets_its_own_people_whatever_other_crowds_there_are() -> None:
    assert waits(crowd()) != waits(crowd(), body="C2")
    nobody = crowd(chance=0, delay="1min")
    assert waits(crowd()) == waits(nobody, crowd())
