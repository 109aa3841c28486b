"""Takes what has the wrong shape out of a site file, so that the rest can be looked at too."""

from collections.abc import Sequence
from typing import Any

from pydantic_core import ErrorDetails

from routing.sites.marked_yaml import Marked, Step

_STAND_INS = {"site": "unnamed", "name": "?", "anchor": {"lat_deg": 0, "lon_deg": 0}}


class Salvage:
    """A file's data without its misshapen parts.

    Args:
        data: the plain data of the file; it is changed in place.
        errors: what pydantic found.
        text: where the data came from.
    """

    def __init__(self, data: dict[str, Any], errors: Sequence[ErrorDetails], text: Marked) -> None:
        self._data = data
        self._text = text
        self._lost: set[str] | None = set()
        self._gone: dict[tuple[Step, ...], list[int]] = {}
        parts = {self._part(error): None for error in errors}
        for path in sorted(parts, key=lambda path: [str(step).zfill(9) for step in path])[::-1]:
            self._drop(path)
        for key, value in _STAND_INS.items():
            data.setdefault(key, value)
        for level in data.get("levels", {}).values():
            level.setdefault("name", "?")

    @property
    def lost(self) -> frozenset[str] | None:
        """The ids that went with the parts; None if they can't be told."""
        return None if self._lost is None else frozenset(self._lost)

    def line(self, *path: Step) -> int:
        """The line of a path in the salvaged data."""
        steps = list(path)
        for depth, step in enumerate(path):
            if isinstance(step, int):
                for gone in sorted(self._gone.get(path[:depth], ())):
                    steps[depth] = int(steps[depth]) + (gone <= int(steps[depth]))
        return self._text.line(*steps)

    @staticmethod
    def _part(error: ErrorDetails) -> tuple[Step, ...]:
        """The smallest part that can go whole: a key too many, or one place, lane, lift ..."""
        path = error["loc"]
        if error["type"] == "extra_forbidden":
            return path
        if path[0] == "levels":
            return path[:4]
        return path[:2] if path[0] in ("lifts", "air_locks", "air") else path[:1]

    def _drop(self, path: tuple[Step, ...]) -> None:
        owner: Any = self._data
        for step in path[:-1]:
            try:
                owner = owner[step]
            except (KeyError, IndexError, TypeError):
                return
        last = path[-1]
        if isinstance(owner, list) and isinstance(last, int) and last < len(owner):
            self._forget(path, owner.pop(last))
            self._gone.setdefault(path[:-1], []).append(last)
        elif isinstance(owner, dict) and last in owner:
            self._forget(path, owner.pop(last))

    def _forget(self, path: tuple[Step, ...], part: Any) -> None:
        if path[0] not in ("levels", "lifts") or self._lost is None:
            return
        if len(path) == 2 or len(path) == 4:
            self._lost.add(str(path[-1]))
            if path[0] == "lifts" and isinstance(part, dict):
                self._lost.update(f"{path[1]}@{level}" for level in self._data.get("levels", {}))
        if len(path) == 1 or (path[0] == "levels" and len(path) in (2, 3) and path[-1] != "name"):
            self._lost = None
