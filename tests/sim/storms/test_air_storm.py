"""Links that leak and break, strangers on the air: every drone comes home, and no task is lost.

A few stories run with the fast tests; ``AIR_STORIES=0-79 pytest -s`` plays as many as are wanted
and says what came of each. 80 stories are some 360 flights. With ``AIR_AUTOPILOT=px4`` both drones
are PX4s.
"""

import os
from pathlib import Path

import pytest

from dispatcher.domain.task import TaskState
from tests.sim.storms.air_storm import Ending, play, scenario, story

OFFLINE, TWO_OF_ONE_ID = "vehicle_offline", "vehicle_fault system_id_collision"
FITTING = {
    "cut_in_guided": {OFFLINE, "link_lost"},
    "cut_in_auto": {OFFLINE, "link_lost"},
    "cut_on_landing": {OFFLINE, "link_lost"},
    "reboot": {OFFLINE},
    "twin": {"link_lost"},
    "twin_while_asleep": {TWO_OF_ONE_ID},
    "second_station": set[str](),
    "dry_streams": set[str](),
}
"""What else may be told of a trouble, next to what must be."""
HEARD_AGAIN_S = 5.0
"""Silence that is an alert."""


USUAL = [*range(8), 10]
"""In the last of them the link is gone for so long that the flight is given up for lost."""


def seeds() -> list[int]:
    if "AIR_STORIES" not in os.environ:
        return USUAL
    first, _, last = os.environ["AIR_STORIES"].partition("-")
    return list(range(int(first), int(last or first) + 1))


@pytest.mark.parametrize("seed", seeds())
async def test_a_storm_costs_no_drone_and_no_task(seed: int, tmp_path: Path) -> None:
    path = scenario(tmp_path, os.environ.get("AIR_AUTOPILOT", "ardupilot"))
    ending = await play(path, story(seed))
    print(line(ending))  # noqa: T201 - shown with -s
    assert set(ending.tasks) == {TaskState.DONE}
    assert ending.not_home == []
    assert ending.left_open == set()
    assert wanted_alerts(ending) <= ending.alerts
    assert not ending.alerts - wanted_alerts(ending) - FITTING[ending.story.trouble]


def wanted_alerts(ending: Ending) -> set[str]:
    told = ending.story
    if not ending.struck:
        return set()
    if told.trouble == "twin":
        return {TWO_OF_ONE_ID}
    unheard = told.trouble in ("cut_in_auto",) and "up" in told.ways
    return {OFFLINE} if unheard and told.lasts_s > HEARD_AGAIN_S + 2 else set()


def line(ending: Ending) -> str:
    told = ending.story
    return (
        f"{told.seed:3} {told.trouble:18} loss {told.loss:4} delay {told.delay_s} "
        f"{'+'.join(sorted(told.ways)):7} {told.lasts_s:5} s: {ending.flights} flights, "
        f"{ending.took_s:.0f} s, {[state.value for state in ending.tasks]}, "
        f"alerts {sorted(ending.alerts)}, open {sorted(ending.left_open)}, {ending.not_home}"
    )
