"""The habits of a PX4 over the same copter: its modes, parameters, answers and mission transfers.

Read in PX4 1.15; never compared with a real one. Texts are ArduCopter's.

Source: ``px4_custom_mode.h``, ``Commander.cpp``, ``navigator_main.cpp``, ``mavlink_mission.cpp``,
and the parameter reference.
"""

import math
from collections.abc import Callable, Mapping

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.energy import EnergySpec
from fleet.mavlink.dialects import (
    ALTCTL,
    AUTO_LAND,
    AUTO_LOITER,
    AUTO_MISSION,
    AUTO_RTL,
    AUTO_TAKEOFF,
    MANUAL,
    OFFBOARD,
    POSCTL,
    STABILIZED,
    px4_mode,
)
from fleet.mavlink.parameters import as_float, as_int
from routing.geometry import GeoPoint
from sim.mavlink.commands import UNSUPPORTED, Commands, Host, Params
from sim.mavlink.copter import ACCEPTED, FAILED, Copter
from sim.mavlink.copter_flight import TAKEOFF
from sim.mavlink.copter_modes import (
    ALT_HOLD,
    AUTO,
    BRAKE,
    GUIDED,
    LAND,
    LOITER,
    POSHOLD,
    RTL,
    SMART_RTL,
    STABILIZE,
)
from sim.mavlink.datum import Datum
from sim.mavlink.habits import ARDUPILOT, Habits
from sim.mavlink.missions import Sender, TransferHabits
from sim.mavlink.params import Parameters, capacity_mah

DENIED, REJECTED = mav.MAV_RESULT_DENIED, mav.MAV_RESULT_TEMPORARILY_REJECTED
_NOWHERE = 0x7FFFFFFF
"""In a COMMAND_INT: no such coordinate."""
_MODES = {
    STABILIZE: MANUAL,
    ALT_HOLD: ALTCTL,
    LOITER: POSCTL,
    POSHOLD: POSCTL,
    BRAKE: AUTO_LOITER,
    GUIDED: AUTO_LOITER,
    AUTO: AUTO_MISSION,
    RTL: AUTO_RTL,
    SMART_RTL: AUTO_RTL,
    LAND: AUTO_LAND,
}
_COPTERS = {
    MANUAL: STABILIZE,
    STABILIZED: STABILIZE,
    ALTCTL: ALT_HOLD,
    POSCTL: POSHOLD,
    AUTO_LOITER: GUIDED,
    AUTO_MISSION: AUTO,
    AUTO_RTL: RTL,
    AUTO_LAND: LAND,
}


def _custom_mode(copter: Copter) -> int:
    climbs = copter.mode == GUIDED and copter.flight.landed_state == TAKEOFF
    return AUTO_TAKEOFF if climbs else _MODES[copter.mode]


# --- parameters -------------------------------------------------------------------------------

_INT, _REAL = mav.MAV_PARAM_TYPE_INT32, mav.MAV_PARAM_TYPE_REAL32

