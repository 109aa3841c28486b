"""Text files of numbers in columns, and complaints that name the line and a remedy."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from routing.errors import Fault, InstanceError

FETCH = "fetch the file again"
MAX_NODES = 2000
"""More would need gigabytes for the tables of travel times."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file, as words.

    Args:
        number: counted from 1, blank lines included.
    """

    source: str
    number: int
    words: tuple[str, ...]

    def wrong(self, what: str, remedy: str = f"correct it or {FETCH}") -> InstanceError:
        """The error to raise when this line can't be used."""
        return InstanceError(self.source, [Fault(self.number, what, remedy)])

    def of(self, *columns: str) -> "Line":
        """This line, if it has a word for each of these columns."""
        if len(self.words) != len(columns):
            named = ", ".join(columns)
            raise self.wrong(f"{len(self.words)} columns, where {len(columns)} belong ({named})")
        return self

    def real(self, column: int, name: str, low: float, high: float) -> float:
        """The number in a column, within its limits."""
        word = self.words[column]
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.wrong(f"{name} {word[:40]!r} is no number")
        if not low <= value <= high:
            raise self.wrong(f"{name} {word[:40]} is not between {low:.12g} and {high:.12g}")
        return value

    def whole(self, column: int, name: str, low: int, high: int) -> int:
        """The whole number in a column, within its limits."""
        value = self.real(column, name, low, high)
        if value != int(value):
            raise self.wrong(f"{name} {self.words[column]} is no whole number")
        return int(value)


def lines_of(text: str, source: str) -> list[Line]:
    """The lines of a file that are not blank.

    Raises:
        InstanceError: there is none.
    """
    rows = enumerate(text.splitlines(), 1)
    found = [Line(source, number, tuple(row.split())) for number, row in rows if row.strip()]
    if not found:
        raise InstanceError(source, [Fault(0, "the file is empty", FETCH)])
    return found


def enough(lines: Sequence[Line], least: int, what: str) -> None:
    """Complain if a file ends too early, or is too long."""
    if len(lines) < least:
        raise lines[-1].wrong(f"the file ends here, without {what}", FETCH)
    if len(lines) > MAX_NODES:
        remedy = f"take an instance of at most {MAX_NODES} nodes"
        raise lines[MAX_NODES].wrong(f"there are {len(lines)} lines of nodes", remedy)
