"""Which zone a spot lies in."""

from collections.abc import Iterable

from shapely import Point as ShapelyPoint
from shapely import Polygon

from routing.geometry import Point
from routing.site import Area, LevelId, Zone


class ZoneMap:
    """The zones that areas give to the spots within them."""

    def __init__(self, areas: Iterable[Area] = ()) -> None:
        self._rings: dict[LevelId, list[tuple[Polygon, Zone]]] = {}
        for area in areas:
            self.add(area)

    def add(self, area: Area) -> bool:
        """Take one more area; False if its outline is no polygon."""
        ring = Polygon([(point.x_m, point.y_m) for point in area.outline])
        sound = bool(ring.is_valid and ring.area > 0)
        if sound:
            self._rings.setdefault(area.level, []).append((ring, area.zone))
        return sound

    def at(self, level: LevelId, point: Point) -> Zone:
        """The zone of the smallest area around a spot; clean where there is none."""
        spot = ShapelyPoint(point.x_m, point.y_m)
        rings = self._rings.get(level, ())
        around = [(ring.area, zone) for ring, zone in rings if ring.covers(spot)]
        return min(around)[1] if around else Zone.CLEAN
