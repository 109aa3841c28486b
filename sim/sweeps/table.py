"""A sweep as tables: for the screen, for programs, and as CSV."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sim.sweeps.figures import (
    FIGURES,
    Difference,
    Figure,
    Spread,
    Summary,
    paired,
    spread,
    values,
)
from sim.sweeps.sweep import Setting

CSV = "runs.csv"
BASE = "as it is"
"""The label of a setting that is the only one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One setting: each figure by seed, its spread, and what tells it from the first setting."""

    setting: Setting
    values: Mapping[str, Mapping[int, float]]
    spreads: Mapping[str, Spread]
    differences: Mapping[str, Difference]

    @property
    def label(self) -> str:
        """For people."""
        return self.setting.label or BASE

    @property
    def seeds(self) -> int:
        """How many runs it has."""
        return max((len(by_seed) for by_seed in self.values.values()), default=0)


def rows_of(
    settings: Sequence[Setting], runs: Mapping[Setting, Mapping[int, Summary]]
) -> list[Row]:
    """A row for each setting that has runs."""
    found: list[Row] = []
    for setting in settings:
        own = {figure.name: values(figure, runs.get(setting, {})) for figure in FIGURES}
        first = found[0].values if found else own
        spreads = {name: spread(list(by_seed.values())) for name, by_seed in own.items()}
        against = {name: paired(first[name], own[name]) for name in own} if found else {}
        row = Row(
            setting=setting,
            values=own,
            spreads={name: one for name, one in spreads.items() if one is not None},
            differences={name: one for name, one in against.items() if one is not None},
        )
        if row.seeds:
            found.append(row)
    return found


def cells(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Columns and lines of a table: mean and deviation, and below the difference to the first."""
    shown = [figure for figure in FIGURES if any(figure.name in row.spreads for row in rows)]
    columns = ["setting", "runs", *(f"{f.name.replace('_', ' ')} {f.unit}".strip() for f in shown)]
    lines: list[list[str]] = []
    for row in rows:
        numbers = [_spread(figure, row.spreads.get(figure.name)) for figure in shown]
        lines.append([row.label, str(row.seeds), *numbers])
        if row.differences:
            told = [_difference(figure, row.differences.get(figure.name)) for figure in shown]
            lines.append(["  against the first", "", *told])
    return columns, lines


def as_plain(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The same as JSON values."""
    return [
        {
            "setting": row.label,
            "set": list(row.setting.overrides),
            "seeds": row.seeds,
            "figures": {
                name: {
                    **asdict(one),
                    "by_seed": {str(seed): value for seed, value in row.values[name].items()},
                    "against_first": asdict(row.differences[name])
                    if name in row.differences
                    else None,
                }
                for name, one in row.spreads.items()
            },
        }
        for row in rows
    ]


def write_csv(folder: Path, rows: Sequence[Row]) -> None:
    """One line for each run, with its figures."""
    with (folder / CSV).open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["setting", "seed", *(figure.name for figure in FIGURES)])
        for row in rows:
            out.writerows(_lines(row))


def _lines(row: Row) -> Iterator[list[object]]:
    seeds = sorted({seed for by_seed in row.values.values() for seed in by_seed})
    for seed in seeds:
        yield [row.label, seed, *(row.values[figure.name].get(seed, "") for figure in FIGURES)]


def _spread(figure: Figure, one: Spread | None) -> str:
    if one is None:
        return "-"
    mean = f"{one.mean:.{figure.places}f}"
    return f"{mean} ±{one.deviation:.{figure.places}f}" if one.deviation else mean


def _difference(figure: Figure, one: Difference | None) -> str:
    if one is None:
        return ""
    if not one.higher and not one.lower:
        return "="
    return f"{one.mean:+.{figure.places}f} ({one.higher} up, {one.lower} down)"
