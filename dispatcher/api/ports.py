"""What the doors for people (API, live link) need behind them, and no more.

`Showing` is what can be looked at: the present, or a day that is over. `Service` is a dispatcher,
which can be told to do something, too: at its desks, one for each kind of order.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from dispatcher.desks.control_desk import ControlDesk, Token
from dispatcher.desks.emergencies_in import EmergencyIn
from dispatcher.desks.incident_desk import IncidentDesk
from dispatcher.desks.intake import FieldFaults
from dispatcher.desks.observations import ObservationDesk
from dispatcher.desks.road_rules_in import RoadRuleIn
from dispatcher.desks.task_in import PatrolIn, TaskIn
from dispatcher.domain.emergencies import Emergency, EmergencyId
from dispatcher.domain.incidents import Incident
from dispatcher.domain.road_rules import RoadRule, RuleId
from dispatcher.domain.task import Priority, Task, TaskId
from dispatcher.domain.views import Play, VehicleView
from dispatcher.errors import Refused
from dispatcher.flight_log.recorder import FlightRecorder
from dispatcher.patrols.patrol_judge import Forecast
from dispatcher.patrols.watch_views import WatchView
from dispatcher.records.alerts import Alert
from dispatcher.records.feed import Feed
from dispatcher.records.journal import Event
from dispatcher.records.store import Page, Store, TaskQuery
from fleet.clock import Clock
from fleet.vehicle import VehicleId
from routing.site import LaneId, Site


class Archive(Protocol):
    """All tasks that ever were, and what happened to them; `dispatcher.records.store` is one."""

    async def page(self, query: TaskQuery) -> Page:
        """The newest tasks that match, from the cursor on."""
        ...

    async def task(self, task: TaskId) -> Task | None:
        """One task, open or ended."""
        ...

    async def timeline(self, task: TaskId) -> list[Event]:
        """All events of one task, in their order."""
        ...

    async def done_since(self, since_s: float) -> Mapping[TaskId, bool]:
        """What was done since a moment, each delivery once, and whether it was in time."""
        ...


class Showing(Protocol):
    """A site, its vehicles and its tasks, as they are at the moment that is shown."""

    @property
    def site(self) -> Site:
        """Where all of it happens."""
        ...

    @property
    def clock(self) -> Clock:
        """The moment that is shown, in loop seconds and by the calendar."""
        ...

    @property
    def simulation(self) -> bool:
        """Whether the vehicles are simulated; screens say so."""
        ...

    @property
    def speed(self) -> float | None:
        """How many times as fast as the wall's its clock runs; None = nobody set a pace."""
        ...

    @property
    def play(self) -> Play | None:
        """That this is a run played back, and how; None = the present."""
        ...

    @property
    def store(self) -> Archive:
        """For pages and timelines."""
        ...

    def task(self, task: TaskId) -> Task:
        """A task that is open or has ended lately. Raises NotFound."""
        ...

    def open_tasks(self) -> list[Task]:
        """All tasks that have not ended."""
        ...

    def vehicles(self) -> list[VehicleView]:
        """All vehicles, as they are now."""
        ...

    def watches(self) -> Sequence[WatchView]:
        """The watches that go on, the oldest first."""
        ...

    def alerts(self) -> list[Alert]:
        """All alerts that are remembered, the oldest first."""
        ...

    def road_rules(self) -> Sequence[RoadRule]:
        """The rules of the road that people have set, the oldest first."""
        ...

    def emergencies(self) -> Sequence[Emergency]:
        """The emergencies in force, the oldest first."""
        ...

    def incidents_shown(self) -> Sequence[Incident]:
        """The open incidents and the latest of the others, the oldest first."""
        ...

    def tokens(self) -> Sequence[Token]:
        """Who commands what."""
        ...

    def stopped(self) -> Mapping[VehicleId, str]:
        """Which vehicles the emergency stop holds, and who pressed it."""
        ...

    def subscribe(self) -> Feed:
        """All changes from now on."""
        ...


