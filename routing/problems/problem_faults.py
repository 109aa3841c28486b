"""What does not fit together in a problem: the first fault, in words."""

from collections.abc import Iterable, Iterator

from routing.problems.question import Question
from routing.problems.request import Request
from routing.problems.slot import Profile, Slot

LARGEST = 1_000_000_000
"""No time, distance or price per second is larger (3 decades, a million kilometres)."""
LARGEST_AMOUNT = 10**15
"""No load, energy or drop penalty is larger: sums of them stay exact in 64 bits."""


def fault_of(problem: Question) -> str | None:
    """The first thing that is wrong with a problem; None = it can be solved."""
    return next(_faults(problem), None)


def _faults(problem: Question) -> Iterator[str]:
    if len(problem.request_numbers) < len(problem.requests):
        yield "two requests have the same id"
    for number, profile in enumerate(problem.profiles):
        yield from (f"profile {number}: {fault}" for fault in _profile_faults(problem, profile))
    for slot in problem.slots:
        yield from (f"slot {slot.id}: {fault}" for fault in _slot_faults(problem, slot))
    for request in problem.requests:
        yield from (f"request {request.id}: {fault}" for fault in _request_faults(problem, request))
    yield from _rest_faults(problem)
    yield from _commitment_faults(problem)


def _profile_faults(problem: Question, profile: Profile) -> Iterator[str]:
    size = _nodes(problem)
    if (profile.washed_s is None) != (profile.washed_m is None):
        yield "washed_s and washed_m come together"
    tables = (profile.seconds, profile.metres, profile.loaded_s, profile.washed_s, profile.washed_m)
    for table in tables:
        if table is None:
            continue
        if len(table) != size or any(len(row) != size for row in table):
            yield f"a table is not square, or not of the size of the others, {size} x {size}"
        elif size and (min(map(min, table)) < 0 or max(map(max, table)) > LARGEST):
            yield f"a time or distance is negative or over {LARGEST}"


def _slot_faults(problem: Question, slot: Slot) -> Iterator[str]:
    if not 0 <= slot.profile < len(problem.profiles):
        yield f"there is no profile {slot.profile}"
    if not _known(problem, (slot.start, slot.start if slot.end is None else slot.end)):
        yield f"there is no node {slot.start} or {slot.end}"
    if not _in_range(slot.ready_s, slot.shift_end_s, slot.range_m, slot.price):
        yield f"a time, range or price is negative or over {LARGEST}"
    if not _in_range(*slot.capacity, limit=LARGEST_AMOUNT):
        yield f"a capacity is negative or over {LARGEST_AMOUNT}"
    classes = 0 if problem.goods is None else len(problem.goods.follow)
    if not all(0 <= goods < classes for goods in slot.carried):
        yield "it has carried goods that the rules don't know"
    before_s = 0
    for pause in slot.breaks:
        if not before_s <= pause.earliest_s <= pause.latest_s <= LARGEST or pause.duration_s < 0:
            yield f"{pause} is no break, or not after the one before it"
        before_s = pause.latest_s + pause.duration_s
    if (battery := slot.battery) is not None:
        used = (battery.reserve_j, battery.per_m_j, battery.per_s_j, battery.now_j)
        if not _in_range(battery.capacity_j, *used, limit=LARGEST_AMOUNT) or (
            battery.now_j > battery.capacity_j or battery.charge_j_s <= 0
        ):
            yield f"{battery} is no battery"


def _request_faults(problem: Question, request: Request) -> Iterator[str]:
    named = (*(request.allowed or ()), request.aboard or 0)
    if not request.stops:
        yield "it has no stops"
    if problem.slots and not all(0 <= number < len(problem.slots) for number in named):
        yield "it names a slot that isn't there"
    if not _known(problem, (stop.node for stop in request.stops)):
        yield "it has a stop on a node that isn't there"
    if request.goods is not None and problem.goods is None:
        yield "it has goods, but the problem no rules for them"
    elif problem.goods and not -1 < (request.goods or 0) < len(problem.goods.follow):
        yield f"there are no goods {request.goods}"
    prices = (request.release_s, request.due_s, request.late_weight)
    if not _in_range(*prices) or not _in_range(request.drop_penalty, limit=LARGEST_AMOUNT):
        yield f"a time or price is negative or over {LARGEST}"
    for stop in request.stops:
        if not _in_range(stop.service_s, stop.earliest_s, stop.latest_s):
            yield f"a stop has a time that is negative or over {LARGEST}"
        if any(abs(amount) > LARGEST_AMOUNT for amount in stop.load):
            yield f"a stop has a load over {LARGEST_AMOUNT}"
        ends = [at_s for span in stop.closed for at_s in span]
        if ends != sorted(ends) or not _in_range(*ends):
            yield "a stop's closed spans are not in order, or out of range"


def _rest_faults(problem: Question) -> Iterator[str]:
    sizes = {len(slot.capacity) for slot in problem.slots} | {
        len(stop.load) for request in problem.requests for stop in request.stops
    }
    if len(sizes) > 1:
        yield f"capacities and loads differ in their number of dimensions: {sorted(sizes)}"
    weights = problem.weights
    if not _in_range(weights.flow_s, weights.metre, weights.change, weights.imbalance) or (
        weights.waiting_s < 1
    ):
        yield f"a weight is negative or over {LARGEST}, or waiting_s is less than 1"
    if not _in_range(problem.now_s):
        yield f"now_s is negative or over {LARGEST}"
    for number, charger in enumerate(problem.chargers):
        if not _known(problem, (charger.node,)) or charger.places < 1:
            yield f"charger {number}: it has no place, or is on a node that isn't there"
        if not all(0 <= slot < len(problem.slots) for slot in charger.slots or ()):
            yield f"charger {number}: it names a slot that isn't there"
    if (goods := problem.goods) is not None:
        count = len(goods.follow)
        if any(len(row) != count for row in (*goods.follow, *goods.share)):
            yield "the goods' rules are not square"
        elif len(goods.share) != count or count > 60:
            yield "the goods' rules differ in size, or there are more than 60 classes"


def _commitment_faults(problem: Question) -> Iterator[str]:
    held: dict[str, int] = {}
    made: dict[str, list[int]] = {}
    by_id = {request.id: request for request in problem.requests}
    for number, slot in enumerate(problem.slots):
        for visit in slot.committed:
            request = by_id.get(visit.request)
            if request is None or not 0 <= visit.stop < len(request.stops):
                yield f"slot {slot.id}: there is no {visit}"
                return
            holder = number if request.aboard is None else request.aboard
            if held.setdefault(request.id, holder) != number:
                yield f"slot {slot.id}: {visit} is held by another slot"
            made.setdefault(request.id, []).append(visit.stop)
    for id_, stops in made.items():
        request = by_id[id_]
        in_turn = stops == list(range(len(stops))) if request.fixed_order else True
        begun = request.aboard is not None or stops[0] == 0
        if not in_turn or not begun or len(set(stops)) < len(stops):
            yield f"request {id_}: it is committed in the wrong order: {stops}"


def _nodes(problem: Question) -> int:
    return len(problem.profiles[0].seconds) if problem.profiles else 0


def _known(problem: Question, nodes: Iterable[int]) -> bool:
    """Whether the travel tables have all these nodes; without any table, nobody goes anywhere."""
    return not problem.profiles or all(0 <= node < _nodes(problem) for node in nodes)


def _in_range(*numbers: int | None, limit: int = LARGEST) -> bool:
    return all(number is None or 0 <= number <= limit for number in numbers)
