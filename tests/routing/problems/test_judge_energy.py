"""The judge's energy: batteries, chargers, and who may be plugged in where, when and how long."""

from dataclasses import replace

import numpy as np
import pytest

from routing.problems.plan import Charge, Plan, Timed, timetable
from routing.problems.problem import (
    Battery,
    Break,
    Charger,
    Problem,
    Profile,
    Request,
    Slot,
    Stop,
    Visit,
)
from routing.roads.paths import UNREACHABLE_S
from tests.routing.random_problems import priced, verdict

ROAD = np.abs(np.arange(6)[:, None] - np.arange(6)[None, :]) * 10
BATTERY = Battery(capacity_j=1000, now_j=500, per_m_j=2, per_s_j=1, charge_j_s=7)
CART = Slot(id="cart", profile=0, start=0, ready_s=0, capacity=(9,), battery=BATTERY)
DOCK = Charger(node=3)

FAR = Request(id="far", stops=(Stop(node=2, service_s=20, load=(0,), earliest_s=50),))
NEAR = Request(id="near", stops=(Stop(node=1, service_s=5, load=(0,)),))
CARRY = Request(id="carry", stops=(Stop(node=1, load=(2,)), Stop(node=2, load=(-2,))))
FAR_VISIT, NEAR_VISIT = Visit("far", 0), Visit("near", 0)


def asked(
    *requests: Request,
    battery: Battery | None = BATTERY,
    chargers: tuple[Charger, ...] = (),
    end: int | None = None,
) -> Problem:
    slot = replace(CART, battery=battery, end=end)
    return Problem(
        profiles=(Profile.of(ROAD),),
        requests=requests or (FAR, NEAR),
        slots=(slot,),
        chargers=chargers,
    )


def plan(problem: Problem, *charges: Charge) -> Plan:
    route = tuple(Visit(r.id, n) for r in problem.requests for n in range(len(r.stops)))
    return priced(problem, route, charges=(charges,) if charges else ())


def driven(problem: Problem, *charges: Charge) -> tuple[Timed, ...]:
    return timetable(problem, plan(problem, *charges))[0]


def judged(problem: Problem, *charges: Charge) -> str | None:
    return verdict(problem, plan(problem, *charges))


def having(now_j: int, reserve_j: int = 0) -> Battery:
    return replace(BATTERY, now_j=now_j, reserve_j=reserve_j)


# -- use -----------------------------------------------------------------------------------------


def test_metres_waiting_and_service_use_energy() -> None:
    far, near = driven(asked())
    assert far.energy_j == 500 - 2 * 20 - 30 - 20
    assert near.energy_j == far.energy_j - 2 * 10 - 5
    assert driven(asked(battery=None))[0].energy_j is None


def test_a_break_and_waiting_for_it_use_energy() -> None:
    lunch = Break(earliest_s=60, latest_s=60, duration_s=40)
    problem = asked(FAR)
    slot = replace(problem.slots[0], breaks=(lunch,))
    assert driven(replace(problem, slots=(slot,)))[0].energy_j == 500 - (60 + 40) - 2 * 20 - 20


@pytest.mark.parametrize(("now_j", "code"), [(100, None), (99, "energy")])
def test_the_reserve_stays_in_the_battery(now_j: int, code: str | None) -> None:
    assert judged(asked(FAR, battery=having(now_j, reserve_j=10))) == code


def test_it_stays_there_on_the_way_too() -> None:
    charge = Charge(before=0, charger=0, charge_s=50)
    assert judged(asked(FAR, battery=having(70, 10), chargers=(DOCK,)), charge) is None
    assert judged(asked(FAR, battery=having(69, 10), chargers=(DOCK,)), charge) == "energy"
    waiting = replace(charge, wait_s=5)
    assert judged(asked(FAR, battery=having(75, 10), chargers=(DOCK,)), waiting) is None
    assert judged(asked(FAR, battery=having(74, 10), chargers=(DOCK,)), waiting) == "energy"


def test_what_is_on_board_is_brought_with_the_last_drop() -> None:
    problem = asked(replace(FAR, aboard=0), battery=having(0))
    assert driven(problem)[0].energy_j == -90
    assert judged(problem) is None
    assert judged(replace(problem, requests=(replace(FAR, aboard=0), NEAR))) == "energy"


