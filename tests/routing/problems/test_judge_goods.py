"""The judge's hygiene: who must be washed before whom, and who may not share a vehicle."""

from dataclasses import replace

import numpy as np
import pytest

from routing.problems.plan import Charge, Plan, Timed, timetable
from routing.problems.problem import (
    Battery,
    Break,
    Charger,
    GoodsRules,
    Problem,
    Profile,
    Request,
    Slot,
    Stop,
    Visit,
)
from routing.roads.paths import UNREACHABLE_S
from tests.routing.random_problems import Charges, priced, verdict

ROAD = np.abs(np.arange(6)[:, None] - np.arange(6)[None, :]) * 10
STATION = 5
WASHED_M = ROAD[:, STATION, None] + ROAD[None, STATION, :]
PROFILE = Profile.of(ROAD, ROAD, None, WASHED_M + 100, WASHED_M)

FOOD, LINEN, WASTE = 0, 1, 2
RULES = GoodsRules(
    follow=(
        (True, True, True),
        (True, True, True),
        (False, True, True),  # no food after waste; linen is fine
    ),
    share=((True, True, False), (True, True, True), (False, True, True)),
)
CART = Slot(id="cart", profile=0, start=0, ready_s=0, capacity=(9,))


def carry(id_: str, goods: int | None, here: int, there: int, load: int = 1) -> Request:
    return Request(
        id=id_, stops=(Stop(node=here, load=(load,)), Stop(node=there, load=(-load,))), goods=goods
    )


WASTE_RUN, FOOD_RUN = carry("waste", WASTE, 0, 1), carry("food", FOOD, 1, 2)
LINEN_RUN = carry("linen", LINEN, 1, 2)


def asked(*requests: Request, slot: Slot = CART, profile: Profile = PROFILE) -> Problem:
    return Problem(profiles=(profile,), requests=requests, slots=(slot,), goods=RULES)


def in_turn(*requests: Request) -> tuple[Visit, ...]:
    return tuple(Visit(r.id, n) for r in requests for n in range(len(r.stops)))


def plan(problem: Problem, *route: Visit, charges: Charges = ()) -> Plan:
    return priced(problem, route or in_turn(*problem.requests), charges=charges)


def driven(problem: Problem, *route: Visit, charges: Charges = ()) -> tuple[Timed, ...]:
    return timetable(problem, plan(problem, *route, charges=charges))[0]


def judged(problem: Problem, *route: Visit) -> str | None:
    return verdict(problem, plan(problem, *route))


# -- washes --------------------------------------------------------------------------------------


def test_between_waste_and_food_the_way_leads_over_the_station() -> None:
    problem = asked(WASTE_RUN, FOOD_RUN)
    _, left, fetched, _ = driven(problem)
    assert (left.end_s, fetched.arrive_s) == (10, 10 + 40 + 100 + 40)
    assert (left.driven_m, fetched.driven_m) == (10, 10 + 80)
    assert judged(problem) is None


def test_what_may_follow_goes_straight() -> None:
    problem = asked(WASTE_RUN, LINEN_RUN)
    assert driven(problem)[2].arrive_s == 10
    assert driven(asked(FOOD_RUN, WASTE_RUN))[2].arrive_s == 20 + 20


def test_linen_in_between_does_not_make_it_clean() -> None:
    rows = driven(asked(WASTE_RUN, LINEN_RUN, FOOD_RUN))
    assert rows[4].arrive_s == rows[3].end_s + 30 + 100 + 40


def test_after_a_wash_only_what_came_since_counts() -> None:
    more = carry("more", FOOD, 2, 3)
    rows = driven(asked(WASTE_RUN, FOOD_RUN, more))
    assert rows[4].arrive_s == rows[3].end_s


def test_what_was_carried_before_the_plan_counts() -> None:
    before = replace(CART, carried=(WASTE,))
    assert driven(asked(FOOD_RUN, slot=before))[0].arrive_s == 50 + 100 + 40
    assert driven(asked(LINEN_RUN, slot=before))[0].arrive_s == 10


