"""The report's page: one HTML file that needs nothing else."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, cast

from dispatcher.domain.asked_for import Asked
from dispatcher.domain.task import Kind
from dispatcher.records.alerts import Severity
from sim.judges.outcome import done_ratio, latencies, latency_s, on_time_ratio, percentile, tallies
from sim.report.maps import level_map, levels_to_draw
from sim.report.plots import USE_COLOURS, charge_curves, lift_waits, on_time, vehicle_use
from sim.report.report import RunResult
from sim.report.style import CSS
from sim.report.tables import at, ends, place_name, title

ALERTS_SHOWN = 25
LEGS_SHOWN = 25
"""Deliveries."""


def page(result: RunResult) -> str:
    """The whole page as HTML."""
    name = result.site.name
    heading = escape(name.en if name.en == name.zh else f"{name.en}  {name.zh}")
    body = [
        _header(result, heading),
        _figures(result),
        _section("What was done", _kinds(result), wide=True),
        _section("Deliveries in two legs", _legs(result), wide=True) if _of_legs(result) else "",
        _section("On time, by the hour of asking", _punctuality(result), wide=True),
        '<div class="pair">',
        _section("How vehicles spent their time", _use(result)),
        "<div>",
        _section("Waiting for lifts", _lifts(result)) if result.site.lifts else "",
        _section("What was promised", _expectations(result)) if result.expect else "",
        _section("Alerts", _alerts(result)),
        _section("What was broken on purpose", _faults(result)) if result.faults else "",
        "</div></div>",
        _section("Where they went", _maps(result), wide=True),
        _section("Charge", _charge(result), wide=True),
        _footer(result),
    ]
    return (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{heading}: {escape(str(_value(result, 'scenario')))}</title>"
        f"<style>{CSS}</style></head>\n<body><main>\n"
        + "\n".join(body)
        + "\n</main></body></html>\n"
    )


def _header(result: RunResult, heading: str) -> str:
    start = result.clock.to_utc(result.start_s)
    when = f"{start:%A, %d %B %Y, %H:%M}, {_duration(result.end_s - result.start_s)}"
    said = [escape(str(_value(result, "scenario"))), when, f"seed {_value(result, 'seed')}"]
    spans = "".join(f"<span>{word}</span>" for word in said)
    return f'<header><h1>{heading}</h1><p>{spans}<b class="tag">SIMULATION</b></p></header>'


def _figures(result: RunResult) -> str:
    counts = tallies(result.wholes, result.end_s).values()
    done, submitted = sum(t.done for t in counts), sum(t.submitted for t in counts)
    broken = sum(_numbers(result, "violations").values())
    kilometres = {name: metres / 1000 for name, metres in _numbers(result, "distance_m").items()}
    fleet = _numbers(result, "vehicles")
    cards = [
        (f"{done:,}", f"of {submitted:,} tasks done", ""),
        (_percent(done_ratio(result.wholes, result.end_s)), "of the tasks due were done", ""),
        (_percent(on_time_ratio(result.wholes, result.end_s)), "were done on time", ""),
        (
            f"{broken:g}" if broken else "0",
            "violations of safety, hygiene, energy or custody",
            "bad" if broken else "",
        ),
        (f"{kilometres.get('ground', 0):,.0f} km", f"by {fleet.get('ground', 0):g} robots", ""),
    ]
    if fleet.get("air"):
        cards.append((f"{kilometres.get('air', 0):,.0f} km", f"by {fleet['air']:g} drones", ""))
    items = (
        f'<div class="{css}"><b>{big}</b><span>{small}</span></div>' for big, small, css in cards
    )
    return f'<div class="figures">{"".join(items)}</div>'


def _kinds(result: RunResult) -> str:
    counts, times = tallies(result.wholes, result.end_s), latencies(result.wholes)
    head = ("", "asked for", "done", "late", "failed", "cancelled", "open", "half within")
    rows: list[Sequence[str]] = []
    for kind, tally in counts.items():
        if not tally.submitted:
            continue
        tasks = [task for task in result.wholes if task.kind is kind]
        ratio = on_time_ratio(tasks, result.end_s)
        bar = f'<i class="bar"><i style="width:{ratio * 100:.1f}%"></i></i>{_percent(ratio)}'
        values = (
            tally.submitted,
            tally.done,
            tally.late,
            tally.failed,
            tally.cancelled,
            tally.open,
        )
        rows.append(
            (
                str(kind).capitalize(),
                *(f"{value:,}" if value else "–" for value in values),
                _minutes(percentile(times[kind], 0.5)),
                _minutes(percentile(times[kind], 0.95)),
                bar,
            )
        )
    return _table((*head, "95 % within", "on time"), rows, numbers=True)


def _of_legs(result: RunResult) -> list[Asked]:
    return [one for one in result.asked if one.legs]


def _legs(result: RunResult) -> str:
    """Each such delivery, and beneath it its legs."""
    found = _of_legs(result)
    rows: list[Sequence[str]] = []
    for one in found[:LEGS_SHOWN]:
        for number, task in enumerate((one.task, *one.legs)):
            origins, goals = ends(task)
            name = f"leg {number}" if number else title(task, result.site)
            way = (" and ".join(place_name(p, result.site) for p in ps) for ps in (origins, goals))
            vehicles = one.vehicles if not number else (task.vehicle or "",)
            seconds = latency_s(task)
            rows.append(
                (
                    escape(task.id),
                    escape(name),
                    escape(" → ".join(way)),
                    escape(", ".join(vehicles)),
                    str(task.state),
                    _minutes(seconds),
                )
            )
    more = len(found) - LEGS_SHOWN
    note = f"<p class='note'>{more:,} more in legs.csv.</p>" if more > 0 else ""
    return _table(("", "", "", "by", "", "within"), rows) + note


def _punctuality(result: RunResult) -> str:
    asked = {task.kind for task in result.wholes}
    figures = (
        f"<figure><figcaption>{str(kind).capitalize()}</figcaption>{on_time(result, kind)}</figure>"
        for kind in Kind
        if kind in asked
    )
    key = _key((("on time", ""), ("late", "late"), ("not done", "failed")))
    return f'{key}<div class="four">{"".join(figures)}</div>'


def _use(result: RunResult) -> str:
    seen = {word for words in result.samples.activity.values() for word in words}
    uses = [u for u in USE_COLOURS if u in seen or (u == "away" and seen - set(USE_COLOURS))]
    return _key(tuple((use, use) for use in uses)) + vehicle_use(result)


def _lifts(result: RunResult) -> str:
    note = "<p class='note'>Seconds from the call to the open door, with the lift free.</p>"
    return note + lift_waits(result)


def _maps(result: RunResult) -> str:
    note = (
        "<p class='note'>The broader and darker, the more drives; numbers count the busiest "
        "stretches of each level. Squares are lifts. Outdoors: flights and airspaces.</p>"
    )
    levels = levels_to_draw(result)
    figures: list[str] = []
    for number, level in enumerate(levels):
        alone = number == 0 and len(levels) % 2 == 1
        css = ' class="alone"' if alone else ""
        drawn = level_map(result, level, alone=alone)
        caption = f"<figcaption>{escape(level.name.en)}</figcaption>"
        figures.append(f"<figure{css}>{caption}{drawn}</figure>")
    return f'{note}<div class="two">{"".join(figures)}</div>'


def _charge(result: RunResult) -> str:
    note = "<p class='note'>Share of the battery over the run; the dashes are the reserve.</p>"
    return note + charge_curves(result)


def _expectations(result: RunResult) -> str:
    rows = [
        (
            escape(one.name),
            escape(one.wanted),
            escape(one.found),
            "kept" if one.ok else '<b class="bad">broken</b>',
        )
        for one in result.expect
    ]
    return _table(("", "wanted", "found", ""), rows)


def _alerts(result: RunResult) -> str:
    parts: list[str] = []
    if result.incidents:
        rows = [(at(result, s)[11:19], kind, escape(what)) for s, kind, what in result.incidents]
        parts.append(_table(("", "violation", ""), rows[:ALERTS_SHOWN]))
    if not result.alerts:
        return "".join(parts) + "<p class='note'>None.</p>"
    counted = Counter((alert.severity, alert.code) for alert in result.alerts)
    order = list(Severity)
    rows = [
        (str(severity), escape(code.replace("_", " ")), f"{number:,}")
        for (severity, code), number in sorted(
            counted.items(), key=lambda item: (order.index(item[0][0]), -item[1], item[0][1])
        )
    ]
    parts.append(_table(("", "", "times"), rows[:ALERTS_SHOWN]))
    return "".join(parts)


def _faults(result: RunResult) -> str:
    begun = [one.fault for one in result.faults if not one.over]
    counted = Counter((fault.target, fault.fault.replace("_", " ")) for fault in begun)
    rows = [(target, word, f"{number:,}") for (target, word), number in sorted(counted.items())]
    return _table(("", "", "times"), rows)


def _footer(result: RunResult) -> str:
    wall_s, lasts_s = float(_number(result, "wall_s")), result.end_s - result.start_s
    speed = f"{_duration(lasts_s)} simulated in {wall_s:.0f} s" if wall_s else ""
    wire = " and ".join(f"{n:,.0f} {name}" for name, n in _numbers(result, "wire").items() if n)
    planner = _mapping(result, "planner")
    solved = f"{planner.get('solves', 0):,} plans" if planner else ""
    journal = str(_value(result, "journal_sha256") or "")
    said = [speed, f"{wire} messages" if wire else "", solved]
    words = "".join(f"<span>{word}</span>" for word in said if word)
    hashed = f"<span>journal <code>{escape(journal)}</code></span>" if journal else ""
    return f"<footer><p>{words}</p><p>{hashed}</p></footer>"


# -- small parts ---------------------------------------------------------------------------


def _section(title: str, content: str, *, wide: bool = False) -> str:
    css = ' class="wide"' if wide else ""
    return f"<section{css}><h2>{title}</h2>{content}</section>"


def _key(entries: Iterable[tuple[str, str]]) -> str:
    items = (f'<span><i class="k {css}"></i>{name}</span>' for name, css in entries)
    return f'<p class="key">{"".join(items)}</p>'


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = False) -> str:
    tops = "".join(f"<th>{cell}</th>" for cell in head)
    lines = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    css = ' class="numbers"' if numbers else ""
    return f"<table{css}><thead><tr>{tops}</tr></thead><tbody>{lines}</tbody></table>"


def _percent(ratio: float) -> str:
    return f"{ratio * 100:.1f} %" if ratio < 1 else "100 %"


def _minutes(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds / 60:.0f} min"


def _duration(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours and minutes:
        return f"{hours} h {minutes} min"
    return f"{hours} h" if hours else f"{minutes} min"


def _value(result: RunResult, key: str) -> object:
    return result.summary.get(key, "")


def _number(result: RunResult, key: str) -> float:
    value = result.summary.get(key)
    return float(value) if isinstance(value, int | float) else 0.0


def _mapping(result: RunResult, key: str) -> Mapping[str, Any]:
    value = result.summary.get(key)
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _numbers(result: RunResult, key: str) -> dict[str, float]:
    return {name: float(value) for name, value in _mapping(result, key).items()}
