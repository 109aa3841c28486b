"""Cases in JSON files: those that a person named, and all those of a kind in a folder."""

import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from dispatcher.bench.files import WrongUse
from routing.errors import Fault, InstanceError
from routing.sites.marked_yaml import MAX_BYTES

T = TypeVar("T")


class Named(Protocol):
    """A case."""

    @property
    def name(self) -> str:
        """What its answers are filed under."""
        ...


C = TypeVar("C", bound=Named)


def find_cases(paths: Iterable[Path], kinds: Collection[str], read: Callable[[Path], C]) -> list[C]:
    """All cases of some kinds: files, and what is in folders, at any depth.

    Raises:
        WrongUse: a path can't be read, a folder holds no case, or two cases have one name.
        InstanceError: a case can't be used.
    """
    found: dict[str, tuple[Path, C]] = {}
    for path in paths:
        files = list(_in_folder(path, kinds)) if path.is_dir() else [path]
        if not files:
            raise WrongUse(f"{path} holds no case of kind {_words(kinds)}; name another folder")
        for file in files:
            case = read(file)
            other, _ = found.setdefault(case.name, (file, case))
            if other.resolve() != file.resolve():
                raise WrongUse(f"{other} and {file} both hold {case.name!r}; name one of them")
    return [case for _, case in found.values()]


def parse(path: Path, kinds: Collection[str], model: TypeAdapter[T]) -> T:
    """What a file says, as ``model`` has it.

    Raises:
        WrongUse: it can't be read.
        InstanceError: it is no such case.
    """
    remedy = f"write a case of kind {_words(kinds)}"
    try:
        return model.validate_python(_plain(path, remedy))
    except ValidationError as error:
        faults = [_fault(dict(each), remedy) for each in error.errors()]
        raise InstanceError(str(path), faults) from None


def write_answer(path: Path, answer: object) -> None:
    """An answer to a case as JSON, in a folder that is made where there is none.

    Raises:
        WrongUse: it can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(answer, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise WrongUse(f"can't write {path} ({error.strerror}); choose another place") from error


def _in_folder(folder: Path, kinds: Collection[str]) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(here, name)
            if name.endswith(".json") and not name.startswith(".") and _is_case(path, kinds):
                yield path


def _is_case(path: Path, kinds: Collection[str]) -> bool:
    try:
        plain = _plain(path, "")
    except InstanceError:
        return False
    return isinstance(plain, dict) and cast(dict[str, Any], plain).get("kind") in kinds


def _plain(path: Path, remedy: str) -> object:
    try:
        if path.stat().st_size > MAX_BYTES:
            fault = Fault(0, f"it is larger than {MAX_BYTES} bytes", "split it")
            raise InstanceError(str(path), [fault])
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise WrongUse(f"there is no file {path}; check the path") from None
    except OSError as error:
        raise WrongUse(f"can't read {path} ({error.strerror}); check its rights") from None
    except (ValueError, RecursionError) as error:  # no JSON, or no text
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 0
        raise InstanceError(str(path), [Fault(line, f"it is no JSON ({error})", remedy)]) from None


def _fault(error: dict[str, Any], remedy: str) -> Fault:
    where = ".".join(map(str, error["loc"])) or "the file"
    return Fault(0, f"{where}: {error['msg']}", remedy)


def _words(kinds: Collection[str]) -> str:
    return " or ".join(kinds)
