"""Who gets which place in a cabin with room, and who may ride before its way out is free."""

from collections.abc import Iterable, Mapping

from dispatcher.traffic.cabins import Cabins
from dispatcher.traffic.claim import Claim
from dispatcher.traffic.claims import Claims
from dispatcher.traffic.resources import union
from routing.geometry import Point
from routing.roads.cabins import Cabin
from routing.site import Edge, LiftId, NodeId


class Boarding:
    """Grants by the banker's rule, and chooses places in cabins where that rule leaves a choice.

    Args:
        cabins: those with room, by their nodes.
    """

    def __init__(self, claims: Claims, cabins: Mapping[NodeId, Cabin]) -> None:
        self._claims, self._cabins = claims, cabins

    def in_turn(self, waiting: Iterable[Claim]) -> Iterable[Claim]:
        """Those who wait, whoever stands in a cabin with room first: others wait for it to go."""
        if not self._cabins:
            return waiting
        return sorted(waiting, key=lambda claim: claim.stand not in self._cabins)

    def leaves(self, claim: Claim) -> bool:
        """Whether its next edge leads on from within a cabin with room: nobody is kept there."""
        return claim.edges[claim.granted].start in self._cabins

    def grant(self, claim: Claim) -> bool:
        """Grant the next stretch if it is free and safe.

        A lift is granted together with the way out of it. In one with room it is enough if those
        who are in the way have places in it, too: they leave it before, or come in.
        """
        lift, cabins = self._enters(claim), claim.resources
        if lift is None or not isinstance(cabins, Cabins):
            return self._claims.grant(claim)
        if self._claims.grant(claim):
            return True
        if self._claims.is_free(claim, cabins.own(lift)):
            return self._follow(claim, lift)
        free = [bit for bit in cabins.places[lift] if self._claims.is_free(claim, bit)]
        return any(
            self.move(claim, cabins, lift, bit)
            and (self._claims.grant(claim) or self._follow(claim, lift))
            for bit in free
        )

    def shares(self, claim: Claim, node: NodeId) -> bool:
        """Whether others have places in the lift that a node is in."""
        cabin = self._cabins.get(node)
        if cabin is None:
            return False
        return bool(self._claims.holding(claim, sum(self._claims.places(cabin.lift.id))))

    def left(self, claim: Claim, node: NodeId) -> None:
        """It has left a cabin; if nobody knew its place there, it needs but one again."""
        cabin, cabins = self._cabins.get(node), claim.resources
        if cabin is None or claim.stand in self._cabins or not isinstance(cabins, Cabins):
            return
        for bit in cabins.places.get(cabin.lift.id, ()):
            if cabins.own(cabin.lift.id) not in cabins.places[cabin.lift.id]:
                self.move(claim, cabins, cabin.lift.id, bit)

    # --- after a restart, when nobody knows which place was told ---

    def keep(self, claim: Claim, told: Iterable[Edge]) -> None:
        """A former process told it to drive into cabins: it has all places there that are free."""
        cabins = claim.resources
        for edge in told:
            cabin = self._cabins.get(edge.end)
            if cabin is None or not isinstance(cabins, Cabins) or edge.start in self._cabins:
                continue
            places = cabins.places.get(cabin.lift.id)
            if places is not None:
                free = sum(bit for bit in places if self._claims.is_free(claim, bit))
                cabins.take(cabin.lift.id, free or sum(places))

    def find(self, claim: Claim, point: Point) -> bool:
        """It says where it stands; whether that tells which place of a cabin it has."""
        cabin, cabins = self._cabins.get(claim.stand), claim.resources
        if cabin is None or not isinstance(cabins, Cabins) or cabins.alone:
            return False
        places = cabins.places.get(cabin.lift.id)
        if places is None or cabins.own(cabin.lift.id) in places:
            return False
        ground = cabins.find(claim.stand, point)
        if ground not in places:
            return False
        self._claims.find(claim, ground)
        return True

    def choose(self) -> None:
        """Have those who are in no cabin yet count on places with which they get home."""
        for number, claim in enumerate(self._claims.everyone()):
            cabins = claim.resources
            if not isinstance(cabins, Cabins):
                continue
            for lift, places in cabins.places.items():
                for bit in places:
                    if self._claims.lost() >> number & 1 and not claim.held & sum(places):
                        self.move(claim, cabins, lift, bit)

    # --- choosing ---

    def _enters(self, claim: Claim) -> LiftId | None:
        """The lift that its next edge leads into, if it can share it and has no place there yet."""
        edge, cabins = claim.edges[claim.granted], claim.resources
        cabin = self._cabins.get(edge.end)
        if cabin is None or edge.start in self._cabins or not isinstance(cabins, Cabins):
            return None
        lift = cabin.lift.id
        if cabins.alone or lift not in cabins.places or claim.held & sum(cabins.places[lift]):
            return None
        return lift

    def move(self, claim: Claim, cabins: Cabins, lift: LiftId, bit: int) -> bool:
        """Count on another place, if that is safe."""
        before = cabins.own(lift)
        cabins.take(lift, bit)
        if self._claims.rehome(claim, claim.homeward, pause=claim.pause):
            return True
        cabins.take(lift, before)
        return False

    def _follow(self, claim: Claim, lift: LiftId) -> bool:
        """Grant only the way into the lift and the ride, if riders of it are in the way out."""
        end, whole = claim.granted + 1, self._claims.stretch(claim)
        while end < whole and claim.edges[end].end in self._cabins:
            end += 1
        places = sum(self._claims.places(lift))
        need = union(claim.needs.masks[end:whole])
        in_the_way = self._claims.holding(claim, need & ~claim.held)
        riders = bool(in_the_way) and all(
            other.held & places and not other.stuck for other in in_the_way
        )
        return riders and end < whole and self._claims.grant(claim, end)
