import asyncio
import csv
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dispatcher.domain.task import Delivery, Goods, Leg, Patrol, Priority, Task, TaskId, TaskState
from dispatcher.records.alerts import Alert, Severity
from fleet.clock import Clock
from fleet.energy import EnergySpec
from fleet.facility import LiftWait
from fleet.vehicle import Medium, Position, VehicleId, VehicleSpec
from routing.geometry import Point
from routing.site import AirspaceId, LevelId, LiftId, Name, NodeId, PlaceId, Site
from routing.sites import site_yaml
from sim.judges.expect import ExpectResult
from sim.judges.outcome import summary_of_tasks, summary_of_vehicles
from sim.judges.recorder import Recorder
from sim.report.report import write_report
from sim.report.result import RunResult
from sim.world.signal import Signal
from sim.world.world import World
from tests.folders import SMALL_SITES

AIR = """
air:
  fence:
    name: {en: Fence, zh: 围栏}
    kind: geofence
    outline: [[-50, -50], [150, -50], [150, 90], [-50, 90]]
  school:
    name: {en: School, zh: 学校}
    kind: no_fly
    outline: [[100, 0], [120, 0], [120, 20], [100, 20]]
"""
CART = VehicleSpec(
    id=VehicleId("C1"),
    name="C1",
    medium=Medium.GROUND,
    kind="cart",
    make="test",
    home=PlaceId("park-1"),
    speed_m_s=1.0,
    acceleration_m_s2=1.0,
    width_m=0.6,
    length_m=0.8,
    payload_g=50_000,
    payload_ml=100_000,
    load_types=frozenset({"food"}),
    skills=frozenset({"carry"}),
    energy=EnergySpec(capacity_wh=500.0, idle_w=10.0, move_w=100.0),
)
DRONE = replace(
    CART, id=VehicleId("D1"), name="Seagull $1 海鸥", medium=Medium.AIR, kind="multirotor"
)


class Drone:
    """Flies east at 10 m/s for the second minute of its life."""

    def __init__(self) -> None:
        self.id, self.spec = DRONE.id, DRONE
        self.changed = Signal()
        self.airborne = False
        self._since_s = 0.0

    def position(self) -> Position:
        flown_s = asyncio.get_running_loop().time() - self._since_s if self.airborne else 60.0
        x_m = 10.0 * min(60.0, flown_s) if self._since_s else 0.0
        return Position(level=LevelId("L1"), point=Point(x_m, 0.0), height_agl_m=50.0)

    def charge_ratio(self) -> float:
        return 0.8

    async def fly(self) -> None:
        await asyncio.sleep(60.0)
        self._since_s, self.airborne = 60.0, True
        self.changed.fire()
        await asyncio.sleep(60.0)
        self.airborne = False
        self.changed.fire()


def delivery(number: int, state: TaskState, *, ended_s: float | None = None) -> Task:
    spec = Delivery(
        item="Meals <12> & soup",
        goods=Goods.FOOD,
        origin=PlaceId("pharmacy"),
        drop_offs=(PlaceId("ward"),),
        mass_g=1000,
    )
    return Task(
        id=TaskId(f"T-{number:06d}"),
        spec=spec,
        priority=Priority.ROUTINE,
        state=state,
        created_s=number * 200.0,
        earliest_s=0.0,
        due_s=number * 200.0 + 400.0,
        vehicle=CART.id,
        ended_s=ended_s,
    )


@pytest.fixture
def site() -> Site:
    text = (SMALL_SITES / "two_levels.yaml").read_text(encoding="utf-8")
    return site_yaml.loads(text + AIR, "two levels")


