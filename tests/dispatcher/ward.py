"""A small ward and a dispatcher of it that only keeps books: the doors are tested on it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from dispatcher.config import DispatchConfig
from dispatcher.desks.control_desk import ControlDesk, Token
from dispatcher.desks.emergencies_in import EmergencyIn, EmergencyReader
from dispatcher.desks.incident_choice import IncidentChoice
from dispatcher.desks.incident_desk import IncidentDesk
from dispatcher.desks.incident_store import IncidentStore
from dispatcher.desks.intake import FieldFaults, to_task_fields
from dispatcher.desks.observations import ObservationDesk
from dispatcher.desks.road_rules_in import RoadRuleIn, RuleReader
from dispatcher.desks.task_in import PatrolIn, TaskIn
from dispatcher.domain.emergencies import Emergency, EmergencyId
from dispatcher.domain.incidents import Incident
from dispatcher.domain.road_rules import RoadRule, RuleId
from dispatcher.domain.task import NEXT, Priority, Task, TaskId, TaskState
from dispatcher.domain.views import Activity, VehicleView
from dispatcher.errors import IllegalMove, NotFound, Refused
from dispatcher.flight_log.log import FlightStore
from dispatcher.flight_log.recorder import FlightRecorder
from dispatcher.patrols.patrol_judge import Forecast
from dispatcher.patrols.watch_views import WatchView
from dispatcher.records.alerts import Alert, Alerts, Severity
from dispatcher.records.book import TaskBook
from dispatcher.records.executors import InlineExecutor
from dispatcher.records.feed import Change, Feed, Hub
from dispatcher.records.journal import Journal
from dispatcher.records.store import Store
from fleet.clock import Clock
from fleet.energy import EnergySpec
from fleet.roster import Roster
from fleet.vehicle import Medium, Mode, Position, VehicleId, VehicleSpec, VehicleState
from routing.geometry import Point
from routing.refusal import Refusal
from routing.site import LaneId, LevelId, PlaceId, Site, Zone
from routing.sites.site_yaml import loads

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
WARD = """
site: ward
name: {en: Ward, zh: 病区}
anchor: {lat_deg: 30.5928, lon_deg: 114.3055}
levels:
  L1:
    name: {en: Level 1, zh: 一层}
    elevation_m: 0.0
    nodes: {c1: [0, 0], c2: [10, 0]}
    places:
      pharmacy:
        {name: {en: Pharmacy, zh: 药房}, kind: pharmacy, at: [0, 5], joins: [c1], workcell: picker}
      icu: {name: {en: ICU, zh: 重症监护}, kind: ward, at: [10, 5], joins: [c2]}
      ward-1: {name: {en: Ward 1, zh: 一病区}, kind: ward, at: [10, -5], joins: [c2]}
    lanes:
      - [c1, c2]
    workcells:
      picker: {name: {en: Picker, zh: 发药机}, does: [dispenses]}
air:
  fence: {name: {en: Fence, zh: 围栏}, kind: geofence, outline: [[-50, -50], [50, -50], [50, 50]]}
  park: {name: {en: Park, zh: 公园}, kind: patrol, outline: [[20, 0], [40, 0], [40, 20]]}
"""
BAY = """\
      park-1:
        {name: {en: Bay, zh: 车位}, at: [0, -5], joins: [c1], roles: [parking, charger]}
    lanes:
"""
WITH_BAY = WARD.replace("    lanes:\n", BAY)
"""The same with a home for one vehicle."""


def ward_site() -> Site:
    """The ward."""
    return loads(WARD, "ward")


async def nobody_to_release(vehicle: VehicleId, why: Refusal) -> None:
    """None of the ward's vehicles has a shift."""


