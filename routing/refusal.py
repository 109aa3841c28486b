"""A "no" with its reason: a code that screens turn into words, and the facts behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Fact = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is not done, now or ever.

    Args:
        code: stable key in snake_case, such as ``over_payload``; the console holds the sentence.
        facts: the values that the sentence needs, such as ``{"mass_kg": 80, "limit_kg": 50}``.
    """

    code: str
    facts: Mapping[str, Fact] = field(default_factory=dict[str, Fact])

    def __str__(self) -> str:
        facts = ", ".join(f"{name}={value}" for name, value in self.facts.items())
        return f"{self.code} ({facts})" if facts else self.code
