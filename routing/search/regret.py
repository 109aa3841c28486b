"""Insertion by regret: who loses most by waiting goes first.

Potvin & Rousseau, European Journal of Operational Research 66(3), 1993: regret = what a request
costs in its second-best route, less what it costs in its best.
"""

import numpy as np

from routing.search.compiled import kernel
from routing.search.flat import DROP, Flat, Real, Whole
from routing.search.place import place, place_anywhere, put
from routing.search.spot import Spot
from routing.search.tour import Tour


@kernel
def fill(
    flat: Flat, tour: Tour, waiting: Whole, many: int, extra: Real, spot: Spot, dice: Whole
) -> int:
    """Put requests into routes, as many as are worth their price.

    Args:
        waiting: the requests; those that find no place come first in it afterwards.
        extra: (R, V) scratch.
        dice: without blinks (``dice[1]`` is large).

    Returns:
        How many found no place.
    """
    slots = len(tour.size)
    if many == 1:  # nobody to compare with: only the cheapest place matters
        spot.extra[0], spot.at[0] = flat.prices[waiting[0], DROP], -1
        place_anywhere(flat, tour, waiting[0], spot, dice)
        if spot.at[0] < 0:
            return 1
        put(flat, tour, waiting[0], spot)
        return 0
    for n in range(many):
        for slot in range(slots):
            extra[waiting[n], slot] = _price(flat, tour, slot, waiting[n], spot, dice)
    left = int(np.int64(0))
    while many > 0:
        chosen, best_slot = int(np.int64(0)), int(np.int64(-1))
        best_regret, best_extra = -2.0, np.inf
        for n in range(many):
            refused = flat.prices[waiting[n], DROP]
            first, second, where = refused, refused, int(np.int64(-1))
            for slot in range(slots):
                price = extra[waiting[n], slot]
                if price < first:
                    first, second, where = price, first, slot
                elif price < second:
                    second = price
            regret = second - first if where >= 0 else -1.0
            if regret > best_regret or (regret == best_regret and first < best_extra):
                chosen, best_slot, best_regret, best_extra = n, where, regret, first
        request = waiting[chosen]
        many -= 1
        if best_slot < 0:  # nobody else has a place either
            waiting[chosen], waiting[many] = waiting[many], request
            left += 1
            continue
        waiting[chosen] = waiting[many]
        spot.extra[0] = np.inf
        place(flat, tour, best_slot, request, spot, dice)
        put(flat, tour, request, spot)
        for n in range(many):
            extra[waiting[n], best_slot] = _price(flat, tour, best_slot, waiting[n], spot, dice)
    return left


@kernel
def _price(flat: Flat, tour: Tour, slot: int, request: int, spot: Spot, dice: Whole) -> float:
    spot.extra[0] = np.inf
    place(flat, tour, slot, request, spot, dice)
    return spot.extra[0]
