"""``wardline bench online``: planning policies beside each other, over a replayed day."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from dispatcher.commands.words import say, say_json, say_table
from sim.bench.options import MOST_HOURS, fail, progress_bar, within
from sim.options import WrongUse, seeds_named

if TYPE_CHECKING:  # loaded by those who replay
    from sim.bench.online.hospital import Hospital
    from sim.bench.online.policies import Thought

MOST_RATE, MOST_ROBOTS = 60.0, 500
LONGEST_BUDGET_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One policy over one replay; ``on_time`` is a share, 0..1."""

    policy: str
    rate: float
    robots: int
    seed: int
    on_time: float
    p95_lateness_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What to replay, with whom."""

    rate: float
    robots: int
    hours: float
    seeds: tuple[int, ...]
    policies: tuple[str, ...]


def online(
    rate: Annotated[float, typer.Option(help="Tasks a minute, at the mean of the day.")] = 2.0,
    robots: Annotated[int, typer.Option(help="How many.")] = 20,
    hours: Annotated[float, typer.Option(help="How long tasks come; then all are ended.")] = 24.0,
    seeds: Annotated[str, typer.Option(help="Of all chance: 0-2, or 0,4,7.")] = "0-2",
    policies: Annotated[
        str, typer.Option(help="Who plans, in this order.")
    ] = "insertion,ortools,wardline",
    budget_s: Annotated[float, typer.Option(help="Processor seconds of ours for an event.")] = 0.05,
    iterations: Annotated[
        int | None, typer.Option(help="Rounds instead of seconds; repeatable.", show_default=False)
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Answer as JSON: a list of rows.")
    ] = False,
) -> None:
    """Replay a hospital's day: who plans so that most tasks are on time?"""
    try:
        wishes = Wishes(
            rate=within("--rate", rate, MOST_RATE),
            robots=int(within("--robots", robots, MOST_ROBOTS, least=2)),
            hours=within("--hours", hours, MOST_HOURS),
            seeds=seeds_named(seeds),
            policies=policies_named(policies),
        )
        within("--budget-s", budget_s, LONGEST_BUDGET_S)
        if iterations is not None:
            within("--iterations", iterations, 1e6)
    except WrongUse as error:
        fail(str(error))
    from sim.bench.online.policies import Thought

    rows = list(replayed(wishes, Thought(budget_s=budget_s, iterations=iterations)))
    if as_json:
        say_json([asdict(row) for row in rows])
        return
    say_table(*_cells(rows))
    if len(wishes.seeds) > 1:
        say("")
        say_table(*_mean_cells(rows))


def replayed(wishes: Wishes, thought: "Thought") -> Iterator[Row]:
    """A row for each seed and policy; all policies of a seed are asked for the same."""
    from routing.solving.solver import warm_up
    from sim.bench.online.hospital import load_hospital

    warm_up()
    hospital = load_hospital()
    with progress_bar() as bar:
        for seed in wishes.seeds:
            for policy in wishes.policies:
                yield _replay(wishes, hospital, policy, thought, seed, bar)


def _replay(
    wishes: Wishes, hospital: "Hospital", policy: str, thought: "Thought", seed: int, bar: Progress
) -> Row:
    from sim.bench.online.demand import ask
    from sim.bench.online.policies import POLICIES
    from sim.bench.online.replay import Replay

    asked = ask(hospital, rate=wishes.rate, hours=wishes.hours, seed=seed)
    planner = POLICIES[policy](thought)
    replay = Replay(hospital, asked, planner, robots=wishes.robots, seed=seed)
    job = bar.add_task(f"{policy}, seed {seed}", total=len(asked))
    for done in replay.run():
        bar.update(job, completed=done)
    bar.remove_task(job)
    ended = replay.ended()
    return Row(
        policy=policy,
        rate=wishes.rate,
        robots=wishes.robots,
        seed=seed,
        on_time=round(ended.on_time, 4),
        p95_lateness_s=round(ended.p95_lateness_s, 1),
        cpu_s=round(ended.cpu_s, 2),
    )


# --- options


def policies_named(text: str) -> tuple[str, ...]:
    """The policies in a list such as ``insertion,wardline``.

    Raises:
        WrongUse: one is unknown, or there is none.
    """
    from sim.bench.online.policies import POLICIES

    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = next((name for name in names if name not in POLICIES), None)
    if unknown is not None or not names:
        what = "no policy is named" if unknown is None else f"there is no policy {unknown!r}"
        raise WrongUse(f"--policies {text}: {what}; choose from {', '.join(POLICIES)}")
    return names


# --- tables


def _cells(rows: Sequence[Row]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
    columns = ("policy", "tasks/min", "robots", "seed", "on time %", "p95 late s", "CPU s")
    return columns, [
        (
            row.policy,
            f"{row.rate:g}",
            row.robots,
            row.seed,
            f"{100 * row.on_time:.2f}",
            f"{row.p95_lateness_s:.0f}",
            f"{row.cpu_s:.1f}",
        )
        for row in rows
    ]


def _mean_cells(rows: Sequence[Row]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
    found: list[tuple[object, ...]] = []
    for policy in dict.fromkeys(row.policy for row in rows):
        own = [row for row in rows if row.policy == policy]
        on_time = fmean(100 * row.on_time for row in own)
        late_s = fmean(row.p95_lateness_s for row in own)
        cpu_s = fmean(row.cpu_s for row in own)
        found.append((policy, len(own), f"{on_time:.2f}", f"{late_s:.0f}", f"{cpu_s:.1f}"))
    return ("policy", "seeds", "mean on time %", "mean p95 late s", "mean CPU s"), found
