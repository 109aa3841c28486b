"""Ruin and recreate: the search that makes good plans of valid ones, as long as it may.

Strings of neighbouring visits are torn out and put back greedily (`routing.search.ruin`), and
segments exchanged between routes (`routing.search.exchange`); the result is kept by simulated
annealing. All rounds are compiled; here is what surrounds them: budgets, temperatures, and the
pool of good routes for `routing.solving.partition`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from routing.search.anneal import Search, anneal, best_of, make_search
from routing.search.board import Board, Route
from routing.search.flat import FLOW, KIND, METRE, READY

HOT = 3.0
"""First temperature of `ROUTES`, in prices of an average step from one stop to the next."""
LONG_S = 4.0
"""Searches of so many processor seconds begin with several heats."""
HEATS_SHARE = 0.4
"""The share of the effort that all heats have together."""
GENTLE = 3.0
"""By how much less the search is heated up again behind them."""
NEXT_SEED = 1_000_003
"""Between the seeds of two heats."""
CHUNK = 100
"""Rounds between two looks at the routes, when rounds are counted."""
CHUNK_S = 0.02
"""Processor time between two looks at the clock."""
POOL = 12_000
"""Most routes that are remembered; the oldest are forgotten first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cooling:
    """How a search cools down.

    Args:
        hot: first temperature, in prices of an average step from one stop to the next.
        cold: last temperature, as a share of the first.
        trades: exchanges of segments tried after each round of ruin and recreate.
        heats: short searches with which a long one begins; the best one's routes go on.
    """

    hot: float
    cold: float
    trades: int
    heats: int = 1

    def gently(self) -> "Cooling":
        """From less heat to the same cold, for routes that are good already."""
        return replace(self, hot=self.hot / GENTLE, cold=self.cold * GENTLE)


ROUTES = Cooling(hot=HOT, cold=0.01, trades=20, heats=3)
"""Where ways count: the last temperature is that of Christiaens & Vanden Berghe (2020)."""
QUEUES = Cooling(hot=0.5, cold=0.1, trades=1000)
"""Where only time counts, a route is a queue, and changing places does most of the work."""


@dataclass(slots=True)
class Pool:
    """Good routes seen on the way, cheapest order for each set of requests: price by key."""

    routes: dict[tuple[int, frozenset[int]], tuple[float, tuple[int, ...]]] = field(
        default_factory=dict[tuple[int, frozenset[int]], tuple[float, tuple[int, ...]]]
    )

    def add(self, board: Board) -> None:
        """Remember the routes that are on the board."""
        kinds = board.flat.slots[:, KIND]
        for slot, route in enumerate(board.routes()):
            if not route:
                continue
            key = int(kinds[slot]), frozenset(route)
            price = float(board.tour.cost[slot])
            known = self.routes.pop(key, None)
            kept = known if known is not None and known[0] <= price else (price, tuple(route))
            self.routes[key] = kept
        while len(self.routes) > POOL:
            del self.routes[next(iter(self.routes))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long to search: rounds, or processor seconds if ``cpu_s`` is given."""

    rounds: int = 0
    cpu_s: float | None = None


def improve(board: Board, effort: Effort, seed: int, pool: Pool | None = None) -> list[Route]:
    """Search on from the routes on the board; the best routes found, never dearer than those.

    A long search begins with several short ones and goes on from the best of them, because what
    was decided while it was hot, such as the number of routes, is hard to change when it is cool.

    Args:
        pool: gets the routes that are seen at every look.
    """
    cooling = QUEUES if board.flat.weights[METRE] == 0 else ROUTES
    if effort.cpu_s is None or effort.cpu_s < LONG_S or cooling.heats == 1:
        return _search(board, effort, cooling, seed, pool)
    until_s = time.process_time() + effort.cpu_s
    heat = Effort(cpu_s=effort.cpu_s * HEATS_SHARE / cooling.heats)
    first, found = board.routes(), list[tuple[float, list[Route]]]()
    for n in range(cooling.heats):
        board.lay(first)
        board.lay(_search(board, heat, cooling, seed + n * NEXT_SEED, pool))
        found.append((board.price(), board.routes()))
    board.lay(min(found)[1])
    rest = Effort(cpu_s=max(0.0, until_s - time.process_time()))
    return _search(board, rest, cooling.gently(), seed + cooling.heats * NEXT_SEED, pool)


def _search(
    board: Board, effort: Effort, cooling: Cooling, seed: int, pool: Pool | None
) -> list[Route]:
    search = make_search(board, seed)
    if len(board.flat.stops) > 0:
        look = (lambda: pool.add(board)) if pool is not None else None
        _cool(board, search, effort, cooling, look)
    return best_of(search)


def _cool(
    board: Board,
    search: Search,
    effort: Effort,
    cooling: Cooling,
    look: Callable[[], None] | None,
) -> None:
    hot = max(1e-6, cooling.hot * step_price(board))
    began_s = time.process_time()
    done, chunk, share = 0, CHUNK if effort.cpu_s is None else 5, 0.0
    if effort.cpu_s is not None and effort.cpu_s <= 0:
        return
    while share < 1:
        since_s = time.process_time()
        if effort.cpu_s is None:
            chunk = min(chunk, effort.rounds - done)
            ahead = (done + chunk) / effort.rounds if effort.rounds else 1.0
        else:
            ahead = min(1.0, share + CHUNK_S / effort.cpu_s)
        if chunk > 0:
            heat = [hot * cooling.cold**at for at in (share, ahead)]
            anneal(board.flat, search, chunk, heat[0], heat[1], cooling.trades)
        done += chunk
        if look is not None:
            look()
        now_s = time.process_time()
        if effort.cpu_s is None:
            share = ahead
        else:
            share = (now_s - began_s) / effort.cpu_s
            left_s = effort.cpu_s - (now_s - began_s)
            pace = chunk / max(now_s - since_s, 1e-5)
            chunk = max(1, int(pace * min(CHUNK_S, max(left_s, 0.0))))


def step_price(board: Board) -> float:
    """What an average step from one stop to the next costs one vehicle, in metres and in time."""
    flat, tour = board.flat, board.tour
    price = 0.0
    for slot, size in enumerate(tour.size.tolist()):
        if size:
            busy_s = int(tour.leave[slot, size] - flat.slots[slot, READY])
            price += flat.weights[METRE] * int(tour.metres[slot]) + flat.weights[FLOW] * busy_s
    return float(price / max(1, len(flat.stops)))
