"""From a site file: what stands somewhere, as areas, doors, workcells and nodes do."""

from collections.abc import Sequence

from routing.geometry import Point
from routing.site import Area, Door, DoorId, LevelId, Node, NodeId, Workcell, WorkcellId, Zone
from routing.sites.draft import Draft, Spot, name_of, points
from routing.sites.file import AreaFile, LevelFile, LiftFile, SiteFile, WorkcellFile
from routing.sites.marked_yaml import Step


class Standing:
    """Puts things where the file says that they stand."""

    def __init__(self, file: SiteFile, draft: Draft) -> None:
        self._file = file
        self._draft = draft

    def stand(self, level: LevelId, file: LevelFile) -> None:
        """All that stands on one level."""
        draft = self._draft
        for index, area in enumerate(file.areas):
            self._area(level, index, area)
        for key, door in file.doors.items():
            if draft.is_new("door", key, draft.doors, ("levels", level, "doors", key)):
                draft.doors[DoorId(key)] = Door(
                    id=DoorId(key), name=name_of(door.name), level=level, opening_s=door.opening_s
                )
        for key, cell in file.workcells.items():
            self._workcell(key, level, cell)
        for key, node in file.nodes.items():
            self._node(key, level, node.at, node.zone, ("levels", level, "nodes", key))
        for key, place in file.places.items():
            if place.at is not None:
                self._node(key, level, place.at, place.zone, ("levels", level, "places", key))

    def _workcell(self, key: str, level: LevelId, file: WorkcellFile) -> None:
        draft = self._draft
        path, id_ = ("levels", level, "workcells", key), WorkcellId(key)
        if not draft.is_new("workcell", key, draft.workcells, path):
            return
        if file.limit_s <= file.handover_s:
            what = f"workcell {key!r} may take {file.limit_s:g} s and takes {file.handover_s:g} s"
            draft.fault((*path, "limit_s"), what, "raise limit_s well above handover_s")
        draft.workcells[id_] = Workcell(
            id=id_,
            name=name_of(file.name),
            level=level,
            dispenses="dispenses" in file.does,
            ingests="ingests" in file.does,
            handover_s=file.handover_s,
            limit_s=file.limit_s,
        )

    def _area(self, level: LevelId, index: int, file: AreaFile) -> None:
        draft = self._draft
        path = ("levels", level, "areas", index)
        if (file.rect is None) == (file.outline is None):
            remedy = "give it either rect: [x0, y0, x1, y1] or outline: [[x, y], ...]"
            draft.fault(path, f"area {file.id!r} needs one shape", remedy)
            return
        if not draft.is_new("area", file.id, draft.areas, path):
            return
        outline = points(file.outline or _corners(file.rect or (0, 0, 0, 0)))
        area = Area(
            id=file.id,
            name=name_of(file.name),
            level=level,
            kind=file.kind,
            zone=Zone[file.zone.upper()],
            outline=outline,
        )
        draft.areas[file.id] = area
        if not draft.zones.add(area):
            remedy = "give the corners in order, without crossing lines"
            draft.fault(path, f"the outline of area {file.id!r} is no polygon", remedy)

    def _node(
        self, key: str, level: LevelId, at: Spot, zone: str | None, path: Sequence[Step]
    ) -> None:
        draft = self._draft
        if not draft.is_new("node", key, draft.nodes, path):
            return
        point = Point(*at)
        found = Zone[zone.upper()] if zone else draft.zones.at(level, point)
        draft.nodes[NodeId(key)] = Node(id=NodeId(key), level=level, point=point, zone=found)

    def cabins(self, key: str, lift: LiftFile) -> None:
        """The nodes in the cabins of a lift, one on each level; after all levels."""
        draft = self._draft
        draft.lines["lift", key] = draft.line("lifts", key)
        for level, at in lift.cabins.items():
            path = ("lifts", key, "cabins", level)
            if level in self._file.levels:
                self._node(f"{key}@{level}", LevelId(level), at, lift.zone, path)
            elif draft.lost is not None:
                draft.unknown(path, "level", level, self._file.levels)
        if len(lift.cabins) < 2:
            what = f"lift {key!r} serves {len(lift.cabins)} level(s)"
            draft.fault(("lifts", key), what, "give it cabins on two levels or more, or remove it")


def _corners(rect: tuple[float, float, float, float]) -> list[Spot]:
    x0, y0, x1, y1 = rect
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