def test_what_is_on_board_at_the_start_has_been_carried() -> None:
    aboard = Request(id="waste", stops=(Stop(node=1, load=(-1,)),), goods=WASTE, aboard=0)
    problem = asked(aboard, FOOD_RUN)
    assert driven(problem)[1].driven_m == 10 + 80
    assert judged(problem) is None


def test_a_drop_off_needs_no_wash() -> None:
    aboard = Request(id="food", stops=(Stop(node=1, load=(-1,)),), goods=FOOD, aboard=0)
    assert driven(asked(aboard, slot=replace(CART, carried=(WASTE,))))[0].arrive_s == 10


def test_without_a_station_there_is_no_wash() -> None:
    nowhere = Profile.of(ROAD)
    assert judged(asked(WASTE_RUN, FOOD_RUN, profile=nowhere)) == "unwashed"
    assert judged(asked(WASTE_RUN, LINEN_RUN, profile=nowhere)) is None


@pytest.mark.parametrize("goods", [LINEN, None])
def test_nobody_is_washed_with_anything_on_board(goods: int | None) -> None:
    other = carry("other", goods, 0, 3)
    problem = asked(WASTE_RUN, other, FOOD_RUN)
    pick, drop = in_turn(other)
    assert judged(problem, *in_turn(WASTE_RUN), pick, drop, *in_turn(FOOD_RUN)) is None
    assert judged(problem, *in_turn(WASTE_RUN), pick, *in_turn(FOOD_RUN), drop) == "unwashed"


def test_goods_without_weight_are_on_board_all_the_same() -> None:
    light = carry("light", LINEN, 0, 3, load=0)
    problem = asked(WASTE_RUN, light, FOOD_RUN)
    pick, drop = in_turn(light)
    assert judged(problem, *in_turn(WASTE_RUN), pick, *in_turn(FOOD_RUN), drop) == "unwashed"


def test_a_station_that_no_way_leads_to_is_none() -> None:
    cut = Profile.of(ROAD, ROAD, None, np.full_like(ROAD, UNREACHABLE_S), WASHED_M)
    assert judged(asked(WASTE_RUN, FOOD_RUN, profile=cut)) == "unreachable"
    assert judged(asked(FOOD_RUN, profile=cut)) is None


def test_who_charges_is_washed_on_the_way_from_the_charger() -> None:
    battery = Battery(capacity_j=100, now_j=90)
    problem = replace(
        asked(WASTE_RUN, FOOD_RUN, slot=replace(CART, battery=battery)), chargers=(Charger(node=3),)
    )
    rows = driven(problem, charges=((Charge(before=2, charger=0, charge_s=7, wait_s=3),),))
    assert rows[2].arrive_s == 10 + 20 + 3 + 7 + (20 + 100 + 40)
    assert rows[2].driven_m == 10 + 20 + 20 + 40


@pytest.mark.parametrize(("latest_s", "arrive_s"), [(190, 190), (189, 30 + 180 + 10)])
def test_a_break_counts_with_the_wash_before_the_next_visit(latest_s: int, arrive_s: int) -> None:
    lunch = Break(earliest_s=30, latest_s=latest_s, duration_s=10)
    problem = asked(WASTE_RUN, FOOD_RUN, slot=replace(CART, breaks=(lunch,)))
    assert driven(problem)[2].arrive_s == arrive_s


def test_a_wash_is_a_detour_in_range_and_price() -> None:
    problem = asked(WASTE_RUN, FOOD_RUN)
    assert plan(problem).cost == (10 + 200) + (10 + 80 + 10)
    assert judged(replace(problem, slots=(replace(CART, range_m=100),))) is None
    assert judged(replace(problem, slots=(replace(CART, range_m=99),))) == "range"


# -- sharing -------------------------------------------------------------------------------------

TWO_DROPS = Request(
    id="waste",
    stops=(Stop(node=1, load=(2,)), Stop(node=2, load=(-1,)), Stop(node=3, load=(-1,))),
    goods=WASTE,
)


