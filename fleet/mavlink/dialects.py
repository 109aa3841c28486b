"""Where ArduPilot and PX4 differ on the wire; chosen by the autopilot that a HEARTBEAT names.

Everything else in this package is common to both. ArduPilot's part was flown on ArduCopter 4.5.6.
PX4's part was read in its sources and has flown our simulator only.

Source: ArduCopter 4.5 (``ModeAuto::pause``: from 4.2 on, not flown); PX4 1.15,
``px4_custom_mode.h``, ``Commander.cpp``, ``mavlink_receiver.cpp``, ``mavlink_mission.cpp``.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from pymavlink.dialects.v20 import ardupilotmega as mav

Command = tuple[int, tuple[float, ...]]
"""A MAV_CMD and its parameters."""

_CUSTOM = mav.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED
_SET_MODE = mav.MAV_CMD_DO_SET_MODE


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One autopilot's habits; modes are its numbers in ``HEARTBEAT.custom_mode``.

    Args:
        mode_params: what DO_SET_MODE says of a mode, after its first parameter.
        auto: it flies its mission.
        guided: it waits in the air, or is on its way to where DO_REPOSITION has sent it.
        leaving: it takes off without a mission.
        returning: it comes down by itself: a failsafe, or someone has called it back.
        holding: it stands still because a person wants it to.
        holds: commands that make it stand still, the first that it takes.
        pause: stops it on the way of its mission, and is refused in any other mode, so that nothing
            that it does by itself is ever undone; None = it has no such command.
        resume: has it fly on after that.
        home_item: whether item 0 of a mission is its home and not ours.
        above_sea: whether heights in commands count from the sea and not from home.
        int_bytes: whether a whole number travels as its four bytes in the place of a float.
        at_once: how many mission items may be asked for before the first has come.
        busy: MAV_MISSION_RESULTs that may be another one a moment later.
        tells_wind: whether it knows the message WIND.
    """

    autopilot: int
    mode_params: Callable[[int], tuple[float, ...]]
    auto: int
    guided: int
    leaving: frozenset[int] = frozenset()
    returning: frozenset[int]
    holding: frozenset[int]
    holds: tuple[Command, ...]
    pause: Command | None
    resume: Command | None
    home_item: bool
    above_sea: bool
    int_bytes: bool
    at_once: int
    busy: frozenset[int]
    tells_wind: bool

    @property
    def ours(self) -> frozenset[int]:
        """Modes in which it does what we have told it."""
        return self.leaving | {self.auto, self.guided}

    def mode(self, mode: int) -> Command:
        """The command that changes its flight mode."""
        return _SET_MODE, (_CUSTOM, *self.mode_params(mode))

    def take_off(self, height_m: float, home_amsl_m: float) -> Command:
        """The command to climb straight up to a height above home."""
        if self.above_sea:
            here = math.nan, math.nan, math.nan
            return mav.MAV_CMD_NAV_TAKEOFF, (-1, 0, 0, *here, home_amsl_m + height_m)
        return mav.MAV_CMD_NAV_TAKEOFF, (0, 0, 0, 0, 0, 0, height_m)


ARDUPILOT = Dialect(
    autopilot=mav.MAV_AUTOPILOT_ARDUPILOTMEGA,
    mode_params=lambda mode: (mode,),
    auto=mav.COPTER_MODE_AUTO,
    guided=mav.COPTER_MODE_GUIDED,
    returning=frozenset(
        {
            mav.COPTER_MODE_RTL,
            mav.COPTER_MODE_LAND,
            mav.COPTER_MODE_SMART_RTL,
            mav.COPTER_MODE_AUTO_RTL,
        }
    ),
    holding=frozenset({mav.COPTER_MODE_BRAKE, mav.COPTER_MODE_LOITER}),
    holds=(
        (_SET_MODE, (_CUSTOM, mav.COPTER_MODE_BRAKE)),
        (_SET_MODE, (_CUSTOM, mav.COPTER_MODE_LOITER)),
    ),
    pause=(mav.MAV_CMD_DO_PAUSE_CONTINUE, (0,)),
    resume=(mav.MAV_CMD_DO_PAUSE_CONTINUE, (1,)),
    home_item=True,
    above_sea=False,
    int_bytes=False,
    at_once=8,
    busy=frozenset({mav.MAV_MISSION_DENIED, mav.MAV_MISSION_OPERATION_CANCELLED}),
    tells_wind=True,
)


def px4_mode(main: int, sub: int = 0) -> int:
    """A flight mode of PX4 as HEARTBEAT tells it."""
    return main << 16 | sub << 24


MANUAL, ALTCTL, POSCTL, OFFBOARD, STABILIZED = map(px4_mode, (1, 2, 3, 6, 7))
AUTO_TAKEOFF, AUTO_LOITER, AUTO_MISSION, AUTO_RTL, AUTO_LAND, AUTO_PRECLAND = (
    px4_mode(4, sub) for sub in (2, 3, 4, 5, 6, 9)
)
_STAND_STILL: Command = (
    mav.MAV_CMD_DO_REPOSITION,
    (-1, mav.MAV_DO_REPOSITION_FLAGS_CHANGE_MODE, 0, math.nan, math.nan, math.nan, math.nan),
)
"""A change to Hold alone would let it fly on to where it was sent in Hold."""

PX4 = Dialect(
    autopilot=mav.MAV_AUTOPILOT_PX4,
    mode_params=lambda mode: (mode >> 16 & 0xFF, mode >> 24),
    auto=AUTO_MISSION,
    guided=AUTO_LOITER,
    leaving=frozenset({AUTO_TAKEOFF}),
    returning=frozenset({AUTO_RTL, AUTO_LAND, AUTO_PRECLAND}),
    holding=frozenset({AUTO_LOITER}),
    holds=(_STAND_STILL,),
    pause=None,
    resume=None,
    home_item=False,
    above_sea=True,
    int_bytes=True,
    at_once=1,
    busy=frozenset(
        {mav.MAV_MISSION_DENIED, mav.MAV_MISSION_OPERATION_CANCELLED, mav.MAV_MISSION_ERROR}
    ),
    tells_wind=False,
)

DIALECTS = {dialect.autopilot: dialect for dialect in (ARDUPILOT, PX4)}
NAMES = {"ardupilot": ARDUPILOT, "px4": PX4}
"""By the words of a configuration."""
