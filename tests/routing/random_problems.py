"""Random problems with everything in them, random answers to them, and short words for tests."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from routing.problems.plan import Charge, Plan, check, cost
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
    Weights,
)
from routing.refusal import Refusal
from routing.roads.paths import UNREACHABLE_S

Metres = NDArray[np.int64]
Charges = tuple[tuple[Charge, ...], ...]

EASY = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
FEW = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=EASY)


def priced(problem: Problem, *routes: tuple[Visit, ...], charges: Charges = ()) -> Plan:
    """A plan that knows its cost; what is in no route is left out."""
    driven = {visit.request for route in routes for visit in route}
    left_out = [request.id for request in problem.requests if request.id not in driven]
    unplanned = {id_: Refusal("not_now") for id_ in left_out}
    plan = Plan(routes=routes, charges=charges, unplanned=unplanned)
    return replace(plan, cost=cost(problem, plan))


def verdict(problem: Problem, plan: Plan) -> str | None:
    """Code of the plan's first fault."""
    fault = check(problem, plan)
    return fault.code if fault else None


@st.composite
def rich_problems(draw: st.DrawFn, max_slots: int = 4, max_requests: int = 7) -> Problem:
    """Valid problems, not always solvable in full: each rule is in some of them, none in all.

    Loads of a request add up to nothing, so that a vehicle's end finds it empty unless something
    was left out that it had aboard.
    """
    nodes = draw(st.integers(5, 8))
    count = draw(st.integers(1, max_slots))
    goods = draw(st.none() | _goods_rules())
    sizes = draw(st.sampled_from([(1,), (1,), (1, 2)]))
    profiles = tuple(draw(_profile(nodes)) for _ in range(draw(st.sampled_from([1, 1, 2]))))
    electric = draw(st.booleans())
    slots = [
        draw(_slot(number, nodes, len(profiles), goods, sizes, electric)) for number in range(count)
    ]
    requests = [
        draw(_request(number, nodes, count, goods, sizes))
        for number in range(draw(st.integers(1, max_requests)))
    ]
    chargers = [draw(_charger(nodes, count)) for _ in range(draw(st.integers(0, 2)) * electric)]
    return Problem(
        profiles=profiles,
        requests=tuple(requests),
        slots=tuple(_promised(draw, slots, requests)),
        weights=draw(_weights()),
        now_s=300,
        goods=goods,
        chargers=tuple(chargers),
        charge_loaded=draw(st.booleans()),
    )


@st.composite
def plans(draw: st.DrawFn, problem: Problem) -> Plan:
    """Some answer, well or badly thought out: whole requests, on slots that may do them.

    Its form is right and so is its cost; windows, orders and energy are left to luck.
    """
    todo: list[list[Request]] = [[] for _ in problem.slots]
    unplanned: dict[str, Refusal] = {}
    for request in problem.requests:
        held = problem.bound.get(request.id)
        everyone = range(len(problem.slots)) if request.allowed is None else request.allowed
        choice = list(everyone) if held is None else [held]
        if choice and draw(st.integers(0, 3)):
            todo[draw(st.sampled_from(choice))].append(request)
        else:
            unplanned[request.id] = Refusal("not_now")
    routes = [
        draw(_route([visit for visit in slot.committed if visit.request not in unplanned], made))
        for slot, made in zip(problem.slots, todo, strict=True)
    ]
    charges = tuple(draw(_charges(problem, n, route)) for n, route in enumerate(routes))
    nobody = not any(charges) and draw(st.booleans())
    return replace(priced(problem, *routes, charges=() if nobody else charges), unplanned=unplanned)


@st.composite
def _route(draw: st.DrawFn, promised: list[Visit], requests: list[Request]) -> tuple[Visit, ...]:
    """What was promised, then whole requests one after another, or mixed; pickups come first."""
    left = {
        request.id: [n for n in range(len(request.stops)) if Visit(request.id, n) not in promised]
        for request in requests
    }
    turns = [id_ for id_, stops in left.items() for _ in stops]
    if draw(st.booleans()):
        turns = draw(st.permutations(turns))
    return (*promised, *(Visit(id_, left[id_].pop(0)) for id_ in turns))


def _seldom(values: st.SearchStrategy[int]) -> st.SearchStrategy[int | None]:
    return st.one_of(st.none(), st.none(), values)


