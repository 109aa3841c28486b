"""``wardline check`` and ``wardline import``: files of people, looked at before they are used."""

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from dispatcher.commands.checked import GROUP, Checked, Checker
from routing.errors import Fault, SiteError
from routing.roads.road_graph import road_graph
from routing.site import Role, Site, Zone
from routing.sites.building import read_building
from routing.sites.drawing import draw
from routing.sites.imported import Imported
from routing.sites.lif import read_lif
from routing.sites.marked_yaml import read_text
from routing.sites.site_yaml import dump, examine, examine_text
from routing.windows import told

FILE_WRONG, USE_WRONG = 1, 2

_FOREIGN = {
    re.compile(r"^\s*(coordinate_system|crowd_sim)\s*:", re.M): "building",
    re.compile(r'^\s*\{[\s\S]{0,4000}?"(metaInformation|layouts)"\s*:'): "lif",
}

File = Annotated[Path, typer.Argument(help="The file to read.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Hang these commands into ``wardline``."""
    app.command("check")(check)
    imports = typer.Typer(name="import", help="Turn maps of other programs into site files.")
    imports.command("building")(import_building)
    imports.command("lif")(import_lif)
    app.add_typer(imports)


def check(
    file: Annotated[Path, typer.Argument(help="A site, scenario or serve file.")],
    draw_to: Annotated[
        Path | None, typer.Option("--draw", help="Draw the site's levels into this SVG file.")
    ] = None,
    graph_to: Annotated[
        Path | None, typer.Option("--graph", help="Write the road graph into this JSON file.")
    ] = None,
    names: Annotated[
        Literal["en", "zh"], typer.Option("--names", help="Language of the drawing.")
    ] = "en",
    fastest_m_s: Annotated[
        float, typer.Option(min=0.01, max=100, help="Speed behind the times of the graph.")
    ] = 1.5,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """Say what a file is, what is in it, and everything that is wrong with it.

    Exit code 0 = it can be used (there may be warnings), 1 = it can't, 2 = wrong use.
    """
    checked = _checked(file)
    if as_json:
        _say_json(file, checked)
    else:
        _say(file, checked)
    if draw_to or graph_to:
        if checked.site is None:
            _fail("there is no sound site to draw or export; correct the faults first", FILE_WRONG)
        if draw_to:
            _write(draw_to, draw(checked.site, names))
        if graph_to:
            graph = road_graph(checked.site, fastest_m_s).to_json()
            _write(graph_to, json.dumps(graph, ensure_ascii=False) + "\n")
    if checked.faults:
        raise typer.Exit(FILE_WRONG)


def import_building(
    file: File,
    output: Annotated[Path, typer.Option("-o", "--output", help="The site file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite the site file.")] = False,
) -> None:
    """Turn an Open-RMF building map (*.building.yaml) into a site file."""
    _import(read_building, file, output, force=force)


def import_lif(
    file: File,
    output: Annotated[Path, typer.Option("-o", "--output", help="The site file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite the site file.")] = False,
) -> None:
    """Turn a VDMA layout (LIF, *.lif.json) into a site file."""
    _import(read_lif, file, output, force=force)


# -- checking ------------------------------------------------------------------------------


def _checked(file: Path) -> Checked:
    text = _text(file)
    for sign, kind in _FOREIGN.items():
        if sign.search(text):
            remedy = f"turn it into a site file: wardline import {kind} {file} -o SITE.yaml"
            return Checked(what="foreign map", faults=[Fault(0, "this is no site file", remedy)])
    kind = _kind(text)
    if kind == "site":
        return check_site(file)
    checker = _checker(kind)
    if checker is None:
        _fail(f"{file}: this is a {kind} file, and no checker for it is installed", USE_WRONG)
    return checker(file)


def _text(file: Path) -> str:
    try:
        text, faults = read_text(file)
    except OSError as error:
        _fail(_unreadable(file, error), USE_WRONG)
    if faults:
        _fail("\n".join(f"{file}: {fault}" for fault in faults), FILE_WRONG)
    return text


def _kind(text: str) -> str:
    keys = set(re.findall(r"^(\w+)\s*:", text, re.M))
    if "scenario" in keys:
        return "scenario"
    return "serve" if keys & {"serve", "vehicles"} else "site"


def _checker(kind: str) -> Checker | None:
    for entry in entry_points(group=GROUP, name=kind):
        return entry.load()
    return None


def check_site(file: Path) -> Checked:
    """The verdict on a site file; OSError if it can't be read."""
    examined = examine(file)
    site = examined.site
    return Checked(
        what=f"site {site.id}" if site else "site",
        summary=summary(site) if site else (),
        faults=examined.faults,
        warnings=examined.warnings,
        site=site,
    )


def summary(site: Site) -> list[tuple[str, str]]:
    """What is in a site, in lines of two columns."""
    anchor = site.frame.anchor
    lanes = [lane for lane in site.lanes.values() if not lane.lift]
    zones = Counter(node.zone for node in site.nodes.values())
    air = Counter(space.kind.value for space in site.airspaces.values())
    kinds = Counter(place.kind for place in site.places.values())
    length_m = sum(lane.length_m for lane in lanes)
    one_way = sum(not lane.two_way for lane in lanes)
    served = sorted({kind for lane in lanes for kind in lane.kinds})
    rows = [
        ("name", f"{site.name.en} / {site.name.zh}"),
        ("anchor", f"{anchor.lat_deg:.6f}, {anchor.lon_deg:.6f}"),
        ("levels", _many(len(site.levels), [level.name.en for level in site.levels.values()])),
        ("places", _many(len(site.places), _counts(kinds))),
        ("nodes", str(len(site.nodes))),
        ("lanes", f"{len(lanes)}: {length_m:.0f} m, {one_way} one-way"),
        ("lifts", _many(len(site.lifts), [lift.id for lift in site.lifts.values()])),
        ("doors", str(len(site.doors))),
        ("zones", ", ".join(f"{zone.name.lower()} {zones[zone]}" for zone in Zone) + " nodes"),
        *((role.value, str(len(site.with_role(role)))) for role in Role),
        ("areas", str(len(site.areas))),
        ("air", _many(len(site.airspaces), _counts(air))),
    ]
    locks = [f"{lock.id} ({', '.join(lock.doors)})" for lock in site.air_locks.values()]
    kept = [f"{lift.id} {told(lift.windows)}" for lift in site.lifts.values() if lift.windows]
    kept += [f"{lane.id} {told(lane.windows)}" for lane in lanes if lane.windows]
    first = [lift.id for lift in site.lifts.values() if lift.passengers is not None]
    if first:
        rows.append(("passengers first", _many(len(first), first)))
    if kept:
        rows.append(("windows", _many(len(kept), kept)))
    if locks:
        rows.append(("air locks", _many(len(locks), locks)))
    if site.workcells:
        rows.append(("workcells", _many(len(site.workcells), list(site.workcells))))
    return [*rows, ("kinds", ", ".join(served))] if served else rows


def _counts(counter: "Counter[str]") -> list[str]:
    return [f"{number} {what}" for what, number in counter.most_common()]


def _many(number: int, what: Sequence[str]) -> str:
    return f"{number}: {', '.join(what)}" if what else str(number)


def _say(file: Path, checked: Checked) -> None:
    console = Console(markup=False, highlight=False)
    if checked.summary:
        console.print(f"{file}: {checked.what}", soft_wrap=True)
        table = Table(show_header=False)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for key, value in checked.summary:
            table.add_row(key, value)
        console.print(table)
    for fault in checked.faults:
        typer.echo(f"{file}: {fault}", err=True)
    for warning in checked.warnings:
        typer.echo(f"{file}: warning: {warning}", err=True)
    if checked.faults:
        typer.echo(f"{file}: {_number(len(checked.faults), 'fault')}", err=True)
    else:
        warned = f", {_number(len(checked.warnings), 'warning')}" if checked.warnings else ""
        typer.echo(f"{file}: no faults{warned}")


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _say_json(file: Path, checked: Checked) -> None:
    answer = {
        "file": str(file),
        "what": checked.what,
        "ok": not checked.faults,
        "summary": dict(checked.summary),
        "faults": [asdict(fault) for fault in checked.faults],
        "warnings": [asdict(warning) for warning in checked.warnings],
    }
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))


# -- importing -----------------------------------------------------------------------------


def _import(read: Callable[[Path], Imported], file: Path, output: Path, *, force: bool) -> None:
    if output.exists() and not force:
        _fail(f"{output} is there already; choose another name or add --force", USE_WRONG)
    try:
        imported = read(file)
    except OSError as error:
        _fail(_unreadable(file, error), USE_WRONG)
    except SiteError as error:
        _fail(str(error), FILE_WRONG)
    text = dump(imported.site)
    _write(output, text)
    for note in imported.notes:
        typer.echo(f"{file}: {note}", err=True)
    examined = examine_text(text, str(output))
    for warning in examined.warnings:
        typer.echo(f"{output}: warning: {warning}", err=True)
    site = imported.site
    typer.echo(
        f"{output}: {_number(len(site.levels), 'level')}, {_number(len(site.places), 'place')}, "
        f"{_number(len(site.lanes), 'lane')}, {_number(len(site.lifts), 'lift')}, "
        f"{_number(len(site.doors), 'door')}"
    )
    if examined.faults:
        _fail("\n".join(f"{output}: {fault}" for fault in examined.faults), FILE_WRONG)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        _fail(f"can't write {path} ({error.strerror}); choose another place", USE_WRONG)


def _unreadable(file: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"there is no file {file}; check the path"
    if isinstance(error, IsADirectoryError) or file.is_dir():
        return f"{file} is a directory; name a file in it"
    return f"can't read {file} ({error.strerror}); check its rights"


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)
