"""All the parts of one site's dispatcher, and how they are put together.

Only this module and `sim.running.scenario` know them all; everyone else is handed the few they use.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from dispatcher.air.wind_limits import WindLimits
from dispatcher.basis import Basis, Given, basis_of
from dispatcher.desks.admission import Admission
from dispatcher.desks.control_desk import ControlDesk
from dispatcher.desks.emergency_desk import EmergencyDesk
from dispatcher.desks.fleet_desk import FleetDesk
from dispatcher.desks.incident_choice import IncidentChoice
from dispatcher.desks.incident_desk import IncidentDesk
from dispatcher.desks.incident_store import IncidentStore
from dispatcher.desks.lane_desk import LaneDesk
from dispatcher.desks.observations import ObservationDesk
from dispatcher.desks.road_desk import RoadDesk
from dispatcher.desks.task_desk import TaskDesk
from dispatcher.domain.emergencies import Emergencies
from dispatcher.domain.hygiene import Hygiene
from dispatcher.domain.task import TaskId
from dispatcher.flight_log.log import FlightStore
from dispatcher.flight_log.recorder import FlightRecorder
from dispatcher.missions.shift_legs import ShiftLegs
from dispatcher.missions.stations import Stations
from dispatcher.news.arrivals import Arrivals
from dispatcher.news.hearing import Hearing, Screens
from dispatcher.news.landings import Landings
from dispatcher.news.looks import Looks
from dispatcher.news.reactions import Reactions
from dispatcher.news.watch import FleetWatch
from dispatcher.patrols.patrol_judge import PatrolJudge
from dispatcher.patrols.patrols import Watches
from dispatcher.patrols.shift_desks import ShiftDesks
from dispatcher.patrols.sorties import Sorties
from dispatcher.patrols.survey_plans import SurveyPlans
from dispatcher.patrols.surveys import Surveys
from dispatcher.patrols.watch_plans import WatchPlans
from dispatcher.planning.forecast import Forecast
from dispatcher.planning.free import Free
from dispatcher.planning.modelling import Modeller
from dispatcher.planning.planner import Planner
from dispatcher.planning.transfers import Transfers
from dispatcher.traffic.blockages import Blockages
from dispatcher.traffic.chargers import Chargers
from dispatcher.traffic.outages import Outages
from dispatcher.traffic.shut_in import ShutIn
from dispatcher.work.air_holds import AirHolds
from dispatcher.work.shelter import Shelter
from dispatcher.work.worker import Worker
from dispatcher.work.workforce import Workforce
from fleet.vehicle import VehicleId


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """Who decides what is done, by whom, and what must wait."""

    forecast: Forecast
    hygiene: Hygiene
    planner: Planner
    watches: Watches
    surveys: Surveys
    shifts: ShiftDesks
    watch_plans: WatchPlans
    survey_plans: SurveyPlans
    transfers: Transfers
    emergency_desk: EmergencyDesk


@dataclass(frozen=True, slots=True, kw_only=True)
class Desks:
    """Where people, and other programs, give their orders."""

    tasks: TaskDesk
    fleet: FleetDesk
    lanes: LaneDesk
    roads: RoadDesk
    emergencies: EmergencyDesk
    incidents: IncidentDesk
    control: ControlDesk
    admission: Admission
    observations: ObservationDesk


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """All parts that somebody asks something of, or that live.

    Attributes:
        ready: set once the doors may open.
    """

    ready: asyncio.Event
    given: Given
    basis: Basis
    planning: Planning
    workers: Mapping[VehicleId, Worker]
    desks: Desks
    flights: FlightRecorder
    air_holds: AirHolds
    blockages: Blockages
    shut_in: ShutIn
    arrivals: Arrivals
    watch: FleetWatch
    looks: Looks
    hearing: Hearing


def parts_of(given: Given) -> Parts:
    """Put a dispatcher together; nothing lives yet.

    The planner and the workers need each other, and much of the rest needs both: the table of
    workers is handed out empty and filled here, and the planner is poked by a late look at it.
    """
    ready, basis, workers = asyncio.Event(), basis_of(given), dict[VehicleId, Worker]()
    reactions = Reactions(
        basis.roster,
        workers,
        basis.hub,
        lambda: planning.planner.poke(),
        lambda: planning.planner.roads_changed(),
    )
    basis.traffic.on_hours(reactions.hours_changed)
    landings = Landings(basis.roster, workers, lambda: looks, basis.handling, given.clock.now_s)
    planning = _planning(given, basis, workers, reactions, landings)
    poke = planning.planner.poke
    shut_in = ShutIn(
        given.site,
        given.clock,
        [spec.id for spec in given.ground],
        basis.traffic,
        basis.facilities,
        basis.alerts,
        step_back=lambda vehicle: workers[vehicle].step_back(),
        leave_to_others=lambda vehicle, lift: workers[vehicle].leave_to_others(lift),
    )

    def machines_changed() -> None:
        shut_in.look()
        planning.planner.roads_changed()

    Outages(  # facilities tell it
        given.site,
        basis.facilities,
        basis.traffic,
        basis.alerts,
        turn_back=lambda vehicle: workers[vehicle].think_again(),
        changed=machines_changed,
    )
    basis.workcells.on_service(lambda _cell, _serves: poke())
    blockages = Blockages(
        given.site,
        [spec.id for spec in given.ground],
        basis.traffic,
        basis.alerts,
        lambda vehicle: workers[vehicle].think_again(),
    )
    looks = Looks(
        given.site,
        given.clock,
        workers,
        planning.planner,
        basis.traffic,
        basis.skies,
        basis.handovers,
    )
    screens = Screens(basis.roster, looks, basis.hub)
    desks = _desks(given, basis, planning, workers, reactions, screens)
    flights = FlightRecorder(
        given.site,
        given.clock,
        FlightStore(given.store, given.clock),
        workers,
        desks.control.holder,
    )
    desks.control.noted = flights.told

    def fitness_changed(vehicle: VehicleId) -> None:
        screens.show_news(vehicle, basis.roster[vehicle].state())  # they must see silence, too
        reactions.fitness_changed(vehicle)

    watch = FleetWatch(basis.roster, workers, basis.traffic, basis.alerts, fitness_changed)
    return Parts(
        ready=ready,
        given=given,
        basis=basis,
        planning=planning,
        workers=workers,
        desks=desks,
        flights=flights,
        air_holds=AirHolds(basis.skies, basis.air_times, basis.roster, workers, basis.book),
        blockages=blockages,
        shut_in=shut_in,
        arrivals=Arrivals(basis.book, basis.roster, workers, basis.handling),
        watch=watch,
        looks=looks,
        hearing=Hearing(ready, basis.roster, watch, flights, screens),
    )


def _planning(
    given: Given,
    basis: Basis,
    workers: dict[VehicleId, Worker],
    reactions: Reactions,
    landings: Landings,
) -> Planning:
    """Fills ``workers``, too."""
    site, book, alerts, traffic = given.site, basis.book, basis.alerts, basis.traffic
    stations = Stations(basis.air, ShiftLegs(site, basis.air, basis.rounds))
    watch_plans = WatchPlans(site, traffic.roads, basis.air, basis.rounds, stations, given.specs)
    watches = Watches(
        book,
        alerts,
        basis.air,
        stations,
        watch_plans,
        crew=lambda: workers,
        cut_short=basis.skies.cut_short,
        changed=lambda: planner.poke(),
    )
    survey_plans = SurveyPlans(site, basis.air)
    surveys = Surveys(
        book,
        basis.air,
        watch_plans,
        survey_plans,
        Sorties(site, basis.air),
        given.solver,
        crew=lambda: workers,
        engaged=watches.engaged,
        cut_short=basis.skies.cut_short,
        changed=lambda: planner.poke(),
    )
    shifts = ShiftDesks(watches, surveys)
    hygiene = Hygiene()
    homes = [vehicle.spec.home for vehicle in given.vehicles]
    chargers = Chargers(site, homes, lambda vehicle: workers[vehicle].charge_need())
    modeller = Modeller(site, traffic.roads, basis.docks, basis.handling, hygiene, chargers)
    emergencies = Emergencies(site)
    limits = WindLimits(basis.air.wind, given.specs, alerts)
    shelters = {
        v.spec.id: Shelter(
            v, site, emergencies, traffic, book, alerts, partial(limits.grounds, v.spec.id)
        )
        for v in given.led
    }
    emergency_desk = EmergencyDesk(
        site,
        given.clock,
        emergencies,
        traffic,
        book,
        alerts,
        basis.handling,
        specs=given.specs,
        kept=lambda vehicle: shelters[vehicle].covers(),
        limits=limits,
        able=modeller.shortlist.able,
        changed=reactions.emergencies_changed,
    )
    transfers = Transfers(
        book,
        given.store,
        given.clock,
        alerts,
        basis.handling,
        outlook=landings.outlook,
        seconds_to=lambda vehicle, stop: workers[vehicle].seconds_to(stop),
        abandon=lambda vehicle, task: workers[vehicle].abandon(task),
        poke=lambda: planner.poke(),
    )
    planner = Planner(
        book,
        modeller,
        given.planner,
        given.solver,
        fleet=_fleet_of(given, workers),
        wake=lambda vehicle: workers[vehicle].wake(),
        turn_round=lambda vehicle, task: workers[vehicle].turn_round(task),
        held=lambda task: (
            emergency_desk.holds(task) or basis.handovers.holds(task) or transfers.holds(task)
        ),
        lead_s=transfers.lead_s,
        seed=given.seed,
    )
    forecast = Forecast(given.clock, basis.handling, given.zone)
    workforce = Workforce(
        given, basis, hygiene, chargers, forecast, planner, shifts, shelters, transfers
    )
    workers |= {vehicle.spec.id: workforce.worker(vehicle) for vehicle in given.led}
    return Planning(
        forecast=forecast,
        hygiene=hygiene,
        planner=planner,
        watches=watches,
        surveys=surveys,
        shifts=shifts,
        watch_plans=watch_plans,
        survey_plans=survey_plans,
        transfers=transfers,
        emergency_desk=emergency_desk,
    )


def _fleet_of(given: Given, workers: Mapping[VehicleId, Worker]) -> Callable[[], list[Free]]:
    def fleet() -> list[Free]:
        """Who can take work now or is at some, and where and when each will be free."""
        now_s = given.clock.now_s()
        each = ((worker, worker.free(now_s)) for worker in workers.values())
        return [free for worker, free in each if free.takes_new or worker.has_work]

    return fleet


def _at_work(workers: Mapping[VehicleId, Worker], vehicle: VehicleId) -> TaskId | None:
    worker = workers.get(vehicle)
    return None if worker is None else worker.at_work


def _desks(
    given: Given,
    basis: Basis,
    planning: Planning,
    workers: Mapping[VehicleId, Worker],
    reactions: Reactions,
    screens: Screens,
) -> Desks:
    site, clock, store = given.site, given.clock, given.store
    book, alerts, traffic = basis.book, basis.alerts, basis.traffic
    planner, watches, plans = planning.planner, planning.watches, planning.watch_plans
    roads = RoadDesk(
        site,
        clock,
        given.ground,
        traffic,
        book,
        alerts,
        lambda left: reactions.rules_changed(roads.in_force, left),
    )
    judge = PatrolJudge(
        site,
        basis.air,
        basis.rounds,
        basis.tours,
        plans,
        planning.survey_plans,
        basis.handling,
        given.specs,
        watches.engaged,
        given.solver,
    )
    admission = Admission(
        site,
        clock,
        given.config,
        basis.roster,
        traffic.roads,
        basis.docks,
        basis.handling,
        judge,
        plans,
        book,
    )
    incidents = IncidentDesk(
        site,
        clock,
        given.journal,
        IncidentStore(store, clock),
        alerts,
        workers,
        IncidentChoice(workers),
        planning.shifts.release,
        reactions.incidents_changed,
    )
    return Desks(
        tasks=TaskDesk(
            store, book, admission, planning.forecast, planner, watches, planning.surveys, workers
        ),
        fleet=FleetDesk(basis.roster, workers, book, alerts, planner.poke, screens.show),
        lanes=LaneDesk(site, clock, traffic, book, alerts, roads, planner.roads_changed),
        roads=roads,
        emergencies=planning.emergency_desk,
        incidents=incidents,
        observations=ObservationDesk(
            site, given.journal, store, basis.roster, partial(_at_work, workers), incidents
        ),
        control=ControlDesk(clock, book, alerts, given.led, workers, reactions.incidents_changed),
        admission=admission,
    )
