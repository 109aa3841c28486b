"""What becomes of a request: a task, or every reason why this site can never do it."""

import random
from dataclasses import replace

from dispatcher.air.docks import Docks
from dispatcher.config import DispatchConfig
from dispatcher.desks.intake import TaskFields, to_task_fields
from dispatcher.desks.task_in import PatrolIn, TaskIn
from dispatcher.domain.eligibility import nearest_miss, why_not
from dispatcher.domain.stops import Handling, stops_of_spec
from dispatcher.domain.task import AreaParts, Leg, Patrol, Spec, Task, TaskId, TaskState, VisitOrder
from dispatcher.errors import FieldFault, Refused
from dispatcher.patrols.patrol_judge import Forecast, PatrolJudge
from dispatcher.patrols.watch_plans import WatchPlans
from dispatcher.planning.joins import Join, Joins, carried
from dispatcher.planning.reach import unreachable_stops, why_missed
from dispatcher.records.book import TaskBook
from dispatcher.traffic.roadbook import RoadBook
from fleet.clock import Clock
from fleet.roster import Roster
from fleet.vehicle import VehicleSpec
from routing.refusal import Refusal
from routing.site import PlaceId, Site


class Admission:
    """Judges requests by what the vehicles of one site can do; it changes nothing."""

    def __init__(
        self,
        site: Site,
        clock: Clock,
        config: DispatchConfig,
        roster: Roster,
        roads: RoadBook,
        docks: Docks,
        handling: Handling,
        judge: PatrolJudge,
        watch_plans: WatchPlans,
        book: TaskBook,
    ) -> None:
        self._site, self._clock, self._config = site, clock, config
        self._roster, self._roads, self._docks = roster, roads, docks
        self._handling = handling
        self._judge, self._watch_plans = judge, watch_plans
        self._book = book
        self._joins = Joins(site, roads, docks, handling, self._specs, _fault_of)

    def new_tasks(self, request: TaskIn, key: str | None) -> tuple[Task, ...]:
        """A task with a number of its own, or one for each leg; not yet accepted.

        Args:
            key: the caller's idempotency key; the last task has it.

        Raises:
            Refused: with every reason.
        """
        fields = to_task_fields(request, self._site, self._clock, self._config)
        join = self._join(fields)
        if join is not None:
            return self._two_legs(fields, join, key)
        return (self._one_task(fields, key),)

    def _join(self, fields: TaskFields) -> Join | None:
        """How a delivery is made in two legs, if it has to be; Refused if it can't be at all."""
        goods = carried(fields.spec)
        if goods is not None and fields.via is not None:
            return self._joins.through(goods, fields.via)
        try:
            self._refuse_the_impossible(fields.spec)
        except Refused:
            join = None if goods is None else self._joins.best(goods)
            if join is None:
                raise
            return join
        return None

    def _two_legs(self, fields: TaskFields, join: Join, key: str | None) -> tuple[Task, Task]:
        """Both legs: the first should be over early enough for the second to be in time."""
        ids = self._book.new_task_id(), self._book.new_task_id()
        earliest_s, due_s = fields.earliest_s, fields.due_s
        first_due_s = max(due_s - join.seconds[1], earliest_s + 1)
        first = self._task(ids[0], replace(fields, spec=join.legs[0], due_s=first_due_s), None)
        begins_s = earliest_s + join.seconds[0]
        second = self._task(ids[1], replace(fields, spec=join.legs[1], earliest_s=begins_s), key)
        return (
            replace(first, leg=Leg(number=1, other=ids[1], via=join.via)),
            replace(second, leg=Leg(number=2, other=ids[0], via=join.via)),
        )

    def _one_task(self, fields: TaskFields, key: str | None) -> Task:
        spec = fields.spec
        if isinstance(spec, Patrol):
            judged = self._judge.judge(spec, fields.earliest_s, fields.due_s)
            if judged.faults:
                raise Refused(judged.faults)
            if judged.in_parts:
                spec = replace(spec, parts=AreaParts())
        id_ = self._book.new_task_id()
        if isinstance(spec, Patrol) and spec.order is not VisitOrder.GIVEN and not spec.is_watch:
            spec = replace(spec, points=self._watch_plans.in_order(spec, random.Random(id_)))
        return self._task(id_, replace(fields, spec=spec), key)

    def _task(self, id_: TaskId, fields: TaskFields, key: str | None) -> Task:
        return Task(
            id=id_,
            spec=fields.spec,
            priority=fields.priority,
            state=TaskState.QUEUED,
            created_s=self._clock.now_s(),
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
        fields = to_task_fields(request, self._site, self._clock, self._config)
        assert isinstance(fields.spec, Patrol), "a patrol's request is a patrol"
        return await self._judge.preview(fields.spec, fields.earliest_s, fields.due_s)

    def _refuse_the_impossible(self, spec: Spec) -> None:
        """Refuse what no vehicle of this site could ever do alone."""
        specs = self._specs()
        able = [s for s in specs if not why_not(spec, s)]
        if not able:
            reasons = nearest_miss(why_not(spec, s) for s in specs)
            raise Refused([_fault_of(reason) for reason in reasons])
        stops = stops_of_spec(TaskId(""), spec, self._handling)
        missed: list[tuple[VehicleSpec, list[PlaceId]]] = []
        for one in able:
            places = unreachable_stops(self._site, self._roads, self._docks, one, stops)
            if not places:
                return
            missed.append((one, places))
        nearest, places = min(missed, key=lambda each: len(each[1]))
        reason = why_missed(self._site, self._docks, nearest, places[0])
        raise Refused([FieldFault(_field_of(spec, places[0]), reason, _REMEDIES[reason.code])])

    def _specs(self) -> list[VehicleSpec]:
        return [vehicle.spec for vehicle in self._roster if not vehicle.spec.watched]


_REMEDIES = {
    "unreachable": "send a place that a vehicle fit for this task can get to and back from",
    "dock_of_another": "send a pad that is no drone's dock",
}
"""What to send instead of a place that nobody can make."""


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
