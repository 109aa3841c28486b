"""Why a vehicle stands and does not drive, and for how long already."""

from dispatcher.traffic.blocker import blocker
from dispatcher.traffic.claim import Claim
from dispatcher.traffic.crew import Crew
from fleet.vehicle import VehicleId
from routing.refusal import Refusal
from routing.site import LiftId


class Waits:
    """Answers of one site's traffic."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew

    def reason(self, vehicle: VehicleId, now_s: float) -> Refusal | None:
        """Why a driving vehicle gets no further right of way; None = it has all it needs now."""
        claim, site = self._crew[vehicle].claim, self._crew.site
        if not claim.held_up:
            return None
        waited = round(self.waited_s(vehicle, now_s))
        shut_out = self._crew[vehicle].shut_out
        if shut_out is not None:
            return Refusal(shut_out.code, {**shut_out.facts, "waited_s": waited})
        stuck = self.blocker(vehicle)
        if stuck is not None:
            return Refusal("waits_for_stuck_vehicle", {"by": stuck, "waited_s": waited})
        holders = [] if claim.wish else self._crew.claims.holders(claim)
        resting = self._resting(claim)
        if resting is not None:
            return Refusal("waits_for_passengers", {"lift": resting, "waited_s": waited})
        if not holders:
            return Refusal("waits_for_safe_passage", {"waited_s": waited})
        edge = claim.edges[claim.granted]
        if edge.end in site.lift_at:
            lift = site.lift_at[edge.end].id
            return Refusal("waits_for_lift", {"lift": lift, "by": holders[0], "waited_s": waited})
        if edge.end in site.lock_at:
            lock = site.lock_at[edge.end].id
            return Refusal(
                "waits_for_air_lock", {"lock": lock, "by": holders[0], "waited_s": waited}
            )
        return Refusal("waits_for_vehicle", {"by": holders[0], "waited_s": waited})

    def _resting(self, claim: Claim) -> LiftId | None:
        """The lift that a vehicle is not let into, because people come first."""
        courtesy = self._crew.courtesy
        if courtesy is None or claim.wish:
            return None
        stretch = claim.edges[claim.granted : self._crew.claims.stretch(claim)]
        return courtesy.rests(stretch, others=self._crew.boarding.shares(claim, stretch[0].end))

    def waited_s(self, vehicle: VehicleId, now_s: float) -> float:
        """For how long a vehicle has had no right of way that it needs; 0 = it has all."""
        pilot = self._crew[vehicle]
        if not pilot.claim.held_up:
            return 0.0
        return now_s - (pilot.asked_s if pilot.claim.wish else pilot.since_s)

    def blocker(self, vehicle: VehicleId) -> VehicleId | None:
        """Who can't move and is why this vehicle waits, directly or over others."""
        claim = self._crew[vehicle].claim
        found = None if claim.stuck else blocker(self._crew.claims, claim)
        return None if found is None else found.vehicle
