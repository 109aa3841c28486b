"""Between the places and heights of MAVLink and those of the site."""

import math

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.missions import from_e7, to_e7
from routing.geometry import LocalFrame, Point

_RELATIVE = (mav.MAV_FRAME_GLOBAL_RELATIVE_ALT, mav.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT)


class Datum:
    """Where the site lies on the earth, and how high its ground is above the sea."""

    def __init__(self, frame: LocalFrame, ground_amsl_m: float) -> None:
        self.frame, self.ground_amsl_m = frame, ground_amsl_m
        self._asked: Point | None = None
        """The last spot of the site: one drone asks for it several times at a moment."""
        self._answer = 0, 0

    def point(self, lat_e7: int, lon_e7: int) -> Point:
        """A spot of the wire, in 1e-7 degrees, as one of the site."""
        return self.frame.to_point(from_e7(lat_e7, lon_e7))

    def e7(self, point: Point) -> tuple[int, int]:
        """Latitude and longitude of a spot of the site, in 1e-7 degrees."""
        if point != self._asked:
            self._asked, self._answer = point, to_e7(self.frame.to_geo(point))
        return self._answer

    def height_agl_m(self, mav_frame: int, z_m: float) -> float:
        """A height of the wire as one above ground."""
        return z_m if mav_frame in _RELATIVE else z_m - self.ground_amsl_m

    @property
    def bearing_rad(self) -> float:
        """Compass bearing of the site's y axis."""
        return math.radians(self.frame.bearing_deg)
