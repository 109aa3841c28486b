"""A dispatcher's life: take up what was before a restart, start all that lives, look around."""

import asyncio
import logging

from dispatcher.domain.road_rules import together
from dispatcher.domain.shifts import SHIFT
from dispatcher.domain.task import Priority
from dispatcher.missions.help_flights import incident_of
from dispatcher.parts import Parts
from dispatcher.planning.forecast import lately
from dispatcher.records.alerts import Severity
from dispatcher.work.memory import KINDS, Memory, remember
from fleet.vehicle import Integration, Medium

log = logging.getLogger(__name__)

HELLO_S = 10.0
"""How long the start waits for the vehicles' first words."""
LOOK_S = 15.0
"""How often silence, late tasks and ended closures are looked for."""
WRITE_S = 300.0
"""How often what was learnt is written down."""


class Life:
    """Lets the parts of a dispatcher live."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._store, self._clock = parts.given.store, parts.given.clock
        self._written_s = self._clock.now_s()

    async def run(self) -> None:
        """Dispatch until cancelled; ``ready`` is set once the doors may open."""
        parts, basis, planning = self._parts, self._parts.basis, self._parts.planning
        await self._restore()
        async with asyncio.TaskGroup() as group:
            group.create_task(basis.book.run(), name="book.run")
            group.create_task(basis.roster.run(), name="roster.run")
            group.create_task(basis.facilities.run(), name="facilities.run")
            if self._parts.given.site.workcells:
                group.create_task(basis.workcells.run(), name="workcells.run")
            await self._hello()
            await self._place_vehicles()
            await parts.air_holds.resume()
            await parts.desks.control.resume()
            group.create_task(basis.traffic.run(), name="traffic.run")
            group.create_task(planning.planner.run(), name="planner.run")
            await self._resume_work(group)
            group.create_task(planning.transfers.run(), name="service.transfers")
            group.create_task(planning.watches.run(), name="service.watches")
            group.create_task(planning.surveys.run(), name="service.surveys")
            group.create_task(self._look_around(), name="service.look")
            group.create_task(parts.desks.incidents.run(), name="service.incidents")
            group.create_task(parts.flights.run(), name="service.flights")
            group.create_task(parts.air_holds.run(), name="service.air_holds")
            group.create_task(planning.emergency_desk.follow_wind(), name="service.wind")
            group.create_task(parts.desks.roads.run(), name="service.road_rules")
            group.create_task(parts.blockages.run(self._clock), name="service.blockages")
            group.create_task(parts.shut_in.run(), name="service.shut_in")
            planning.planner.poke()
            parts.ready.set()

    # --- what was before ---

    async def _restore(self) -> None:
        """Take up what the store holds."""
        basis, planning = self._parts.basis, self._parts.planning
        await basis.book.load()
        if self._parts.given.site.workcells:
            basis.workcells.keep(r.mission.id for r in await self._store.missions_in_hand())
        await planning.transfers.restore()
        if basis.times is not None:
            basis.times.load(await self._store.paces())
        if self._parts.given.planner.positioning:
            for task in await lately(self._store, self._clock):
                planning.forecast.count(task)
        await self._parts.desks.incidents.restore()
        await self._parts.flights.restore()
        self._remember(remember(await self._store.events_of(KINDS), self._clock))

    def _remember(self, memory: Memory) -> None:
        """Take up what people had ordered, and what vehicles had carried, before a restart."""
        desks = self._parts.desks
        desks.lanes.restore(memory.closed)
        desks.roads.restore(list(memory.rules.values()), memory.rules_set)
        self._parts.basis.roster.set_rules(together(desks.roads.in_force))
        desks.emergencies.restore(list(memory.emergencies.values()), memory.emergencies_raised)
        desks.control.restore(memory)
        desks.fleet.restore(memory)
        self._parts.air_holds.restore(memory.waits_in_air)
        self._parts.planning.transfers.remember(memory.at_pads)
        for vehicle, goods in memory.carried.items():
            for one in goods:
                self._parts.planning.hygiene.carried(vehicle, one)

    async def _resume_work(self, group: asyncio.TaskGroup) -> None:
        """Start the workers; each takes up the mission that it had in hand."""
        parts = self._parts
        unfinished = {r.vehicle: r for r in await self._store.missions_in_hand()}
        shifts = {v: r.task for v, r in unfinished.items() if r.purpose == SHIFT}
        parts.planning.shifts.restore(await self._store.open_shifts(), shifts)
        helping = {id_: incident_of(r.mission) for id_, r in unfinished.items()}
        parts.desks.incidents.resume({id_: helps[0] for id_, helps in helping.items() if helps})
        for id_, worker in parts.workers.items():
            group.create_task(worker.run(unfinished.get(id_)), name=f"worker[{id_}].run")

    # --- who is there ---

    async def _hello(self) -> None:
        """Wait until every vehicle has been heard, but not for ever."""
        roster, heard = self._parts.basis.roster, asyncio.Event()
        roster.watch(lambda _: heard.set())
        try:
            async with asyncio.timeout(HELLO_S):
                while any(vehicle.state().heard_at_s is None for vehicle in roster):
                    heard.clear()
                    await heard.wait()
        except TimeoutError:
            silent = [v.spec.id for v in roster if v.state().heard_at_s is None]
            log.warning("not heard yet: %s", ", ".join(silent))

    async def _place_vehicles(self) -> None:
        """Give each vehicle its place on the ground or in the air, where it stands now."""
        basis, workers = self._parts.basis, self._parts.workers
        traffic, places = basis.traffic, self._parts.given.site.places
        for vehicle in basis.roster:
            spec = vehicle.spec
            home = places[spec.home].node
            if spec.watched:
                if spec.integration is Integration.RESPECTED:
                    traffic.add(spec, vehicle.state().last_node or home)
            elif spec.medium is Medium.AIR:
                basis.skies.add(spec, workers[spec.id].stand(home))
            else:
                stand = workers[spec.id].stand(home)
                traffic.add(spec, stand, vehicle.state().position)
        traffic.start()
        for vehicle in basis.roster:
            if traffic.knows(vehicle.spec.id) and not vehicle.spec.watched:
                traffic.hold(vehicle.spec.id, vehicle.state().base)
        sent = {r.vehicle: r.mission.route for r in await self._store.missions_in_hand()}
        traffic.count_on(
            {id_: [w.node for w in route] for id_, route in sent.items() if traffic.knows(id_)}
        )
        traffic.find_shelters()
        self._parts.watch.look_at_all()

    # --- what nobody tells ---

    async def _look_around(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self._parts.watch.look_at_all()
            await self._parts.arrivals.look()
            now_s = self._clock.now_s()
            await self._parts.desks.lanes.open_what_is_due(now_s)
            self._tell_late_tasks(now_s)
            self._parts.planning.planner.poke_if_waiting()
            await self._write_what_was_learnt(now_s)

    def _tell_late_tasks(self, now_s: float) -> None:
        basis = self._parts.basis
        for task in basis.book.open():
            urgent = task.priority in (Priority.STAT, Priority.URGENT)
            known = basis.alerts.is_open("task_late", task=task.id)
            if urgent and task.due_s < now_s and not known:
                basis.alerts.open("task_late", Severity.HIGH, task=task.id, vehicle=task.vehicle)

    async def _write_what_was_learnt(self, now_s: float) -> None:
        times = self._parts.basis.times
        if times is not None and now_s >= self._written_s + WRITE_S:
            self._written_s = now_s
            await self._store.learn(times.take_changed())
