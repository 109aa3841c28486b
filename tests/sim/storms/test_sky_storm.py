"""A crowded sky: nobody comes too near to anybody, all comes to an end, and all come home.

A few stories run with the fast tests; ``SKY_STORIES=0-39 pytest -s`` plays as many as are wanted.
"""

import os
from pathlib import Path

import pytest

from tests.sim.storms.sky_storm import play

USUAL = [9, 17, 23]
"""The first one left a drone where nobody took it to be, the second one had one take off into the
way of one that had been called home, the last one ended the dispatcher."""


def seeds() -> list[int]:
    if "SKY_STORIES" not in os.environ:
        return USUAL
    first, _, last = os.environ["SKY_STORIES"].partition("-")
    return list(range(int(first), int(last or first) + 1))


@pytest.mark.parametrize("seed", seeds())
@pytest.mark.long
async def test_in_a_crowded_sky_nobody_comes_too_near(seed: int, tmp_path: Path) -> None:
    ending = await play(tmp_path, seed)
    print(ending)  # noqa: T201 - shown with -s
    assert ending.breaches == []
    assert ending.still_open == []
    assert ending.not_home == []
