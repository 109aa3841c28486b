"""The plots of a report as SVG: one accent, direct labels, readable when printed in grey.

Text stays text and takes the page's fonts. Only `sim.report.report` imports this, when a report is
written: it brings the plotting library in.
"""

import io
import re
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dispatcher.domain.task import Kind, Task, TaskState
from fleet.vehicle import VehicleSpec
from routing.site import LiftId
from sim.judges.outcome import is_late, percentile, use_of_all
from sim.report.report import RunResult

INK, MUTE, LINE, ACCENT = "#16202a", "#5b6874", "#dfe4e8", "#0b6b63"
WAIT, CRITICAL, PANEL = "#b45309", "#b42318", "#ffffff"
USE_COLOURS: Mapping[str, str] = {
    "working": ACCENT,
    "decontaminating": "#3c8a83",
    "returning": "#86bab4",
    "waiting": WAIT,
    "charging": "#c3ced6",
    "idle": "#edf0f2",
    "away": CRITICAL,
}
BINS_S = (300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 86_400)
CURVES = 48
"""The most charge curves that a page shows: those of the emptiest batteries."""

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 11.0,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "xtick.color": MUTE,
    "ytick.color": MUTE,
    "xtick.labelsize": 11.0,
    "ytick.labelsize": 11.0,
    "xtick.major.size": 0.0,
    "ytick.major.size": 0.0,
    "hatch.linewidth": 0.8,
    "text.parse_math": False,
}


