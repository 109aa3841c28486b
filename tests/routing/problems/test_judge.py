"""The judge's clock: breaks and closed spans, told on a straight road with a node every 10 m."""

from dataclasses import replace

import numpy as np
import pytest

from routing.problems.plan import Timed, check, timetable
from routing.problems.problem import Break, Problem, Profile, Request, Slot, Stop, Visit
from routing.roads.paths import UNREACHABLE_S
from tests.routing.random_problems import priced, verdict

ROAD = np.abs(np.arange(6)[:, None] - np.arange(6)[None, :]) * 10
LUNCH = Break(earliest_s=100, latest_s=150, duration_s=30)
CART = Slot(id="cart", profile=0, start=0, ready_s=0)


def errand(id_: str, node: int, service_s: int = 5, earliest_s: int = 0) -> Request:
    return Request(id=id_, stops=(Stop(node=node, service_s=service_s, earliest_s=earliest_s),))


def asked(*requests: Request, slot: Slot = CART) -> Problem:
    return Problem(profiles=(Profile.of(ROAD),), requests=requests, slots=(slot,))


def driven(problem: Problem) -> tuple[Timed, ...]:
    """All requests, in their order, by the one slot."""
    return timetable(problem, priced(problem, whole(problem)))[0]


def whole(problem: Problem) -> tuple[Visit, ...]:
    return tuple(Visit(r.id, n) for r in problem.requests for n in range(len(r.stops)))


def judged(problem: Problem) -> str | None:
    return verdict(problem, priced(problem, whole(problem)))


# -- breaks --------------------------------------------------------------------------------------


def with_breaks(*breaks: Break, ready_s: int = 0) -> Slot:
    return replace(CART, breaks=breaks, ready_s=ready_s)


def test_a_break_is_taken_before_the_first_leg_that_begins_in_it() -> None:
    problem = asked(errand("a", 1, 110), errand("b", 2), slot=with_breaks(LUNCH))
    first, second = driven(problem)
    assert (first.end_s, second.arrive_s) == (120, 120 + 30 + 10)
    assert judged(problem) is None


def test_a_break_waits_until_the_visit_before_it_is_over_if_that_is_in_time() -> None:
    in_time = asked(errand("a", 1), errand("b", 2, 125), errand("c", 2), slot=with_breaks(LUNCH))
    _, b, c = driven(in_time)
    assert (b.arrive_s, b.end_s, c.arrive_s) == (25, 150, 150 + 30)
    assert judged(in_time) is None


def test_a_break_is_waited_for_if_the_next_visit_would_end_too_late_for_it() -> None:
    too_long = asked(errand("a", 1), errand("b", 2, 126), slot=with_breaks(LUNCH))
    a, b = driven(too_long)
    assert (a.end_s, b.arrive_s) == (15, 100 + 30 + 10)
    assert judged(too_long) is None


def test_a_visit_that_opens_late_lets_the_break_come_first() -> None:
    problem = asked(errand("a", 1, earliest_s=146), slot=with_breaks(LUNCH))
    assert driven(problem)[0].arrive_s == 140
    assert driven(asked(errand("a", 1, earliest_s=145), slot=with_breaks(LUNCH)))[0].arrive_s == 10


def test_so_do_a_closed_span_and_a_release() -> None:
    closed = Request(id="a", stops=(Stop(node=1, service_s=5, closed=((0, 146),)),))
    assert driven(asked(closed, slot=with_breaks(LUNCH)))[0].arrive_s == 140
    released = replace(errand("a", 1), release_s=146)
    assert driven(asked(released, slot=with_breaks(LUNCH)))[0].arrive_s == 140


def test_after_the_last_visit_nobody_waits_for_a_break() -> None:
    at_home = replace(with_breaks(LUNCH), end=0, shift_end_s=135)
    problem = asked(errand("a", 1, 115), slot=at_home)
    assert driven(problem)[0].end_s == 125
    assert judged(problem) is None


def test_two_breaks_may_be_taken_one_after_the_other() -> None:
    tea = Break(earliest_s=200, latest_s=210, duration_s=20)
    slot = with_breaks(LUNCH, tea)
    problem = asked(errand("a", 1, 75), slot=slot)
    assert driven(problem)[0].arrive_s == 10
    both = asked(errand("a", 1, 141), slot=slot)
    assert driven(both)[0].arrive_s == 200 + 20 + 10  # lunch at 100, then too long to go before tea
    assert judged(both) is None
    late = asked(errand("a", 1), slot=replace(slot, ready_s=190, breaks=(LUNCH, tea)))
    assert driven(late)[0].arrive_s == 190 + 30 + 20 + 10
    assert judged(late) == "break"