def visits(text: str) -> tuple[Visit, ...]:
    return tuple(Visit(word[:-1], int(word[-1])) for word in text.split())


@pytest.mark.parametrize(
    ("route", "code"),
    [
        ("food0 food1 waste0 waste1 waste2", None),
        ("food0 waste0 food1 waste1 waste2", "share"),
        ("food0 waste0 waste1 waste2 food1", "share"),
        ("linen0 food0 linen1 food1", None),
        ("linen0 waste0 waste2 waste1 linen1", None),
    ],
)
def test_food_and_waste_never_meet(route: str, code: str | None) -> None:
    assert judged(asked(TWO_DROPS, FOOD_RUN, LINEN_RUN), *visits(route)) == code


def test_goods_are_on_board_until_the_last_stop_is_done() -> None:
    lenient = replace(RULES, follow=((True,) * 3,) * 3)
    problem = replace(asked(TWO_DROPS, FOOD_RUN), goods=lenient)
    assert judged(problem, *visits("waste0 waste2 waste1 food0 food1")) is None
    assert judged(problem, *visits("waste0 waste2 food0 food1 waste1")) == "share"


def test_a_class_may_be_unable_to_share_with_itself() -> None:
    alone = replace(RULES, share=((False, True, False), RULES.share[1], RULES.share[2]))
    problem = replace(asked(FOOD_RUN, carry("meal", FOOD, 1, 2)), goods=alone)
    assert judged(problem, *visits("food0 food1 meal0 meal1")) is None
    assert judged(problem, *visits("food0 meal0 food1 meal1")) == "share"


def test_what_is_on_board_from_the_start_is_there_until_it_is_brought() -> None:
    aboard = Request(id="food", stops=(Stop(node=1, load=(-1,)),), goods=FOOD, aboard=0)
    problem = asked(aboard, TWO_DROPS)
    assert judged(problem, *visits("food0 waste0 waste1 waste2")) is None
    assert judged(problem, *visits("waste0 food0 waste1 waste2")) == "share"
    assert judged(problem, *visits("waste0 waste1 waste2")) == "share"  # not brought at all


def test_what_met_on_board_before_the_plan_is_nobodys_fault() -> None:
    food = Request(id="food", stops=(Stop(node=1, load=(-1,)),), goods=FOOD, aboard=0)
    waste = replace(food, id="waste", goods=WASTE)
    assert judged(asked(food, waste)) is None


def test_a_single_stop_takes_its_goods_nowhere_but_meets_what_is_there() -> None:
    bin_day = Request(id="bin", stops=(Stop(node=2, load=(0,)),), goods=WASTE)
    problem = asked(FOOD_RUN, bin_day)
    assert judged(problem, *visits("food0 food1 bin0")) is None
    assert judged(problem, *visits("food0 bin0 food1")) == "share"
    again = asked(bin_day, FOOD_RUN)
    assert judged(again, *visits("bin0 food0 food1")) is None
    assert driven(again, *visits("bin0 food0 food1"))[1].driven_m == 20 + 70


# -- ways with a load ----------------------------------------------------------------------------


def test_with_a_load_on_board_the_loaded_times_count_and_the_metres_stay() -> None:
    slow = Profile.of(ROAD, ROAD, ROAD * 3)
    fetched, brought = driven(asked(FOOD_RUN, profile=slow))
    assert (fetched.arrive_s, brought.arrive_s, brought.driven_m) == (10, 10 + 30, 20)
    light = carry("light", FOOD, 1, 2, load=0)
    assert driven(asked(light, profile=slow))[1].arrive_s == 20


def test_any_dimension_makes_a_load() -> None:
    slow = Profile.of(ROAD, ROAD, ROAD * 3)
    stops = (Stop(node=1, load=(0, 1)), Stop(node=2, load=(0, -1)))
    problem = asked(Request(id="a", stops=stops), slot=replace(CART, capacity=(0, 1)), profile=slow)
    assert driven(problem)[1].arrive_s == 10 + 30