@pytest.mark.parametrize(("now_j", "code"), [(130, None), (129, "energy")])
def test_the_way_to_the_end_counts(now_j: int, code: str | None) -> None:
    assert judged(asked(FAR, battery=having(now_j), end=0)) == code
    assert judged(asked(FAR, battery=having(now_j), end=0, chargers=(DOCK,))) == code


@pytest.mark.parametrize(("now_j", "code"), [(120, None), (119, "energy")])
def test_without_an_end_it_must_still_come_to_the_nearest_charger(
    now_j: int, code: str | None
) -> None:
    battery = having(now_j, reserve_j=10)
    afar = Charger(node=5)
    assert judged(asked(FAR, battery=battery, chargers=(afar, DOCK))) == code
    assert judged(asked(FAR, battery=battery)) is None
    assert judged(asked(FAR, battery=battery, chargers=(afar,))) == "energy"
    assert judged(asked(FAR, battery=battery, chargers=(replace(DOCK, slots=()),))) is None


def test_a_charger_without_a_way_helps_nobody() -> None:
    cut = ROAD.copy()
    cut[:, 3] = UNREACHABLE_S
    problem = replace(asked(FAR, chargers=(DOCK,)), profiles=(Profile.of(cut),))
    assert judged(problem) == "energy"
    assert judged(replace(problem, chargers=(DOCK, Charger(node=4)))) is None
    cheap = replace(problem.slots[0], battery=replace(BATTERY, per_m_j=0))
    assert judged(replace(problem, slots=(cheap,))) == "energy"


def test_an_empty_route_is_fine_with_an_empty_battery() -> None:
    problem = asked(FAR, battery=having(0, reserve_j=10), chargers=(DOCK,))
    assert verdict(problem, priced(problem, ())) is None


# -- charging ------------------------------------------------------------------------------------


def test_a_charge_is_a_detour_that_fills_the_battery() -> None:
    problem = asked(chargers=(DOCK,))
    far, near = driven(problem, Charge(before=1, charger=0, charge_s=20, wait_s=4))
    assert far.energy_j == 410
    assert near.arrive_s == far.end_s + 10 + 4 + 20 + 20
    assert near.driven_m == 20 + 10 + 20
    assert near.energy_j == 410 - 2 * 10 - 4 + 7 * 20 - 2 * 20 - 5
    assert plan(problem, Charge(before=1, charger=0, charge_s=20)).cost == 70 + 125 + 50
    assert judged(problem, Charge(before=1, charger=0, charge_s=20, wait_s=4)) is None


@pytest.mark.parametrize(
    ("charge_s", "code"),
    [(80, None), (81, None), (82, "overcharged")],  # 440 J on arrival, 560 J to go: 80 s
)
def test_nobody_charges_longer_than_until_full(charge_s: int, code: str | None) -> None:
    problem = asked(FAR, chargers=(DOCK,))
    charge = Charge(before=0, charger=0, charge_s=charge_s)
    assert judged(problem, charge) == code
    assert driven(problem, charge)[0].energy_j == 1000 - 20 - 20


@pytest.mark.parametrize(
    ("charge_s", "code", "energy_j"), [(80, None, 960), (79, None, 960), (78, "not_full", 946)]
)
def test_where_one_must_fill_up_the_last_second_is_given(
    charge_s: int, code: str | None, energy_j: int
) -> None:
    problem = asked(FAR, chargers=(replace(DOCK, full=True),))
    charge = Charge(before=0, charger=0, charge_s=charge_s)
    assert judged(problem, charge) == code
    assert driven(problem, charge)[0].energy_j == energy_j
    assert judged(replace(problem, chargers=(DOCK,)), charge) is None


def test_only_some_may_use_a_charger() -> None:
    charge = Charge(before=0, charger=0, charge_s=10)
    assert judged(asked(chargers=(replace(DOCK, slots=(0,)),)), charge) is None
    assert judged(asked(chargers=(replace(DOCK, slots=()),)), charge) == "charger"


def test_who_has_no_battery_does_not_charge() -> None:
    problem = asked(battery=None, chargers=(DOCK,))
    assert judged(problem, Charge(before=0, charger=0, charge_s=10)) == "no_battery"


