"""Whom to send to an incident: how every drone stands now, and the first who can help."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dispatcher.domain.incidents import Incident, IncidentId
from dispatcher.work.worker import Worker
from fleet.vehicle import VehicleId
from routing.air.response import Answer, Scene, Trip, choose
from routing.errors import Unreachable
from routing.refusal import Refusal

LEAST_S = 60.0
"""So long a drone must be able to stay, if so long is asked for."""
AT_ONCE_S = 1.0
"""Who can leave within this is sent; who needs longer to charge is promised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One who could help: when it would be there, in seconds from the call."""

    vehicle: VehicleId
    arrives_s: float
    on_scene_s: float
    in_flight: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of a choice.

    Args:
        promised: the first to arrive still charges.
    """

    best: Sent | None
    promised: VehicleId | None
    others: tuple[Sent, ...]
    reasons: tuple[tuple[VehicleId, Refusal], ...]


@dataclass(slots=True)
class IncidentChoice:
    """Chooses among the drones of a site."""

    workers: Mapping[VehicleId, Worker]
    others: dict[IncidentId, tuple[Sent, ...]] = field(
        default_factory=dict[IncidentId, tuple[Sent, ...]]
    )

    def of(self, incident: Incident, bound: Mapping[VehicleId, IncidentId]) -> Found:
        """The first to arrive whose air is free, and why nobody else.

        Args:
            bound: drones that are on their way to an incident, or there.
        """
        helpers = {id_: w.helper for id_, w in self.workers.items() if w.helper is not None}
        asked = [
            helper.responder(incident.at, self._why_not(id_, incident, bound))
            for id_, helper in helpers.items()
        ]
        least_s = min(LEAST_S, incident.on_scene_s)
        scene = Scene(at=incident.at, on_scene_s=incident.on_scene_s, least_s=least_s)

        def trip(vehicle: str) -> Trip:
            return helpers[VehicleId(vehicle)].trip(incident.at)

        found = choose(scene, asked, trip)
        flying = {drone.id for drone in asked if drone.launch_s == 0}
        reasons = [(VehicleId(id_), reason) for id_, reason in found.refused]
        best, others = None, [_sent(answer, flying) for answer in found.able]
        promised = None
        for answer in found.able:
            vehicle = VehicleId(answer.id)
            if answer.leaves_s > AT_ONCE_S:
                promised = promised or vehicle
                reasons.append((vehicle, Refusal("charging", {"for_s": round(answer.leaves_s)})))
                continue
            try:
                hindered = helpers[vehicle].hindered_by(incident)
            except Unreachable:
                hindered = Refusal("no_way_through_the_air", {"vehicle": vehicle})
            if hindered is None:
                best = _sent(answer, flying)
                break
            reasons.append((vehicle, hindered))
        rest = tuple(other for other in others if best is None or other.vehicle != best.vehicle)
        self.others[incident.id] = rest
        while len(self.others) > 100:
            del self.others[next(iter(self.others))]
        return Found(
            best=best,
            promised=None if best is not None else promised,
            others=rest,
            reasons=tuple(reasons),
        )

    def _why_not(
        self, vehicle: VehicleId, incident: Incident, bound: Mapping[VehicleId, IncidentId]
    ) -> Refusal | None:
        if vehicle in bound:
            return Refusal("answers_incident", {"incident": bound[vehicle]})
        return self.workers[vehicle].why_not_help(incident.priority)


def _sent(answer: Answer, flying: set[str]) -> Sent:
    return Sent(
        vehicle=VehicleId(answer.id),
        arrives_s=answer.arrives_s,
        on_scene_s=answer.on_scene_s,
        in_flight=answer.id in flying,
    )
