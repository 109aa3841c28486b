"""Whether a vehicle could get to the stops of a task, one after the other, and home again."""

from collections.abc import Sequence
from typing import NamedTuple

from dispatcher.air.docks import Docks
from dispatcher.domain.stops import TaskStop
from dispatcher.traffic.hours import Goods
from dispatcher.traffic.kinds import rules_of
from dispatcher.traffic.roadbook import RoadBook
from fleet.vehicle import Medium, VehicleSpec
from routing.refusal import Refusal
from routing.roads.paths import Rules
from routing.site import NodeId, PlaceId, Role, Site

KEPT = 20_000
"""So many answers are remembered."""


class Leg(NamedTuple):
    """To a stop, and on from there: with which goods, and whether with any load at all."""

    place: PlaceId
    loaded: bool
    goods: Goods
    loaded_after: bool
    goods_after: Goods


class Reach:
    """Remembers who could get where: the same ways are asked for over and over."""

    def __init__(self, site: Site, roads: RoadBook, docks: Docks) -> None:
        self._site, self._roads, self._docks = site, roads, docks
        self._homes = roads.homes
        self._known: dict[tuple[Rules, NodeId, tuple[Leg, ...]], bool] = {}

    def all_of(self, spec: VehicleSpec, legs: tuple[Leg, ...]) -> bool:
        """Whether a vehicle can make all stops that ``legs`` are of: see `unreachable_stops`."""
        if spec.medium is Medium.AIR:
            return not self._missed(spec, legs)
        if self._homes is not self._roads.homes or len(self._known) >= KEPT:
            self._homes = self._roads.homes
            self._known.clear()
        key = rules_of(spec), self._site.places[spec.home].node, legs
        if key not in self._known:
            self._known[key] = not self._missed(spec, legs)
        return self._known[key]

    def _missed(self, spec: VehicleSpec, legs: tuple[Leg, ...]) -> list[PlaceId]:
        return _missed(self._site, self._roads, self._docks, spec, legs)


def legs_of(stops: Sequence[TaskStop]) -> tuple[Leg, ...]:
    """What is on board on the way to each stop at a place, and after it."""
    goods: Goods = frozenset()
    carried_g, carried_ml = 0, 0
    found: list[Leg] = []
    for stop in stops:
        if stop.place is None:
            continue
        loaded = carried_g > 0 or carried_ml > 0
        carried_g, carried_ml = carried_g + stop.load_g, carried_ml + stop.load_ml
        after = carried_g > 0 or carried_ml > 0
        before, goods = goods, goods.union(stop.taken) if after else frozenset[str]()
        found.append(Leg(stop.place, loaded, before, after, goods))
    return tuple(found)


def unreachable_stops(
    site: Site, roads: RoadBook, docks: Docks, spec: VehicleSpec, stops: Sequence[TaskStop]
) -> list[PlaceId]:
    """The places among ``stops`` that a vehicle can't make in turn; empty = it can make all.

    From wherever it waits with goods on board it must be able to go home with them, out of the
    way of others, and to bring them on from there: else traffic could come to a standstill.
    Lanes that are closed for now don't count: they open again. Nor do those that are shut to its
    goods at some hours, if not at all. A drone lands on pads that are nobody else's dock.
    """
    return _missed(site, roads, docks, spec, legs_of(stops))


def why_missed(site: Site, docks: Docks, spec: VehicleSpec, place: PlaceId) -> Refusal:
    """Why a vehicle can't make one of the places that `unreachable_stops` has found."""
    lands = spec.medium is Medium.AIR and Role.PAD in site.places[place].roles
    kept = docks.why_not_land(spec.id, place) if lands else None
    return kept or Refusal("unreachable", {"value": place})


def _missed(
    site: Site, roads: RoadBook, docks: Docks, spec: VehicleSpec, legs: Sequence[Leg]
) -> list[PlaceId]:
    if spec.medium is Medium.AIR:
        return [
            leg.place
            for leg in legs
            if Role.PAD not in site.places[leg.place].roles
            or docks.why_not_land(spec.id, leg.place) is not None
        ]
    reaches = roads.some_day(spec)
    home = site.places[spec.home].node
    here = home
    missed: list[PlaceId] = []
    for leg in legs:
        node = site.places[leg.place].node
        comes = reaches(here, node, leg.goods, loaded=leg.loaded)
        from_home = not leg.loaded or reaches(home, node, leg.goods, loaded=True)
        to_home = reaches(node, home, leg.goods_after, loaded=leg.loaded_after)
        if comes and from_home and to_home:
            here = node
        else:
            missed.append(leg.place)
    return missed
