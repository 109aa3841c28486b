"""One vehicle's stake: where it stands, its way, and what it needs to finish it and get home."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dispatcher.traffic.resources import NOWHERE, Homeward, Resources, union
from fleet.vehicle import VehicleId
from routing.site import Edge, NodeId


@dataclass(frozen=True, slots=True)
class Needs:
    """What a way and the way home from its end need; worked out once, when it is given.

    All but ``masks`` and ``dead_end`` say it from each edge on and once more for the end: index n
    is what is still needed when n edges are behind or granted.
    """

    masks: Sequence[int] = ()
    """What each edge needs."""
    stretches: Sequence[int] = (1,)
    """Up to which edge the next grant reaches."""
    to_home: Sequence[int] = (0,)
    """Way home included."""
    to_stay: Sequence[int] = (0,)
    """Only as far as where it could stay."""
    ever: Sequence[int] = (0,)
    """What it will ever need, its home included: nobody else's berth."""
    dead_end: int = 0
    """The bit of the dead end where it could stay; 0 = it is none."""
    path: Sequence[int] = ()
    """What each edge needs, those of its way home included; only where vehicles pass each other,
    like the next two."""
    path_on: Sequence[int] = (0,)
    """The same from each of these edges on."""
    turns: Sequence[tuple[int, int]] = ()
    """Where it turns round in a room: edges behind it, and what it holds there."""


State = tuple[tuple[Edge, ...], int, int, int, Homeward, int, Needs]
"""All that a new way changes about a claim."""


@dataclass(slots=True)
class Claim:
    """One vehicle's entry in the table: what it holds, and what others must leave it."""

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
    homeward: Homeward = None
    """From the end of its way, or from where it stands: what all others count on."""
    pause: int = 0
    """So many edges of the way home lead to where it could stay instead, if that is a berth."""
    needs: Needs = Needs()
    berth: int = 0
    """The bit of the berth where its way can end for all others; 0 = it is to go home."""
    need_if_moving: int = 0
    """What it lacks to get to its berth or home, once it is not stuck any more."""
    held: int = 0
    staked: int = 0
    """All that it holds or will ever need."""
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

    def weigh(self) -> None:
        """See what it lacks, after any change of its way, its grants or its berth."""
        needs = self.needs
        self.need_if_moving = (needs.to_stay if self.berth else needs.to_home)[self.granted]

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

    def state(self) -> State:
        """What `restore` takes back."""
        return (
            self.edges,
            self.passed,
            self.granted,
            self.between,
            self.homeward,
            self.pause,
            self.needs,
        )

    def restore(self, state: State) -> None:
        """Undo a change of its way."""
        (
            self.edges,
            self.passed,
            self.granted,
            self.between,
            self.homeward,
            self.pause,
            self.needs,
        ) = state

    def measure(self, dead_ends: Collection[NodeId], *, halved: bool) -> None:
        """Work out what its way and its way home need.

        Args:
            dead_ends: nodes where it could stay.
            halved: vehicles pass each other somewhere.
        """
        resources, edges, homeward = self.resources, self.edges, self.homeward
        masks = resources.masks(edges, self.ground, self.passed)
        ground = resources.arrived(edges[-1]) if len(edges) > self.passed else self.ground
        home = [] if homeward is None else resources.home_masks(homeward, ground)
        to_home = _from_each(masks, NOWHERE if homeward is None else union(home))
        stay = resources.way(() if homeward is None else homeward[: self.pause], ground)
        end, path, turns = self.end, list[int](), list[tuple[int, int]]()
        if halved:
            way = (*edges, *(homeward or ()))
            path = [*masks, *home]
            turns = [
                (number, resources.arrived(edge))
                for number, (edge, after) in enumerate(pairwise(way), start=1)
                if after.end == edge.start
            ]
        self.needs = Needs(
            masks=masks,
            stretches=resources.stretches(edges),
            to_home=to_home,
            to_stay=_from_each(masks, stay),
            ever=to_home if homeward is not None else _from_each(masks, self.home),
            dead_end=resources.node(end) if end in dead_ends else 0,
            path=path,
            path_on=_from_each(path, 0),
            turns=turns,
        )

    def settle(self) -> None:
        """See what it holds, after any change but a grant."""
        held = self.ground | self.between
        for mask in self.needs.masks[self.passed : self.granted]:
            held |= mask
        self.held = held
        self.staked = held | self.needs.ever[self.granted]


def _from_each(masks: Sequence[int], end: int) -> list[int]:
    """What is needed from each edge on, and ``end`` after the last one."""
    found = [end]
    for mask in reversed(masks):
        found.append(found[-1] | mask)
    found.reverse()
    return found
