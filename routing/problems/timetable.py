"""How a slot's route happens, second by second: the clock of the judge.

From where the vehicle is to its next visit, in this order:

1. **Breaks.** A break whose ``earliest_s`` has come is taken at once, where the vehicle stands. One
   that is still to come is taken first, waiting for it, if the next service would otherwise end
   after its ``latest_s``; the way over a charger or a station counts. After the last visit nobody
   waits for a break.
2. **Charge**, if the plan has one here: drive to the charger, wait, plug in. Each second gives
   ``charge_j_s``, until the battery is full; who has to fill it has done so when no more than one
   second's worth is missing.
3. **Wash**, if goods are picked up that may not follow something carried since the last wash: the
   leg, from the charger if there was one, leads over a station (``washed_s``, ``washed_m``). After
   it, nothing counts as carried but what is picked up now.
4. **Drive**, by ``loaded_s`` if any load is on board, else by ``seconds``.
5. **Serve**, as soon as the stop is open and the request released.

Then it drives to the slot's ``end``, by ``seconds``. Each metre uses ``per_m_j``, each second of
break, waiting and service ``per_s_j``; none while plugged in. What is not allowed happens here all
the same, and is noted: `routing.problems.judge` names it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from routing.problems.problem import Break, Problem, Profile, Request, Slot, Stop, Table, Visit
from routing.roads.paths import UNREACHABLE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A stop at a charger, on the way to a visit.

    Args:
        before: position in the slot's route of the visit that follows; the route's length = it
            is the last thing that the slot does.
        charger: index into ``Problem.chargers``.
        charge_s: how long it is plugged in; no longer than until the battery is full.
        wait_s: how long it waits there first, for a place.
    """

    before: int
    charger: int
    charge_s: int
    wait_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """When a visit happens, and what is on board and in the battery after it."""

    visit: Visit
    arrive_s: int
    start_s: int
    end_s: int
    load: tuple[int, ...]
    driven_m: int
    """Metres of the route so far, those to chargers and stations included."""
    energy_j: int | None = None
    """None = the slot has no battery."""


@dataclass(frozen=True, slots=True)
class Plug:
    """One charge as it happened; what the battery had before and after (None = no battery)."""

    charge: Charge
    from_s: int
    to_s: int
    goods_on_board: bool
    had_j: int | None
    has_j: int | None


