"""How long drives really take, by lane or lift and hour of day, learnt from what was driven.

Each lane that a vehicle has driven gives a sample: the seconds measured, waiting for others
included, and those planned. A ride in a lift is one sample, from the node before the cabin to the
cabin's next stop. With exponentially weighted sums of both (the newest sample weighs 1, the one
before `KEPT`, and so on) the ratio of a road in one hour of the day is::

    r  = measured / planned          over all hours      Z  = n  / (n  + PRIOR)
    rh = measured / planned          in this hour        Zh = nh / (nh + PRIOR)
    day = 1 + Z (r - 1)              hour = day + Zh (rh - day)

so that few samples say little: without any the ratio is 1. Sources: exponential weights, Roberts,
Technometrics 1(3), 1959; the credibility n / (n + k), Buehlmann, ASTIN Bulletin 4(3), 1967.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fleet.clock import Clock
from routing.site import Edge, Site

KEPT = 0.97
"""Weight of a sample when the next one comes: some 30 samples count."""
PRIOR = 5.0
"""So many samples weigh as much as the plan."""
LONGEST_WAIT_S = 120.0
"""Longer than this over the plan is trouble, not traffic, and counts as just this much."""
REFRESH_S = 1800.0
"""How often plans take up what was learnt."""
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What is known of one road in one hour of the day (UTC): weighted sums."""

    road: str
    hour: int
    samples: float
    planned_s: float
    measured_s: float


class TravelTimes:
    """The measured paces of a site's roads."""

    def __init__(self, site: Site, clock: Clock) -> None:
        self._site = site
        self._clock = clock
        self._paces: dict[str, dict[int, Pace]] = {}
        self._changed: dict[tuple[str, int], Pace] = {}
        self._hour = 0
        self._hour_ends_s = 0.0

    def load(self, paces: Iterable[Pace]) -> None:
        """Take up what a former process has learnt."""
        for pace in paces:
            self._paces.setdefault(pace.road, {})[pace.hour] = pace

    def road(self, edge: Edge) -> str:
        """The word under which an edge is learnt: its lane, or the lift that it leads into."""
        lift = edge.lane.lift or (self._site.lift_at[edge.end].id if self.enters(edge) else None)
        return edge.lane.id if lift is None else f"lift {lift}"

    def enters(self, edge: Edge) -> bool:
        """Whether an edge leads into a lift or is a ride in it."""
        return edge.end in self._site.lift_at

    def learn(self, edge: Edge, planned_s: float, measured_s: float) -> None:
        """A vehicle has driven an edge, or ridden a lift, just now."""
        if planned_s <= 0 or measured_s <= 0:
            return
        road, hour = self.road(edge), self._hour_now()
        hours = self._paces.setdefault(road, {})
        old = hours.get(hour)
        measured_s = min(measured_s, planned_s + LONGEST_WAIT_S)
        new = Pace(
            road=road,
            hour=hour,
            samples=1 + (KEPT * old.samples if old else 0.0),
            planned_s=planned_s + (KEPT * old.planned_s if old else 0.0),
            measured_s=measured_s + (KEPT * old.measured_s if old else 0.0),
        )
        hours[hour] = self._changed[road, hour] = new

    def ratios(self) -> Mapping[str, float]:
        """For each road that is known, how much longer than planned it takes at this hour."""
        hour = self._hour_now()
        return {road: _ratio(hours, hour) for road, hours in self._paces.items()}

    def take_changed(self) -> list[Pace]:
        """What was learnt since the last call, to be written down."""
        changed, self._changed = list(self._changed.values()), {}
        return changed

    def edition(self) -> int:
        """Grows whenever plans should take up what was learnt."""
        return int(self._clock.now_s() // REFRESH_S)

    def _hour_now(self) -> int:
        now_s = self._clock.now_s()
        if not self._hour_ends_s - HOUR_S <= now_s < self._hour_ends_s:
            now = self._clock.to_utc(now_s)
            gone_s = now.minute * 60.0 + now.second + now.microsecond / 1e6
            self._hour, self._hour_ends_s = now.hour, now_s + HOUR_S - gone_s
        return self._hour


def _ratio(hours: Mapping[int, Pace], hour: int) -> float:
    samples = sum(pace.samples for pace in hours.values())
    measured_s = sum(pace.measured_s for pace in hours.values())
    planned_s = sum(pace.planned_s for pace in hours.values())
    day = 1 + _credibility(samples) * (measured_s / planned_s - 1)
    here = hours.get(hour)
    if here is None:
        return day
    return day + _credibility(here.samples) * (here.measured_s / here.planned_s - day)


def _credibility(samples: float) -> float:
    return samples / (samples + PRIOR)
