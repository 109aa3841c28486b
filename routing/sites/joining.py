"""From a site file: what joins things that stand somewhere, as places, lanes and lifts do."""

from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise

from routing.site import (
    DoorId,
    Lane,
    LaneId,
    LevelId,
    Lift,
    LiftId,
    NodeId,
    Place,
    PlaceId,
    Room,
)
from routing.sites.draft import Draft, name_of
from routing.sites.file import LevelFile, LiftFile, PassengersFile, PlaceFile, SiteFile, WindowFile
from routing.sites.marked_yaml import Step
from routing.windows import PassengersFirst, Window, faults


class Joining:
    """Draws lanes between nodes that are there."""

    def __init__(self, file: SiteFile, draft: Draft) -> None:
        self._file = file
        self._draft = draft

    def join(self, level: LevelId, file: LevelFile) -> None:
        """The places and lanes of one level."""
        draft = self._draft
        for key, place in file.places.items():
            self._place(key, level, place)
        for index, lane in enumerate(file.lanes):
            path = ("levels", level, "lanes", index)
            door = draft.door(lane.door, level, (*path, "door"))
            windows = self._windows(lane.windows, path)
            if lane.length_m is not None and len(lane.path) > 2:
                remedy = "write one lane for each pair of nodes, each with its length"
                draft.fault(path, "length_m is given for a chain of lanes", remedy)
            known = [
                (node, draft.knows_node(node, level, (*path, "path", step)))
                for step, node in enumerate(lane.path)
            ]
            for (start, start_known), (end, end_known) in pairwise(known):
                if start_known and end_known:
                    self._lane(
                        NodeId(start),
                        NodeId(end),
                        path,
                        two_way=not lane.one_way,
                        width_m=lane.width_m,
                        speed_limit_m_s=lane.speed_limit_m_s,
                        door=door,
                        kinds=frozenset(lane.kinds),
                        length_m=lane.length_m,
                        windows=windows,
                        passing=lane.passing,
                    )

    def _place(self, key: str, level: LevelId, file: PlaceFile) -> None:
        draft = self._draft
        path = ("levels", level, "places", key)
        if not draft.is_new("place", key, draft.places, path):
            return
        if (file.at is None) == (file.node is None):
            remedy = "write at: [x, y] for a new node, or node: c1 for one that is there"
            draft.fault(path, f"place {key!r} needs one of at and node", remedy)
            return
        if file.node is not None:
            if file.node != key and key in draft.nodes:
                what = f"place {key!r} has the id of a node that is not its own"
                draft.fault(path, what, "rename one of the two")
            if not draft.knows_node(file.node, level, (*path, "node")):
                return
        own = NodeId(file.node or key)
        if own not in draft.nodes:
            return
        draft.places[PlaceId(key)] = Place(
            id=PlaceId(key),
            name=name_of(file.name),
            node=own,
            kind=file.kind,
            roles=frozenset(file.roles),
            service_s=file.service_s,
            workcell=draft.workcell(file.workcell, level, (*path, "workcell")),
        )
        door = draft.door(file.door, level, (*path, "door"))
        if file.door and not file.joins:
            remedy = "the door stands on the way to a node that it joins; give joins"
            draft.fault(path, f"place {key!r} has a door but joins nothing", remedy)
        for index, other in enumerate(file.joins):
            where = (*path, "joins", index)
            if draft.knows_node(other, level, where):
                self._lane(own, NodeId(other), where, door=door)

    def lift(self, lift: LiftId, file: LiftFile) -> Lift:
        """A lift, the lanes to its cabins and those between them."""
        draft = self._draft
        for level, others in file.joins.items():
            path = ("lifts", lift, "joins", level)
            if level not in file.cabins:
                what = f"lift {lift!r} joins nodes on {level!r}, where it has no cabin"
                draft.fault(path, what, f"add {level} to its cabins or remove it here")
                continue
            cabin = NodeId(f"{lift}@{level}")
            for index, other in enumerate(others):
                where = (*path, index)
                if cabin in draft.nodes and draft.knows_node(other, LevelId(level), where):
                    self._lane(cabin, NodeId(other), where)
        cabins = {
            LevelId(level): NodeId(f"{lift}@{level}")
            for level in file.cabins
            if level in self._file.levels
        }
        for low, high in combinations(cabins, 2):
            self._shaft(lift, low, high, cabins)
        return Lift(
            id=lift,
            name=name_of(file.name),
            cabins=cabins,
            speed_m_s=file.speed_m_s,
            door_s=file.door_s,
            windows=self._windows(file.windows, ("lifts", lift)),
            passengers=_passengers(file.passengers),
            room=file.room and Room(**file.room.model_dump()),
        )

    def _shaft(
        self, lift: LiftId, low: LevelId, high: LevelId, cabins: Mapping[LevelId, NodeId]
    ) -> None:
        draft = self._draft
        levels = self._file.levels
        height_m = abs(levels[high].elevation_m - levels[low].elevation_m)
        if height_m <= 0:
            what = f"lift {lift!r} joins {low} and {high}, which have the same elevation"
            draft.fault(("lifts", lift), what, "correct elevation_m of one of the levels")
            return
        lane = LaneId(f"{lift}:{low}-{high}")
        draft.lines["lane", lane] = draft.line("lifts", lift)
        draft.lanes[lane] = Lane(
            id=lane, start=cabins[low], end=cabins[high], length_m=height_m, lift=lift
        )

    def _lane(
        self,
        start: NodeId,
        end: NodeId,
        path: Sequence[Step],
        *,
        two_way: bool = True,
        width_m: float = 2.0,
        speed_limit_m_s: float | None = None,
        door: DoorId | None = None,
        kinds: frozenset[str] = frozenset(),
        length_m: float | None = None,
        windows: tuple[Window, ...] = (),
        passing: bool = False,
    ) -> None:
        draft = self._draft
        straight_m = draft.nodes[start].point.distance_m(draft.nodes[end].point)
        if start == end or straight_m <= 0:
            what = f"the lane from {start} to {end} has no length"
            draft.fault(path, what, "move one of its ends, or remove the lane")
            return
        if length_m is not None and length_m < straight_m * 0.99:
            what = (
                f"the lane from {start} to {end} is {straight_m:.2f} m straight, not {length_m:g} m"
            )
            draft.fault(path, what, "correct length_m or leave it out")
        lane = LaneId(f"{start}~{end}")
        back = draft.lanes.get(LaneId(f"{end}~{start}"))
        if lane in draft.lanes or (back and (two_way or back.two_way)):
            first = draft.lines["lane", lane if lane in draft.lanes else f"{end}~{start}"]
            what = f"{start} and {end} are joined twice (first on line {first})"
            draft.fault(path, what, "remove one of the two lanes")
            return
        draft.lines["lane", lane] = draft.line(*path)
        draft.lanes[lane] = Lane(
            id=lane,
            start=start,
            end=end,
            length_m=length_m if length_m is not None else straight_m,
            two_way=two_way,
            width_m=width_m,
            speed_limit_m_s=speed_limit_m_s,
            door=door,
            kinds=kinds,
            windows=windows,
            passing=passing,
        )

    def _windows(self, files: Sequence[WindowFile], path: Sequence[Step]) -> tuple[Window, ...]:
        windows = tuple(
            Window(only=frozenset(file.only), from_s=file.from_, to_s=file.to) for file in files
        )
        for what, remedy in faults(windows):
            self._draft.fault((*path, "windows"), what, remedy)
        return windows


def _passengers(file: PassengersFile | None) -> PassengersFirst | None:
    return None if file is None else PassengersFirst(share=file.share, hours=tuple(file.hours))
