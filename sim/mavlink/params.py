"""The parameters of a simulated ArduCopter: the real names, types and defaults of those it obeys.

Source: ArduCopter 4.5 parameter list.
"""

import math
from collections.abc import Mapping

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.energy import EnergySpec

NOMINAL_VOLTS, FULL_VOLTS, EMPTY_VOLTS = 22.2, 25.2, 19.8
"""A battery of six lithium cells; what it gives falls evenly with its charge."""

_INT8, _INT16, _INT32 = mav.MAV_PARAM_TYPE_INT8, mav.MAV_PARAM_TYPE_INT16, mav.MAV_PARAM_TYPE_INT32
_REAL = mav.MAV_PARAM_TYPE_REAL32

_TABLE: Mapping[str, tuple[int, float]] = {
    "SYSID_THISMAV": (_INT16, 1),
    "SYSID_MYGCS": (_INT16, 255),
    "FRAME_CLASS": (_INT8, 1),
    "ARMING_CHECK": (_INT32, 1),
    "DISARM_DELAY": (_INT8, 10),
    "PILOT_TKOFF_ALT": (_REAL, 0),
    "FS_GCS_ENABLE": (_INT8, 0),
    "FS_GCS_TIMEOUT": (_REAL, 5),
    "FS_EKF_ACTION": (_INT8, 1),
    "FS_OPTIONS": (_INT32, 16),
    "BATT_MONITOR": (_INT8, 4),
    "BATT_CAPACITY": (_INT32, 3300),
    "BATT_LOW_VOLT": (_REAL, 10.5),
    "BATT_CRT_VOLT": (_REAL, 0),
    "BATT_LOW_MAH": (_REAL, 0),
    "BATT_CRT_MAH": (_REAL, 0),
    "BATT_FS_LOW_ACT": (_INT8, 0),
    "BATT_FS_CRT_ACT": (_INT8, 0),
    "FENCE_ENABLE": (_INT8, 0),
    "FENCE_TYPE": (_INT8, 7),
    "FENCE_ACTION": (_INT8, 1),
    "FENCE_ALT_MAX": (_REAL, 100),
    "FENCE_RADIUS": (_REAL, 300),
    "RTL_ALT": (_INT32, 1500),
    "RTL_ALT_FINAL": (_INT16, 0),
    "RTL_LOIT_TIME": (_INT32, 5000),
    "GRIP_ENABLE": (_INT8, 0),
    "EK3_DRAG_BCOEF_X": (_REAL, 0),
    "EK3_DRAG_BCOEF_Y": (_REAL, 0),
    "EK3_DRAG_MCOEF": (_REAL, 0),
    "WPNAV_SPEED": (_REAL, 1000),
    "WPNAV_SPEED_UP": (_REAL, 250),
}


class Parameters:
    """Named numbers that operators set.

    Args:
        table: all that there are, each with its MAV_PARAM_TYPE and its default.
    """

    def __init__(
        self, settings: Mapping[str, float], table: Mapping[str, tuple[int, float]] = _TABLE
    ) -> None:
        unknown = [name for name in settings if name not in table]
        if unknown:
            raise ValueError(f"no such parameters: {', '.join(unknown)}")
        self._table = table
        self._values = {name: settings.get(name, value) for name, (_, value) in table.items()}

    def __getitem__(self, name: str) -> float:
        return self._values[name]

    def __len__(self) -> int:
        return len(self._values)

    def set(self, name: str, value: float) -> bool:
        """Change a parameter; False where there is none of that name, or the value is none."""
        if name not in self._values or not math.isfinite(value):
            return False
        self._values[name] = value if self._table[name][0] == _REAL else round(value)
        return True

    def message(self, key: str | int) -> mav.MAVLink_param_value_message | None:
        """PARAM_VALUE for a name or an index; None where there is none."""
        names = list(self._values)
        if isinstance(key, int):
            if not 0 <= key < len(names):
                return None
            key = names[key]
        if key not in self._values:
            return None
        return mav.MAVLink_param_value_message(
            param_id=key.encode(),
            param_value=self._values[key],
            param_type=self._table[key][0],
            param_count=len(names),
            param_index=names.index(key),
        )


def capacity_mah(energy: EnergySpec) -> float:
    """A battery's capacity in the unit that autopilots use."""
    return energy.capacity_wh / NOMINAL_VOLTS * 1000


def failsafe_wh(params: Parameters, level: str, energy: EnergySpec) -> float:
    """The energy left at which a battery failsafe acts.

    Args:
        level: ``LOW`` or ``CRT``.
    """
    span = FULL_VOLTS - EMPTY_VOLTS
    by_volts = (params[f"BATT_{level}_VOLT"] - EMPTY_VOLTS) / span * energy.capacity_wh
    by_mah = params[f"BATT_{level}_MAH"] * NOMINAL_VOLTS / 1000
    return max(0.0, by_volts, by_mah)


def sensible(energy: EnergySpec) -> dict[str, float]:
    """What a careful operator sets: turn back at half of the reserve, land at a fifth of it.

    And the drag of the frame, so that its EKF tells the wind.
    """
    capacity = capacity_mah(energy)
    return {
        "BATT_CAPACITY": round(capacity),
        "BATT_LOW_MAH": capacity * energy.reserve_ratio / 2,
        "BATT_CRT_MAH": capacity * energy.reserve_ratio / 5,
        "BATT_FS_LOW_ACT": 2,
        "BATT_FS_CRT_ACT": 1,
        "EK3_DRAG_BCOEF_X": 70.0,
        "EK3_DRAG_BCOEF_Y": 70.0,
    }
