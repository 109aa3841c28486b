"""The wind at the site: what the drones that fly in it say, and what is planned for till then.

One estimate for all heights: a few drones some tens of metres apart don't tell a profile.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from statistics import median

from fleet.vehicle import VehicleState, WindWord
from routing.air.wind import Wind

FRESH_S = 60.0
"""Words as young as this are taken before all older ones."""
KEPT_S = 900.0
"""Older ones say nothing: nobody has flown since."""
LOOK_S = 1.0
"""For so long an estimate is good."""
STEP_M_S = 0.5
"""Plans are made for a wind rounded up to this, so that a breath of air changes none."""


class SiteWind:
    """One estimate from all drones.

    Args:
        planned_m_s: the wind that is planned for, from any side.
        states: the latest word of each vehicle that may tell of the wind.
        now_s: loop second.
    """

    def __init__(
        self,
        planned_m_s: float = 0.0,
        states: Sequence[Callable[[], VehicleState]] = (),
        now_s: Callable[[], float] | None = None,
    ) -> None:
        self.planned_m_s = planned_m_s
        self._states = states
        self._now_s = now_s or (lambda: asyncio.get_running_loop().time())
        self._looked_s, self._known = -math.inf, None

    @property
    def known(self) -> Wind | None:
        """What drones say; None = none has flown lately, or none can tell.

        The middle one of the words, in each direction by itself: one drone that is wrong among
        three counts for nothing.
        """
        if not self._states:
            return None
        now_s = self._now_s()
        if now_s - self._looked_s >= LOOK_S:
            self._looked_s, self._known = now_s, self._estimate(now_s)
        return self._known

    @property
    def careful_m_s(self) -> float:
        """What plans of shifts count with, from any side: the worse of planned and known."""
        known = self.known
        if known is None or known.speed_m_s <= self.planned_m_s:
            return self.planned_m_s
        return math.ceil(known.speed_m_s / STEP_M_S - 1e-9) * STEP_M_S

    def _estimate(self, now_s: float) -> Wind | None:
        words = [word for state in self._states if (word := state().wind) is not None]
        young = [word for word in words if now_s - word.heard_at_s <= KEPT_S]
        fresh = [word for word in young if now_s - word.heard_at_s <= FRESH_S]
        if fresh:
            return _middle(fresh)
        return max(young, key=lambda word: word.heard_at_s).wind if young else None


def _middle(words: Sequence[WindWord]) -> Wind:
    return Wind(
        median(word.wind.x_m_s for word in words), median(word.wind.y_m_s for word in words)
    )