@pytest.mark.parametrize(("before", "code"), [(0, None), (1, "loaded"), (2, None)])
def test_goods_come_along_to_a_charger_only_where_they_may(before: int, code: str | None) -> None:
    problem = asked(CARRY, chargers=(DOCK,))
    charge = Charge(before=before, charger=0, charge_s=10)
    assert judged(problem, charge) == code
    assert judged(replace(problem, charge_loaded=True), charge) is None


def test_with_goods_on_board_the_way_to_a_charger_takes_longer() -> None:
    problem = replace(asked(CARRY, chargers=(DOCK,)), profiles=(Profile.of(ROAD, ROAD, ROAD * 3),))
    rows = driven(problem, Charge(before=1, charger=0, charge_s=10))
    assert rows[1].arrive_s == rows[0].end_s + 60 + 10 + 30
    assert rows[1].driven_m == 10 + 20 + 10


def test_a_charger_without_a_way_is_not_driven_to() -> None:
    cut = ROAD.copy()
    cut[2, 3] = UNREACHABLE_S
    problem = replace(asked(chargers=(DOCK, Charger(node=0))), profiles=(Profile.of(cut),))
    assert judged(problem, Charge(before=0, charger=0, charge_s=1)) is None
    assert judged(problem, Charge(before=1, charger=0, charge_s=1)) == "unreachable"


@pytest.mark.parametrize(("latest_s", "arrive_s"), [(155, 150), (154, 110 + 9 + 80)])
def test_a_break_counts_with_the_charge_before_the_next_visit(latest_s: int, arrive_s: int) -> None:
    lunch = Break(earliest_s=110, latest_s=latest_s, duration_s=9)
    problem = asked(chargers=(DOCK,))
    slot = replace(problem.slots[0], breaks=(lunch,))
    rows = driven(
        replace(problem, slots=(slot,)), Charge(before=1, charger=0, charge_s=46, wait_s=4)
    )
    assert rows[0].end_s == 70
    assert rows[1].arrive_s == arrive_s


def test_a_break_counts_with_the_loaded_way_to_the_charger() -> None:
    slow = (Profile.of(ROAD, ROAD, ROAD * 3),)
    problem = replace(asked(CARRY, chargers=(DOCK,)), profiles=slow, charge_loaded=True)
    lunch = Break(earliest_s=100, latest_s=10 + 60 + 5 + 30, duration_s=9)
    charge = Charge(before=1, charger=0, charge_s=5)
    for pause, arrive_s in ((lunch, 105), (replace(lunch, latest_s=104), 100 + 9 + 95)):
        slots = (replace(problem.slots[0], breaks=(pause,)),)
        assert driven(replace(problem, slots=slots), charge)[1].arrive_s == arrive_s


# -- the last thing --------------------------------------------------------------------------------


def test_the_last_thing_may_be_a_charge() -> None:
    charge = Charge(before=1, charger=0, charge_s=10)
    problem = asked(FAR, battery=having(110), chargers=(DOCK,))
    assert judged(problem, charge) is None
    assert plan(problem, charge).cost == 70 + 30
    assert judged(asked(FAR, battery=having(109), chargers=(DOCK,)), charge) == "energy"


@pytest.mark.parametrize(
    ("shift_end_s", "code"), [(70 + 10 + 10 + 30, None), (70 + 10 + 10 + 29, "shift")]
)
def test_after_it_the_slot_drives_to_its_end(shift_end_s: int, code: str | None) -> None:
    problem = asked(FAR, chargers=(DOCK,), end=0)
    slot = replace(problem.slots[0], shift_end_s=shift_end_s, range_m=60)
    charge = Charge(before=1, charger=0, charge_s=10)
    assert judged(replace(problem, slots=(slot,)), charge) == code
    assert plan(problem, charge).cost == 70 + 20 + 10 + 30


def test_a_slot_with_nothing_to_do_may_charge() -> None:
    problem = asked(FAR, battery=having(0, reserve_j=10), chargers=(DOCK,), end=1)
    problem = replace(problem, slots=(replace(problem.slots[0], price=77),))
    idle = priced(problem, (), charges=((Charge(before=0, charger=0, charge_s=10),),))
    assert verdict(problem, idle) is None
    assert idle.cost == FAR.drop_penalty + 30 + 20


