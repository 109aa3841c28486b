"""The dispatcher as one thing: builds the object graph, owns its end, and answers the doors.

Only this module and `sim.scenario` know all the parts; everyone else is handed the few they use.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from functools import partial

from dispatcher.alerts import Alert, Alerts, Severity
from dispatcher.blockages import Blockages
from dispatcher.book import TaskBook
from dispatcher.chargers import Chargers, Need
from dispatcher.charging import ChargePolicy, CheapHours
from dispatcher.config import DispatchConfig, PlannerConfig
from dispatcher.control_desk import ControlDesk, Token
from dispatcher.courtesy import Courtesy
from dispatcher.driving import GroundMover
from dispatcher.eligibility import nearest_miss, why_not
from dispatcher.emergencies import Emergencies, Emergency, EmergencyId
from dispatcher.emergencies_in import EmergencyIn
from dispatcher.emergency_desk import EmergencyDesk
from dispatcher.errors import FieldFault, IllegalMove, NotFound, Refused
from dispatcher.execution import Missions
from dispatcher.feed import Change, Feed, Hub
from dispatcher.flight_log import FlightStore
from dispatcher.flight_recorder import FlightRecorder
from dispatcher.flights import AirMover
from dispatcher.forecast import Forecast as DemandForecast
from dispatcher.forecast import lately
from dispatcher.free import Free
from dispatcher.help_flights import HelpFlights, incident_of
from dispatcher.hours import Hours
from dispatcher.hygiene import Hygiene
from dispatcher.incident_choice import IncidentChoice
from dispatcher.incident_desk import IncidentDesk
from dispatcher.incident_store import IncidentStore
from dispatcher.incidents import Incident
from dispatcher.intake import FieldFaults, to_task_fields
from dispatcher.journal import Journal
from dispatcher.looks import Looks
from dispatcher.memory import KINDS, Memory, remember
from dispatcher.modelling import Modeller
from dispatcher.outages import Outages
from dispatcher.patrol_judge import Forecast, PatrolJudge
from dispatcher.patrols import Watches
from dispatcher.planner import Planner, SolveTimes
from dispatcher.reach import unreachable_stops
from dispatcher.road_desk import RoadDesk
from dispatcher.road_rules import RoadRule, RuleId, together
from dispatcher.road_rules_in import RoadRuleIn
from dispatcher.shelter import Shelter
from dispatcher.shifts import SHIFT
from dispatcher.skies import Skies
from dispatcher.stations import Stations
from dispatcher.stops import Handling, stops_of, stops_of_spec
from dispatcher.store import Store
from dispatcher.task import Patrol, Priority, Spec, Task, TaskId, TaskState, VisitOrder
from dispatcher.task_in import PatrolIn, TaskIn
from dispatcher.traffic import Traffic
from dispatcher.travel_times import TravelTimes
from dispatcher.views import VehicleView
from dispatcher.waiting import WaitingPlaces
from dispatcher.watch import FleetWatch
from dispatcher.watch_plans import WatchPlans
from dispatcher.watch_views import WatchView
from dispatcher.worker import Worker
from fleet.bus import Bus
from fleet.clock import Clock
from fleet.facility import Facilities
from fleet.roster import Roster
from fleet.vehicle import (
    Integration,
    Medium,
    PausableVehicle,
    Vehicle,
    VehicleId,
    VehicleSpec,
    VehicleState,
)
from routing.refusal import Refusal
from routing.site import LaneId, NodeId, PlaceId, Site

log = logging.getLogger(__name__)

HELLO_S = 10.0
"""How long the start waits for the vehicles' first words."""
LOOK_S = 15.0
"""How often silence, late tasks and ended closures are looked for."""
WRITE_S = 300.0
"""How often what was learnt is written down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Executors:
    """Where work goes that must not hold up the loop."""

    solver: Executor
    """A process: the solver keeps the interpreter busy."""


class Service:
    """One site's dispatcher.

    Args:
        vehicles: connected or not; the service runs their links.
        journal_from: the journal, numbered on from what the store holds.
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
        self.site = site
        self.clock = clock
        self.store = store
        self.journal = journal
        self.simulation = simulation
        self.play = None
        self.speed = speed
        """How many times as fast as the wall's its clock runs; None = as fast as it can."""
        self.config = config
        self.ready = asyncio.Event()
        self._hub = Hub()
        self._handling = Handling(load_s=config.load_s, unload_s=config.unload_s)
        self._book = TaskBook(store, journal, clock, self._hub)
        self._alerts = Alerts(clock, lambda alert: self._hub.tell(Change(alert=alert)))
        self.roster = Roster(vehicles, seed=seed)
        homes = [vehicle.spec.home for vehicle in vehicles]
        vehicles = [vehicle for vehicle in vehicles if not vehicle.spec.watched]
        self.facilities = Facilities(bus, site)
        self._planning = planner or PlannerConfig()
        self._times = TravelTimes(site, clock) if self._planning.learn_travel_times else None
        hours = Hours(site, clock, zone)
        first = any(lift.passengers is not None for lift in site.lifts.values())
        courtesy = Courtesy(site, clock, zone) if first else None
        self._traffic = Traffic(site, self.facilities, self._times, hours, courtesy)
        self._traffic.on_hours(self._hours_changed)
        self._skies = Skies(site)
        self._stations = Stations(site, partial(_clock_s, clock, zone), config.plan_wind_m_s)
        specs = [vehicle.spec for vehicle in vehicles]
        self._watch_plans = plans = WatchPlans(site, self._traffic.roads, self._stations, specs)
        self._watches = Watches(
            self._book,
            self._alerts,
            self._stations,
            plans,
            crew=lambda: self._workers,
            changed=lambda: self._planner.poke(),
        )
        self._patrol_judge = PatrolJudge(
            site, self._stations, plans, self._handling, specs, self._watches.engaged
        )
        self._hygiene = Hygiene()
        chargers = Chargers(site, homes, self._charge_need)
        self._modeller = Modeller(
            site, self._traffic.roads, self._handling, self._hygiene, chargers
        )
        self._emergencies = Emergencies(site)
        self._shelters = {
            v.spec.id: Shelter(v, site, self._emergencies, self._traffic, self._book, self._alerts)
            for v in vehicles
        }
        self._emergency_desk = EmergencyDesk(
            site,
            clock,
            self._emergencies,
            self._traffic,
            self._book,
            self._alerts,
            self._handling,
            specs=[vehicle.spec for vehicle in vehicles],
            kept=lambda vehicle: self._shelters[vehicle].covers() is not None,
            able=self._modeller.shortlist.able,
            changed=self._emergencies_changed,
        )
        self._planner = Planner(
            self._book,
            self._modeller,
            self._planning,
            executors.solver,
            fleet=self._fleet,
            wake=lambda vehicle: self._workers[vehicle].wake(),
            turn_round=lambda vehicle, task: self._workers[vehicle].turn_round(task),
            held=self._emergency_desk.holds,
            seed=seed,
        )
        self._forecast = DemandForecast(clock, self._handling, zone)
        self._workers = self._make_workers(
            vehicles, chargers, CheapHours.of(self._planning.cheap_hours, zone)
        )
        self._outages = Outages(
            site, self.facilities, self._traffic, self._alerts, self._planner.poke
        )
        self._blockages = Blockages(
            site,
            [v.spec.id for v in vehicles if v.spec.medium is Medium.GROUND],
            self._traffic,
            self._alerts,
            lambda vehicle: self._workers[vehicle].think_again(),
        )
        self._desk = RoadDesk(
            site,
            clock,
            [v.spec for v in vehicles if v.spec.medium is Medium.GROUND],
            self._traffic,
            self._book,
            self._alerts,
            self._roads_changed,
        )
        self.incidents = IncidentDesk(
            site,
            clock,
            journal,
            IncidentStore(store, clock),
            self._alerts,
            self._workers,
            IncidentChoice(self._workers),
            self._watches.release,
            lambda: self._hub.tell(Change(incidents=True)),
        )
        self.control = ControlDesk(
            clock,
            self._book,
            self._alerts,
            vehicles,
            self._workers,
            lambda: self._hub.tell(Change(incidents=True)),
        )
        self.flights = FlightRecorder(
            site, clock, FlightStore(store, clock), self._workers, self.control.holder
        )
        self.control.noted = self.flights.told
        self._watch = FleetWatch(
            self.roster, self._workers, self._traffic, self._alerts, self._fitness_changed
        )
        self._looks = Looks(site, clock, self._workers, self._planner, self._traffic, self._skies)
        self._written_s = clock.now_s()
        self._shown: dict[VehicleId, object] = {}
        self._word_listeners: list[Callable[[VehicleId, VehicleState], None]] = []
        self.roster.watch(self._heard)

    def _make_workers(
        self, vehicles: Sequence[Vehicle], chargers: Chargers, cheap: CheapHours
    ) -> dict[VehicleId, Worker]:
        policy = ChargePolicy(
            must_below=self.config.charge_below_ratio,
            idle_below=self.config.idle_charge_below_ratio,
            work_from=self.config.work_from_ratio,
            full=self.config.charge_to_ratio,
            cheap=cheap,
        )
        waiting = self._make_waiting([vehicle.spec for vehicle in vehicles])
        workers: dict[VehicleId, Worker] = {}
        for vehicle in vehicles:
            missions = Missions(vehicle, self._book, self._alerts)
            shelter, helper = self._shelters[vehicle.spec.id], None
            if vehicle.spec.medium is Medium.AIR:
                sky = self.site, self._skies, missions, self._book
                mover = flyer = AirMover(vehicle, *sky, self._handling, self._stations)
                helper = HelpFlights(vehicle, *sky, flyer, self._stations)
            else:
                mover = GroundMover(
                    vehicle,
                    self.site,
                    self._traffic,
                    missions,
                    self._book,
                    self._hygiene,
                    chargers,
                    kept=partial(_is_kept, shelter),
                )
            workers[vehicle.spec.id] = Worker(
                vehicle,
                mover,
                missions,
                self._book,
                self._planner,
                self._alerts,
                handling=self._handling,
                charging=policy,
                shelter=shelter,
                duties=self._watches,
                flyer=mover if isinstance(mover, AirMover) else None,
                waiting=waiting if vehicle.spec.medium is Medium.GROUND else None,
                helper=helper,
            )
        return workers

    def _make_waiting(self, specs: Sequence[VehicleSpec]) -> WaitingPlaces | None:
        if not self._planning.positioning:
            return None
        return WaitingPlaces(
            self.site,
            self._traffic.roads,
            self._forecast,
            [spec for spec in specs if spec.medium is Medium.GROUND],
            stand=self._traffic.stand,
            needed=self._is_needed,
        )

    def _is_needed(self, node: NodeId) -> bool:
        """Whether an open task leads to a node."""
        places = {place.id for place in self.site.places_at.get(node, ())}
        stops = (stop for t in self._book.open() for stop in stops_of(t, self._handling))
        return any(stop.place in places for stop in stops)

    # --- life ---

    async def run(self) -> None:
        """Dispatch until cancelled; `ready` is set once the doors may open."""
        await self._book.load()
        if self._times is not None:
            self._times.load(await self.store.paces())
        if self._planning.positioning:
            for task in await lately(self.store, self.clock):
                self._forecast.count(task)
        await self.incidents.restore()
        await self.flights.restore()
        self._restore(remember(await self.store.events_of(KINDS), self.clock))
        async with asyncio.TaskGroup() as group:
            group.create_task(self.roster.run(), name="roster.run")
            group.create_task(self.facilities.run(), name="facilities.run")
            await self._hello()
            self._place_vehicles()
            await self.control.resume()
            group.create_task(self._traffic.run(), name="traffic.run")
            group.create_task(self._planner.run(), name="planner.run")
            unfinished = {r.vehicle: r for r in await self.store.missions_in_hand()}
            shifts = {v: r.task for v, r in unfinished.items() if r.purpose == SHIFT}
            self._watches.restore(await self.store.open_shifts(), shifts)
            helping = {id_: incident_of(r.mission) for id_, r in unfinished.items()}
            self.incidents.resume({id_: helps[0] for id_, helps in helping.items() if helps})
            for id_, worker in self._workers.items():
                group.create_task(worker.run(unfinished.get(id_)), name=f"worker[{id_}].run")
            group.create_task(self._watches.run(), name="service.watches")
            group.create_task(self._look_around(), name="service.look")
            group.create_task(self.incidents.run(), name="service.incidents")
            group.create_task(self.flights.run(), name="service.flights")
            group.create_task(self._desk.run(), name="service.road_rules")
            group.create_task(self._blockages.run(self.clock), name="service.blockages")
            self._planner.poke()
            self.ready.set()

    def _restore(self, memory: Memory) -> None:
        """Take up what people had ordered, and what vehicles had carried, before a restart."""
        for lane, until_s in memory.closed.items():
            if lane in self.site.lanes:
                self._traffic.detours.close(lane, until_s)
                self._alerts.open("lane_closed", Severity.NOTICE, lane=lane)
        self._desk.restore(list(memory.rules.values()), memory.rules_set)
        self.roster.set_rules(together(self._desk.in_force))
        self._emergency_desk.restore(list(memory.emergencies.values()), memory.emergencies_raised)
        self.control.restore(memory)
        for vehicle in memory.out_of_service:
            if vehicle in self._workers:
                self._workers[vehicle].in_service = False
        for vehicle in memory.stood_down:
            if vehicle in self._workers:
                self._workers[vehicle].stand_down()
                self._alerts.open("safety_stop", Severity.CRITICAL, vehicle=vehicle)
        for vehicle, why in memory.set_aside.items():
            if vehicle in self._workers:
                self._workers[vehicle].in_service = False
                self._alerts.open("set_aside", Severity.HIGH, vehicle=vehicle, why=why)
        for vehicle, goods in memory.carried.items():
            for one in goods:
                self._hygiene.carried(vehicle, one)

    async def _hello(self) -> None:
        """Wait until every vehicle has been heard, but not for ever."""
        heard = asyncio.Event()
        self.roster.watch(lambda _: heard.set())
        try:
            async with asyncio.timeout(HELLO_S):
                while any(vehicle.state().heard_at_s is None for vehicle in self.roster):
                    heard.clear()
                    await heard.wait()
        except TimeoutError:
            silent = [v.spec.id for v in self.roster if v.state().heard_at_s is None]
            log.warning("not heard yet: %s", ", ".join(silent))

    def _place_vehicles(self) -> None:
        for vehicle in self.roster:
            spec = vehicle.spec
            home = self.site.places[spec.home].node
            if spec.watched:
                if spec.integration is Integration.RESPECTED:
                    self._traffic.add(spec, vehicle.state().last_node or home)
            elif spec.medium is Medium.AIR:
                self._skies.add(spec, self._workers[spec.id].stand(home))
            else:
                self._traffic.add(spec, self._workers[spec.id].stand(home))
        self._traffic.start()
        for vehicle in self.roster:
            if self._traffic.knows(vehicle.spec.id) and not vehicle.spec.watched:
                self._traffic.hold(vehicle.spec.id, vehicle.state().base)
        self._watch.look_at_all()

    async def _look_around(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self._watch.look_at_all()
            now_s = self.clock.now_s()
            for lane, until_s in self._traffic.roads.closed.items():
                if until_s is not None and until_s <= now_s:
                    await self.open_lane(lane)
            for task in self._book.open():
                urgent = task.priority in (Priority.STAT, Priority.URGENT)
                known = self._alerts.is_open("task_late", task=task.id)
                if urgent and task.due_s < now_s and not known:
                    self._alerts.open(
                        "task_late", Severity.HIGH, task=task.id, vehicle=task.vehicle
                    )
            self._planner.poke_if_waiting()
            if self._times is not None and now_s >= self._written_s + WRITE_S:
                self._written_s = now_s
                await self.store.learn(self._times.take_changed())

    # --- doors: tasks ---

    async def submit(self, request: TaskIn, *, key: str | None = None) -> Task:
        """Accept a request; it is on disk when this returns.

        Args:
            key: the caller's idempotency key: the same one again gives the same task.

        Raises:
            Refused: with every reason; nothing is stored.
        """
        if key is not None and (known := await self.store.by_key(key)) is not None:
            return known
        task = self._new_task(request, key)
        await self._accept([task])
        return task

    async def submit_batch(
        self, requests: Sequence[TaskIn | FieldFaults], *, key: str | None = None
    ) -> list[Task | Refused]:
        """Accept what can be accepted: one answer for each row, all of them on disk together."""
        answers: list[Task | Refused] = []
        for number, request in enumerate(requests):
            try:
                if isinstance(request, list):
                    raise Refused(request)
                row_key = None if key is None else f"{key}/{number}"
                known = None if row_key is None else await self.store.by_key(row_key)
                answers.append(known or self._new_task(request, row_key))
            except Refused as refused:
                answers.append(refused)
        new = [a for a in answers if isinstance(a, Task) and self._book.find(a.id) is None]
        if new:
            await self._accept([t for t in new if not t.state.ended])
        return answers

    async def _accept(self, tasks: Sequence[Task]) -> None:
        await self._book.accept(tasks)
        for task in tasks:
            self._forecast.count(task)

    def _new_task(self, request: TaskIn, key: str | None) -> Task:
        fields = to_task_fields(request, self.site, self.clock, self.config)
        self._refuse_the_impossible(fields.spec)
        if isinstance(fields.spec, Patrol):
            judged = self._patrol_judge.judge(fields.spec, fields.earliest_s, fields.due_s)
            if judged.faults:
                raise Refused(judged.faults)
        id_, spec = self._book.new_task_id(), fields.spec
        if isinstance(spec, Patrol) and spec.order is not VisitOrder.GIVEN and not spec.is_watch:
            spec = replace(spec, points=self._watch_plans.in_order(spec, random.Random(id_)))
        return Task(
            id=id_,
            spec=spec,
            priority=fields.priority,
            state=TaskState.QUEUED,
            created_s=self.clock.now_s(),
            earliest_s=fields.earliest_s,
            due_s=fields.due_s,
            requester=fields.requester,
            note=fields.note,
            key=key,
        )

    async def preview(self, request: PatrolIn) -> Forecast:
        """What a patrol would take, and every reason why it would be refused.

        Raises:
            Refused: it names what the site doesn't have.
        """
        fields = to_task_fields(request, self.site, self.clock, self.config)
        assert isinstance(fields.spec, Patrol), "a patrol's request is a patrol"
        return self._patrol_judge.judge(fields.spec, fields.earliest_s, fields.due_s)

    def _refuse_the_impossible(self, spec: Spec) -> None:
        """Refuse what no vehicle of this site could ever do."""
        specs = [vehicle.spec for vehicle in self.roster if not vehicle.spec.watched]
        able = [s for s in specs if not why_not(spec, s)]
        if not able:
            reasons = nearest_miss(why_not(spec, s) for s in specs)
            raise Refused([_fault_of(reason) for reason in reasons])
        stops = stops_of_spec(TaskId(""), spec, self._handling)
        missed: list[list[PlaceId]] = []
        for one in able:
            missed.append(unreachable_stops(self.site, self._traffic.roads, one, stops))
            if not missed[-1]:
                return
        place = min(missed, key=len)[0]
        reason = Refusal("unreachable", {"value": place})
        remedy = "send a place that a vehicle fit for this task can get to and back from"
        raise Refused([FieldFault(_field_of(spec, place), reason, remedy)])

    async def cancel(self, task: TaskId) -> Task:
        """Cancel a task; goods on board are brought back first.

        Raises:
            NotFound, IllegalMove: it is not there, or has ended.
        """
        old = await self._any_task(task)
        begun = old.state.begun
        if old.state is TaskState.CANCELLING:
            return old
        if old.is_watch:
            return await self._watches.cancel(task)
        state = TaskState.CANCELLING if begun else TaskState.CANCELLED
        event = self.journal.event("cancel_asked", task=task, vehicle=old.vehicle)
        new = self._book.move(task, state)
        await self._book.commit(tasks=[new], events=[event])
        if begun and new.vehicle is not None:
            self._workers[new.vehicle].abandon(task)
        self._planner.poke()
        return new

    async def prioritise(self, task: TaskId, priority: Priority) -> Task:
        """Change a task's priority; the plan follows."""
        old = await self._any_task(task)
        if old.state.ended:
            raise IllegalMove(task, old.state, priority)
        event = self.journal.event("priority_changed", task=task, priority=priority)
        new = self._book.move(task, priority=priority)
        await self._book.commit(tasks=[new], events=[event])
        self._planner.reconsider(task)
        return new

    async def _any_task(self, task: TaskId) -> Task:
        """An open task; of an ended one, the error that says so."""
        found = self._book.find(task) or await self.store.task(task)
        if found is None:
            raise NotFound("task", task)
        if found.state.ended:
            raise IllegalMove(task, found.state, "changed")
        return found

    def task(self, task: TaskId) -> Task:
        """A task that is open or ended lately; NotFound: look into the store."""
        return self._book[task]

    def open_tasks(self) -> list[Task]:
        """All open tasks, in the order of acceptance."""
        return self._book.open()

    def ended_tasks(self) -> list[Task]:
        """Those that ended lately, the latest last."""
        return self._book.ended()

    # --- doors: vehicles, roads, alerts ---

    def vehicles(self) -> list[VehicleView]:
        """All vehicles as people see them."""
        return [self._looks.view(vehicle) for vehicle in self.roster]

    async def set_in_service(self, vehicle: VehicleId, on: bool) -> None:
        """Take a vehicle out of service, or back. What it has on board it brings on.

        Raises:
            NotFound: there is no such vehicle.
            Refused: it is only looked at.
        """
        if vehicle in self.roster and vehicle not in self._workers:
            remedy = "set its integration to used in the fleet file, and start again"
            reason = Refusal("only_watched", {"vehicle": vehicle})
            raise Refused([FieldFault("in_service", reason, remedy)])
        if vehicle not in self._workers:
            raise NotFound("vehicle", vehicle)
        worker = self._workers[vehicle]
        worker.in_service = on
        if on:
            worker.let_go()
            self._alerts.clear("safety_stop", vehicle=vehicle)
        await self._book.note("service_changed", vehicle=vehicle, in_service=on)
        worker.wake()
        self._planner.poke()
        self._hub.tell(Change(vehicle=self._looks.view(self.roster[vehicle])))

    async def set_paused(self, vehicle: VehicleId, paused: bool) -> None:
        """Have a vehicle stand still in the middle of its work, or go on; NotFound, Refused."""
        if vehicle not in self._workers:
            raise NotFound("vehicle", vehicle)
        found = self.roster[vehicle]
        if not isinstance(found, PausableVehicle):
            reason = Refusal("cannot_pause", {"vehicle": vehicle})
            raise Refused([FieldFault("paused", reason, "take it out of service instead")])
        await self._book.note("pause_asked", vehicle=vehicle, paused=paused)
        found.set_paused(paused)

    async def close_lane(self, lane: LaneId, *, until_s: float | None) -> None:
        """Close a lane: nobody is sent into it any more; NotFound."""
        if lane not in self.site.lanes:
            raise NotFound("lane", lane)
        until = None if until_s is None else self.clock.to_utc(until_s)
        await self._book.note("lane_closed", lane=lane, until=until)
        self._traffic.detours.close(lane, until_s)
        self._alerts.open("lane_closed", Severity.NOTICE, lane=lane)
        self._planner.poke()

    async def open_lane(self, lane: LaneId) -> None:
        """Open a lane again; NotFound, and Refused where it was a rule that closed it."""
        if lane not in self.site.lanes:
            raise NotFound("lane", lane)
        rule = self._desk.closing(lane)
        if rule is not None and lane not in self._traffic.roads.closed:
            reason = Refusal("closed_by_rule", {"value": lane, "rule": rule.id})
            raise Refused([FieldFault("closed", reason, f"lift the road rule {rule.id}")])
        await self._book.note("lane_opened", lane=lane)
        self._traffic.detours.open(lane)
        self._alerts.clear("lane_closed", thing=lane)
        self._planner.poke()

    def road_rules(self) -> list[RoadRule]:
        """The rules of the road that are in force, the oldest first."""
        return self._desk.in_force

    async def set_road_rule(self, asked: RoadRuleIn) -> RoadRule:
        """Set a rule of the road; one that is in force already stays; Refused."""
        return await self._desk.set(asked)

    async def lift_road_rule(self, rule: RuleId) -> RoadRule:
        """End a rule before its time; NotFound."""
        return await self._desk.lift(rule)

    def emergencies(self) -> list[Emergency]:
        """The emergencies in force, the oldest first."""
        return self._emergency_desk.in_force

    async def raise_emergency(self, asked: EmergencyIn) -> Emergency:
        """Have all that it concerns out of people's way; Refused."""
        return await self._emergency_desk.begin(asked)

    async def end_emergency(self, emergency: EmergencyId, by: str) -> Emergency:
        """Let all go on where it was broken off; NotFound."""
        return await self._emergency_desk.end(emergency, by)

    def watches(self) -> list[WatchView]:
        """The watches that go on, and who is on station."""
        return self._watches.views()

    def incidents_shown(self) -> list[Incident]:
        """The open incidents and the latest of the others, the oldest first."""
        return self.incidents.shown

    def tokens(self) -> list[Token]:
        """Who commands what."""
        return self.control.tokens

    def stopped(self) -> Mapping[VehicleId, str]:
        """Which vehicles the emergency stop holds, and who pressed it."""
        return self.control.stopped

    def alerts(self) -> list[Alert]:
        """All alerts that are remembered."""
        return self._alerts.all()

    async def acknowledge(self, alert: str, by: str) -> Alert:
        """A person has seen an alert; NotFound."""
        seen = self._alerts.acknowledge(alert, by)
        await self._book.note("alert_acknowledged", alert=alert, code=seen.code, by=by)
        return seen

    def on_task(self, listener: Callable[[Task], None]) -> None:
        """Have ``listener`` called with each task that is accepted or moves."""
        self._book.on_move(listener)

    def subscribe(self) -> Feed:
        """All changes from now on."""
        return self._hub.subscribe()

    def on_change(self, listener: Callable[[Change], None]) -> None:
        """Have ``listener`` called, without delay, with each change that screens are told."""
        self._hub.listen(listener)

    def on_word(self, listener: Callable[[VehicleId, VehicleState], None]) -> None:
        """Have ``listener`` called, without delay, with what each word of a vehicle made of it."""
        self._word_listeners.append(listener)

    @property
    def solve_times(self) -> SolveTimes:
        """How often and how long the solvers thought."""
        return self._planner.times

    # --- between the parts ---

    def _hours_changed(self, shut_in: Sequence[VehicleId]) -> None:
        """Lanes have opened or shut for the hour: whoever can't go on turns back."""
        for vehicle in shut_in:
            self._workers[vehicle].think_again()
        for worker in self._workers.values():
            worker.wake()
        self._planner.poke()

    def _fleet(self) -> list[Free]:
        """Who can take work now, and where and when each will be free."""
        now_s = self.clock.now_s()
        return [w.free(now_s) for w in self._workers.values() if w.plannable]

    def _charge_need(self, vehicle: VehicleId) -> Need | None:
        return self._workers[vehicle].charge_need()

    def _roads_changed(self, left: Sequence[VehicleId]) -> None:
        """Other rules hold; ``left`` have no way on under them, and turn back."""
        self.roster.set_rules(together(self._desk.in_force))
        for vehicle in left:
            self._workers[vehicle].think_again()
        self._planner.poke()
        self._hub.tell(Change(roads=True))

    def _emergencies_changed(self) -> None:
        for worker in self._workers.values():
            worker.alarm()
        self._planner.poke()
        self._hub.tell(Change(roads=True))

    def _fitness_changed(self, vehicle: VehicleId) -> None:
        self._tell_screens(vehicle, self.roster[vehicle].state())  # they must see silence, too
        if vehicle in self._workers:
            self._workers[vehicle].wake()
        self._planner.poke()

    def _heard(self, vehicle: VehicleId) -> None:
        if not self.ready.is_set():
            return
        self._watch.look(vehicle)
        link = self.roster[vehicle]
        if link.spec.medium is Medium.AIR:
            self.flights.hear(link.spec, link.state())
        if self._hub.listened or self._word_listeners:
            state = link.state()
            self._tell_screens(vehicle, state)
            for listener in self._word_listeners:
                listener(vehicle, state)

    def _tell_screens(self, vehicle: VehicleId, state: VehicleState) -> None:
        """Tell of a vehicle if it is another now, in more than its position."""
        if not self._hub.listened:
            return
        percent = None if state.charge_ratio is None else round(state.charge_ratio * 100)
        glance = self._looks.glance(self.roster[vehicle], state)
        shown = (glance, state.errors, state.online, state.loads, percent)
        if self._shown.get(vehicle) != shown:
            self._shown[vehicle] = shown
            self._hub.tell(Change(vehicle=self._looks.view(self.roster[vehicle])))


def _clock_s(clock: Clock, zone: tzinfo) -> float:
    """Seconds since midnight, site time."""
    here = clock.now().astimezone(zone)
    return here.hour * 3600.0 + here.minute * 60.0 + here.second + here.microsecond / 1e6


def _is_kept(shelter: Shelter) -> bool:
    return shelter.covers() is not None


def _fault_of(reason: Refusal) -> FieldFault:
    field, remedy = {
        "over_payload": ("mass_kg", "send less at a time: it is more than every vehicle carries"),
        "over_volume": ("volume_l", "send less at a time: it is more than every vehicle holds"),
        "goods_not_allowed": ("goods", "send a goods class that a vehicle of this site may carry"),
        "wrong_medium": ("by", "leave it out: this site has no such vehicle for it"),
    }.get(reason.code, ("kind", "this site has no vehicle that can do it"))
    return FieldFault(field, reason, remedy)


def _field_of(spec: Spec, place: str) -> str:
    """The field of a request that names a place."""
    if getattr(spec, "origin", None) == place:
        return "from"
    if getattr(spec, "room", None) == place:
        return "room"
    return "points" if hasattr(spec, "points") else "to"
