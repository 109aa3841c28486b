"""What one site's dispatcher is given, and the parts on which all the others stand."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial

from dispatcher.air.docks import Docks
from dispatcher.air.passing import AirTimes
from dispatcher.air.site_air import SiteAir
from dispatcher.air.skies import Skies
from dispatcher.air.wind import SiteWind
from dispatcher.config import DispatchConfig, PlannerConfig
from dispatcher.domain.stops import Handling, workcells_of
from dispatcher.missions.air_rounds import AirRounds
from dispatcher.missions.air_tours import AirTours
from dispatcher.missions.handovers import Handovers
from dispatcher.records.alerts import Alerts
from dispatcher.records.book import TaskBook
from dispatcher.records.feed import Change, Hub
from dispatcher.records.journal import Journal
from dispatcher.records.store import Store
from dispatcher.records.travel_times import TravelTimes
from dispatcher.traffic.courtesy import Courtesy
from dispatcher.traffic.hours import Hours
from dispatcher.traffic.traffic import Traffic
from fleet.bus import Bus
from fleet.clock import Clock
from fleet.facility import Facilities
from fleet.roster import Roster
from fleet.vehicle import Medium, Vehicle, VehicleSpec
from fleet.workcells import Workcells
from routing.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a dispatcher is made from.

    Attributes:
        vehicles: connected or not, also those that are only looked at.
        journal: numbered on from what the store holds.
        zone: where the site's days begin and end.
    """

    site: Site
    clock: Clock
    vehicles: Sequence[Vehicle]
    bus: Bus
    store: Store
    journal: Journal
    config: DispatchConfig
    planner: PlannerConfig
    solver: Executor
    zone: tzinfo
    seed: int

    @property
    def led(self) -> list[Vehicle]:
        """The vehicles that are given work."""
        return [vehicle for vehicle in self.vehicles if not vehicle.spec.watched]

    @property
    def specs(self) -> list[VehicleSpec]:
        """What those can do."""
        return [vehicle.spec for vehicle in self.led]

    @property
    def ground(self) -> list[VehicleSpec]:
        """What those of them can do that drive."""
        return [spec for spec in self.specs if spec.medium is Medium.GROUND]


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Who tells, who keeps books, who is there, and the ways on the ground and in the air."""

    hub: Hub
    handling: Handling
    book: TaskBook
    alerts: Alerts
    roster: Roster
    facilities: Facilities
    workcells: Workcells
    handovers: Handovers
    times: TravelTimes | None
    traffic: Traffic
    air_times: AirTimes
    docks: Docks
    skies: Skies
    air: SiteAir
    rounds: AirRounds
    tours: AirTours


def basis_of(given: Given) -> Basis:
    """The basis of a dispatcher."""
    site, clock, config = given.site, given.clock, given.config
    hub = Hub()
    facilities, workcells = Facilities(given.bus, site), Workcells(given.bus, site)
    book = TaskBook(given.store, given.journal, clock, hub)
    alerts = Alerts(clock, lambda alert: hub.tell(Change(alert=alert)))
    handling = Handling(
        load_s=config.load_s, unload_s=config.unload_s, workcells=workcells_of(site)
    )
    times = TravelTimes(site, clock) if given.planner.learn_travel_times else None
    roster = Roster(given.vehicles, seed=given.seed)
    air = SiteAir(site, partial(_clock_s, clock, given.zone), _wind(given))
    air_times = _air_times(roster, air, clock)
    docks = Docks(site, [vehicle.spec for vehicle in given.vehicles])
    return Basis(
        hub=hub,
        handling=handling,
        book=book,
        alerts=alerts,
        roster=roster,
        facilities=facilities,
        workcells=workcells,
        handovers=Handovers(workcells, book, alerts, handling),
        times=times,
        traffic=_traffic(given, facilities, times),
        air_times=air_times,
        docks=docks,
        skies=Skies(site, docks, air_times),
        air=air,
        rounds=AirRounds(site, air),
        tours=AirTours(site, air),
    )


def _air_times(roster: Roster, air: SiteAir, clock: Clock) -> AirTimes:
    return AirTimes(
        lambda vehicle: roster[vehicle].state(),
        lambda vehicle: roster[vehicle].spec,
        air.pace,
        clock.now_s,
    )


def _traffic(given: Given, facilities: Facilities, times: TravelTimes | None) -> Traffic:
    site, clock, zone = given.site, given.clock, given.zone
    first = any(lift.passengers is not None for lift in site.lifts.values())
    courtesy = Courtesy(site, clock, zone) if first else None
    return Traffic(site, facilities, times, Hours(site, clock, zone), courtesy)


def _wind(given: Given) -> SiteWind:
    flown = [v.state for v in given.vehicles if v.spec.medium is Medium.AIR]
    return SiteWind(given.config.plan_wind_m_s, flown)


def _clock_s(clock: Clock, zone: tzinfo) -> float:
    """Seconds since midnight, site time."""
    here = clock.now().astimezone(zone)
    return here.hour * 3600.0 + here.minute * 60.0 + here.second + here.microsecond / 1e6
