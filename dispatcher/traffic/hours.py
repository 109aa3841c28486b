"""Which lanes are shut to which goods, and when: the windows of a site, by its clock."""

from collections.abc import Iterable, Mapping
from datetime import UTC, tzinfo

from fleet.clock import Clock
from routing.refusal import Refusal
from routing.site import Edge, LaneId, Site
from routing.windows import DAY_S, Window

AHEAD_S = 120.0
"""Nobody is let into a lane so shortly before it is shut: what is granted is still to be driven."""

Goods = frozenset[str]
"""The classes of all that is on board."""
ShutTimes = Mapping[LaneId, tuple[tuple[float, float], ...]]
"""For each lane when it is shut: pairs of begin and end, in seconds from a departure."""


class Hours:
    """The windows of one site.

    Args:
        zone: where its days begin and end. On the day of a change to summer time they are an
            hour off from the moment of the change on, counted from before.
    """

    def __init__(self, site: Site, clock: Clock, zone: tzinfo) -> None:
        self._site = site
        self._clock = clock
        self._zone = zone

    @property
    def any(self) -> bool:
        """Whether the site has any."""
        return bool(self._site.windows)

    def shut_times(self, goods: Goods, at_s: float) -> ShutTimes:
        """When lanes are shut to these goods, seen from a moment, for the day to come."""
        clock_s = self._clock_s(at_s)
        found: dict[LaneId, tuple[tuple[float, float], ...]] = {}
        for lane, windows in self._site.windows.items():
            spans = _shut(windows, goods, clock_s)
            if spans:
                found[lane] = spans
        return found

    def is_shut(self, lane: LaneId, goods: Goods) -> bool:
        """Whether these goods may not be let into a lane now."""
        windows = self._site.windows.get(lane, ())
        if not windows:
            return False
        spans = _shut(windows, goods, self._clock_s(self._clock.now_s()))
        return any(begin <= 0 < end for begin, end in spans)

    def met(
        self, drives: Iterable[tuple[Edge, float]], goods: Goods, at_s: float
    ) -> tuple[Edge, float] | None:
        """The first edge of a way that is shut when it is driven, and the second when it opens.

        Args:
            drives: each edge with its seconds.
            at_s: the departure.
        """
        shut, enters_s = self.shut_times(goods, at_s), 0.0
        if not shut:
            return None
        for edge, takes_s in drives:
            spans = shut.get(edge.lane.id, ())
            opens_s = next((b for a, b in spans if a < enters_s + takes_s and enters_s < b), None)
            if opens_s is not None:
                for begin, end in spans:
                    if begin <= opens_s < end:
                        opens_s = end
                return edge, at_s + opens_s
            enters_s += takes_s
        return None

    def changes(self, at_s: float) -> list[float]:
        """The seconds from a moment at which any lane opens or shuts, within a day."""
        clock_s = self._clock_s(at_s)
        every = [w for windows in self._site.windows.values() for w in windows]
        ends = {end for w in every for span in w.times(clock_s, AHEAD_S) for end in span}
        return sorted(end for end in ends if 0 < end <= DAY_S)

    def refusal(self, edge: Edge, opens_s: float) -> Refusal:
        """Why somebody waits who was `met`; a lane of a lift goes by the name of the lift."""
        lift = self._site.lift_at.get(edge.end) or self._site.lift_at.get(edge.start)
        way = edge.lane.id if lift is None or edge.lane.windows else lift.id
        opens_at = self._clock.to_utc(opens_s).astimezone(UTC).isoformat(timespec="seconds")
        return Refusal("waits_for_window", {"way": way, "opens_at": opens_at})

    def _clock_s(self, at_s: float) -> float:
        here = self._clock.to_utc(at_s).astimezone(self._zone)
        return here.hour * 3600 + here.minute * 60 + here.second + here.microsecond / 1e6


def _shut(
    windows: tuple[Window, ...], goods: Goods, clock_s: float
) -> tuple[tuple[float, float], ...]:
    spans = (w.times(clock_s, AHEAD_S) for w in windows if not w.admits(goods))
    return tuple(sorted(span for found in spans for span in found))
