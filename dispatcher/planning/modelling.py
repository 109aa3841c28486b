"""Tasks and fleet as they are now, put as a `routing.problems.problem.Problem`."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from dispatcher.air.docks import Docks
from dispatcher.domain.hygiene import SHARING, Hygiene, goods_of, may_follow, may_share
from dispatcher.domain.stops import Handling, TaskStop, on_board, stops_of
from dispatcher.domain.task import Delivery, Disinfection, Goods, Medicine, Task
from dispatcher.domain.urgency import DROP_PENALTY, LATE_WEIGHT, PRESSING, lifted
from dispatcher.planning.free import Free, battery_of, lasts
from dispatcher.planning.shortlist import Shortlist
from dispatcher.planning.spots import Spots
from dispatcher.traffic.chargers import Chargers
from dispatcher.traffic.kinds import rules_of
from dispatcher.traffic.roadbook import RoadBook
from fleet.vehicle import Medium, VehicleId
from routing.problems.problem import (
    LARGEST,
    Charger,
    GoodsRules,
    Problem,
    Request,
    Slot,
    Stop,
)
from routing.roads.paths import Rules
from routing.site import PlaceId, Site

SHARES = 4
"""How many tasks whose goods may share a vehicle it takes at once; others want it alone."""
USABLE = 0.7
"""Share of the energy above the reserve that a plan spends on driving; the rest is for waiting."""
HOLDS_S = 1800.0
"""How long somebody is taken to stay at a charger who can't work: it charges, or is broken."""

