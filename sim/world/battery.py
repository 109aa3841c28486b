"""A ground body's battery, reckoned up when somebody asks, or what is drawn from it changes."""

import asyncio
from collections.abc import Callable


class Battery:
    """What is left in it, in watt-hours.

    Args:
        draws_w: what is drawn from it at this moment, in watts; negative while it is charged.
        emptied: called when nothing is left in it.
    """

    def __init__(
        self,
        capacity_wh: float,
        charge_ratio: float,
        *,
        draws_w: Callable[[], float],
        emptied: Callable[[], None],
    ) -> None:
        self._capacity_wh = capacity_wh
        self._left_wh = charge_ratio * capacity_wh
        self._draws_w, self._emptied = draws_w, emptied
        self._now_s = asyncio.get_running_loop().time
        self._settled_s = self._now_s()

    @property
    def left_wh(self) -> float:
        """What is left in it at this moment."""
        self.settle()
        return self._left_wh

    def settle(self) -> None:
        """Bring it up to this moment; call before what is drawn changes."""
        now_s = self._now_s()
        lasted_s = now_s - self._settled_s
        if lasted_s > 0:
            self._settled_s = now_s
            self._spend(self._draws_w() * lasted_s / 3600)

    def set_ratio(self, ratio: float) -> None:
        """Have it hold just this share of its capacity."""
        self.settle()
        self._left_wh = ratio * self._capacity_wh

    def drain(self) -> None:
        """Nothing is left in it."""
        self.settle()
        self._spend(self._left_wh)

    def _spend(self, spent_wh: float) -> None:
        had_wh = self._left_wh
        self._left_wh = min(self._capacity_wh, had_wh - spent_wh)
        if self._left_wh <= 1e-9:
            self._left_wh = 0.0
            if had_wh > 0:
                self._emptied()
