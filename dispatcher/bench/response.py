"""A town's calls replayed: which drone goes, by several policies, and how soon it is there.

The rules are those of the cases: straight flights, a fixed time to recharge, patrols that drones
are diverted from. Where a patrol flies, no case says: here it visits places of past calls that
lie nearest to its own dock, in random order, and is back before its energy ends.
"""

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from dispatcher.bench.files import WrongUse
from routing.air.dock_sites import Placement, place_docks
from routing.air.response import Answer, Responder, Scene, choose
from routing.geometry import Point
from routing.refusal import Refusal

GOAL_S = 120.0
LOOK_S = 5.0
"""So long a patrol looks around at each spot."""
AIRBORNE_OVERHEAD_S = 40.0
POLICIES = ("nearest_ready", "nearest_any", "arrival_energy", "wardline")
_NUMBERS = (
    "launch_s",
    "speed",
    "usable_s",
    "on_scene_s",
    "on_scene_min_s",
    "recharge_s",
    "overhead_s",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One town: where docks may stand, what was called for, what a drone can do."""

    name: str
    sites: tuple[Point, ...]
    history: tuple[Point, ...]
    calls: tuple[tuple[float, Point], ...]
    launch_s: float
    speed: float
    usable_s: float
    on_scene_s: float
    on_scene_min_s: float
    recharge_s: float
    overhead_s: float

    @property
    def radius_m(self) -> float:
        """How far a drone from a dock gets within the goal."""
        return (GOAL_S - self.launch_s) * self.speed


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one policy made of one case; times in seconds from the call."""

    case: str
    docks: int
    drones_per_dock: int
    patrols: int
    policy: str
    within_120: float
    p50_s: float | None
    p90_s: float | None
    cannot_return: int
    unanswered: int
    placement_share: float
    placement_proven: bool
    placement_cpu_s: float
    choice_p99_ms: float


def read(path: Path) -> Case:
    """A case out of its file; WrongUse if it is none."""
    try:
        raw: Any = json.loads(path.read_text("utf-8"))
        if not isinstance(raw, dict) or cast("dict[str, Any]", raw).get("kind") != "response":
            raise WrongUse(f"{path}: this is no response case; its kind would be 'response'")
        data = cast("dict[str, Any]", raw)
        return Case(
            name=str(data["name"]),
            sites=tuple(Point(float(x), float(y)) for x, y in data["candidate_docks"]),
            history=tuple(Point(float(x), float(y)) for _, x, y in data["history"]),
            calls=tuple((float(s), Point(float(x), float(y))) for s, x, y in sorted(data["test"])),
            **{name: float(data[name]) for name in _NUMBERS},
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WrongUse(f"{path}: can't be read as a response case: {error!r}") from None


@dataclass(slots=True)
class Leg:
    """Where a drone is between two moments, in a straight line."""

    since_s: float
    until_s: float
    start: Point
    end: Point

    def at(self, now_s: float) -> Point:
        """Its place at a moment of this leg."""
        whole_s = self.until_s - self.since_s
        share = min(1.0, max(0.0, (now_s - self.since_s) / whole_s)) if whole_s > 0 else 1.0
        x = self.start.x_m + share * (self.end.x_m - self.start.x_m)
        return Point(x, self.start.y_m + share * (self.end.y_m - self.start.y_m))


class Drone:
    """One drone of the replay.

    ``legs`` is what it is at in the air, from ``up_s`` until ``down_s``; it is full again
    ``recharge_s`` later. ``bound_s``: until then it is on its way to a call, or there.
    """

    def __init__(self, case: Case, name: str, dock: Point, patrol: "Tour | None") -> None:
        self.case, self.name, self.dock, self._patrol = case, name, dock, patrol
        self.legs: list[Leg] = []
        self.up_s = self.down_s = self.bound_s = 0.0
        self.full_s = 0.0

    def look(self, now_s: float) -> None:
        """Begin the patrols that it would have begun by now."""
        while self._patrol is not None and self.full_s <= now_s:
            self.up_s = self.full_s
            self.legs = self._patrol.sortie(self.up_s)
            self.down_s = self.legs[-1].until_s
            self.full_s = self.down_s + self.case.recharge_s

    def airborne(self, now_s: float) -> bool:
        """Whether it flies."""
        return self.up_s <= now_s < self.down_s

    def place(self, now_s: float) -> Point:
        """Where it is."""
        if not self.airborne(now_s):
            return self.dock
        return next((leg.at(now_s) for leg in self.legs if now_s < leg.until_s), self.dock)

    def responder(self, now_s: float, *, returning: bool) -> Responder:
        """How it stands at a call; one on its way home may be sent again if ``returning``."""
        case, free = self.case, self._may_turn(now_s, returning=returning)
        return Responder(
            id=self.name,
            at=self.place(now_s) if free else self.dock,
            home=self.dock,
            speed_m_s=case.speed,
            launch_s=0.0 if free else case.launch_s,
            ready_s=0.0 if free else max(0.0, self.full_s - now_s),
            energy_j=case.usable_s - (now_s - self.up_s if free else 0.0),
            move_w=1.0,
            hover_w=1.0,
            land_j=AIRBORNE_OVERHEAD_S if free else case.overhead_s,
        )

    def _may_turn(self, now_s: float, *, returning: bool) -> bool:
        if not self.airborne(now_s) or now_s < self.bound_s:
            return False
        return returning or self.bound_s < self.up_s

    def send(self, answer: Answer, asked: Responder, scene: Point, now_s: float) -> None:
        """Go there, stay, come home."""
        case, leaves_s = self.case, now_s + answer.leaves_s
        there_s = now_s + answer.arrives_s
        back_s = there_s + max(0.0, answer.on_scene_s)
        home_s = back_s + scene.distance_m(self.dock) / case.speed
        if asked.launch_s:
            self.up_s = leaves_s
        self.legs = [
            Leg(leaves_s, there_s, asked.at, scene),
            Leg(there_s, back_s, scene, scene),
            Leg(back_s, home_s, scene, self.dock),
        ]
        self.down_s, self.bound_s = home_s, back_s
        self.full_s = home_s + case.recharge_s


class Tour:
    """Patrols from one dock over places of past calls."""

    def __init__(self, case: Case, dock: Point, spots: Sequence[Point], seed: str) -> None:
        self._case, self._dock, self._spots = case, dock, spots
        self._luck = random.Random(seed)

    def sortie(self, at_s: float) -> list[Leg]:
        """One flight that ends at home with the energy just used up."""
        case = self._case
        ends_s = at_s + case.usable_s - case.overhead_s
        points, here, now_s = [self._dock], self._dock, at_s + case.launch_s
        while True:
            goal = self._luck.choice(self._spots)
            there_s = now_s + here.distance_m(goal) / case.speed + LOOK_S
            if there_s + goal.distance_m(self._dock) / case.speed > ends_s:
                break
            points.append(goal)
            here, now_s = goal, there_s
        legs = [Leg(at_s, at_s + case.launch_s, self._dock, self._dock)]
        for a, b in pairwise([*points, self._dock]):
            since_s = legs[-1].until_s
            there_s = since_s + a.distance_m(b) / case.speed
            legs += [Leg(since_s, there_s, a, b), Leg(there_s, there_s + LOOK_S, b, b)]
        return legs[:-1]


def run(
    case: Case,
    *,
    docks: int,
    drones_per_dock: int,
    patrols: int,
    policies: Sequence[str] = POLICIES,
    seed: int = 0,
) -> Iterator[Row]:
    """A row for each policy, all from the same docks."""
    since_s = time.process_time()
    placed = place_docks(case.sites, case.history, docks=docks, radius_m=case.radius_m)
    placement_s = time.process_time() - since_s
    for policy in policies:
        fleet = _fleet(case, placed, drones_per_dock, patrols, seed)
        took: list[float] = []
        waits, cannot_return = _replay(case, fleet, policy, took)
        answered = sorted(wait_s for wait_s in waits if wait_s is not None)
        yield Row(
            case=case.name,
            docks=docks,
            drones_per_dock=drones_per_dock,
            patrols=patrols,
            policy=policy,
            within_120=round(sum(wait_s <= GOAL_S for wait_s in answered) / len(waits), 4),
            p50_s=_share_of(answered, 0.5, len(waits)),
            p90_s=_share_of(answered, 0.9, len(waits)),
            cannot_return=cannot_return,
            unanswered=len(waits) - len(answered),
            placement_share=round(placed.share, 4),
            placement_proven=placed.proven,
            placement_cpu_s=round(placement_s, 2),
            choice_p99_ms=round(1000 * sorted(took)[int(0.99 * (len(took) - 1))], 3),
        )


def _fleet(case: Case, placed: Placement, each: int, patrols: int, seed: int) -> list[Drone]:
    docks = [case.sites[number] for number in placed.sites]
    own: dict[Point, list[Point]] = {dock: [] for dock in docks}
    for call in case.history:
        own[min(docks, key=call.distance_m)].append(call)
    fleet: list[Drone] = []
    for number, dock in enumerate(docks):
        for index in range(each):
            tour = None
            if index == 0 and number < patrols:
                tour = Tour(case, dock, own[dock] or [dock], f"{seed}:{number}")
            fleet.append(Drone(case, f"{number}/{index}", dock, tour))
    return fleet


def _replay(
    case: Case, fleet: Sequence[Drone], policy: str, took: list[float]
) -> tuple[list[float | None], int]:
    """Seconds from each call to the arrival, and how many drones could not have got home."""
    by_name = {drone.name: drone for drone in fleet}
    waits: list[float | None] = []
    cannot_return = 0
    for now_s, place in case.calls:
        scene = Scene(at=place, on_scene_s=case.on_scene_s, least_s=case.on_scene_min_s)
        for drone in fleet:
            drone.look(now_s)
        asked = {
            drone.name: drone.responder(now_s, returning=policy == "wardline") for drone in fleet
        }
        since_s = time.perf_counter()
        best = _PICK[policy](scene, list(asked.values()))
        took.append(time.perf_counter() - since_s)
        waits.append(None if best is None else best.arrives_s)
        if best is not None:
            cannot_return += best.on_scene_s < case.on_scene_min_s - 1e-6
            by_name[best.id].send(best, asked[best.id], place, now_s)
    return waits, cannot_return


def _earliest(scene: Scene, drones: Sequence[Responder]) -> Answer | None:
    return choose(scene, drones).best


def _nearest(scene: Scene, drones: Sequence[Responder]) -> Answer | None:
    """The nearest that could leave now, whatever its battery says."""
    ready = [drone for drone in drones if drone.ready_s <= 0]
    if not ready:
        return None
    drone = min(ready, key=lambda one: one.at.distance_m(scene.at))
    there_s = drone.at.distance_m(scene.at) / drone.speed_m_s
    back_s = scene.at.distance_m(drone.home) / drone.speed_m_s
    left_s = drone.energy_j - drone.land_j - there_s - back_s
    arrives_s = drone.launch_s + there_s
    stays_s = min(scene.on_scene_s, left_s)
    return Answer(id=drone.id, leaves_s=0.0, arrives_s=arrives_s, on_scene_s=stays_s)


def _nearest_docked(scene: Scene, drones: Sequence[Responder]) -> Answer | None:
    best = _nearest(scene, [drone for drone in drones if drone.launch_s])
    return None if best is None or best.on_scene_s < scene.least_s else best


_PICK: dict[str, Callable[[Scene, Sequence[Responder]], Answer | None]] = {
    "nearest_ready": _nearest_docked,
    "nearest_any": _nearest,
    "arrival_energy": _earliest,
    "wardline": _earliest,
}


def _share_of(answered: Sequence[float], share: float, asked: int) -> float | None:
    """The wait that a share of all calls did not exceed; None if fewer were answered."""
    number = int(share * (asked - 1))
    return round(answered[number], 1) if number < len(answered) else None


def choice_ms(drones: int, calls: int, seed: int) -> float:
    """The 99th percentile of what one choice takes, in ms of processor time."""
    luck = random.Random(seed)

    def spot() -> Point:
        return Point(luck.uniform(0, 12_000), luck.uniform(0, 9_000))

    took: list[float] = []
    for _ in range(calls):
        fleet = [
            Responder(
                id=f"D{number}",
                at=spot(),
                home=spot(),
                speed_m_s=18.0,
                launch_s=luck.choice((0.0, 20.0)),
                energy_j=luck.uniform(0, 1800),
                full_j=1800.0,
                charge_w=luck.choice((0.0, 1.2)),
                move_w=1.0,
                hover_w=1.0,
                land_j=60.0,
                why_not=Refusal("carries_goods") if luck.random() < 0.1 else None,
            )
            for number in range(drones)
        ]
        scene = Scene(at=spot(), on_scene_s=600.0, least_s=300.0)
        since_s = time.process_time()
        choose(scene, fleet)
        took.append(1000 * (time.process_time() - since_s))
    return round(sorted(took)[int(0.99 * (calls - 1))], 3)
