"""A small hospital for stories in virtual time: two levels, one lift, real robots on the wire.

The ground truth is asked of `world`; what the dispatcher believes, of `service`.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from dispatcher.desks.intake import parse
from dispatcher.domain.task import Task, TaskId
from fleet.mission import Action, ActionKind
from sim.running.scenario import Simulation
from sim.scenario.config import Scenario, load_scenario
from sim.world.bodies import GroundBody
from sim.world.world import Observer
from tests.folders import CONFIGS

SITE = CONFIGS / "sites" / "corridor.yaml"

CART = """\
  cart:
    make: Porter
    kind: cart
    speed_m_s: 1.2
    width_m: 0.7
    length_m: 1.0
    payload_kg: 60
    payload_l: 200
    load_types: [food, general, specimen, medicine, infectious_waste]
    skills: [carry, lock, camera, uv_c]
    energy: {capacity_wh: 400, idle_w: 15, move_w: 120, work_w: 60, charge_w: 800}
    link: {vda5050: {version: "2.1", manufacturer: Porter}}
"""
MULTIROTOR = """\
  drone:
    make: Lark
    kind: multirotor
    medium: air
    speed_m_s: 12
    acceleration_m_s2: 2
    width_m: 0.9
    length_m: 0.9
    payload_kg: 3
    payload_l: 10
    load_types: [general]
    skills: [carry, camera]
    energy: {capacity_wh: 300, idle_w: 8, move_w: 350, climb_w: 500, hover_w: 320, charge_w: 400}
    cruise_agl_m: 50
    link: {mavlink: {}}
"""
MODELS = f"\nmodels:\n{CART}{MULTIROTOR}"


class Deeds(Observer):
    """Counts what bodies did with each load."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.unloaded: list[tuple[str, str]] = []

    def acted(self, body: GroundBody, action: Action) -> None:
        """Note a load that came on board or left."""
        load = str(action.facts.get("load_id"))
        if action.kind is ActionKind.LOAD:
            self.loaded.append(load)
        elif action.kind is ActionKind.UNLOAD:
            self.unloaded.append((load, body.node))


class Hospital:
    """A running simulation with shorthands for people's deeds."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.service = simulation.service
        self.world = simulation.stage.world
        self.deeds = Deeds()
        self.world.observe(self.deeds)

    async def submit(self, **request: Any) -> TaskId:
        """Ask for a task, as the API would; the request must be right."""
        asked = parse(request)
        assert not isinstance(asked, list), asked
        return (await self.service.task_desk.submit(asked)).id

    async def deliver(self, origin: str, to: str, **more: Any) -> TaskId:
        """Ask for a delivery."""
        asked = {"item": "box", "goods": "food", "mass_kg": 5.0, **more}
        return await self.submit(kind="delivery", **{"from": origin}, to=[to], **asked)

    def task(self, task: TaskId) -> Task:
        """A task as it stands now."""
        return self.service.task(task)

    async def until(self, true: Callable[[], bool], at_most_s: float = 3600.0) -> None:
        """Let time pass until something is so; fails when it never is."""
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + at_most_s
        while not true():
            assert loop.time() < ends_s, f"not so after {at_most_s} s"
            await asyncio.sleep(1.0)

    async def until_ended(self, *tasks: TaskId, at_most_s: float = 3600.0) -> None:
        """Let time pass until these tasks have ended."""
        await self.until(lambda: all(self.task(t).state.ended for t in tasks), at_most_s)

    def open_codes(self) -> set[str]:
        """The codes of the alerts whose cause is still there."""
        return {alert.code for alert in self.service.alerts() if alert.cleared_s is None}

    def code_of(self, vehicle: str) -> str | None:
        """The reason why a vehicle waits."""
        view = next(v for v in self.service.vehicles() if v.spec.id == vehicle)
        return view.waiting_for.code if view.waiting_for else None


def scenario_file(
    folder: Path,
    *,
    homes: tuple[str, ...] = ("park-1", "park-2", "park-3"),
    more: str = "",
    site: Path = SITE,
) -> Path:
    """A scenario without demand on the corridor site: one cart for each home."""
    ids = ", ".join(f"C{number}" for number in range(1, len(homes) + 1))
    path = folder / "story.yaml"
    path.write_text(
        f"# a story\nscenario: story\nsite: {site}\nduration: 24h\n{MODELS}\nvehicles:\n"
        f"  - {{model: cart, ids: [{ids}], homes: [{', '.join(homes)}]}}\n{more}",
        encoding="utf-8",
    )
    return path


SEARCH = ("planner.stages=[ruin_recreate]", "planner.improve_iterations=10")
"""How stories look for better plans: full searches for their few tasks took most of the time."""


def story_of(path: Path, overrides: Sequence[str] = ()) -> Scenario:
    """The scenario of a story; one that does not speak of the planner gets a hasty one.

    All stages at their full length are tested on `routing`, and by runs of whole scenarios.
    """
    speaks = "planner:" in path.read_text(encoding="utf-8")
    return load_scenario(path, overrides=[*(() if speaks else SEARCH), *overrides])


def told_at_length(*values: object) -> list[Any]:
    """Parameters of a test that are ``long``: the same story once more, at another moment."""
    return [pytest.param(value, marks=pytest.mark.long) for value in values]


DRONE = "  - {model: drone, ids: [D1], homes: [dock-1], docks: [dock-1], system_ids: [1]}\n"


@asynccontextmanager
async def hospital(
    path: Path,
    *,
    seed: int = 0,
    overrides: Sequence[str] = (),
    forgiven: Collection[str] = (),
    **options: Any,
) -> AsyncGenerator[Hospital]:
    """A hospital that lives for as long as the block runs, and breaks no rule but ``forgiven``."""
    simulation = Simulation(story_of(path, overrides), seed=seed, **options)
    await simulation.open()
    running = asyncio.create_task(simulation.run(), name="story")
    try:
        await simulation.service.ready.wait()
        place = Hospital(simulation)
        yield place
        broken = {kind for kind, count in place.world.violations.items() if count}
        assert broken <= set(forgiven), list(place.world.incidents)
    finally:
        running.cancel()
        await asyncio.wait([running])
        await simulation.close()
        if not running.cancelled() and (error := running.exception()) is not None:
            pytest.fail(f"the simulation died: {error!r}")
