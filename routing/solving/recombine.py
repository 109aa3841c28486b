"""A better plan out of routes seen before: the pool of a search, given to set partitioning."""

from routing.search.board import Board, Route
from routing.search.flat import KIND
from routing.solving import partition
from routing.solving.partition import Column
from routing.solving.ruin_recreate import Pool


def recombine(
    board: Board, pool: Pool, *, deterministic_s: float, cpu_limit_s: float | None, seed: int
) -> list[Route] | None:
    """The cheapest routes that can be chosen from the pool; None = none better than the board's.

    Args:
        deterministic_s, cpu_limit_s: see `routing.solving.partition.select`.
    """
    pool.add(board)
    slots_of: dict[int, list[int]] = {}
    for slot, kind in enumerate(board.flat.slots[:, KIND].tolist()):
        slots_of.setdefault(kind, []).append(slot)
    entries = list(pool.routes.items())
    index = {key: n for n, (key, _) in enumerate(entries)}
    columns = [
        Column(kind, tuple(sorted({board.request(stop) for stop in stops})), round(price))
        for (kind, stops), (price, _) in entries
    ]
    now = [
        index[kind, frozenset(route)]
        for route, kind in zip(board.routes(), board.flat.slots[:, KIND].tolist(), strict=True)
        if route
    ]
    problem = board.problem
    chosen = partition.select(
        columns,
        len(problem.requests),
        [len(slots_of.get(kind, ())) for kind in range(max(slots_of) + 1)],
        [problem.drop_price(request) for request in problem.requests],
        now,
        deterministic_s=deterministic_s,
        seed=seed,
        cpu_limit_s=cpu_limit_s,
    )
    if chosen is None:
        return None
    routes: list[Route] = [[] for _ in problem.slots]
    for n in chosen:
        (kind, _), (_, route) = entries[n]
        routes[slots_of[kind].pop()] = list(route)
    return routes
