"""One worker for each vehicle that is given work, with all that it needs to do it."""

from collections.abc import Mapping
from functools import partial

from dispatcher.basis import Basis, Given
from dispatcher.domain.charging import ChargePolicy, CheapHours
from dispatcher.domain.duties import Duties
from dispatcher.domain.hygiene import Hygiene
from dispatcher.domain.stops import Handling, stops_of
from dispatcher.missions.driving import GroundMover
from dispatcher.missions.execution import Missions
from dispatcher.missions.flights import AirMover
from dispatcher.missions.help_flights import HelpFlights
from dispatcher.planning.forecast import Forecast
from dispatcher.planning.planner import Planner
from dispatcher.planning.transfers import Transfers
from dispatcher.planning.waiting import WaitingPlaces
from dispatcher.records.book import TaskBook
from dispatcher.traffic.chargers import Chargers
from dispatcher.work.shelter import Shelter
from dispatcher.work.worker import Worker
from fleet.vehicle import Medium, Vehicle, VehicleId
from routing.site import NodeId, Site


class Workforce:
    """Makes the workers of one site.

    Args:
        forecast: where tasks are expected, for those who wait.
    """

    def __init__(
        self,
        given: Given,
        basis: Basis,
        hygiene: Hygiene,
        chargers: Chargers,
        forecast: Forecast,
        planner: Planner,
        duties: Duties,
        shelters: Mapping[VehicleId, Shelter],
        transfers: Transfers,
    ) -> None:
        self._given, self._basis = given, basis
        self._hygiene, self._chargers = hygiene, chargers
        self._planner, self._duties, self._shelters = planner, duties, shelters
        self._transfers = transfers
        self._policy = _policy(given)
        self._waiting = _waiting(given, basis, forecast)

    def worker(self, vehicle: Vehicle) -> Worker:
        """A worker for a vehicle."""
        basis = self._basis
        missions = Missions(vehicle, basis.book, basis.alerts, basis.handovers)
        flies, helper = vehicle.spec.medium is Medium.AIR, None
        if flies:
            mover, helper = self._in_the_air(vehicle, missions)
        else:
            mover = self._on_the_ground(vehicle, missions)
        return Worker(
            vehicle,
            mover,
            missions,
            basis.book,
            self._planner,
            basis.alerts,
            handling=basis.handling,
            handovers=basis.handovers,
            charging=self._policy,
            shelter=self._shelters[vehicle.spec.id],
            duties=self._duties,
            transfers=self._transfers,
            flyer=mover if isinstance(mover, AirMover) else None,
            waiting=None if flies else self._waiting,
            helper=helper,
        )

    def _in_the_air(self, vehicle: Vehicle, missions: Missions) -> tuple[AirMover, HelpFlights]:
        basis = self._basis
        sky = self._given.site, basis.skies, missions, basis.book
        flyer = AirMover(vehicle, *sky, basis.handling, basis.air, basis.tours)
        return flyer, HelpFlights(vehicle, *sky, flyer, basis.air)

    def _on_the_ground(self, vehicle: Vehicle, missions: Missions) -> GroundMover:
        basis = self._basis
        return GroundMover(
            vehicle,
            self._given.site,
            basis.traffic,
            missions,
            basis.book,
            self._hygiene,
            self._chargers,
            kept=partial(_is_kept, self._shelters[vehicle.spec.id]),
        )


def _policy(given: Given) -> ChargePolicy:
    config = given.config
    return ChargePolicy(
        must_below=config.charge_below_ratio,
        idle_below=config.idle_charge_below_ratio,
        work_from=config.work_from_ratio,
        full=config.charge_to_ratio,
        cheap=CheapHours.of(given.planner.cheap_hours, given.zone),
    )


def _waiting(given: Given, basis: Basis, forecast: Forecast) -> WaitingPlaces | None:
    if not given.planner.positioning:
        return None
    return WaitingPlaces(
        given.site,
        basis.traffic.roads,
        forecast,
        given.ground,
        stand=basis.traffic.stand,
        needed=partial(_is_needed, given.site, basis.book, basis.handling),
    )


def _is_kept(shelter: Shelter) -> bool:
    return shelter.covers() is not None


def _is_needed(site: Site, book: TaskBook, handling: Handling, node: NodeId) -> bool:
    """Whether an open task leads to a node."""
    places = {place.id for place in site.places_at.get(node, ())}
    stops = (stop for task in book.open() for stop in stops_of(task, handling))
    return any(stop.place in places for stop in stops)
