"""Options of the command line that several commands understand alike."""

from importlib.resources import as_file, files
from pathlib import Path

import typer

from sim.moments import seconds


class WrongUse(ValueError):
    """An option that can't be followed; the message says what to write."""


def seeds_named(text: str) -> tuple[int, ...]:
    """The seeds in ``0-2``, ``0,4,7`` or ``3``.

    Raises:
        WrongUse: it is none of these.
    """
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        last = last if dash else first
        if not (_is_whole(first) and _is_whole(last)):
            raise WrongUse(f"--seeds {text}: write whole numbers such as 0-2 or 0,4,7")
        if int(first) > int(last):
            raise WrongUse(f"--seeds {text}: write the lower number first, {last}-{first}")
        if int(last) - int(first) >= 1000:
            raise WrongUse(f"--seeds {text}: these are more than 1000; write fewer")
        found += range(int(first), int(last) + 1)
    return tuple(dict.fromkeys(found))


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def scenario_path(name: str) -> Path:
    """A scenario file by its path, or one of those that come with Wardline by its name.

    Raises:
        WrongUse: it is neither; the message lists those that there are.
    """
    path = Path(name)
    if path.exists() or path.suffix:
        return path
    with as_file(files("configs")) as folder:
        own = folder / f"{name}.yaml"
        if own.exists():
            return own
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml")))
    raise WrongUse(f"there is no file {name!r}, and no scenario of ours: {known}")


def find(name: str) -> Path:
    """`scenario_path`, for the command line."""
    try:
        return scenario_path(name)
    except WrongUse as wrong:
        raise typer.BadParameter(str(wrong)) from None


def until_seconds(text: str | None) -> float | None:
    """A duration in seconds; None = none was given."""
    if text is None:
        return None
    try:
        return seconds(text)
    except ValueError as error:
        raise typer.BadParameter(f"--until {text}: {error}") from None


def address_of(text: str | None) -> tuple[str, int] | None:
    """Host and port; None = none was given."""
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise typer.BadParameter(f"{text}: write HOST:PORT, such as localhost:1883")
    return host, int(port)
