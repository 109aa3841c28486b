"""Keeps the windows of lanes while vehicles drive: who would come too late is led another way."""

import asyncio
from collections.abc import Callable, Sequence

from dispatcher.traffic.detours import Detours
from dispatcher.traffic.hours import Hours
from fleet.vehicle import VehicleId

A_MOMENT_S = 0.01
LOOK_S = 30.0
"""How often it is looked who will come to a lane too late for its window."""


class HourWatch:
    """Looks at the clock for all who drive."""

    def __init__(self, detours: Detours) -> None:
        self._detours = detours
        self._listeners: list[Callable[[Sequence[VehicleId]], None]] = []

    def on_hours(self, listener: Callable[[Sequence[VehicleId]], None]) -> None:
        """Have ``listener`` called when lanes have opened or shut for the hour.

        It is told who is on a way that can't be driven on: better they turn back.
        """
        self._listeners.append(listener)

    async def run(self, hours: Hours) -> None:
        """Lead others another way in time, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            turns_s = hours.changes(loop.time())[0] + A_MOMENT_S
            await asyncio.sleep(min(turns_s, LOOK_S))
            left = self._detours.keep_hours(turned=turns_s <= LOOK_S)
            if left or turns_s <= LOOK_S:
                for listener in self._listeners:
                    listener(left)