def test_a_break_is_taken_in_its_very_first_second() -> None:
    assert driven(asked(errand("a", 1), slot=with_breaks(LUNCH, ready_s=99)))[0].arrive_s == 109
    assert driven(asked(errand("a", 1), slot=with_breaks(LUNCH, ready_s=100)))[0].arrive_s == 140


@pytest.mark.parametrize(("ready_s", "code"), [(150, None), (151, "break")])
def test_a_break_begins_in_time(ready_s: int, code: str | None) -> None:
    assert judged(asked(errand("a", 1), slot=with_breaks(LUNCH, ready_s=ready_s))) == code


def test_who_has_only_what_is_on_board_may_come_late_to_a_break() -> None:
    slot = with_breaks(LUNCH, ready_s=151)
    bound = replace(errand("a", 1), aboard=0)
    assert judged(asked(bound, slot=slot)) is None
    assert judged(asked(bound, errand("b", 1), slot=slot)) == "break"


def test_an_idle_slot_takes_no_break() -> None:
    problem = asked(errand("a", 1), slot=with_breaks(LUNCH, ready_s=500))
    assert verdict(problem, priced(problem, ())) is None


# -- windows -------------------------------------------------------------------------------------

SPANS = ((0, 20), (30, 40), (40, 60))


@pytest.mark.parametrize(
    ("ready_s", "start_s"), [(0, 20), (9, 20), (10, 20), (19, 29), (20, 60), (35, 60), (50, 60)]
)
def test_a_service_begins_outside_the_closed_spans(ready_s: int, start_s: int) -> None:
    request = Request(id="a", stops=(Stop(node=1, service_s=30, closed=SPANS),))
    row = driven(asked(request, slot=replace(CART, ready_s=ready_s)))[0]
    assert (row.arrive_s, row.start_s, row.end_s) == (ready_s + 10, start_s, start_s + 30)


def test_earliest_and_release_are_pushed_out_of_closed_spans_too() -> None:
    stop = Stop(node=1, closed=SPANS, earliest_s=30)
    assert driven(asked(Request(id="a", stops=(stop,))))[0].start_s == 60
    released = Request(id="a", stops=(replace(stop, earliest_s=0),), release_s=39)
    assert driven(asked(released))[0].start_s == 60


@pytest.mark.parametrize(("latest_s", "code"), [(60, None), (59, "window")])
def test_the_last_window_must_be_met(latest_s: int, code: str | None) -> None:
    stop = Stop(node=1, closed=SPANS, earliest_s=30, latest_s=latest_s)
    free = Request(id="a", stops=(stop,))
    assert judged(asked(free)) == code
    assert judged(asked(replace(free, aboard=0))) is None


# -- the rest of the day -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"shift_end_s": 45}, None),
        ({"shift_end_s": 44}, "shift"),
        ({"range_m": 40}, None),
        ({"range_m": 39}, "range"),
    ],
)
def test_the_way_home_is_part_of_shift_and_range(limits: dict[str, int], code: str | None) -> None:
    slot = replace(CART, end=0, **limits)  # pyright: ignore[reportArgumentType]
    free = errand("a", 2)
    assert judged(asked(free, slot=slot)) == code
    assert judged(asked(replace(free, aboard=0), slot=slot)) is None


@pytest.mark.parametrize("where", [(0, 2), (2, 0)])
def test_every_leg_needs_a_way_the_last_one_too(where: tuple[int, int]) -> None:
    cut = ROAD.copy()
    cut[where] = UNREACHABLE_S
    for profile in (Profile.of(cut), Profile.of(ROAD, cut)):
        problem = replace(asked(errand("a", 2), slot=replace(CART, end=0)), profiles=(profile,))
        assert judged(problem) == "unreachable"


def test_a_long_life_is_not_a_leg_without_a_way() -> None:
    late = replace(CART, ready_s=UNREACHABLE_S)
    assert judged(asked(errand("a", 1), slot=late)) is None


def test_a_fault_says_who_and_what() -> None:
    problem = asked(errand("a", 2), slot=replace(CART, range_m=19))
    assert str(check(problem, priced(problem, whole(problem)))) == "range: cart drives 20 m"
