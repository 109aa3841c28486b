"""ArduCopter's flight modes, by their numbers on the wire, and what each one needs."""

from pymavlink.dialects.v20 import ardupilotmega as mav

STABILIZE, AUTO, GUIDED = mav.COPTER_MODE_STABILIZE, mav.COPTER_MODE_AUTO, mav.COPTER_MODE_GUIDED
ALT_HOLD, RTL, LAND = mav.COPTER_MODE_ALT_HOLD, mav.COPTER_MODE_RTL, mav.COPTER_MODE_LAND
LOITER, POSHOLD = mav.COPTER_MODE_LOITER, mav.COPTER_MODE_POSHOLD
BRAKE, SMART_RTL = mav.COPTER_MODE_BRAKE, mav.COPTER_MODE_SMART_RTL
MODE_NAMES = {
    STABILIZE: "STABILIZE",
    ALT_HOLD: "ALT_HOLD",
    AUTO: "AUTO",
    GUIDED: "GUIDED",
    LOITER: "LOITER",
    RTL: "RTL",
    LAND: "LAND",
    POSHOLD: "POSHOLD",
    BRAKE: "BRAKE",
    SMART_RTL: "SMART_RTL",
}
"""All that a copter can fly in."""
NEED_POSITION = frozenset(MODE_NAMES) - {STABILIZE, ALT_HOLD, LAND}
ARMABLE = frozenset({STABILIZE, ALT_HOLD, LOITER, POSHOLD, GUIDED})
