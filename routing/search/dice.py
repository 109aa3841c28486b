"""Chance for kernels: the same numbers compiled or not, on any machine.

Marsaglia's xorshift with 32 bits (Journal of Statistical Software 8(14), 2003), kept in whole
numbers of 64 bits. ``dice`` (2): the state, and how many positions are left until a blink.
"""

import math

import numpy as np

from routing.search.compiled import leaf
from routing.search.flat import Whole

MASK = (1 << 32) - 1
BLINK = 0.01
"""Share of positions that an insertion overlooks (Christiaens & Vanden Berghe 2020)."""
SURE = 1 << 62
"""So many positions are left until a blink that never comes."""
_LOG_SEEN = math.log(1 - BLINK)


def make_dice(seed: int) -> Whole:
    """A stream of its own for each seed."""
    mixed = (seed * 2_654_435_769 + 0x9E3779B9) & MASK
    dice = np.array([mixed or 1, 0], dtype=np.int64)
    for _ in range(8):
        draw(dice)
    dice[1] = to_blink(dice)
    return dice


@leaf
def overlooks(dice: Whole) -> bool:
    """Whether positions may be overlooked."""
    return bool(dice[1] < SURE // 2)


@leaf
def draw(dice: Whole) -> int:
    """A whole number from 1 to 2^32 - 1."""
    x = dice[0]
    x ^= (x << 13) & MASK
    x ^= x >> 17
    x ^= (x << 5) & MASK
    dice[0] = x
    return x


@leaf
def uniform(dice: Whole) -> float:
    """A number in (0, 1)."""
    return draw(dice) / 4294967296.0


@leaf
def below(dice: Whole, limit: int) -> int:
    """A whole number from 0 to ``limit`` - 1."""
    return draw(dice) % limit


@leaf
def to_blink(dice: Whole) -> int:
    """How many positions are looked at up to the next one that is overlooked, itself included."""
    return 1 + int(math.log(uniform(dice)) / _LOG_SEEN)
