"""Random trips in a tower where robots pass each other in corridors and ride together."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from tests.sim.hospital import hospital
from tests.sim.process import place as start
from tests.sim.storms.storm import REQUEST
from tests.sim.storms.test_shared_lift_storm import LiftStorm
from tests.sim.tower import FLOORS, lift_of, tower

HOURS = 1.0


def robots() -> list[tuple[str, str]]:
    """Some that carry now this and now waste, which rides alone, and one that is too long."""
    homes = [f"f{floor + 1}-bay{x}" for floor in range(len(FLOORS)) for x in (0, 1, 3)]
    return [
        *((("bin" if n % 3 == 1 else "cart"), home) for n, home in enumerate(homes)),
        ("bed", "f2-bay4"),
    ]


class Storm(LiftStorm):
    """With waste among the goods, and a lift that stops now and then, open or shut."""

    def _request(self) -> dict[str, Any]:
        return {**REQUEST, "goods": self.luck.choice(["food", "food", "waste"])}

    def _look(self) -> None:
        super()._look()
        lift, luck = lift_of(self.place), self.luck
        if not self.calm and lift.in_service and luck.random() < 0.5 / 400:
            lift.fail(between=luck.random() < 0.5)
            asyncio.get_running_loop().call_later(luck.uniform(5, 120), lift.repair)


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_random_trips_with_breakdowns_and_cancels(tmp_path: Path, seed: int) -> None:
    """In the middle of it there is a fire alarm."""
    async with hospital(tower(tmp_path, *robots(), passing=True)) as place:
        storm = Storm(place, random.Random(seed))
        await storm.with_an_alarm(HOURS)
        assert storm.rode_together > 10 * HOURS
        assert storm.nearest_m > 0.05


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
async def test_random_trips_of_a_dispatcher_that_is_killed_again_and_again(
    tmp_path: Path, seed: int
) -> None:
    """Each new one must find out who has which place, and which half."""
    path, luck = tower(tmp_path, *robots(), passing=True), random.Random(seed)
    async with start(path, tmp_path / "story.sqlite") as place:
        storm = Storm(place, luck, calm=True)
        await storm.with_kills(place, HOURS)
        assert storm.rode_together > 0
        assert storm.nearest_m > 0.05