_TABLE: Mapping[str, tuple[int, float]] = {
    "MAV_SYS_ID": (_INT, 1),
    "COM_ARM_WO_GPS": (_INT, 1),
    "COM_DISARM_PRFLT": (_REAL, 10),
    "COM_DL_LOSS_T": (_INT, 10),
    "COM_DLL_EXCEPT": (_INT, 0),
    "COM_LOW_BAT_ACT": (_INT, 0),
    "COM_RCL_EXCEPT": (_INT, 0),
    "NAV_DLL_ACT": (_INT, 0),
    "NAV_RCL_ACT": (_INT, 2),
    "BAT1_CAPACITY": (_REAL, -1),
    "BAT_LOW_THR": (_REAL, 0.15),
    "BAT_CRIT_THR": (_REAL, 0.07),
    "BAT_EMERGEN_THR": (_REAL, 0.05),
    "GF_ACTION": (_INT, 2),
    "GF_MAX_HOR_DIST": (_REAL, 0),
    "GF_MAX_VER_DIST": (_REAL, 0),
    "MIS_TAKEOFF_ALT": (_REAL, 2.5),
    "PD_GRIPPER_EN": (_INT, 0),
    "RTL_CONE_ANG": (_INT, 45),
    "RTL_DESCEND_ALT": (_REAL, 30),
    "RTL_LAND_DELAY": (_REAL, 0),
    "RTL_RETURN_ALT": (_REAL, 60),
}
_MEANS: Mapping[str, Callable[["Px4Parameters"], float]] = {
    "SYSID_THISMAV": lambda p: p["MAV_SYS_ID"],
    "SYSID_MYGCS": lambda _: 255,
    "DISARM_DELAY": lambda p: max(0.0, p["COM_DISARM_PRFLT"]),
    "FS_GCS_ENABLE": lambda p: {2: 1, 3: 5}.get(int(p["NAV_DLL_ACT"]), 0),
    "FS_GCS_TIMEOUT": lambda p: p["COM_DL_LOSS_T"],
    "FS_OPTIONS": lambda p: 2 * (int(p["COM_DLL_EXCEPT"]) & 1),
    "FS_EKF_ACTION": lambda _: 1,
    "BATT_LOW_VOLT": lambda _: 0,
    "BATT_CRT_VOLT": lambda _: 0,
    "BATT_LOW_MAH": lambda p: p["BAT_CRIT_THR"] * p.capacity_mah,
    "BATT_CRT_MAH": lambda p: p["BAT_EMERGEN_THR"] * p.capacity_mah,
    "BATT_FS_LOW_ACT": lambda p: {2: 1, 3: 2}.get(int(p["COM_LOW_BAT_ACT"]), 0),
    "BATT_FS_CRT_ACT": lambda p: int(p["COM_LOW_BAT_ACT"] >= 2),
    "FENCE_ENABLE": lambda p: int(p["GF_ACTION"] > 0),
    "FENCE_ACTION": lambda p: {3: 1, 5: 2}.get(int(p["GF_ACTION"]), 0),
    "FENCE_TYPE": lambda p: 4 | (p["GF_MAX_VER_DIST"] > 0) | 2 * (p["GF_MAX_HOR_DIST"] > 0),
    "FENCE_ALT_MAX": lambda p: p["GF_MAX_VER_DIST"] or math.inf,
    "FENCE_RADIUS": lambda p: p["GF_MAX_HOR_DIST"],
    "RTL_ALT": lambda p: 100 * p["RTL_RETURN_ALT"],
    "RTL_LOIT_TIME": lambda p: 1000 * max(0.0, p["RTL_LAND_DELAY"]),
    "GRIP_ENABLE": lambda p: p["PD_GRIPPER_EN"],
    "EK3_DRAG_BCOEF_X": lambda _: 0,
    "EK3_DRAG_BCOEF_Y": lambda _: 0,
    "EK3_DRAG_MCOEF": lambda _: 0,
}
"""What a copter asks in ArduCopter's words, answered from PX4's parameters."""


class Px4Parameters(Parameters):
    """PX4's parameters; a whole number goes over the wire as its four bytes."""

    def __init__(self, settings: Mapping[str, float], capacity: float) -> None:
        super().__init__(settings, _TABLE)
        self.capacity_mah = capacity

    def __getitem__(self, name: str) -> float:
        means = _MEANS.get(name)
        return super().__getitem__(name) if means is None else means(self)

    def set(self, name: str, value: float) -> bool:
        """Change a parameter, from what stands on the wire."""
        whole = name in _TABLE and _TABLE[name][0] == _INT
        return super().set(name, as_int(value) if whole else value)

    def message(self, key: str | int) -> mav.MAVLink_param_value_message | None:
        """PARAM_VALUE for a name or an index; None where there is none."""
        found = super().message(key)
        if found is not None and found.param_type == _INT:
            found.param_value = as_float(round(found.param_value))
        return found


def _parameters(energy: EnergySpec, system_id: int, settings: Mapping[str, float]) -> Px4Parameters:
    """A careful operator turns back at half of the reserve and lands at a fifth of it."""
    capacity = capacity_mah(energy)
    careful = {
        "BAT1_CAPACITY": capacity,
        "BAT_CRIT_THR": energy.reserve_ratio / 2,
        "BAT_EMERGEN_THR": energy.reserve_ratio / 5,
        "COM_LOW_BAT_ACT": 3,
    }
    return Px4Parameters({**careful, **settings, "MAV_SYS_ID": system_id}, capacity)


# --- commands ---------------------------------------------------------------------------------


