"""Whether a vehicle could get to the stops of a task, one after the other, and home again."""

from collections.abc import Sequence

from dispatcher.stops import TaskStop
from dispatcher.traffic import Traffic, loaded, rules_of
from fleet.vehicle import Medium, VehicleSpec
from routing.site import PlaceId, Role, Site


def unreachable_stops(
    site: Site, traffic: Traffic, spec: VehicleSpec, stops: Sequence[TaskStop]
) -> list[PlaceId]:
    """The places among ``stops`` that a vehicle can't get to and back from; empty = it can."""
    places = [stop.place for stop in stops if stop.place is not None]
    if spec.medium is Medium.AIR:
        return [place for place in places if Role.PAD not in site.places[place].roles]
    empty, full = traffic.roads(spec), traffic.roads_by(loaded(rules_of(spec)))
    home = site.places[spec.home].node
    here, carries = home, False
    missed: list[PlaceId] = []
    for stop in stops:
        if stop.place is None:
            continue
        node = site.places[stop.place].node
        roads = full if carries else empty
        if node in roads.reachable(here) and home in empty.reachable(node):
            here = node
        else:
            missed.append(stop.place)
        carries = carries or stop.load_g > 0
    return missed
