"""Finds room for labels: none on another, none on a sign, those that don't fit left out."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, hypot

_CELL = 64.0
_STEP = 6.0


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on the canvas, in pixels; y runs down."""

    x0: float
    y0: float
    x1: float
    y1: float

    def meets(self, other: "Box") -> bool:
        """Whether the two share ground."""
        return (
            self.x0 < other.x1 and other.x0 < self.x1 and self.y0 < other.y1 and other.y0 < self.y1
        )

    def within(self, other: "Box") -> bool:
        """Whether it lies wholly in the other."""
        return (
            other.x0 <= self.x0
            and self.x1 <= other.x1
            and other.y0 <= self.y0
            and self.y1 <= other.y1
        )


Cells = dict[tuple[int, int], list[Box]]


class Sheet:
    """What is taken already on one part of the canvas.

    Args:
        bounds: labels stay within.
    """

    def __init__(self, bounds: Box) -> None:
        self.bounds = bounds
        self._taken: Cells = {}
        self._crossed: Cells = {}

    def take(self, box: Box) -> None:
        """Keep this ground free of labels."""
        _put(self._taken, box)

    def cross(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """A line runs here: labels rather stand elsewhere."""
        steps = max(1, ceil(hypot(x1 - x0, y1 - y0) / _STEP))
        for step in range(steps + 1):
            x, y = x0 + (x1 - x0) * step / steps, y0 + (y1 - y0) * step / steps
            _put(self._crossed, Box(x - 1, y - 1, x + 1, y + 1))

    def free(self, box: Box) -> bool:
        """Whether nothing is there yet."""
        return box.within(self.bounds) and not _met(self._taken, box)

    def place(self, spots: Iterable[Box]) -> Box | None:
        """Take the first of these spots that is free, at best off all lines; None if none is."""
        free = [box for box in spots if self.free(box)]
        if not free:
            return None
        box = next((box for box in free if not _met(self._crossed, box)), free[0])
        self.take(box)
        return box


def around(x: float, y: float, width: float, height: float, gap: float) -> Iterator[Box]:
    """Where the label of a sign may stand: beside it, above or below, at its corners, farther."""
    for out in (gap, gap * 1.8):
        left, right = x - out - width, x + out
        above, below = y - out - height, y + out
        middle_x, middle_y = x - width / 2, y - height / 2
        for x0, y0 in (
            (right, middle_y),
            (left, middle_y),
            (middle_x, above),
            (middle_x, below),
            (right, above + height / 2),
            (right, below - height / 2),
            (left, above + height / 2),
            (left, below - height / 2),
        ):
            yield Box(x0, y0, x0 + width, y0 + height)


def text_width(text: str, size_px: float) -> float:
    """About how wide a text is in a system sans, in pixels; Chinese characters are square."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return size_px * (wide + 0.56 * (len(text) - wide))


def wrapped(text: str, size_px: float, room_px: float) -> Sequence[str]:
    """The text in at most two lines of ``room_px``; nothing if it does not fit."""
    if text_width(text, size_px) <= room_px:
        return (text,)
    words = text.split()
    for cut in range(1, len(words)):
        lines = (" ".join(words[:cut]), " ".join(words[cut:]))
        if max(text_width(line, size_px) for line in lines) <= room_px:
            return lines
    return ()


def _put(cells: Cells, box: Box) -> None:
    for cell in _cells(box):
        cells.setdefault(cell, []).append(box)


def _met(cells: Cells, box: Box) -> bool:
    return any(box.meets(other) for cell in _cells(box) for other in cells.get(cell, ()))


def _cells(box: Box) -> Iterator[tuple[int, int]]:
    for column in range(int(box.x0 // _CELL), int(box.x1 // _CELL) + 1):
        for row in range(int(box.y0 // _CELL), int(box.y1 // _CELL) + 1):
            yield column, row