def svg(name: str, width: float, height: float, draw: Callable[[Figure], None]) -> str:
    """A figure of so many CSS pixels, as an SVG element for a page.

    Args:
        name: unique on the page; marks inside are named after it.
    """
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}), warnings.catch_warnings():
        # names may hold signs that the measuring font lacks; the page's fonts have them
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = Figure(figsize=(width / 72, height / 72))
        figure.patch.set_alpha(0.0)
        draw(figure)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"font: ([^;\"']*?)(\d[\d.]*px) 'DejaVu Sans'", r"font: \1\2 var(--font)", text)
    text = re.sub(r'id="(?!m|p|h)[\w-]*"', "", text)
    head = f'<svg class="plot" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{name}"'
    return re.sub(r"<svg [^>]*?(?= xmlns)", head, text, count=1, flags=re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Hours:
    """The run cut into equal bins of clock time."""

    start_s: float
    width_s: float
    count: int

    @classmethod
    def of(cls, result: RunResult) -> "_Hours":
        lasts_s = max(1.0, result.end_s - result.start_s)
        width_s = next((width for width in BINS_S if lasts_s / width <= 36), BINS_S[-1])
        return cls(result.start_s, width_s, max(1, -int(-lasts_s // width_s)))

    def of_time(self, at_s: float) -> int:
        return min(self.count - 1, max(0, int((at_s - self.start_s) // self.width_s)))


def on_time(result: RunResult, kind: Kind) -> str:
    """Tasks of one kind by the time at which they were asked for, and what became of them."""
    bins = _Hours.of(result)
    parts = {"on time": [0] * bins.count, "late": [0] * bins.count, "not done": [0] * bins.count}
    for task in result.wholes:
        fate = _fate(task, result.end_s) if task.kind is kind else None
        if fate is not None:
            parts[fate][bins.of_time(task.created_s)] += 1

    def draw(figure: Figure) -> None:
        axes = figure.add_axes((0.06, 0.17, 0.92, 0.76))
        below = [0] * bins.count
        looks = {"on time": (ACCENT, ""), "late": (WAIT, "////"), "not done": (CRITICAL, "xxxx")}
        for fate, (colour, hatch) in looks.items():
            there = [spot for spot in range(bins.count) if parts[fate][spot]]
            axes.bar(
                there,
                [parts[fate][spot] for spot in there],
                bottom=[below[spot] for spot in there],
                width=0.8,
                color=colour if not hatch else PANEL,
                edgecolor=colour,
                linewidth=0.6 if hatch else 0.0,
                hatch=hatch,
            )
            below = [a + b for a, b in zip(below, parts[fate], strict=True)]
        top = max([*below, 1])
        axes.set_ylim(0, top * 1.08)
        axes.set_yticks([top])
        axes.axhline(0, color=LINE, linewidth=1)
        axes.tick_params(axis="y", pad=2)
        _clock_ticks(axes, result, bins)

    return svg(f"{kind} by time", 270, 150, draw)


def _fate(task: Task, end_s: float) -> str | None:
    """What became of a task; None if it was cancelled or is not yet due."""
    if task.state is TaskState.CANCELLED:
        return None
    if is_late(task, end_s):
        return "late"
    if task.state is TaskState.DONE:
        return "on time"
    return "not done" if task.state is TaskState.FAILED else None


def _clock_ticks(axes: Axes, result: RunResult, bins: _Hours) -> None:
    step = max(1, bins.count // 4)
    spots = range(0, bins.count, step)
    axes.set_xlim(-0.7, bins.count - 0.3)
    axes.set_xticks([spot - 0.5 for spot in spots])
    axes.set_xticklabels([_clock(result, bins.start_s + s * bins.width_s) for s in spots])


def _clock(result: RunResult, loop_s: float) -> str:
    moment = result.clock.to_utc(loop_s) + timedelta(milliseconds=500)
    long = result.end_s - result.start_s > 2 * 86_400
    return moment.strftime("%d %b" if long else "%H:%M")


def vehicle_use(result: RunResult) -> str:
    """How each vehicle spent its time, one bar each."""
    uses = use_of_all(result.samples)
    done = [task.vehicle for task in result.tasks if task.state is TaskState.DONE]
    rows = [vehicle for vehicle in result.vehicles if vehicle.id in uses]
    row_px = 21.0
    height = row_px * len(rows) + 30

    def draw(figure: Figure) -> None:
        axes = figure.add_axes((0.12, 22 / height, 0.61, 1 - 26 / height))
        left = [0.0] * len(rows)
        for use, colour in USE_COLOURS.items():
            shares = [uses[vehicle.id][use] for vehicle in rows]
            hatch = {"away": "xxxx", "waiting": "////"}.get(use, "")
            fill = PANEL if hatch else colour
            axes.barh(
                range(len(rows)),
                shares,
                left=left,
                height=0.68,
                color=fill,
                edgecolor=colour,
                linewidth=0.5 if hatch else 0.0,
                hatch=hatch,
            )
            left = [a + b for a, b in zip(left, shares, strict=True)]
        for number, vehicle in enumerate(rows):
            _label_use(axes, number, vehicle, uses[vehicle.id], result, done.count(vehicle.id))
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(0, 1)
        axes.set_xticks([0, 0.5, 1], ["0", "50 %", "100 % of the time"])
        axes.set_yticks(range(len(rows)), [vehicle.name for vehicle in rows], color=INK)

    return svg("vehicle use", 552, height, draw)


def _label_use(
    axes: Axes,
    row: int,
    vehicle: VehicleSpec,
    use: Mapping[str, float],
    result: RunResult,
    done: int,
) -> None:
    if use["working"] >= 0.08:
        share = f"{use['working']:.0%}".replace("%", " %")
        axes.text(0.01, row, share, color=PANEL, va="center_baseline", fontsize=10)
    km = result.samples.distance_m.get(vehicle.id, 0.0) / 1000
    axes.text(1.03, row, f"{done} done", va="center_baseline", fontsize=10.5, color=INK)
    axes.text(
        1.345, row, f"{km:.1f} km", va="center_baseline", ha="right", fontsize=10.5, color=MUTE
    )


def lift_waits(result: RunResult) -> str:
    """How long each lift made vehicles wait: how often how many seconds, median and 95 %."""
    lifts = list(result.site.lifts.values())
    waits: dict[LiftId, list[float]] = {lift.id: [] for lift in lifts}
    for wait in result.samples.lift_waits:
        if not wait.ride:
            waits[wait.lift].append(wait.ready_s - wait.asked_s)
    longest = max([s for values in waits.values() for s in values], default=10.0)
    height = 64.0 * len(lifts) + 26

    def draw(figure: Figure) -> None:
        axes = figure.add_axes((0.02, 22 / height, 0.94, 1 - 24 / height))
        for row, lift in enumerate(lifts):
            _draw_waits(axes, row, lift.name.en, waits[lift.id], longest)
        axes.set_ylim(len(lifts) - 0.85, -0.85)
        axes.set_xlim(-longest * 0.01, longest * 1.03)
        axes.set_yticks([])
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f} s")

    return svg("waiting at lifts", 552, height, draw)


def _draw_waits(axes: Axes, row: int, name: str, waits: Sequence[float], longest: float) -> None:
    axes.axhline(row, color=LINE, linewidth=1, zorder=1)
    median, most = percentile(waits, 0.5), percentile(waits, 0.95)
    if median is None or most is None:
        axes.text(0, row - 0.6, f"{name}: not used", fontsize=11, color=MUTE)
        return
    width_s = max(1.0, longest / 60)
    calls = Counter(int(wait // width_s) for wait in waits)
    tallest = max(calls.values())
    axes.bar(
        [(spot + 0.5) * width_s for spot in sorted(calls)],
        [-0.42 * calls[spot] / tallest for spot in sorted(calls)],
        bottom=row,
        width=width_s * 0.8,
        color="#a9d0cb",
    )
    axes.plot([median], [row], "o", color=ACCENT, markersize=7, zorder=3)
    axes.plot([most], [row], "o", color=PANEL, markeredgecolor=ACCENT, markersize=7, zorder=3)
    said = f"{name}:  half within {median:.0f} s,  95 % within {most:.0f} s  ({len(waits)} calls)"
    axes.text(0, row - 0.56, said, fontsize=11, color=INK)


def charge_curves(result: RunResult) -> str:
    """The charge of each vehicle over the run, in small multiples; dashes mark its reserve."""
    charge = result.samples.charge
    vehicles = [vehicle for vehicle in result.vehicles if len(charge.get(vehicle.id, ())) > 1]
    if len(vehicles) > CURVES:
        emptiest = sorted(vehicles, key=lambda vehicle: min(charge[vehicle.id]))[:CURVES]
        vehicles = [vehicle for vehicle in vehicles if vehicle in emptiest]
    columns = 6
    rows = max(1, -(-len(vehicles) // columns))
    height = rows * 92.0

    def draw(figure: Figure) -> None:
        for number, vehicle in enumerate(vehicles):
            row, column = divmod(number, columns)
            place = (
                (column + 0.03) / columns,
                1 - (row + 0.86) * 92 / height,
                0.92 / columns,
                56 / height,
            )
            _draw_charge(figure.add_axes(place), result, vehicle)

    return svg("charge", 1120, height, draw)


def _draw_charge(axes: Axes, result: RunResult, vehicle: VehicleSpec) -> None:
    samples = result.samples
    charge = samples.charge[vehicle.id]
    step = max(1, len(charge) // 240)
    times, values = list(samples.times_s)[::step], list(charge)[::step]
    axes.fill_between(times, values, color=ACCENT, alpha=0.10, linewidth=0)
    axes.plot(times, values, color=ACCENT, linewidth=1.2)
    reserve = vehicle.energy.reserve_ratio
    axes.axhline(reserve, color=WAIT, linewidth=0.8, dashes=(4, 3))
    axes.set_xlim(result.start_s, max(result.end_s, result.start_s + 1))
    axes.set_ylim(0, 1.02)
    axes.set_xticks([])
    axes.set_yticks([])
    least = f"{min(charge):.0%}".replace("%", " %")
    axes.text(0, 1.08, vehicle.name, transform=axes.transAxes, fontsize=11.5, fontweight="bold")
    axes.text(
        1, 1.08, f"least {least}", transform=axes.transAxes, ha="right", fontsize=10.5, color=MUTE
    )
