"""How a drone's parameters must be, so that it helps itself in need.

Source: ArduCopter 4.5 parameter list; PX4 1.15 parameter reference, "Safety configuration".
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.config import Safety

_GO_ON_IN_AUTO = 2
"""Bit of FS_OPTIONS: without a ground station, fly the mission to its end."""
_HEIGHT, _CIRCLE, _POLYGONS = 1, 2, 4
"""Bits of FENCE_TYPE."""
_RETURN = 2
"""BATT_FS_LOW_ACT: return to launch."""
_GO_ON_IN_MISSION, _STAY_ON_HOLD = 1, 2
"""Bits of COM_DLL_EXCEPT and COM_RCL_EXCEPT; the second counts for a take-off, too."""
_PX4_RETURN, _PX4_LAND = 2, 3
"""Of NAV_DLL_ACT and NAV_RCL_ACT; the others hover until the battery ends, or fall."""
_GF_ACTION = {1: 3, 2: 5, 3: 3, 4: 2, 5: 3}
"""PX4's word for each of ArduCopter's FENCE_ACTION."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How one parameter must be.

    Args:
        code: what is the matter where it is not so.
        fine: whether a value will do.
        wanted: the value to set, from the one that it has.
    """

    name: str
    code: str
    fine: Callable[[float], bool]
    wanted: Callable[[float], float]


class Rules(Protocol):
    """Makes the rules for one autopilot.

    Args:
        top_m: how high above home it may be at the most.
        height_m: how high above home it must return.
        polygons: whether it has polygons to hold.
    """

    def __call__(
        self, safety: Safety, *, top_m: float, height_m: float, polygons: bool
    ) -> tuple[Rule, ...]:
        """The rules, in the order in which they are set."""
        ...


def _is(name: str, code: str, value: float, *, within: float = 0.5) -> Rule:
    return Rule(
        name=name, code=code, fine=lambda v: abs(v - value) < within, wanted=lambda _: value
    )


def _one_of(name: str, code: str, values: tuple[float, ...]) -> Rule:
    return Rule(name=name, code=code, fine=lambda v: v in values, wanted=lambda _: values[0])


def _set(name: str, code: str, value: float) -> Rule:
    """Anything but 0."""
    return Rule(name=name, code=code, fine=lambda v: v != 0, wanted=lambda _: value)


def _at_most(name: str, code: str, value: float) -> Rule:
    return Rule(name=name, code=code, fine=lambda v: 0 < v <= value, wanted=lambda _: value)


def _bits(name: str, code: str, *, on: int, off: int) -> Rule:
    return Rule(
        name=name,
        code=code,
        fine=lambda v: int(v) & on == on and not int(v) & off,
        wanted=lambda v: (int(v) | on) & ~off,
    )


def _ardupilot(
    safety: Safety, *, top_m: float, height_m: float, polygons: bool
) -> tuple[Rule, ...]:
    goes_on = safety.on_lost_link == "continue"
    link, fence = "gcs_failsafe_off", "fence_off"
    rules = [
        _set("FS_GCS_ENABLE", link, 1),
        _at_most("FS_GCS_TIMEOUT", link, safety.gcs_timeout_s),
        _bits(
            "FS_OPTIONS",
            link,
            on=_GO_ON_IN_AUTO if goes_on else 0,
            off=0 if goes_on else _GO_ON_IN_AUTO,
        ),
        _set("BATT_FS_LOW_ACT", "battery_failsafe_off", _RETURN),
        _is("RTL_ALT", "return_height_wrong", round(100 * height_m), within=1),
    ]
    if safety.fence:
        kinds = _HEIGHT | (_POLYGONS if polygons else 0)
        rules += [
            _one_of("FENCE_ACTION", fence, (safety.fence_action,)),
            _bits("FENCE_TYPE", fence, on=kinds, off=_CIRCLE),
            _is("FENCE_ALT_MAX", fence, top_m),
            _one_of("FENCE_ENABLE", fence, (1,)),
        ]
    return tuple(rules)


def _px4(
    safety: Safety,
    *,
    top_m: float,
    height_m: float,
    polygons: bool,  # noqa: ARG001 - it is in force once it is on board
) -> tuple[Rule, ...]:
    """A PX4 has no switch for polygons; see ``polygons``."""
    goes_on = safety.on_lost_link == "continue"
    link, fence, back = "gcs_failsafe_off", "fence_off", "return_height_wrong"
    on, off = _GO_ON_IN_MISSION if goes_on else 0, 0 if goes_on else _GO_ON_IN_MISSION
    rules = [
        _one_of("NAV_DLL_ACT", link, (_PX4_RETURN, _PX4_LAND)),
        _at_most("COM_DL_LOSS_T", link, math.floor(safety.gcs_timeout_s)),
        _bits("COM_DLL_EXCEPT", link, on=on, off=off | _STAY_ON_HOLD),
        _one_of("NAV_RCL_ACT", link, (_PX4_RETURN, _PX4_LAND)),
        _bits("COM_RCL_EXCEPT", link, on=on, off=off),
        _one_of("COM_LOW_BAT_ACT", "battery_failsafe_off", (3, 2)),
        _is("RTL_RETURN_ALT", back, height_m),
        _is("RTL_CONE_ANG", back, 0),
        Rule(name="RTL_LAND_DELAY", code=back, fine=lambda v: v >= 0, wanted=lambda _: 0),
    ]
    if safety.fence:
        rules += [
            _is("GF_MAX_VER_DIST", fence, top_m),
            _is("GF_MAX_HOR_DIST", fence, 0),
            _one_of("GF_ACTION", fence, (_GF_ACTION[safety.fence_action],)),
        ]
    return tuple(rules)


RULES: Mapping[int, Rules] = {
    mav.MAV_AUTOPILOT_ARDUPILOTMEGA: _ardupilot,
    mav.MAV_AUTOPILOT_PX4: _px4,
}
"""By MAV_AUTOPILOT."""
