import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.missions.posts import MOST_POSTS, area_posts, parts_of, point_posts
from dispatcher.missions.rounds import best_order, rings
from routing.air.drawn import DrawnArea
from routing.geometry import Point
from routing.site import PlaceId


def area(*corners: tuple[float, float]) -> DrawnArea:
    return DrawnArea(outline=tuple(Point(x, y) for x, y in corners))


FIELD = area((0, 0), (600, 0), (600, 200), (0, 200))
BENT = area((0, 0), (600, 0), (600, 100), (100, 100), (100, 500), (0, 500))


@pytest.mark.parametrize("many", [1, 2, 3, 7])
@pytest.mark.parametrize("whole", [FIELD, BENT])
def test_parts_are_all_of_an_area_and_of_one_size(whole: DrawnArea, many: int) -> None:
    parts = [part.shape for part in parts_of(whole, many)]
    assert shapely.union_all(parts).symmetric_difference(whole.shape).area < 1.0
    assert sum(part.area for part in parts) == pytest.approx(whole.shape.area, rel=1e-6)
    if whole is FIELD:
        assert len(parts) == many
        assert max(p.area for p in parts) < 1.001 * min(p.area for p in parts)


def test_an_area_gets_as_few_posts_as_come_round_in_time() -> None:
    def round_s(part: DrawnArea) -> float:
        return part.shape.area / 500

    assert len(area_posts(FIELD, round_s, 240)) == 1
    assert len(area_posts(FIELD, round_s, 121)) == 2
    assert len(area_posts(FIELD, round_s, 61)) == 4
    posts = area_posts(FIELD, round_s, 61, least_s=240)
    assert [post.number for post in posts] == [0, 1, 2, 3]


def test_a_revisit_time_that_no_number_holds_has_no_posts() -> None:
    assert area_posts(FIELD, lambda _: 100.0, 60) == ()
    calls: list[DrawnArea] = []
    assert area_posts(FIELD, lambda part: len(calls) or 1e9, 60, least_s=1e9) == ()
    assert not calls, f"more than {MOST_POSTS} posts needn't be tried"


def on_a_line(*spots: float) -> list[list[float]]:
    return [[abs(a - b) for b in spots] for a in spots]


def test_points_are_shared_out_among_rings() -> None:
    places = tuple(PlaceId(name) for name in "abcd")
    times = on_a_line(0, 10, 500, 510)
    (one,) = point_posts(places, times, 5, 1200)
    assert set(one.points) == set(places)
    two = point_posts(places, times, 5, 100)
    assert sorted(sorted(post.points) for post in two) == [["a", "b"], ["c", "d"]]
    assert point_posts(places, times, 101, 100) == ()


def test_the_best_order_begins_where_the_given_one_does() -> None:
    assert best_order(on_a_line(0, 30, 10, 20)) == (0, 2, 3, 1)
    assert best_order([[0.0]]) == (0,)


@given(st.lists(st.tuples(st.floats(0, 1e3), st.floats(0, 1e3)), min_size=1, max_size=9))
def test_every_point_is_on_one_ring(spots: list[tuple[float, float]]) -> None:
    times = [[abs(a[0] - b[0]) + abs(a[1] - b[1]) for b in spots] for a in spots]
    for many in range(1, len(spots) + 1):
        found = rings(times, 1.0, many)
        assert sorted(p for ring in found for p in ring.points) == list(range(len(spots)))
        assert len(found) == many
