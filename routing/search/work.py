"""What rating a route finds out, and the room it needs for that."""

from typing import NamedTuple

import numpy as np

from routing.search.flat import Flags, Flat, Real, Whole

NOWHERE = 1_000_000_000
"""A leg that takes this long can't be driven (`routing.roads.paths.UNREACHABLE_S`)."""

CODES = (
    "",
    "not_allowed",
    "unreachable",
    "over_capacity",
    "battery_range",
    "window_missed",
    "shift_over",
    "battery_low",
    "break_missed",
    "unwashed",
    "may_not_share",
)
(
    NONE,
    NOT_ALLOWED,
    UNREACHABLE,
    OVER_CAPACITY,
    OUT_OF_RANGE,
    WINDOW_MISSED,
    SHIFT_OVER,
    BATTERY_LOW,
    BREAK_MISSED,
    UNWASHED,
    MAY_NOT_SHARE,
) = range(len(CODES))

DIRECT, LOADED, WASHED = range(3)


class Work(NamedTuple):
    """What rating a route of n stops finds out on its way; overwritten by the next one.

    way (L): which table each leg is driven by; ends (L): a request is finished here; begin (L):
    when service begins; load (L, D): on board after it; left (R), on_board (G), here (D):
    scratch; missed (len(CODES)): by how much each rule is broken; facts: named below; held (L):
    goods are on board on the leg; plug, plugged_s (L): charger on the way to each stop, -1 =
    none, and for how long; need, labels, label_price: scratch of `routing.search.recharge`.
    """

    way: Whole
    ends: Flags
    begin: Whole
    load: Whole
    left: Whole
    on_board: Whole
    here: Whole
    missed: Whole
    facts: Whole
    held: Flags
    plug: Whole
    plugged_s: Whole
    need: Whole
    labels: Whole
    label_price: Real


# entries of Work.facts
ANY_FREE, REQUESTS, METRES, ENERGY, LOW, DIMENSION = range(6)


LABELS = 8
"""How many ways of charging are followed up to each stop."""
LABEL_COLUMNS = 8


def make_work(flat: Flat, longest: int) -> Work:
    """Room for routes of up to ``longest`` stops."""
    dimensions = flat.at_start.shape[1]
    return Work(
        way=np.zeros(longest + 1, dtype=np.int64),
        ends=np.zeros(longest + 1, dtype=np.bool_),
        begin=np.zeros(longest + 2, dtype=np.int64),
        load=np.zeros((longest + 1, dimensions), dtype=np.int64),
        left=np.zeros(len(flat.requests) + 1, dtype=np.int64),
        on_board=np.zeros(flat.goods_at_start.shape[1] + 1, dtype=np.int64),
        here=np.zeros(dimensions + 1, dtype=np.int64),
        missed=np.zeros(len(CODES), dtype=np.int64),
        facts=np.zeros(6, dtype=np.int64),
        held=np.zeros(longest + 2, dtype=np.bool_),
        plug=np.full(longest + 2, -1, dtype=np.int64),
        plugged_s=np.zeros(longest + 2, dtype=np.int64),
        need=np.zeros(longest + 2, dtype=np.int64),
        labels=np.zeros((longest + 2, LABELS + 1, LABEL_COLUMNS), dtype=np.int64),
        label_price=np.zeros((longest + 2, LABELS + 1)),
    )