def cart(number: int = 1) -> VehicleView:
    """A cart that stands in the corridor."""
    spec = VehicleSpec(
        id=VehicleId(f"cart-{number}"),
        name=f"Cart {number}",
        medium=Medium.GROUND,
        kind="cart",
        make="Acme",
        home=PlaceId("ward-1"),
        speed_m_s=1.0,
        acceleration_m_s2=0.5,
        width_m=0.6,
        length_m=0.8,
        payload_g=50_000,
        payload_ml=100_000,
        load_types=frozenset({"general"}),
        skills=frozenset({"carry", "camera"}),
        energy=EnergySpec(capacity_wh=500, idle_w=20, move_w=120),
    )
    state = VehicleState(
        heard_at_s=0.0,
        online=True,
        position=Position(level=LevelId("L1"), point=Point(1.23456, 2.0), yaw_rad=1.57079),
        charge_ratio=0.87654,
        mode=Mode.AUTOMATIC,
    )
    return VehicleView(
        spec=spec,
        state=state,
        activity=Activity.IDLE,
        waiting_for=None,
        tasks=(),
        goal=None,
        route=(),
        zone=Zone.CLEAN,
        in_service=True,
    )


class Ward:
    """Keeps tasks in a real store and tells changes; nothing moves unless a test moves it."""

    simulation = True
    speed: float | None = None
    play = None

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        vehicles: int = 1,
        sink: Callable[[str], object] | None = None,
    ) -> None:
        self.site = ward_site()
        self.store = store
        self.clock = clock
        self.hub = Hub()
        self.book = Alerts(clock, lambda alert: self.hub.tell(Change(alert=alert)))
        self.fleet = {view.spec.id: view for view in map(cart, range(1, vehicles + 1))}
        self.closed: dict[LaneId, float | None] = {}
        self.rules: dict[RuleId, RoadRule] = {}
        self.alarms: dict[EmergencyId, Emergency] = {}
        self.submitted = 0
        self.forecast = Forecast(able=1, needed=1)
        self._journal = Journal(clock, sink=sink)
        book = TaskBook(store, self._journal, clock, self.hub)
        told = lambda: self.hub.tell(Change(incidents=True))  # noqa: E731
        kept = IncidentStore(store, clock)
        self.incidents = IncidentDesk(
            self.site,
            clock,
            self._journal,
            kept,
            self.book,
            {},
            IncidentChoice({}),
            nobody_to_release,
            told,
        )
        self.observations = ObservationDesk(
            self.site, self._journal, store, Roster([]), lambda _: None, self.incidents
        )
        self.control = ControlDesk(clock, book, self.book, [], {}, told)
        log = FlightStore(store, clock)
        self.flights = FlightRecorder(self.site, clock, log, {}, self.control.holder)
        self._tasks: dict[TaskId, Task] = {}
        self.task_desk = self.admission = self.fleet_desk = self.lane_desk = self
        self.road_desk, self.emergency_desk = Roads(self), Alarms(self)

    @classmethod
    async def open(
        cls,
        *,
        url: str = "sqlite://",
        vehicles: int = 1,
        sink: Callable[[str], object] | None = None,
    ) -> "Ward":
        """A ward on a new store."""
        clock = Clock.starting(START)
        store = await Store.open(url, clock, InlineExecutor())
        return cls(store, clock, vehicles=vehicles, sink=sink)

    async def submit(self, request: TaskIn, *, key: str | None = None) -> Task:
        if key is not None and (known := await self.store.by_key(key)):
            return known
        fields = to_task_fields(request, self.site, self.clock, DispatchConfig())
        self.submitted += 1
        task = Task(
            id=TaskId(f"T-{self.submitted:06d}"),
            spec=fields.spec,
            priority=fields.priority,
            state=TaskState.QUEUED,
            created_s=self.clock.now_s(),
            earliest_s=fields.earliest_s,
            due_s=fields.due_s,
            requester=fields.requester,
            note=fields.note,
            key=key,
        )
        await self._put(task, "task_accepted")
        return task

    async def submit_batch(
        self, requests: Sequence[TaskIn | FieldFaults], *, key: str | None = None
    ) -> list[Task | Refused]:
        answers: list[Task | Refused] = []
        for number, request in enumerate(requests):
            try:
                if isinstance(request, list):
                    raise Refused(request)
                row_key = None if key is None else f"{key}/{number}"
                answers.append(await self.submit(request, key=row_key))
            except Refused as refused:
                answers.append(refused)
        return answers

    async def cancel(self, task: TaskId) -> Task:
        return await self.move(task, TaskState.CANCELLED)

    async def move(self, task: TaskId, state: TaskState) -> Task:
        old = self.task(task)
        if state not in NEXT[old.state]:
            raise IllegalMove(task, old.state, state)
        ended_s = self.clock.now_s() if state.ended else None
        new = replace(old, state=state, ended_s=ended_s)
        await self._put(new, f"task_{state}")
        return new

    async def prioritise(self, task: TaskId, priority: Priority) -> Task:
        new = replace(self.task(task), priority=priority)
        await self._put(new, "priority_changed")
        return new

    async def set_in_service(self, vehicle: VehicleId, on: bool) -> None:
        self.show(replace(self.fleet[vehicle], in_service=on))

    def show(self, view: VehicleView) -> None:
        self.fleet[view.spec.id] = view
        self.hub.tell(Change(vehicle=view))

    async def set_paused(self, vehicle: VehicleId, paused: bool) -> None:
        shown = self.fleet[vehicle]
        self.show(replace(shown, state=replace(shown.state, paused=paused)))

    async def close_lane(self, lane: LaneId, *, until_s: float | None) -> None:
        self.closed[lane] = until_s

    async def open_lane(self, lane: LaneId) -> None:
        del self.closed[lane]

    def road_rules(self) -> list[RoadRule]:
        return list(self.rules.values())

    def watches(self) -> list[WatchView]:
        """None."""
        return []

    async def preview(self, request: PatrolIn) -> Forecast:
        """As if one robot could do it, unless a test says otherwise."""
        to_task_fields(request, self.site, self.clock, DispatchConfig())
        return self.forecast

    def emergencies(self) -> list[Emergency]:
        return list(self.alarms.values())

    def task(self, task: TaskId) -> Task:
        if task not in self._tasks:
            raise NotFound("task", task)
        return self._tasks[task]

    def open_tasks(self) -> list[Task]:
        return [task for task in self._tasks.values() if not task.state.ended]

    def vehicles(self) -> list[VehicleView]:
        return list(self.fleet.values())

    def alerts(self) -> list[Alert]:
        return self.book.all()

    async def acknowledge(self, alert: str, by: str) -> Alert:
        return self.book.acknowledge(alert, by)

    def incidents_shown(self) -> list[Incident]:
        return self.incidents.shown

    def tokens(self) -> list[Token]:
        return self.control.tokens

    def stopped(self) -> Mapping[VehicleId, str]:
        return self.control.stopped

    def subscribe(self) -> Feed:
        return self.hub.subscribe()

    async def _put(self, task: Task, event: str) -> None:
        await self.store.commit(tasks=[task], events=[self._journal.event(event, task=task.id)])
        self._tasks[task.id] = task
        self.hub.tell(Change(task=task))


