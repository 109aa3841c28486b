"""Rows of results: as a table for people, as JSON for programs, and what they say at the mean."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from routing.instances.instance import Objective

Cells = Sequence[Sequence[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One instance by one solver; figures are those of the benchmark's checker.

    Args:
        why: the rule that the answer breaks, or why there is none; then there are no figures.
    """

    instance: str
    solver: str
    objective: Objective
    vehicles: int | None
    distance: float | None
    flow_s: float | None
    makespan_s: float | None
    cpu_s: float
    peak_rss_mb: float
    why: str | None

    @property
    def ok(self) -> bool:
        """Whether the answer keeps all rules."""
        return self.why is None

    @property
    def value(self) -> float:
        """What is to be small: flow or distance."""
        return (self.flow_s if self.objective is Objective.FLOW else self.distance) or 0.0

    def plain(self) -> dict[str, Any]:
        """As JSON has it, without the columns of other benchmarks."""
        flow = self.objective is Objective.FLOW
        unused = {"distance"} if flow else {"flow_s", "makespan_s"}
        unused |= {"why"} if self.ok else set()
        found = {name: value for name, value in asdict(self).items() if name not in unused}
        return {**found, "ok": self.ok}


Best = Mapping[str, tuple[int, float]]


def best_of(rows: Sequence[Row]) -> Best:
    """Fewest vehicles (0 where their number does not count) and least value with these."""
    found: dict[str, tuple[int, float]] = {}
    for row in rows:
        if row.ok:
            mark = _mark(row)
            found[row.instance] = min(found.get(row.instance, mark), mark)
    return found


def gap(row: Row, best: Best) -> float | None:
    """Percent over the best in the run; None = no answer, or one with more vehicles."""
    if not row.ok or _mark(row)[0] > best[row.instance][0]:
        return None
    least = best[row.instance][1]
    return 100 * (row.value / least - 1) if least else 0.0


def cells(rows: Sequence[Row]) -> tuple[Sequence[str], Cells]:
    """Columns and cells of the table of all rows."""
    flow = any(row.objective is Objective.FLOW for row in rows)
    figures = ("vehicles", "flow s", "makespan s") if flow else ("vehicles", "distance")
    best = best_of(rows)
    many = len({row.solver for row in rows}) > 1
    columns = ("instance", "solver", *figures, *(("gap %",) if many else ()))
    found: list[Sequence[object]] = []
    for row in rows:
        shown = (row.flow_s, row.makespan_s) if flow else (row.distance,)
        values = (_number(row.vehicles, 0), *(_number(value, 1 if flow else 2) for value in shown))
        gaps = (_number(gap(row, best), 2),) if many else ()
        measured = (_number(row.cpu_s, 2), _number(row.peak_rss_mb, 0), row.why or "ok")
        found.append((row.instance, row.solver, *values, *gaps, *measured))
    return (*columns, "CPU s", "MB", "answer"), found


def mean_cells(rows: Sequence[Row]) -> tuple[Sequence[str], Cells]:
    """Columns and cells of the table of solvers; beside others, how far each is from the best."""
    best = best_of(rows)
    by_solver: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_solver[row.solver].append(row)
    found: list[dict[str, object]] = []
    for solver, own in by_solver.items():
        good = [row for row in own if row.ok]
        cell: dict[str, object] = {"solver": solver, "answers": f"{len(good)} of {len(own)}"}
        if len(by_solver) > 1:
            cell |= _over_best(good, best)
        cell["CPU s"] = _mean(row.cpu_s for row in own)
        cell["most MB"] = _number(max(row.peak_rss_mb for row in own), 0)
        found.append(cell)
    return tuple(found[0]), [tuple(cell.values()) for cell in found]


def _over_best(rows: Sequence[Row], best: Best) -> dict[str, object]:
    """Means over the best: vehicles, where their number counts, and the gap."""
    gaps = [over for row in rows if (over := gap(row, best)) is not None]
    if not any(vehicles for vehicles, _ in best.values()):
        return {"gap %": _mean(gaps)}
    more = [_mark(row)[0] - best[row.instance][0] for row in rows]
    return {"vehicles over best": _mean(more), "gap %": _mean(gaps)}


def _mark(row: Row) -> tuple[int, float]:
    return (row.vehicles or 0) if row.objective is Objective.VEHICLES else 0, row.value


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _mean(values: Iterable[float]) -> str:
    found = list(values)
    return _number(fmean(found) if found else None, 2)
