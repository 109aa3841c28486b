"""How a vehicle looks to people: what it is at, for which tasks, where to, what it waits for."""

from collections.abc import Mapping
from typing import NamedTuple

from dispatcher.air.skies import Skies
from dispatcher.domain.task import TaskId
from dispatcher.domain.views import Activity, VehicleView
from dispatcher.missions.handovers import Handovers
from dispatcher.planning.planner import Planner
from dispatcher.traffic.traffic import Traffic
from dispatcher.work.worker import Worker
from fleet.clock import Clock
from fleet.vehicle import Medium, Mode, Severity, Vehicle, VehicleId, VehicleSpec, VehicleState
from routing.refusal import Refusal
from routing.site import NodeId, PlaceId, Site, Zone


class Glance(NamedTuple):
    """What of a vehicle screens are told at once when it changes."""

    activity: Activity
    waiting_for: Refusal | None
    tasks: tuple[TaskId, ...]
    goal: PlaceId | None
    zone: Zone
    in_service: bool


class Looks:
    """Looks at the vehicles of one site."""

    def __init__(
        self,
        site: Site,
        clock: Clock,
        workers: Mapping[VehicleId, Worker],
        planner: Planner,
        traffic: Traffic,
        skies: Skies,
        handovers: Handovers,
    ) -> None:
        self._site, self._clock = site, clock
        self._workers, self._planner = workers, planner
        self._traffic, self._skies, self._handovers = traffic, skies, handovers

    def glance(self, vehicle: Vehicle, state: VehicleState) -> Glance:
        """What is to be told of a vehicle whose latest word is ``state``."""
        spec, worker = vehicle.spec, self._workers.get(vehicle.spec.id)
        if worker is None:
            return self._watched(vehicle, state)
        mission = worker.current
        places = self._site.places_at.get(mission[1].route[-1].node, ()) if mission else ()
        waiting = self._waiting(worker, spec, state)
        hand, planned = worker.hand, self._planner.plan.tasks_of(spec.id)
        if hand.task or hand.aboard or hand.watch:
            held = tuple(task for task in (hand.task, hand.watch) if task)
            planned = tuple(dict.fromkeys((*held, *hand.aboard, *planned)))
        node = self._site.nodes.get(state.last_node or NodeId(""))
        return Glance(
            activity=_activity(worker, state, waiting=waiting is not None),
            waiting_for=waiting,
            tasks=planned,
            goal=places[0].id if places else None,
            zone=node.zone if node is not None else self._home_zone(spec),
            in_service=worker.in_service,
        )

    def view(self, vehicle: Vehicle) -> VehicleView:
        """All that screens show of a vehicle."""
        spec, state = vehicle.spec, vehicle.state()
        glance = self.glance(vehicle, state)
        worker = self._workers.get(spec.id)
        mission = worker.current if worker is not None else None
        return VehicleView(
            spec=spec,
            state=state,
            activity=glance.activity,
            waiting_for=glance.waiting_for,
            tasks=glance.tasks,
            goal=glance.goal,
            route=mission[1].route[mission[1].passed :] if mission is not None else (),
            zone=glance.zone,
            in_service=glance.in_service,
        )

    def activity(self, vehicle: Vehicle) -> Activity:
        """What it is at, alone."""
        spec, state = vehicle.spec, vehicle.state()
        worker = self._workers.get(spec.id)
        if worker is None:
            return _of_watched(state)
        return _activity(worker, state, waiting=self._waiting(worker, spec, state) is not None)

    def _waiting(self, worker: Worker, spec: VehicleSpec, state: VehicleState) -> Refusal | None:
        return worker.waits_out or self._waits_for(spec, state) or _unfit(spec, state)

    def _watched(self, vehicle: Vehicle, state: VehicleState) -> Glance:
        """One that we only look at."""
        node = self._site.nodes.get(state.last_node or NodeId(""))
        return Glance(
            activity=_of_watched(state),
            waiting_for=None,
            tasks=(),
            goal=None,
            zone=node.zone if node is not None else self._home_zone(vehicle.spec),
            in_service=False,
        )

    def _home_zone(self, spec: VehicleSpec) -> Zone:
        return self._site.nodes[self._site.places[spec.home].node].zone

    def _waits_for(self, spec: VehicleSpec, state: VehicleState) -> Refusal | None:
        if state.paused:
            return Refusal("vehicle_paused")
        handover = self._handovers.waits_for(spec.id)
        if handover is not None:
            return handover
        if spec.medium is Medium.AIR:
            return self._skies.waits_for(spec.id)
        if not self._traffic.knows(spec.id):
            return None
        return self._traffic.waits.reason(spec.id, self._clock.now_s())


def _unfit(spec: VehicleSpec, state: VehicleState) -> Refusal | None:
    """What makes a drone unfit for service, in its own words."""
    if spec.medium is not Medium.AIR or not state.online:
        return None
    fatal = (error for error in state.errors if error.severity is Severity.FATAL)
    worst = next(fatal, None)
    return Refusal(worst.code, {"text": worst.text}) if worst else None


def _of_watched(state: VehicleState) -> Activity:
    return Activity.WATCHED if state.online else Activity.OFFLINE


def _activity(worker: Worker, state: VehicleState, *, waiting: bool) -> Activity:
    if not state.online:
        return Activity.OFFLINE
    if state.safety_stop or not (state.fit or state.mode is not Mode.AUTOMATIC):
        return Activity.FAULT
    if state.mode is not Mode.AUTOMATIC:
        return Activity.MANUAL
    if not worker.in_service:
        return Activity.OUT_OF_SERVICE
    return Activity.WAITING if waiting else worker.hand.activity
