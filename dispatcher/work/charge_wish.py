"""Whether one vehicle should charge now, whether it should go on, and how much it wants to."""

import logging
from collections.abc import Callable

from dispatcher.domain.charging import ChargePolicy, PlannedCharge
from dispatcher.domain.stops import Handling, stops_of
from dispatcher.domain.task import TaskId
from dispatcher.missions.execution import Mover
from dispatcher.planning.planner import Planner
from dispatcher.records.book import TaskBook
from dispatcher.traffic.chargers import Need
from fleet.vehicle import Vehicle
from routing.errors import Unreachable
from routing.problems.problem import Visit

log = logging.getLogger(__name__)

CHARGED = 0.98
"""Nobody charges farther for a plan."""
NEAR_RESERVE = 0.02
"""Whoever is as near as this to the reserve, and has nothing to do, charges, whatever is set."""


class ChargeWish:
    """What one vehicle's battery asks for: by the plan, by the net below it, or while it is idle.

    Args:
        in_service: whether it may work at all.
    """

    def __init__(
        self,
        vehicle: Vehicle,
        mover: Mover,
        book: TaskBook,
        planner: Planner,
        policy: ChargePolicy,
        handling: Handling,
        in_service: Callable[[], bool],
    ) -> None:
        self._vehicle = vehicle
        self._mover = mover
        self._book = book
        self._planner, self._plan = planner, planner.plan
        self._policy = policy
        self._handling = handling
        self._in_service = in_service
        self._id = vehicle.spec.id
        self._rest_until: float | None = None
        """Gets no new work before it has been charged this far."""

    @property
    def lets_work(self) -> bool:
        """Whether it may be given new work."""
        return self._in_service() and self._rest_until is None and self._vehicle.state().fit

    # --- for the plan ---

    def by_plan(self) -> PlannedCharge | None:
        """The charge that it should go for now; None = none, or it can't."""
        asked = self._asked()
        return asked if asked is not None and self._mover.may_charge() else None

    def goes_on_by_plan(self) -> bool:
        """Whether it should stay at the charger for the plan, or so that it can do what is next."""
        ratio = self._ratio()
        if not self.lets_work or ratio is None or ratio >= CHARGED:
            return False
        wanted = self._asked() is not None or self._lacks_energy()
        return wanted and self._mover.may_charge()

    def _asked(self) -> PlannedCharge | None:
        """The charge that the plan asks for now, of a vehicle that may work and is not full."""
        planned = self._planned()
        if planned is None or not self.lets_work:
            return None
        ratio = self._ratio()
        return None if ratio is None or ratio >= CHARGED else planned

    def _planned(self) -> PlannedCharge | None:
        """The charge before its next visit; one before a later visit, if it can't wait so long."""
        planned, later = (
            self._plan.charge(self._id),
            self._plan.first_charge(self._id),
        )
        if planned is not None or later is None:
            return planned
        return later if self._lacks_energy() else None

    def _lacks_energy(self) -> bool:
        visit = self._plan.next(self._id)
        return visit is not None and not self._lasts_for(visit)

    def _lasts_for(self, visit: Visit) -> bool:
        task = self._book[TaskId(visit.request)]
        try:
            return self._mover.has_energy_for(stops_of(task, self._handling)[visit.stop :])
        except Unreachable:
            return True  # it will be found out on the way, and told

    def may_begin(self, visit: Visit) -> bool:
        """Whether there is energy for a visit; if not, it rests, or never gets that task again."""
        if self._lasts_for(visit):
            return True
        ratio, enough = self._ratio() or 0.0, self._policy.work_from
        if ratio < self._policy.full:
            self._rest_until = enough if ratio < enough else self._policy.full
        else:
            log.warning("out of range: %s", visit.request, extra={"vehicle": self._id})
            self._planner.bar(TaskId(visit.request), self._id)
        self._planner.poke()
        return False

    # --- the net below the plan, and idle hours ---

    def must(self) -> bool:
        """Whether it should charge because it is low, or idle and not full."""
        ratio = self._ratio()
        if ratio is None:
            return False
        least = self._vehicle.spec.energy.reserve_ratio + NEAR_RESERVE
        if ratio < max(self._policy.must_below, least) and self._rest_until is None:
            self._rest_until = max(self._policy.work_from, least)
        return self._rest_until is not None or (
            ratio < self._idle_goal()[0] and self._mover.may_charge()
        )

    def goes_on(self) -> bool:
        """Whether it should stay: far enough to work again, or, idle, until it is full."""
        if not self._vehicle.state().fit:
            return True
        ratio = self._ratio() or 0.0
        if self._rest_until is not None:
            goes_on = ratio < self._rest_until
        else:
            goes_on = ratio < self._idle_goal()[1] and self._plan.next(self._id) is None
        return goes_on and self._mover.may_charge()

    def charged(self) -> None:
        """It has left off charging: it may work again, if that was enough."""
        if self._rest_until is not None and (self._ratio() or 0.0) >= self._rest_until:
            self._rest_until = None
            self._planner.poke()

    def unplugs(self) -> bool:
        """Whether it should leave off now that electricity is dear, and it has nothing to do."""
        return self._mover.plugged and not self._policy.cheap.now(self._book.now)

    def need(self) -> Need | None:
        """How much it wants to charge, with nothing else in hand; None = it doesn't."""
        state, energy = self._vehicle.state(), self._vehicle.spec.energy
        ratio = state.charge_ratio
        if ratio is None or not state.fit:
            return None
        pressed = self._rest_until is not None or self._asked() is not None
        below, up_to = self._idle_goal()
        idle = ratio < (up_to if state.charging else below)
        if not pressed and (not idle or self._plan.next(self._id) is not None):
            return None
        usable_wh = max(0.0, ratio - energy.reserve_ratio) * energy.capacity_wh
        return Need(
            pressed=pressed,
            wanted_s=self._plan.wanted_s(self._id),
            lasts_s=usable_wh * 3600 / max(energy.move_w, 1.0),
        )

    def _idle_goal(self) -> tuple[float, float]:
        return self._policy.idle_goal(self._book.now)

    def _ratio(self) -> float | None:
        return self._vehicle.state().charge_ratio
