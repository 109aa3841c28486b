"""The stops of a task: where its vehicle goes in turn, and what is done there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from dispatcher.task import Delivery, Disinfection, Goods, Medicine, Patrol, Spec, Task, TaskId
from fleet.mission import Action, ActionKind, MissionId
from fleet.vehicle import Medium
from routing.drawn import DrawnArea
from routing.site import AirspaceId, PlaceId


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """How long people take at a stop, in seconds."""

    load_s: float = 40.0
    unload_s: float = 30.0


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

    @property
    def round_trip(self) -> bool:
        """Whether it is flown from home and back, without landing elsewhere."""
        return self.place is None

    @property
    def service_s(self) -> float:
        """How long the vehicle stays."""
        return sum(work.duration_s for work in self.work)

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
    return TaskStop(
        place=first.place,
        work=tuple(work for stop in left for work in stop.work),
        load_g=sum(stop.load_g for stop in left),
        load_ml=sum(stop.load_ml for stop in left),
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
        each_s = handling.load_s / len(loads)
        load = TaskStop(
            place=origin,
            work=tuple(Work(kind=ActionKind.LOAD, duration_s=each_s, facts=f) for f in loads),
            load_g=self.mass_g,
            load_ml=self.volume_ml,
        )
        drops = (
            TaskStop(
                place=place,
                work=(
                    Work(
                        kind=ActionKind.UNLOAD,
                        duration_s=handling.unload_s,
                        facts=loads[number],
                    ),
                ),
                load_g=-self._share(self.mass_g, number),
                load_ml=-self._share(self.volume_ml, number),
            )
            for number, place in enumerate(self.drop_offs)
        )
        return (load, *drops)

    def _facts(self, number: int) -> Mapping[str, str | float]:
        name = f"{self.task}" if len(self.drop_offs) == 1 else f"{self.task}.{number + 1}"
        return {"load_id": name, "load_type": self.goods}

    def _share(self, amount: int, number: int) -> int:
        many = len(self.drop_offs)
        return amount * (number + 1) // many - amount * number // many
