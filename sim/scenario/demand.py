"""Demand: what people will ask for and when, drawn by seeded chance.

Each line of the scenario has its own stream, so that adding one changes no other, and a longer
run begins with just the shorter one's requests.
"""

import json
import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from dispatcher.domain.eligibility import why_not
from dispatcher.domain.task import Priority, VisitOrder
from fleet.vehicle import VehicleSpec
from routing.site import Place, Site, Zone
from sim.moments import DAY_S, within
from sim.scenario.config import Scenario
from sim.scenario.demand_checks import flexible
from sim.scenario.demand_rows import (
    DeliveryRow,
    DemandRow,
    DisinfectionRow,
    MedicineRow,
    PatrolRow,
    WhereFile,
)
from sim.scenario.where import Reach, areas, candidates, sample

QUIET_END = 1 / 6
"""Share of a run in which a ``total`` asks for nothing more, so that it can come to an end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One request: when it is made, and what the API is sent.

    Args:
        at_s: seconds after the start.
        request: a TaskIn as JSON values.
        stream: the line of demand that it comes from.
    """

    at_s: float
    request: dict[str, Any]
    stream: str


def demand(config: Scenario, site: Site, *, seed: int) -> list[Order]:
    """All that is asked for in one run, in the order of time.

    The same scenario, site and seed give the same list.
    """
    vehicles = [vehicle.to_spec() for vehicle in config.vehicles]
    reach = Reach(site, vehicles)
    orders: list[Order] = []
    for stream, row in zip(streams(config.demand), config.demand, strict=True):
        able = [v for v in vehicles if not why_not(sample(row), v)]
        chooser = _Chooser(row, site, able, reach) if flexible(row) else _Chooser(row, site)
        drawing = random.Random(f"{seed}:{stream}:what")
        for at_s in _times(row, config, random.Random(f"{seed}:{stream}:when")):
            asked = chooser.request(drawing)
            if asked is not None:
                request = {**asked, **_window(row, asked["priority"], config, at_s)}
                orders.append(Order(at_s=round(at_s, 3), request=request, stream=stream))
    return sorted(orders, key=lambda order: (order.at_s, order.stream))


def streams(rows: Sequence[DemandRow]) -> list[str]:
    """A name for each line: its own, or what it says; equal ones are numbered."""
    seen: Counter[str] = Counter()
    names: list[str] = []
    for row in rows:
        content = row.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        name = row.name or f"{row.kind}:{json.dumps(content, sort_keys=True)}"
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return names


def _times(row: DemandRow, config: Scenario, chance: random.Random) -> Iterable[float]:
    start = config.start
    midnight_s = start.hour * 3600.0 + start.minute * 60.0 + start.second
    if row.per_day is not None:
        times = _drawn(row.per_day * config.load, row.weights, midnight_s, config, chance)
    elif row.total is not None:
        busy_s = min(row.within or math.inf, config.duration_s * (1 - QUIET_END))
        many = round(row.total * config.load)
        times = iter(sorted(chance.uniform(0.0, busy_s) for _ in range(many)))
    else:
        times = _timetable(row, midnight_s, config.duration_s)
    return (t for t in times if within(row.between, (t + midnight_s) % DAY_S))


