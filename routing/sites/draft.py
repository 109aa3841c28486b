"""A site while it is being built: what is there, by which line, and what does not fit."""

from collections.abc import Callable, Container, Iterable, Sequence
from difflib import get_close_matches

from routing.errors import Fault
from routing.geometry import Point
from routing.site import (
    Area,
    Door,
    DoorId,
    Lane,
    LaneId,
    LevelId,
    Name,
    Node,
    NodeId,
    Place,
    PlaceId,
    Workcell,
    WorkcellId,
)
from routing.sites.file import NameFile
from routing.sites.marked_yaml import Step
from routing.sites.zone_map import ZoneMap

Spot = tuple[float, float]
LineOf = Callable[..., int]
Key = tuple[str, str]
"""What a line belongs to: ``("place", "pharmacy")``."""


class Draft:
    """Things found so far, each id once, and faults with their lines.

    Args:
        line: gives the line of a path in the text.
        lost: ids that were dropped for a fault of their own; None = any id may be one.
    """

    def __init__(self, line: LineOf, lost: frozenset[str] | None) -> None:
        self.faults: list[Fault] = []
        self.lines: dict[Key, int] = {}
        self.line = line
        self.lost = lost
        self.nodes: dict[NodeId, Node] = {}
        self.lanes: dict[LaneId, Lane] = {}
        self.places: dict[PlaceId, Place] = {}
        self.doors: dict[DoorId, Door] = {}
        self.workcells: dict[WorkcellId, Workcell] = {}
        self.areas: dict[str, Area] = {}
        self.zones = ZoneMap()

    def is_new(self, kind: str, key: str, known: Container[str], path: Sequence[Step]) -> bool:
        """Note an id with its line; False = it is there already."""
        if key in known:
            what = f"the {kind} {key!r} is there already (line {self.lines[kind, key]})"
            self.fault(path, what, "ids are unique over the whole site; rename one of the two")
            return False
        self.lines[kind, key] = self.line(*path)
        return True

    def knows_node(self, key: str, level: LevelId, path: Sequence[Step]) -> bool:
        """Whether a node is there, and on this level."""
        node = self.nodes.get(NodeId(key))
        if node is None:
            self.unknown(path, "node", key, self.nodes)
            return False
        if node.level != level:
            what = f"node {key!r} is on level {node.level}, not on {level}"
            self.fault(path, what, "only lifts join levels; correct the id")
            return False
        return True

    def door(self, key: str | None, level: LevelId, path: Sequence[Step]) -> DoorId | None:
        """A door by its id; None = there is none, or no such."""
        if key is None:
            return None
        door = self.doors.get(DoorId(key))
        if door is None:
            self.unknown(path, "door", key, self.doors)
            return None
        if door.level != level:
            what = f"door {key!r} is on level {door.level}, not on {level}"
            self.fault(path, what, "correct the id, or move the door to this level")
        return door.id

    def workcell(self, key: str | None, level: LevelId, path: Sequence[Step]) -> WorkcellId | None:
        """A workcell by its id; None = there is none, or no such."""
        if key is None:
            return None
        cell = self.workcells.get(WorkcellId(key))
        if cell is None:
            self.unknown(path, "workcell", key, self.workcells)
            return None
        if cell.level != level:
            what = f"workcell {key!r} is on level {cell.level}, not on {level}"
            self.fault(path, what, "correct the id, or move the workcell to this level")
        return cell.id

    def unknown(self, path: Sequence[Step], kind: str, key: str, known: Iterable[str]) -> None:
        """Nothing has this id; said unless it may have been dropped."""
        if self.lost is None or key in self.lost:
            return
        close = get_close_matches(key, list(known), n=1)
        remedy = f"did you mean {close[0]!r}?" if close else "define it or correct the id"
        self.fault(path, f"there is no {kind} {key!r}", remedy)

    def fault(self, path: Sequence[Step], what: str, remedy: str) -> None:
        """Something is wrong at a path."""
        self.faults.append(Fault(self.line(*path), what, remedy))


def name_of(file: NameFile) -> Name:
    """A name in both languages."""
    return Name(en=file.en, zh=file.zh)


def points(ring: Iterable[Spot]) -> tuple[Point, ...]:
    """Spots of a file as points."""
    return tuple(Point(*spot) for spot in ring)
