"""Instance by instance, solver by solver, each in a process of its own, one after the other."""

from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from dispatcher.bench.case_files import write_answer
from dispatcher.bench.files import WrongUse
from dispatcher.bench.job import Job, Outcome, hush, work
from dispatcher.bench.peer import OURS, PEERS
from dispatcher.bench.table import Row
from dispatcher.records.executors import solver_process
from routing.instances.instance import Figures, Instance, Objective

Instances = Sequence[tuple[Path, Instance]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to do with each instance.

    Args:
        peers: others who solve it after us.
        out: folder for our answers; None = nowhere.
    """

    objective: Objective
    budget_s: float
    seed: int
    peers: tuple[str, ...] = ()
    out: Path | None = None


def peers_named(text: str) -> tuple[str, ...]:
    """The peers in a list such as ``pyvrp,vroom``.

    Raises:
        WrongUse: one is unknown, or not installed.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in PEERS:
            raise WrongUse(f"there is no peer {name!r}; choose from {', '.join(PEERS)}")
        if not PEERS[name].installed:
            raise WrongUse(f"{name} is not installed; pip install wardline[bench]")
    return names


def prepare_folder(folder: Path, instances: Instances) -> None:
    """Make the folder for answers.

    Raises:
        WrongUse: it can't be made, or two answers would have the same name.
    """
    files: dict[str, Path] = {}
    for file, _ in instances:
        if (other := files.setdefault(file.stem, file)) is not file:
            both = f"{other} and {file}"
            raise WrongUse(f"{both} would both be answered in {file.stem}.json; name one of them")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WrongUse(f"can't make {folder} ({error.strerror}); choose another place") from error


def run(asked: Asked, instances: Instances) -> Iterator[Row]:
    """A row for each instance and solver, as they come; our answers are written on the way.

    Raises:
        WrongUse: an answer can't be written.
    """
    for file, instance in instances:
        for solver in (OURS, *asked.peers):
            outcome = _done(
                Job(
                    file=file,
                    solver=solver,
                    objective=asked.objective,
                    budget_s=asked.budget_s,
                    seed=asked.seed,
                )
            )
            if solver == OURS and asked.out is not None and outcome.routes is not None:
                answer = {"instance": instance.name, "routes": outcome.routes}
                write_answer(asked.out / f"{file.stem}.json", answer)
            yield _row(file.stem, solver, asked.objective, outcome)


def ours_failed(rows: Sequence[Row]) -> bool:
    """Whether an answer of our own does not keep the rules."""
    return any(row.solver == OURS and not row.ok for row in rows)


def _done(job: Job) -> Outcome:
    try:
        with solver_process() as process:
            process.submit(hush)
            return process.submit(work, job).result()
    except BrokenProcessPool:
        return Outcome(figures=Figures(why="its process was killed, perhaps for want of memory"))


def _row(instance: str, solver: str, objective: Objective, outcome: Outcome) -> Row:
    figures = outcome.figures
    return Row(
        instance=instance,
        solver=solver,
        objective=objective,
        vehicles=figures.vehicles,
        distance=figures.distance,
        flow_s=figures.flow_s,
        makespan_s=figures.makespan_s,
        cpu_s=round(outcome.cpu_s, 3),
        peak_rss_mb=round(outcome.peak_rss_mb, 1),
        why=figures.why,
    )
