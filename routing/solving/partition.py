"""The best plan that can be put together from routes seen before: set partitioning by CP-SAT.

First the linear relaxation, by GLOP: it gives a bound, and for each column what it costs more than
it should (its reduced cost). A column whose reduced cost is more than the gap between the bound
and the best answer is in no better answer. Then CP-SAT on the few columns of the least reduced
cost, and on twice as many, until they are all that is left: then the answer is the best there is.

Measured with 200 requests and 25 to 40 slots, the last 2000 to 6000 routes of a search, and its
best plan as the hint: GLOP takes 0.05 to 0.2 s, rounds up to 600 columns 0.05 s together, up to
1200 columns 0.1 to 0.8 s. That makes 0.2 to 1.8 % less than the hint within a second, in five of
six pools. Done in 0.15 s with 5 kinds of slots and in 0.3 s with 25; with one kind, or flow
prices, the last rounds would take more than 3 s, for another 0.3 %. CP-SAT as it comes found
nothing there in 6 s: it needs the linear relaxation (``linearization_level=2``), and its presolve
costs two to five times what it saves.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ortools.linear_solver import pywraplp
from ortools.sat.python import cp_model

FIRST = 300
"""Columns of the first round; each other round has twice as many as the one before."""
RELAXING_S = 1.0
"""Deterministic seconds that the relaxation has at least."""
LARGEST_SUM = 2**50
"""Prices are made coarser if they add up to more: the relaxation counts in floating point."""
FINEST = 1000
"""Reduced costs are counted in so many parts of a price, if these aren't too large."""


@dataclass(frozen=True, slots=True)
class Column:
    """A route: slots of one kind could do all its requests, at its price.

    Args:
        kind: of interchangeable slots; index into the numbers of slots.
        requests: their numbers, each once.
    """

    kind: int
    requests: tuple[int, ...]
    price: int


def select(
    columns: Sequence[Column],
    requests: int,
    kinds: Sequence[int],
    drop_price: Sequence[int],
    hint: Sequence[int] | None = None,
    *,
    deterministic_s: float,
    seed: int = 0,
    cpu_limit_s: float | None = None,
) -> list[int] | None:
    """The cheapest choice of columns that does each request once, or drops it at its price.

    Args:
        requests: how many there are.
        kinds: how many slots there are of each kind; no more columns of it are chosen.
        drop_price: of each request.
        hint: the best choice known, as indexes; None = everything is dropped.
        deterministic_s: CP-SAT's own measure of work, about one second of a fast machine; the
            same answer on any machine, as long as ``cpu_limit_s`` is not reached.
        cpu_limit_s: by the wall's clock.

    Returns:
        Indexes of columns in ascending order; None = nothing better than the hint was found.

    Raises:
        ValueError: the hint does a request twice, or uses more slots of a kind than there are.
    """
    hint = () if hint is None else hint
    if not _may_be(columns, kinds, hint):
        raise ValueError(f"no choice of columns: {hint}")
    until_s = None if cpu_limit_s is None else time.perf_counter() + cpu_limit_s
    search = _Search(_Pool(columns, requests, kinds, drop_price), hint, seed)
    search.run(deterministic_s, until_s)
    best = sorted(search.best)
    cheaper = _price(columns, drop_price, best) < _price(columns, drop_price, hint)
    return best if cheaper else None


def _may_be(columns: Sequence[Column], kinds: Sequence[int], chosen: Iterable[int]) -> bool:
    done, left = set[int](), list(kinds)
    for column in (columns[index] for index in chosen):
        left[column.kind] -= 1
        if left[column.kind] < 0 or not done.isdisjoint(column.requests):
            return False
        done.update(column.requests)
    return True


def _price(columns: Sequence[Column], drop_price: Sequence[int], chosen: Iterable[int]) -> int:
    chosen = list(chosen)
    done = {request for index in chosen for request in columns[index].requests}
    dropped = sum(price for request, price in enumerate(drop_price) if request not in done)
    return dropped + sum(columns[index].price for index in chosen)


