"""What a sweep runs: a scenario under several settings, each with the same seeds."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from sim.options import WrongUse

OPEN, CLOSED, QUOTES = "[{(", "]})", "\"'"


@dataclass(frozen=True, slots=True)
class Setting:
    """One point of the grid.

    Args:
        label: what tells it from the others; empty if there are none.
        overrides: all that it changes, as ``key=value``.
    """

    label: str
    overrides: tuple[str, ...]


def settings_of(changes: Sequence[str]) -> list[Setting]:
    """Every combination of the values in ``key=v1,v2``, the last key changing fastest.

    Raises:
        WrongUse: one of them has no key or no value, or a key is given twice.
    """
    named: dict[str, list[str]] = {}
    for change in changes:
        key, equals, text = change.partition("=")
        values = split_values(text)
        if not equals or not key.strip() or not all(values):
            raise WrongUse(f"--set {change}: write key=value, or key=v1,v2 to compare values")
        if key.strip() in named:
            raise WrongUse(f"--set {change}: {key.strip()} is set twice; write {key}=v1,v2")
        named[key.strip()] = list(dict.fromkeys(values))
    varied = [key for key, values in named.items() if len(values) > 1]
    found: list[Setting] = []
    for combination in itertools.product(*named.values()):
        chosen = dict(zip(named, combination, strict=True))
        label = " ".join(f"{_short(key)}={chosen[key]}" for key in varied)
        found.append(Setting(label, tuple(f"{key}={value}" for key, value in chosen.items())))
    return found


def split_values(text: str) -> list[str]:
    """The parts of a list of YAML values: commas inside brackets and quotes don't part them."""
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in QUOTES:
            quote = letter
        elif letter in OPEN:
            depth += 1
        elif letter in CLOSED:
            depth -= 1
        elif letter == "," and depth == 0:
            parts.append("")
            continue
        parts[-1] += letter
    return [part.strip() for part in parts]


def _short(key: str) -> str:
    """The last word of a dotted key, with the number before it if there is one."""
    words = key.split(".")
    return ".".join(words[-2:]) if len(words) > 1 and words[-2].isdigit() else words[-1]
