"""How long driving takes, as it is measured on the way."""

from dispatcher.records.travel_times import TravelTimes
from dispatcher.traffic.pilot import Pilot
from fleet.vehicle import VehicleSpec
from routing.roads.paths import drive_seconds
from routing.site import Edge, LaneId, Site


class Timekeeper:
    """Learns from each edge that is driven, and tells how long lifts take."""

    def __init__(self, site: Site, times: TravelTimes) -> None:
        self._site = site
        self._times = times

    def driven(self, pilot: Pilot, edge: Edge, took_s: float) -> None:
        """A vehicle has driven an edge; a ride in a lift begins in front of its door."""
        planned_s = drive_seconds(self._site, edge, pilot.spec.speed_m_s)
        if edge.lane.lift is not None:
            in_s, took_in_s = pilot.ride_s
            planned_s, took_s = planned_s + in_s, took_s + took_in_s
        entered = edge.lane.lift is None and self._times.enters(edge)
        pilot.ride_s = (planned_s, took_s) if entered else (0.0, 0.0)
        if not entered:
            self._times.learn(edge, planned_s, took_s)

    def lift_waits(self, spec: VehicleSpec) -> dict[LaneId, float]:
        """How much longer than planned a ride in each lift takes at this hour, as was measured.

        Where people come first in some lift, that decides which one is the quicker.
        """
        ratios, found = self._times.ratios(), dict[LaneId, float]()
        for lane in self._site.lanes.values():
            ratio = 1.0 if lane.lift is None else ratios.get(f"lift {lane.lift}", 1.0)
            if ratio > 1:
                ride = Edge(start=lane.start, end=lane.end, lane=lane)
                planned_s = drive_seconds(self._site, ride, spec.speed_m_s)
                found[lane.id] = (ratio - 1) * planned_s
        return found