class Roads:
    """Where rules of the road are set; nobody drives by them."""

    def __init__(self, ward: Ward) -> None:
        self._ward = ward

    async def set(self, asked: RoadRuleIn) -> RoadRule:
        ward = self._ward
        rule = RuleReader(ward.site, ward.clock).read(asked, RuleId(f"R-{len(ward.rules) + 1}"))
        ward.rules[rule.id] = rule
        ward.hub.tell(Change(roads=True))
        return rule

    async def lift(self, rule: RuleId) -> RoadRule:
        if rule not in self._ward.rules:
            raise NotFound("road rule", rule)
        return self._ward.rules.pop(rule)


class Alarms:
    """Where emergencies are raised; nobody makes way."""

    def __init__(self, ward: Ward) -> None:
        self._ward = ward

    async def begin(self, asked: EmergencyIn) -> Emergency:
        ward = self._ward
        id_ = EmergencyId(f"E-{len(ward.alarms) + 1:05d}")
        raised = EmergencyReader(ward.site).read(asked, id_, ward.clock.now_s())
        ward.alarms[raised.id] = raised
        ward.book.open(
            raised.kind.value,
            Severity.CRITICAL,
            emergency=raised.id,
            where=raised.where,
            why=raised.reason,
            by=raised.by,
        )
        ward.hub.tell(Change(roads=True))
        return raised

    async def end(self, emergency: EmergencyId, by: str) -> Emergency:
        ward = self._ward
        if emergency not in ward.alarms:
            raise NotFound("emergency", emergency)
        ended = ward.alarms.pop(emergency)
        ward.book.clear(ended.kind.value, thing=emergency)
        ward.hub.tell(Change(roads=True))
        return ended
