"""Tasks and fleet as they are now, put as a `routing.problem.Problem`."""

import math
from collections.abc import Hashable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dispatcher.candidates import needed
from dispatcher.chargers import Chargers
from dispatcher.eligibility import why_not
from dispatcher.hygiene import SHARING, Hygiene, goods_of, may_follow, may_share
from dispatcher.reach import unreachable_stops
from dispatcher.roadbook import RoadBook, loaded, rules_of
from dispatcher.shut_out import ShutOut, Start
from dispatcher.stops import Handling, TaskStop, on_board, stops_of
from dispatcher.task import Delivery, Disinfection, Goods, Medicine, Priority, Task, TaskId
from fleet.vehicle import Medium, VehicleId, VehicleSpec
from routing.errors import Unreachable
from routing.geometry import Point
from routing.paths import UNREACHABLE_S, Rules
from routing.problem import (
    LARGEST,
    Battery,
    Charger,
    GoodsRules,
    Problem,
    Profile,
    Request,
    Slot,
    Stop,
)
from routing.refusal import Refusal
from routing.site import NodeId, PlaceId, Role, Site

SHARES = 4
"""How many tasks whose goods may share a vehicle it takes at once; others want it alone."""
FLIGHT_OVERHEAD_S = 60
"""Taking off, climbing, coming down and landing."""
DETOUR = 1.2
"""How much longer than straight a flight is taken to be."""
USABLE = 0.7
"""Share of the energy above the reserve that a plan spends on driving; the rest is for waiting."""
LASTS_S = 2 * 3600.0
"""A battery that lasts for so long a drive is no concern of a plan, but for its range."""
MARGIN = 1.5
"""So much more than at cruise speed is used for each metre: lifts, doors, slow lanes, waiting."""
HOLDS_S = 1800.0
"""How long somebody is taken to stay at a charger who can't work: it charges, or is broken."""

AHEAD = 5
"""How many tasks are planned for each vehicle at a time; the rest wait until those are begun.

Keeps the answer to an event quick however long the queue is, also after a restart."""

CLASSES = tuple(Goods)
"""The rows of `GOODS`."""
GOODS = GoodsRules(
    follow=tuple(tuple(may_follow(before, after) for after in CLASSES) for before in CLASSES),
    share=tuple(tuple(may_share(one, other) for other in CLASSES) for one in CLASSES),
)

