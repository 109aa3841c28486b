"""Who should carry what, in which order: the question, in whole seconds, metres and grams.

A pickup-and-delivery problem with time windows. It knows nothing of hospitals or robots: requests
are stops on numbered nodes, vehicles are slots with a travel matrix. Everything in it is plain
and frozen, so it can be sent to a worker process. The answer is a `routing.plan.Plan`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Table = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """One stop of one request: ``stop`` counts within the request, from 0."""

    request: str
    stop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Somewhere a vehicle must be for a while.

    Args:
        node: row in the travel matrices.
        load: what the stop adds to the vehicle, per dimension of capacity; a drop-off's is
            negative. A request that wants the vehicle for itself takes all of one dimension.
        latest_s: last moment to begin the service; hard.
    """

    node: int
    service_s: int = 0
    load: tuple[int, ...] = ()
    earliest_s: int = 0
    latest_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Stops that one vehicle makes: the first is the pickup, the others follow in any order.

    Args:
        fixed_order: the stops are made in their order; other requests may come in between.
        release_s: not begun before.
        due_s: the last stop should have ended by then; soft.
        late_weight: price of each second after ``due_s``.
        drop_penalty: price of leaving it unplanned.
        allowed: slots that may do it, by their numbers; None = all.
        aboard: slot that has its goods on board: all stops are drop-offs, only it can make them,
            and no window lets it off.
        last_slot: slot that had it in the last plan; another one costs ``Weights.change``.
    """

    id: str
    stops: tuple[Stop, ...]
    fixed_order: bool = False
    release_s: int = 0
    due_s: int | None = None
    late_weight: int = 10
    drop_penalty: int = 1_000_000
    allowed: tuple[int, ...] | None = None
    aboard: int | None = None
    last_slot: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A vehicle as the plan sees it.

    Args:
        id: the vehicle's.
        profile: whose travel times are its own; index into ``Problem.profiles``.
        ready_s: when it will be free at its ``start`` node.
        end: node where the route must end; None = anywhere.
        shift_end_s: new work must be over by then, the drive to ``end`` included.
        range_m: metres that it may drive on all of the route.
        committed: visits that open its route, in this order; it has been told already.
    """

    id: str
    profile: int
    start: int
    ready_s: int
    end: int | None = None
    capacity: tuple[int, ...] = ()
    shift_end_s: int | None = None
    range_m: int | None = None
    committed: tuple[Visit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Travel times and distances between all nodes for one kind of vehicle.

    Args:
        seconds: row = from, column = to; `routing.paths.UNREACHABLE_S` where there is no way.
        metres: in the same shape.
        loaded_s: times with goods on board, where hygiene closes some ways; None = the same.
    """

    seconds: Table
    metres: Table
    loaded_s: Table | None = None

    @classmethod
    def of(
        cls,
        seconds: NDArray[np.int64],
        metres: NDArray[np.int64] | None = None,
        loaded_s: NDArray[np.int64] | None = None,
    ) -> "Profile":
        """A profile from arrays; without ``metres``, every second counts for a metre."""
        return cls(
            seconds=_table(seconds),
            metres=_table(seconds if metres is None else metres),
            loaded_s=None if loaded_s is None else _table(loaded_s),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Prices that turn a plan into one number; smaller is better.

    Args:
        flow_s: per second from a request's release to its end.
        metre: per metre driven.
        change: for a request that moves to another vehicle than in the last plan.
        waiting_s: a request that has waited this long counts twice when late, and so on.
    """

    flow_s: int = 1
    metre: int = 1
    change: int = 60
    waiting_s: int = 1800


@dataclass(frozen=True, kw_only=True)
class Problem:
    """All requests and all vehicles at ``now_s``.

    Raises:
        ValueError: something refers to what isn't there, or sizes differ; the caller's bug.
    """

    profiles: tuple[Profile, ...]
    requests: tuple[Request, ...]
    slots: tuple[Slot, ...]
    weights: Weights = field(default_factory=Weights)
    now_s: int = 0

    def __post_init__(self) -> None:
        if fault := _fault(self):
            raise ValueError(fault)

    @cached_property
    def request_numbers(self) -> dict[str, int]:
        """Where each request stands in ``requests``."""
        return {request.id: number for number, request in enumerate(self.requests)}

    @cached_property
    def bound(self) -> dict[str, int]:
        """Requests that can't be refused or moved any more, and the slot that has each."""
        found = {r.id: r.aboard for r in self.requests if r.aboard is not None}
        for number, slot in enumerate(self.slots):
            found |= {visit.request: number for visit in slot.committed}
        return found

    def late_price(self, request: Request) -> int:
        """Price of one second after its due time; it grows while the request waits."""
        waited_s = max(0, self.now_s - request.release_s)
        return request.late_weight + request.late_weight * waited_s // self.weights.waiting_s

    def drop_price(self, request: Request) -> int:
        """Price of leaving it unplanned; prohibitive for what can't be refused."""
        return request.drop_penalty + (BOUND_PENALTY if request.id in self.bound else 0)


BOUND_PENALTY = 1_000_000_000_000
"""Keeps what is on board or committed in the plan, as long as there is a way to do it at all."""


def _table(numbers: NDArray[np.int64]) -> Table:
    return tuple(tuple(row) for row in numbers.tolist())


def _fault(problem: Problem) -> str | None:
    """The first thing that does not fit together."""
    slots, requests = problem.slots, problem.requests
    if len({r.id for r in requests}) < len(requests):
        return "two requests have the same id"
    sizes = {len(slot.capacity) for slot in slots} | {
        len(s.load) for r in requests for s in r.stops
    }
    if len(sizes) > 1:
        return f"capacities and loads differ in their number of dimensions: {sorted(sizes)}"
    for slot in slots:
        if not 0 <= slot.profile < len(problem.profiles):
            return f"slot {slot.id}: there is no profile {slot.profile}"
    for request in requests:
        named: Sequence[int] = (*(request.allowed or ()), request.aboard or 0)
        if not request.stops or (slots and not all(0 <= n < len(slots) for n in named)):
            return f"request {request.id}: it has no stops, or names a slot that isn't there"
    return _commitment_fault(problem)


def _commitment_fault(problem: Problem) -> str | None:
    held: dict[str, int] = {}
    made: dict[str, list[int]] = {}
    by_id = {request.id: request for request in problem.requests}
    for number, slot in enumerate(problem.slots):
        for visit in slot.committed:
            request = by_id.get(visit.request)
            if request is None or not 0 <= visit.stop < len(request.stops):
                return f"slot {slot.id}: there is no {visit}"
            holder = number if request.aboard is None else request.aboard
            if held.setdefault(request.id, holder) != number:
                return f"slot {slot.id}: {visit} is held by another slot"
            made.setdefault(request.id, []).append(visit.stop)
    for id_, stops in made.items():
        request = by_id[id_]
        in_turn = stops == list(range(len(stops))) if request.fixed_order else True
        begun = request.aboard is not None or stops[0] == 0
        if not in_turn or not begun or len(set(stops)) < len(stops):
            return f"request {id_}: it is committed in the wrong order: {stops}"
    return None
