"""A drone's flight from home over all that one stop is to see, and back."""

from collections.abc import Sequence

from dispatcher.air.area_lines import lines_over
from dispatcher.air.site_air import SiteAir
from dispatcher.domain.stops import TaskStop
from fleet.vehicle import VehicleSpec
from routing.air.drawn import named_area
from routing.geometry import Point
from routing.site import AirspaceId, Site

KEPT = 500
"""So many tours are remembered."""


class AirTours:
    """Lays tours for the drones of one site, each once for the hours in which it is good."""

    def __init__(self, site: Site, air: SiteAir) -> None:
        self._site, self._air = site, air
        self._known: dict[tuple[object, ...], tuple[Point, ...]] = {}

    def tour(self, stop: TaskStop, spec: VehicleSpec) -> tuple[Point, ...]:
        """The tour of a flight that leaves now; raises Unreachable."""
        over = self._air.over()
        key = spec.id, stop.area, stop.drawn, stop.over, over
        if key not in self._known:
            self._known[key] = self._find(stop, spec, over)
            if len(self._known) > KEPT:
                del self._known[next(iter(self._known))]
        return self._known[key]

    def _find(
        self, stop: TaskStop, spec: VehicleSpec, over: frozenset[AirspaceId]
    ) -> tuple[Point, ...]:
        site, home = self._site, self._air.home(spec)
        pads = self._air.keep_off(spec, site.places[spec.home].node, stop.over)
        free = self._air.space(spec, over, pads)
        seen: Sequence[Point]
        if stop.over:
            seen = [site.nodes[site.places[place].node].point for place in stop.over]
        else:
            area = stop.drawn
            if area is None:
                assert stop.area is not None, "a flight from home and back is over something"
                area = named_area(site.airspaces[stop.area])
            seen = lines_over(site, area.shape, free.shape, over, spec, home)
        points = [home]
        for goal in (*seen, home):
            points += free.way(points[-1], goal)[1:]
        return tuple(points)
