"""A simulated run, written down as it happens, and read again."""

import asyncio
import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from dispatcher.domain.task import Task, TaskId
from dispatcher.domain.views import VehicleView
from dispatcher.records.alerts import Alert
from dispatcher.records.feed import Change
from dispatcher.replay.folder import JOURNAL, read_run
from dispatcher.replay.history import History, read
from dispatcher.replay.recording import FILE
from fleet.vehicle import Position, VehicleId
from sim import loops
from sim.run import Wishes, run
from sim.running.scenario import Simulation
from sim.scenario.config import load_scenario
from tests.sim.hospital import DRONE, scenario_file
from tests.sim.test_determinism import DEMAND

LOOK_S = 47.0003
"""How often is looked; nothing else happens at such moments."""
BRAKING_M = 1.6
"""Between two words a robot is shown at an even pace, though it speeds up and brakes."""
FLYING_M = 8.0
"""A drone says where it is a few times a second, and is a little further by then."""


@dataclass
class Screen:
    """What a screen that was told everything knows, and where the bodies really are."""

    tasks: dict[TaskId, Task] = field(default_factory=dict[TaskId, Task])
    vehicles: dict[VehicleId, VehicleView] = field(default_factory=dict[VehicleId, VehicleView])
    alerts: dict[str, Alert] = field(default_factory=dict[str, Alert])
    bodies: dict[VehicleId, Position] = field(default_factory=dict[VehicleId, Position])

    def told(self, change: Change) -> None:
        if change.task is not None:
            self.tasks[change.task.id] = change.task
        if change.vehicle is not None:
            self.vehicles[change.vehicle.spec.id] = change.vehicle
        if change.alert is not None:
            self.alerts[change.alert.id] = change.alert

    def copy(self, bodies: Mapping[VehicleId, Position]) -> "Screen":
        return Screen(dict(self.tasks), dict(self.vehicles), dict(self.alerts), dict(bodies))


async def watched(simulation: Simulation) -> list[tuple[float, Screen]]:
    """Run, and note now and then what screens were told until then."""
    screen, seen = Screen(), list[tuple[float, Screen]]()

    async def look() -> None:
        await simulation.service.ready.wait()
        for view in simulation.service.vehicles():
            screen.told(Change(vehicle=view))
        while True:
            await asyncio.sleep(LOOK_S)
            world = simulation.stage.world
            alive = (*world.ground.values(), *world.aircraft.values())
            bodies = {body.id: body.position() for body in alive}
            seen.append((simulation.elapsed_s, screen.copy(bodies)))

    await simulation.open()
    simulation.service.on_change(screen.told)
    looking = asyncio.create_task(look(), name="look")
    try:
        await simulation.run()
    finally:
        looking.cancel()
        await asyncio.wait([looking])
        await simulation.close()
    return seen


def as_told(view: VehicleView) -> VehicleView:
    """What of a vehicle is in its row, to the precision of the row."""
    state = view.state
    ratio = None if state.charge_ratio is None else round(state.charge_ratio, 3)
    kept = replace(state, position=None, charge_ratio=ratio, heard_at_s=None)
    plain = {
        "driving": False,
        "airborne": False,
        "returning": False,
        "charging": False,
        "mission": None,
        "base": (),
        "powered_down": False,
        "wind": None,
    }
    kept = replace(kept, last_node=None, mode="unknown", safety_stop=False, **plain)
    route = tuple((w.level, round(w.point.x_m, 2), round(w.point.y_m, 2)) for w in view.route)
    return replace(view, state=kept, route=route)  # pyright: ignore[reportArgumentType]


def test_every_moment_of_a_run_is_shown_as_screens_were_told_it(tmp_path: Path) -> None:
    scenario = load_scenario(
        scenario_file(tmp_path, more=DRONE + DEMAND), overrides=["duration=1h"]
    )
    out = io.StringIO()

    async def live() -> list[tuple[float, Screen]]:
        return await watched(Simulation(scenario, seed=3, recording=out))

    seen = loops.run(live())
    history = read(out.getvalue().splitlines())
    assert (history.unread, history.cut) == (0, False)
    assert len(seen) > 70
    for at_s, screen in seen:
        _compare(history, at_s, screen)
    assert {task.state.value for task in seen[-1][1].tasks.values()} == {"done"}


def _compare(history: History, at_s: float, screen: Screen) -> None:
    scene = history.at(int(at_s * 1000))
    assert set(scene.tasks) == set(screen.tasks)
    for id_, task in screen.tasks.items():
        shown = scene.tasks[id_]
        assert (shown.state, shown.vehicle, shown.reason) == (task.state, task.vehicle, task.reason)
        assert (shown.spec, shown.stops_done) == (task.spec, task.stops_done)
        assert abs(shown.due_s - task.due_s) < 0.001
    assert {a.id: a.cleared_s is None for a in scene.alerts.values()} == {
        a.id: a.cleared_s is None for a in screen.alerts.values()
    }
    for id_, told in screen.vehicles.items():
        view = history.vehicle(scene, id_)
        assert view is not None
        assert as_told(view) == as_told(told)
        position, body = view.state.position, screen.bodies[id_]
        assert position is not None
        assert position.level == body.level or position.level in history.about.site.levels
        if position.level == body.level:
            off_m = position.point.distance_m(body.point)
            assert off_m <= (FLYING_M if body.height_agl_m else BRAKING_M), (id_, at_s)


@pytest.mark.long
def test_writing_it_down_changes_nothing_and_is_the_same_each_time(tmp_path: Path) -> None:
    scenario = load_scenario(
        scenario_file(tmp_path, more=DRONE + DEMAND), overrides=["duration=20min"]
    )
    folders = [tmp_path / "one", tmp_path / "two"]
    results = [
        run(scenario, Wishes(seed=3, journal=folder / JOURNAL, recording=folder / FILE))
        for folder in folders
    ]
    plain = run(scenario, Wishes(seed=3))
    hashes = {result.summary["journal_sha256"] for result in (*results, plain)}
    assert len(hashes) == 1
    assert len({(folder / FILE).read_text() for folder in folders}) == 1
    played = read_run(folders[0])
    assert played.warnings == ()
    assert played.history.end_ms == 1_200_000
    assert played.timelines
