"""YAML as plain data that still knows its lines, so that every fault can say where it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from yaml.constructor import ConstructorError, SafeConstructor

from routing.errors import Fault

MAX_BYTES = 20 * 1024 * 1024
_MAX_NODES = 2_000_000
_MERGE = "tag:yaml.org,2002:merge"

Step = str | int
Plain = object
"""What YAML can say: dict with text keys, list, text, number, boolean, date or None."""


@dataclass(frozen=True, slots=True)
class Marked:
    """The content of one YAML text, its faults, and the line of each of its parts."""

    data: Plain
    faults: tuple[Fault, ...]
    root: yaml.Node | None

    def line(self, *path: Step) -> int:
        """The 1-based line of the part that ``path`` leads to, or of its nearest ancestor.

        Steps that the text does not have (a model may know a shorthand) are skipped.
        """
        node, line = self.root, 1
        for step in path:
            if isinstance(node, yaml.MappingNode):
                for key, value in node.value:
                    if key.value == step:
                        node, line = value, key.start_mark.line + 1
                        break
            elif isinstance(node, yaml.SequenceNode) and step in range(len(node.value)):
                node = node.value[int(step)]
                line = node.start_mark.line + 1
        return line if self.root is not None else 0


def read_text(path: Path) -> tuple[str, tuple[Fault, ...]]:
    """The text of a file, or why it can't be read as text; OSError goes to the caller."""
    if path.stat().st_size > MAX_BYTES:
        size = path.stat().st_size / 2**20
        fault = Fault(0, f"the file has {size:.0f} MB", "the limit is 20 MB; split or shorten it")
        return "", (fault,)
    try:
        return path.read_bytes().decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        what = f"the file is not text in UTF-8 (byte {error.start})"
        return "", (Fault(0, what, "save it as UTF-8"),)


def parse(text: str) -> Marked:
    """Read YAML; broken YAML gives empty data and the fault."""
    if len(text) > MAX_BYTES:
        return _broken(Fault(0, "the text is over 20 MB", "split or shorten it"))
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        reader = _Reader()
        data = reader.read(root) if root is not None else None
    except yaml.MarkedYAMLError as error:
        return _broken(_yaml_fault(error))
    except yaml.YAMLError as error:
        what = " ".join(str(error).split())
        return _broken(Fault(0, f"this is not YAML: {what}", "save the file as plain text"))
    except RecursionError:
        return _broken(Fault(0, "nested too deep", "no part of such a file needs 100 levels"))
    return Marked(data, tuple(reader.faults), root)


def _broken(fault: Fault) -> Marked:
    return Marked(None, (fault,), None)


def _yaml_fault(error: yaml.MarkedYAMLError) -> Fault:
    mark = error.problem_mark or error.context_mark
    said = " ".join(part for part in (error.context, error.problem) if part)
    remedy = "check indentation, colons, brackets and quotes near this line"
    return Fault(mark.line + 1 if mark else 0, f"this is not YAML: {said}", remedy)


class _Reader:
    """Builds plain data; keys stay the text they are in the file, whatever YAML thinks of them."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._scalars = SafeConstructor()
        self._count = 0
        self._open: list[yaml.Node] = []

    def read(self, node: yaml.Node) -> Plain:
        self._count += 1
        if self._count > _MAX_NODES:
            raise ConstructorError(None, None, "too many parts (aliases of aliases?)")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if any(node is ancestor for ancestor in self._open):
            raise ConstructorError(None, None, "an alias holds itself", node.start_mark)
        self._open.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return {key: self.read(value) for key, value in self._pairs(node)}
            return [self.read(item) for item in node.value]
        finally:
            self._open.pop()

    def _scalar(self, node: yaml.ScalarNode) -> Plain:
        try:
            return self._scalars.construct_object(node)
        except (ValueError, OverflowError) as error:
            self._fault(
                node, f"{node.value!r} is no value: {error}", "put it in quotes if it is text"
            )
            return node.value

    def _pairs(self, node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node]]:
        first: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self._fault(key, "a list or mapping stands where a key should", "write a plain key")
            elif key.tag == _MERGE:
                self._fault(key, "merge keys (<<) are not read here", "write the values out")
            elif key.value in first:
                what = f"the key {key.value!r} appears twice (first on line {first[key.value]})"
                self._fault(key, what, "rename or remove one of the two")
            else:
                first[key.value] = line
                yield key.value, value

    def _fault(self, node: yaml.Node, what: str, remedy: str) -> None:
        self.faults.append(Fault(node.start_mark.line + 1, what, remedy))


def dotted(path: Sequence[Step]) -> str:
    """A path as people write it: ``levels.L1.lanes[3]``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
