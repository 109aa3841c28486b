"""The way in for requests: text that nobody has checked becomes the facts of a task.

`parse` judges a request by itself, `to_task_fields` against the site and the clock. Both say
everything that is wrong, field by field, never only the first thing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from dispatcher.config import DispatchConfig
from dispatcher.desks.intake_faults import faults_of, nearest
from dispatcher.desks.task_in import (
    MODELS,
    AnyTaskIn,
    DeliveryIn,
    DisinfectionIn,
    MedicineIn,
    PatrolIn,
    TaskIn,
)
from dispatcher.domain.task import Delivery, Disinfection, Medicine, Method, Patrol, Priority, Spec
from dispatcher.errors import FieldFault, Refused
from fleet.clock import Clock
from routing.air.drawn import DrawnArea, area_faults, from_geojson, from_metres
from routing.refusal import Fact, Refusal
from routing.site import AirKind, AirspaceId, PlaceId, Site

FieldFaults = list[FieldFault]
"""A request that can't be read, with every reason."""

FARTHEST_S = 366 * 24 * 3600.0
"""How far ahead a task may be asked for."""
_NOWHERE = DrawnArea(outline=())
_ANY: TypeAdapter[TaskIn] = TypeAdapter(AnyTaskIn)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFields:
    """All of a new task but its id, state and history; times are loop seconds."""

    spec: Spec
    priority: Priority
    earliest_s: float
    due_s: float
    requester: str
    note: str
    via: PlaceId | None = None
    """The pad over which goods go in two legs; None = as is best."""


def parse(data: object) -> TaskIn | FieldFaults:
    """A request as people send it (plain JSON values), or everything that is wrong with it."""
    try:
        return _ANY.validate_python(data)
    except ValidationError as error:
        return faults_of(error, MODELS)


def to_task_fields(asked: TaskIn, site: Site, clock: Clock, config: DispatchConfig) -> TaskFields:
    """A request in the program's words: ids of this site, grams, loop seconds, defaults filled in.

    Raises:
        Refused: it names what the site doesn't have, or a time that can't be kept.
    """
    reading = _Reading(site, clock, config)
    spec = reading.spec(asked)
    via = reading.via(asked)
    earliest_s, due_s = reading.window(asked)
    if reading.faults or spec is None:
        raise Refused(reading.faults)
    return TaskFields(
        spec=spec,
        priority=asked.priority,
        earliest_s=earliest_s,
        due_s=due_s,
        requester=asked.requester,
        note=asked.note,
        via=via,
    )


