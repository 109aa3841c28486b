"""Random trips in a building of passing corridors: nobody touches, and all get there."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import suppress
from itertools import combinations
from pathlib import Path

import pytest

from dispatcher.desks.emergencies_in import EmergencyIn
from dispatcher.errors import IllegalMove, Refused
from sim.world.outlines import gap_m
from tests.sim.hospital import Hospital, hospital
from tests.sim.passage import passage
from tests.sim.process import Place
from tests.sim.process import place as start

HOURS = 1.0
FIRE = {"kind": "fire", "by": "Dr Lin"}
REQUEST = {"kind": "delivery", "item": "box", "goods": "food", "mass_kg": 5.0}


def building() -> str:
    """A ring of wide corridors with one across; rooms and bays off them, some on short lanes."""
    ring = [("n", 4, 20), ("s", -4, 0)]
    nodes = [f"{row}{x}: [{6 * x}, {y}]" for row, _, y in ring for x in range(9)]
    nodes += ["c1: [24, 4]", "c2: [24, 10]", "c3: [24, 16]", "w: [0, 10]", "e: [48, 10]"]
    places = [
        f"room-{row}{x}: {{name: R{row}{x}, at: [{6 * x}, {y + side}], joins: [{row}{x}]}}"
        for row, _, y in ring
        for x, side in ((1, 4), (3, -3), (5, 4), (7, -3))
    ]
    places += [
        f"bay-{row}{x}: {{name: B{row}{x}, at: [{6 * x}, {y + side}], joins: [{row}{x}],"
        " roles: [parking, charger]}"
        for row, out, y in ring
        for x, side in ((0, out), (2, 5), (6, 5), (8, out))
    ]
    places.append("ward: {name: Ward, kind: room, node: c2}")
    rows = [
        *(", ".join(f"{row}{x}" for x in range(9)) for row, _, _ in ring),
        "s4, c1, c2, c3, n4",
        "s0, w, n0",
        "s8, e, n8",
    ]
    lanes = "".join(f"      - {{path: [{row}], width_m: 2.2, passing: true}}\n" for row in rows)
    listed = "".join(f"      {one}\n" for one in places)
    return (
        "site: ring\nname: Ring\nanchor: {lat_deg: 30.59, lon_deg: 114.3}\nlevels:\n  L1:\n"
        f"    name: Level 1\n    nodes: {{{', '.join(nodes)}}}\n    places:\n{listed}"
        f"    lanes:\n{lanes}"
    )


def robots() -> Iterator[tuple[str, str]]:
    homes = [f"bay-{row}{x}" for row in "ns" for x in (0, 2, 6, 8)]
    for number, home in enumerate(homes):
        yield ("bed" if number in (2, 5) else "cart"), home


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_random_trips_with_breakdowns_and_cancels(tmp_path: Path, seed: int) -> None:
    """In the middle of it there is a fire alarm."""
    path = passage(tmp_path, *robots(), site=building())
    async with hospital(path) as place:
        storm = Storm(place, random.Random(seed))
        await storm.blow(HOURS * 1800)
        fire = await place.service.emergency_desk.begin(EmergencyIn.model_validate(FIRE))
        await storm.blow(180)
        await place.service.emergency_desk.end(fire.id, "Dr Lin")
        await storm.blow(HOURS * 1800)
        await place.until(lambda: not place.service.open_tasks(), at_most_s=7200)
        assert storm.passed > 5 * HOURS
        assert storm.nearest_m > 0.05


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
async def test_random_trips_of_a_dispatcher_that_is_killed_again_and_again(
    tmp_path: Path, seed: int
) -> None:
    """Each new one must find out who is in which half."""
    path, luck = passage(tmp_path, *robots(), site=building()), random.Random(seed)
    async with start(path, tmp_path / "story.sqlite") as place:
        storm = Storm(place, luck, calm=True)
        for _ in range(round(HOURS * 30)):
            await storm.blow(luck.uniform(20, 100))
            await place.restart()
        await place.until(lambda: not place.service.open_tasks(), at_most_s=7200)
        assert storm.passed > 0
        assert storm.nearest_m > 0.05


class Storm:
    """Random tasks, breakdowns and cancels; looks on how near bodies come to each other.

    Args:
        calm: tasks alone.
    """

    def __init__(self, place: Hospital | Place, luck: random.Random, *, calm: bool = False) -> None:
        self.place, self.luck, self.calm = place, luck, calm
        self.nearest_m, self.passed = float("inf"), 0
        self._side_by_side: set[tuple[str, str]] = set()

    async def blow(self, lasts_s: float) -> None:
        """Let all that happen for so long; what has failed is repaired soon after."""
        place, luck = self.place, self.luck
        rooms = [
            p.id for p in place.service.site.places.values() if p.kind == "room" and not p.roles
        ]
        bodies = list(place.world.ground.values())
        for _ in range(round(lasts_s / 0.5)):
            await asyncio.sleep(0.5)
            self._look()
            if luck.random() < 0.5 / 12 and len(place.service.open_tasks()) < 10:
                origin, goal = luck.sample(rooms, 2)
                await place.submit(**REQUEST, **{"from": origin}, to=[goal])
            if not self.calm and luck.random() < 0.5 / 300:
                body = luck.choice(bodies)
                body.fail("wheel_stuck")
                asyncio.get_running_loop().call_later(luck.uniform(5, 90), body.repair)
            open_tasks = [task.id for task in place.service.open_tasks()]
            if not self.calm and luck.random() < 0.5 / 200 and open_tasks:
                with suppress(Refused, IllegalMove):  # it can't be stopped any more
                    await place.service.task_desk.cancel(luck.choice(open_tasks))

    def _look(self) -> None:
        for one, other in combinations(self.place.world.ground.values(), 2):
            a, b = one.position().point, other.position().point
            pair = one.id, other.id
            if a.distance_m(b) > 2.5:
                self._side_by_side.discard(pair)
                continue
            self.nearest_m = min(self.nearest_m, gap_m(one, other))
            if pair not in self._side_by_side and one.driving and other.driving:
                self._side_by_side.add(pair)
                self.passed += 1