# -- places ----------------------------------------------------------------------------------------


def crowd(charger: Charger, *charges: Charge | None) -> str | None:
    """Slots at the charger's node that charge before their only visit, there."""
    count = len(charges)
    slots = tuple(replace(CART, id=f"cart-{n}", start=3) for n in range(count))
    here = [Request(id=f"r{n}", stops=(Stop(node=3, load=(0,)),)) for n in range(count)]
    problem = Problem(
        profiles=(Profile.of(ROAD),), requests=tuple(here), slots=slots, chargers=(charger,)
    )
    routes = [(Visit(request.id, 0),) for request in here]
    rows = tuple(() if charge is None else (charge,) for charge in charges)
    return verdict(problem, priced(problem, *routes, charges=rows))


def stay(charge_s: int, wait_s: int = 0) -> Charge:
    return Charge(before=0, charger=0, charge_s=charge_s, wait_s=wait_s)


@pytest.mark.parametrize(
    ("charger", "charges", "code"),
    [
        (DOCK, [stay(10), None], None),
        (DOCK, [stay(10), stay(10)], "places"),
        (DOCK, [stay(10), stay(10, wait_s=10)], None),
        (DOCK, [stay(10), stay(10, wait_s=9)], "places"),
        (DOCK, [stay(10, wait_s=3), stay(3), stay(9, wait_s=13)], None),
        (DOCK, [stay(10), stay(10, wait_s=10), stay(10, wait_s=19)], "places"),
        (DOCK, [stay(20), stay(0, wait_s=20), stay(5, wait_s=20)], None),
        (replace(DOCK, places=2), [stay(10), stay(10)], None),
        (replace(DOCK, places=2), [stay(10), stay(10), stay(10, wait_s=9)], "places"),
        (replace(DOCK, places=2), [stay(10), stay(20), stay(10, wait_s=10)], None),
        (replace(DOCK, free_s=(5,)), [stay(10, wait_s=5)], None),
        (replace(DOCK, free_s=(5,)), [stay(10, wait_s=4)], "places"),
        (replace(DOCK, places=2, free_s=(5,)), [stay(10, wait_s=4)], None),
        (replace(DOCK, places=2, free_s=(5,)), [stay(4), stay(10, wait_s=3)], "places"),
        (replace(DOCK, places=2, free_s=(5, 8)), [stay(9, wait_s=5), stay(1, wait_s=8)], None),
        (replace(DOCK, places=2, free_s=(5, 8)), [stay(9, wait_s=5), stay(1, wait_s=7)], "places"),
    ],
)
def test_no_more_are_plugged_in_than_there_are_places(
    charger: Charger, charges: list[Charge | None], code: str | None
) -> None:
    assert crowd(charger, *charges) == code


def test_one_vehicle_may_charge_twice() -> None:
    problem = asked(chargers=(DOCK,))
    charges = [Charge(before=n, charger=0, charge_s=5) for n in range(3)]
    assert judged(problem, *charges) is None


# -- charges that make no sense --------------------------------------------------------------------


@pytest.mark.parametrize(
    "charges",
    [
        [Charge(before=-1, charger=0, charge_s=1)],
        [Charge(before=3, charger=0, charge_s=1)],
        [Charge(before=0, charger=1, charge_s=1)],
        [Charge(before=0, charger=-1, charge_s=1)],
        [Charge(before=0, charger=0, charge_s=-1)],
        [Charge(before=0, charger=0, charge_s=1, wait_s=-1)],
        [Charge(before=1, charger=0, charge_s=1), Charge(before=0, charger=0, charge_s=1)],
        [Charge(before=1, charger=0, charge_s=1), Charge(before=1, charger=0, charge_s=2)],
    ],
)
def test_malformed_charges_are_found(charges: list[Charge]) -> None:
    problem = asked(chargers=(DOCK,))
    assert verdict(problem, replace(plan(problem), charges=(tuple(charges),))) == "charges"


def test_charges_come_with_a_row_for_each_slot_or_not_at_all() -> None:
    problem = asked(chargers=(DOCK,))
    assert verdict(problem, replace(plan(problem), charges=((),))) is None
    assert verdict(problem, replace(plan(problem), charges=((), ()))) == "charges"
