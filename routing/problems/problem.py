"""Who should carry what, in which order: the question, in whole seconds, metres and grams.

A pickup-and-delivery problem with time windows. It knows nothing of hospitals or robots: requests
are stops on numbered nodes, vehicles are slots with a travel matrix. Everything in it is plain
and frozen, so it can be sent to a worker process. The answer is a `routing.problems.plan.Plan`.
"""

from dataclasses import dataclass

from routing.errors import BadProblem
from routing.problems.problem_faults import LARGEST, fault_of
from routing.problems.question import Question, Weights
from routing.problems.request import GoodsRules, Request, Stop, Visit
from routing.problems.slot import Battery, Break, Charger, Profile, Slot, Table

__all__ = [
    "BOUND_PENALTY",
    "LARGEST",
    "Battery",
    "Break",
    "Charger",
    "GoodsRules",
    "Problem",
    "Profile",
    "Request",
    "Slot",
    "Stop",
    "Table",
    "Visit",
    "Weights",
]

BOUND_PENALTY = 1_000_000_000_000
"""Keeps what is on board or committed in the plan, as long as there is a way to do it at all."""


@dataclass(frozen=True, kw_only=True)
class Problem(Question):
    """A question that makes sense, and what it costs to answer it badly.

    Raises:
        BadProblem: something refers to what isn't there, sizes differ, or a number is out of its
            range; the caller's bug, or a file that it should refuse.
    """

    def __post_init__(self) -> None:
        if fault := fault_of(self):
            raise BadProblem(fault)

    def late_price(self, request: Request) -> int:
        """Price of one second after its due time; it grows while the request waits."""
        waited_s = max(0, self.now_s - request.release_s)
        return request.late_weight + request.late_weight * waited_s // self.weights.waiting_s

    def drop_price(self, request: Request) -> int:
        """Price of leaving it unplanned; prohibitive for what can't be refused."""
        return request.drop_penalty + (BOUND_PENALTY if request.id in self.bound else 0)
