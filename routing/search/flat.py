"""A `Problem` as a few arrays of numbers, in the shape that kernels read fast.

One row per stop, request and slot; columns are named by the constants here. Whatever is missing
(no window, no shift, no end) is `FAR` or -1, so kernels need no special cases.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.problems.problem import Problem, Request, Slot, Stop, Table

FAR = 1 << 40
"""Later and farther than anything that happens; sums of a few thousand of it still fit."""

NEVER = 1_000_000_000 - 1
"""The last moment there is; whoever has to go where no way leads to is later."""

Whole = NDArray[np.int64]
Small = NDArray[np.int32]
Real = NDArray[np.float64]
Flags = NDArray[np.bool_]

# columns of Flat.stops; loads follow from LOAD on
NODE, SERVICE, EARLIEST, LATEST, OF, SPANS, SPANS_END, FREE, LOAD = range(9)
# columns of Flat.requests
FIRST, COUNT, FIXED, RELEASE, DUE, LAST_SLOT, ABOARD, BOUND, GOODS = range(9)
# columns of Flat.prices
LATE, DROP = range(2)
# columns of Flat.slots; capacity follows from CAPACITY on
PROFILE, START, END, READY, SHIFT_END, RANGE, KIND, CARRIED, BREAKS, BREAKS_END, CAPACITY = range(
    11
)
# columns of Flat.batteries
FULL, NOW, RESERVE, PER_M, PER_S, CHARGE = range(6)
# entries of Flat.weights
FLOW, METRE, CHANGE, IMBALANCE, TIMED, RICH, CHARGE_LOADED, PLAIN, STEADY = range(9)


class Flat(NamedTuple):
    """One problem. S stops, R requests, V slots, D dimensions, P profiles of N nodes.

    stops (S, 8 + D), requests (R, 9), prices (R, 2), allowed (R, V), slots (V, 10 + D),
    slot_price (V), at_start (V, D) load on board at the start, spans (C, 2) closed spans of
    stops, breaks (B, 3), batteries (V, 6) with FULL = -1 where there is none, chargers (K, 2) =
    node and whether it fills, plugs (K, V) who may use which; seconds, metres, loaded, washed_s,
    washed_m (P, N, N), relaxed = the least of all times; barred (2, G) masks of goods that must
    not have been carried before, or be on board together with, each class; goods_at_start (V, G)
    how many requests of each class are on board.
    """

    stops: Whole
    requests: Whole
    prices: Real
    allowed: Flags
    slots: Whole
    slot_price: Real
    at_start: Whole
    spans: Whole
    breaks: Whole
    batteries: Whole
    chargers: Whole
    plugs: Flags
    seconds: Small
    metres: Small
    loaded: Small
    washed_s: Small
    washed_m: Small
    relaxed: Small
    barred: Whole
    goods_at_start: Whole
    weights: Real


def flatten(problem: Problem) -> Flat:
    """The arrays of a problem that has at least one slot and one profile."""
    stops = [stop for request in problem.requests for stop in request.stops]
    spans = [span for stop in stops for span in stop.closed]
    breaks = [pause for slot in problem.slots for pause in slot.breaks]
    dimensions = len(problem.slots[0].capacity)
    seconds, metres, loaded, washed_s, washed_m, relaxed = _tables(problem)
    allowed = _allowed(problem)
    goods = problem.goods
    forbidden = [] if goods is None else [goods.follow, goods.share]
    barred = [
        [sum(1 << b for b, row in enumerate(rule) if not row[g]) for g in range(len(rule))]
        for rule in forbidden
    ]
    return Flat(
        stops=_stop_rows(problem, dimensions),
        requests=_request_rows(problem),
        prices=np.array(
            [(problem.late_price(r), problem.drop_price(r)) for r in problem.requests],
            dtype=np.float64,
        ).reshape(-1, 2),
        allowed=allowed,
        slots=_slot_rows(problem, allowed),
        slot_price=np.array([slot.price for slot in problem.slots], dtype=np.float64),
        at_start=_at_start(problem, dimensions),
        spans=np.array(spans, dtype=np.int64).reshape(-1, 2),
        breaks=np.array(
            [(b.earliest_s, b.latest_s, b.duration_s) for b in breaks], dtype=np.int64
        ).reshape(-1, 3),
        batteries=np.array([_battery_row(slot) for slot in problem.slots], dtype=np.int64),
        chargers=np.array([(c.node, c.full) for c in problem.chargers], dtype=np.int64).reshape(
            -1, 2
        ),
        plugs=np.array(
            [
                [c.slots is None or n in c.slots for n in range(len(problem.slots))]
                for c in problem.chargers
            ],
            dtype=np.bool_,
        ).reshape(-1, len(problem.slots)),
        seconds=seconds,
        metres=metres,
        loaded=loaded,
        washed_s=washed_s,
        washed_m=washed_m,
        relaxed=relaxed,
        barred=np.array(barred, dtype=np.int64).reshape(2, -1),
        goods_at_start=_goods_at_start(problem),
        weights=_weights(problem, rich=bool(spans or breaks) or loaded is not seconds),
    )


def _stop_rows(problem: Problem, dimensions: int) -> Whole:
    rows: list[tuple[int, ...]] = []
    spans = 0
    for number, request in enumerate(problem.requests):
        free = request.id not in problem.bound
        for stop in request.stops:
            rows.append(_stop_row(stop, request, number, spans, free=free))
            spans += len(stop.closed)
    return np.array(rows, dtype=np.int64).reshape(-1, LOAD + dimensions)


def _stop_row(
    stop: Stop, request: Request, number: int, spans: int, *, free: bool
) -> tuple[int, ...]:
    earliest_s = max(stop.earliest_s, request.release_s)
    latest_s = (NEVER if stop.latest_s is None else stop.latest_s) if free else FAR
    ends = spans + len(stop.closed)
    return (stop.node, stop.service_s, earliest_s, latest_s, number, spans, ends, free, *stop.load)


def _request_rows(problem: Problem) -> Whole:
    rows: list[tuple[int, ...]] = []
    first = 0
    for request in problem.requests:
        bound = problem.bound.get(request.id, -1)
        rows.append(
            (
                first,
                len(request.stops),
                request.fixed_order,
                request.release_s,
                FAR if request.due_s is None else request.due_s,
                -1 if request.last_slot is None else request.last_slot,
                -1 if request.aboard is None else request.aboard,
                bound,
                -1 if request.goods is None else request.goods,
            )
        )
        first += len(request.stops)
    return np.array(rows, dtype=np.int64).reshape(-1, 9)


def _allowed(problem: Problem) -> Flags:
    allowed = np.ones((len(problem.requests), len(problem.slots)), dtype=np.bool_)
    for number, request in enumerate(problem.requests):
        holder = problem.bound.get(request.id)
        named = request.allowed if holder is None else (holder,)
        if named is not None:
            allowed[number] = False
            allowed[number, list(named)] = True
    return allowed


def _slot_rows(problem: Problem, allowed: Flags) -> Whole:
    kinds: dict[object, int] = {}
    rows: list[tuple[int, ...]] = []
    breaks = 0
    named = {r.last_slot for r in problem.requests} | set(problem.bound.values())
    chargers = [set(c.slots) for c in problem.chargers if c.slots is not None]
    for number, slot in enumerate(problem.slots):
        own = number if number in named else -1
        plugs = tuple(number in slots for slots in chargers)
        looks = (_looks(slot), own, allowed[:, number].tobytes(), plugs)
        carried = slot.carried + tuple(
            r.goods for r in problem.requests if r.aboard == number and r.goods is not None
        )
        rows.append(
            (
                slot.profile,
                slot.start,
                -1 if slot.end is None else slot.end,
                slot.ready_s,
                NEVER if slot.shift_end_s is None else slot.shift_end_s,
                FAR if slot.range_m is None else slot.range_m,
                kinds.setdefault(looks, len(kinds)),
                sum(1 << goods for goods in set(carried)),
                breaks,
                breaks + len(slot.breaks),
                *slot.capacity,
            )
        )
        breaks += len(slot.breaks)
    return np.array(rows, dtype=np.int64)


def _looks(slot: Slot) -> object:
    """All that tells two idle vehicles apart, but for their names."""
    place = (slot.profile, slot.start, slot.ready_s, slot.end, slot.capacity)
    limits = (slot.shift_end_s, slot.range_m, slot.price, slot.carried, slot.breaks, slot.battery)
    return place, limits


def _at_start(problem: Problem, dimensions: int) -> Whole:
    load = np.zeros((len(problem.slots), dimensions), dtype=np.int64)
    for request in problem.requests:
        if request.aboard is not None:
            for stop in request.stops:
                load[request.aboard] -= np.array(stop.load, dtype=np.int64)
    return load


def _goods_at_start(problem: Problem) -> Whole:
    classes = 0 if problem.goods is None else len(problem.goods.follow)
    counts = np.zeros((len(problem.slots), classes), dtype=np.int64)
    for request in problem.requests:
        if request.aboard is not None and request.goods is not None:
            counts[request.aboard, request.goods] += 1
    return counts


def _battery_row(slot: Slot) -> tuple[int, ...]:
    b = slot.battery
    if b is None:
        return (-1, 0, 0, 0, 0, 0)
    return (b.capacity_j, b.now_j, b.reserve_j, b.per_m_j, b.per_s_j, b.charge_j_s)


def _tables(problem: Problem) -> tuple[Small, Small, Small, Small, Small, Small]:
    """All travel tables; those that are equal are one array, which keeps the caches small."""
    seconds = _stack([p.seconds for p in problem.profiles])
    same = all(p.metres is p.seconds for p in problem.profiles)
    metres = seconds if same else _stack([p.metres for p in problem.profiles])
    seconds = seconds if same else np.maximum(seconds, np.where(metres > NEVER, metres, 0))
    loaded, relaxed = seconds, seconds
    if any(p.loaded_s is not None for p in problem.profiles):
        loaded = _stack([p.loaded_s or p.seconds for p in problem.profiles])
        relaxed = np.minimum(seconds, loaded)
    washed_s = washed_m = np.zeros((0, 0, 0), dtype=np.int32)
    if problem.goods is not None:
        size = len(problem.profiles[0].seconds)
        nowhere: Table = ((1_000_000_000,) * size,) * size
        washed_s = _stack([p.washed_s or nowhere for p in problem.profiles])
        washed_m = _stack([p.washed_m or nowhere for p in problem.profiles])
        relaxed = np.minimum(relaxed, washed_s)
    return seconds, metres, loaded, washed_s, washed_m, relaxed


def _stack(tables: list[Table]) -> Small:
    return np.array(tables, dtype=np.int32)


def _leaves_load(request: Request) -> bool:
    """Whether a pair leaves something on board, which the quick look at places doesn't see."""
    if len(request.stops) != 2:
        return False
    one, two = request.stops
    return any(b > 0 or a + b > 0 for a, b in zip(one.load, two.load, strict=True))


