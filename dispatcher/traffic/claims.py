"""Who holds which nodes, lanes and lifts, granted so that everyone can still get home.

By the banker's rule (`banker.py`) a vehicle is granted its next stretch only if afterwards all
could, one after another, drive the rest of their ways and go home, while the others stand where
they are. So no set of vehicles ever waits for one another. Homes are private and no way leads
through them, which makes the start of a day, everybody at home, such a state.

A berth is as good as home: a dead end where a way ends, as long as no other vehicle holds it or
needs it. Who can get there need not get home as well: nobody waits for it to leave. As soon as
another asks for a way there, its own way home counts again, and the other is let in only if that
can be driven. When all are in their homes and berths any of them can be given a way, so nobody
is kept in one for ever.
"""

from collections.abc import Callable, Iterable, Sequence

from dispatcher.traffic.banker import count_lost
from dispatcher.traffic.claim import Claim
from dispatcher.traffic.resources import Homeward, Resources, union
from fleet.vehicle import VehicleId
from routing.site import Edge, LiftId, NodeId


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
        return self._is_safe(claim, lambda: self.force(claim, edges, homeward))

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

        def change() -> None:
            claim.edges = (*claim.edges[: claim.granted], *tail)
            self._measure(claim, homeward)

        return self._is_safe(claim, change)

    def rehome(self, claim: Claim, homeward: Homeward, *, pause: int = 0) -> bool:
        """Count on another way home from now on, if that is safe; False = it stays as it was.

        Args:
            pause: after so many edges of it, it could stay if that is a berth.
        """
        return self._is_safe(claim, lambda: self._measure(claim, homeward, pause))

    def _is_safe(self, claim: Claim, change: Callable[[], None]) -> bool:
        """Make a change that leads to new measures, unless somebody would be lost by it."""
        before, state = self.lost(), claim.state()
        change()
        if not self.lost() & ~before:
            return True
        claim.restore(state)
        self._settle(claim)
        self._lost = before
        return False

    def _measure(self, claim: Claim, homeward: Homeward, pause: int = 0) -> None:
        claim.homeward, claim.pause = homeward, pause
        claim.measure(self._dead_ends, halved=self._resources.halved)
        self._settle(claim)

    def stretch(self, claim: Claim) -> int:
        """Up to which edge the next grant reaches: a lift or air lock only with the way out."""
        return claim.needs.stretches[claim.granted]

    def grant(self, claim: Claim, end: int | None = None) -> bool:
        """Grant the next stretch if it is free and safe.

        Args:
            end: grant up to this edge instead, even if that is inside a lift.
        """
        end = self.stretch(claim) if end is None else end
        wanted = union(claim.needs.masks[claim.granted : end])
        others = self._occupied & ~claim.held
        if wanted & others or claim.stuck:
            return False
        before = self.lost()
        held, granted = claim.held, claim.granted
        claim.held, claim.granted = held | wanted, end
        claim.weigh()
        self._occupied |= wanted
        if claim.need & others:  # else it can finish first of all, and nobody is worse off
            lost = self._count_lost()
            if lost & ~before:
                claim.held, claim.granted = held, granted
                claim.weigh()
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
        self._settle(claim)

    def could_take(self, claim: Claim, edges: Sequence[Edge]) -> bool:
        """Whether the first stretch of another way is free."""
        first = edges[: self._resources.stretches(edges)[0]]
        granted, ground = claim.granted, claim.ground
        if granted > claim.passed:
            ground = claim.resources.arrived(claim.edges[granted - 1])
        return not claim.resources.way(first, ground) & self._occupied & ~claim.held

    def pass_to(self, claim: Claim, index: int) -> None:
        """The vehicle has reached the end of its ``index``-th edge (1-based) and frees the rest."""
        claim.passed = index
        claim.stand = claim.edges[index - 1].end
        claim.ground = claim.resources.arrived(claim.edges[index - 1])
        self._settle(claim)

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

        Bit n: number n in order of entry; see `count_lost`.
        """
        if self._lost is None:
            self._lost = self._count_lost()
        return self._lost

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

    def is_free(self, claim: Claim, bits: int) -> bool:
        """Whether nobody else holds any of these."""
        return not bits & self._occupied & ~claim.held

    def places(self, lift: LiftId) -> tuple[int, ...]:
        """The places in the cabin of a lift with room."""
        return self._resources.places[lift]

    def find(self, claim: Claim, ground: int) -> None:
        """It turns out what a vehicle really holds of the node on which it stands."""
        claim.ground = ground
        self._measure(claim, claim.homeward, claim.pause)

    def next_need(self, claim: Claim) -> int:
        """What the vehicle's next stretch needs."""
        return union(claim.needs.masks[claim.granted : self.stretch(claim)])

    def waiting(self) -> list[Claim]:
        """All who lack part of their way, in the order in which they are to be asked."""
        found = [c for c in self._claims.values() if c.granted < len(c.edges)]
        found.sort(key=lambda claim: claim.rank)
        return found

    def everyone(self) -> Iterable[Claim]:
        """All claims, in the order of entry."""
        return self._claims.values()

    def _settle(self, changed: Claim) -> None:
        """See what one holds, and who has a berth now: nobody else holds or needs it.

        Grants change nothing about berths: they only turn what is needed into what is held.
        """
        changed.settle()
        occupied = wanted = twice = 0
        for claim in self._claims.values():
            staked = claim.staked
            occupied |= claim.held
            twice |= wanted & staked
            wanted |= staked
        for claim in self._claims.values():
            dead_end = claim.needs.dead_end
            berth = 0 if dead_end & twice else dead_end
            if claim.berth != berth or claim is changed:
                claim.berth = berth
                claim.weigh()
        self._occupied = occupied
        self._lost = None

    def _count_lost(self) -> int:
        return count_lost(self._claims.values(), self._occupied, halved=self._resources.halved)
