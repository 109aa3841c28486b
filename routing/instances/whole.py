"""Whole numbers for a file's real ones, rounded to the side on which a plan stays feasible."""

import math

from routing.problems.problem_faults import LARGEST

SCALE = 1000
"""Whole units in one unit of a file: seconds and metres of the problem are thousandths there."""
LARGEST_TIME = float(LARGEST // SCALE)
"""Largest time and distance that a file may hold."""
LARGEST_COORDINATE = 350_000.0
"""With it, no straight line is longer than `LARGEST_TIME`."""
LARGEST_LOAD = 1e9
DROP_PENALTY = 10**12
"""What a stop left out costs: more than all vehicles and all ways."""

_SLIP = 1e-9
"""In a file's units: less is no difference, but rounding in sums of doubles."""


def up(value: float, scale: int = SCALE) -> int:
    """The smallest whole number of thousandths that is no less."""
    return math.ceil((value - _SLIP) * scale)


def down(value: float, scale: int = SCALE) -> int:
    """The largest whole number of thousandths that is no more."""
    return math.floor((value + _SLIP) * scale)