class Rules:
    """A problem's rules, turned once into what every journey asks for.

    Attributes:
        aboard: per slot, the requests whose goods it has on board.
        chargers: per slot, those that it may use.
        washed_off: per class of goods, the classes after which it needs a wash.
        apart: per class of goods, the classes that it may not share a vehicle with.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.aboard: list[list[Request]] = [[] for _ in problem.slots]
        self.chargers: list[list[int]] = [[] for _ in problem.slots]
        for request in problem.requests if problem.slots else ():
            if request.aboard is not None:
                self.aboard[request.aboard].append(request)
        everybody = range(len(problem.slots))
        for index, charger in enumerate(problem.chargers):
            for number in everybody if charger.slots is None else charger.slots:
                self.chargers[number].append(index)
        goods = problem.goods
        self.washed_off = _forbidden(goods.follow) if goods else []
        self.apart = _forbidden(goods.share) if goods else []

    def request(self, visit: Visit) -> Request:
        """The request that a visit belongs to."""
        return self.problem.requests[self.problem.request_numbers[visit.request]]

    def stop(self, visit: Visit) -> Stop:
        """The stop that a visit makes."""
        return self.request(visit).stops[visit.stop]


class Hold:
    """What a vehicle has on board, and what it has carried since its last wash.

    Attributes:
        load: per dimension of capacity.
        goods: class of each request on board, from its pickup until its last stop is done.
        carried: classes since the last wash.
    """

    def __init__(self, slot: Slot, aboard: Sequence[Request]) -> None:
        loads = zip(*(stop.load for request in aboard for stop in request.stops), strict=True)
        self.load = tuple(-sum(load) for load in loads) if aboard else (0,) * len(slot.capacity)
        self.goods = {r.id: r.goods for r in aboard if r.goods is not None}
        self.carried = {*slot.carried, *self.goods.values()}
        self._left: dict[str, int] = {}

    @property
    def loaded(self) -> bool:
        """Whether any load is on board."""
        return any(amount > 0 for amount in self.load)

    @property
    def empty(self) -> bool:
        """Whether nothing at all is on board, be it a load or goods that the rules know."""
        return not self.goods and not self.loaded

    def serve(self, request: Request, number: int) -> None:
        """Stop ``number`` of a request is done."""
        load = request.stops[number].load
        self.load = tuple(a + b for a, b in zip(self.load, load, strict=True))
        if request.goods is not None:
            left = self._left[request.id] = self._left.get(request.id, len(request.stops)) - 1
            if not left:
                self.goods.pop(request.id, None)


@dataclass(slots=True)
class Journey:
    """A vehicle under way: where it is now, and what happened so far. `drive` makes one.

    Args:
        energy_j: in the battery; None = there is none.
        lowest_j: least that the battery had.
        breaks: those taken, and when each began.
        unwashed: pickups before which it should have been washed, and could not be.
        unshared: pickups of goods that may not be with others on board.
        no_way: whether there was a leg without a way.
    """

    rules: Rules
    number: int
    slot: Slot
    profile: Profile
    hold: Hold
    node: int
    at_s: int
    energy_j: int | None
    lowest_j: int
    driven_m: int = 0
    rows: list[Timed] = field(default_factory=list[Timed])
    breaks: list[tuple[Break, int]] = field(default_factory=list[tuple[Break, int]])
    plugs: list[Plug] = field(default_factory=list[Plug])
    unwashed: list[Visit] = field(default_factory=list[Visit])
    unshared: list[Visit] = field(default_factory=list[Visit])
    no_way: bool = False

    def make(self, visit: Visit, charge: Charge | None) -> None:
        """Go to a visit, by way of a charger if there is a charge, and make it."""
        request = self.rules.request(visit)
        stop = request.stops[visit.stop]
        taken = request.goods if visit.stop == 0 and request.aboard is None else None
        washed = taken is not None and self._needs_wash(taken)
        seconds, metres = self._washed_tables(visit) if washed else self._tables()
        if len(self.breaks) < len(self.slot.breaks):
            self._take_breaks(self._way_s(charge, seconds, stop), request, stop)
        if charge is not None:
            self.plug(charge)
        self.leg(seconds, metres, stop.node)
        if washed:
            self.hold.carried.clear()
        if taken is not None:
            self._take(taken, visit)
        self._serve(request, stop, visit)

    def plug(self, charge: Charge) -> None:
        """Drive to a charger, wait and charge."""
        charger = self.rules.problem.chargers[charge.charger]
        self.leg(*self._tables(), charger.node)
        self._wait(charge.wait_s)
        from_s, had_j = self.at_s, self.energy_j
        self.at_s += charge.charge_s
        if (battery := self.slot.battery) is not None and had_j is not None:
            self.energy_j = min(battery.capacity_j, had_j + charge.charge_s * battery.charge_j_s)
            if charger.full and battery.capacity_j - self.energy_j <= battery.charge_j_s:
                self.energy_j = battery.capacity_j
        loaded = not self.hold.empty
        self.plugs.append(Plug(charge, from_s, self.at_s, loaded, had_j, self.energy_j))

    def leg(self, seconds: Table, metres: Table, node: int) -> None:
        """Drive to a node."""
        leg_s, leg_m = seconds[self.node][node], metres[self.node][node]
        self.no_way = self.no_way or max(leg_s, leg_m) >= UNREACHABLE_S
        self.node = node
        self.at_s += leg_s
        self.driven_m += leg_m
        if self.slot.battery is not None:
            self._use(leg_m * self.slot.battery.per_m_j)

    def _needs_wash(self, goods: int) -> bool:
        return not self.rules.washed_off[goods].isdisjoint(self.hold.carried)

    def _tables(self) -> tuple[Table, Table]:
        loaded_s = self.profile.loaded_s
        if loaded_s is not None and self.hold.loaded:
            return loaded_s, self.profile.metres
        return self.profile.seconds, self.profile.metres

    def _washed_tables(self, visit: Visit) -> tuple[Table, Table]:
        washed_s, washed_m = self.profile.washed_s, self.profile.washed_m
        if washed_s is None or washed_m is None:
            self.unwashed.append(visit)
            return self._tables()
        if not self.hold.empty:
            self.unwashed.append(visit)
        return washed_s, washed_m

    def _way_s(self, charge: Charge | None, seconds: Table, stop: Stop) -> int:
        if charge is None:
            return seconds[self.node][stop.node]
        node = self.rules.problem.chargers[charge.charger].node
        there_s = self._tables()[0][self.node][node]
        return there_s + charge.wait_s + charge.charge_s + seconds[node][stop.node]

    def _take_breaks(self, way_s: int, request: Request, stop: Stop) -> None:
        for pause in self.slot.breaks[len(self.breaks) :]:
            if self.at_s < pause.earliest_s:
                end_s = _opening_s(request, stop, self.at_s + way_s) + stop.service_s
                if end_s <= pause.latest_s:
                    return
                self._wait(pause.earliest_s - self.at_s)
            self.breaks.append((pause, self.at_s))
            self._wait(pause.duration_s)

    def _take(self, goods: int, visit: Visit) -> None:
        if not self.rules.apart[goods].isdisjoint(self.hold.goods.values()):
            self.unshared.append(visit)
        self.hold.goods[visit.request] = goods
        self.hold.carried.add(goods)

    def _serve(self, request: Request, stop: Stop, visit: Visit) -> None:
        arrive_s = self.at_s
        start_s = _opening_s(request, stop, arrive_s)
        self._wait(start_s - arrive_s + stop.service_s)
        self.hold.serve(request, visit.stop)
        row = Timed(
            visit=visit,
            arrive_s=arrive_s,
            start_s=start_s,
            end_s=self.at_s,
            load=self.hold.load,
            driven_m=self.driven_m,
            energy_j=self.energy_j,
        )
        self.rows.append(row)

    def _wait(self, wait_s: int) -> None:
        self.at_s += wait_s
        if self.slot.battery is not None:
            self._use(wait_s * self.slot.battery.per_s_j)

    def _use(self, used_j: int) -> None:
        if self.energy_j is not None:
            self.energy_j -= used_j
            self.lowest_j = min(self.lowest_j, self.energy_j)


def drive(rules: Rules, number: int, route: Sequence[Visit], charges: Sequence[Charge]) -> Journey:
    """All of a slot's route, to its end; one that does nothing stays where it is."""
    slot = rules.problem.slots[number]
    energy_j = None if slot.battery is None else slot.battery.now_j
    journey = Journey(
        rules=rules,
        number=number,
        slot=slot,
        profile=rules.problem.profiles[slot.profile],
        hold=Hold(slot, rules.aboard[number]),
        node=slot.start,
        at_s=slot.ready_s,
        energy_j=energy_j,
        lowest_j=energy_j or 0,
    )
    charge_before = {charge.before: charge for charge in charges}
    for spot, visit in enumerate(route):
        journey.make(visit, charge_before.get(spot))
    last = charge_before.get(len(route))
    if last is not None:
        journey.plug(last)
    if slot.end is not None and (route or last is not None):
        journey.leg(journey.profile.seconds, journey.profile.metres, slot.end)
    return journey


def _opening_s(request: Request, stop: Stop, arrive_s: int) -> int:
    """When a service can begin: both the stop and the request must have come to it."""
    start_s = max(arrive_s, stop.earliest_s, request.release_s)
    for from_s, to_s in stop.closed:
        if from_s <= start_s < to_s:
            start_s = to_s
    return start_s


def _forbidden(allowed: tuple[tuple[bool, ...], ...]) -> list[frozenset[int]]:
    """Per column, the rows where the table says no."""
    columns = zip(*allowed, strict=True)
    return [frozenset(c for c, yes in enumerate(column) if not yes) for column in columns]
