"""Help from the air: which drone is at a place first, and still gets home.

The flight is priced by the straight line first, which is never slower than the real way, in a
steady wind either; the real way is only asked for as long as it could still change who is first.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from routing.errors import Unreachable
from routing.geometry import Point
from routing.refusal import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """A drone's way to the scene and home from there, in seconds.

    Args:
        there_s: how long the way there is expected to take.
        paid_s: what the battery must last for on both ways.
    """

    there_s: float
    paid_s: float


Trips = Callable[[str], Trip]
"""A drone's trip by the real way through the air; raises Unreachable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Responder:
    """A drone as it is at the moment of a call.

    Energies are counted without the reserve, in joules. A drone that charges may be promised for
    when it has got enough.

    Args:
        id: its name.
        at: where it is; home: where it lands in the end.
        launch_s: from the command until it is on its way; 0 in the air.
        ready_s: until it could be commanded at all.
        energy_j: what it may use, at ``ready_s``; full_j: what it could use when full.
        charge_w: how fast that grows from then on; 0 = it does not charge.
        land_j: what the descent at home takes, and the take-off if it still has to.
        straight: its trip by the straight line; None = as at ``speed_m_s`` in still air.
        rise_s: until it has climbed to where it flies; it does so on its way there.
        why_not: a reason from outside why it can't be sent at all.
    """

    id: str
    at: Point
    home: Point
    speed_m_s: float
    launch_s: float = 0.0
    ready_s: float = 0.0
    energy_j: float
    full_j: float = 0.0
    charge_w: float = 0.0
    move_w: float
    hover_w: float
    land_j: float = 0.0
    straight: Trip | None = None
    rise_s: float = 0.0
    why_not: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A drone that can help, and when.

    Args:
        leaves_s, arrives_s: seconds from the call.
        on_scene_s: how long it can stay, at most as long as was asked.
    """

    id: str
    leaves_s: float
    arrives_s: float
    on_scene_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Who goes, who else could, and why the others can't.

    Args:
        able: the first to arrive first; those behind ``priced`` by the straight line only.
        refused: by drone, in the order in which they were asked.
    """

    able: tuple[Answer, ...]
    refused: tuple[tuple[str, Refusal], ...]
    priced: int

    @property
    def best(self) -> Answer | None:
        """The first to arrive; None = nobody can."""
        return self.able[0] if self.able else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where help is wanted, and for how long.

    Args:
        on_scene_s: as long as energy lets it; least_s: so long it must be able to stay.
    """

    at: Point
    on_scene_s: float
    least_s: float


def choose(scene: Scene, drones: Iterable[Responder], trips: Trips | None = None) -> Choice:
    """Earliest arrival among those with energy for the way, the time on scene and the return.

    Args:
        trips: default the straight line.
    """
    hopes: list[tuple[float, int, Responder]] = []
    refused: list[tuple[int, str, Refusal]] = []
    for number, drone in enumerate(drones):
        found = drone.why_not or _answer(scene, drone, _straight_trip(scene, drone))
        if isinstance(found, Refusal):
            refused.append((number, drone.id, found))
        else:
            hopes.append((found.arrives_s, number, drone))
    hopes.sort(key=lambda hope: hope[:2])
    priced: list[tuple[float, int, Answer]] = []
    first_s, asked = float("inf"), 0
    for hoped_s, number, drone in hopes:
        if hoped_s >= first_s:
            break
        asked += 1
        found = _by_way(scene, drone, trips) if trips is not None else _straight(scene, drone)
        if isinstance(found, Refusal):
            refused.append((number, drone.id, found))
        else:
            priced.append((found.arrives_s, number, found))
            first_s = min(first_s, found.arrives_s)
    priced.sort(key=lambda one: one[:2])
    rest = [_straight(scene, drone) for _, _, drone in hopes[asked:]]
    refused.sort(key=lambda one: one[0])
    return Choice(
        able=(*(answer for _, _, answer in priced), *rest),
        refused=tuple((id_, reason) for _, id_, reason in refused),
        priced=len(priced),
    )


def _straight(scene: Scene, drone: Responder) -> Answer:
    found = _answer(scene, drone, _straight_trip(scene, drone))
    assert isinstance(found, Answer), "it was able by the straight line before"
    return found


def _straight_trip(scene: Scene, drone: Responder) -> Trip:
    if drone.straight is not None:
        return drone.straight
    there_s = drone.at.distance_m(scene.at) / drone.speed_m_s
    return Trip(there_s=there_s, paid_s=there_s + scene.at.distance_m(drone.home) / drone.speed_m_s)


def _by_way(scene: Scene, drone: Responder, trips: Trips) -> Answer | Refusal:
    try:
        return _answer(scene, drone, trips(drone.id))
    except Unreachable:
        return Refusal("no_way_through_the_air", {"vehicle": drone.id})


def _answer(scene: Scene, drone: Responder, trip: Trip) -> Answer | Refusal:
    ways_j = trip.paid_s * drone.move_w + drone.land_j
    need_j = ways_j + scene.least_s * drone.hover_w
    energy_j, waits_s = drone.energy_j, 0.0
    if need_j > energy_j:
        if drone.charge_w <= 0 or need_j > drone.full_j:
            facts = {"need_wh": round(need_j / 3600, 1), "has_wh": round(energy_j / 3600, 1)}
            return Refusal("not_enough_energy", facts)
        waits_s = (need_j - energy_j) / drone.charge_w
        energy_j = need_j
    leaves_s = drone.ready_s + waits_s
    return Answer(
        id=drone.id,
        leaves_s=leaves_s,
        arrives_s=leaves_s + drone.launch_s + max(drone.rise_s, trip.there_s),
        on_scene_s=min(scene.on_scene_s, (energy_j - ways_j) / drone.hover_w),
    )
