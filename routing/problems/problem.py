"""Who should carry what, in which order: the question, in whole seconds, metres and grams.

A pickup-and-delivery problem with time windows. It knows nothing of hospitals or robots: requests
are stops on numbered nodes, vehicles are slots with a travel matrix. Everything in it is plain
and frozen, so it can be sent to a worker process. The answer is a `routing.problems.plan.Plan`.
"""

from dataclasses import dataclass, field
from functools import cached_property

from routing.errors import BadProblem
from routing.problems.problem_faults import LARGEST, fault_of
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Prices that turn a plan into one number; smaller is better.

    Args:
        flow_s: per second from a request's release to its end.
        metre: per metre driven.
        change: for a request that moves to another vehicle than in the last plan.
        waiting_s: a request that has waited this long counts twice when late, and so on.
        imbalance: a slot with n requests pays this n squared times, so that work is shared.
    """

    flow_s: int = 1
    metre: int = 1
    change: int = 60
    waiting_s: int = 1800
    imbalance: int = 0


@dataclass(frozen=True, kw_only=True)
class Problem:
    """All requests and all vehicles at ``now_s``.

    Args:
        goods: which goods may meet; None = all may.
        chargers: where slots with a battery charge.
        charge_loaded: whether they may do so with goods on board.

    Raises:
        BadProblem: something refers to what isn't there, sizes differ, or a number is out of its
            range; the caller's bug, or a file that it should refuse.
    """

    profiles: tuple[Profile, ...]
    requests: tuple[Request, ...]
    slots: tuple[Slot, ...]
    weights: Weights = field(default_factory=Weights)
    now_s: int = 0
    goods: GoodsRules | None = None
    chargers: tuple[Charger, ...] = ()
    charge_loaded: bool = False

    def __post_init__(self) -> None:
        if fault := fault_of(self):
            raise BadProblem(fault)

    @cached_property
    def request_numbers(self) -> dict[str, int]:
        """Where each request stands in ``requests``."""
        return {request.id: number for number, request in enumerate(self.requests)}

    @cached_property
    def bound(self) -> dict[str, int]:
        """Requests that can't be refused or moved any more, and the slot that has each."""
        found = {r.id: r.aboard for r in self.requests if r.aboard is not None}
        for number, slot in enumerate(self.slots):
            found |= {visit.request: number for visit in slot.committed}
        return found

    def late_price(self, request: Request) -> int:
        """Price of one second after its due time; it grows while the request waits."""
        waited_s = max(0, self.now_s - request.release_s)
        return request.late_weight + request.late_weight * waited_s // self.weights.waiting_s

    def drop_price(self, request: Request) -> int:
        """Price of leaving it unplanned; prohibitive for what can't be refused."""
        return request.drop_penalty + (BOUND_PENALTY if request.id in self.bound else 0)
