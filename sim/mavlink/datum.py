"""Between the places and heights of MAVLink and those of the site."""

import math
from dataclasses import dataclass

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.missions import from_e7, to_e7
from routing.geometry import LocalFrame, Point

_RELATIVE = (mav.MAV_FRAME_GLOBAL_RELATIVE_ALT, mav.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT)


@dataclass(frozen=True, slots=True)
class Datum:
    """Where the site lies on the earth, and how high its ground is above the sea."""

    frame: LocalFrame
    ground_amsl_m: float

    def point(self, lat_e7: int, lon_e7: int) -> Point:
        """A spot of the wire, in 1e-7 degrees, as one of the site."""
        return self.frame.to_point(from_e7(lat_e7, lon_e7))

    def e7(self, point: Point) -> tuple[int, int]:
        """Latitude and longitude of a spot of the site, in 1e-7 degrees."""
        return to_e7(self.frame.to_geo(point))

    def height_agl_m(self, mav_frame: int, z_m: float) -> float:
        """A height of the wire as one above ground."""
        return z_m if mav_frame in _RELATIVE else z_m - self.ground_amsl_m

    @property
    def bearing_rad(self) -> float:
        """Compass bearing of the site's y axis."""
        return math.radians(self.frame.bearing_deg)
