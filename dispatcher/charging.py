"""When a vehicle must charge, where, and when it has enough."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fleet.vehicle import VehicleId, VehicleSpec
from routing.errors import Unreachable
from routing.site import Place, PlaceId, Role, Site


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

    def take(self, spec: VehicleSpec, seconds_to: Callable[[Place], float]) -> Place | None:
        """The nearest free charger, taken for a vehicle; its own place, if that is one; or None."""
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
            if best is None or seconds < best[0]:
                best = seconds, place
        if best is None:
            return None
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
