"""All that is known of who wants what and who could carry it, whether it makes sense or not."""

from dataclasses import dataclass, field
from functools import cached_property

from routing.problems.request import GoodsRules, Request
from routing.problems.slot import Charger, Profile, Slot


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
class Question:
    """All requests and all vehicles at ``now_s``.

    Args:
        goods: which goods may meet; None = all may.
        chargers: where slots with a battery charge.
        charge_loaded: whether they may do so with goods on board.
    """

    profiles: tuple[Profile, ...]
    requests: tuple[Request, ...]
    slots: tuple[Slot, ...]
    weights: Weights = field(default_factory=Weights)
    now_s: int = 0
    goods: GoodsRules | None = None
    chargers: tuple[Charger, ...] = ()
    charge_loaded: bool = False

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
