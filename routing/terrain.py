"""How high the ground lies, from a raster in a file.

Source: ESRI ASCII raster format, as ArcGIS and GDAL (driver AAIGrid) write it: six lines of
header, then rows of numbers from north to south. Here x and y are metres in the site's frame.
"""

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from routing.errors import RasterError
from routing.geometry import Point

MOST_BYTES = 50_000_000
_COUNTS = ("ncols", "nrows")
_CORNERS = ("xllcorner", "yllcorner"), ("xllcenter", "yllcenter")
_NOTHING = "nodata_value"
_KNOWN = {*_COUNTS, *_CORNERS[0], *_CORNERS[1], "cellsize", _NOTHING}
_HEADER = "begin it with ncols, nrows, xllcorner, yllcorner, cellsize, NODATA_value, a line each"


@dataclass(frozen=True, slots=True, eq=False)
class Terrain:
    """Ground elevations on a grid; between the middles of cells the ground is straight.

    Args:
        x_m, y_m: middle of the south-western cell.
        heights_m: (rows, columns), the southern row first; nan = not known.
        keep_agl_m: how high above the ground flights stay, but for their climb and landing.
    """

    x_m: float
    y_m: float
    cell_m: float
    heights_m: NDArray[np.float64] = field(repr=False)
    keep_agl_m: float = 30.0

    def ground_m(self, point: Point) -> float:
        """Elevation of the ground at a spot; at the border that of the nearest cell."""
        rows, columns = self.heights_m.shape
        column = min(max((point.x_m - self.x_m) / self.cell_m, 0.0), columns - 1.0)
        row = min(max((point.y_m - self.y_m) / self.cell_m, 0.0), rows - 1.0)
        left, low = min(int(column), max(0, columns - 2)), min(int(row), max(0, rows - 2))
        right, high = min(left + 1, columns - 1), min(low + 1, rows - 1)
        east, north = column - left, row - low
        south_m = self._between(low, left, right, east)
        return south_m + (self._between(high, left, right, east) - south_m) * north

    def _between(self, row: int, left: int, right: int, share: float) -> float:
        west_m = float(self.heights_m[row, left])
        return west_m + (float(self.heights_m[row, right]) - west_m) * share

    def covers(self, shape: BaseGeometry) -> bool:
        """Whether the grid reaches over all of a shape."""
        rows, columns = self.heights_m.shape
        half = self.cell_m / 2
        west, south = self.x_m - half, self.y_m - half
        grid = shapely.box(west, south, west + columns * self.cell_m, south + rows * self.cell_m)
        return bool(grid.buffer(1e-6).covers(shape))

    def extremes_m(self, shape: BaseGeometry) -> tuple[float, float]:
        """Lowest and highest ground within a shape; nan where any of it is not known."""
        near = shape.buffer(1.5 * self.cell_m)
        rows, columns = self.heights_m.shape
        x, y = np.meshgrid(
            self.x_m + self.cell_m * np.arange(columns), self.y_m + self.cell_m * np.arange(rows)
        )
        found = self.heights_m[shapely.contains_xy(near, x, y)]
        return (float(found.min()), float(found.max())) if found.size else (math.nan, math.nan)


def read_terrain(path: Path, keep_agl_m: float) -> Terrain:
    """The terrain in an ``.asc`` file.

    Raises:
        RasterError: it can't be read, or is no such raster; says what to do.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            remedy = "cut out the site, or use larger cells"
            raise RasterError(f"the raster {str(path)!r} has more than 50 MB", remedy)
        lines = path.read_text(encoding="ascii").split("\n")
    except OSError as error:
        remedy = "write the path of an .asc file, from the folder of the site file"
        raise RasterError(f"no raster {str(path)!r}: {error.strerror}", remedy) from None
    except UnicodeDecodeError:
        remedy = "convert it to an ESRI ASCII grid (gdal_translate -of AAIGrid)"
        raise RasterError(f"{str(path)!r} is no text", remedy) from None
    head = _header(path, lines)
    rows, columns = int(head["nrows"]), int(head["ncols"])
    try:
        cells = np.array(" ".join(lines[len(head) :]).split(), dtype=np.float64)
    except ValueError as error:
        raise RasterError(f"{path.name}: {error}", "every cell is a number") from None
    if cells.size != rows * columns:
        what = f"{path.name} has {cells.size} cells, and its header says {rows} x {columns}"
        raise RasterError(what, "correct nrows and ncols, or export it again")
    heights_m = cells.reshape(rows, columns)[::-1].copy()
    heights_m[heights_m == head.get(_NOTHING, -9999.0)] = math.nan
    if np.isinf(heights_m).any():
        raise RasterError(f"{path.name} has an infinite height", "every cell is a number of metres")
    cell_m = head["cellsize"]
    to_middle_m = cell_m / 2 if "xllcorner" in head else 0.0
    x_m, y_m = (head[key] for key in (_CORNERS[0] if "xllcorner" in head else _CORNERS[1]))
    return Terrain(x_m + to_middle_m, y_m + to_middle_m, cell_m, heights_m, keep_agl_m)


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return math.nan


def _header(path: Path, lines: list[str]) -> dict[str, float]:
    head: dict[str, float] = {}
    for line in lines:
        words = line.split()
        if len(words) != 2 or words[0].lower() not in _KNOWN:
            break
        key, number = words[0].lower(), _number(words[1])
        if not math.isfinite(number) and (key, words[1].lower()) != (_NOTHING, "nan"):
            raise RasterError(f"{path.name}: {words[0]} is {words[1]!r}", "write a number")
        head[key] = number
    placed = any(all(key in head for key in pair) for pair in _CORNERS)
    missing = [key for key in (*_COUNTS, "cellsize") if key not in head]
    if missing or not placed:
        lacks = ", ".join(missing or ["xllcorner and yllcorner"])
        raise RasterError(f"the header of {path.name} has no {lacks}", _HEADER)
    if not all(head[key] >= 1 and head[key] == int(head[key]) for key in _COUNTS):
        raise RasterError(f"{path.name} has a grid of no cells", "correct ncols and nrows")
    if not head["cellsize"] > 0:
        raise RasterError(f"{path.name}: cellsize is {head['cellsize']:g}", "write metres above 0")
    return head
