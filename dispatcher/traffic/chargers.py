"""Who has which charger, and who gets one first where several want it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from fleet.vehicle import VehicleId, VehicleSpec
from routing.errors import Unreachable
from routing.site import NodeId, Place, PlaceId, Role, Site

MUCH_LESS = 0.5
"""Two of a kind change places at a charger only if the one's charge lasts so much shorter."""
WORK_S = 1800.0
"""Whoever has to charge leaves its charger to nobody before it could drive for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """How much a vehicle wants to charge.

    Args:
        pressed: it can't do its next work before; else it charges because it is idle.
        wanted_s: when its next work may begin; infinity = it has none.
        lasts_s: how long it could drive until only its reserve is left.
    """

    pressed: bool
    wanted_s: float
    lasts_s: float


def goes_before(one: Need, other: Need) -> bool:
    """Whether ``one`` gets a free charger that both want.

    First those who can't work before, then who is wanted sooner, then whose charge is over sooner.
    """
    return _rank(one) < _rank(other)


def gives_way(holder: Need, other: Need) -> bool:
    """Whether a vehicle that charges leaves its charger to another one that waits for it.

    An idle one does for one that has to charge; two of a kind, if the other's charge lasts much
    shorter. Of two idle ones the one that is wanted sooner stays.
    """
    if holder.pressed is not other.pressed:
        return other.pressed
    much_less = other.lasts_s < MUCH_LESS * holder.lasts_s
    if holder.pressed:
        return much_less and holder.lasts_s >= WORK_S
    return much_less and other.wanted_s <= holder.wanted_s


def _rank(need: Need) -> tuple[bool, float, float]:
    return not need.pressed, need.wanted_s, need.lasts_s


class Chargers:
    """Who has which charger; each is for one vehicle at a time.

    A vehicle whose home is a charger has that one alone; the others share the rest.

    Args:
        need: how much a vehicle wants to charge now; None = it does not.
    """

    def __init__(
        self,
        site: Site,
        homes: Iterable[PlaceId],
        need: Callable[[VehicleId], Need | None] = lambda _: None,
    ) -> None:
        private = frozenset(homes)
        self._shared = [
            place
            for place in site.with_role(Role.CHARGER)
            if place.id not in private and Role.PAD not in place.roles
        ]
        self._taken: dict[PlaceId, VehicleId] = {}
        self._refused: dict[VehicleId, frozenset[PlaceId]] = {}
        """Who has asked for a charger and got none, and which of them it can get to."""
        self._need = need
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
        """A charger that is a vehicle's from now on; None = there is none for it.

        Its own place, if that is one; or the one that it has already, unless it should give way
        there; or the nearest free one, if nobody who waits for it goes before.

        Args:
            wanted: the one that it gets if it is free.
        """
        home = self._site.places[spec.home]
        if Role.CHARGER in home.roles:
            return home
        held = self._held(spec.id)
        if held is not None and (wanted is None or wanted in self._taken):
            return None if self._asked_for(spec.id, held) else held
        near = self._reachable(seconds_to)
        free = [place for place in near if place.id not in self._taken]
        if len(free) <= self._before(spec.id, {place.id for place in free}):
            self._refused[spec.id] = frozenset(place.id for place in near)
            return None
        best = next((place for place in free if place.id == wanted), free[0])
        self.give_back(spec.id)
        self._hold(spec.id, best)
        return best

    def stands_at(self, spec: VehicleSpec, node: NodeId) -> None:
        """A vehicle stands at a node, or is sure to get there: if that is a charger, it has it."""
        here = next((place for place in self._shared if place.node == node), None)
        if here is not None and here.id not in self._taken:
            self.give_back(spec.id)
            self._hold(spec.id, here)

    def leave(self, vehicle: VehicleId, goal: NodeId) -> None:
        """A vehicle sets out for a goal: its charger is free, unless that is the goal."""
        held = self._held(vehicle)
        if held is not None and held.node != goal:
            self.give_back(vehicle)

    def give_back(self, vehicle: VehicleId) -> None:
        """A vehicle needs its charger no more; those who wait are told."""
        held = self._held(vehicle)
        if held is not None:
            del self._taken[held.id]
            for tell in self._waiting:
                tell()

    def on_free(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called whenever a charger becomes free."""
        self._waiting.append(listener)

    def _held(self, vehicle: VehicleId) -> Place | None:
        places = (place for place in self._shared if self._taken.get(place.id) == vehicle)
        return next(places, None)

    def _hold(self, vehicle: VehicleId, place: Place) -> None:
        self._taken[place.id] = vehicle
        self._refused.pop(vehicle, None)

    def _reachable(self, seconds_to: Callable[[Place], float]) -> list[Place]:
        """The shared chargers that a vehicle can get to, the nearest first."""
        found: list[tuple[float, int]] = []
        for number, place in enumerate(self._shared):
            try:
                found.append((seconds_to(place), number))
            except Unreachable:
                continue
        return [self._shared[number] for _, number in sorted(found)]

    def _asked_for(self, vehicle: VehicleId, held: Place) -> bool:
        others = self._needs(vehicle, {held.id})
        mine = self._need(vehicle) if others else None
        if mine is None:
            return bool(others)
        return any(gives_way(mine, other) for other in others)

    def _before(self, vehicle: VehicleId, places: set[PlaceId]) -> int:
        """How many others wait for one of these places and get one before a vehicle."""
        others = self._needs(vehicle, places)
        mine = self._need(vehicle) if others else None
        return sum(mine is None or goes_before(other, mine) for other in others)

    def _needs(self, vehicle: VehicleId, places: set[PlaceId]) -> list[Need]:
        """What those need who wait for one of these places, for as long as they do."""
        waiting: Mapping[VehicleId, Need | None] = {
            other: self._need(other)
            for other, near in self._refused.items()
            if other != vehicle and near & places
        }
        return [need for need in waiting.values() if need is not None]
