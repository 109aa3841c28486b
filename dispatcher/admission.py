"""What becomes of a request: a task, or every reason why this site can never do it."""

import random
from dataclasses import replace

from dispatcher.book import TaskBook
from dispatcher.config import DispatchConfig
from dispatcher.eligibility import nearest_miss, why_not
from dispatcher.errors import FieldFault, Refused
from dispatcher.intake import to_task_fields
from dispatcher.patrol_judge import Forecast, PatrolJudge
from dispatcher.reach import unreachable_stops
from dispatcher.roadbook import RoadBook
from dispatcher.stops import Handling, stops_of_spec
from dispatcher.task import AreaParts, Patrol, Spec, Task, TaskId, TaskState, VisitOrder
from dispatcher.task_in import PatrolIn, TaskIn
from dispatcher.watch_plans import WatchPlans
from fleet.clock import Clock
from fleet.roster import Roster
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
        handling: Handling,
        judge: PatrolJudge,
        watch_plans: WatchPlans,
        book: TaskBook,
    ) -> None:
        self._site, self._clock, self._config = site, clock, config
        self._roster, self._roads = roster, roads
        self._handling = handling
        self._judge, self._watch_plans = judge, watch_plans
        self._book = book

    def new_task(self, request: TaskIn, key: str | None) -> Task:
        """A task with a number of its own, not yet accepted.

        Args:
            key: the caller's idempotency key.

        Raises:
            Refused: with every reason.
        """
        fields = to_task_fields(request, self._site, self._clock, self._config)
        self._refuse_the_impossible(fields.spec)
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
        return Task(
            id=id_,
            spec=spec,
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
        """Refuse what no vehicle of this site could ever do."""
        specs = [vehicle.spec for vehicle in self._roster if not vehicle.spec.watched]
        able = [s for s in specs if not why_not(spec, s)]
        if not able:
            reasons = nearest_miss(why_not(spec, s) for s in specs)
            raise Refused([_fault_of(reason) for reason in reasons])
        stops = stops_of_spec(TaskId(""), spec, self._handling)
        missed: list[list[PlaceId]] = []
        for one in able:
            missed.append(unreachable_stops(self._site, self._roads, one, stops))
            if not missed[-1]:
                return
        place = min(missed, key=len)[0]
        reason = Refusal("unreachable", {"value": place})
        remedy = "send a place that a vehicle fit for this task can get to and back from"
        raise Refused([FieldFault(_field_of(spec, place), reason, remedy)])


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
