"""What a simulated autopilot's EKF makes of the wind: nothing on the ground, late in the air.

It begins with still air when the drone leaves the ground, and follows the true wind with a lag.
Without the drag of its frame among its parameters it knows nothing, as a stock drone does.

Source: ArduCopter 4.5, ``GCS_MAVLINK_Copter::send_wind`` and
``NavEKF3_core::setWindMagStateLearningMode``; the lag is a guess at what its filter needs.
"""

import asyncio
import math

from pymavlink.dialects.v20 import ardupilotmega as mav

from routing.air.wind import Wind
from sim.mavlink.copter import Copter
from sim.mavlink.datum import Datum

LAG_S = 12.0
"""After this an estimate has come 63 % of its way."""


class WindEstimate:
    """The estimate of one copter; it is brought up to date whenever it is asked for."""

    def __init__(self, copter: Copter, datum: Datum) -> None:
        self._copter, self._body, self._datum = copter, copter.body, datum
        self._found = Wind()
        self._found_s: float | None = None
        """When it was last brought up to date; None on the ground."""
        self._body.changed.listen(self._on_body)

    def message(self) -> mav.MAVLink_wind_message | None:
        """WIND as of now; None where there is no estimate."""
        params = self._copter.params
        by_body = params["EK3_DRAG_BCOEF_X"] > 0 and params["EK3_DRAG_BCOEF_Y"] > 0
        knows_drag = by_body or params["EK3_DRAG_MCOEF"] > 0
        if self._found_s is None or not knows_drag or not self._copter.estimate.known:
            return None
        self._follow(asyncio.get_running_loop().time())
        from_deg = self._found.from_deg(math.degrees(self._datum.bearing_rad))
        signed_deg = from_deg - 360.0 if from_deg > 180.0 else from_deg
        return mav.MAVLink_wind_message(signed_deg, self._found.speed_m_s, 0.0)

    def _follow(self, now_s: float) -> None:
        assert self._found_s is not None, "it flies"
        true, old = self._body.wind, self._found
        share = 1 - math.exp(-(now_s - self._found_s) / LAG_S)
        self._found = Wind(
            old.x_m_s + share * (true.x_m_s - old.x_m_s),
            old.y_m_s + share * (true.y_m_s - old.y_m_s),
        )
        self._found_s = now_s

    def _on_body(self) -> None:
        if not self._body.airborne:
            self._found_s = None
        elif self._found_s is None:
            self._found, self._found_s = Wind(), asyncio.get_running_loop().time()