class Px4Commands(Commands):
    """Heights in commands count from the sea; what is no number means "as it is"."""

    def __init__(self, host: Host, datum: Datum) -> None:
        super().__init__(host, datum)
        self._own: Mapping[int, Callable[[Params], int]] = {
            mav.MAV_CMD_NAV_TAKEOFF: self._take_off,
            mav.MAV_CMD_DO_SET_MODE: self._change_mode,
            mav.MAV_CMD_MISSION_START: self._start_mission,
            mav.MAV_CMD_DO_REPOSITION: self._go_to,
            mav.MAV_CMD_DO_PAUSE_CONTINUE: lambda _: UNSUPPORTED,
        }

    def long(self, sender: Sender, command: int, params: Params) -> int:
        """Carry out a COMMAND_LONG."""
        own = self._own.get(command)
        result = super().long(sender, command, params) if own is None else own(params)
        return REJECTED if result == FAILED else result

    def with_place(self, sender: Sender, message: mav.MAVLink_command_int_message) -> int:
        """Carry out a COMMAND_INT; its frame is not looked at."""
        nowhere = message.x == _NOWHERE and message.y == _NOWHERE
        where = (math.nan, math.nan) if nowhere else (message.x / 1e7, message.y / 1e7)
        first = (message.param1, message.param2, message.param3, message.param4)
        return self.long(sender, message.command, (*first, *where, message.z))

    def _take_off(self, params: Params) -> int:
        copter = self._host.copter
        height_m = self._datum.height_agl_m(mav.MAV_FRAME_GLOBAL, params[6])
        if math.isnan(height_m):
            height_m = copter.params["MIS_TAKEOFF_ALT"]
        if not copter.armed or copter.set_mode(GUIDED) != ACCEPTED:
            return FAILED
        return copter.take_off(height_m)

    def _change_mode(self, params: Params) -> int:
        wanted = px4_mode(_whole(params[1]), _whole(params[2]))
        if wanted == OFFBOARD:  # it wants setpoints first
            return REJECTED
        if wanted == AUTO_TAKEOFF:
            return self._take_off((0.0,) * 6 + (math.nan,))
        mode, copter = _COPTERS.get(wanted), self._host.copter
        if mode is None:
            return DENIED
        if mode == AUTO and copter.armed and not copter.body.airborne:
            return copter.start_mission()
        return copter.set_mode(mode)

    def _start_mission(self, params: Params) -> int:  # noqa: ARG002
        """Arms, too."""
        copter = self._host.copter
        if copter.mission.empty:
            return DENIED
        if not copter.armed:
            copter.set_mode(GUIDED)
            if copter.arm(force=False) != ACCEPTED:
                return FAILED
        return copter.start_mission()

    def _go_to(self, params: Params) -> int:
        """A place beyond the fence is accepted, and not flown to."""
        copter, flags = self._host.copter, _whole(params[1])
        changes = bool(flags & mav.MAV_DO_REPOSITION_FLAGS_CHANGE_MODE)
        if math.isnan(params[4]) or math.isnan(params[5]):
            return copter.stop_here(change_mode=changes)
        goal = self._datum.frame.to_point(GeoPoint(params[4], params[5]))
        height_m = self._datum.height_agl_m(mav.MAV_FRAME_GLOBAL, params[6])
        if math.isnan(height_m):
            height_m = copter.body.position().height_agl_m
        result = copter.reposition(goal, height_m, change_mode=changes)
        if result == FAILED and copter.body.airborne and copter.estimate.known and changes:
            self._host.say(mav.MAV_SEVERITY_CRITICAL, "Reposition is outside geofence")
            return copter.stop_here(change_mode=True)
        return result


def _whole(value: float) -> int:
    return int(value) & 0xFF if math.isfinite(value) else 0


PX4 = Habits(
    autopilot=mav.MAV_AUTOPILOT_PX4,
    custom_mode=_custom_mode,
    parameters=_parameters,
    commands=Px4Commands,
    transfers=TransferHabits(
        request=mav.MAVLink_mission_request_int_message,
        repeat_s=0.25,
        repeats=20,
        in_order=True,
    ),
    home_item=False,
    capabilities=ARDUPILOT.capabilities | mav.MAV_PROTOCOL_CAPABILITY_PARAM_ENCODE_BYTEWISE,
    version=1 << 24 | 15 << 16 | 4 << 8 | 255,
    unasked={
        mav.MAVLINK_MSG_ID_GLOBAL_POSITION_INT: 1.0,
        mav.MAVLINK_MSG_ID_SYS_STATUS: 1.0,
        mav.MAVLINK_MSG_ID_EXTENDED_SYS_STATE: 1.0,
        mav.MAVLINK_MSG_ID_HOME_POSITION: 2.0,
        mav.MAVLINK_MSG_ID_BATTERY_STATUS: 2.0,
        mav.MAVLINK_MSG_ID_MISSION_CURRENT: 1.0,
    },
)
HABITS = {"ardupilot": ARDUPILOT, "px4": PX4}
"""By the words of a scenario."""
