import math

from hypothesis import given
from hypothesis import strategies as st

from dispatcher.replay.track import (
    NEAR_M,
    SILENT_MS,
    Sample,
    Thinner,
    between,
    of_sample,
    position_at,
    sample_of,
)
from fleet.vehicle import Position
from routing.geometry import Point
from routing.site import LevelId

L1, L2 = LevelId("L1"), LevelId("L2")


def sample(
    at_s: float, x_m: float, y_m: float = 0.0, *, level: LevelId = L1, moving: bool = True
) -> Sample:
    return Sample(round(at_s * 1000), Position(level=level, point=Point(x_m, y_m)), moving)


def thinned(samples: list[Sample]) -> list[Sample]:
    thinner = Thinner()
    kept = [kept for each in samples for kept in thinner.add(each)]
    return [*kept, *thinner.flush()]


def x_at(track: list[Sample], at_s: float) -> float:
    position = position_at(track, at_s * 1000)
    assert position is not None
    return position.point.x_m


def test_a_long_straight_way_costs_its_two_ends_and_no_more() -> None:
    words = [sample(second, 2.0 * second) for second in range(9)]
    stop = sample(9, 18.0, moving=False)
    track = thinned([sample(-5, 0.0, moving=False), *words, stop])
    assert [each.at_ms for each in track] == [-5000, 0, 9_000]


def test_who_stands_costs_nothing_and_is_shown_standing_until_it_sets_out() -> None:
    standing = [sample(second, 1.0, moving=False) for second in range(0, 600, 30)]
    track = thinned([*standing, sample(600, 1.0), sample(610, 11.0, moving=False)])
    assert [each.at_ms for each in track] == [0, 600_000, 610_000]
    assert [x_at(track, at_s) for at_s in (0, 599.9, 605, 700)] == [1.0, 1.0, 6.0, 11.0]


def test_a_lift_carries_nobody_sideways() -> None:
    track = [sample(0, 0.0), sample(10, 30.0, level=L2)]
    assert position_at(track, 9_999) == track[0].position
    assert position_at(track, 10_000) == track[1].position


def test_nobody_creeps_through_a_long_silence() -> None:
    track = [sample(0, 0.0), Sample(SILENT_MS + 1, sample(0, 50.0).position, moving=True)]
    assert position_at(track, SILENT_MS) == track[0].position


def test_there_is_nothing_before_the_first_word() -> None:
    assert position_at([sample(5, 0.0)], 4_999) is None
    assert position_at([], 0) is None


STEPS = st.lists(
    st.tuples(
        st.sampled_from([0.2, 1.0, 7.0, 45.0]),
        st.floats(-3, 3),
        st.floats(-3, 3),
        st.booleans(),
        st.booleans(),
    ),
    max_size=60,
)


@given(STEPS)
def test_what_is_kept_shows_all_that_was_said(steps: list[tuple[float, float, float, bool, bool]]):
    """Each word of a vehicle, also one that was not kept, is shown at its moment, nearly."""
    said, at_s, x_m, y_m, level = [sample(0, 0.0)], 0.0, 0.0, 0.0, L1
    for lasts_s, east_m, north_m, moving, rides in steps:
        at_s += lasts_s
        if said[-1].moving:
            x_m, y_m = x_m + east_m, y_m + north_m
            level = (L2 if level == L1 else L1) if rides else level
        said.append(sample(at_s, x_m, y_m, level=level, moving=moving))
    track = thinned(said)
    assert [each.at_ms for each in track] == sorted({each.at_ms for each in track})
    assert set(track) <= set(said)
    for each in said:
        shown = position_at(track, each.at_ms)
        assert shown is not None
        assert shown.level == each.position.level
        assert shown.point.distance_m(each.position.point) <= NEAR_M + 1e-6


@given(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5), st.floats(-math.pi, math.pi), st.booleans())
def test_a_sample_comes_back_to_the_centimetre(
    x_m: float, y_m: float, yaw_rad: float, moving: bool
) -> None:
    one = Sample(7, Position(level=L1, point=Point(x_m, y_m), yaw_rad=yaw_rad), moving)
    back = sample_of(7, of_sample(one))
    assert (back.at_ms, back.moving, back.position.level) == (7, moving, L1)
    assert back.position.point.distance_m(one.position.point) <= 0.0072
    assert abs(back.position.yaw_rad - yaw_rad) <= 0.0006


def test_a_vehicle_looks_where_it_goes() -> None:
    turned = Position(level=L1, point=Point(0.0, 10.0), yaw_rad=1.5)
    assert between(sample(0, 0.0), Sample(10_000, turned, moving=True), 1).yaw_rad == 1.5
