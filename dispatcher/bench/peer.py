"""Other solvers by name: whether they are installed, and what they can't do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol, cast

from routing.problems.problem import Problem, Visit

Answer = tuple[Sequence[Sequence[Visit]], float]
"""Routes, and the processor time that it took to find them, in seconds."""

OURS = "wardline"


class Solver(Protocol):
    """What the module of a peer offers."""

    prepare: Callable[[], None]
    solve: Callable[[Problem, float, int], Answer]


@dataclass(frozen=True, slots=True)
class Peer:
    """A solver by somebody else.

    Args:
        package: what has to be installed.
        module: our module that speaks to it.
    """

    package: str
    module: str

    @property
    def installed(self) -> bool:
        """Whether it can be used here."""
        return find_spec(self.package) is not None

    def load(self) -> Solver:
        """Its module."""
        return cast("Solver", import_module(self.module))


PEERS = {
    "pyvrp": Peer("pyvrp", "dispatcher.bench.peer_pyvrp"),
    "vroom": Peer("vroom", "dispatcher.bench.peer_vroom"),
    "ortools": Peer("ortools", "dispatcher.bench.peer_ortools"),
}


def why_not(problem: Problem) -> str | None:
    """What keeps peers from solving a problem; None = nothing."""
    if problem.chargers or any(slot.battery for slot in problem.slots):
        return "not supported: recharging"
    return None
