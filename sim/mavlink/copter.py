"""What an ArduCopter does with its modes, its motors and its commands.

Behaviour as seen on ArduCopter 4.5.6. Commands answer with a MAV_RESULT; the reason of a no goes
out as text, and in no other way.
"""

from collections.abc import Callable, Sequence

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.missions import Item
from routing.geometry import Point
from sim.mavlink.copter_flight import ON_GROUND, Flight
from sim.mavlink.copter_mission import MissionRun
from sim.mavlink.copter_modes import (
    ARMABLE,
    AUTO,
    GUIDED,
    LAND,
    MODE_NAMES,
    NEED_POSITION,
    RTL,
    SMART_RTL,
    STABILIZE,
)
from sim.mavlink.datum import Datum
from sim.mavlink.fence import Fence
from sim.mavlink.params import Parameters
from sim.mavlink.position_estimate import PositionEstimate
from sim.world.multirotor import Multirotor
from sim.world.signal import Signal

ACCEPTED, FAILED = mav.MAV_RESULT_ACCEPTED, mav.MAV_RESULT_FAILED
_SPIN_DOWN_S = 1.0


class Copter:
    """Flies one body.

    Args:
        items: the mission that it holds now; ``fence`` and ``rally`` are its like.
        say: puts out a text, with its MAV_SEVERITY.
        reached: told of each mission item that is done.
    """

    def __init__(
        self,
        body: Multirotor,
        params: Parameters,
        datum: Datum,
        *,
        items: Callable[[], Sequence[Item]],
        fence: Callable[[], Sequence[Item]],
        rally: Callable[[], Sequence[Item]],
        say: Callable[[int, str], None],
        reached: Callable[[int], None],
    ) -> None:
        self.body, self.params = body, params
        self._say = say
        self.fence = Fence(params, datum, fence)
        self.estimate = PositionEstimate(body.alarms, say)
        self.flight = Flight(body, params, datum, rally)
        self.mission = MissionRun(body, self.flight, datum, items=items, reached=reached)
        self.armed = False
        self.mode = STABILIZE
        self.failsafe = False
        """Whether its battery has called it home; until its motors stop."""
        self.sent = Signal()
        """Fires when it is told to take off, or to turn elsewhere in flight."""
        self._bound_for: tuple[Point, float] | None = None
        """Where it was last told to go in GUIDED."""
        self.estimate.found.listen(self._on_position_found)
        self.flight.landed.listen(self._on_landed)

    # --- from power to power ------------------------------------------------------------------

    def power_on(self) -> None:
        """Fresh from power: nothing known, on the ground."""
        self.armed, self.mode, self.failsafe = False, STABILIZE, False
        self.estimate.power_on()
        self.flight.power_on()
        self.mission.reset()

    def power_off(self) -> None:
        """Everything stops; in the air it falls."""
        self.armed = False
        self.flight.drop()

    def _on_position_found(self) -> None:
        self.flight.home = self.flight.home_or_here

    # --- motors -------------------------------------------------------------------------------

    def arm(self, *, force: bool) -> int:
        """Let the motors turn."""
        if self.armed:
            return ACCEPTED
        if self.mode not in ARMABLE:
            return self._no(f"Arm: {MODE_NAMES[self.mode].title()} mode not armable")
        if self.mode in NEED_POSITION and not self.estimate.known and not force:
            return self._no("Arm: Need Position Estimate")
        if self.fence.enabled and self.breaches() and not force:
            return self._no("Arm: Vehicle breaching fence")
        self.armed, self.flight.home = True, self.body.position().point
        self._say(mav.MAV_SEVERITY_INFO, "Arming motors")
        idle_s = self.params["DISARM_DELAY"]
        if idle_s:
            self.flight.later(idle_s, self._disarm_if_idle)
        return ACCEPTED

    def disarm(self, *, force: bool) -> int:
        """Stop the motors; in the air only by force."""
        if self.body.airborne and not force:
            return FAILED
        if self.armed:
            self._stop_motors()
        return ACCEPTED

    def breaches(self) -> tuple[str, ...]:
        """Which of the fences in force it is beyond."""
        return self.fence.breaches(self.body.position(), self.flight.home_or_here)

    def _disarm_if_idle(self) -> None:
        if self.armed and not self.body.airborne:
            self._stop_motors()

    def _on_landed(self) -> None:
        if self.mode == AUTO:
            self.mission.item_done()
        self.flight.later(_SPIN_DOWN_S, self._stop_motors)

    def _stop_motors(self) -> None:
        self.flight.drop()
        self.armed = self.failsafe = False
        self.flight.landed_state = ON_GROUND
        self._say(mav.MAV_SEVERITY_INFO, "Disarming motors")
        self.mission.reset()

    # --- modes --------------------------------------------------------------------------------

    def set_mode(self, mode: int) -> int:
        """Change the flight mode."""
        if mode not in MODE_NAMES:
            return self._no(f"No such mode {mode}")
        if mode in NEED_POSITION and not self.estimate.known:
            return self._no(f"Mode change to {MODE_NAMES[mode]} failed: requires position")
        if mode == AUTO and self.mission.empty:
            return self._no("Mode change to AUTO failed: no mission")
        if mode == self.mode:
            return ACCEPTED
        self.mode, self._bound_for = mode, None
        self.mission.leave()
        self.flight.cancel_later()
        if self.body.airborne:
            self._fly_mode()
        return ACCEPTED

    def _fly_mode(self) -> None:
        if self.mode == AUTO:
            self.mission.go_on()
        elif self.mode in (RTL, SMART_RTL):
            self.flight.return_home()
        elif self.mode == LAND:
            self.flight.land()
        else:
            self.flight.hold()

    # --- GUIDED -------------------------------------------------------------------------------

    def take_off(self, height_m: float) -> int:
        """Climb straight up; in GUIDED only."""
        if not self.armed or self.mode != GUIDED or self.body.airborne or height_m <= 0:
            return FAILED
        self.sent.fire()
        self.flight.climb(height_m, self.flight.hold)
        return ACCEPTED

    def reposition(self, goal: Point, height_m: float, *, change_mode: bool) -> int:
        """Go somewhere in GUIDED."""
        if not self.body.airborne or (self.mode != GUIDED and not change_mode):
            return FAILED
        if not self.fence.admits(goal, height_m):
            return FAILED
        if self.mode != GUIDED and self.set_mode(GUIDED) != ACCEPTED:
            return FAILED
        if self._bound_for != (goal, height_m):
            self._bound_for = goal, height_m
            self.sent.fire()
        self.flight.head_for(goal, height_m)
        return ACCEPTED

    def go_to(self, goal: Point, height_m: float) -> None:
        """The same without a word, whatever comes of it: a position target."""
        if self.mode == GUIDED and self.body.airborne and self.fence.admits(goal, height_m):
            self.flight.head_for(goal, height_m)

    def stop_here(self, *, change_mode: bool) -> int:
        """Stay where it is, in GUIDED."""
        if self.mode != GUIDED:
            return self.set_mode(GUIDED) if change_mode else FAILED
        if self.body.airborne:
            self._bound_for = None
            self.flight.hold()
        return ACCEPTED

    # --- AUTO ---------------------------------------------------------------------------------

    def start_mission(self) -> int:
        """Fly the mission, from the ground by its takeoff item."""
        if not self.body.airborne and not self.mission.begins_with_takeoff:
            return self._no("Auto: Missing Takeoff Cmd")
        if self.set_mode(AUTO) != ACCEPTED:
            return FAILED
        if self.armed and not self.body.airborne:
            self.sent.fire()
            self.mission.go_on()
        return ACCEPTED

    def pause(self) -> int:
        """Stop on the way to an item of the mission; not as it climbs, stays or comes down there.

        Source: ArduCopter 4.5, ``ModeAuto::pause``.
        """
        if self.mode != AUTO or not self.flight.on_way:
            return FAILED
        self.mission.pause()
        return ACCEPTED

    def resume(self) -> int:
        """Go on with the mission after `pause`."""
        if self.mode != AUTO:
            return FAILED
        self.mission.resume()
        return ACCEPTED

    def set_current(self, item: int) -> bool:
        """Go on with another item of the mission; False where there is none of that number."""
        if not self.mission.select(item):
            return False
        if self.mode == AUTO and self.body.airborne:
            self.flight.cancel_later()
            self.mission.go_on()
        return True

    def _no(self, why: str) -> int:
        self._say(mav.MAV_SEVERITY_CRITICAL, why)
        return FAILED
