"""Judges of a simulation: they watch the bodies, and know nothing of what anybody believes."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from fleet.mission import Action, ActionKind
from fleet.vehicle import VehicleId
from routing.site import DoorId, Edge, NodeId
from routing.windows import DAY_S
from sim.judges.collisions import Collisions
from sim.judges.sky import Sky
from sim.judges.standstill import Standstill
from sim.judges.watch_monitor import WatchMonitor
from sim.world.bodies import GroundBody, load_id
from sim.world.world import Observer, World


class Hygiene(Observer):
    """Nobody carries dirt into a cleaner zone."""

    def __init__(self, world: World) -> None:
        self._world = world

    def departed(self, body: GroundBody, edge: Edge) -> None:
        """Where it goes must be as dirty as what it carries, or dirtier."""
        zone = self._world.site.nodes[edge.end].zone
        if zone < body.exposure:
            carries = body.exposure.name.lower()
            self._world.violate(
                "zone", f"{body.id} carries {carries} from {edge.start} into {edge.end}"
            )


class AirLocks(Observer):
    """Never are two doors of one air lock off their frames at once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock_of = {
            door: lock for lock in world.site.air_locks.values() for door in lock.doors
        }
        self._ajar: dict[DoorId, None] = {}

    def door_moved(self, door: DoorId, *, shut: bool) -> None:
        """One that is not shut must be the only one."""
        lock = self._lock_of.get(door)
        if lock is None:
            return
        if shut:
            self._ajar.pop(door, None)
            return
        other = next((one for one in lock.doors if one != door and one in self._ajar), None)
        if other is not None and door not in self._ajar:
            self._world.violate("air_lock", f"{door} of {lock.id} moves while {other} is not shut")
        self._ajar[door] = None


class Windows(Observer):
    """Nobody sets out along a lane that is shut to what it carries at this hour."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._goods: dict[str, str] = {}

    def acted(self, body: GroundBody, action: Action) -> None:  # noqa: ARG002
        """What is loaded has a class."""
        if action.kind is ActionKind.LOAD:
            self._goods[load_id(action)] = str(action.facts.get("load_type"))

    def departed(self, body: GroundBody, edge: Edge) -> None:
        """All that is on board must be among what may pass now."""
        windows = self._world.site.windows.get(edge.lane.id, ())
        if not windows:
            return
        second = self._world.hindrances.clock_s() % DAY_S
        goods = frozenset(self._goods.get(load, "") for load in body.loads)
        for window in windows:
            if (second - window.from_s) % DAY_S < window.lasts_s and not window.admits(goods):
                carries = ", ".join(sorted(goods)) or "nothing"
                self._world.violate(
                    "window", f"{body.id} with {carries} enters {edge.lane.id}: {window}"
                )


@dataclass(slots=True)
class _Load:
    origin: NodeId | None = None
    goal: NodeId | None = None
    holder: GroundBody | None = None


class Cargo(Observer):
    """Every load is picked up once, stays on board, and ends where it was asked to be."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._loads: dict[str, _Load] = {}
        self._aboard: dict[VehicleId, dict[str, None]] = {}

    def asked(self, load: str, origin: NodeId, goal: NodeId) -> None:
        """Somebody wants ``load`` brought from one node to another (or, in the end, back)."""
        known = self._loads.setdefault(load, _Load())
        known.origin, known.goal = origin, goal

    def acted(self, body: GroundBody, action: Action) -> None:
        """A load may have come on board, or left."""
        if action.kind is ActionKind.LOAD:
            self._loaded(body, load_id(action))
        elif action.kind is ActionKind.UNLOAD:
            self._unloaded(body, load_id(action))
        self._look(body)

    def close(self, excused: Collection[str] = ()) -> None:
        """The run is over: nothing may be on board but the loads of tasks still under way."""
        for body in self._world.ground.values():
            self._look(body)
            for load in body.loads:
                if load not in excused:
                    self._world.violate("cargo", f"{load} is left on board of {body.id}")

    def _loaded(self, body: GroundBody, name: str) -> None:
        load = self._loads.setdefault(name, _Load())
        if load.holder is not None:
            self._world.violate("cargo", f"{body.id} loads {name}, which {load.holder.id} carries")
        if load.origin not in (None, body.node):
            self._world.violate(
                "cargo", f"{body.id} loads {name} at {body.node}, not at {load.origin}"
            )
        load.holder = body
        self._aboard.setdefault(body.id, {})[name] = None

    def _unloaded(self, body: GroundBody, name: str) -> None:
        load = self._loads.setdefault(name, _Load())
        if load.holder is not body:
            self._world.violate("cargo", f"{body.id} unloads {name}, which it does not carry")
        if load.goal is not None and body.node not in (load.goal, load.origin):
            self._world.violate(
                "cargo", f"{body.id} leaves {name} at {body.node}, not at {load.goal}"
            )
        load.holder = None
        self._aboard.get(body.id, {}).pop(name, None)

    def _look(self, body: GroundBody) -> None:
        aboard = self._aboard.get(body.id, {})
        for name in [name for name in aboard if name not in body.loads]:
            self._world.violate("cargo", f"{name} has vanished from {body.id}")
            self._loads[name].holder = None
            del aboard[name]


class Monitors:
    """All judges of one world; create them when its bodies are in place."""

    def __init__(self, world: World) -> None:
        self.cargo = Cargo(world)
        self._world = world
        self._standstill = Standstill(world)
        self._sky = Sky(world)
        self.watches = WatchMonitor(world)
        for judge in (
            Collisions(world),
            Hygiene(world),
            AirLocks(world),
            Windows(world),
            self.cargo,
            self.watches,
        ):
            world.observe(judge)

    async def run(self) -> None:
        """Watch what needs a look now and then; runs until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._standstill.run(), name="monitor[standstill]")
            group.create_task(self._sky.run(), name="monitor[sky]")
            group.create_task(self.watches.run(), name="monitor[watches]")

    def close(self, excused_loads: Collection[str] = ()) -> None:
        """Judge the end of the run.

        Args:
            excused_loads: loads of tasks that were still under way.
        """
        self.cargo.close(excused_loads)
