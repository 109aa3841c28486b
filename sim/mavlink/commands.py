"""The commands that a simulated autopilot carries out, each with its MAV_RESULT."""

import math
from collections.abc import Callable, Mapping
from typing import Protocol

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.mavlink.copter import ACCEPTED, FAILED, Copter
from sim.mavlink.copter_modes import LAND, RTL
from sim.mavlink.datum import Datum
from sim.mavlink.missions import Sender

UNSUPPORTED = mav.MAV_RESULT_UNSUPPORTED
_FORCE = 21196
"""The number that makes arming and disarming unconditional."""

Params = tuple[float, ...]


class Host(Protocol):
    """What commands need of the autopilot that they come to."""

    @property
    def copter(self) -> Copter:
        """Who flies."""
        ...

    def say(self, severity: int, text: str) -> None:
        """Put a text on the wire."""
        ...

    def say_once(self, to: Sender, message_id: int) -> bool:
        """Say one message to who asked for it."""
        ...

    def set_interval(self, message_id: int, interval_s: float) -> bool:
        """Begin, change or end a stream."""
        ...

    def reboot_soon(self) -> None:
        """Restart after the answer has gone out."""
        ...


class Commands:
    """Finds and carries out what a ground station commands."""

    def __init__(self, host: Host, datum: Datum) -> None:
        self._host, self._datum = host, datum
        copter = host.copter
        self._table: Mapping[int, Callable[[Sender, Params], int]] = {
            mav.MAV_CMD_NAV_TAKEOFF: lambda _, p: copter.take_off(p[6]),
            mav.MAV_CMD_NAV_LAND: lambda _, __: copter.set_mode(LAND),
            mav.MAV_CMD_NAV_RETURN_TO_LAUNCH: lambda _, __: copter.set_mode(RTL),
            mav.MAV_CMD_DO_SET_MODE: lambda _, p: self._set_mode(p),
            mav.MAV_CMD_DO_PAUSE_CONTINUE: lambda _, p: copter.resume() if p[0] else copter.pause(),
            mav.MAV_CMD_MISSION_START: lambda _, __: copter.start_mission(),
            mav.MAV_CMD_COMPONENT_ARM_DISARM: lambda _, p: self._arm_or_disarm(p),
            mav.MAV_CMD_GET_HOME_POSITION: lambda to, _: self._once(
                to, mav.MAVLINK_MSG_ID_HOME_POSITION
            ),
            mav.MAV_CMD_SET_MESSAGE_INTERVAL: lambda _, p: _result(
                host.set_interval(int(p[0]), p[1] / 1e6)
            ),
            mav.MAV_CMD_REQUEST_MESSAGE: lambda to, p: self._once(to, int(p[0])),
            mav.MAV_CMD_REQUEST_AUTOPILOT_CAPABILITIES: lambda to, _: self._once(
                to, mav.MAVLINK_MSG_ID_AUTOPILOT_VERSION
            ),
            mav.MAV_CMD_DO_GRIPPER: lambda _, p: self._grip(p),
            mav.MAV_CMD_PREFLIGHT_REBOOT_SHUTDOWN: lambda _, p: self._restart(p),
        }

    def long(self, sender: Sender, command: int, params: Params) -> int:
        """Carry out a COMMAND_LONG; a parameter that is no number counts as 0."""
        carry_out = self._table.get(command)
        numbers = tuple(value if math.isfinite(value) else 0.0 for value in params)
        return UNSUPPORTED if carry_out is None else carry_out(sender, numbers)

    def with_place(self, sender: Sender, message: mav.MAVLink_command_int_message) -> int:
        """Carry out a COMMAND_INT, whose place is in 1e-7 degrees."""
        if message.command == mav.MAV_CMD_DO_REPOSITION:
            return self._reposition(message)
        first = (message.param1, message.param2, message.param3, message.param4)
        params = (*first, message.x / 1e7, message.y / 1e7, message.z)
        return self.long(sender, message.command, params)

    def _once(self, to: Sender, message_id: int) -> int:
        return _result(self._host.say_once(to, message_id))

    def _set_mode(self, params: Params) -> int:
        if not int(params[0]) & mav.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED:
            return UNSUPPORTED
        return self._host.copter.set_mode(int(params[1]))

    def _arm_or_disarm(self, params: Params) -> int:
        copter, force = self._host.copter, int(params[1]) == _FORCE
        return copter.arm(force=force) if params[0] == 1 else copter.disarm(force=force)

    def _grip(self, params: Params) -> int:
        if not self._host.copter.params["GRIP_ENABLE"]:
            return FAILED
        grabbing = int(params[1]) == mav.GRIPPER_ACTION_GRAB
        text = f"Gripper load {'grabbed' if grabbing else 'released'}"
        self._host.say(mav.MAV_SEVERITY_INFO, text)
        return ACCEPTED

    def _restart(self, params: Params) -> int:
        if int(params[0]) != 1 or self._host.copter.armed:
            return FAILED
        self._host.reboot_soon()
        return ACCEPTED

    def _reposition(self, message: mav.MAVLink_command_int_message) -> int:
        copter = self._host.copter
        if not math.isfinite(message.z) or not math.isfinite(message.param2):
            return FAILED
        goal = self._datum.point(message.x, message.y)
        height_m = self._datum.height_agl_m(message.frame, message.z)
        change_mode = bool(int(message.param2) & mav.MAV_DO_REPOSITION_FLAGS_CHANGE_MODE)
        return copter.reposition(goal, height_m, change_mode=change_mode)


def _result(done: bool) -> int:
    return ACCEPTED if done else FAILED
