"""A simulated drone's dock: gives its drone power, and charges it while it stands there."""

import json
import logging

from fleet.bus import Bus
from fleet.facility import TOPICS
from routing.geometry import Point
from sim.mavlink.autopilot import MavlinkAutopilot
from sim.world.signal import Signal

log = logging.getLogger(__name__)

REACH_M = 2.0
"""How near to its middle a drone must stand to be in it."""
STEP_RATIO = 0.05
"""How much fuller a battery gets between two words of the dock."""
LEAST_S = 60.0
"""Between two words of a battery that is being charged; near full it would never be silent."""


class DockMachine:
    """One dock and the drone that belongs to it. Nobody else's drone gets power here.

    It says its state when it changes, and now and then while it charges.
    """

    def __init__(self, bus: Bus, dock_id: str, autopilot: MavlinkAutopilot, at: Point) -> None:
        self._bus, self._topic = bus, f"{TOPICS}/dock/{dock_id}"
        self._autopilot, self._body, self._at = autopilot, autopilot.body, at
        self._work = Signal()
        self._wanted: bool | None = None
        self._unsaid = True
        self.faulty = 0
        """How many requests could not be read."""

    @property
    def occupied(self) -> bool:
        """Whether its drone stands in it."""
        near = self._body.position().point.distance_m(self._at) <= REACH_M
        return near and not self._body.airborne

    async def run(self) -> None:
        """Serve; runs until cancelled."""
        self._body.changed.listen(self._wake)
        subscription = self._bus.subscribe(f"{self._topic}/request", self._hear)
        try:
            while True:
                self._unsaid = False
                self._switch()
                await self._say()
                if not self._unsaid:
                    await self._work.wait(at_most_s=self._next_word_s())
        finally:
            subscription.close()

    def _switch(self) -> None:
        """Power as asked for, and the charger on whatever stands here."""
        occupied = self.occupied
        if occupied is not self._body.on_charger:
            self._body.set_power(charger=occupied)
        if self._wanted is not None and occupied:
            self._autopilot.power(self._wanted)
        self._wanted = None

    def _next_word_s(self) -> float | None:
        """Until the battery is a step fuller; None = nothing will change by itself."""
        ratio = self._body.charge_ratio()
        if not self._body.on_charger or ratio >= 1.0:
            return None
        return max(LEAST_S, self._body.seconds_to(min(1.0, ratio + STEP_RATIO)))

    async def _say(self) -> None:
        state = {
            "powered": self._autopilot.powered,
            "occupied": self.occupied,
            "charge_ratio": round(self._body.charge_ratio(), 4) if self.occupied else None,
        }
        await self._bus.publish(
            f"{self._topic}/state", json.dumps(state).encode(), qos=1, retain=True
        )

    def _hear(self, topic: str, payload: bytes) -> None:
        try:
            wanted = json.loads(payload)["power"]
        except (ValueError, TypeError, KeyError, RecursionError):
            wanted = None
        if not isinstance(wanted, bool):
            self.faulty += 1
            log.warning("%s: can't read %.100r", topic, payload)
            return
        self._wanted = wanted
        self._wake()

    def _wake(self) -> None:
        self._unsaid = True
        self._work.fire()
