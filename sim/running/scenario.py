"""One run of a scenario: the dispatcher on its wires, simulated things at the other end.

This and `dispatcher.parts` are the only modules that put all the parts together.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import asynccontextmanager, suppress
from datetime import UTC
from typing import TextIO

from dispatcher.desks.intake import parse
from dispatcher.domain.emergencies import EmergencyId
from dispatcher.domain.stops import Handling, on_board, stops_of
from dispatcher.domain.task import Patrol, Task, TaskId, TaskState
from dispatcher.errors import DispatchError, NotFound
from dispatcher.records.executors import Executors, InlineExecutor
from dispatcher.records.feed import Change
from dispatcher.records.journal import Journal
from dispatcher.records.store import Store, TaskQuery
from dispatcher.replay.recording import Recording
from dispatcher.service import Service
from fleet.clock import Clock
from fleet.connect import connect
from fleet.mavlink.link import MavlinkLink
from fleet.mission import ActionKind
from fleet.vehicle import VehicleId
from routing.roads.road_graph import road_graph
from sim.judges.incident_watch import IncidentWatch
from sim.judges.monitors import Monitors
from sim.judges.recorder import Recorder
from sim.judges.sights import Sights
from sim.judges.trace import Trace
from sim.moments import zone_of
from sim.running.faults import Faults
from sim.running.stage import Stage
from sim.running.wires import MemoryWires, Wires
from sim.scenario.config import (
    PlannedClosure,
    PlannedEmergency,
    PlannedFault,
    PlannedIncident,
    Scenario,
)
from sim.scenario.demand import demand


class Unreasonable(DispatchError):
    """A scenario asks for something that its own site refuses."""


class Simulation:
    """A scenario in one event loop: stage, dispatcher, demand, faults, monitors.

    Args:
        sink: gets each line of the journal.
        database: where the store is; in memory by default.
        trace: gets what the bodies on the ground did, for `check_traffic.py`.
        recording: gets what screens would be shown, for `wardline replay`.
        executors, store_executor: in line by default, as a jumping clock needs it.
        speed: how many times as fast as the wall's the loop's clock is; None = as it can.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        seed: int,
        wires: Wires | None = None,
        sink: Callable[[str], None] | None = None,
        database: str = "sqlite://",
        trace: TextIO | None = None,
        recording: TextIO | None = None,
        speed: float | None = None,
        executors: Executors | None = None,
        store_executor: Executor | None = None,
    ) -> None:
        self.scenario = scenario
        self.seed = seed
        self.clock = Clock.starting(scenario.start)
        self.wires = wires or MemoryWires()
        self.stage = Stage(scenario, self.clock, self.wires, seed=seed)
        self.monitors = Monitors(self.stage.world)
        self.faults = Faults(scenario.planned_faults(seed), self.stage.targets)
        self.incidents = IncidentWatch(
            scenario.site, self.stage.autopilots, self.stage.world.hindrances.clock_s
        )
        self.recorder = Recorder(self.stage.world, self._activities)
        self.service: Service
        self._progress: tuple[float, Callable[[float], None] | None] = 0.0, None
        self._loads: dict[TaskId, dict[str, None]] = {}
        self._sink = sink
        self._database = database
        self._speed = speed
        self._executors = executors or Executors(solver=InlineExecutor())
        self._store_executor = store_executor or InlineExecutor()
        self._handling = Handling(
            load_s=scenario.dispatch.load_s, unload_s=scenario.dispatch.unload_s
        )
        fastest_m_s = max((v.speed_m_s for v in scenario.vehicles), default=1.5)
        self._trace = (
            Trace(self.stage.world, road_graph(scenario.site, fastest_m_s), trace)
            if trace is not None
            else None
        )
        self._recording_file = recording
        self._recording: Recording | None = None

    async def open(self) -> None:
        """Open the store and connect the vehicles; nothing moves yet."""
        scenario = self.scenario
        self._store = await Store.open(self._database, self.clock, self._store_executor)
        numbers = await self._store.next_numbers()
        self._mavlink = MavlinkLink(self.wires.station())
        self.service = Service(
            scenario.site,
            self.clock,
            connect(
                scenario.vehicles,
                scenario.site,
                self.clock,
                bus=self.wires.bus,
                mavlink=self._mavlink,
            ),
            self.wires.bus,
            self._store,
            Journal(self.clock, first_seq=numbers.event, sink=self._sink),
            scenario.dispatch,
            self._executors,
            planner=scenario.planner,
            zone=scenario.start.tzinfo or UTC,
            simulation=True,
            speed=self._speed,
            seed=self.seed,
        )
        self.service.on_task(self._expect_loads)
        self.service.on_task(self._expect_watch)
        self.service.facilities.on_lift_wait(self.recorder.waited)
        if self._recording_file is not None:
            self._recording = self._record(self._recording_file)

    def _record(self, file: TextIO) -> Recording:
        """Write down what screens would be shown from now on."""
        scenario, service = self.scenario, self.service
        recording = Recording(
            file.write,
            scenario.site,
            self.clock,
            [vehicle.spec for vehicle in service.roster],
            name=f"{scenario.name}, seed {self.seed}",
            timezone=zone_of(scenario.start),
        )
        service.on_change(recording.changed)
        service.on_word(recording.heard)
        self.stage.world.on_violation(recording.violated)
        return recording

    @property
    def elapsed_s(self) -> float:
        """Seconds since the scenario's start."""
        return self.clock.now_s() - self.clock.loop_s

    async def run(self, until_s: float | None = None) -> None:
        """Run until ``until_s`` seconds after the start (default: the scenario's duration).

        Raises:
            Unreasonable: the scenario asks for what its site refuses.
        """
        ends_s = self.scenario.duration_s if until_s is None else until_s
        async with self.living():
            await asyncio.sleep(max(0.0, ends_s - self.elapsed_s))
            self.judge()

    @asynccontextmanager
    async def living(self) -> AsyncGenerator[None]:
        """Let all of it live while the block runs, which begins when the dispatcher is ready."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._living = [
                group.create_task(self.wires.run(), name="sim.wires"),
                group.create_task(self._mavlink.run(), name="sim.mavlink"),
                group.create_task(self.stage.run(), name="sim.stage"),
                group.create_task(self.service.run(), name="service.run"),
                group.create_task(self.monitors.run(), name="sim.monitors"),
                group.create_task(self.recorder.run(), name="sim.recorder"),
                group.create_task(self.faults.run(), name="sim.faults"),
                group.create_task(self._tell_progress(), name="sim.progress"),
            ]
            await self.service.ready.wait()
            if self._recording is not None:
                for view in self.service.vehicles():
                    self._recording.changed(Change(vehicle=view))
                    self._recording.heard(view.spec.id, view.state)
            self._living.append(group.create_task(self._ask(), name="sim.demand"))
            self._living += [
                group.create_task(self._close(closure), name="sim.closure")
                for closure in self.scenario.closures
            ]
            self._living += [
                group.create_task(self._alarm(planned), name="sim.emergency")
                for planned in self.scenario.emergencies
            ]
            self._living.append(group.create_task(self._sights().run(), name="sim.sights"))
            self._living += [
                group.create_task(self._report(planned), name="sim.incident")
                for planned in self.scenario.incidents
            ]
            yield
            for task in self._living:
                task.cancel()

    def inject(self, faults: Sequence[PlannedFault]) -> None:
        """Bring more faults about, now, whatever their ``at_s``; only while all of it lives."""
        for fault in faults:
            rest = self.faults.begin(fault)
            self._living.append(self._group.create_task(rest, name="sim.injected"))

    async def close_lanes(self, closure: PlannedClosure) -> None:
        """Have people close lanes now, whatever its ``at_s``; they open again by themselves."""
        until_s = None if closure.lasts_s is None else self.clock.now_s() + closure.lasts_s
        for lane in closure.lanes:
            await self.service.lane_desk.close_lane(lane, until_s=until_s)

    async def raise_emergency(self, planned: PlannedEmergency) -> None:
        """Have people raise an emergency now, whatever its ``at_s``; they end it in its time."""
        raised = await self.service.emergency_desk.begin(planned.asked)
        rest = self._end_alarm(raised.id, planned.lasts_s)
        self._living.append(self._group.create_task(rest, name="sim.emergency_ends"))

    def _sights(self) -> Sights:
        """What there is to be seen; whoever sees it first reports it."""
        world, desk = self.stage.world, self.service.observations
        sights = Sights(world, self.scenario.sights, lambda: self.elapsed_s, desk.report)
        world.observe(sights)
        return sights

    async def report_incident(self, planned: PlannedIncident) -> None:
        """Have people report an incident now, whatever its ``at_s``."""
        engaged = [one.engages for one in self.service.incidents.shown]
        seen = self.incidents.called(planned.asked, [id_ for id_ in engaged if id_ is not None])
        await self.service.incidents.report(planned.asked)
        rest = self.incidents.follow(seen)
        self._living.append(self._group.create_task(rest, name="sim.incident"))

    async def _report(self, planned: PlannedIncident) -> None:
        await asyncio.sleep(max(0.0, planned.at_s - self.elapsed_s))
        await self.report_incident(planned)

    async def _end_alarm(self, emergency: EmergencyId, after_s: float | None) -> None:
        if after_s is not None:
            await asyncio.sleep(after_s)
            with suppress(NotFound):  # somebody else has ended it
                await self.service.emergency_desk.end(emergency, "scenario")

    def on_progress(self, each_s: float, progress: Callable[[float], None] | None) -> None:
        """Have ``progress`` called with the seconds gone by, each so many of them."""
        self._progress = each_s, progress

    async def _tell_progress(self) -> None:
        each_s, progress = self._progress
        while progress is not None:
            progress(self.elapsed_s)
            await asyncio.sleep(each_s)

    async def tasks(self) -> list[Task]:
        """Every task of the store, the oldest first."""
        found: list[Task] = []
        page = await self._store.page(TaskQuery(limit=500))
        found += page.tasks
        while page.next is not None:
            page = await self._store.page(TaskQuery(limit=500, cursor=page.next))
            found += page.tasks
        return found[::-1]

    async def close(self) -> None:
        """Close the store."""
        await self._store.close()

    def judge(self) -> None:
        """What only the end shows: loads left behind, but for those still on their way.

        Nor is one forgotten whose task has failed if a person is still called to take it off.
        """
        on_its_way = [task.id for task in self.service.open_tasks() if on_board(task)]
        called_for = [
            alert.task
            for alert in self.service.alerts()
            if alert.code == "goods_stranded" and alert.task and alert.cleared_s is None
        ]
        loads = [load for task in (*on_its_way, *called_for) for load in self._loads.get(task, ())]
        self.monitors.close(loads)
        if self._trace is not None:
            self._trace.close()
        if self._recording is not None:
            self._recording.close()

    def _expect_loads(self, task: Task) -> None:
        """Tell the cargo monitor of a new task's loads, as the request has them."""
        if task.state is not TaskState.QUEUED or task.stops_done or task.by_shifts:
            return
        first, *drops = stops_of(task, self._handling)
        for stop in drops:
            for work in stop.work:
                if work.kind is ActionKind.UNLOAD and stop.place and first.place:
                    places, load = self.scenario.site.places, str(work.facts["load_id"])
                    origin, goal = places[first.place].node, places[stop.place].node
                    self.monitors.cargo.asked(load, origin, goal)
                    self._loads.setdefault(task.id, {})[load] = None

    def _expect_watch(self, task: Task) -> None:
        """Tell the watches' monitor of a new one, as the request has it, and of its end."""
        if isinstance(task.spec, Patrol) and task.is_watch:
            if task.state is TaskState.QUEUED:
                self.monitors.watches.asked(task.id, task.spec, task.earliest_s, task.due_s)
            elif task.ended_s is not None or task.state is TaskState.CANCELLING:
                self.monitors.watches.ended(task.id, self.clock.now_s())

    def _activities(self) -> Mapping[VehicleId, str]:
        return {vehicle: at.value for vehicle, at in self.service.activities().items()}

    async def _ask(self) -> None:
        """Ask for what the scenario says people ask for, when they ask for it."""
        for order in demand(self.scenario, self.scenario.site, seed=self.seed):
            await asyncio.sleep(max(0.0, order.at_s - self.elapsed_s))
            request = parse(order.request)
            if isinstance(request, list):
                raise Unreasonable(f"{order.stream} asks for {order.request}: {request[0]}")
            await self.service.task_desk.submit(request)

    async def _alarm(self, planned: PlannedEmergency) -> None:
        await asyncio.sleep(max(0.0, planned.at_s - self.elapsed_s))
        await self.raise_emergency(planned)

    async def _close(self, closure: PlannedClosure) -> None:
        await asyncio.sleep(max(0.0, closure.at_s - self.elapsed_s))
        await self.close_lanes(closure)
