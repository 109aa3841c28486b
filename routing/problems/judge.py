"""What is wrong with a journey: every rule of the problem, one by one.

Windows, shift, range, energy, breaks and capacity bind a slot only as long as it has something
that could still be refused; what is on board or promised is carried out, late or not.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from routing.problems.timetable import Charge, Journey, Plug, Rules
from routing.roads.paths import UNREACHABLE_S


@dataclass(frozen=True, slots=True)
class PlanFault:
    """The first thing that is wrong with a plan: a bug of the solver that made it."""

    code: str
    what: str

    def __str__(self) -> str:
        return f"{self.code}: {self.what}"


def malformed(charges: Sequence[Charge], visits: int, chargers: int) -> str | None:
    """What is wrong with a slot's row of charges as such; None = they can be driven to."""
    spots = [charge.before for charge in charges]
    if any(one >= other for one, other in pairwise(spots)):
        return f"its charges are not in order, or two before one visit: {spots}"
    for charge in charges:
        if not 0 <= charge.before <= visits:
            return f"{charge} is before none of its {visits} visits, nor after the last"
        if not 0 <= charge.charger < chargers:
            return f"{charge} is at a charger that isn't there"
        if charge.charge_s < 0 or charge.wait_s < 0:
            return f"{charge} takes less than no time"
    return None


def faults_of(journey: Journey) -> Iterator[PlanFault]:
    """What is wrong with one slot's journey."""
    yield from _order_faults(journey)
    if journey.no_way:
        yield PlanFault("unreachable", f"{journey.slot.id} has a leg without a way")
    yield from _visit_faults(journey)
    yield from _goods_faults(journey)
    for plug in journey.plugs:
        yield from _plug_faults(journey, plug)
    if any(row.visit.request not in journey.rules.problem.bound for row in journey.rows):
        yield from _route_faults(journey)


def crowd_faults(rules: Rules, journeys: Iterable[Journey]) -> Iterator[PlanFault]:
    """Chargers at which more vehicles are plugged in at a time than there are places.

    A place that is handed over at one second is free for the next vehicle in that same second.
    """
    changes: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for journey in journeys:
        for plug in journey.plugs:
            changes[plug.charge.charger] += [(plug.to_s, -1), (plug.from_s, 1)]
    for index, moments in changes.items():
        charger = rules.problem.chargers[index]
        plugged = len(charger.free_s)
        for at_s, change in sorted([*moments, *((free_s, -1) for free_s in charger.free_s)]):
            plugged += change
            if change > 0 and plugged > charger.places:
                yield PlanFault("places", f"{plugged} are at charger {index} at {at_s} s")


def _order_faults(journey: Journey) -> Iterator[PlanFault]:
    """It begins as it was told (unless that is left out), and makes each request in its order."""
    slot = journey.slot
    route = [row.visit for row in journey.rows]
    made: dict[str, list[int]] = {}
    for visit in route:
        made.setdefault(visit.request, []).append(visit.stop)
    promised = [visit for visit in slot.committed if visit.request in made]
    if route[: len(promised)] != promised:
        yield PlanFault("committed", f"{slot.id} does not begin as it was told")
    for row in journey.rows:
        request = journey.rules.request(row.visit)
        stops = made[request.id]
        pickup_first = stops[0] == 0 or request.aboard is not None
        if not pickup_first or (request.fixed_order and stops != sorted(stops)):
            yield PlanFault("order", f"{slot.id} makes {request.id} as {stops}")


def _visit_faults(journey: Journey) -> Iterator[PlanFault]:
    """Windows and capacity, for what could still be refused."""
    slot, bound = journey.slot, journey.rules.problem.bound
    for row in journey.rows:
        if row.visit.request in bound:
            continue
        stop = journey.rules.stop(row.visit)
        if stop.latest_s is not None and row.start_s > stop.latest_s:
            yield PlanFault("window", f"{slot.id} begins {row.visit} at {row.start_s} s")
        pairs = zip(row.load, slot.capacity, stop.load, strict=True)
        if any(load > limit and more > 0 for load, limit, more in pairs):
            yield PlanFault("capacity", f"{slot.id} holds {row.load} after {row.visit}")


def _goods_faults(journey: Journey) -> Iterator[PlanFault]:
    """Goods that may not follow have a wash in between, those that may not share never meet."""
    for visit in journey.unwashed:
        yield PlanFault(
            "unwashed", f"{journey.slot.id} comes to {visit} and can't be washed before"
        )
    for visit in journey.unshared:
        yield PlanFault("share", f"{journey.slot.id} may not take {visit} to what is on board")


def _plug_faults(journey: Journey, plug: Plug) -> Iterator[PlanFault]:
    """It may charge here and now, as much as it does: a second's worth past full is rounding."""
    rules, slot, battery = journey.rules, journey.slot, journey.slot.battery
    index = plug.charge.charger
    where = f"{slot.id} at charger {index} at {plug.from_s} s"
    if index not in rules.chargers[journey.number]:
        yield PlanFault("charger", f"{where}: it may not charge there")
    if plug.goods_on_board and not rules.problem.charge_loaded:
        yield PlanFault("loaded", f"{where}: it has goods on board")
    if battery is None or plug.had_j is None or plug.has_j is None:
        yield PlanFault("no_battery", f"{where}: it has no battery")
        return
    past_full_j = plug.had_j + plug.charge.charge_s * battery.charge_j_s - battery.capacity_j
    if past_full_j > battery.charge_j_s:
        yield PlanFault("overcharged", f"{where}: {past_full_j} J more than it can hold")
    if rules.problem.chargers[index].full and plug.has_j < battery.capacity_j:
        yield PlanFault("not_full", f"{where}: it leaves with {plug.has_j} J, and must be full")


def _route_faults(journey: Journey) -> Iterator[PlanFault]:
    """Limits of a route that has something which could still be refused."""
    slot = journey.slot
    if slot.shift_end_s is not None and journey.at_s > slot.shift_end_s:
        yield PlanFault("shift", f"{slot.id} ends at {journey.at_s} s")
    if slot.range_m is not None and journey.driven_m > slot.range_m:
        yield PlanFault("range", f"{slot.id} drives {journey.driven_m} m")
    for pause, at_s in journey.breaks:
        if at_s > pause.latest_s:
            yield PlanFault("break", f"{slot.id} begins {pause} at {at_s} s")
    if slot.battery is not None and journey.energy_j is not None:
        if journey.lowest_j < slot.battery.reserve_j:
            yield PlanFault("energy", f"{slot.id} comes down to {journey.lowest_j} J")
        last_m = _way_to_charger_m(journey)
        if last_m is None:
            yield PlanFault("energy", f"{slot.id} ends where there is no way to a charger")
        elif journey.energy_j - last_m * slot.battery.per_m_j < slot.battery.reserve_j:
            yield PlanFault("energy", f"{slot.id} ends {last_m} m from a charger with too little")


def _way_to_charger_m(journey: Journey) -> int | None:
    """From where the route ends to the nearest charger; 0 if none is needed, None = no way.

    None is needed at a slot's ``end``, or where there is none that it may use.
    """
    chargers = journey.rules.chargers[journey.number]
    if journey.slot.end is not None or not chargers:
        return 0
    metres = journey.profile.metres[journey.node]
    nearest_m = min(metres[journey.rules.problem.chargers[index].node] for index in chargers)
    return nearest_m if nearest_m < UNREACHABLE_S else None
