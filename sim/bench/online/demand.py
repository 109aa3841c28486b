"""What is asked for in the online replay: a hospital's day.

A Poisson process for each line, its rate by the hour of the day. Each line has its own stream of
chance, so a longer replay begins with just the shorter one's tasks.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dispatcher.domain.task import Priority
from routing.problems.problem import Stop
from sim.bench.online.hospital import Hospital
from sim.scenario.demand_rows import PROFILES

FIRST_HOUR = 7
"""Of the day, when a replay begins."""
LOAD_S, UNLOAD_S = 115, 110
"""How long people take at a robot, to fill it and to empty it."""
DAY_MIN = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One kind of task.

    Args:
        share: of all tasks; all lines together have 1.
        profile: in which hours; one of `sim.scenario.demand_rows.PROFILES`.
        origin: kinds of the place where it begins.
        goals: kinds of the places where it ends; empty = it is a stop at ``origin`` only.
        drops: fewest and most goals.
        mass_g: of the load for each goal.
        room: open compartments and locked drawers that it takes, for each goal.
        service_s: at the stop of a task without goals; only robots with a lamp do it.
    """

    name: str
    share: float
    profile: str
    priority: Priority
    due_min: int
    origin: tuple[str, ...]
    goals: tuple[str, ...] = ()
    drops: tuple[int, int] = (1, 1)
    mass_g: tuple[int, int] = (0, 0)
    volume_ml: tuple[int, int] = (0, 0)
    room: tuple[int, int] = (1, 0)
    service_s: int = 0


