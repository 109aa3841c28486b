"""What a scenario promises of its own outcome, and whether it came true."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

_LIMIT = re.compile(r"(>=|<=|==|=|>|<)\s*(-?\d+(?:\.\d+)?)")
_HOLDS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "=": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Expectation:
    """One line of ``expect:``: a value of the summary, and what it must be.

    Args:
        name: key in the summary; dots lead into nested values, as in ``violations.collision``.
        wanted: the condition as the file says it.
    """

    name: str
    wanted: str
    sign: str = "=="
    limit: float = 0.0
    members: tuple[str, ...] = ()
    """Words that must all be there; then there is no limit."""


@dataclass(frozen=True, slots=True)
class ExpectResult:
    """Whether one expectation came true, and what was found."""

    name: str
    wanted: str
    found: str
    ok: bool

    def __str__(self) -> str:
        return f"{self.name}: wanted {self.wanted}, found {self.found}"


def expectation(name: str, wanted: object) -> Expectation:
    """Read one line of ``expect:``; ValueError says what to write."""
    if isinstance(wanted, bool):
        return Expectation(name, str(wanted).lower(), "==", float(wanted))
    if isinstance(wanted, int | float):
        return Expectation(name, f"{wanted:g}", "==", float(wanted))
    if isinstance(wanted, str):
        found = _LIMIT.fullmatch(wanted.strip())
        if found is not None:
            return Expectation(name, wanted, found[1], float(found[2]))
    if isinstance(wanted, list):
        members = tuple(str(word) for word in wanted)
        return Expectation(name, ", ".join(members), members=members)
    raise ValueError('write a number, a limit such as ">= 0.97", or a list of words')


def evaluate(
    expectations: Sequence[Expectation], summary: Mapping[str, object]
) -> list[ExpectResult]:
    """Whether a run's summary is what its scenario promised, line by line."""
    return [_judge(wanted, summary) for wanted in expectations]


def _judge(wanted: Expectation, summary: Mapping[str, object]) -> ExpectResult:
    value = _value(wanted.name, summary)
    if value is None:
        return ExpectResult(wanted.name, wanted.wanted, "nothing of that name", False)
    if wanted.members:
        there = _members(value)
        missing = [word for word in wanted.members if word not in there]
        said = ", ".join(there) or "none"
        return ExpectResult(wanted.name, wanted.wanted, said, not missing)
    number = _number(value)
    if number is None:
        return ExpectResult(wanted.name, wanted.wanted, str(value), False)
    ok = _HOLDS[wanted.sign](number, wanted.limit)
    return ExpectResult(wanted.name, wanted.wanted, f"{number:.6g}", ok)


def _value(name: str, summary: Mapping[str, object]) -> object:
    value: object = summary
    for step in name.split("."):
        if not isinstance(value, Mapping) or step not in value:
            return None
        value = value[step]
    return value


def _members(value: object) -> list[str]:
    """Words of a list, or the keys of a mapping whose counts are not zero."""
    if isinstance(value, Mapping):
        return [str(key) for key, count in value.items() if count]
    if isinstance(value, list | tuple | set | frozenset):
        return sorted(str(word) for word in value)
    return [str(value)]


def _number(value: object) -> float | None:
    """A number; of a mapping of numbers, their sum."""
    if isinstance(value, Mapping):
        parts = [_number(part) for part in value.values()]
        return None if None in parts else sum(part for part in parts if part is not None)
    return float(value) if isinstance(value, int | float) else None
