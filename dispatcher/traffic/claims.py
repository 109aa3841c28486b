"""Who holds which nodes, lanes and lifts, granted so that everyone can still get home.

The banker's rule: a vehicle is granted its next stretch only if afterwards all vehicles could,
one after another, drive the rest of their ways and go home, while the others stand where they
are. So no set of vehicles ever waits for one another. Homes are private and no way leads through
them, which makes the start of a day, everybody at home, such a state.

A berth is as good as home: a dead end where a way ends, as long as no other vehicle holds it or
needs it. Who can get there need not get home as well: nobody waits for it to leave. As soon as
another asks for a way there, its own way home counts again, and the other is let in only if that
can be driven. When all are in their homes and berths any of them can be given a way, so nobody
is kept in one for ever.

Resources are bits of a whole number: a set operation over a whole building is one machine
instruction or a few. Rule: Habermann, Communications of the ACM 12(7), 1969.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from fleet.vehicle import VehicleId
from routing.roads.passing import Half, axes
from routing.site import Edge, NodeId, Site

NOWHERE = -1
"""The need of a vehicle that can't move or knows no way home: every resource there is."""

Homeward = tuple[Edge, ...] | None
"""The way home from the end of a vehicle's way; None = there is none."""


class Resources:
    """Numbers the resources of a site: nodes and lanes one each, a lift with all its cabins one.

    An air lock is one too: all that is inside, and the lanes through its doors. A passing lane, and
    a node on the axis of two, is two: its halves.
    """

    halved = False
    """Whether vehicles pass each other anywhere."""

    def __init__(self, site: Site) -> None:
        self._bits: dict[str, int] = {}
        self._count = 0
        for lift in site.lifts.values():
            bit = self._new()
            for cabin in lift.cabins.values():
                self._bits[cabin] = bit
            for lane in site.lanes.values():
                if lane.lift == lift.id:
                    self._bits[lane.id] = bit
        for lock in site.air_locks.values():
            bit, inside = self._new(), set(lock.inside)
            self._bits.update(dict.fromkeys(lock.inside, bit))
            for lane in site.lanes.values():
                if lane.door in lock.doors or {lane.start, lane.end} <= inside:
                    self._bits[lane.id] = bit
        halved = axes(site).keys() | {lane.id for lane in site.lanes.values() if lane.passing}
        self._halves: dict[str, tuple[int, int]] = {}
        for name in (*site.nodes, *site.lanes):
            if name in halved:
                ahead, back = self._halves[name] = self._new(), self._new()
                self._bits[name] = ahead | back
            elif name not in self._bits:
                self._bits[name] = self._new()
        self.halved = bool(halved)
        self._enclosed = frozenset(site.lift_at) | frozenset(site.lock_at)

    def _new(self) -> int:
        self._count += 1
        return 1 << self._count

    def node(self, node: NodeId) -> int:
        """What a vehicle that stands on ``node`` holds."""
        return self._bits[node]

    def half(self, name: str, half: Half) -> int:
        """Half of a node or lane, or all of it."""
        if half is Half.BOTH:
            return self._bits[name]
        return 0 if half is Half.NONE else self._halves[name][half is Half.BACK]

    def arrived(self, edge: Edge) -> int:
        """What a vehicle holds of a node to which it has come along ``edge``."""
        return self.node(edge.end)

    def edge(self, edge: Edge) -> int:
        """What a vehicle needs, on top of where it stands, to drive ``edge``."""
        return self._bits[edge.lane.id] | self._bits[edge.end]

    def masks(self, edges: Sequence[Edge], ground: int, passed: int = 0) -> list[int]:  # noqa: ARG002
        """What each edge of a way needs.

        Args:
            ground: what it holds of the node at which the first of ``edges[passed:]`` begins.
            passed: edges behind it, whose masks say nothing.
        """
        return [self.edge(edge) for edge in edges]

    def way(self, edges: Sequence[Edge], ground: int) -> int:
        """All that a way needs beyond its first node, of which a vehicle holds ``ground``."""
        need = 0
        for mask in self.masks(edges, ground):
            need |= mask
        return need

    def home_need(self, homeward: Homeward, ground: int) -> int:
        """What a way home needs."""
        return NOWHERE if homeward is None else self.way(homeward, ground)

    def is_enclosed(self, node: NodeId) -> bool:
        """Whether a vehicle on ``node`` is inside a lift or an air lock."""
        return node in self._enclosed