RANKS: Mapping[Priority, int] = {priority: rank for rank, priority in enumerate(Priority)}
LATE_WEIGHT: Mapping[Priority, int] = {
    Priority.STAT: 60,
    Priority.URGENT: 10,
    Priority.ROUTINE: 6,
    Priority.BACKGROUND: 1,
}
LATE_LIFT_S, WAIT_LIFT_S = 3600.0, 3 * 3600.0
"""Each so many seconds that a task is late, or waits, it is planned as of the next higher class."""
PRESSING = frozenset({Priority.STAT, Priority.URGENT})
"""Each second counts from the moment these may begin, not only from when they are due."""
DROP_PENALTY: Mapping[Priority, int] = {
    Priority.STAT: 100_000_000,
    Priority.URGENT: 30_000_000,
    Priority.ROUTINE: 10_000_000,
    Priority.BACKGROUND: 3_000_000,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """Where and when a vehicle will be free for other work.

    Args:
        spot: a node, or ``area:ID`` over a patrol area.
        takes_new: whether it may be given more than it has begun.
        current: the stop that it is at or on its way to; it is not planned any more.
        turns_at: the node from which it could still be led elsewhere; None = it is too late.
    """

    spec: VehicleSpec
    spot: str
    ready_s: float
    charge_ratio: float
    takes_new: bool = True
    current: tuple[TaskId, int] | None = None
    turns_at: NodeId | None = None


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
        self, site: Site, roads: RoadBook, handling: Handling, hygiene: Hygiene, chargers: Chargers
    ) -> None:
        self._site = site
        self._chargers = chargers
        self._hygiene = hygiene
        self._roads = roads
        self._handling = handling
        self._able: dict[TaskId, dict[VehicleId, bool]] = {}
        self._shut_out = None if roads.hours is None else ShutOut(site, roads, roads.hours)
        self.waits: dict[TaskId, Refusal] = {}
        """The tasks that were left out of the last question, for an hour to come."""

    def model(self, now_s: float, tasks: Sequence[Task], fleet: Sequence[Free]) -> Model:
        """The question for the solvers: which of ``fleet`` does what of ``tasks``, and when.

        Vehicles that could do none of it are left out, and those that others are nearer than.
        """
        at_hand = {free.spec.id for free in fleet}
        if self._roads.any_shut:
            fleet = self._bound_by_goods(tasks, fleet)
        if self.minds_hours:
            tasks = self._beginnable(now_s, tasks, fleet)
        may = {task.id: self._may_take(task, fleet) for task in tasks}
        tasks = self._window(now_s, tasks, fleet, may)
        for choose in (self._takers, self._nearest):
            chosen = choose(tasks, fleet, may)
            if len(chosen) < len(fleet):
                fleet = [fleet[n] for n in chosen]
                may = {task.id: [may[task.id][n] for n in chosen] for task in tasks}
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
                self._profile(rules, tuple(spots), washes=carried is not None) for rules in profiles
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

    @property
    def minds_hours(self) -> bool:
        """Whether some lane is shut to some goods at some hour."""
        return self._shut_out is not None

    def _beginnable(self, now_s: float, tasks: Sequence[Task], fleet: Sequence[Free]) -> list[Task]:
        """The tasks that are begun, or could be at this hour; why not is kept for the rest."""
        self.waits = {}
        for task in tasks:
            why = None if task.state.begun else self.why_wait(now_s, task, fleet)
            if why is not None:
                self.waits[task.id] = why
        return [task for task in tasks if task.id not in self.waits]

    def why_wait(self, now_s: float, task: Task, fleet: Sequence[Free]) -> Refusal | None:
        """Why none of a fleet can begin a task at this hour, if windows of lanes are why."""
        may = zip(fleet, self._may_take(task, fleet), strict=True)
        able = [free for free, takes in may if takes]
        if self._shut_out is None or any(free.spec.medium is Medium.AIR for free in able):
            return None
        starts = [Start(f.spec, NodeId(f.spot), max(now_s, f.ready_s)) for f in able]
        return self._shut_out.why_wait(stops_of(task, self._handling), starts)

    def _window(
        self,
        now_s: float,
        tasks: Sequence[Task],
        fleet: Sequence[Free],
        may: Mapping[TaskId, Sequence[bool]],
    ) -> list[Task]:
        """The most urgent tasks, as many as the vehicles that could do them can look forward to."""
        left = {free.spec.id: AHEAD for free in fleet}
        chosen: list[Task] = []
        for task in sorted(tasks, key=lambda task: _urgency(task, now_s)):
            able = [
                free.spec.id
                for free, takes in zip(fleet, may[task.id], strict=True)
                if takes and self._gets_there(task, free)
            ]
            taker = max(able, key=lambda vehicle: left[vehicle], default=None)
            if taker is not None and (left[taker] or task.state.begun):
                left[taker] -= 1
                chosen.append(task)
            elif taker is None:
                chosen.append(task)  # the solver says why nobody can
        return chosen

    def _takers(
        self, tasks: Sequence[Task], fleet: Sequence[Free], may: Mapping[TaskId, Sequence[bool]]
    ) -> Sequence[int]:
        """Those who could do any of the tasks, or have begun one; all, if nobody could do some."""
        taken: set[int] = set()
        for task in tasks:
            able = [n for n, takes in enumerate(may[task.id]) if takes]
            if not able:
                return range(len(fleet))
            taken.update(able)
            if task.state.begun:
                taken.update(n for n, free in enumerate(fleet) if free.spec.id == task.vehicle)
        return sorted(taken)

    def _nearest(
        self, tasks: Sequence[Task], fleet: Sequence[Free], may: Mapping[TaskId, Sequence[bool]]
    ) -> Sequence[int]:
        """Those who could make a plan better than others just like them."""
        to_give = [task for task in tasks if not task.state.begun]
        first = [self.spot(stops_of(task, self._handling)[0]) for task in to_give]
        named = {task.vehicle for task in tasks}
        now_s = min((free.ready_s for free in fleet), default=0.0)

        def alike(number: int) -> Hashable | None:
            free = fleet[number]
            spec = free.spec
            idle = free.takes_new and free.current is None and free.ready_s <= now_s
            far = spec.medium is Medium.GROUND and _lasts(free)
            if not idle or not far or spec.id in named:
                return None
            load, carried = (spec.payload_g, spec.payload_ml), self._hygiene.carried_by(spec.id)
            return rules_of(spec), load, carried, tuple(may[task.id][number] for task in to_give)

        return needed(
            [alike(number) for number in range(len(fleet))],
            len(to_give),
            lambda number, task: may[to_give[task].id][number],
            lambda number, task: self._roads.from_to_s(
                rules_of(fleet[number].spec),
                self._node(fleet[number].spot),
                self._node(first[task]),
            ),
        )

    def spot(self, stop: TaskStop) -> str:
        """The word for a stop's place among the rows of the travel matrices."""
        if stop.place is not None:
            return self._site.places[stop.place].node
        return f"area:{stop.area}"

    def _node(self, spot: str) -> NodeId | None:
        """A spot on the ground; None = no road leads there."""
        return NodeId(spot) if spot in self._site.nodes else None

    def point(self, spot: str) -> Point:
        """Where a spot is; the middle of it, for an area."""
        if spot in self._site.nodes:
            return self._site.nodes[NodeId(spot)].point
        outline = next(a.outline for a in self._site.airspaces.values() if f"area:{a.id}" == spot)
        x = sum(point.x_m for point in outline) / len(outline)
        y = sum(point.y_m for point in outline) / len(outline)
        return Point(x, y)

    def able(self, task: Task, spec: VehicleSpec) -> bool:
        """Whether a vehicle could ever do a task: by what it is, and by the roads."""
        known = self._able.setdefault(task.id, {})
        if spec.id not in known:
            stops = stops_of(task, self._handling)
            known[spec.id] = not why_not(task.spec, spec) and not unreachable_stops(
                self._site, self._roads, spec, stops
            )
        return known[spec.id]

    def _may_take(self, task: Task, fleet: Sequence[Free]) -> list[bool]:
        """Which vehicles may be planned for a task that is not begun."""
        return [free.takes_new and self.able(task, free.spec) for free in fleet]

    def _bound_by_goods(self, tasks: Sequence[Task], fleet: Sequence[Free]) -> list[Free]:
        """Nothing new for those with goods on board that they can't bring on for now.

        It could lead into a dirtier zone, and nobody comes out of there with goods.
        """
        kept = {
            task.vehicle
            for task in tasks
            for free in fleet
            if free.spec.id == task.vehicle and self._cut_off(task, free)
        }
        return [replace(f, takes_new=False) if f.spec.id in kept else f for f in fleet]

    def _cut_off(self, task: Task, free: Free) -> bool:
        current = free.current is not None and free.current[0] == task.id
        begun = task.stops_done + current
        if free.spec.medium is Medium.AIR or not (on_board(task) or current):
            return False
        roads = self._roads.of(free.spec, goods_on_board=True)
        spots = [free.spot, *(self.spot(s) for s in stops_of(task, self._handling)[begun:])]
        nodes = [NodeId(spot) for spot in spots if spot in self._site.nodes]
        return not all(roads.reaches(one, other) for one, other in pairwise(nodes))

    def _gets_there(self, task: Task, free: Free) -> bool:
        """Whether all stops can be driven to over the roads that are open now."""
        if free.spec.medium is Medium.AIR or not self._roads.any_shut:
            return True
        roads, here = self._roads.of(free.spec), NodeId(free.spot)
        try:
            for stop in stops_of(task, self._handling):
                there = NodeId(self.spot(stop))
                roads.seconds(here, there, clean_start=True)
                here = there
        except Unreachable:
            return False
        return True

    def seconds_to(self, task: Task, spec: VehicleSpec, node: NodeId) -> float:
        """How long a vehicle takes from a node to a task's first stop, which it can get to."""
        ways = (NodeId(self.spot(stops_of(task, self._handling)[0])), node)
        return float(self._profile((spec.medium, rules_of(spec)), ways).seconds[1][0])

    def bar(self, task: TaskId, vehicle: VehicleId) -> None:
        """A vehicle has found that it can't do a task after all."""
        self._able.setdefault(task, {})[vehicle] = False

    def forget(self, task: TaskId) -> None:
        """A task has ended."""
        self._able.pop(task, None)

    def _is_short(self, free: Free, tasks: Sequence[Task]) -> bool:
        """Whether a plan has to look at a vehicle's battery: it may be too low for what comes.

        Lamps use most of theirs while they shine, which a battery in a plan knows nothing of:
        where they have to, the plan has their range alone.
        """
        spec = free.spec
        if _lasts(free) or spec.medium is Medium.AIR or not self._chargers.usable(spec):
            return False
        return not any(isinstance(t.spec, Disinfection) and self.able(t, spec) for t in tasks)

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
                if task.vehicle == vehicle or self.able(task, free.spec)
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
                    battery=_battery(free) if short[number] else None,
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
        if holder is not None and (current := fleet[holder].current) and current[0] == task.id:
            first, aboard = current[1] + 1, True
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
                node=spots.setdefault(self.spot(stop), len(spots)),
                service_s=int(stop.service_s),
                load=(stop.load_g, stop.load_ml, taken),
            )
            for stop, taken in zip(stops, shares, strict=True)
        )

    def _profile(
        self, kind: tuple[Medium, Rules], spots: tuple[str, ...], *, washes: bool = False
    ) -> Profile:
        medium, rules = kind
        if medium is Medium.AIR:
            return self._flown(rules, spots)
        return self._driven(rules, spots, washes=washes)

    def _driven(self, rules: Rules, spots: tuple[str, ...], *, washes: bool) -> Profile:
        """By road; spots that no road leads to are unreachable."""
        nodes = [self._node(spot) for spot in spots]
        washed_s, washed_m = self._roads.washed(rules, nodes) if washes else (None, None)
        return Profile(
            seconds=self._roads.times(rules, nodes),
            metres=self._roads.by(rules).lengths(nodes),
            loaded_s=self._roads.times(loaded(rules), nodes),
            washed_s=washed_s,
            washed_m=washed_m,
        )

    def _flown(self, rules: Rules, spots: tuple[str, ...]) -> Profile:
        """Through the air: straight lines, made a little longer for what has to be flown around."""
        points = np.array([(p.x_m, p.y_m) for p in map(self.point, spots)]).reshape(-1, 2)
        apart = points[:, None, :] - points[None, :, :]
        metres: NDArray[np.float64] = np.hypot(apart[..., 0], apart[..., 1]) * DETOUR
        seconds = metres / rules.speed_m_s + FLIGHT_OVERHEAD_S * (metres > 0)
        nowhere = [n for n, spot in enumerate(spots) if not self._can_land(spot)]
        seconds[nowhere, :] = seconds[:, nowhere] = UNREACHABLE_S
        metres[nowhere, :] = metres[:, nowhere] = UNREACHABLE_S
        return Profile.of(np.ceil(seconds).astype(np.int64), np.ceil(metres).astype(np.int64))

    def _can_land(self, spot: str) -> bool:
        places = self._site.places_at.get(NodeId(spot), ())
        return spot.startswith("area:") or any(Role.PAD in place.roles for place in places)


