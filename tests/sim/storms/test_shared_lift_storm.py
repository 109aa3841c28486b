"""Random trips in a tower whose lift has room for two: nobody touches, and all get there."""

import random
from itertools import combinations
from pathlib import Path

import pytest

from sim.world.outlines import gap_m
from tests.sim.hospital import hospital
from tests.sim.process import place as start
from tests.sim.storms.storm import Storm
from tests.sim.tower import FLOORS, lift_of, tower

HOURS = 1.0


def robots() -> list[tuple[str, str]]:
    """Nine that go into one place of the cabin, one of them with waste, and one that does not."""
    homes = [f"f{floor + 1}-bay{x}" for floor in range(len(FLOORS)) for x in (0, 1, 3)]
    return [
        *((("bin" if n == 4 else "cart"), home) for n, home in enumerate(homes)),
        ("bed", "f2-bay4"),
    ]


class LiftStorm(Storm):
    """Looks on who rides together, and how near they come to each other."""

    rode_together = 0

    def _look(self) -> None:
        lift = lift_of(self.place).lift
        cabins = set(lift.cabins.values())
        inside = [body for body in self.place.world.ground.values() if body.node in cabins]
        self.rode_together += len(inside) > 1 and any(body.riding for body in inside)
        for one, other in combinations(self.place.world.ground.values(), 2):
            a, b = one.position(), other.position()
            if a.level == b.level and a.point.distance_m(b.point) < 3:
                self.nearest_m = min(self.nearest_m, gap_m(one, other))


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_random_trips_with_breakdowns_and_cancels(tmp_path: Path, seed: int) -> None:
    """In the middle of it there is a fire alarm."""
    async with hospital(tower(tmp_path, *robots())) as place:
        storm = LiftStorm(place, random.Random(seed))
        await storm.with_an_alarm(HOURS)
        assert storm.rode_together > 20 * HOURS
        assert storm.nearest_m > 0.05


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
async def test_random_trips_of_a_dispatcher_that_is_killed_again_and_again(
    tmp_path: Path, seed: int
) -> None:
    """Each new one must find out who has which place."""
    path, luck = tower(tmp_path, *robots()), random.Random(seed)
    async with start(path, tmp_path / "story.sqlite") as place:
        storm = LiftStorm(place, luck, calm=True)
        await storm.with_kills(place, HOURS)
        assert storm.rode_together > 0
        assert storm.nearest_m > 0.05
