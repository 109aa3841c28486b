"""What every instance can do, whatever benchmark it is from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from routing.problems.plan import Plan
from routing.problems.problem import Problem

Routes = Sequence[Sequence[int | str]] | Mapping[str, Sequence[str]]
"""An answer in the form of its benchmark: stops of each route, or deliveries of each robot."""


class Objective(StrEnum):
    """What is to be small."""

    DISTANCE = "distance"
    VEHICLES = "vehicles"
    """First the number of vehicles, then the distance."""
    FLOW = "flow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What an answer is worth in the instance's own units, or why it does not count.

    Args:
        vehicles: those that have something to do.
        why: the first rule that the answer breaks; then there are no figures.
    """

    vehicles: int | None = None
    distance: float | None = None
    flow_s: float | None = None
    makespan_s: float | None = None
    why: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the answer keeps all rules."""
        return self.why is None


class Instance(Protocol):
    """One instance, in double precision as in its file."""

    @property
    def name(self) -> str:
        """As the benchmark calls it."""
        ...

    @property
    def objectives(self) -> frozenset[Objective]:
        """What it can be solved for."""
        ...

    def problem(self, objective: Objective) -> Problem:
        """The instance in whole numbers, rounded so that what is feasible in them is so in fact.

        Raises:
            ValueError: it can't be solved for this objective.
        """
        ...

    def routes_of(self, plan: Plan) -> Routes:
        """A plan of its problem, in the form of the benchmark."""
        ...

    def figures(self, routes: Routes) -> Figures:
        """What an answer is worth, counted again from the file's numbers."""
        ...