CLASSES = tuple(Goods)
"""The rows of `GOODS`."""
GOODS = GoodsRules(
    follow=tuple(tuple(may_follow(before, after) for after in CLASSES) for before in CLASSES),
    share=tuple(tuple(may_share(one, other) for other in CLASSES) for one in CLASSES),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A problem, and how to read its answer."""

    problem: Problem
    vehicles: tuple[VehicleId, ...]
    first_stop: Mapping[str, int]
    """Which of its task's stops a request's stop 0 is."""
    chargers: tuple[PlaceId, ...] = ()
    """The problem's chargers."""


class Modeller:
    """Puts snapshots as problems; keeps what does not change between them."""

    def __init__(
        self,
        site: Site,
        roads: RoadBook,
        docks: Docks,
        handling: Handling,
        hygiene: Hygiene,
        chargers: Chargers,
    ) -> None:
        self._site = site
        self._chargers = chargers
        self._hygiene = hygiene
        self._handling = handling
        self.spots = Spots(site, roads, handling)
        self.shortlist = Shortlist(site, roads, docks, self.spots, handling, hygiene)

    def model(self, now_s: float, tasks: Sequence[Task], fleet: Sequence[Free]) -> Model:
        """The question for the solvers: which of ``fleet`` does what of ``tasks``, and when.

        Not all of both are in it: see `Shortlist`.
        """
        at_hand = {free.spec.id for free in fleet}
        tasks, fleet, may = self.shortlist.choose(now_s, tasks, fleet)
        spots: dict[str, int] = {}
        carried = self._carried(tasks, fleet)
        short = [self._is_short(free, tasks) for free in fleet]
        slots, profiles = self._slots(fleet, spots, carried, short)
        chargers = self._chargers_for(now_s, fleet, short, spots, at_hand)
        requests: list[Request] = []
        first_stop: dict[str, int] = {}
        for task in tasks:
            request, first = self._request(now_s, task, fleet, may[task.id], spots)
            if request is not None and carried is not None and (goods := goods_of(task.spec)):
                request = replace(request, goods=CLASSES.index(goods))
            if request is not None:
                requests.append(request)
                first_stop[task.id] = first
        problem = Problem(
            profiles=tuple(
                self.spots.profile(rules, tuple(spots), washes=carried is not None)
                for rules in profiles
            ),
            requests=tuple(requests),
            slots=tuple(slots),
            now_s=int(now_s),
            goods=None if carried is None else GOODS,
            chargers=tuple(chargers.values()),
        )
        vehicles = tuple(free.spec.id for free in fleet)
        return Model(
            problem=problem, vehicles=vehicles, first_stop=first_stop, chargers=tuple(chargers)
        )

    def _is_short(self, free: Free, tasks: Sequence[Task]) -> bool:
        """Whether a plan has to look at a vehicle's battery: it may be too low for what comes.

        Lamps use most of theirs while they shine, which a battery in a plan knows nothing of:
        where they have to, the plan has their range alone.
        """
        spec = free.spec
        if lasts(free) or spec.medium is Medium.AIR or not self._chargers.usable(spec):
            return False
        return not any(
            isinstance(t.spec, Disinfection) and self.shortlist.able(t, spec) for t in tasks
        )

    def _chargers_for(
        self,
        now_s: float,
        fleet: Sequence[Free],
        short: Sequence[bool],
        spots: dict[str, int],
        at_hand: Set[VehicleId],
    ) -> dict[PlaceId, Charger]:
        """Where those may charge who might have to: their own place, or what all share.

        Whoever is at a charger and could work leaves it for who has to charge; or has to itself,
        and is the first there. Only those who are out of the plan hold it for longer.
        """
        users: dict[PlaceId, list[int]] = {}
        free_s: dict[PlaceId, tuple[int, ...]] = {}
        for number, free in enumerate(fleet):
            if not short[number]:
                continue
            for place, holder in self._chargers.usable(free.spec):
                users.setdefault(place.id, []).append(number)
                if holder is not None and holder not in at_hand:
                    free_s[place.id] = (int(now_s + HOLDS_S),)
        return {
            place: Charger(
                node=spots.setdefault(self._site.places[place].node, len(spots)),
                slots=tuple(numbers),
                free_s=free_s.get(place, ()),
            )
            for place, numbers in users.items()
        }

    def _carried(
        self, tasks: Sequence[Task], fleet: Sequence[Free]
    ) -> list[tuple[Goods, ...]] | None:
        """What each vehicle has carried when it is free; None = no two goods mind each other."""
        classes = {task.id: goods_of(task.spec) for task in tasks}
        goods_to_come = [(t, goods) for t in tasks if (goods := classes[t.id]) is not None]
        found: list[tuple[Goods, ...]] = []
        mixed: set[tuple[frozenset[Goods], frozenset[Goods]]] = set()
        for free in fleet:
            vehicle = free.spec.id
            carried = self._hygiene.carried_by(vehicle)
            if free.current is not None and free.current[1] == 0:
                goods = classes.get(free.current[0])
                if goods is not None and self._hygiene.must_wash(vehicle, goods):
                    carried = ()  # it is on its way to be decontaminated
            found.append(carried)
            own = (
                goods
                for task, goods in goods_to_come
                if task.vehicle == vehicle or self.shortlist.able(task, free.spec)
            )
            mixed.add((frozenset(carried), frozenset(own)))
        return found if any(_minds(*each) for each in mixed) else None

    def _slots(
        self,
        fleet: Sequence[Free],
        spots: dict[str, int],
        carried: Sequence[Sequence[Goods]] | None,
        short: Sequence[bool],
    ) -> tuple[list[Slot], dict[tuple[Medium, Rules], int]]:
        profiles: dict[tuple[Medium, Rules], int] = {}
        slots: list[Slot] = []
        for number, free in enumerate(fleet):
            spec, energy = free.spec, free.spec.energy
            profile = profiles.setdefault((spec.medium, rules_of(spec)), len(profiles))
            usable_wh = max(0.0, free.charge_ratio - energy.reserve_ratio) * energy.capacity_wh
            range_m = usable_wh * 3600 / max(energy.move_w, 1.0) * spec.speed_m_s * USABLE
            slots.append(
                Slot(
                    id=spec.id,
                    profile=profile,
                    start=spots.setdefault(free.spot, len(spots)),
                    ready_s=int(free.ready_s) + 1,
                    capacity=(spec.payload_g, spec.payload_ml, SHARES),
                    range_m=None if short[number] or range_m > LARGEST else int(range_m),
                    battery=battery_of(free) if short[number] else None,
                    carried=tuple(CLASSES.index(one) for one in carried[number]) if carried else (),
                )
            )
        return slots, profiles

    def _request(
        self,
        now_s: float,
        task: Task,
        fleet: Sequence[Free],
        may: Sequence[bool],
        spots: dict[str, int],
    ) -> tuple[Request | None, int]:
        holder = next((n for n, free in enumerate(fleet) if free.spec.id == task.vehicle), None)
        first = task.stops_done
        aboard = on_board(task)
        current = None if holder is None else fleet[holder].current
        if current is not None and current[0] == task.id and task.state.begun:
            first, aboard = current[1] + 1, True  # not one that it has just given back
        elif task.state.begun and holder is None:
            return None, 0
        stops = stops_of(task, self._handling)[first:]
        if not stops:
            return None, 0
        allowed = tuple(n for n, takes in enumerate(may) if takes)
        if task.state.begun and holder is not None:
            allowed = (holder,)
        priority = lifted(task, now_s)
        request = Request(
            id=task.id,
            stops=self._stops(stops, _share(task), spots),
            fixed_order=True,
            release_s=int(task.earliest_s),
            due_s=int(task.earliest_s if priority in PRESSING else task.due_s),
            late_weight=LATE_WEIGHT[priority],
            drop_penalty=DROP_PENALTY[priority],
            allowed=allowed,
            aboard=holder if aboard else None,
            last_slot=holder,
        )
        return request, first

    def _stops(
        self, stops: Sequence[TaskStop], share: int, spots: dict[str, int]
    ) -> tuple[Stop, ...]:
        """Stops in numbers; its share of the vehicle is taken at the first, given back last."""
        shares = [0] * len(stops)
        shares[-1] -= share
        if stops[0].load_g > 0 or stops[0].load_ml > 0:
            shares[0] += share
        return tuple(
            Stop(
                node=spots.setdefault(self.spots.spot(stop), len(spots)),
                service_s=int(stop.service_s),
                load=(stop.load_g, stop.load_ml, taken),
            )
            for stop, taken in zip(stops, shares, strict=True)
        )


def _minds(carried: Set[Goods], to_come: Set[Goods]) -> bool:
    """Whether a wash may be needed before some of what is to come, or some may not share."""
    before = carried | to_come
    return to_come >= SHARING or any(
        not may_follow(one, other) for one in before for other in to_come
    )


def _share(task: Task) -> int:
    """How much of a vehicle a task takes, whatever its mass: all of it, a part, or nothing."""
    match task.spec:
        case Medicine():
            return 1
        case Delivery(goods=goods, by=by):
            return 1 if goods in SHARING and by is not Medium.AIR else SHARES
        case _:
            return 0
