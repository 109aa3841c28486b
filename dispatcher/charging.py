"""When a vehicle must charge, where, and when it has enough."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, tzinfo

from fleet.vehicle import VehicleId, VehicleSpec
from routing.errors import Unreachable
from routing.site import Place, PlaceId, Role, Site


@dataclass(frozen=True, slots=True, kw_only=True)
class CheapHours:
    """When electricity is cheap: spans of minutes since midnight, over midnight too; none = always.

    Args:
        zone: where the days begin and end.
    """

    spans: tuple[tuple[int, int], ...] = ()
    zone: tzinfo = UTC

    @classmethod
    def of(cls, words: Iterable[str], zone: tzinfo = UTC) -> "CheapHours":
        """From words such as ``22:00-06:00``.

        Raises:
            ValueError: one of them is none.
        """
        return cls(spans=tuple(_span(word) for word in words), zone=zone)

    def now(self, now: datetime) -> bool:
        """Whether electricity is cheap at an aware moment."""
        here = now.astimezone(self.zone)
        minute = here.hour * 60 + here.minute
        return not self.spans or any(
            from_ <= minute < to if from_ < to else minute >= from_ or minute < to
            for from_, to in self.spans
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCharge:
    """A stop at a charger on the way to a visit, as the plan has it."""

    charger: PlaceId
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargePolicy:
    """Shares of the capacity at which something happens.

    ``must_below``: no more work before it has been charged to ``work_from``. ``idle_below``: goes
    to charge when it has nothing to do. ``full``: charged far enough to make room for others.
    """

    must_below: float = 0.35
    idle_below: float = 0.85
    work_from: float = 0.6
    full: float = 0.95
    cheap: CheapHours = field(default_factory=CheapHours)
    """At other times an idle vehicle charges only below ``work_from``, and not to the full."""

    def idle_goal(self, now: datetime) -> tuple[float, float]:
        """Below which charge an idle vehicle goes to charge now, and how far it is charged."""
        if self.cheap.now(now):
            return self.idle_below, self.full
        return self.work_from, (self.work_from + self.full) / 2


def enough(
    spec: VehicleSpec, charge_ratio: float, *, move_s: float, idle_s: float, work_s: float = 0.0
) -> bool:
    """Whether a trip would leave the reserve untouched, with a quarter more than planned."""
    energy = spec.energy
    needed_wh = 1.25 * energy.trip_wh(move_s=move_s, idle_s=idle_s, work_s=work_s)
    return (
        charge_ratio * energy.capacity_wh - needed_wh >= energy.reserve_ratio * energy.capacity_wh
    )


class Chargers:
    """Who has which charger; each is for one vehicle at a time."""

    def __init__(self, site: Site, homes: Iterable[PlaceId]) -> None:
        private = frozenset(homes)
        self._shared = [
            place
            for place in site.with_role(Role.CHARGER)
            if place.id not in private and Role.PAD not in place.roles
        ]
        self._taken: dict[PlaceId, VehicleId] = {}
        self._site = site
        self._waiting: list[Callable[[], None]] = []

    def usable(self, spec: VehicleSpec) -> list[tuple[Place, VehicleId | None]]:
        """Where a vehicle may charge, and who else has that charger now."""
        home = self._site.places[spec.home]
        if Role.CHARGER in home.roles:
            return [(home, None)]
        holders = ((place, self._taken.get(place.id)) for place in self._shared)
        return [(place, None if holder == spec.id else holder) for place, holder in holders]

    def take(
        self,
        spec: VehicleSpec,
        seconds_to: Callable[[Place], float],
        wanted: PlaceId | None = None,
    ) -> Place | None:
        """The nearest free charger, taken for a vehicle; its own place, if that is one; or None.

        Args:
            wanted: the one that it gets if it is free.
        """
        home = self._site.places[spec.home]
        if Role.CHARGER in home.roles:
            return home
        best: tuple[float, Place] | None = None
        for place in self._shared:
            if self._taken.get(place.id, spec.id) != spec.id:
                continue
            try:
                seconds = seconds_to(place)
            except Unreachable:
                continue
            if place.id == wanted:
                seconds = -1.0
            if best is None or seconds < best[0]:
                best = seconds, place
        if best is None:
            return None
        if self._taken.get(best[1].id) != spec.id:
            self.give_back(spec.id)
            self._taken[best[1].id] = spec.id
        return best[1]

    def give_back(self, vehicle: VehicleId) -> None:
        """A vehicle has left its charger; those who wait are told."""
        mine = [place for place, holder in self._taken.items() if holder == vehicle]
        for place in mine:
            del self._taken[place]
        if mine:
            for tell in self._waiting:
                tell()

    def on_free(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called whenever a charger becomes free."""
        self._waiting.append(listener)


def _span(word: str) -> tuple[int, int]:
    """``22:00-06:00`` in minutes since midnight."""
    from_, _, to = word.partition("-")
    ends = [time.fromisoformat(end) for end in (from_, to)]
    return ends[0].hour * 60 + ends[0].minute, ends[1].hour * 60 + ends[1].minute
