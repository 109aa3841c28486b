"""What all importers share: ids that a site file can hold, and the lanes of foreign graphs."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from routing.errors import Fault, SiteError
from routing.geometry import Point
from routing.site import (
    DoorId,
    Lane,
    LaneId,
    Level,
    LevelId,
    Lift,
    LiftId,
    Name,
    Node,
    NodeId,
    Place,
    Site,
)
from routing.sites.file import shape_faults
from routing.sites.marked_yaml import Marked


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A site made from a foreign file, and what a person should know about it."""

    site: Site
    notes: tuple[str, ...]


class Ids:
    """Gives each thing an id that is free: spaces and signs become ``_``, clashes a number."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def free(self, wish: str, otherwise: str) -> str:
        """An id like ``wish``, or like ``otherwise`` if nothing is left of that."""
        stem = (_slug(wish) or _slug(otherwise) or "x")[:80]
        found, number = stem, 1
        while found in self._taken:
            number += 1
            found = f"{stem}_{number}"
        self._taken.add(found)
        return found


class Names:
    """Makes display names differ: the second ``Pantry`` is called ``Pantry (2)``."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def free(self, wish: str) -> Name:
        """A name like ``wish``, the same in both languages."""
        stem = " ".join(wish.split())[:180]
        found, number = stem, 1
        while found.casefold() in self._taken:
            number += 1
            found = f"{stem} ({number})"
        self._taken.add(found.casefold())
        return Name(en=found, zh=found)


def _slug(text: str) -> str:
    return re.sub(r"[\s~@:/+#]+", "_", text).strip("_")


@dataclass(slots=True)
class Way:
    """What a foreign graph says of one direction between two nodes."""

    kinds: set[str] = field(default_factory=set[str])
    speed_limit_m_s: float | None = None
    door: DoorId | None = None
    length_m: float | None = None

    def merge(self, kind: str, speed_limit_m_s: float | None, length_m: float | None) -> None:
        """Add what one more foreign lane says; the lower limit and the longer way count."""
        self.kinds.add(kind)
        if speed_limit_m_s is not None and speed_limit_m_s > 0:
            self.speed_limit_m_s = min(speed_limit_m_s, self.speed_limit_m_s or speed_limit_m_s)
        if length_m is not None:
            self.length_m = max(length_m, self.length_m or 0.0)


Ways = dict[tuple[NodeId, NodeId], Way]


def lanes_of(
    ways: Ways, points: Mapping[NodeId, Point], all_kinds: Iterable[str]
) -> tuple[dict[LaneId, Lane], list[str]]:
    """Lanes for the ways of foreign graphs, and notes on those that could not be kept exactly.

    The two directions of one stretch become one two-way lane if the same kinds may drive both.
    Where there is only one kind, lanes are open to all.
    """
    several = len(set(all_kinds)) > 1
    lanes: dict[LaneId, Lane] = {}
    notes: list[str] = []
    for (start, end), way in ways.items():
        back = ways.get((end, start))
        if back and LaneId(f"{end}~{start}") in lanes:
            if lanes[LaneId(f"{end}~{start}")].two_way:
                continue
            notes.append(
                f"{end} and {start} are joined both ways for different vehicles: kept as two "
                "one-way lanes, so two vehicles may meet there"
            )
        two_way = back is not None and back.kinds == way.kinds
        pair = (way, back) if two_way and back else (way,)
        limits = [w.speed_limit_m_s for w in pair if w.speed_limit_m_s is not None]
        lengths = [w.length_m for w in pair if w.length_m is not None]
        lane = LaneId(f"{start}~{end}")
        lanes[lane] = Lane(
            id=lane,
            start=start,
            end=end,
            length_m=max([points[start].distance_m(points[end]), *lengths]),
            two_way=two_way,
            speed_limit_m_s=min(limits) if limits else None,
            door=way.door,
            kinds=frozenset(way.kinds) if several else frozenset(),
        )
    return lanes, notes


def shafts(lift: Lift, levels: Mapping[LevelId, Level], source: str) -> dict[LaneId, Lane]:
    """The lanes of a lift between all levels that it serves; SiteError if two are level."""
    found: dict[LaneId, Lane] = {}
    for low, high in combinations(lift.cabins, 2):
        height_m = abs(levels[high].elevation_m - levels[low].elevation_m)
        if height_m <= 0:
            what = f"lift {lift.id!r} joins {low} and {high}, which have the same elevation"
            raise SiteError(source, [Fault(0, what, "give each level its elevation in the file")])
        lane = LaneId(f"{lift.id}:{low}-{high}")
        found[lane] = Lane(
            id=lane,
            start=lift.cabins[low],
            end=lift.cabins[high],
            length_m=height_m,
            lift=LiftId(lift.id),
        )
    return found


def in_order(
    nodes: Iterable[Node], places: Iterable[Place], cabins: Iterable[NodeId]
) -> dict[NodeId, Node]:
    """Nodes in the order in which a site file gives them back: by level, places' own nodes last."""
    own = {str(place.id) for place in places}
    cabin_order = {cabin: index for index, cabin in enumerate(cabins)}
    every = list(nodes)
    levels = list(dict.fromkeys(node.level for node in every))

    def rank(node: Node) -> tuple[int, int, bool]:
        if node.id in cabin_order:
            return len(levels), cabin_order[node.id], False
        return levels.index(node.level), 0, str(node.id) in own

    return {node.id: node for node in sorted(every, key=rank)}


M = TypeVar("M", bound=BaseModel)


def validated(model: type[M], marked: Marked, source: str, what: str) -> M:
    """The model that a foreign file holds; SiteError with all faults if it does not fit."""
    if marked.faults:
        raise SiteError(source, marked.faults)
    if not isinstance(marked.data, dict):
        raise SiteError(source, [Fault(1, f"this is no {what}", "choose another file")])
    try:
        return model.model_validate(marked.data)
    except ValidationError as error:
        raise SiteError(source, shape_faults(error, model, marked)) from error


def rounded(point: Point) -> Point:
    """A point to the millimetre: what a person wants to read in a site file."""
    return Point(round(point.x_m, 3), round(point.y_m, 3))


Transform = Callable[[float, float], Point]
