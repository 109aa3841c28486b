"""Where work is expected: how many tasks an hour begin at a place, by sort and hour of the day.

Learnt from accepted tasks; each day weighs `KEPT` of the next. In one hour of the day, with the
aged count of tasks and the aged hours in which they were watched::

    rate = (count + PRIOR_H * mean) / (watched + PRIOR_H)

which is the mean of a Gamma-Poisson model whose prior is the place's rate over all hours of the
day (Gelman et al., Bayesian Data Analysis, 3rd ed., 2.6): so the first day helps already.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from dispatcher.domain.stops import Handling, stops_of
from dispatcher.domain.task import KIND_OF, Delivery, Disinfection, Goods, Kind, Method, Spec, Task
from dispatcher.records.store import Store, TaskQuery
from fleet.clock import Clock
from fleet.vehicle import Medium
from routing.site import PlaceId

KEPT = 0.9
DAYS = 30
"""How many days are looked back; what is older weighs less than a twentieth."""
PRIOR_H = 2.0
AHEAD_S = 1800.0
"""What is expected is asked for the hour around this moment from now."""
MOST_TASKS = 20_000
"""No more are read at the start, however many there were."""


@dataclass(frozen=True, slots=True)
class Sort:
    """What decides who may do a task, but for its weight."""

    kind: Kind
    what: Goods | Method | None = None
    by: Medium | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Tasks of one sort that begin at one place; ``like`` is the last such task."""

    place: PlaceId
    like: Spec
    sort: Sort
    per_hour: float


@dataclass(slots=True)
class _Aged:
    """A number for each hour of the day, which loses weight from day to day."""

    values: list[float] = field(default_factory=lambda: [0.0] * 24)
    days: list[int] = field(default_factory=lambda: [0] * 24)

    def add(self, day: int, hour: int) -> None:
        age = day - self.days[hour]
        if age >= 0:
            self.values[hour] = 1.0 + self.values[hour] * KEPT**age
            self.days[hour] = day
        else:
            self.values[hour] += KEPT**-age

    def at(self, day: int, hour: int) -> float:
        return self.values[hour] * KEPT ** max(0, day - self.days[hour])


class Forecast:
    """Counts tasks by where, what and when, and says how many to expect.

    Args:
        zone: where the hours of the day are counted.
    """

    def __init__(self, clock: Clock, handling: Handling, zone: tzinfo = UTC) -> None:
        self._clock = clock
        self._handling = handling
        self._zone = zone
        self._counts: dict[tuple[PlaceId, Sort], _Aged] = {}
        self._like: dict[tuple[PlaceId, Sort], Spec] = {}
        self._since_s: float | None = None
        """When the first task was to begin."""

    def count(self, task: Task) -> None:
        """A task has been accepted; one that begins in the air is no concern."""
        if task.by_shifts:
            return
        place, at_s = stops_of(task, self._handling)[0].place, task.earliest_s
        if place is None:
            return
        self._since_s = at_s if self._since_s is None else min(self._since_s, at_s)
        key = place, sort_of(task.spec)
        self._counts.setdefault(key, _Aged()).add(*self._day_and_hour(at_s))
        self._like[key] = task.spec

    def expected(self) -> list[Expected]:
        """What is to come within the next hour or so; nothing that was never asked for."""
        now_s = self._clock.now_s()
        day, hour = self._day_and_hour(now_s + AHEAD_S)
        watched_h = self._watched_h(now_s)
        all_h = sum(watched_h) + PRIOR_H
        found: list[Expected] = []
        for (place, sort), counts in self._counts.items():
            mean = sum(counts.at(day, one) for one in range(24)) / all_h
            rate = (counts.at(day, hour) + PRIOR_H * mean) / (watched_h[hour] + PRIOR_H)
            like = self._like[place, sort]
            found.append(Expected(place=place, sort=sort, like=like, per_hour=rate))
        return found

    def _watched_h(self, now_s: float) -> list[float]:
        """For each hour of the day, the aged hours since the first task."""
        watched = [0.0] * 24
        if self._since_s is None:
            return watched
        today, _ = self._day_and_hour(now_s + AHEAD_S)
        end_s = now_s
        while end_s > self._since_s:
            day, hour = self._day_and_hour(end_s - 1e-3)
            if today - day >= DAYS:
                break
            begin_s = max(self._since_s, self._hour_begins_s(end_s - 1e-3))
            watched[hour] += KEPT ** (today - day) * (end_s - begin_s) / 3600
            end_s = begin_s
        return watched

    def _day_and_hour(self, at_s: float) -> tuple[int, int]:
        here = self._clock.to_utc(at_s).astimezone(self._zone)
        return here.toordinal(), here.hour

    def _hour_begins_s(self, at_s: float) -> float:
        here = self._clock.to_utc(at_s).astimezone(self._zone)
        return at_s - 60 * here.minute - here.second - here.microsecond / 1e6


def sort_of(spec: Spec) -> Sort:
    """The sort of a task."""
    match spec:
        case Delivery(goods=goods, by=by):
            return Sort(Kind.DELIVERY, goods, by)
        case Disinfection(method=method):
            return Sort(Kind.DISINFECTION, method)
        case _:
            return Sort(KIND_OF[type(spec)])


async def lately(store: Store, clock: Clock) -> Iterable[Task]:
    """The tasks of the last `DAYS` days, the oldest first."""
    since_s = clock.now_s() - DAYS * 86_400
    found: list[Task] = []
    cursor: int | None = None
    while len(found) < MOST_TASKS:
        page = await store.page(TaskQuery(limit=500, cursor=cursor))
        found += [task for task in page.tasks if task.created_s >= since_s]
        cursor = page.next
        if cursor is None or page.tasks[-1].created_s < since_s:
            break
    return reversed(found)
