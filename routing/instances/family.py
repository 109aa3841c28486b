"""Which benchmark a file is from: its first lines tell, never its name."""

import re
from enum import StrEnum

_ALLOCATION = re.compile(r'"(?:agents|deliveries)"\s*:\s*\[')


class Family(StrEnum):
    """Forms of files that can be read."""

    ALLOCATION = "allocation"
    LILIM = "Li-Lim"
    SCHNEIDER = "Schneider"
    SOLOMON = "Solomon"


def family_of(text: str) -> Family | None:
    """The family of a file, also if it is cut short or garbled further down; None = of none."""
    if text.lstrip()[:1] == "{":
        return Family.ALLOCATION if _ALLOCATION.search(text) else None
    rows = [words for line in text[:4000].splitlines() if (words := line.split())]
    if not rows:
        return None
    if rows[0][0] == "StringID":
        return Family.SCHNEIDER
    if any(words[0].upper() == "VEHICLE" for words in rows[:3]):
        return Family.SOLOMON
    if len(rows[0]) == 3 and all(_is_number(word) for word in rows[0]):
        return Family.LILIM
    return None


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