def _steady(problem: Problem, *, timed: bool) -> bool:
    """Whether a plain route's price is a sum of its metres and of the times of its ends."""
    weights, requests = problem.weights, problem.requests
    if weights.imbalance or (weights.change and any(r.last_slot is not None for r in requests)):
        return False
    if not timed:
        return True
    ready_s = min(slot.ready_s for slot in problem.slots)
    opens_s = (max(stop.earliest_s, r.release_s) for r in requests for stop in r.stops)
    return all(r.due_s is None for r in requests) and all(at_s <= ready_s for at_s in opens_s)


def _weights(problem: Problem, *, rich: bool) -> Real:
    weights = problem.weights
    timed = weights.flow_s > 0 or any(r.due_s is not None for r in problem.requests)
    charging = any(slot.battery is not None for slot in problem.slots)
    rich = rich or charging or problem.goods is not None
    prices = (weights.flow_s, weights.metre, weights.change, weights.imbalance)
    rich = rich or any(_leaves_load(request) for request in problem.requests)
    short = all(len(r.stops) <= (2 if r.aboard is None else 1) for r in problem.requests)
    plain = short and not rich
    flags = (timed, rich, problem.charge_loaded, plain, plain and _steady(problem, timed=timed))
    return np.array((*prices, *flags), dtype=np.float64)
