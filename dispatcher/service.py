"""The dispatcher as one thing: what it shows, and the desks where orders are given.

`dispatcher.parts` puts it together, `dispatcher.life` lets it live.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, tzinfo

from dispatcher.basis import Given
from dispatcher.config import DispatchConfig, PlannerConfig
from dispatcher.desks.control_desk import Token
from dispatcher.domain.emergencies import Emergency
from dispatcher.domain.incidents import Incident
from dispatcher.domain.road_rules import RoadRule
from dispatcher.domain.task import Task, TaskId
from dispatcher.domain.views import Activity, VehicleView
from dispatcher.life import Life
from dispatcher.parts import parts_of
from dispatcher.patrols.watch_views import WatchView
from dispatcher.planning.planner import SolveTimes
from dispatcher.records.alerts import Alert
from dispatcher.records.executors import Executors
from dispatcher.records.feed import Change, Feed
from dispatcher.records.journal import Journal
from dispatcher.records.store import Store
from fleet.bus import Bus
from fleet.clock import Clock
from fleet.vehicle import Vehicle, VehicleId, VehicleState
from routing.site import Site


class Service:
    """One site's dispatcher.

    Args:
        vehicles: connected or not; the service runs their links.
        journal: numbered on from what the store holds.
        zone: where the site's days begin and end.
    """

    def __init__(
        self,
        site: Site,
        clock: Clock,
        vehicles: Sequence[Vehicle],
        bus: Bus,
        store: Store,
        journal: Journal,
        config: DispatchConfig,
        executors: Executors,
        *,
        planner: PlannerConfig | None = None,
        zone: tzinfo = UTC,
        simulation: bool = False,
        speed: float | None = None,
        seed: int = 0,
    ) -> None:
        given = Given(
            site=site,
            clock=clock,
            vehicles=vehicles,
            bus=bus,
            store=store,
            journal=journal,
            config=config,
            planner=planner or PlannerConfig(),
            solver=executors.solver,
            zone=zone,
            seed=seed,
        )
        self.site, self.clock = site, clock
        self.store, self.journal = store, journal
        self.simulation = simulation
        self.play = None
        self.speed = speed
        """How many times as fast as the wall's its clock runs; None = as fast as it can."""
        self._parts = parts = parts_of(given)
        self._life = Life(parts)
        self.ready = parts.ready
        self.roster = parts.basis.roster
        self.facilities = parts.basis.facilities
        self.task_desk = parts.desks.tasks
        self.admission = parts.desks.admission
        self.fleet_desk = parts.desks.fleet
        self.lane_desk = parts.desks.lanes
        self.road_desk = parts.desks.roads
        self.emergency_desk = parts.desks.emergencies
        self.incidents = parts.desks.incidents
        self.observations = parts.desks.observations
        self.control = parts.desks.control
        self.flights = parts.flights

    async def run(self) -> None:
        """Dispatch until cancelled; `ready` is set once the doors may open."""
        await self._life.run()

    # --- what is shown ---

    def task(self, task: TaskId) -> Task:
        """A task that is open or ended lately; NotFound: look into the store."""
        return self._parts.basis.book[task]

    def open_tasks(self) -> list[Task]:
        """All open tasks, in the order of acceptance."""
        return self._parts.basis.book.open()

    def ended_tasks(self) -> list[Task]:
        """Those that ended lately, the latest last."""
        return self._parts.basis.book.ended()

    def vehicles(self) -> list[VehicleView]:
        """All vehicles as people see them."""
        return [self._parts.looks.view(vehicle) for vehicle in self.roster]

    def activities(self) -> dict[VehicleId, Activity]:
        """What each vehicle is at."""
        looks = self._parts.looks
        return {vehicle.spec.id: looks.activity(vehicle) for vehicle in self.roster}

    def watches(self) -> list[WatchView]:
        """The watches that go on, and who is on station."""
        return self._parts.planning.watches.views()

    def alerts(self) -> list[Alert]:
        """All alerts that are remembered."""
        return self._parts.basis.alerts.all()

    def road_rules(self) -> list[RoadRule]:
        """The rules of the road, also those that are still to begin, the oldest first."""
        return self.road_desk.rules

    def emergencies(self) -> list[Emergency]:
        """The emergencies in force, the oldest first."""
        return self.emergency_desk.in_force

    def incidents_shown(self) -> list[Incident]:
        """The open incidents and the latest of the others, the oldest first."""
        return self.incidents.shown

    def tokens(self) -> list[Token]:
        """Who commands what."""
        return self.control.tokens

    def stopped(self) -> Mapping[VehicleId, str]:
        """Which vehicles the emergency stop holds, and who pressed it."""
        return self.control.stopped

    @property
    def solve_times(self) -> SolveTimes:
        """How often and how long the solvers thought."""
        return self._parts.planning.planner.times

    # --- what is told ---

    def subscribe(self) -> Feed:
        """All changes from now on."""
        return self._parts.basis.hub.subscribe()

    def on_task(self, listener: Callable[[Task], None]) -> None:
        """Have ``listener`` called with each task that is accepted or moves."""
        self._parts.basis.book.on_move(listener)

    def on_change(self, listener: Callable[[Change], None]) -> None:
        """Have ``listener`` called, without delay, with each change that screens are told."""
        self._parts.basis.hub.listen(listener)

    def on_word(self, listener: Callable[[VehicleId, VehicleState], None]) -> None:
        """Have ``listener`` called, without delay, with what each word of a vehicle made of it."""
        self._parts.hearing.on_word(listener)