@st.composite
def _profile(draw: st.DrawFn, nodes: int) -> Profile:
    """Points on a plane, one of them perhaps cut off; slower, or not everywhere, with a load."""
    spots = draw(
        st.lists(
            st.tuples(st.integers(0, 300), st.integers(0, 300)), min_size=nodes, max_size=nodes
        )
    )
    at = np.array(spots, dtype=np.int64)
    metres: Metres = np.abs(at[:, None, :] - at[None, :, :]).sum(axis=2)
    if draw(st.integers(0, 7)) == 0:
        metres[nodes - 1, :-1] = metres[:-1, nodes - 1] = UNREACHABLE_S
    seconds = np.minimum(metres // draw(st.integers(1, 2)), UNREACHABLE_S)
    seconds[metres == UNREACHABLE_S] = UNREACHABLE_S
    loaded_s = None
    if draw(st.booleans()):
        loaded_s = np.minimum(seconds + seconds // 2, UNREACHABLE_S)
        if draw(st.booleans()):
            loaded_s[draw(st.integers(0, nodes - 1)), draw(st.integers(1, nodes - 1))] = (
                UNREACHABLE_S
            )
    if not draw(st.booleans()):
        return Profile.of(seconds, metres, loaded_s)
    station, wash_s = draw(st.integers(0, nodes - 1)), draw(st.sampled_from([0, 60]))
    return Profile.of(
        seconds, metres, loaded_s, _over(seconds, station, wash_s), _over(metres, station, 0)
    )


def _over(table: Metres, station: int, service: int) -> Metres:
    way = table[:, station, None] + table[None, station, :] + service
    return np.minimum(way, UNREACHABLE_S)


@st.composite
def _goods_rules(draw: st.DrawFn) -> GoodsRules:
    count = draw(st.integers(1, 3))
    bits = st.lists(st.sampled_from([True, True, False]), min_size=count, max_size=count)
    rows = st.lists(bits.map(tuple), min_size=count, max_size=count).map(tuple)
    follow, share = draw(rows), np.array(draw(rows))
    both = (share & share.T).tolist()
    return GoodsRules(follow=follow, share=tuple(tuple(row) for row in both))


def _weights() -> st.SearchStrategy[Weights]:
    return st.builds(
        Weights,
        flow_s=st.integers(0, 2),
        metre=st.integers(0, 2),
        change=st.sampled_from([0, 60]),
        imbalance=st.sampled_from([0, 0, 70]),
    )


@st.composite
def _stop(draw: st.DrawFn, nodes: int, load: tuple[int, ...]) -> Stop:
    earliest_s = draw(st.sampled_from([0, 0, 0, 200]))
    closed = draw(
        st.sampled_from(
            [(), (), (), ((0, 350),), ((300, 500), (600, 900)), ((350, 400), (400, 700))]
        )
    )
    return Stop(
        node=draw(st.integers(0, nodes - 1)),
        service_s=draw(st.integers(0, 60)),
        load=load,
        earliest_s=earliest_s,
        latest_s=draw(st.sampled_from([None, None, None, earliest_s + 900, 2000, 4000, 9000, 100])),
        closed=closed,
    )


@st.composite
def _request(
    draw: st.DrawFn,
    number: int,
    nodes: int,
    slots: int,
    goods: GoodsRules | None,
    sizes: Sequence[int],
) -> Request:
    drops = draw(st.integers(0, 3))
    aboard = draw(_seldom(st.integers(0, slots - 1))) if drops else None
    classes = st.nothing() if goods is None else st.integers(0, len(goods.follow) - 1)
    pickup = [draw(_stop(nodes, tuple(drops * size for size in sizes)))]
    everyone = st.lists(st.integers(0, slots - 1), unique=True, max_size=slots).map(tuple)
    return Request(
        id=f"r{number}",
        stops=(
            *(pickup if aboard is None else []),
            *(draw(_stop(nodes, tuple(-size for size in sizes))) for _ in range(drops)),
        ),
        fixed_order=draw(st.booleans()),
        release_s=draw(st.sampled_from([0, 0, 300])),
        due_s=draw(st.sampled_from([None, 300, 900])),
        late_weight=draw(st.integers(0, 20)),
        drop_penalty=draw(st.sampled_from([500, 100_000, 1_000_000])),
        allowed=draw(st.none() | st.none() | everyone),
        aboard=aboard,
        last_slot=draw(_seldom(st.integers(0, slots - 1))),
        goods=draw(st.none() | classes),
    )


@st.composite
def _slot(
    draw: st.DrawFn,
    number: int,
    nodes: int,
    profiles: int,
    goods: GoodsRules | None,
    sizes: Sequence[int],
    electric: bool,
) -> Slot:
    room = draw(st.integers(2, 9))
    carried = set[int]()
    if goods is not None:
        carried = draw(st.sets(st.integers(0, len(goods.follow) - 1), max_size=2))
    return Slot(
        id=f"v{number}",
        profile=draw(st.integers(0, profiles - 1)),
        start=draw(st.integers(0, nodes - 2)),
        ready_s=draw(st.integers(0, 300)),
        end=draw(_seldom(st.integers(0, nodes - 2))),
        capacity=tuple(room * size for size in sizes),
        shift_end_s=draw(_seldom(st.integers(500, 3000))),
        range_m=draw(_seldom(st.integers(500, 4000))),
        price=draw(st.sampled_from([0, 0, 500])),
        carried=tuple(sorted(carried)),
        breaks=draw(_breaks()),
        battery=draw(_battery()) if electric and draw(st.integers(0, 3)) else None,
    )


@st.composite
def _breaks(draw: st.DrawFn) -> tuple[Break, ...]:
    made: list[Break] = []
    after_s = 0
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        earliest_s = after_s + draw(st.integers(0, 600))
        latest_s = earliest_s + draw(st.sampled_from([0, 100, 900]))
        pause = Break(earliest_s=earliest_s, latest_s=latest_s, duration_s=draw(st.integers(0, 90)))
        made.append(pause)
        after_s = latest_s + pause.duration_s
    return tuple(made)


@st.composite
def _battery(draw: st.DrawFn) -> Battery:
    capacity_j = draw(st.integers(500, 4000))
    return Battery(
        capacity_j=capacity_j,
        now_j=draw(st.sampled_from([capacity_j, capacity_j * 2 // 3, capacity_j // 4])),
        reserve_j=draw(st.sampled_from([0, capacity_j // 10])),
        per_m_j=draw(st.integers(0, 2)),
        per_s_j=draw(st.integers(0, 1)),
        charge_j_s=draw(st.sampled_from([1, 7, 50])),
    )


@st.composite
def _charger(draw: st.DrawFn, nodes: int, slots: int) -> Charger:
    places = draw(st.integers(1, 2))
    return Charger(
        node=draw(st.integers(0, nodes - 1)),
        places=places,
        slots=draw(st.none() | st.lists(st.integers(0, slots - 1), unique=True).map(tuple)),
        free_s=tuple(draw(st.lists(st.integers(0, 900), max_size=places))),
        full=draw(st.sampled_from([False, False, True])),
    )


def _promised(draw: st.DrawFn, slots: list[Slot], requests: list[Request]) -> list[Slot]:
    """Some slots begin with stops of one or two requests that nobody else has."""
    told: dict[int, list[Visit]] = {}
    for request in requests:
        if draw(st.integers(0, 4)):
            continue
        number = draw(st.integers(0, len(slots) - 1)) if request.aboard is None else request.aboard
        first = draw(st.integers(1, len(request.stops)))
        if len(told.get(number, [])) < 3:
            told.setdefault(number, []).extend(Visit(request.id, n) for n in range(first))
    return [replace(slot, committed=tuple(told.get(n, ()))) for n, slot in enumerate(slots)]


@st.composite
def _charges(
    draw: st.DrawFn, problem: Problem, number: int, route: tuple[Visit, ...]
) -> tuple[Charge, ...]:
    battery = problem.slots[number].battery
    if battery is None or not problem.chargers:
        return ()
    spots = draw(st.lists(st.integers(0, len(route)), unique=True, max_size=2))
    filled_s = -(-(battery.capacity_j - battery.now_j) // battery.charge_j_s)
    return tuple(
        Charge(
            before=spot,
            charger=draw(st.integers(0, len(problem.chargers) - 1)),
            charge_s=draw(st.sampled_from([0, 5, filled_s // 2, filled_s])),
            wait_s=draw(st.sampled_from([0, 0, 120])),
        )
        for spot in sorted(spots)
    )