STAT, URGENT, ROUTINE = Priority.STAT, Priority.URGENT, Priority.ROUTINE
WARDS = ("ward", "treatment")
LINES = (
    Line(
        name="stat-medicine",
        share=0.04,
        profile="flat",
        priority=STAT,
        due_min=15,
        origin=("pharmacy",),
        goals=(*WARDS, "theatre_supply"),
        mass_g=(200, 3_000),
        volume_ml=(500, 8_000),
        room=(0, 1),
    ),
    Line(
        name="urgent-medicine",
        share=0.08,
        profile="rounds",
        priority=URGENT,
        due_min=30,
        origin=("pharmacy",),
        goals=WARDS,
        mass_g=(200, 3_000),
        volume_ml=(500, 8_000),
        room=(0, 1),
    ),
    Line(
        name="ward-medicine",
        share=0.18,
        profile="rounds",
        priority=ROUTINE,
        due_min=60,
        origin=("pharmacy",),
        goals=("ward",),
        mass_g=(200, 3_000),
        volume_ml=(500, 8_000),
        room=(0, 1),
    ),
    Line(
        name="urgent-specimens",
        share=0.08,
        profile="specimens",
        priority=URGENT,
        due_min=30,
        origin=(*WARDS, "specimen_point"),
        goals=("laboratory",),
        mass_g=(300, 2_000),
        volume_ml=(1_000, 6_000),
    ),
    Line(
        name="specimens",
        share=0.14,
        profile="specimens",
        priority=ROUTINE,
        due_min=60,
        origin=("ward", "specimen_point"),
        goals=("laboratory",),
        mass_g=(300, 2_000),
        volume_ml=(1_000, 6_000),
    ),
    Line(
        name="stores",
        share=0.16,
        profile="day",
        priority=ROUTINE,
        due_min=90,
        origin=("stores",),
        goals=("ward", "clinic", "theatre_supply"),
        mass_g=(3_000, 20_000),
        volume_ml=(10_000, 50_000),
    ),
    Line(
        name="sterile",
        share=0.06,
        profile="day",
        priority=ROUTINE,
        due_min=120,
        origin=("sterile",),
        goals=("theatre_supply", "ward"),
        mass_g=(3_000, 15_000),
        volume_ml=(10_000, 40_000),
    ),
    Line(
        name="meals",
        share=0.08,
        profile="meals",
        priority=ROUTINE,
        due_min=60,
        origin=("kitchen",),
        goals=("pantry",),
        drops=(2, 4),
        mass_g=(8_000, 20_000),
        volume_ml=(40_000, 90_000),
    ),
    Line(
        name="linen",
        share=0.06,
        profile="linen",
        priority=ROUTINE,
        due_min=120,
        origin=("laundry",),
        goals=("pantry",),
        drops=(1, 3),
        mass_g=(10_000, 25_000),
        volume_ml=(60_000, 120_000),
    ),
    Line(
        name="returns",
        share=0.08,
        profile="night",
        priority=Priority.BACKGROUND,
        due_min=120,
        origin=("utility",),
        goals=("sterile",),
        mass_g=(6_000, 25_000),
        volume_ml=(50_000, 150_000),
        room=(2, 0),
    ),
    Line(
        name="disinfection",
        share=0.04,
        profile="day",
        priority=ROUTINE,
        due_min=90,
        origin=("patient_room", "theatre", "hall"),
        service_s=600,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One task: nobody knows of it before ``at_s``.

    Args:
        stops: the pickup and the drop-offs, or the only stop.
        lamp: only robots with a lamp do it.
    """

    id: str
    at_s: float
    due_s: int
    priority: Priority
    stops: tuple[Stop, ...]
    lamp: bool


def ask(hospital: Hospital, *, rate: float, hours: float, seed: int) -> list[Asked]:
    """All tasks of one replay, in the order of time.

    Args:
        rate: tasks a minute, at the mean of a whole day.
    """
    found: list[Asked] = []
    for line in LINES:
        what = random.Random(f"{seed}:{line.name}:what")
        moments = _moments(line, rate, hours, random.Random(f"{seed}:{line.name}:when"))
        for number, at_s in enumerate(moments):
            found.append(
                Asked(
                    id=f"{line.name}-{number}",
                    at_s=at_s,
                    due_s=int(at_s) + 60 * line.due_min,
                    priority=line.priority,
                    stops=_stops(line, hospital, what),
                    lamp=line.service_s > 0,
                )
            )
    return sorted(found, key=lambda asked: (asked.at_s, asked.id))


def _moments(line: Line, rate: float, hours: float, chance: random.Random) -> Iterator[float]:
    """By thinning (Lewis and Shedler, Naval Research Logistics Quarterly 26(3), 1979)."""
    weights = PROFILES[line.profile]
    busiest = rate * DAY_MIN * line.share * max(weights) / sum(weights) / 3600
    at_s = chance.expovariate(busiest)
    while at_s < hours * 3600:
        hour = int(FIRST_HOUR + at_s // 3600) % 24
        if chance.random() * max(weights) < weights[hour]:
            yield at_s
        at_s += chance.expovariate(busiest)


def _stops(line: Line, hospital: Hospital, chance: random.Random) -> tuple[Stop, ...]:
    origin = chance.choice(_rows(hospital, line.origin))
    if not line.goals:
        return (Stop(node=origin, service_s=line.service_s, load=(0, 0, 0, 0)),)
    others = [row for row in _rows(hospital, line.goals) if row != origin]
    goals = chance.sample(others, chance.randint(*line.drops))
    each = [(chance.randint(*line.mass_g), chance.randint(*line.volume_ml)) for _ in goals]
    total_g, total_ml = (sum(column) for column in zip(*each, strict=True))
    open_, locked = line.room
    room = (open_ * len(goals), locked * len(goals))
    pickup = Stop(node=origin, service_s=LOAD_S, load=(total_g, total_ml, *room))
    drops = (
        Stop(node=goal, service_s=UNLOAD_S, load=(-mass_g, -volume_ml, -open_, -locked))
        for goal, (mass_g, volume_ml) in zip(goals, each, strict=True)
    )
    return (pickup, *drops)


def _rows(hospital: Hospital, kinds: Sequence[str]) -> list[int]:
    return [row for kind in kinds for row in hospital.rows[kind]]
