"""Many robots in a building with one-lane corridors and few lifts: they get their work done."""

import pytest

from tests.sim.storms.crowd import crowd


@pytest.mark.long
async def test_robots_follow_each_other_through_one_lane_corridors() -> None:
    """All must not count on each of them to come back out over those who follow it."""
    result = await crowd(20, 1.0, 0)
    assert (result.failed, result.violations) == (0, 0)
    assert result.done >= 90
    assert result.longest_wait_s < 400