@pytest.fixture
async def result(site: Site) -> RunResult:
    """Half an hour in which a cart drove to and fro and a drone flew once."""
    world, drone = World(site, seed=1), Drone()
    body = world.add_ground(CART, NodeId("park-1"))
    world.add_aircraft(drone)
    recorder = Recorder(world, lambda: {CART.id: "working"})
    lives = [asyncio.create_task(recorder.run()), asyncio.create_task(drone.fly())]
    out, back = (site.edge(NodeId(a), NodeId(b)) for a, b in (("park-1", "a1"), ("a1", "park-1")))
    for _ in range(10):
        await body.drive(out, onward=False)
        await body.drive(back, onward=False)
    await asyncio.sleep(1800.0 - asyncio.get_running_loop().time())
    lives[0].cancel()
    await asyncio.gather(*lives, return_exceptions=True)
    for ready_s, ride in ((12.0, False), (30.0, False), (44.0, True)):
        recorder.waited(
            LiftWait(
                lift=LiftId("lift-1"),
                session="C1",
                level=LevelId("L1"),
                asked_s=0.0,
                ready_s=ready_s,
                ride=ride,
            )
        )
    look = Patrol(area=AirspaceId("school"), points=())
    tasks = (
        delivery(1, TaskState.DONE, ended_s=500.0),
        delivery(2, TaskState.DONE, ended_s=1500.0),
        delivery(3, TaskState.FAILED, ended_s=900.0),
        replace(delivery(4, TaskState.DONE, ended_s=900.0), spec=look, vehicle=DRONE.id),
    )
    summary = {
        "scenario": "test-day",
        "seed": 7,
        "wall_s": 2.0,
        "journal_sha256": "ab" * 32,
        **summary_of_tasks(tasks, 1800.0),
        **summary_of_vehicles((CART, DRONE), recorder.samples),
        "violations": {"collision": 1, "energy": 0},
        "wire": {"vda5050": 1234, "mavlink": 56},
        "planner": {"solves": 9},
    }
    return RunResult(
        summary=summary,
        site=site,
        clock=Clock(datetime(2026, 2, 3, tzinfo=UTC), 0.0),
        start_s=0.0,
        end_s=1800.0,
        tasks=tasks,
        vehicles=(CART, DRONE),
        samples=recorder.samples,
        alerts=(
            Alert(
                id="A-00001",
                code="lift_silent",
                severity=Severity.HIGH,
                facts={"lift": "lift-1"},
                vehicle=None,
                task=None,
                since_s=60.0,
            ),
        ),
        incidents=((61.0, "collision", "C1 meets C2: node a1"),),
        expect=(ExpectResult("done_ratio", ">= 0.97", "0.75", False),),
    )


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


async def test_the_recorder_tells_what_happened(result: RunResult) -> None:
    samples = result.samples
    assert list(samples.times_s) == [60.0 * number for number in range(1, 31)]
    assert samples.distance_m[CART.id] == pytest.approx(100.0)
    assert samples.distance_m[DRONE.id] == pytest.approx(600.0)
    assert samples.node_visits[NodeId("a1")] == 10
    assert samples.activity[CART.id][0] == "working"
    assert samples.activity[DRONE.id][0] == "idle"
    assert [spot.at_s for spot in samples.track] == [60.0 + 5 * number for number in range(13)]


async def test_the_page_needs_nothing_else(result: RunResult, tmp_path: Path) -> None:
    page = write_report(tmp_path / "new" / "report", result).read_text(encoding="utf-8")
    assert not re.search(r"<(script|link|img|iframe)\b", page)
    assert not re.search(r"(?:src|href)=[\"'](?!#)", page)
    assert not re.search(r"url\((?!#)", page)
    assert "@import" not in page


async def test_the_page_says_what_counts(result: RunResult, tmp_path: Path) -> None:
    page = write_report(tmp_path, result).read_text(encoding="utf-8")
    for words in (
        "Two levels  两层",
        "test-day",
        "Tuesday, 03 February 2026",
        "seed 7",
        "ab" * 32,
        "of 4 tasks done",
        "C1 meets C2: node a1",
        "lift silent",
        "broken",
        "half within 12 s,  95 % within 30 s  (2 calls)",
        "Seagull $1 海鸥",
    ):
        assert words in page, words


async def test_names_cannot_break_the_page(result: RunResult, tmp_path: Path) -> None:
    name = Name(en="<script>alert(1)</script>", zh="<b>")
    hostile = replace(result, site=replace(result.site, name=name))
    page = write_report(tmp_path, hostile).read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page