class _Reading:
    """One request being read; collects what is wrong with it."""

    def __init__(self, site: Site, clock: Clock, config: DispatchConfig) -> None:
        self._site = site
        self._clock = clock
        self._config = config
        self.faults: FieldFaults = []

    def spec(self, asked: TaskIn) -> Spec | None:
        match asked:
            case DeliveryIn():
                return self._delivery(asked)
            case MedicineIn():
                return self._medicine(asked)
            case PatrolIn():
                return self._patrol(asked)
            case DisinfectionIn():
                return Disinfection(
                    room=self._place("room", asked.room),
                    method=asked.method,
                    dose_mj_cm2=asked.dose_mj_cm2,
                    duration_s=self._disinfection_s(asked),
                )

    def via(self, asked: TaskIn) -> PlaceId | None:
        if not isinstance(asked, DeliveryIn | MedicineIn) or asked.via is None:
            return None
        if isinstance(asked, DeliveryIn) and asked.by is not None:
            self._fault("by", "via_and_by", {}, "leave by out: one leg is flown, the other driven")
        return self._place("via", asked.via)

    def window(self, asked: TaskIn) -> tuple[float, float]:
        now_s = self._clock.now_s()
        earliest_s = now_s
        if asked.earliest_at is not None:
            earliest_s = max(now_s, self._clock.to_loop(asked.earliest_at))
            self._not_too_far("earliest_at", earliest_s, now_s)
        end, field = asked.due_at, "due_at"
        if isinstance(asked, PatrolIn) and asked.until is not None:
            end, field = asked.until, "until"
        if end is None:
            return earliest_s, earliest_s + self._config.due_s.of(asked.priority)
        due_s = self._clock.to_loop(end)
        self._not_too_far(field, due_s, now_s)
        value = end.isoformat()
        if due_s <= now_s:
            facts = {"value": value, "now": self._clock.now().isoformat(timespec="seconds")}
            self._fault(field, "in_the_past", facts, "send a moment that is still to come")
        elif due_s <= earliest_s:
            self._fault(field, "window_empty", {"value": value}, "send one after earliest_at")
        return earliest_s, due_s

    def _delivery(self, asked: DeliveryIn) -> Delivery:
        origin = self._place("from", asked.origin)
        drop_offs = tuple(self._place(f"to.{n}", place) for n, place in enumerate(asked.to))
        for n, place in enumerate(drop_offs):
            if place == origin:
                self._fault(f"to.{n}", "same_place", {"value": place}, "send another place")
            elif place in drop_offs[:n]:
                self._fault(f"to.{n}", "named_twice", {"value": place}, "name each place once")
        return Delivery(
            item=asked.item,
            goods=asked.goods,
            origin=origin,
            drop_offs=drop_offs,
            mass_g=_thousandths(asked.mass_kg),
            volume_ml=_thousandths(asked.volume_l),
            by=asked.by,
        )

    def _medicine(self, asked: MedicineIn) -> Medicine | None:
        origin = self._pharmacy() if asked.origin is None else self._place("from", asked.origin)
        destination = self._place("to", asked.to)
        if origin is None:
            remedy = "name the place where it is fetched: this site has no pharmacy"
            self._fault("from", "missing", {}, remedy)
            return None
        if origin == destination:
            self._fault("to", "same_place", {"value": asked.to}, "send another place")
        return Medicine(
            item=asked.item,
            origin=origin,
            destination=destination,
            recipient_role=asked.recipient_role,
            mass_g=_thousandths(asked.mass_kg),
            volume_ml=_thousandths(asked.volume_l),
            controlled=asked.controlled,
        )

    def _patrol(self, asked: PatrolIn) -> Patrol:
        return Patrol(
            area=None if asked.area is None else self._area(asked.area),
            points=tuple(self._place(f"points.{n}", p) for n, p in enumerate(asked.points)),
            rounds=asked.rounds,
            dwell_s=asked.dwell_s,
            drawn=self._drawn(asked),
            by=asked.by,
            order=asked.order,
            revisit_s=asked.revisit_s,
        )

    def _drawn(self, asked: PatrolIn) -> DrawnArea | None:
        frame = self._site.frame
        if asked.outline is not None:
            field, (area, faults) = "outline", from_metres([asked.outline], frame)
        elif asked.geojson is not None:
            field, (area, faults) = "geojson", from_geojson(asked.geojson.coordinates, frame)
        else:
            return None
        for fault in faults or area_faults(area or _NOWHERE, self._site):
            self._fault(field, fault.code, fault.facts, fault.remedy)
        return area

    def _disinfection_s(self, asked: DisinfectionIn) -> float:
        if asked.method is Method.SPRAY:
            return self._config.spray_s
        return asked.dose_mj_cm2 * self._config.uv_c_s_per_mj_cm2

    def _place(self, field: str, name: str) -> PlaceId:
        place = PlaceId(name)
        if place not in self._site.places:
            remedy = nearest(name, list(self._site.places))
            self._fault(field, "unknown_place", {"value": name}, f"send a place's id; {remedy}")
        return place

    def _area(self, name: str) -> AirspaceId:
        area = AirspaceId(name)
        areas = [a.id for a in self._site.airspaces.values() if a.kind is AirKind.PATROL]
        if area not in areas:
            remedy = nearest(name, areas) if areas else "this site has none"
            self._fault("area", "unknown_area", {"value": name}, f"send an area's id; {remedy}")
        return area

    def _pharmacy(self) -> PlaceId | None:
        return next((p.id for p in self._site.places.values() if p.kind == "pharmacy"), None)

    def _not_too_far(self, field: str, at_s: float, now_s: float) -> None:
        if at_s > now_s + FARTHEST_S:
            facts = {"limit_days": round(FARTHEST_S / 86400)}
            self._fault(field, "too_far_ahead", facts, "send a moment within a year from now")

    def _fault(self, field: str, code: str, facts: Mapping[str, Fact], remedy: str) -> None:
        self.faults.append(FieldFault(field, Refusal(code, facts), remedy))


def _thousandths(amount: float) -> int:
    """Kilograms as whole grams, litres as whole millilitres; rounded up, noise apart."""
    return math.ceil(round(amount * 1000, 3))
