"""Whether a vehicle could get to the stops of a task, one after the other, and home again."""

from collections.abc import Sequence

from dispatcher.stops import TaskStop
from dispatcher.traffic import Traffic
from fleet.vehicle import Medium, VehicleSpec
from routing.site import PlaceId, Role, Site


def unreachable_stops(
    site: Site, traffic: Traffic, spec: VehicleSpec, stops: Sequence[TaskStop]
) -> list[PlaceId]:
    """The places among ``stops`` that a vehicle can't get to and back from; empty = it can."""
    places = [stop.place for stop in stops if stop.place is not None]
    if spec.medium is Medium.AIR:
        return [place for place in places if Role.PAD not in site.places[place].roles]
    roads = traffic.roads(spec)
    home = site.places[spec.home].node
    out = roads.reachable(home)
    missed: list[PlaceId] = []
    for place in places:
        node = site.places[place].node
        if node not in out or home not in roads.reachable(node):
            missed.append(place)
    return missed