class _Pool:
    """Columns without those that are never needed, and prices of a size that solvers like."""

    def __init__(
        self,
        columns: Sequence[Column],
        requests: int,
        kinds: Sequence[int],
        drop_price: Sequence[int],
    ) -> None:
        self.columns = columns
        self.kinds = kinds
        self.requests = requests
        self.cheapest: dict[tuple[int, frozenset[int]], int] = {}
        for index, column in enumerate(columns):
            key = column.kind, frozenset(column.requests)
            known = self.cheapest.setdefault(key, index)
            if column.price < columns[known].price:
                self.cheapest[key] = index
        self.kept = sorted(index for (_, done), index in self.cheapest.items() if done)
        most = sum(
            sum(sorted(columns[i].price for i in self.kept if columns[i].kind == kind)[-count:])
            for kind, count in enumerate(kinds)
            if count
        )
        drops = _tamed(drop_price, most)
        coarse = -(-(most + sum(drops)) // LARGEST_SUM) or 1
        self.price = {index: columns[index].price // coarse for index in self.kept}
        self.drop = [price // coarse for price in drops]
        self.sum = (most + sum(drops)) // coarse + 1

    def stand_in(self, index: int) -> int:
        """The cheapest column that does the same."""
        column = self.columns[index]
        return self.cheapest[column.kind, frozenset(column.requests)]

    def total(self, chosen: Iterable[int]) -> int:
        """Price of a choice, all that it drops included."""
        done = {request for index in chosen for request in self.columns[index].requests}
        dropped = sum(price for request, price in enumerate(self.drop) if request not in done)
        return dropped + sum(self.price[index] for index in chosen)


def _tamed(drop_price: Sequence[int], most: int) -> list[int]:
    """Drop prices that tell the same story without their distance.

    What costs more to drop than everything that is cheaper together, costs one more than that;
    what comes after it, in proportion.

    Args:
        most: that chosen columns can cost.
    """
    tamed = [0] * len(drop_price)
    below = true_below = most
    up, down = 1, 1
    for request in sorted(range(len(drop_price)), key=lambda n: drop_price[n]):
        price = drop_price[request]
        if price > true_below:
            up, down = below + 1, price
        tamed[request] = -(-price * up // down)
        below, true_below = below + tamed[request], true_below + price
    return tamed


class _Search:
    """One search for a better choice. ``best`` is the best one so far, and ``total`` its price."""

    def __init__(self, pool: _Pool, hint: Iterable[int], seed: int) -> None:
        self.pool = pool
        self.seed = seed
        self.best = [i for i in map(pool.stand_in, hint) if pool.columns[i].requests]
        self.total = pool.total(self.best)

    def run(self, deterministic_s: float, until_s: float | None) -> None:
        """Look at more and more columns, until these are all or time is up."""
        bound = _relaxed(self.pool, deterministic_s, _left_s(until_s))
        if bound is None:
            return
        ranked = sorted(self.pool.kept, key=lambda index: (bound.extra[index], index))
        count, left = FIRST, deterministic_s
        while left > 0 and (until_s is None or time.perf_counter() < until_s):
            worth = bound.cheaper(ranked, self.total)
            left -= self._round(worth[:count], left, _left_s(until_s))
            if count >= len(worth):
                return
            count *= 2

    def _round(self, columns: list[int], deterministic_s: float, limit_s: float | None) -> float:
        """Ask CP-SAT for the best choice of some columns; what that took, by its measure."""
        live = sorted({*columns, *self.best})
        model = cp_model.CpModel()
        chosen = {index: model.new_bool_var("") for index in live}
        dropped = [model.new_bool_var("") for _ in range(self.pool.requests)]
        rows: list[list[Any]] = [[variable] for variable in dropped]
        slots: list[list[Any]] = [[] for _ in self.pool.kinds]
        for index, variable in chosen.items():
            slots[self.pool.columns[index].kind].append(variable)
            for request in self.pool.columns[index].requests:
                rows[request].append(variable)
        for row in rows:
            model.add_exactly_one(row)
        for variables, count in zip(slots, self.pool.kinds, strict=True):
            if len(variables) > count:
                model.add(sum(variables) <= count)
        prices = [*(self.pool.price[index] for index in live), *self.pool.drop]
        variables = [*chosen.values(), *dropped]
        model.minimize(cp_model.LinearExpr.weighted_sum(variables, prices))
        done = {request for index in self.best for request in self.pool.columns[index].requests}
        for index, variable in chosen.items():
            model.add_hint(variable, index in self.best)
        for request, variable in enumerate(dropped):
            model.add_hint(variable, request not in done)
        solver = self._solver(deterministic_s, limit_s)
        if solver.solve(model) in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            found = [index for index, variable in chosen.items() if solver.boolean_value(variable)]
            if (total := self.pool.total(found)) < self.total:
                self.best, self.total = found, total
        return solver.response_proto.deterministic_time

    def _solver(self, deterministic_s: float, limit_s: float | None) -> Any:
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = self.seed % 2**31
        solver.parameters.max_deterministic_time = deterministic_s
        if limit_s is not None:
            solver.parameters.max_time_in_seconds = max(0.0, limit_s)
        solver.parameters.linearization_level = 2
        solver.parameters.cp_model_presolve = False
        return solver


@dataclass(frozen=True, slots=True)
class _Bound:
    """What any choice costs at least, and how much more if it has a certain column.

    Args:
        parts: of a price, in which both are counted.
    """

    least: int
    extra: dict[int, int]
    parts: int

    def cheaper(self, columns: Iterable[int], total: int) -> list[int]:
        """Those that may be in a choice that costs less than ``total``."""
        limit = self.parts * (total - 1) - self.least
        return [index for index in columns if self.extra[index] <= limit]


def _relaxed(pool: _Pool, deterministic_s: float, limit_s: float | None) -> _Bound | None:
    """The bound from the linear relaxation; None = it can't be had in that time."""
    solver = pywraplp.Solver.CreateSolver("GLOP")
    limit = max(deterministic_s, RELAXING_S)
    solver.SetSolverSpecificParametersAsString(f"max_deterministic_time: {limit}")
    if limit_s is not None:
        solver.SetTimeLimit(max(1, int(limit_s * 1000)))
    rows = [solver.Constraint(1, 1) for _ in range(pool.requests)]
    slots = [solver.Constraint(0, count) for count in pool.kinds]
    objective = solver.Objective()
    unit = max([1, *pool.price.values(), *pool.drop])  # with prices of 10^9, GLOP gives up
    for request, price in enumerate(pool.drop):
        variable = solver.NumVar(0, 1, "")
        objective.SetCoefficient(variable, price / unit)
        rows[request].SetCoefficient(variable, 1)
    for index in pool.kept:
        variable = solver.NumVar(0, 1, "")
        objective.SetCoefficient(variable, pool.price[index] / unit)
        slots[pool.columns[index].kind].SetCoefficient(variable, 1)
        for request in pool.columns[index].requests:
            rows[request].SetCoefficient(variable, 1)
    objective.SetMinimization()
    if solver.Solve() != pywraplp.Solver.OPTIMAL:
        return None
    parts = max(1, min(FINEST, LARGEST_SUM // pool.sum))
    worth = [round(row.dual_value() * unit * parts) for row in rows]
    rent = [min(0, round(row.dual_value() * unit * parts)) for row in slots]
    return _bound(pool, worth, rent, parts)


def _bound(pool: _Pool, worth: list[int], rent: list[int], parts: int) -> _Bound:
    """The bound that follows from what each request is worth, and a slot costs (below zero).

    It holds for any such prices, so it does for the relaxation's rounded ones.

    Source: Lagrangian duality; fixing by reduced cost.
    """
    least = sum(worth) + sum(a * b for a, b in zip(rent, pool.kinds, strict=True))
    least += sum(min(0, a * parts - b) for a, b in zip(pool.drop, worth, strict=True))
    extra: dict[int, int] = {}
    for index in pool.kept:
        column = pool.columns[index]
        done = sum(worth[request] for request in column.requests)
        extra[index] = pool.price[index] * parts - done - rent[column.kind]
    least += sum(min(0, cost) for cost in extra.values())
    return _Bound(least, {index: max(0, cost) for index, cost in extra.items()}, parts)


def _left_s(until_s: float | None) -> float | None:
    return None if until_s is None else until_s - time.perf_counter()
