"""Whom to send to the parts of an area: who is free, near, and charged for them."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from dispatcher.domain.eligibility import why_not
from dispatcher.domain.task import AreaPart, Task
from dispatcher.patrols.reliefs import Member
from dispatcher.patrols.sorties import Sortie, Sorties
from fleet.vehicle import Medium, VehicleId
from routing.errors import Unreachable

FULL = 0.93
"""Whoever holds so much flies as far as that lasts, if nobody gets through a whole part."""
PAUSE_S = 30.0
"""Whoever has lost a part is given none for so long."""
AHEAD_S = 3600.0
"""Drones that watches take within this time are left to them."""


class PartOffers:
    """Weighs the drones of one site.

    Args:
        crew: the vehicles, by id, in the order of the roster.
        engaged: how many drones watches take between two loop seconds, as a fraction.
    """

    def __init__(
        self,
        sorties: Sorties,
        crew: Callable[[], Mapping[VehicleId, Member]],
        engaged: Callable[[float, float, Medium], float],
    ) -> None:
        self._sorties, self._crew, self._engaged = sorties, crew, engaged
        self._failed_s: dict[VehicleId, float] = {}
        """When each vehicle lost a part."""

    def failed(self, vehicle: VehicleId, now_s: float) -> None:
        """A vehicle has lost a part."""
        self._failed_s[vehicle] = now_s

    def free(self, task: Task, now_s: float, flying: int) -> list[Member]:
        """Who could set out now, in the order of the roster.

        Args:
            flying: how many are at parts of areas already. Those that watches take are left to
                them, but one drone sees to areas in any case.
        """
        crew = self._crew().values()
        able = [m for m in crew if m.let_work and not why_not(task.spec, m.spec)]
        taken = math.ceil(self._engaged(now_s, now_s + AHEAD_S, Medium.AIR) - 1e-9)
        free = [m for m in able if m.may_stand_watch and self._may_try(m.spec.id, now_s)]
        return free[: max(0, max(1, len(able) - taken) - flying)]

    def choose(
        self, parts: Sequence[AreaPart], free: Sequence[Member]
    ) -> Iterator[tuple[AreaPart, Member, Sortie]]:
        """Who flies which part, each once; the best pair comes first."""
        pairs = [(part, member) for part in parts for member in free]
        pairs.sort(key=lambda pair: _rank(*pair))
        given, engaged = set[int](), set[VehicleId]()
        for part, member in pairs:
            if part.number in given or member.spec.id in engaged:
                continue
            full = _charge_of(member) >= FULL
            if not full and not self._could_last(part, member):
                continue
            sortie = self.sortie(part, member)
            if sortie is not None and (full or not sortie.rest):
                given.add(part.number)
                engaged.add(member.spec.id)
                yield part, member, sortie

    def sortie(self, part: AreaPart, member: Member) -> Sortie | None:
        """The flight that a drone could begin now; None = none."""
        charge, stand = _charge_of(member), member.stands_at
        try:
            return self._sorties.sortie(part.line, member.spec, stand, charge)
        except Unreachable:
            return None

    def _could_last(self, part: AreaPart, member: Member) -> bool:
        charge, stand = _charge_of(member), member.stands_at
        return self._sorties.could_last(part.line, member.spec, stand, charge)

    def _may_try(self, vehicle: VehicleId, now_s: float) -> bool:
        return now_s >= self._failed_s.get(vehicle, -math.inf) + PAUSE_S


def _rank(part: AreaPart, member: Member) -> tuple[bool, float, int, VehicleId]:
    """Whoever a part was planned for comes first, then whoever is near to an end of it."""
    state = member.state()
    here = part.line[0] if state.position is None else state.position.point
    way_m = min(part.line[0].distance_m(here), part.line[-1].distance_m(here))
    return part.by != member.spec.id, way_m, part.number, member.spec.id


def _charge_of(member: Member) -> float:
    ratio = member.state().charge_ratio
    return 1.0 if ratio is None else ratio
