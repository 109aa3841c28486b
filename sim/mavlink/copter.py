"""What an ArduCopter does with its modes, its mission and its failsafes.

Behaviour as seen on ArduCopter 4.5.6. Commands answer with a MAV_RESULT; the reason of a no goes
out as text, and in no other way.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from functools import partial

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.missions import Item, from_e7, to_e7
from routing.geometry import GeoPoint, LocalFrame, Point
from sim.mavlink.fence import inside
from sim.mavlink.params import Parameters, failsafe_wh
from sim.world.bodies import Signal
from sim.world.multirotor import Multirotor

ACCEPTED, FAILED = mav.MAV_RESULT_ACCEPTED, mav.MAV_RESULT_FAILED
STABILIZE, AUTO, GUIDED = mav.COPTER_MODE_STABILIZE, mav.COPTER_MODE_AUTO, mav.COPTER_MODE_GUIDED
RTL, LAND = mav.COPTER_MODE_RTL, mav.COPTER_MODE_LAND
MODE_NAMES = {
    STABILIZE: "STABILIZE",
    mav.COPTER_MODE_ALT_HOLD: "ALT_HOLD",
    AUTO: "AUTO",
    GUIDED: "GUIDED",
    mav.COPTER_MODE_LOITER: "LOITER",
    RTL: "RTL",
    LAND: "LAND",
    mav.COPTER_MODE_POSHOLD: "POSHOLD",
    mav.COPTER_MODE_BRAKE: "BRAKE",
    mav.COPTER_MODE_SMART_RTL: "SMART_RTL",
}
_NEED_POSITION = frozenset(MODE_NAMES) - {STABILIZE, mav.COPTER_MODE_ALT_HOLD, LAND}
_ARMABLE = frozenset(
    {
        STABILIZE,
        mav.COPTER_MODE_ALT_HOLD,
        mav.COPTER_MODE_LOITER,
        mav.COPTER_MODE_POSHOLD,
        GUIDED,
    }
)
_GO_ON_IN_AUTO = 2
"""Bit of FS_OPTIONS: without a ground station, fly the mission to its end."""
_SPIN_DOWN_S = 1.0
_DEAD_RECKONING_S = 8.0
"""How long the estimate of the position holds without GPS: 7 s, and 1 s that the check waits."""
_PAUSE_S = 4.0
"""Before it comes down after its estimate has failed."""
_STEPS_MOST = 100
"""Items in a row that lead nowhere before a mission counts as done."""
_ON_GROUND, _IN_AIR, _TAKEOFF, _LANDING = (
    mav.MAV_LANDED_STATE_ON_GROUND,
    mav.MAV_LANDED_STATE_IN_AIR,
    mav.MAV_LANDED_STATE_TAKEOFF,
    mav.MAV_LANDED_STATE_LANDING,
)
_RELATIVE = (mav.MAV_FRAME_GLOBAL_RELATIVE_ALT, mav.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT)


class Copter:
    """Flies one body.

    Args:
        items: the mission that it holds now; ``fence`` and ``rally`` are its like.
        say: puts out a text, with its MAV_SEVERITY.
        reached: told of each mission item that is done.
        ground_amsl_m: height of the ground above the sea.
    """

    def __init__(
        self,
        body: Multirotor,
        params: Parameters,
        frame: LocalFrame,
        *,
        items: Callable[[], Sequence[Item]],
        fence: Callable[[], Sequence[Item]],
        rally: Callable[[], Sequence[Item]],
        say: Callable[[int, str], None],
        reached: Callable[[int], None],
        ground_amsl_m: float,
    ) -> None:
        self.body, self.params, self._frame = body, params, frame
        self._items, self._say, self._reached = items, say, reached
        self.fence, self.rally = fence, rally
        self._outside: tuple[str, ...] = ()
        self._ground_amsl_m = ground_amsl_m
        self.position_known = False
        self.armed = False
        self.mode = STABILIZE
        self.home: Point | None = None
        self.landed_state = _ON_GROUND
        self.failsafe = False
        self.gps = True
        """Whether it receives satellites."""
        self.item = 0
        """The mission item that it is flying; 0 = none."""
        self.complete = False
        self.sent = Signal()
        """Fires when it is told to take off, or to turn elsewhere in flight."""
        self._bound_for: tuple[Point, float] | None = None
        """Where it was last told to go in GUIDED."""
        self._jumps: dict[int, int] = {}
        self._paused = False
        self._timer: asyncio.TimerHandle | None = None
        self._disarm_timer: asyncio.TimerHandle | None = None
        self._gcs_lost = self._ekf_failed = False
        self._ekf_timer: asyncio.TimerHandle | None = None
        self.watch_battery()

    # --- from power to power ------------------------------------------------------------------

    def power_on(self) -> None:
        """Fresh from power: nothing known, on the ground."""
        self.position_known, self.armed, self.mode = False, False, STABILIZE
        self.home, self.landed_state, self.failsafe = None, _ON_GROUND, False
        self._ekf_failed, self._outside = False, ()
        self._reset_mission()

    def power_off(self) -> None:
        """Everything stops; in the air it falls."""
        self._cancel_timers()
        self.armed = False
        self.body.drop()

    def find_position(self) -> None:
        """The position estimate is good now, unless there is no GPS."""
        if not self.gps or self.position_known:
            return
        self.position_known = True
        self.home = self.home or self.body.position().point
        self._say(mav.MAV_SEVERITY_INFO, "EKF3 IMU0 is using GPS")
        if self._ekf_failed:
            self._ekf_failed = False
            self._say(mav.MAV_SEVERITY_CRITICAL, "EKF Failsafe Cleared")

    def lose_gps(self) -> None:
        """No satellites from now on: for a while it reckons where it is, then it can't any more."""
        self.gps = False
        if self.position_known and self._ekf_timer is None:
            after = self.body.alarms.after
            self._ekf_timer = after(_DEAD_RECKONING_S, self._lose_position)

    def regain_gps(self) -> None:
        """Satellites again; a position that was lost by then must be found anew."""
        self.gps = True
        if self._ekf_timer is not None:
            self._ekf_timer.cancel()
            self._ekf_timer = None

    # --- commands -----------------------------------------------------------------------------

    def arm(self, *, force: bool) -> int:
        """Let the motors turn."""
        if self.armed:
            return ACCEPTED
        if self.mode not in _ARMABLE:
            return self._no(f"Arm: {MODE_NAMES[self.mode].title()} mode not armable")
        if self.mode in _NEED_POSITION and not self.position_known and not force:
            return self._no("Arm: Need Position Estimate")
        if self.params["FENCE_ENABLE"] and self.beyond_fence() and not force:
            return self._no("Arm: Vehicle breaching fence")
        self.armed, self.home = True, self.body.position().point
        self._say(mav.MAV_SEVERITY_INFO, "Arming motors")
        self._watch_for_idling()
        return ACCEPTED

    def disarm(self, *, force: bool) -> int:
        """Stop the motors; in the air only by force."""
        if self.body.airborne and not force:
            return FAILED
        if self.armed:
            self._stop_motors()
        return ACCEPTED

    def set_mode(self, mode: int) -> int:
        """Change the flight mode."""
        if mode not in MODE_NAMES:
            return self._no(f"No such mode {mode}")
        if mode in _NEED_POSITION and not self.position_known:
            return self._no(f"Mode change to {MODE_NAMES[mode]} failed: requires position")
        if mode == AUTO and not self.has_mission:
            return self._no("Mode change to AUTO failed: no mission")
        if mode == self.mode:
            return ACCEPTED
        self.mode, self._bound_for, self._paused = mode, None, False
        self._cancel_timers()
        if self.body.airborne:
            self._in_the_air()
        return ACCEPTED

    def start_mission(self) -> int:
        """Fly the mission, from the ground by its takeoff item."""
        if not self.body.airborne and not self._begins_with_takeoff():
            return self._no("Auto: Missing Takeoff Cmd")
        if self.set_mode(AUTO) != ACCEPTED:
            return FAILED
        if self.armed and not self.body.airborne:
            self.sent.fire()
            self._resume_mission()
        return ACCEPTED

    def take_off(self, height_m: float) -> int:
        """Climb straight up; in GUIDED only."""
        if not self.armed or self.mode != GUIDED or self.body.airborne or height_m <= 0:
            return FAILED
        self.sent.fire()
        self._climb(height_m, self._hold)
        return ACCEPTED

    def reposition(self, goal: Point, height_m: float, *, change_mode: bool) -> int:
        """Go somewhere in GUIDED."""
        if not self.body.airborne or (self.mode != GUIDED and not change_mode):
            return FAILED
        if not self._may_go_to(goal, height_m):
            return FAILED
        if self.mode != GUIDED and self.set_mode(GUIDED) != ACCEPTED:
            return FAILED
        if self._bound_for != (goal, height_m):
            self._bound_for = goal, height_m
            self.sent.fire()
        self.body.fly(goal, height_m, self._hold)
        return ACCEPTED

    def stop_here(self, *, change_mode: bool) -> int:
        """Stay where it is, in GUIDED."""
        if self.mode != GUIDED:
            return self.set_mode(GUIDED) if change_mode else FAILED
        if self.body.airborne:
            self._bound_for = None
            self._hold()
        return ACCEPTED

    @property
    def has_mission(self) -> bool:
        """Whether it has a mission to fly."""
        return len(self._items()) > 1

    def go_to(self, goal: Point, height_m: float) -> None:
        """The same without a word, whatever comes of it: a position target."""
        if self.mode == GUIDED and self.body.airborne and self._may_go_to(goal, height_m):
            self.body.fly(goal, height_m, self._hold)

    def _may_go_to(self, goal: Point, height_m: float) -> bool:
        lat_e7, lon_e7 = to_e7(self._frame.to_geo(goal))
        too_high = self.params["FENCE_ENABLE"] and height_m > self.params["FENCE_ALT_MAX"]
        return not too_high and inside(self.fence(), lat_e7, lon_e7)

    def pause(self) -> int:
        """Stop on the way to an item of the mission; not as it climbs, stays or comes down there.

        Source: ArduCopter 4.5, ``ModeAuto::pause``.
        """
        on_way = self.mode == AUTO and self.body.airborne and self.landed_state == _IN_AIR
        if not on_way or self._timer is not None:
            return FAILED
        self._paused = True
        self.body.hover()
        return ACCEPTED

    def resume(self) -> int:
        """Go on with the mission after `pause`."""
        if self.mode != AUTO:
            return FAILED
        if self._paused:
            self._paused = False
            self._fly_item(self.item)
        return ACCEPTED

    def set_current(self, item: int) -> bool:
        """Go on with another item of the mission."""
        if not 0 <= item < len(self._items()):
            return False
        self.item = item
        if self.mode == AUTO and self.body.airborne:
            self._cancel_timers()
            self._paused = False
            self._fly_item(max(1, item))
        return True

    def mission_changed(self) -> None:
        """Another mission has been put on board."""
        self._reset_mission()

    # --- failsafes ----------------------------------------------------------------------------

    def hear_ground(self, silent_s: float) -> None:
        """Told now and then how long the ground station has been silent."""
        lost = silent_s > self.params["FS_GCS_TIMEOUT"]
        if lost and not self._gcs_lost and self.params["FS_GCS_ENABLE"] and self.armed:
            self._gcs_lost = True
            self._say(mav.MAV_SEVERITY_CRITICAL, "GCS Failsafe")
            if self.mode != AUTO or not int(self.params["FS_OPTIONS"]) & _GO_ON_IN_AUTO:
                self._come_home(LAND if self.params["FS_GCS_ENABLE"] == 5 else RTL)
        elif not lost and self._gcs_lost:
            self._gcs_lost = False
            self._say(mav.MAV_SEVERITY_INFO, "GCS Failsafe Cleared")

    def watch_fence(self) -> None:
        """Told now and then to look where it is; acts once on each breach."""
        watched = self.params["FENCE_ENABLE"] and self.body.airborne and self.position_known
        outside = self.beyond_fence() if watched else ()
        new, self._outside = set(outside) - set(self._outside), outside
        if not new:
            return
        names = ", ".join(name for name in outside if name in new)
        self._say(mav.MAV_SEVERITY_CRITICAL, f"{names} fence breached")
        action = self.params["FENCE_ACTION"]
        if action:
            self._come_home(LAND if action == 2 else RTL)

    def beyond_fence(self) -> tuple[str, ...]:
        """Which of the fences in force it is beyond."""
        kinds, position = int(self.params["FENCE_TYPE"]), self.body.position()
        home = self.home or position.point
        found: list[str] = []
        if kinds & 1 and position.height_agl_m > self.params["FENCE_ALT_MAX"]:
            found.append("Max Alt")
        if kinds & 2 and home.distance_m(position.point) > self.params["FENCE_RADIUS"]:
            found.append("Circle")
        if kinds & 4 and not inside(self.fence(), *to_e7(self.geo())):
            found.append("Polygon")
        return tuple(found)

    def _lose_position(self) -> None:
        """Source: ArduCopter 4.5, ``ekf_check.cpp``."""
        self._ekf_timer = None
        self.position_known = False
        self._say(mav.MAV_SEVERITY_CRITICAL, "EKF3 IMU0 stopped aiding")
        if not self.armed or self.mode not in _NEED_POSITION:
            return
        self._ekf_failed = True
        alt_hold = self.params["FS_EKF_ACTION"] == 2
        self.set_mode(mav.COPTER_MODE_ALT_HOLD if alt_hold else LAND)
        name = MODE_NAMES[self.mode].title()
        self._say(mav.MAV_SEVERITY_CRITICAL, f"EKF Failsafe: changed to {name} Mode")
        if not self.body.airborne:
            self.disarm(force=True)
        elif self.mode == LAND:
            self.body.hover()
            self._timer = self.body.alarms.after(_PAUSE_S, self._land)

    def watch_battery(self) -> None:
        """Act when the battery falls to what the parameters say now."""
        for level in ("LOW", "CRT"):
            mark_wh = failsafe_wh(self.params, level, self.body.spec.energy)
            self.body.at_energy(mark_wh, partial(self._battery, level, mark_wh))

    def _battery(self, level: str, mark_wh: float) -> None:
        if mark_wh != failsafe_wh(self.params, level, self.body.spec.energy):
            return
        action = self.params[f"BATT_FS_{level}_ACT"]
        if not self.armed or not action:
            return
        word = "low" if level == "LOW" else "critical"
        self.failsafe = True
        self._say(mav.MAV_SEVERITY_WARNING, f"Battery 1 is {word}")
        self._say(mav.MAV_SEVERITY_WARNING, "Battery Failsafe")
        self._come_home(RTL if action == 2 else LAND)

    def _come_home(self, mode: int) -> None:
        if not self.body.airborne:
            self.disarm(force=True)
        elif self.mode not in (RTL, LAND) or mode == LAND:
            self.set_mode(mode)

    # --- flying -------------------------------------------------------------------------------

    def _in_the_air(self) -> None:
        """The mode has changed in flight."""
        if self.mode == AUTO:
            self._resume_mission()
        elif self.mode in (RTL, mav.COPTER_MODE_SMART_RTL):
            self._return()
        elif self.mode == LAND:
            self._land()
        else:
            self._hold()

    def _hold(self) -> None:
        self.landed_state = _IN_AIR
        self.body.hover()

    def _climb(self, height_m: float, then: Callable[[], None]) -> None:
        self._cancel_timers()
        self.landed_state = _TAKEOFF
        self.body.fly(self.body.position().point, height_m, then)

    def _land(self) -> None:
        self.landed_state = _LANDING
        self.body.land(self._landed)

    def _landed(self) -> None:
        self.landed_state = _ON_GROUND
        if self.mode == AUTO:
            self._done()
        self._timer = self.body.alarms.after(_SPIN_DOWN_S, self._stop_motors)

    def _return(self) -> None:
        """Up to RTL_ALT, home, wait a little, down."""
        position = self.body.position()
        home = self._nearest_refuge(position.point)
        height_m = max(position.height_agl_m, self.params["RTL_ALT"] / 100)
        self.landed_state = _IN_AIR
        wait_s = self.params["RTL_LOIT_TIME"] / 1000

        def above_home() -> None:
            self._timer = self.body.alarms.after(wait_s, self._land)

        def high_enough() -> None:
            self.body.fly(home, height_m, above_home)

        self.body.fly(position.point, height_m, high_enough)

    def _nearest_refuge(self, here: Point) -> Point:
        """Home, or a rally point that is nearer."""
        points = [self._frame.to_point(from_e7(r.lat_e7, r.lon_e7)) for r in self.rally()]
        return min([self.home or here, *points], key=here.distance_m)

    def _stop_motors(self) -> None:
        self._cancel_timers()
        self.body.drop()
        self.armed = self.failsafe = False
        self.landed_state = _ON_GROUND
        self._say(mav.MAV_SEVERITY_INFO, "Disarming motors")
        self._reset_mission()

    def _watch_for_idling(self) -> None:
        def idle() -> None:
            if self.armed and not self.body.airborne:
                self._stop_motors()

        delay_s = self.params["DISARM_DELAY"]
        if delay_s:
            self._disarm_timer = self.body.alarms.after(delay_s, idle)

    # --- the mission --------------------------------------------------------------------------

    def _reset_mission(self) -> None:
        self.item, self.complete = 0, False
        self._jumps.clear()

    def _resume_mission(self) -> None:
        self._fly_item(max(1, self.item))

    def _done(self) -> None:
        """The item in hand is done."""
        self._reached(self.item)
        if self.body.airborne:
            self._fly_item(self.item + 1)
        else:
            self.complete = True

    def _fly_item(self, number: int) -> None:
        items = self._items()
        for _ in range(_STEPS_MOST):
            if number >= len(items):
                break
            following = self._do(number, items[number])
            if following is None:
                self.item = number
                self._navigate(items[number])
                return
            number = following
        self.complete = True
        self._hold()

    def _begins_with_takeoff(self) -> bool:
        commands = [item.command for item in self._items()[1:]]
        return bool(commands) and commands[0] == mav.MAV_CMD_NAV_TAKEOFF

    def _do(self, number: int, item: Item) -> int | None:
        """Carry out a "do" item and say which one follows; None = it is one to navigate."""
        match item.command:
            case mav.MAV_CMD_DO_JUMP:
                done = self._jumps.get(number, 0)
                if 0 <= item.params[1] <= done:
                    return number + 1
                self._jumps[number] = done + 1
                return int(item.params[0])
            case mav.MAV_CMD_DO_CHANGE_SPEED:
                if item.params[1] > 0:
                    self.body.speed_m_s = min(item.params[1], self.body.spec.speed_m_s)
                return number + 1
            case mav.MAV_CMD_DO_SET_ROI | mav.MAV_CMD_DO_GRIPPER:
                return number + 1
            case _:
                return None

    def _navigate(self, item: Item) -> None:
        here = self.body.position()
        known = item.lat_e7 or item.lon_e7
        goal = self._frame.to_point(from_e7(item.lat_e7, item.lon_e7)) if known else here.point
        match item.command:
            case mav.MAV_CMD_NAV_TAKEOFF:
                self._climb(self.height_m(item.frame, item.z_m), self._done)
            case mav.MAV_CMD_NAV_LAND:
                self.landed_state = _IN_AIR
                self.body.fly(goal, here.height_agl_m, self._land)
            case mav.MAV_CMD_NAV_RETURN_TO_LAUNCH:
                self._return()
            case mav.MAV_CMD_NAV_DELAY:
                self._wait(item.params[0])
            case _:
                self.landed_state = _IN_AIR
                height_m = self.height_m(item.frame, item.z_m)
                self.body.fly(goal, height_m, lambda: self._wait(item.params[0]))

    def _wait(self, seconds: float) -> None:
        self.landed_state = _IN_AIR
        if seconds > 0:
            self._timer = self.body.alarms.after(seconds, self._done)
        else:
            self._done()

    def height_m(self, frame: int, z_m: float) -> float:
        """A wire's height as one above ground."""
        return z_m if frame in _RELATIVE else z_m - self._ground_amsl_m

    def geo(self) -> GeoPoint:
        """Where it is on the earth."""
        return self._frame.to_geo(self.body.position().point)

    def home_geo(self) -> GeoPoint:
        """Where it took off, on the earth."""
        return self._frame.to_geo(self.home or self.body.position().point)

    @property
    def bearing_rad(self) -> float:
        """Compass bearing of the site's y axis."""
        return math.radians(self._frame.bearing_deg)

    def _no(self, why: str) -> int:
        self._say(mav.MAV_SEVERITY_CRITICAL, why)
        return FAILED

    def _cancel_timers(self) -> None:
        for timer in (self._timer, self._disarm_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._disarm_timer = None
