"""What stops a request in each route: the position where the least is missing."""

import numpy as np

from routing.search.compiled import kernel
from routing.search.flat import COUNT, FIRST, Flat, Whole
from routing.search.rate import rate
from routing.search.spot import Spot
from routing.search.tour import Tour
from routing.search.work import DIMENSION


@kernel
def nearest_miss(
    flat: Flat, tour: Tour, slot: int, request: int, spot: Spot, missed: Whole
) -> float:
    """Try a request's stops together at each position of a route; keep the nearest miss.

    Args:
        missed: gets by how much each rule is broken there; as few rules as can be, then by the
            smallest amount. Entry 0 is the dimension of capacity that is short.

    Returns:
        The lowest extra price where no rule is broken; infinity = there is no such position.
    """
    first, count = flat.requests[request, FIRST], flat.requests[request, COUNT]
    size, route, trial = tour.size[slot], tour.route[slot], spot.trial
    least_rules, least_amount, extra = int(np.int64(1 << 30)), int(np.int64(1 << 60)), np.inf
    for i in range(tour.head[slot], size + 1):
        for k in range(size + count):
            if k < i:
                trial[k] = route[k]
            elif k < i + count:
                trial[k] = first + k - i
            else:
                trial[k] = route[k - count]
        price = rate(flat, slot, trial, size + count, tour.work)
        if price < np.inf:
            extra = min(extra, price - tour.cost[slot])
            continue
        rules, amount = int(np.int64(0)), int(np.int64(0))
        for code in range(len(missed)):
            if tour.work.missed[code] > 0:
                rules += 1
                amount += tour.work.missed[code]
        if rules < least_rules or (rules == least_rules and amount < least_amount):
            least_rules, least_amount = rules, amount
            for code in range(len(missed)):
                missed[code] = tour.work.missed[code]
            missed[0] = tour.work.facts[DIMENSION]
    return extra
