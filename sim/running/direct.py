"""For very large studies: robots and their master hand messages over instead of writing them down.

Orders and states of VDA 5050 2.x, nearly all that is said, are not made into JSON and read again.
Everything else stays as it is, order and timing too, so a run has the same journal either way.
"""

from collections.abc import Generator
from contextlib import contextmanager

from fleet.vda5050.codec import HAND_OVER


@contextmanager
def direct(*, on: bool = True) -> Generator[None]:
    """What is begun in this block hands over its messages, if ``on``."""
    before = HAND_OVER.set(on)
    try:
        yield
    finally:
        HAND_OVER.reset(before)
