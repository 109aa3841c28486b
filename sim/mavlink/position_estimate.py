"""Whether a simulated autopilot knows where it is: by GPS, and for a while without.

Source: ArduCopter 4.5, ``ekf_check.cpp``.
"""

import asyncio
from collections.abc import Callable

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.alarms import Alarms
from sim.world.signal import Signal

_DEAD_RECKONING_S = 8.0
"""How long the estimate of the position holds without GPS: 7 s, and 1 s that the check waits."""


class PositionEstimate:
    """What the EKF of one drone makes of its position.

    Args:
        say: puts out a text, with its MAV_SEVERITY.
    """

    def __init__(self, alarms: Alarms, say: Callable[[int, str], None]) -> None:
        self._alarms, self._say = alarms, say
        self.known = False
        self.found, self.lost = Signal(), Signal()
        self._gps = True
        self._reckoning: asyncio.TimerHandle | None = None

    def power_on(self) -> None:
        """Fresh from power it knows nothing."""
        self.known = False

    def find(self) -> None:
        """It is good from now on, unless there is no GPS."""
        if not self._gps or self.known:
            return
        self.known = True
        self._say(mav.MAV_SEVERITY_INFO, "EKF3 IMU0 is using GPS")
        self.found.fire()

    def lose_gps(self) -> None:
        """No satellites from now on: for a while it reckons where it is, then it can't any more."""
        self._gps = False
        if self.known and self._reckoning is None:
            self._reckoning = self._alarms.after(_DEAD_RECKONING_S, self._lose)

    def regain_gps(self) -> None:
        """Satellites again; a position that was lost by then must be found anew."""
        self._gps = True
        if self._reckoning is not None:
            self._reckoning.cancel()
            self._reckoning = None

    def _lose(self) -> None:
        self._reckoning = None
        self.known = False
        self._say(mav.MAV_SEVERITY_CRITICAL, "EKF3 IMU0 stopped aiding")
        self.lost.fire()
