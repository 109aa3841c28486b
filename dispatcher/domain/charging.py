"""When a vehicle must charge, and when it has enough."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from fleet.vehicle import VehicleSpec
from routing.site import PlaceId

_SPAN = re.compile(r"([01]?\d|2[0-4]):([0-5]\d) ?- ?([01]?\d|2[0-4]):([0-5]\d)")
DAY_MIN = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class CheapHours:
    """When electricity is cheap: spans of minutes since midnight, over midnight too; none = always.

    Args:
        zone: where the days begin and end.
    """

    spans: tuple[tuple[int, int], ...] = ()
    zone: tzinfo = UTC

    @classmethod
    def of(cls, words: Iterable[str], zone: tzinfo = UTC) -> "CheapHours":
        """From words such as ``22:00-06:00``.

        Raises:
            ValueError: one of them is none; it says which.
        """
        return cls(spans=tuple(_span(word) for word in words), zone=zone)

    def now(self, now: Callable[[], datetime]) -> bool:
        """Whether electricity is cheap; an aware moment is asked for only if that counts."""
        if not self.spans:
            return True
        here = now().astimezone(self.zone)
        minute = here.hour * 60 + here.minute
        return any(
            from_ <= minute < to if from_ < to else minute >= from_ or minute < to
            for from_, to in self.spans
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCharge:
    """A stop at a charger on the way to a visit, as the plan has it."""

    charger: PlaceId
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargePolicy:
    """Shares of the capacity at which something happens.

    ``must_below``: no more work before it has been charged to ``work_from``. ``idle_below``: goes
    to charge when it has nothing to do. ``full``: charged far enough to make room for others.
    """

    must_below: float = 0.35
    idle_below: float = 0.85
    work_from: float = 0.6
    full: float = 0.95
    cheap: CheapHours = field(default_factory=CheapHours)
    """At other times an idle vehicle charges only below ``work_from``, and not to the full."""

    def idle_goal(self, now: Callable[[], datetime]) -> tuple[float, float]:
        """Below which charge an idle vehicle goes to charge now, and how far it is charged."""
        if self.cheap.now(now):
            return self.idle_below, self.full
        return self.work_from, (self.work_from + self.full) / 2


def enough(
    spec: VehicleSpec, charge_ratio: float, *, move_s: float, idle_s: float, work_s: float = 0.0
) -> bool:
    """Whether a trip would leave the reserve untouched, with a quarter more than planned."""
    energy = spec.energy
    needed_wh = 1.25 * energy.trip_wh(move_s=move_s, idle_s=idle_s, work_s=work_s)
    return (
        charge_ratio * energy.capacity_wh - needed_wh >= energy.reserve_ratio * energy.capacity_wh
    )


def _span(word: str) -> tuple[int, int]:
    """``22:00-06:00`` in minutes since midnight; ``24:00`` is the end of the day."""
    found = _SPAN.fullmatch(word.strip())
    if found is None:
        raise ValueError(f"{word!r} is no span of the day")
    hours = [int(number) for number in found.groups()]
    from_, to = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    if from_ >= DAY_MIN or to > DAY_MIN:
        raise ValueError(f"{word!r} goes beyond the end of the day")
    if from_ == to:
        raise ValueError(f"{word!r} ends where it begins")
    return from_, to
