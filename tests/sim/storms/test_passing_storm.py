"""Random trips in a building of passing corridors: nobody touches, and all get there."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sim.hospital import hospital
from tests.sim.passage import passage
from tests.sim.process import place as start
from tests.sim.storms.storm import Storm

HOURS = 1.0


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
        await storm.with_an_alarm(HOURS)
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
        await storm.with_kills(place, HOURS)
        assert storm.passed > 0
        assert storm.nearest_m > 0.05
