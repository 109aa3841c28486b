"""Where and when a vehicle will be free for other work, and how far its battery goes then."""

import math
from dataclasses import dataclass

from dispatcher.domain.task import TaskId
from fleet.vehicle import VehicleSpec
from routing.problems.problem import Battery
from routing.site import NodeId

LASTS_S = 2 * 3600.0
"""A battery that lasts for so long a drive is no concern of a plan, but for its range."""
MARGIN = 1.5
"""So much more than at cruise speed is used for each metre: lifts, doors, slow lanes, waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """Where and when a vehicle will be free for other work.

    Args:
        spot: a node, or ``area:ID`` over a patrol area.
        takes_new: whether it may be given more than it has begun.
        current: the stop that it is at or on its way to; it is not planned any more.
        turns_at: the node from which it could still be led elsewhere; None = it is too late.
    """

    spec: VehicleSpec
    spot: str
    ready_s: float
    charge_ratio: float
    takes_new: bool = True
    current: tuple[TaskId, int] | None = None
    turns_at: NodeId | None = None


def lasts(free: Free) -> bool:
    """Whether a battery is no concern of a plan."""
    energy = free.spec.energy
    usable_wh = (free.charge_ratio - energy.reserve_ratio) * energy.capacity_wh
    return usable_wh * 3600 >= MARGIN * energy.move_w * LASTS_S


def battery_of(free: Free) -> Battery:
    """A vehicle's battery in whole joules, and what it uses at the most."""
    energy = free.spec.energy
    capacity_j = int(energy.capacity_wh * 3600)
    return Battery(
        capacity_j=capacity_j,
        now_j=min(capacity_j, int(free.charge_ratio * capacity_j)),
        reserve_j=math.ceil(energy.reserve_ratio * capacity_j),
        per_m_j=math.ceil(MARGIN * energy.move_w / free.spec.speed_m_s),
        per_s_j=math.ceil(energy.idle_w),
        charge_j_s=max(1, int(energy.charge_w)),
    )
