"""A crowded hospital with the whole dispatcher in it: how much do its robots get done?

The building is the benchmark's hospital-C (see ``tests.sim.tall_hospital``): three floors, each a
corridor of 13 columns, half of it one lane wide, two wards at each column, four lifts. Each robot
has a bay of its own beside the corridor. There are always so many deliveries open, between
wards that no other open one names.

    python -m tests.sim.storms.crowd ROBOTS HOURS SEED [ROOM]

writes what came of it as JSON, without the first half hour. With ROOM, so many robots fit into the
cabin of each lift.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from dispatcher.desks.intake import parse
from dispatcher.domain.task import Task, TaskId, TaskState
from sim import loops
from sim.running.scenario import Simulation
from sim.scenario.config import Scenario, load_scenario
from tests.sim.tall_hospital import COLUMNS

FLOORS, LIFTS = (1, 2, 3), (0, 4, 8, 12)
STEP_M, PAIR_M, DOOR_M, HEIGHT_M = 10.0, 2.0, 6.0, 4.0
PLACE_M = 1.1
WARM_UP_S, LOOK_S = 1800.0, 30.0
HELPER = {
    "make": "Porter",
    "kind": "helper",
    "medium": "ground",
    "speed_m_s": 1.0,
    "acceleration_m_s2": 0.5,
    "width_m": 0.6,
    "length_m": 0.7,
    "payload_kg": 60,
    "payload_l": 200,
    "load_types": ["general"],
    "skills": ["carry"],
    "energy": {
        "capacity_wh": 12_000,
        "idle_w": 25,
        "move_w": 110,
        "charge_w": 900,
        "reserve_ratio": 0.1,
    },
    "link": {"vda5050": {"version": "2.1.0", "manufacturer": "Porter"}},
}


def scenario(robots: int, hours: float, room: int = 1) -> Scenario:
    """The building with so many robots, and nothing asked for; read from files like any other."""
    homes = [f"bay-{1 + n % len(FLOORS)}-{n // len(FLOORS)}" for n in range(robots)]
    data = {
        "scenario": "crowd",
        "site": "site.yaml",
        "duration": f"{hours:g}h",
        "models": {"helper": HELPER},
        "vehicles": [
            {"model": "helper", "ids": [f"H{n}" for n in range(robots)], "homes": homes},
        ],
    }
    with TemporaryDirectory() as folder:
        for name, content in {"site": _site(robots, room), "crowd": data}.items():
            Path(folder, f"{name}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        return load_scenario(Path(folder, "crowd.yaml"))


def _site(robots: int, room: int) -> dict[str, Any]:
    bays = -(-robots // len(FLOORS))
    inside = {"width_m": PLACE_M * room, "depth_m": 1.6, "robots": room}
    return {
        "site": "crowded-hospital",
        "name": "Crowded hospital",
        "anchor": {"lat_deg": 30.59, "lon_deg": 114.3},
        "levels": {f"L{floor}": _floor(floor, bays) for floor in FLOORS},
        "lifts": {
            f"lift-{n}": {
                "name": f"Lift {n}",
                "cabins": {f"L{floor}": [column * STEP_M + 1, -5.0] for floor in FLOORS},
                "joins": {f"L{floor}": [f"f{floor}lobby{n}"] for floor in FLOORS},
                "speed_m_s": 0.5,
                "door_s": 4.0,
                **({"room": inside} if room > 1 else {}),
            }
            for n, column in enumerate(LIFTS)
        },
    }


def _floor(floor: int, bays: int) -> dict[str, Any]:
    node = f"f{floor}c{{}}".format
    nodes = {
        node(n): [x * STEP_M, i * PAIR_M] for x, ns in enumerate(COLUMNS) for i, n in enumerate(ns)
    }
    lanes: list[Any] = [[node(n) for n in column] for column in COLUMNS if len(column) == 2]
    for west, east in pairwise(COLUMNS):
        if len(west) == len(east) == 1:
            lanes.append([node(west[0]), node(east[0])])
        else:
            lanes.append({"path": [node(west[0]), node(east[0])], "one_way": True})
            lanes.append({"path": [node(east[-1]), node(west[-1])], "one_way": True})
    places: dict[str, Any] = {}
    for x, column in enumerate(COLUMNS):
        north_m = DOOR_M + PAIR_M * (len(column) - 1)
        for side, n, y_m in (("s", column[0], -DOOR_M), ("n", column[-1], north_m)):
            name = f"ward-{floor}-{x}{side}"
            at = [x * STEP_M, y_m]
            places[name] = {"name": name, "kind": "ward", "at": at, "joins": [node(n)]}
    for bay in range(bays):
        row, x = divmod(bay, len(COLUMNS))
        name, n = f"bay-{floor}-{bay}", COLUMNS[x][0 if row else -1]
        at = [x * STEP_M + 4 + row, -DOOR_M if row else DOOR_M]
        place = {"name": name, "kind": "bay", "at": at, "joins": [node(n)]}
        places[name] = place | {"roles": ["parking", "charger"]}
    for number, column in enumerate(LIFTS):
        lobby = f"f{floor}lobby{number}"
        nodes[lobby] = [column * STEP_M + 1, -3.0]
        lanes.append([node(COLUMNS[column][0]), lobby])
    return {
        "name": f"Floor {floor}",
        "elevation_m": HEIGHT_M * (floor - 1),
        "nodes": nodes,
        "places": places,
        "lanes": lanes,
    }


@dataclass(slots=True, kw_only=True)
class Result:
    """What came of a run."""

    done: int = 0
    """Deliveries that ended well after the warm-up."""
    failed: int = 0
    took_s: list[float] = field(default_factory=list[float])
    """From each request to the end of its delivery."""
    oldest_open_s: float = 0.0
    longest_wait_s: float = 0.0
    """The longest that a robot stood without a right of way."""
    violations: int = 0


class Crowd:
    """Asks for a delivery whenever one has ended."""

    def __init__(
        self, simulation: Simulation, seed: int, *, open_at_once: int, kind: str = "ward"
    ) -> None:
        self.result = Result()
        self._simulation = simulation
        self.luck = Random(seed)
        self._open_at_once = open_at_once
        self.wards = [
            place.id
            for place in simulation.scenario.site.places.values()
            if place.kind == kind and not place.roles
        ]
        self._open: dict[TaskId, tuple[list[str], float]] = {}
        self._ended = asyncio.Event()

    async def run(self, until_s: float) -> None:
        """Let it happen."""
        simulation, result = self._simulation, self.result
        simulation.service.on_task(self._follow)
        async with simulation.living():
            helpers = [asyncio.create_task(self._ask()), asyncio.create_task(self._look())]
            await asyncio.sleep(until_s - simulation.elapsed_s)
            for helper in helpers:
                helper.cancel()
            await asyncio.wait(helpers)
            simulation.judge()
        result.violations = sum(simulation.stage.world.violations.values())
        result.oldest_open_s = max(until_s - asked_s for _, asked_s in self._open.values())

    def _follow(self, task: Task) -> None:
        if task.ended_s is None or task.id not in self._open:
            return
        _, asked_s = self._open.pop(task.id)
        now_s = self._simulation.elapsed_s
        self.result.failed += task.state is not TaskState.DONE
        if task.state is TaskState.DONE and now_s >= WARM_UP_S:
            self.result.done += 1
            self.result.took_s.append(now_s - asked_s)
        self._ended.set()

    async def _ask(self) -> None:
        while True:
            while len(self._open) < self._open_at_once:
                origin, to = self._choose()
                asked = {"kind": "delivery", "item": "box", "from": origin, "to": to, "mass_kg": 2}
                request = parse(asked)
                assert not isinstance(request, list), request
                task = await self._simulation.service.task_desk.submit(request)
                self._open[task.id] = [origin, to], self._simulation.elapsed_s
            self._ended.clear()
            await self._ended.wait()

    def _choose(self) -> tuple[str, str]:
        """Two wards that no other open delivery names."""
        named = {ward for wards, _ in self._open.values() for ward in wards}
        origin, to = self.luck.sample([w for w in self.wards if w not in named], 2)
        return origin, to

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            for view in self._simulation.service.vehicles():
                waited = view.waiting_for.facts.get("waited_s") if view.waiting_for else None
                if isinstance(waited, (int, float)):
                    self.result.longest_wait_s = max(self.result.longest_wait_s, waited)


async def crowd(robots: int, hours: float, seed: int, room: int = 1) -> Result:
    """A crowded hospital for so many hours, with a delivery open for nearly each robot."""
    simulation = Simulation(scenario(robots, hours, room), seed=seed)
    await simulation.open()
    people = Crowd(simulation, seed, open_at_once=min(robots, 38))
    try:
        await people.run(hours * 3600)
    finally:
        await simulation.close()
    return people.result


def _main(robots: int, hours: float, seed: int, room: int) -> None:
    begun_s = time.process_time()
    result = loops.run(crowd(robots, hours, seed, room))
    took_s = sorted(result.took_s)
    row = {
        "robots": robots,
        "hours": hours,
        "seed": seed,
        "room": room,
        "deliveries_per_h": round(result.done / (hours - WARM_UP_S / 3600), 1),
        "failed": result.failed,
        "took_p50_s": round(took_s[len(took_s) // 2]),
        "took_p99_s": round(took_s[int(0.99 * len(took_s))]),
        "oldest_open_s": round(result.oldest_open_s),
        "longest_wait_s": round(result.longest_wait_s),
        "violations": result.violations,
        "cpu_s": round(time.process_time() - begun_s, 1),
    }
    json.dump(row, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    _main(
        int(sys.argv[1]),
        float(sys.argv[2]),
        int(sys.argv[3]),
        int(sys.argv[4]) if len(sys.argv) > 4 else 1,
    )
