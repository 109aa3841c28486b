"""Instances on disk: those that a person named, and all those in a folder."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dispatcher.errors import DispatchError
from routing.errors import Fault, InstanceError
from routing.instances.allocation import MATRIX_SUFFIX, read_allocation
from routing.instances.family import Family, family_of
from routing.instances.instance import Instance
from routing.instances.lilim import read_lilim
from routing.instances.schneider import read_schneider
from routing.instances.solomon import read_solomon
from routing.sites.marked_yaml import MAX_BYTES, read_text

TOURS = frozenset({Family.SOLOMON, Family.LILIM, Family.SCHNEIDER})
ALLOCATIONS = frozenset({Family.ALLOCATION})


class WrongUse(DispatchError):
    """What was asked for can't be done; the message says what to do instead."""


@dataclass(slots=True)
class Found:
    """What was found on disk.

    Args:
        instances: with their files, in the order of the command line, folders by name.
        faults: files that are instances but can't be used.
    """

    instances: list[tuple[Path, Instance]] = field(default_factory=list[tuple[Path, Instance]])
    faults: list[InstanceError] = field(default_factory=list[InstanceError])


def find(paths: Iterable[Path], families: frozenset[Family]) -> Found:
    """All instances of some families: files, and what is in folders, at any depth.

    What a file is, its content says. In a folder, files that are something else are left out.

    Raises:
        WrongUse: a path can't be read, a folder holds no instance, or a file one for another
            command.
    """
    found, seen = Found(), set[Path]()
    for path in paths:
        files = _in_folder(path, families) if path.is_dir() else [_named(path, families)]
        if not files:
            raise WrongUse(f"{path} holds no instance ({_words(families)}); name another folder")
        for file in files:
            if file.resolve() not in seen:
                seen.add(file.resolve())
                try:
                    found.instances.append((file, load(file)))
                except InstanceError as error:
                    found.faults.append(error)
    return found


def load(path: Path) -> Instance:
    """The instance in a file, with the matrix beside it if there is one.

    Raises:
        InstanceError: the file can't be used.
        WrongUse: it can't be read.
    """
    text = _text(path)
    source, name = str(path), path.stem
    match family_of(text):
        case Family.SOLOMON:
            return read_solomon(text, source, name)
        case Family.LILIM:
            return read_lilim(text, source, name)
        case Family.SCHNEIDER:
            return read_schneider(text, source, name)
        case Family.ALLOCATION:
            beside = path.with_suffix(MATRIX_SUFFIX)
            matrix = _text(beside) if beside.exists() else None
            return read_allocation(text, source, matrix, str(beside))
        case None:
            what = f"this is no instance ({_words(frozenset(Family))})" if text.strip() else EMPTY
            raise InstanceError(source, [Fault(1, what, "name another file")])


EMPTY = "the file is empty"


def _text(path: Path) -> str:
    try:
        text, faults = read_text(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    if faults:
        raise InstanceError(str(path), faults)
    return text


def _named(path: Path, families: frozenset[Family]) -> Path:
    """The file that a person named, unless it is for another command."""
    try:
        family = _family(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    if family is not None and family not in families:
        command = "allocation" if family in ALLOCATIONS else "routing"
        raise WrongUse(f"{path} is of {family}; use: wardline bench {command} {path}")
    return path


def _in_folder(folder: Path, families: frozenset[Family]) -> Sequence[Path]:
    try:
        return [file for file in _walk(folder) if _family(file) in families]
    except OSError as error:
        raise _unreadable(Path(error.filename or folder), error) from error


def _walk(folder: Path) -> Iterator[Path]:
    """All files below a folder by name, hidden ones left out; links to folders aren't followed."""

    def fail(error: OSError) -> None:
        raise error

    for here, folders, files in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = (Path(here, name) for name in sorted(files) if not name.startswith("."))
        yield from (path for path in paths if path.is_file())


def _family(path: Path) -> Family | None:
    """What a file looks like, also if some of its bytes are no text."""
    if path.stat().st_size > MAX_BYTES:
        return None
    return family_of(path.read_bytes().decode("utf-8-sig", errors="replace"))


def _unreadable(path: Path, error: OSError) -> WrongUse:
    if isinstance(error, FileNotFoundError):
        return WrongUse(f"there is no file {path}; check the path")
    return WrongUse(f"can't read {path} ({error.strerror}); check its rights")


def _words(families: frozenset[Family]) -> str:
    return ", ".join(sorted(families))
