"""What a drone says of the wind that it flies in.

ArduCopter tells it only while it has an estimate: in flight, with the drag of its frame known to
its EKF (``EK3_DRAG_BCOEF_X`` and ``_Y``, or ``EK3_DRAG_MCOEF``) or with an airspeed sensor. A
stock one has neither and stays silent, however often it is asked.

Source: ArduCopter 4.5, ``GCS_MAVLINK_Copter::send_wind`` and
``NavEKF3_core::setWindMagStateLearningMode``.
"""

import math
from dataclasses import dataclass

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.vehicle import WindWord
from routing.air.wind import blowing

EACH_S = 5.0
"""How often a drone is asked to tell it."""
ASK_AGAIN_S = 60.0
"""Between two requests to a drone that flies and does not tell it."""
SETTLES_S = 45.0
"""So long after it has left the ground an estimate is worth nothing: it begins with still air."""
STRONGEST_M_S = 60.0
"""Whoever tells of more is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One word about the wind, as a drone tells it."""

    from_deg: float
    """Compass bearing that it blows from."""
    speed_m_s: float
    at_s: float
    height_agl_m: float

    def on_site(self, site_bearing_deg: float) -> WindWord:
        """The same in the site's frame, whose y axis has this compass bearing."""
        return WindWord(
            wind=blowing(self.from_deg, self.speed_m_s, site_bearing_deg),
            heard_at_s=self.at_s,
            height_agl_m=self.height_agl_m,
        )


class WindEar:
    """Listens to one drone's words about the wind."""

    def __init__(self) -> None:
        self._flies_since_s: float | None = None
        self._asked_s = self._told_s = -math.inf
        self.last: Told | None = None
        """Its last word that was worth something; it stays after the landing, with its age."""

    def flies(self, airborne: bool, now_s: float) -> None:
        """Told now and then whether it is in the air."""
        if not airborne:
            self._flies_since_s = None
            self._asked_s = -math.inf
        elif self._flies_since_s is None:
            self._flies_since_s = now_s

    def hear(self, message: mav.MAVLink_wind_message, height_agl_m: float, now_s: float) -> None:
        """Take in a word; those on the ground and soon after it don't count."""
        self._told_s = now_s
        since_s = self._flies_since_s
        from_deg, up_m_s = float(message.direction), float(message.speed_z)
        whole_m_s = float(message.speed)
        sound = all(map(math.isfinite, (from_deg, up_m_s, whole_m_s)))
        if since_s is None or now_s - since_s < SETTLES_S or not sound:
            return
        if 0 <= whole_m_s <= STRONGEST_M_S:
            self.last = Told(
                from_deg=from_deg,
                speed_m_s=math.sqrt(max(0.0, whole_m_s**2 - up_m_s**2)),
                at_s=now_s,
                height_agl_m=height_agl_m,
            )

    def wants(self, now_s: float) -> bool:
        """Whether it is to be asked for now, by whoever then does so."""
        told_lately = now_s - self._told_s <= 3 * EACH_S
        if self._flies_since_s is None or told_lately or now_s - self._asked_s < ASK_AGAIN_S:
            return False
        self._asked_s = now_s
        return True
