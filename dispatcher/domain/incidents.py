"""Incidents: what was called for, which drone went, and how far that has come."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from dispatcher.domain.task import Priority
from fleet.vehicle import VehicleId
from routing.geometry import Point
from routing.refusal import Refusal
from routing.site import PlaceId

IncidentId = NewType("IncidentId", str)


class Source(StrEnum):
    """Where a call comes from."""

    CALL = "call"
    """A dispatch system, or a person with its form."""
    OBSERVATION = "observation"
    """Something that a vehicle has seen."""
    MAP = "map"
    """A click on the console's map."""


class IncidentState(StrEnum):
    """How far help has come."""

    WAITING = "waiting"
    """No drone is on its way; ``reasons`` say why none could be sent, by drone."""
    SENT = "sent"
    ON_SCENE = "on_scene"
    OBSERVED = "observed"
    """A drone was there and has left; people may still be at work."""
    CLOSED = "closed"


NEXT: Mapping[IncidentState, frozenset[IncidentState]] = {
    IncidentState.WAITING: frozenset({IncidentState.SENT, IncidentState.CLOSED}),
    IncidentState.SENT: frozenset(
        {IncidentState.WAITING, IncidentState.ON_SCENE, IncidentState.CLOSED}
    ),
    IncidentState.ON_SCENE: frozenset({IncidentState.OBSERVED, IncidentState.CLOSED}),
    IncidentState.OBSERVED: frozenset({IncidentState.CLOSED}),
    IncidentState.CLOSED: frozenset(),
}
"""The legal moves. Who was on its way and did not get there is replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident as it stands now. All times are loop seconds.

    Args:
        external_id: the caller's own number; the same one again is the same incident.
        on_scene_s: how long a drone is wanted there.
        vehicle: which drone goes or went; kept after it has left.
        expected_s: when it should be there.
        promised: a drone that still charges and will be sent when it has enough.
        reasons: why the others can't, by drone, as of the last choice.
    """

    id: IncidentId
    external_id: str | None
    source: Source
    priority: Priority
    text: str
    at: Point
    place: PlaceId | None
    on_scene_s: float
    by: str
    reported_s: float
    state: IncidentState = IncidentState.WAITING
    vehicle: VehicleId | None = None
    sent_s: float | None = None
    expected_s: float | None = None
    arrived_s: float | None = None
    left_s: float | None = None
    closed_s: float | None = None
    closed_by: str | None = None
    notes: str = ""
    promised: VehicleId | None = None
    reasons: tuple[tuple[VehicleId, Refusal], ...] = ()

    @property
    def open(self) -> bool:
        """Whether people still deal with it."""
        return self.state is not IncidentState.CLOSED

    @property
    def engages(self) -> VehicleId | None:
        """The drone that is bound to it now."""
        bound = self.state in (IncidentState.SENT, IncidentState.ON_SCENE)
        return self.vehicle if bound else None
