"""When what breaks: the lines of ``faults:`` and ``crowds:`` on one site, and the moments drawn.

Each line has a stream of its own for each thing that it means, so that another vehicle or another
line changes nobody's luck (equal lines for one thing are numbered), and a longer run begins with
just the shorter one's faults.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sim.moments import DAY_S, after_start_s, within
from sim.scenario.fault_rows import FaultRow, FaultWord, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFault:
    """One thing that will break.

    Args:
        at_s: seconds after the start.
        lasts_s: None = nobody repairs it.
        share: of its speed (slow, stuck_wheel) or battery that is left, or of messages.
        delay_s: of each message.
        off_m: how far from the truth it takes itself to be.
        wind_m_s: speed of the wind.
        bearing_deg: where from the wind blows, or where to it takes itself to be.
    """

    at_s: float
    target: Target
    id: str
    fault: FaultWord
    lasts_s: float | None = None
    share: float | None = None
    delay_s: float = 0.0
    off_m: float = 0.0
    wind_m_s: float = 0.0
    bearing_deg: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSource:
    """One line of ``faults:``, with the things on this site that it means.

    Args:
        stream: names its chance.
    """

    row: FaultRow
    ids: tuple[str, ...]
    stream: str


def planned_faults(
    sources: Sequence[FaultSource], *, midnight_s: float, duration_s: float, seed: int
) -> list[PlannedFault]:
    """All that breaks in one run, in the order of time.

    Args:
        midnight_s: time of day at the start.
    """
    found: list[tuple[float, int, PlannedFault]] = []
    seen: Counter[str] = Counter()
    for number, source in enumerate(sources):
        for id_ in source.ids:
            name = f"{seed}:fault:{source.stream}:{id_}"
            seen[name] += 1
            name = name if seen[name] == 1 else f"{name}#{seen[name]}"
            what = random.Random(f"{name}:what")
            for at_s in _times(source.row, midnight_s, duration_s, random.Random(f"{name}:when")):
                fault = _fault(source.row, id_, at_s, what)
                if within(source.row.between, (at_s + midnight_s) % DAY_S):
                    found.append((at_s, number, fault))
    return [fault for _, _, fault in sorted(found, key=lambda one: one[:2])]


def stream(row: FaultRow) -> str:
    """Names a line's chance: its own name, or what it says but for whom it means by that.

    So a list of vehicles may grow, and the moments of those who were in it before stay.
    """
    content = row.model_dump(
        mode="json", by_alias=True, exclude_defaults=True, exclude={row.target}
    )
    return row.name or f"{row.target}:{json.dumps(content, sort_keys=True)}"


def _times(
    row: FaultRow, midnight_s: float, duration_s: float, chance: random.Random
) -> Iterator[float]:
    """The moment that a line names, or those of a Poisson process."""
    if row.at is not None:
        yield after_start_s(row.at, midnight_s)
        return
    rate = (row.per_day or 0.0) / DAY_S
    at_s = chance.expovariate(rate) if rate > 0 else duration_s
    while at_s < duration_s:
        yield at_s
        at_s += chance.expovariate(rate)


def _fault(row: FaultRow, id_: str, at_s: float, chance: random.Random) -> PlannedFault:
    drawn_s, drawn_deg = chance.random(), chance.uniform(0.0, 360.0)
    lasts_s = None
    if row.lasts is not None:
        least_s, most_s = row.lasts
        lasts_s = least_s + (most_s - least_s) * drawn_s
    return PlannedFault(
        at_s=at_s,
        target=row.target,
        id=id_,
        fault=row.word,
        lasts_s=lasts_s,
        share=row.share,
        delay_s=row.delay or 0.0,
        off_m=row.off_m or 0.0,
        wind_m_s=row.wind_m_s or 0.0,
        bearing_deg=drawn_deg if row.from_deg is None else row.from_deg,
    )
