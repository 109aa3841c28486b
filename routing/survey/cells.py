"""Cells: an area that bends is cut at its bends, so that each part has a direction of its own.

Two ways to cut: what saves most by a price, a few steps ahead; and the shortest cut at each bend,
which suits corridors, where a single cut saves nothing.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import shapely
from shapely import LineString, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient
from shapely.ops import split

from routing.survey.air import polygons
from routing.survey.case import Spot

MOST_CELLS = 8
MOST_LOST = 0.05
"""A cut may make a cell's price larger by this share."""
SMALLEST_SHARE = 0.02
"""A cut that leaves less than this share of a cell on one side isn't tried."""

PATIENCE = 2
"""So many numbers of cells without gain end the search for more."""
BEAM = 4
"""So many ways to cut are kept at each number of cells."""

Price = Callable[[BaseGeometry], float]
Cells = tuple[BaseGeometry, ...]


def partitions(area: BaseGeometry, price: Price) -> list[Cells]:
    """The area in one, in two, in three ... cells, for each number in the best ways found.

    Args:
        price: about how long a cell takes. A cut that makes the sum larger by a little is made
            too, for the next one may make up for it.
    """
    beam: list[tuple[_Cell, ...]] = [(_Cell(area, price),)]
    found: list[Cells] = [(area,), *at_all_bends(area)]
    best, worse = beam[0][0].price, 0
    while len(beam[0]) < MOST_CELLS and worse < PATIENCE:
        wider: dict[tuple[float, ...], tuple[_Cell, ...]] = {}
        for cells in beam:
            for n, cell in enumerate(cells):
                for parts in cell.best_cuts():
                    cut = (*cells[:n], *parts, *cells[n + 1 :])
                    wider.setdefault(tuple(sorted(round(each.price) for each in cut)), cut)
        beam = sorted(wider.values(), key=_sum)[:BEAM]
        if not beam:
            break
        worse = 0 if _sum(beam[0]) < best else worse + 1
        best = min(best, _sum(beam[0]))
        found += [tuple(cell.shape for cell in cells) for cells in beam]
    return found


def at_all_bends(area: BaseGeometry) -> list[Cells]:
    """The area after one, two, three ... shortest cuts at its reflex corners."""
    cells, found = [area], list[Cells]()
    while len(cells) < MOST_CELLS:
        cuts = [(cut.length_m, n, cut) for n, cell in enumerate(cells) for cut in _cuts(cell)]
        if not cuts:
            break
        _, n, cut = min(cuts, key=lambda each: each[:2])
        cells[n : n + 1] = cut.parts
        found.append(tuple(cells))
    return found


class _Cell:
    """A cell with its price; its cuts are looked for once."""

    def __init__(self, shape: BaseGeometry, price: Price) -> None:
        self.shape, self.price = shape, price(shape)
        self._price_of = price
        self._best: list[tuple[_Cell, ...]] | None = None

    def best_cuts(self) -> "list[tuple[_Cell, ...]]":
        """The best ways to cut it in two that don't cost much more than the whole."""
        if self._best is None:
            found: dict[Spot, tuple[_Cell, ...]] = {}
            for cut in _cuts(self.shape):
                parts = tuple(_Cell(part, self._price_of) for part in cut.parts)
                if cut.corner not in found or _sum(parts) < _sum(found[cut.corner]):
                    found[cut.corner] = parts
            fair = [cut for cut in found.values() if _sum(cut) <= (1 + MOST_LOST) * self.price]
            self._best = sorted(fair, key=_sum)[:BEAM]
        return self._best


def _sum(cells: "tuple[_Cell, ...]") -> float:
    return sum(cell.price for cell in cells)


class _Cut(NamedTuple):
    """A cell in two parts."""

    corner: Spot
    length_m: float
    parts: list[BaseGeometry]


def _cuts(cell: BaseGeometry) -> list[_Cut]:
    """A cell in two parts, in many ways that begin at a reflex corner of its outline."""
    if not isinstance(cell, Polygon):
        return []
    whole = orient(Polygon(cell.exterior))
    corners = [(x, y) for x, y in whole.exterior.coords[:-1]]
    reflex = [n for n in range(len(corners)) if _is_reflex(corners, n)]
    found: list[_Cut] = []
    for n in reflex:
        here, before, after = corners[n], corners[n - 1], corners[(n + 1) % len(corners)]
        aims = [_beyond(before, here), _beyond(after, here), _halving(before, here, after)]
        aims += [corner for corner in corners if corner not in (before, here, after)]
        parted = [_parted(cell, whole, here, aim) for aim in aims]
        found += [cut for cut in parted if cut is not None]
    return found


def _parted(cell: Polygon, whole: Polygon, here: Spot, aim: Spot) -> _Cut | None:
    """A cell cut from one of its corners towards a spot, as far as the cut lies inside."""
    size = math.dist(here, aim)
    if size < 1e-6:
        return None
    ux, uy = (aim[0] - here[0]) / size, (aim[1] - here[1]) / size
    ray = LineString([here, (here[0] + ux * 1e5, here[1] + uy * 1e5)])
    reaches = [
        sorted(math.dist(here, spot) for spot in part.coords)
        for part in shapely.get_parts(ray.intersection(whole))
        if isinstance(part, LineString)
    ]
    lengths = [reach[-1] for reach in reaches if reach[0] < 1e-6 and reach[-1] > 1.0]
    if not lengths:
        return None
    end = lengths[0] + 1e-3
    knife = LineString(
        [(here[0] - ux * 1e-3, here[1] - uy * 1e-3), (here[0] + ux * end, here[1] + uy * end)]
    )
    halves = polygons(split(whole, knife))
    if len(halves) != 2:
        return None
    parts = [half.intersection(cell) for half in halves]
    if min(part.area for part in parts) < SMALLEST_SHARE * cell.area:
        return None
    return _Cut(here, lengths[0], parts)


def _is_reflex(corners: list[Spot], n: int) -> bool:
    (ax, ay), (bx, by), (cx, cy) = corners[n - 1], corners[n], corners[(n + 1) % len(corners)]
    turn = (bx - ax) * (cy - by) - (by - ay) * (cx - bx)
    return turn < -1e-6 * math.dist(corners[n - 1], corners[n])


def _beyond(before: Spot, here: Spot) -> Spot:
    return 2 * here[0] - before[0], 2 * here[1] - before[1]


def _halving(before: Spot, here: Spot, after: Spot) -> Spot:
    """A spot on the line that halves the angle at a reflex corner, inside."""
    aim = list(here)
    for other in (before, after):
        size = math.dist(here, other)
        aim[0] += (here[0] - other[0]) / size
        aim[1] += (here[1] - other[1]) / size
    return aim[0], aim[1]