@dataclass(slots=True)
class Claim:
    """One vehicle's stake: what it holds, and what it needs to finish its way and get home."""

    vehicle: VehicleId
    stand: NodeId
    home: int
    """The bit of its home."""
    resources: Resources
    """The resources as a vehicle of its size needs them."""
    ground: int
    """What it holds of the node on which it stands."""
    edges: tuple[Edge, ...] = ()
    passed: int = 0
    """Edges behind it."""
    granted: int = 0
    """Edges it may drive."""
    masks: list[int] = field(default_factory=list[int])
    """What each edge needs."""
    homeward: Homeward = None
    """From the end of its way, or from where it stands: what all others count on."""
    pause: int = 0
    """So many edges of the way home lead to where it could stay instead, if that is a berth."""
    needs: list[int] = field(default_factory=list[int])
    """What is needed from each edge on, way home included; one more than edges."""
    needs_to_pause: list[int] = field(default_factory=list[int])
    """The same, only as far as where it could stay."""
    wants: list[int] = field(default_factory=list[int])
    """What it will ever need from each edge on, its home included: nobody else's berth."""
    dead_end: int = 0
    """The bit of the dead end where it could stay; 0 = it is none."""
    berth: int = 0
    """The bit of the berth where its way can end for all others; 0 = it is to go home."""
    path: list[int] = field(default_factory=list[int])
    """What each edge needs, those of its way home included; only where vehicles pass each other,
    like the next two."""
    path_needs: list[int] = field(default_factory=list[int])
    """What is needed from each of these edges on."""
    turns: tuple[tuple[int, int], ...] = ()
    """Where it turns round in a room: edges behind it, and what it holds there."""
    held: int = 0
    between: int = 0
    """What it holds on top, because it stands somewhere between two nodes."""
    wish: int = 0
    """What a way needs that it asked for and was not given, way home included; 0 = none."""
    stuck: bool = False
    """Does not move until further notice: nobody may count on it to get out of the way."""
    rank: tuple[int, float] = (9, 0.0)
    """Who is asked first: priority class, then since when."""

    @property
    def need(self) -> int:
        """What it still lacks to get to its berth or home."""
        return NOWHERE if self.stuck else self.need_if_moving

    @property
    def need_if_moving(self) -> int:
        """The same once it is not stuck any more."""
        return (self.needs_to_pause if self.berth else self.needs)[self.granted]

    @property
    def end(self) -> NodeId:
        """Where it could stay, if that is a berth: the end of its way, or ahead on its way home."""
        if self.pause and self.homeward:
            return self.homeward[self.pause - 1].end
        return self.edges[-1].end if self.edges else self.stand

    @property
    def waiting(self) -> bool:
        """Whether part of its way is not granted yet."""
        return self.granted < len(self.edges)

    @property
    def held_up(self) -> bool:
        """Whether it asks in vain: for a way, or for more of the way that it is on."""
        return bool(self.wish) or (self.waiting and self.granted <= self.passed)


_MEASURED = (
    "masks",
    "homeward",
    "pause",
    "dead_end",
    "needs",
    "needs_to_pause",
    "wants",
    "path",
    "path_needs",
    "turns",
)
"""What `Claims` works out of a claim's way, and takes back where the way can't be had."""

_Left = tuple[int, Claim, int, int, int]
"""Who is not home yet: its bit, its claim, what it needs, what it holds, edges behind it."""


