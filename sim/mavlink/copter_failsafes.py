"""What a copter does by itself when its battery, ground station, fence or position fails it."""

from collections.abc import Callable
from functools import partial

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.mavlink.copter import Copter
from sim.mavlink.copter_modes import ALT_HOLD, AUTO, LAND, MODE_NAMES, NEED_POSITION, RTL
from sim.mavlink.params import failsafe_wh

_GO_ON_IN_AUTO = 2
"""Bit of FS_OPTIONS: without a ground station, fly the mission to its end."""
_PAUSE_S = 4.0
"""Before it comes down after its estimate has failed."""


class Failsafes:
    """Watches over one copter, and changes its mode as the parameters say.

    Args:
        say: puts out a text, with its MAV_SEVERITY.
    """

    def __init__(self, copter: Copter, say: Callable[[int, str], None]) -> None:
        self._copter, self._body, self._params = copter, copter.body, copter.params
        self._say = say
        self._outside: tuple[str, ...] = ()
        self._gcs_lost = self._ekf_failed = False
        copter.estimate.lost.listen(self._on_position_lost)
        copter.estimate.found.listen(self._on_position_found)
        self.watch_battery()

    def power_on(self) -> None:
        """Fresh from power, nothing is wrong."""
        self._ekf_failed, self._outside = False, ()

    def hear_ground(self, silent_s: float) -> None:
        """Told now and then how long the ground station has been silent."""
        copter, params = self._copter, self._params
        lost = silent_s > params["FS_GCS_TIMEOUT"]
        if lost and not self._gcs_lost and params["FS_GCS_ENABLE"] and copter.armed:
            self._gcs_lost = True
            self._say(mav.MAV_SEVERITY_CRITICAL, "GCS Failsafe")
            if copter.mode != AUTO or not int(params["FS_OPTIONS"]) & _GO_ON_IN_AUTO:
                self._come_home(LAND if params["FS_GCS_ENABLE"] == 5 else RTL)
        elif not lost and self._gcs_lost:
            self._gcs_lost = False
            self._say(mav.MAV_SEVERITY_INFO, "GCS Failsafe Cleared")

    def watch_fence(self) -> None:
        """Told now and then to look where it is; acts once on each breach."""
        copter = self._copter
        watched = copter.fence.enabled and self._body.airborne and copter.estimate.known
        outside = copter.breaches() if watched else ()
        new, self._outside = set(outside) - set(self._outside), outside
        if not new:
            return
        names = ", ".join(name for name in outside if name in new)
        self._say(mav.MAV_SEVERITY_CRITICAL, f"{names} fence breached")
        action = self._params["FENCE_ACTION"]
        if action:
            self._come_home(LAND if action == 2 else RTL)

    def watch_battery(self) -> None:
        """Act when the battery falls to what the parameters say now."""
        for level in ("LOW", "CRT"):
            mark_wh = failsafe_wh(self._params, level, self._body.spec.energy)
            self._body.at_energy(mark_wh, partial(self._on_battery, level, mark_wh))

    def _on_battery(self, level: str, mark_wh: float) -> None:
        if mark_wh != failsafe_wh(self._params, level, self._body.spec.energy):
            return
        action = self._params[f"BATT_FS_{level}_ACT"]
        if not self._copter.armed or not action:
            return
        word = "low" if level == "LOW" else "critical"
        self._copter.failsafe = True
        self._say(mav.MAV_SEVERITY_WARNING, f"Battery 1 is {word}")
        self._say(mav.MAV_SEVERITY_WARNING, "Battery Failsafe")
        self._come_home(RTL if action == 2 else LAND)

    def _on_position_lost(self) -> None:
        """Source: ArduCopter 4.5, ``ekf_check.cpp``."""
        copter = self._copter
        if not copter.armed or copter.mode not in NEED_POSITION:
            return
        self._ekf_failed = True
        copter.set_mode(ALT_HOLD if self._params["FS_EKF_ACTION"] == 2 else LAND)
        name = MODE_NAMES[copter.mode].title()
        self._say(mav.MAV_SEVERITY_CRITICAL, f"EKF Failsafe: changed to {name} Mode")
        if not self._body.airborne:
            copter.disarm(force=True)
        elif copter.mode == LAND:
            copter.flight.land_after(_PAUSE_S)

    def _on_position_found(self) -> None:
        if self._ekf_failed:
            self._ekf_failed = False
            self._say(mav.MAV_SEVERITY_CRITICAL, "EKF Failsafe Cleared")

    def _come_home(self, mode: int) -> None:
        if not self._body.airborne:
            self._copter.disarm(force=True)
        elif self._copter.mode not in (RTL, LAND) or mode == LAND:
            self._copter.set_mode(mode)
