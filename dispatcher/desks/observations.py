"""What vehicles' cameras and sensors see on their way: kept, and an incident where it is wanted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from dispatcher.desks.incident_desk import IncidentDesk
from dispatcher.desks.incidents_in import ON_SCENE_S, IncidentIn, Where, spot_of
from dispatcher.desks.intake_faults import nearest
from dispatcher.desks.task_in import Note, Number, Word
from dispatcher.domain.incidents import IncidentId, Source
from dispatcher.domain.task import Priority, TaskId
from dispatcher.errors import FieldFault, Refused
from dispatcher.records.journal import Event, Journal
from dispatcher.records.store import Store
from fleet.roster import Roster
from fleet.vehicle import VehicleId
from routing.geometry import Point
from routing.refusal import Refusal
from routing.site import PlaceId, Site

OBSERVED = "observed"
"""The event that an observation is in the journal."""


class Sight(StrEnum):
    """What can be seen."""

    CROWD = "crowd"
    """``value`` = how many people."""
    TEMPERATURE = "temperature"
    """``value`` = degrees Celsius."""
    OPEN_DOOR = "open_door"
    NO_MASK = "no_mask"
    OTHER = "other"


class ObservationIn(Where):
    """One thing seen: by the program that looks at a vehicle's pictures, or by a person.

    Without a place it is where its vehicle is.
    """

    external_id: Word | None = None
    """The sender's own number; with it no incident is reported twice."""
    what: Sight
    vehicle: Word | None = None
    text: Note = ""
    value: Number | None = None
    media: Annotated[str, Field(max_length=2000)] = ""
    """Where the picture or film is kept: any address; nothing is fetched."""
    incident: bool = False
    """Have help sent there."""
    priority: Priority = Priority.URGENT
    """Of the incident."""
    on_scene_s: Annotated[Number, Field(gt=0, le=7200)] = ON_SCENE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One thing seen. ``number`` is that of its event, ``at_s`` a loop second.

    Args:
        task: the patrol, or what else its vehicle was at.
    """

    number: int
    at_s: float
    what: Sight
    vehicle: VehicleId | None
    task: TaskId | None
    at: Point
    place: PlaceId | None
    text: str
    value: float | None
    media: str
    incident: IncidentId | None


class ObservationDesk:
    """Takes observations; each is an event of the task that its vehicle is at.

    Args:
        at_work: what a vehicle is at.
    """

    def __init__(
        self,
        site: Site,
        journal: Journal,
        store: Store,
        roster: Roster,
        at_work: Callable[[VehicleId], TaskId | None],
        incidents: IncidentDesk,
    ) -> None:
        self._site, self._journal, self._store = site, journal, store
        self._roster, self._at_work, self._incidents = roster, at_work, incidents

    async def report(self, asked: ObservationIn) -> Observation:
        """Write down what was seen, and report an incident if that is wanted.

        Raises:
            Refused: with every reason; nothing is kept.
        """
        vehicle = self._vehicle(asked)
        at = self._spot(asked, vehicle)
        incident = await self._report(asked, at, vehicle) if asked.incident else None
        event = self._journal.event(
            OBSERVED,
            task=None if vehicle is None else self._at_work(vehicle),
            vehicle=vehicle,
            what=asked.what,
            x_m=round(at.x_m, 2),
            y_m=round(at.y_m, 2),
            place=asked.place,
            text=asked.text,
            value=asked.value,
            media=asked.media,
            incident=incident,
        )
        await self._store.commit(events=[event])
        return observation_of(event)

    async def latest(self, limit: int) -> list[Observation]:
        """The newest first."""
        return [observation_of(event) for event in await self._store.latest_of(OBSERVED, limit)]

    def _vehicle(self, asked: ObservationIn) -> VehicleId | None:
        known = [vehicle.spec.id for vehicle in self._roster]
        if asked.vehicle is None or asked.vehicle in known:
            return None if asked.vehicle is None else VehicleId(asked.vehicle)
        reason = Refusal("unknown_vehicle", {"value": asked.vehicle})
        remedy = f"send a vehicle of this site; {nearest(asked.vehicle, known)}"
        raise Refused([FieldFault("vehicle", reason, remedy)])

    def _spot(self, asked: ObservationIn, vehicle: VehicleId | None) -> Point:
        if vehicle is not None and not asked.given:
            position = self._roster[vehicle].state().position
            if position is not None:
                return position.point
        return spot_of(self._site, asked)

    async def _report(
        self, asked: ObservationIn, at: Point, vehicle: VehicleId | None
    ) -> IncidentId:
        by = vehicle or "observation"
        said = " ".join(word for word in (asked.what.value, asked.text) if word)
        call = IncidentIn(
            external_id=asked.external_id,
            source=Source.OBSERVATION,
            priority=asked.priority,
            text=said,
            x_m=at.x_m,
            y_m=at.y_m,
            on_scene_s=asked.on_scene_s,
            by=by,
        )
        incident = await self._incidents.report(call)
        if asked.media:
            await self._incidents.note(incident.id, asked.media, by)
        return incident.id


def observation_of(event: Event) -> Observation:
    """The observation that an event holds."""
    facts: Mapping[str, Any] = event.facts
    return Observation(
        number=event.seq,
        at_s=event.at_s,
        what=Sight(facts["what"]),
        vehicle=event.vehicle,
        task=event.task,
        at=Point(facts["x_m"], facts["y_m"]),
        place=facts["place"],
        text=facts["text"],
        value=facts["value"],
        media=facts["media"],
        incident=facts["incident"],
    )