def _minds(carried: Set[Goods], to_come: Set[Goods]) -> bool:
    """Whether a wash may be needed before some of what is to come, or some may not share."""
    before = carried | to_come
    return to_come >= SHARING or any(
        not may_follow(one, other) for one in before for other in to_come
    )


def _urgency(task: Task, now_s: float) -> tuple[bool, int, float, str]:
    """What goes into a plan first: what is begun, then by class and due time.

    Waiting lifts a task (`lifts`), so that nothing waits for ever.
    """
    rank = RANKS[task.priority] - lifts(task, now_s)
    return not task.state.begun, rank, task.due_s, task.id


def _battery(free: Free) -> Battery:
    """A vehicle's battery in whole joules, and what it uses at the most."""
    energy = free.spec.energy
    capacity_j = int(energy.capacity_wh * 3600)
    return Battery(
        capacity_j=capacity_j,
        now_j=min(capacity_j, int(free.charge_ratio * capacity_j)),
        reserve_j=math.ceil(energy.reserve_ratio * capacity_j),
        per_m_j=math.ceil(MARGIN * energy.move_w / free.spec.speed_m_s),
        per_s_j=math.ceil(energy.idle_w),
        charge_j_s=max(1, int(energy.charge_w)),
    )


def _lasts(free: Free) -> bool:
    """Whether a battery is no concern of a plan."""
    energy = free.spec.energy
    usable_wh = (free.charge_ratio - energy.reserve_ratio) * energy.capacity_wh
    return usable_wh * 3600 >= MARGIN * energy.move_w * LASTS_S


def lifts(task: Task, now_s: float) -> int:
    """By how many classes waiting has lifted a task: one per hour late, one per three waited."""
    late_s, waited_s = max(0.0, now_s - task.due_s), max(0.0, now_s - task.earliest_s)
    return int(late_s // LATE_LIFT_S + waited_s // WAIT_LIFT_S)


def lifted(task: Task, now_s: float) -> Priority:
    """The class as which a task is planned by now."""
    return list(Priority)[max(0, RANKS[task.priority] - lifts(task, now_s))]


def _share(task: Task) -> int:
    """How much of a vehicle a task takes, whatever its mass: all of it, a part, or nothing."""
    match task.spec:
        case Medicine():
            return 1
        case Delivery(goods=goods, by=by):
            return 1 if goods in SHARING and by is not Medium.AIR else SHARES
        case _:
            return 0
