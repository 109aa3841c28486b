"""Deliveries that no single vehicle can make, but a drone and a robot that meet at a pad."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from dispatcher.air.docks import Docks
from dispatcher.domain.eligibility import nearest_miss, why_not
from dispatcher.domain.stops import Handling, TaskStop, stops_of_spec
from dispatcher.domain.task import Delivery, Medicine, Spec, TaskId
from dispatcher.errors import FieldFault, Refused
from dispatcher.planning.reach import unreachable_stops, why_missed
from dispatcher.planning.spots import DETOUR, FLIGHT_OVERHEAD_S
from dispatcher.traffic.roadbook import RoadBook
from fleet.vehicle import Medium, VehicleSpec
from routing.handover import handovers
from routing.refusal import Refusal
from routing.site import PlaceId, Role, Site

AT_THE_PAD = "pad"
"""Who takes medicine at the end of a first leg; the recipient has it at the end of the second."""
NO_WAY = ("unreachable", "dock_of_another", "no_vehicles")
"""Why a pad is no place for a delivery to change over at all."""

Carried = Delivery | Medicine
FaultOf = Callable[[Refusal], FieldFault]


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """One delivery as two legs, and how long each takes at the best, handling included."""

    via: PlaceId
    legs: tuple[Carried, Carried]
    seconds: tuple[float, float] = (0.0, 0.0)
    faults: tuple[FieldFault, ...] = ()
    """Every reason why no vehicles of this site could make it so."""

    @property
    def leads_there(self) -> bool:
        """Whether vehicles get to all its places, whatever they may carry."""
        return not any(fault.reason.facts["why"] in NO_WAY for fault in self.faults)


class Joins:
    """Finds the pad for deliveries of two legs on one site.

    Args:
        specs: the vehicles that are given work, as they are now.
        fault_of: which field of a request a vehicle's reason is about, and what to send instead.
    """

    def __init__(
        self,
        site: Site,
        roads: RoadBook,
        docks: Docks,
        handling: Handling,
        specs: Callable[[], Sequence[VehicleSpec]],
        fault_of: FaultOf,
    ) -> None:
        self._site, self._roads, self._docks, self._handling = site, roads, docks, handling
        self._specs, self._fault_of = specs, fault_of
        self._handovers = handovers(site)

    @property
    def pads(self) -> Mapping[PlaceId, PlaceId]:
        """The pads where goods may change over, and where robots stand for that.

        A drone's own dock is none: no other drone may land there.
        """
        places = self._site.places
        return {
            pad: beside
            for pad, beside in self._handovers.items()
            if self._docks.owner(places[pad].node) is None
        }

    def through(self, spec: Carried, via: PlaceId) -> Join:
        """A delivery through a pad that a person has named.

        Raises:
            Refused: with which leg can't be made, and why.
        """
        if via not in self.pads:
            raise Refused([_no_change_over(via, list(self.pads))])
        found = sorted(self._all(spec, [via]), key=lambda one: len(one.faults))
        if not found:
            reason = Refusal("same_place", {"value": via})
            raise Refused([FieldFault("via", reason, "leave via out: it begins or ends there")])
        good = [one for one in found if one.leads_there] or found
        if good[0].faults:
            raise Refused(good[0].faults)
        return min((one for one in found if not one.faults), key=lambda one: sum(one.seconds))

    def best(self, spec: Carried) -> Join | None:
        """The quickest way over a pad; None = no pad leads there.

        Raises:
            Refused: one does, but no vehicle may carry that on one of its legs.
        """
        if isinstance(spec, Delivery) and spec.by is not None:
            return None
        found = [one for one in self._all(spec, list(self.pads)) if one.leads_there]
        good = [one for one in found if not one.faults]
        if not good and found:
            raise Refused(found[0].faults)
        return min(good, key=lambda one: sum(one.seconds), default=None)

    def _all(self, spec: Carried, pads: Sequence[PlaceId]) -> Iterator[Join]:
        """All ways to split a delivery; those whose drone starts from where it is asked first."""
        goals = spec.drop_offs if isinstance(spec, Delivery) else (spec.destination,)
        flies_first = Role.PAD in self._site.places[spec.origin].roles
        media = (Medium.AIR, Medium.GROUND)
        for pad in pads:
            for first, second in (media, media[::-1]) if flies_first else (media[::-1], media):
                flown = first is Medium.AIR
                end, start = (pad, self.pads[pad]) if flown else (self.pads[pad], pad)
                if spec.origin == end or start in goals:
                    continue
                legs = _first(spec, end, first), replace(spec, origin=start, by=second)
                judged = [self._judge(spec, n, leg) for n, leg in enumerate(legs, 1)]
                yield Join(
                    via=pad,
                    legs=legs,
                    seconds=(judged[0][1], judged[1][1]),
                    faults=(*judged[0][0], *judged[1][0]),
                )

    def _judge(self, whole: Carried, number: int, leg: Carried) -> tuple[list[FieldFault], float]:
        """Why no vehicle can make a leg, and how long the quickest one takes."""
        stops = stops_of_spec(TaskId(""), leg, self._handling)
        fleet = [s for s in self._specs() if s.medium is leg.by and "carry" in s.skills]
        sides = self._site, self._roads, self._docks
        missed = [(s, unreachable_stops(*sides, s, stops)) for s in fleet]
        there = [s for s, places in missed if not places]
        reasons = nearest_miss(why_not(leg, s) for s in there)
        if fleet and not there:
            nearest, places = min(missed, key=lambda each: len(each[1]))
            reasons = [why_missed(self._site, self._docks, nearest, places[0])]
        if reasons:
            field = self._field_of(whole, reasons[0])
            found = [self._of_leg(number, leg, stops, reason) for reason in reasons]
            return [replace(one, field=field or one.field) for one in found], 0.0
        able = (s for s in there if not why_not(leg, s))
        service_s = sum(stop.service_s for stop in stops)
        return [], service_s + min(self._travel_s(s, stops) for s in able)

    def _field_of(self, whole: Carried, reason: Refusal) -> str | None:
        """The field of a request that names a place where no vehicle gets to; None = another."""
        if reason.code not in ("unreachable", "dock_of_another"):
            return None
        goals = whole.drop_offs if isinstance(whole, Delivery) else (whole.destination,)
        place = reason.facts["value"]
        return "from" if place == whole.origin else "to" if place in goals else "via"

    def _of_leg(
        self, number: int, leg: Carried, stops: Sequence[TaskStop], reason: Refusal
    ) -> FieldFault:
        plain = self._fault_of(reason)
        facts = {
            **reason.facts,
            "why": reason.code,
            "leg": number,
            "medium": str(leg.by),
            "start": str(leg.origin),
            "goal": str(stops[-1].place),
        }
        return replace(plain, reason=Refusal("leg_impossible", facts))

    def _travel_s(self, spec: VehicleSpec, stops: Sequence[TaskStop]) -> float:
        """From the first of these stops to the last."""
        nodes = [self._site.places[s.place].node for s in stops if s.place is not None]
        if spec.medium is Medium.GROUND:
            roads = self._roads.when_open(spec)
            return sum(float(roads.times((a, b))[0][1]) for a, b in pairwise(nodes))
        points = [self._site.nodes[node].point for node in nodes]
        metres = sum(a.distance_m(b) for a, b in pairwise(points)) * DETOUR
        return metres / spec.speed_m_s + FLIGHT_OVERHEAD_S * (len(nodes) - 1)


def _first(spec: Carried, end: PlaceId, by: Medium) -> Carried:
    """The leg that ends at a pad, or beside it."""
    if isinstance(spec, Delivery):
        return replace(spec, drop_offs=(end,), by=by)
    return replace(spec, destination=end, recipient_role=AT_THE_PAD, by=by)


def carried(spec: Spec) -> Carried | None:
    """The same, if it is goods that are brought from one place to another."""
    return spec if isinstance(spec, Delivery | Medicine) else None


def _no_change_over(via: PlaceId, pads: Sequence[PlaceId]) -> FieldFault:
    reason = Refusal("no_change_over", {"value": via})
    known = f"send one of {', '.join(pads)}" if pads else "leave it out: this site has none"
    return FieldFault("via", reason, known)