class TaskDesk(Protocol):
    """Where tasks are asked for."""

    async def submit(self, request: TaskIn, *, key: str | None = None) -> Task:
        """Accept a task; the same key again gives the same task. Raises Refused."""
        ...

    async def submit_batch(
        self, requests: Sequence[TaskIn | FieldFaults], *, key: str | None = None
    ) -> list[Task | Refused]:
        """Accept many, with one answer for each row."""
        ...

    async def cancel(self, task: TaskId) -> Task:
        """Stop a task. Raises NotFound, IllegalMove."""
        ...

    async def prioritise(self, task: TaskId, priority: Priority) -> Task:
        """Change how urgent a task is. Raises NotFound, IllegalMove."""
        ...


class Previewing(Protocol):
    """Who tells what a patrol would take."""

    async def preview(self, request: PatrolIn) -> Forecast:
        """What a patrol would take, and why it would be refused. Raises Refused."""
        ...


class FleetDesk(Protocol):
    """Where vehicles are taken out of service, and alerts seen to."""

    async def set_in_service(self, vehicle: VehicleId, on: bool) -> None:
        """Take a vehicle out of service after what it does now, or back in. Raises NotFound."""
        ...

    async def set_paused(self, vehicle: VehicleId, paused: bool) -> None:
        """Have a vehicle stand still, or go on. Raises NotFound, and Refused if it can't."""
        ...

    async def acknowledge(self, alert: str, by: str) -> Alert:
        """Note who has seen an alert. Raises NotFound."""
        ...


class LaneDesk(Protocol):
    """Where single lanes are closed."""

    async def close_lane(self, lane: LaneId, *, until_s: float | None) -> None:
        """Let no vehicle into a lane, until a moment or for good. Raises NotFound."""
        ...

    async def open_lane(self, lane: LaneId) -> None:
        """Let vehicles in again. Raises NotFound, and Refused where a rule closes it."""
        ...


class RoadDesk(Protocol):
    """Where rules of the road are set."""

    async def set(self, asked: RoadRuleIn) -> RoadRule:
        """Set a rule of the road; one that is in force already stays. Raises Refused."""
        ...

    async def lift(self, rule: RuleId) -> RoadRule:
        """End a rule before its time. Raises NotFound."""
        ...


class EmergencyDesk(Protocol):
    """Where emergencies are raised."""

    async def begin(self, asked: EmergencyIn) -> Emergency:
        """Have all that it concerns out of people's way. Raises Refused."""
        ...

    async def end(self, emergency: EmergencyId, by: str) -> Emergency:
        """Let all go on. Raises NotFound."""
        ...


class Service(Showing, Protocol):
    """The dispatcher as its doors see it; `dispatcher.service` is the one there is.

    Everything that changes something returns when the change is on disk.
    """

    @property
    def store(self) -> Store:
        """For pages and timelines, and for writes that are repeated."""
        ...

    @property
    def task_desk(self) -> TaskDesk:
        """Where tasks are asked for."""
        ...

    @property
    def admission(self) -> Previewing:
        """Who tells what a patrol would take."""
        ...

    @property
    def fleet_desk(self) -> FleetDesk:
        """Where vehicles are taken out of service."""
        ...

    @property
    def lane_desk(self) -> LaneDesk:
        """Where single lanes are closed."""
        ...

    @property
    def road_desk(self) -> RoadDesk:
        """Where rules of the road are set."""
        ...

    @property
    def emergency_desk(self) -> EmergencyDesk:
        """Where emergencies are raised."""
        ...

    @property
    def incidents(self) -> IncidentDesk:
        """Where incidents are reported."""
        ...

    @property
    def observations(self) -> ObservationDesk:
        """Where is reported what was seen."""
        ...

    @property
    def control(self) -> ControlDesk:
        """Who commands what, and direct orders."""
        ...

    @property
    def flights(self) -> FlightRecorder:
        """The log of flights."""
        ...
