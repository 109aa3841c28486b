"""``wardline bench simulation``: a day of any fleet, and the processor time that it all takes."""

from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml

from dispatcher.commands.words import say_json, say_table
from sim.bench.options import MOST_HOURS, fail, progress_bar
from sim.options import WrongUse

if TYPE_CHECKING:  # loaded by those who simulate
    from sim.run import Wishes
    from sim.scenario.config import Scenario

MOST_VEHICLES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was simulated, and what it took: dispatcher, planner, traffic, wires and bodies."""

    vehicles: int
    hours: float
    cpu_s: float
    wall_s: float
    vehicle_s_per_cpu_s: float
    tasks: int
    """Asked for; ``done`` of them were done."""
    done: int
    violations: int
    peak_rss_mb: float
    journal_sha256: str


def simulation(
    vehicles: Annotated[int, typer.Option(help="How many; a fifth of them fly.")] = 40,
    hours: Annotated[float, typer.Option(help="Of virtual time.")] = 24.0,
    seed: Annotated[int, typer.Option(min=0, help="Of all chance.")] = 0,
    flame: Annotated[
        Path | None, typer.Option(help="Draw where the processor time went (SVG).")
    ] = None,
    direct: Annotated[
        bool, typer.Option("--direct", help="Hand messages over unwritten, as a sweep does.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON: one object.")] = False,
) -> None:
    """Simulate a made hospital with everything in it: how far ahead of real time is it?"""
    try:
        if not 1 <= vehicles <= MOST_VEHICLES:
            raise WrongUse(f"--vehicles {vehicles} is not between 1 and {MOST_VEHICLES}; write 40")
        if not 1 / 60 <= hours <= MOST_HOURS:  # not a number is neither
            raise WrongUse(f"--hours {hours:g} is not between a minute and a week; write 24")
        if flame is not None and not flame.parent.is_dir():
            raise WrongUse(f"--flame {flame}: there is no folder {flame.parent}; make it first")
    except WrongUse as error:
        fail(str(error))
    from sim.run import Wishes

    row = asdict(_measured(vehicles, hours, Wishes(seed=seed, direct=direct), flame))
    if as_json:
        say_json(row)
    else:
        say_table(("figure", "value"), list(row.items()))


def _measured(vehicles: int, hours: float, wishes: "Wishes", picture: Path | None) -> Row:
    from sim.report.flame import Flame
    from sim.run import run

    scenario = made(vehicles, hours)
    with progress_bar() as bar:
        job = bar.add_task(f"{vehicles} vehicles", total=scenario.duration_s)

        def progress(gone_s: float) -> None:
            bar.update(job, completed=gone_s)

        flame = Flame()
        with flame.sampling() if picture else nullcontext():
            summary: dict[str, Any] = dict(
                run(scenario, replace(wishes, progress=progress)).summary
            )
    if picture:
        picture.write_text(flame.svg(), encoding="utf-8")
    kinds = summary["tasks"].values()
    return Row(
        vehicles=vehicles,
        hours=hours,
        cpu_s=summary["cpu_s"],
        wall_s=summary["wall_s"],
        vehicle_s_per_cpu_s=round(vehicles * summary["virtual_s"] / max(summary["cpu_s"], 0.01)),
        tasks=sum(kind["submitted"] for kind in kinds),
        done=sum(kind["done"] for kind in kinds),
        violations=sum(summary["violations"].values()),
        peak_rss_mb=summary["peak_rss_mb"],
        journal_sha256=summary["journal_sha256"],
    )


def made(vehicles: int, hours: float) -> "Scenario":
    """The made hospital with so many vehicles, read from files like any other scenario."""
    from sim.bench.simulation.made_hospital import made_scenario, made_site
    from sim.scenario.config import load_scenario

    with TemporaryDirectory() as folder:
        files = {"site.yaml": made_site(vehicles), "scenario.yaml": made_scenario(vehicles, hours)}
        for name, data in files.items():
            text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
            Path(folder, name).write_text(text, encoding="utf-8")
        return load_scenario(Path(folder, "scenario.yaml"))