def _drawn(
    per_day: float,
    weights: Sequence[float],
    midnight_s: float,
    config: Scenario,
    chance: random.Random,
) -> Iterator[float]:
    """A Poisson process with an hourly rate, by thinning (Lewis and Shedler, 1979)."""
    busiest = per_day * max(weights) / sum(weights) / 3600.0
    if busiest <= 0:
        return
    at_s = chance.expovariate(busiest)
    while at_s < config.duration_s:
        hour = int((at_s + midnight_s) % DAY_S // 3600)
        if chance.random() * max(weights) < weights[hour]:
            yield at_s
        at_s += chance.expovariate(busiest)


def _timetable(row: DemandRow, midnight_s: float, duration_s: float) -> Iterator[float]:
    offset_s = row.offset or 0.0
    day_s = -midnight_s
    while day_s < duration_s:
        if row.every is not None:
            many = int(DAY_S / row.every + 1e-9) or 1
            moments = [offset_s + number * row.every for number in range(many)]
        else:
            moments = [offset_s + clock for clock in sorted(row.at or ())]
        yield from (t for m in moments if 0 <= (t := day_s + m) < duration_s)
        day_s += max(DAY_S, row.every or 0.0)


def _window(row: DemandRow, priority: str, config: Scenario, at_s: float) -> dict[str, Any]:
    if isinstance(row, PatrolRow) and row.lasts is not None:
        return {"until": (config.start + timedelta(seconds=at_s + row.lasts)).isoformat()}
    due_s = row.due.get(Priority(priority))
    if due_s is None:
        return {}
    return {"due_at": (config.start + timedelta(seconds=at_s + due_s)).isoformat()}


class _Chooser:
    """Fills in one line of demand by chance.

    Args:
        able: given for lines that say ``any``: the vehicles that could do it.
    """

    def __init__(
        self,
        row: DemandRow,
        site: Site,
        able: Sequence[VehicleSpec] | None = None,
        reach: Reach | None = None,
    ) -> None:
        self._row = row
        self._site = site
        self._able = able
        self._reach = reach

    def request(self, chance: random.Random) -> dict[str, Any] | None:
        """One request without its times; None if nobody could do any like it."""
        vehicle = None
        if self._able is not None:
            if not self._able:
                return None
            vehicle = chance.choice(self._able)
        row = self._row
        asked: dict[str, Any] = {"kind": row.kind.value}
        asked["priority"] = _weighted(chance, row.priority).value
        match row:
            case DeliveryRow():
                places = self._carry(row.origin, row.to, row.drops, vehicle, chance)
                found = self._delivery(row, places, chance)
            case MedicineRow():
                places = self._carry(row.origin, row.to, 1, vehicle, chance)
                found = self._medicine(row, places, chance)
            case PatrolRow():
                found = self._patrol(row, vehicle, chance)
            case DisinfectionRow():
                found = self._disinfection(row, self._fitting(row.room, vehicle), chance)
        if found is None:
            return None
        if row.requester:
            asked["requester"] = row.requester
        return {**asked, **found}

    def _delivery(
        self, row: DeliveryRow, places: list[Place], chance: random.Random
    ) -> dict[str, Any] | None:
        if not places:
            return None
        item = chance.choice(row.item) if row.item else row.goods.value.replace("_", " ")
        found: dict[str, Any] = {
            "item": item[0].upper() + item[1:],
            "goods": row.goods.value,
            "from": places[0].id,
            "to": [place.id for place in places[1:]],
            "mass_kg": round(chance.uniform(*row.mass_kg), 2),
            "volume_l": round(chance.uniform(*row.volume_l), 1),
        }
        return found if row.by is None else {**found, "by": row.by.value}

    def _medicine(
        self, row: MedicineRow, places: list[Place], chance: random.Random
    ) -> dict[str, Any] | None:
        if not places:
            return None
        return {
            "item": chance.choice(row.item),
            "from": places[0].id,
            "to": places[1].id,
            "mass_kg": round(chance.uniform(*row.mass_kg), 2),
            "recipient_role": row.recipient_role,
            "controlled": chance.random() < row.controlled,
        }

    def _patrol(
        self, row: PatrolRow, vehicle: VehicleSpec | None, chance: random.Random
    ) -> dict[str, Any] | None:
        more: dict[str, Any] = {"rounds": row.rounds, "dwell_s": row.dwell_s}
        if row.by is not None:
            more["by"] = row.by.value
        if row.order is not VisitOrder.GIVEN:
            more["order"] = row.order.value
        if row.revisit is not None:
            more["revisit_s"] = row.revisit
        if row.points is None:
            known = areas(row, self._site)
            return {"area": chance.choice(known), **more} if known else None
        points = self._fitting(row.points, vehicle)
        if row.stops is not None:
            points = chance.sample(points, min(row.stops, len(points)))
        return {"points": [point.id for point in points], **more} if points else None

    def _disinfection(
        self, row: DisinfectionRow, rooms: list[Place], chance: random.Random
    ) -> dict[str, Any] | None:
        if not rooms:
            return None
        room = chance.choice(rooms).id
        return {"room": room, "method": row.method.value, "dose_mj_cm2": row.dose_mj_cm2}

    def _carry(
        self,
        origin: WhereFile,
        to: WhereFile,
        drops: int,
        vehicle: VehicleSpec | None,
        chance: random.Random,
    ) -> list[Place]:
        """Where from and where to, all different; empty if that can't be had."""
        sources = self._fitting(origin, vehicle)
        targets = self._fitting(to, vehicle)
        if not sources:
            return []
        source = chance.choice(sources)
        others = [place for place in targets if place.node != source.node]
        if vehicle is not None:  # goods are not taken into a cleaner zone by accident
            others = [place for place in others if self._zone(place) >= self._zone(source)]
        if len(others) < drops:
            return []
        return [source, *chance.sample(others, drops)]

    def _zone(self, place: Place) -> Zone:
        return self._site.nodes[place.node].zone

    def _fitting(self, where: WhereFile, vehicle: VehicleSpec | None) -> list[Place]:
        if vehicle is None or self._reach is None:
            return candidates(where, self._site)
        return candidates(where, self._site, self._reach.places(vehicle))


def _weighted(chance: random.Random, weights: dict[Priority, float]) -> Priority:
    return chance.choices(list(weights), list(weights.values()))[0]