async def test_one_run_gives_one_report(result: RunResult, tmp_path: Path) -> None:
    first, second = (write_report(tmp_path / name, result).read_bytes() for name in ("a", "b"))
    assert first == second


async def test_the_tables_hold_the_figures(result: RunResult, tmp_path: Path) -> None:
    write_report(tmp_path, result)
    task = rows(tmp_path, "tasks")[1]
    assert (task["id"], task["state"], task["late"]) == ("T-000002", "done", "1")
    assert task["title"] == "Meals <12> & soup"
    assert task["ended"] == "2026-02-03T00:25:00+00:00"
    assert task["latency_s"] == "1100.0"
    cart = rows(tmp_path, "vehicles")[0]
    assert (cart["tasks_done"], cart["distance_m"], cart["working_share"]) == ("2", "100", "1.000")
    assert len(rows(tmp_path, "energy")) == 2 * 30
    spot = rows(tmp_path, "drone_tracks")[1]
    assert (spot["x_m"], spot["height_agl_m"]) == ("50.00", "50.00")
    visits = {row["lane"]: row["visits"] for row in rows(tmp_path, "corridor_visits")}
    assert visits["park-1~a1"] == "20"
    assert [row["waited_s"] for row in rows(tmp_path, "lift_waits")] == ["12.0", "30.0", "44.0"]
    assert rows(tmp_path, "alerts")[0]["facts"] == '{"lift": "lift-1"}'
    assert rows(tmp_path, "violations")[0]["kind"] == "collision"
    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert summary["tasks"]["delivery"]["late"] == 1


async def test_the_journal_comes_along(result: RunResult, tmp_path: Path) -> None:
    journal = tmp_path / "elsewhere.jsonl"
    journal.write_text('{"seq": 1}\n', encoding="utf-8")
    write_report(tmp_path / "report", replace(result, journal=journal))
    assert (tmp_path / "report" / "journal.jsonl").read_text(encoding="utf-8") == '{"seq": 1}\n'


async def test_a_run_in_which_nothing_happened_has_a_report_too(site: Site, tmp_path: Path) -> None:
    empty = RunResult(
        summary={},
        site=site,
        clock=Clock(datetime(2026, 2, 3, tzinfo=UTC), 0.0),
        start_s=0.0,
        end_s=0.0,
        tasks=(),
        vehicles=(),
        samples=Recorder(World(site, seed=1), dict).samples,
    )
    assert "of 0 tasks done" in write_report(tmp_path, empty).read_text(encoding="utf-8")


async def test_a_delivery_of_two_legs_is_one_with_its_legs_beneath(
    result: RunResult, tmp_path: Path
) -> None:
    pad = PlaceId("pad")
    first = delivery(5, TaskState.DONE, ended_s=400.0)
    second = replace(
        delivery(6, TaskState.DONE, ended_s=800.0),
        vehicle=DRONE.id,
        leg=Leg(number=2, other=first.id, via=pad),
    )
    first = replace(first, leg=Leg(number=1, other=second.id, via=pad))
    told = replace(result, tasks=(*result.tasks, first, second))
    page = write_report(tmp_path, told).read_text(encoding="utf-8")
    assert "of 5 tasks done" in page
    assert page.index("Deliveries in two legs") < page.index("leg 1") < page.index("leg 2")
    *_, whole = rows(tmp_path, "tasks")
    assert (whole["id"], whole["vehicle"]) == ("T-000006", "C1 D1")
    assert whole["legs"] == "T-000005 T-000006"
    legs = rows(tmp_path, "legs")
    assert [(leg["delivery"], leg["leg"], leg["id"], leg["vehicle"]) for leg in legs] == [
        ("T-000006", "1", "T-000005", "C1"),
        ("T-000006", "2", "T-000006", "D1"),
    ]
    vehicles = rows(tmp_path, "vehicles")
    done = {row["id"]: (row["tasks_done"], row["legs_done"]) for row in vehicles}
    assert done == {"C1": ("2", "1"), "D1": ("2", "1")}, "a task is whose hand-over ended it"
