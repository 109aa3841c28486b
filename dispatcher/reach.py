"""Whether a vehicle could get to the stops of a task, one after the other, and home again."""

from collections.abc import Sequence

from dispatcher.hours import Goods
from dispatcher.roadbook import RoadBook
from dispatcher.stops import TaskStop
from fleet.vehicle import Medium, VehicleSpec
from routing.site import PlaceId, Role, Site


def unreachable_stops(
    site: Site, roads: RoadBook, spec: VehicleSpec, stops: Sequence[TaskStop]
) -> list[PlaceId]:
    """The places among ``stops`` that a vehicle can't make in turn; empty = it can make all.

    From wherever it waits with goods on board it must be able to go home with them, out of the
    way of others, and to bring them on from there: else traffic could come to a standstill.
    Lanes that are closed for now don't count: they open again. Nor do those that are shut to its
    goods at some hours, if not at all.
    """
    places = [stop.place for stop in stops if stop.place is not None]
    if spec.medium is Medium.AIR:
        return [place for place in places if Role.PAD not in site.places[place].roles]
    goods: Goods = frozenset()
    reaches = roads.some_day(spec)
    home = site.places[spec.home].node
    here, carried_g, carried_ml = home, 0, 0
    missed: list[PlaceId] = []
    for stop in stops:
        if stop.place is None:
            continue
        node = site.places[stop.place].node
        loaded = carried_g > 0 or carried_ml > 0
        carried_g, carried_ml = carried_g + stop.load_g, carried_ml + stop.load_ml
        leaves_loaded = carried_g > 0 or carried_ml > 0
        before, goods = goods, goods.union(stop.taken) if leaves_loaded else frozenset[str]()
        comes = reaches(here, node, before, loaded=loaded)
        from_home = not loaded or reaches(home, node, before, loaded=True)
        to_home = reaches(node, home, goods, loaded=leaves_loaded)
        if comes and from_home and to_home:
            here = node
        else:
            missed.append(stop.place)
    return missed
