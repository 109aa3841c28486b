"""Kernels: functions that numba compiles where it can be had, and Python runs where it can't.

They use a part of Python that means the same in both: whole numbers that stay within 64 bits,
floats, arrays, loops. Compiled code is kept beside the source or, if that can't be written, in the
user's cache folder, so only the first start on a machine waits for the compiler. Numba looks only
at a function's own file to see whether it has changed, so all code is kept by what is in all files.

Kernels allocate nothing (``_nrt=False``): numba then counts no references to the arrays that are
handed from one to the next, which made a round of the search eight times as fast.
"""

import hashlib
import importlib.util
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

P = ParamSpec("P")
T = TypeVar("T")

COMPILED = importlib.util.find_spec("numba") is not None
"""Whether kernels are compiled; if not, they give the same answers some hundred times slower."""


def kernel(function: Callable[P, T]) -> Callable[P, T]:
    """Compile a function at its first call; it keeps its signature."""
    return _compiled(function, "never")


def leaf(function: Callable[P, T]) -> Callable[P, T]:
    """Compile a small function into each of its callers."""
    return _compiled(function, "always")


def _compiled(function: Callable[P, T], inline: str) -> Callable[P, T]:
    if not COMPILED:
        return function
    import numba
    from numba.core import config

    settings: Any = config
    compile_with: Any = numba.njit  # pyright: ignore[reportUnknownMemberType]
    before, settings.CACHE_DIR = settings.CACHE_DIR, _folder()
    try:
        made: Callable[P, T] = compile_with(
            cache=True, nogil=True, error_model="numpy", inline=inline, _nrt=False
        )(function)
    finally:
        settings.CACHE_DIR = before
    return made


@cache
def _folder() -> str:
    """Where the code compiled from these very files is kept."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for source in sorted(here.glob("*.py")):
        digest.update(source.read_bytes())
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wardline"
    for base in (here / "__pycache__", user):
        folder = base / f"kernels-{digest.hexdigest()[:16]}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return str(folder)
    return ""


@leaf
def copy(
    target: NDArray[np.signedinteger[Any]], source: NDArray[np.signedinteger[Any]], size: int
) -> None:
    """The first ``size`` numbers of an array into another."""
    for k in range(size):
        target[k] = source[k]
