"""The stops of a task: where its vehicle goes in turn, and what is done there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from dispatcher.domain.task import (
    Delivery,
    Disinfection,
    Goods,
    Medicine,
    Patrol,
    Spec,
    Task,
    TaskId,
)
from fleet.mission import Action, ActionKind, MissionId
from fleet.vehicle import Medium
from fleet.workcell import Way
from routing.air.drawn import DrawnArea
from routing.site import AirspaceId, PlaceId, Site, Workcell, WorkcellId

OWN_S = 5.0
"""What a vehicle itself does where a workcell hands over: its lock, its load sensor."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Handling:
    """Who hands goods over at a stop: people, in so many seconds, or the workcell of the place.

    A site has one; it is equal to nothing but itself, so that stops can be remembered by it.
    """

    load_s: float = 40.0
    unload_s: float = 30.0
    workcells: Mapping[PlaceId, Workcell] = field(default_factory=dict[PlaceId, Workcell])

    def at(self, place: PlaceId, way: Way) -> Workcell | None:
        """The workcell that gives goods at a place, or takes them; None = people do."""
        cell = self.workcells.get(place)
        if cell is None:
            return None
        return cell if (cell.dispenses if way is Way.GIVE else cell.ingests) else None


def workcells_of(site: Site) -> Mapping[PlaceId, Workcell]:
    """The workcell of each place that has one."""
    named = {p.id: p.workcell for p in site.places.values() if p.workcell is not None}
    return {place: site.workcells[cell] for place, cell in named.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One thing to be done at a stop."""

    kind: ActionKind
    duration_s: float
    facts: Mapping[str, str | float] = field(default_factory=dict[str, str | float])


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStop:
    """One stop of a task: at a place, or a flight over something, from home and back."""

    place: PlaceId | None = None
    area: AirspaceId | None = None
    """To be seen all over."""
    drawn: DrawnArea | None = None
    """The same for an area without a name."""
    over: tuple[PlaceId, ...] = ()
    """Places to be seen from above, in this order."""
    work: tuple[Work, ...]
    load_g: int = 0
    """What comes on board (or leaves it, below 0)."""
    load_ml: int = 0
    workcell: WorkcellId | None = None
    """Hands the goods over here, before the vehicle does its own work."""
    handover_s: float = 0.0
    """How long that takes."""

    @property
    def round_trip(self) -> bool:
        """Whether it is flown from home and back, without landing elsewhere."""
        return self.place is None

    @property
    def service_s(self) -> float:
        """How long the vehicle stays."""
        return sum(work.duration_s for work in self.work) + self.handover_s

    @property
    def way(self) -> Way:
        """Which way goods go, as a workcell sees it."""
        loads = any(work.kind is ActionKind.LOAD for work in self.work)
        return Way.GIVE if loads else Way.TAKE

    @property
    def taken(self) -> tuple[Goods, ...]:
        """The classes of goods that come on board here."""
        loads = (work for work in self.work if work.kind is ActionKind.LOAD)
        return tuple(dict.fromkeys(Goods(work.facts["load_type"]) for work in loads))

    def actions(self, mission: MissionId) -> tuple[Action, ...]:
        """The work as the actions of one mission."""
        return tuple(
            Action(
                id=f"{mission}.{number}",
                kind=work.kind,
                duration_s=work.duration_s,
                facts=work.facts,
            )
            for number, work in enumerate(self.work, 1)
        )


def stops_of(task: Task, handling: Handling) -> tuple[TaskStop, ...]:
    """All stops of a task, in the order in which they are made."""
    return () if task.by_shifts else stops_of_spec(task.id, task.spec, handling)


@lru_cache(maxsize=4096)
def stops_of_spec(task: TaskId, spec: Spec, handling: Handling) -> tuple[TaskStop, ...]:
    """The stops that a request would have."""
    match spec:
        case Delivery():
            cargo = _Cargo(task, spec.goods, spec.drop_offs, spec.mass_g, spec.volume_ml)
            return cargo.stops(spec.origin, handling)
        case Medicine():
            to = (spec.destination,)
            cargo = _Cargo(task, "medicine", to, spec.mass_g, spec.volume_ml)
            return cargo.stops(spec.origin, handling)
        case Patrol():
            return _looks(spec)
        case Disinfection():
            facts = {"method": spec.method.value, "dose_mj_cm2": spec.dose_mj_cm2}
            work = Work(kind=ActionKind.DISINFECT, duration_s=spec.duration_s, facts=facts)
            return (TaskStop(place=spec.room, work=(work,)),)


def _looks(spec: Patrol) -> tuple[TaskStop, ...]:
    """The stops of a patrol; a watch, or an area in parts, has none, but shifts."""
    look = Work(kind=ActionKind.OBSERVE, duration_s=spec.dwell_s)
    if spec.by_shifts:
        return ()
    if spec.area is not None or spec.drawn is not None:
        return (TaskStop(area=spec.area, drawn=spec.drawn, work=()),) * spec.rounds
    if spec.by is Medium.AIR:
        over = TaskStop(over=spec.points, work=(look,) * len(spec.points))
        return (over,) * spec.rounds
    return tuple(TaskStop(place=place, work=(look,)) for place in spec.points) * spec.rounds


def task_of(load: str) -> TaskId:
    """The task to which a load on board belongs."""
    return TaskId(load.partition(".")[0])


def on_board(task: Task) -> bool:
    """Whether the task's goods are in its vehicle."""
    return task.stops_done > 0 and isinstance(task.spec, Delivery | Medicine)


def bring_back(task: Task, handling: Handling) -> TaskStop:
    """The stop that returns what is still on board of a delivery to where it came from."""
    first, *drops = stops_of(task, handling)
    left = drops[max(task.stops_done - 1, 0) :]
    cell = None if first.place is None else handling.at(first.place, Way.TAKE)
    return TaskStop(
        place=first.place,
        work=tuple(work for stop in left for work in stop.work),
        load_g=sum(stop.load_g for stop in left),
        load_ml=sum(stop.load_ml for stop in left),
        workcell=None if cell is None else cell.id,
        handover_s=0.0 if cell is None else cell.handover_s,
    )


@dataclass(frozen=True, slots=True)
class _Cargo:
    """What is carried: an equal share for each drop-off."""

    task: TaskId
    goods: str
    drop_offs: Sequence[PlaceId]
    mass_g: int
    volume_ml: int

    def stops(self, origin: PlaceId, handling: Handling) -> tuple[TaskStop, ...]:
        """Load all of it, then leave each its share."""
        loads = [self._facts(number) for number in range(len(self.drop_offs))]
        giver = handling.at(origin, Way.GIVE)
        each_s = (handling.load_s if giver is None else OWN_S) / len(loads)
        load = TaskStop(
            place=origin,
            work=tuple(Work(kind=ActionKind.LOAD, duration_s=each_s, facts=f) for f in loads),
            load_g=self.mass_g,
            load_ml=self.volume_ml,
            workcell=None if giver is None else giver.id,
            handover_s=0.0 if giver is None else giver.handover_s,
        )
        return (load, *(self._drop(number, handling) for number in range(len(loads))))

    def _drop(self, number: int, handling: Handling) -> TaskStop:
        place = self.drop_offs[number]
        taker = handling.at(place, Way.TAKE)
        own_s = handling.unload_s if taker is None else OWN_S
        facts = self._facts(number)
        return TaskStop(
            place=place,
            work=(Work(kind=ActionKind.UNLOAD, duration_s=own_s, facts=facts),),
            load_g=-self._share(self.mass_g, number),
            load_ml=-self._share(self.volume_ml, number),
            workcell=None if taker is None else taker.id,
            handover_s=0.0 if taker is None else taker.handover_s,
        )

    def _facts(self, number: int) -> Mapping[str, str | float]:
        name = f"{self.task}" if len(self.drop_offs) == 1 else f"{self.task}.{number + 1}"
        return {"load_id": name, "load_type": self.goods}

    def _share(self, amount: int, number: int) -> int:
        many = len(self.drop_offs)
        return amount * (number + 1) // many - amount * number // many
