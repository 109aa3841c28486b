"""Fewer vehicles: close a route, and find room for its requests in the others.

Absence counters of Christiaens & Vanden Berghe (Transportation Science 54(2), 2020): whoever was
left out often weighs more, so the search does not always leave out the same ones.
"""

import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from routing.search.anneal import ABSENT, make_search, squeeze
from routing.search.board import Board, Route
from routing.search.flat import DROP, Flat
from routing.solving.ruin_recreate import CHUNK, CHUNK_S, HOT, Effort, step_price

HEAT = 0.3
"""Temperature while routes are closed, as a share of the first one of
`routing.solving.ruin_recreate`."""
WEIGHT = 1.0
"""Price of having been left out once, in average steps."""
PATIENCE = 1500
"""Rounds in which room has to be found for one route, before another one is closed instead."""
MORE_PATIENCE = 3
"""How much longer the next one gets."""


def fewer(board: Board, effort: Effort, seed: int) -> list[Route]:
    """Close one route after the other, as long as all that was planned stays planned.

    Returns:
        Routes that plan the same requests with as few vehicles as were found.
    """
    best, left = board.routes(), _Left(effort)
    if _left_out(board):
        return best
    absences = np.ones(len(board.flat.requests))
    step = max(1.0, step_price(board))
    patience = PATIENCE
    while left and (slot := _weakest(board, best, absences)) is not None:
        board.lay(best)
        board.set(slot, ())
        if _find_room(board, absences, step, left, patience, seed):
            best, patience = board.routes(), PATIENCE
        else:
            patience *= MORE_PATIENCE
        seed += 1
    return best


class _Left:
    """What is left of an effort, in steps that are short enough to look at the clock."""

    def __init__(self, effort: Effort) -> None:
        self._rounds = effort.rounds
        self._until_s = None if effort.cpu_s is None else time.process_time() + effort.cpu_s
        self._chunk = CHUNK if effort.cpu_s is None else 5

    def __bool__(self) -> bool:
        return self._rounds > 0 if self._until_s is None else time.process_time() < self._until_s

    def steps(self, most: int) -> Iterator[int]:
        """Numbers of rounds to be made, ``most`` in all."""
        while self and most > 0:
            chunk = min(self._chunk, most, *(() if self._until_s else (self._rounds,)))
            since_s = time.process_time()
            yield chunk
            most -= chunk
            self._rounds -= chunk
            if self._until_s is not None:
                pace = chunk / max(1e-5, time.process_time() - since_s)
                self._chunk = max(1, int(pace * CHUNK_S))


def _left_out(board: Board) -> list[int]:
    placed = board.placed()
    return [n for n in range(len(board.flat.requests)) if n not in placed]


def _find_room(
    board: Board,
    absences: NDArray[np.float64],
    step: float,
    left: _Left,
    patience: int,
    seed: int,
) -> bool:
    """Put everything that is in no route into those that aren't empty, if that can be found."""
    closed = _closed(board, board.flat, absences, WEIGHT * step)
    search = make_search(board, seed)
    search.price[0] = float(board.tour.cost.sum() + closed.prices[_left_out(board), DROP].sum())
    for rounds in left.steps(patience):
        squeeze(closed, search, absences, rounds, HEAT * HOT * step, WEIGHT * step)
        if search.counts[ABSENT] == 0:
            break
    return bool(search.counts[ABSENT] == 0)


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
