"""Keeps the garbage collector from holding up the loop."""

import gc
from collections.abc import Generator
from contextlib import contextmanager

NEW, YOUNG, OLD = 50_000, 20, 50
"""So many new objects are looked through at once, and after so many times those that were left."""


def relax() -> None:
    """Look for garbage more rarely than Python does unasked, which is after each 700 objects.

    What a program makes at its start, it keeps: looking through it costs 0.6 s of the first four.
    """
    gc.set_threshold(NEW, YOUNG, OLD)


@contextmanager
def settled() -> Generator[None]:
    """What is there now stays for as long as the block runs, and isn't looked through for garbage.

    A full collection of a dispatcher that has started takes 0.2 s or more, in which nobody is
    answered; nearly all that it looks at is code, the site, and the fleet. Source: measured with
    `gc.callbacks`; `gc.freeze` is made for this.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    relax()
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