class Claims:
    """The table of all claims of a site; grants by the banker's rule.

    Args:
        dead_ends: nodes that no way leads through, where a vehicle may find its berth.
    """

    def __init__(self, resources: Resources, dead_ends: Iterable[NodeId] = ()) -> None:
        self._resources = resources
        self._dead_ends = frozenset(dead_ends)
        self._claims: dict[VehicleId, Claim] = {}
        self._occupied = 0
        self._lost: int | None = 0

    def __getitem__(self, vehicle: VehicleId) -> Claim:
        return self._claims[vehicle]

    def __contains__(self, vehicle: VehicleId) -> bool:
        return vehicle in self._claims

    def enter(
        self,
        vehicle: VehicleId,
        stand: NodeId,
        home: NodeId,
        homeward: Homeward,
        *,
        resources: Resources | None = None,
        ground: int | None = None,
    ) -> Claim:
        """A vehicle stands on ``stand``.

        Args:
            resources: as a vehicle of its size needs them; None = it needs all of each.
            ground: what it holds of ``stand``; None = all.
        """
        resources = resources or self._resources
        ground = resources.node(stand) if ground is None else ground
        claim = Claim(vehicle, stand, resources.node(home), resources, ground)
        self._claims[vehicle] = claim
        self._measure(claim, homeward)
        return claim

    def plan(self, claim: Claim, edges: Sequence[Edge], homeward: Homeward) -> bool:
        """Give a standing vehicle a way, if all could still get home then; False = it keeps none.

        The way home itself can always be had: it is what all others count on.
        """
        old = claim.edges, claim.passed, claim.granted, claim.between
        if self._is_safe(claim, lambda: self.force(claim, edges, homeward)):
            return True
        claim.edges, claim.passed, claim.granted, claim.between = old
        self._settle()
        return False

    def force(
        self,
        claim: Claim,
        edges: Sequence[Edge],
        homeward: Homeward,
        *,
        passed: int = 0,
        granted: int = 0,
    ) -> None:
        """Note a way that a vehicle has been told already, safe or not."""
        claim.edges, claim.between = tuple(edges), 0
        claim.passed, claim.granted = passed, granted
        self._measure(claim, homeward)

    def replan(self, claim: Claim, tail: Sequence[Edge], homeward: Homeward) -> bool:
        """Replace all of a way that is not granted, if that is safe; False = it stays as it was."""
        old = claim.edges
        claim.edges = (*claim.edges[: claim.granted], *tail)
        if self._is_safe(claim, lambda: self._measure(claim, homeward)):
            return True
        claim.edges = old
        self._settle()
        return False

    def rehome(self, claim: Claim, homeward: Homeward, *, pause: int = 0) -> bool:
        """Count on another way home from now on, if that is safe; False = it stays as it was.

        Args:
            pause: after so many edges of it, it could stay if that is a berth.
        """
        return self._is_safe(claim, lambda: self._measure(claim, homeward, pause))

    def _is_safe(self, claim: Claim, change: Callable[[], None]) -> bool:
        """Make a change that leads to new measures, unless somebody would be lost by it."""
        before = self._lost_now()
        measured = {name: getattr(claim, name) for name in _MEASURED}
        change()
        if not self._lost_now() & ~before:
            return True
        for name, value in measured.items():
            setattr(claim, name, value)
        self._settle()
        return False

    def _measure(self, claim: Claim, homeward: Homeward, pause: int = 0) -> None:
        resources, edges = claim.resources, claim.edges
        claim.masks = resources.masks(edges, claim.ground, claim.passed)
        claim.homeward, claim.pause = homeward, pause
        ground = resources.arrived(edges[-1]) if len(edges) > claim.passed else claim.ground
        claim.needs = _from_each(claim.masks, resources.home_need(homeward, ground))
        to_pause = resources.way(() if homeward is None else homeward[:pause], ground)
        claim.needs_to_pause = _from_each(claim.masks, to_pause)
        claim.wants = claim.needs if homeward is not None else _from_each(claim.masks, claim.home)
        end = claim.end
        claim.dead_end = resources.node(end) if end in self._dead_ends else 0
        if self._resources.halved:
            way = (*edges, *(homeward or ()))
            claim.path = resources.masks(way, claim.ground, claim.passed)
            claim.path_needs = _from_each(claim.path, 0)
            claim.turns = tuple(
                (number, resources.arrived(edge))
                for number, (edge, after) in enumerate(pairwise(way), start=1)
                if after.end == edge.start
            )
        self._settle()

    def stretch(self, claim: Claim) -> int:
        """Up to which edge the next grant reaches: a lift or air lock only with the way out."""
        end = claim.granted + 1
        while end < len(claim.edges) and self._resources.is_enclosed(claim.edges[end - 1].end):
            end += 1
        return end

    def grant(self, claim: Claim) -> bool:
        """Grant the next stretch if it is free and safe."""
        end, wanted = self.stretch(claim), self.next_need(claim)
        others = self._occupied & ~claim.held
        if wanted & others or claim.stuck:
            return False
        before = self._lost_now()
        held, granted = claim.held, claim.granted
        claim.held, claim.granted = held | wanted, end
        self._occupied |= wanted
        if claim.need & others:  # else it can finish first of all, and nobody is worse off
            lost = self._count_lost()
            if lost & ~before:
                claim.held, claim.granted = held, granted
                self._occupied = others | held
                return False
            self._lost = lost
        else:
            self._lost = None
        return True

    def take_back(self, claim: Claim, granted: int) -> None:
        """Take back grants that the vehicle has not been told of, down to ``granted`` edges.

        Safe if all was safe before: it can finish whenever it could with them, since nobody else
        has got what is free again.
        """
        claim.granted = max(granted, claim.passed)
        self._settle()

    def could_take(self, claim: Claim, edges: Sequence[Edge]) -> bool:
        """Whether the first stretch of another way is free."""
        end = 1
        while end < len(edges) and self._resources.is_enclosed(edges[end - 1].end):
            end += 1
        granted, ground = claim.granted, claim.ground
        if granted > claim.passed:
            ground = claim.resources.arrived(claim.edges[granted - 1])
        return not claim.resources.way(edges[:end], ground) & self._occupied & ~claim.held

    def pass_to(self, claim: Claim, index: int) -> None:
        """The vehicle has reached the end of its ``index``-th edge (1-based) and frees the rest."""
        claim.passed = index
        claim.stand = claim.edges[index - 1].end
        claim.ground = claim.resources.arrived(claim.edges[index - 1])
        self._settle()

    def stop(
        self, claim: Claim, stand: NodeId, homeward: Homeward, *, keep: Iterable[Edge] = ()
    ) -> None:
        """The way ends here, wherever that is.

        Args:
            keep: edges ahead that it keeps: one if it stands between two nodes, all that it was
                told if it may still drive on.
        """
        if claim.stand != stand:
            whole = claim.resources.node(stand)
            claim.stand, claim.ground = stand, claim.held & whole or whole
        claim.between = claim.resources.way(tuple(keep), claim.ground)
        claim.edges, claim.passed, claim.granted = (), 0, 0
        self._measure(claim, homeward)

    def lost(self) -> int:
        """Those who could not get home any more, as a set of bits; 0 = the table is safe.

        Bit n: number n in order of entry, as long as whoever is stuck stays so. Bits above all of
        these, in the same order: even once all move again. So those whom one that is stuck keeps
        from home don't get into each other's way meanwhile.
        """
        return self._lost_now()

    def set_stuck(self, claim: Claim, stuck: bool) -> None:
        """Count on this vehicle to move, or not."""
        claim.stuck = stuck
        self._lost = None

    def holders(self, claim: Claim) -> list[VehicleId]:
        """Who holds what the vehicle's next stretch needs; none = granting it would not be safe."""
        return [other.vehicle for other in self.holding(claim, self.next_need(claim))]

    def holding(self, claim: Claim, wanted: int) -> list[Claim]:
        """All but ``claim`` that hold any of ``wanted``."""
        return [c for c in self._claims.values() if c is not claim and c.held & wanted]

    def next_need(self, claim: Claim) -> int:
        """What the vehicle's next stretch needs."""
        wanted = 0
        for mask in claim.masks[claim.granted : self.stretch(claim)]:
            wanted |= mask
        return wanted

    def waiting(self) -> list[Claim]:
        """All who lack part of their way, in the order in which they are to be asked."""
        return sorted((c for c in self._claims.values() if c.waiting), key=lambda c: c.rank)

    def everyone(self) -> Iterable[Claim]:
        """All claims, in the order of entry."""
        return self._claims.values()

    def _settle(self) -> None:
        """See what each holds, and who has a berth: nobody else holds or needs it.

        Grants change nothing about berths: they only turn what is needed into what is held.
        """
        occupied = wanted = twice = 0
        for claim in self._claims.values():
            held = claim.ground | claim.between
            for mask in claim.masks[claim.passed : claim.granted]:
                held |= mask
            claim.held = held
            occupied |= held
            mine = held | claim.wants[claim.granted]
            twice |= wanted & mine
            wanted |= mine
        for claim in self._claims.values():
            claim.berth = 0 if claim.dead_end & twice else claim.dead_end
        self._occupied = occupied
        self._lost = None

    def _lost_now(self) -> int:
        if self._lost is None:
            self._lost = self._count_lost()
        return self._lost

    def _count_lost(self) -> int:
        """See `lost`, whose upper half counts only while somebody is stuck."""
        everyone = list(self._claims.values())
        lost = self._unable([claim.need for claim in everyone])
        if any(claim.stuck for claim in everyone):
            lost |= self._unable([c.need_if_moving for c in everyone]) << len(everyone)
        return lost

    def _unable(self, needs: Sequence[int]) -> int:
        """Those who with these needs can't finish even one after another, as a set of bits.

        Where vehicles pass each other, two that have done so would each have to wait for the other
        to be out of its way home: there it is enough if they first get into a room on their way.
        """
        occupied = self._occupied
        numbered = enumerate(zip(self._claims.values(), needs, strict=True))
        left = [(1 << n, claim, need, claim.held, claim.granted) for n, (claim, need) in numbered]
        while True:
            rest: list[_Left] = []
            for one in left:
                others = occupied & ~one[3]
                if one[2] & others:
                    rest.append(one)
                else:
                    occupied = others | (one[1].berth or one[1].home)
            if not rest:
                return 0
            if len(rest) == len(left):
                moved = self._turn_in(rest, occupied) if self._resources.halved else None
                if moved is None:
                    return sum(one[0] for one in rest)
                occupied = moved
            left = rest

    def _turn_in(self, left: list[_Left], occupied: int) -> int | None:
        """Have one of these drive into the next room on its way, where it is in nobody's way.

        Returns:
            What is occupied then; None = nobody can.
        """
        for number, (bit, claim, need, held, index) in enumerate(left):
            turn = next((t for t in claim.turns if t[0] >= index and t[1] != held), None)
            if turn is None or need == NOWHERE:
                continue
            end, ground = turn
            others = occupied & ~held
            if any(mask & others for mask in claim.path[index:end]):
                continue
            wanted = (one[2] for one in left if one[1] is not claim and one[2] != NOWHERE)
            if any(ground & need for need in wanted):
                continue
            left[number] = bit, claim, claim.path_needs[end], ground, end
            return others | ground
        return None


def _from_each(masks: Sequence[int], end: int) -> list[int]:
    """What is needed from each edge on, and ``end`` after the last one."""
    found = [end]
    for mask in reversed(masks):
        found.append(found[-1] | mask)
    found.reverse()
    return found
