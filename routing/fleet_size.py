"""Fewer vehicles: close a route, and find room for its requests in the others.

Absence counters of Christiaens & Vanden Berghe (Transportation Science 54(2), 2020): whoever was
left out often weighs more, so the search does not always leave out the same ones.
"""

import time

import numpy as np
from numpy.typing import NDArray

from routing.ruin_recreate import CHUNK, CHUNK_S, HOT, Effort, step_price
from routing.search.anneal import make_search, squeeze
from routing.search.board import Board, Route
from routing.search.flat import DROP, Flat

HEAT = 0.3
"""Temperature while routes are closed, as a share of the first one of `routing.ruin_recreate`."""
WEIGHT = 5.0
"""Price of having been left out once, in average steps."""


def fewer(board: Board, effort: Effort, seed: int) -> list[Route]:
    """Close one route after the other, as long as all that was planned stays planned.

    Returns:
        Routes that plan the same requests with as few vehicles as were found.
    """
    flat, best = board.flat, board.routes()
    absences = np.ones(len(flat.requests))
    step = max(1.0, step_price(board))
    until_s = None if effort.cpu_s is None else time.process_time() + effort.cpu_s
    left = effort.rounds
    left_out = [n for n in range(len(flat.requests)) if n not in board.placed()]
    while not left_out:
        slot = _weakest(board, best, absences)
        if slot is None:
            break
        board.lay(best)
        board.set(slot, ())
        closed = _closed(board, flat, absences, WEIGHT * step)
        search = make_search(board, seed)
        search.price[0] = float(board.tour.cost.sum()) + sum(
            closed.prices[n, DROP] for n in range(len(flat.requests)) if n not in board.placed()
        )
        chunk = CHUNK if until_s is None else 5
        while search.counts[0] > 0:
            if until_s is None:
                chunk = min(chunk, left)
            elif time.process_time() > until_s:
                chunk = 0
            if chunk <= 0:
                return best
            since_s = time.process_time()
            squeeze(closed, search, absences, chunk, HEAT * HOT * step, WEIGHT * step)
            left -= chunk
            if until_s is not None:
                pace = chunk / max(1e-5, time.process_time() - since_s)
                chunk = max(1, int(pace * CHUNK_S))
        best = board.routes()
        seed += 1
    return best


def _weakest(board: Board, routes: list[Route], absences: NDArray[np.float64]) -> int | None:
    """The slot whose requests were absent least, of those that could stay idle; or None."""
    best: tuple[float, int] | None = None
    for slot, route in enumerate(routes):
        requests = {board.request(stop) for stop in route}
        if not requests or any(board.flat.requests[n, 7] >= 0 for n in requests):
            continue
        if board.flat.slot_price[slot] > 0:
            key = float(sum(absences[n] for n in requests)), slot
            best = key if best is None or key < best else best
    return None if best is None else best[1]


def _closed(
    board: Board,
    flat: Flat,
    absences: NDArray[np.float64],
    weight: float,
) -> Flat:
    """The same problem in which idle slots stay idle, and absences are what is paid for."""
    idle = board.tour.size == 0
    prices = flat.prices.copy()
    prices[:, DROP] = weight * absences
    allowed = flat.allowed & ~idle[None, :]
    return flat._replace(prices=prices, allowed=allowed)
