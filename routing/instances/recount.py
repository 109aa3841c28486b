"""What tours are worth, driven again in double precision.

It shares no code with the solver or with `routing.problems.plan`, so a slip in scaling or rounding
is found.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from math import dist

from routing.instances.case import TourCase
from routing.instances.instance import Figures
from routing.instances.stops import Electric, Node

TOLERANCE = 1e-6
"""For rounding in sums of doubles: time, load and energy."""


def figures(instance: TourCase, tours: Sequence[Sequence[str]]) -> Figures:
    """Number and length of all tours that are not empty, or the first rule that one breaks."""
    used = [tour for tour in tours if tour]
    nodes = {node.name: node for node in (*instance.customers, *instance.stations)}
    stations = {station.name for station in instance.stations}
    pickup_of = {job[1].name: job[0].name for job in instance.jobs if len(job) > 1}
    if why := next(_completeness(nodes, stations, used), None):
        return Figures(why=why)
    if instance.vehicles is not None and len(used) > instance.vehicles:
        return Figures(why=f"{len(used)} vehicles, where there are {instance.vehicles}")
    length = 0.0
    for tour in used:
        trip = _Trip(instance)
        for name in tour:
            pickup = pickup_of.get(name)
            if pickup is not None and pickup not in trip.seen:
                return Figures(why=f"{name} without its pickup {pickup} before it")
            if why := trip.go(nodes[name], station=name in stations):
                return Figures(why=why)
        if why := trip.go(instance.depot, station=False):
            return Figures(why=why)
        length += trip.length
    return Figures(vehicles=len(used), distance=round(length, 6))


def _completeness(
    nodes: Mapping[str, Node], stations: Collection[str], tours: Sequence[Sequence[str]]
) -> Iterator[str]:
    """Every customer once, and nobody else."""
    visits = Counter(name for tour in tours for name in tour)
    yield from (f"there is no stop {name}" for name in visits if name not in nodes)
    customers = [name for name in nodes if name not in stations]
    missing = [name for name in customers if not visits[name]]
    if missing:
        named = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        yield f"{len(missing)} of {len(customers)} customers not visited: {named}"
    yield from (f"{name} visited {visits[name]} times" for name in customers if visits[name] > 1)


class _Trip:
    """One vehicle on its way: its clock, load, battery and length so far."""

    def __init__(self, instance: TourCase) -> None:
        self._capacity, self._electric = instance.capacity, instance.electric
        self._here, self._clock, self._load = instance.depot, instance.depot.ready, 0.0
        self._energy = self._electric.capacity if self._electric else 0.0
        self.length = 0.0
        self.seen: set[str] = set()

    def go(self, there: Node, *, station: bool) -> str | None:
        """Drive to a node and be served; the rule that this breaks."""
        leg = dist((self._here.x, self._here.y), (there.x, there.y))
        self.length += leg
        self._clock += leg / self._electric.speed if self._electric else leg
        self._load += there.demand
        if self._load > self._capacity + TOLERANCE:
            return f"load {self._load:g} after {there.name}, capacity {self._capacity:g}"
        if self._clock > there.due + TOLERANCE:
            return f"at {there.name} only at {self._clock:.6f}, due {there.due:g}"
        self._clock = max(self._clock, there.ready) + there.service
        self._here = there
        self.seen.add(there.name)
        return self._use(self._electric, leg, there, station) if self._electric else None

    def _use(self, electric: Electric, leg: float, there: Node, station: bool) -> str | None:
        self._energy -= leg * electric.energy_per_distance
        if self._energy < -TOLERANCE:
            return f"battery {-self._energy:.6f} short on the way to {there.name}"
        if station:
            self._clock += (electric.capacity - self._energy) * electric.time_per_energy
            self._energy = electric.capacity
        return None
