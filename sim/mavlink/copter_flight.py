"""What a copter does with its body in any mode: climb, hold, go somewhere, return, come down."""

import asyncio
from collections.abc import Callable, Sequence

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.missions import Item
from routing.geometry import Point
from sim.mavlink.datum import Datum
from sim.mavlink.params import Parameters
from sim.world.multirotor import Multirotor
from sim.world.signal import Signal

ON_GROUND, IN_AIR, TAKEOFF, LANDING = (
    mav.MAV_LANDED_STATE_ON_GROUND,
    mav.MAV_LANDED_STATE_IN_AIR,
    mav.MAV_LANDED_STATE_TAKEOFF,
    mav.MAV_LANDED_STATE_LANDING,
)


class Flight:
    """Manoeuvres of one body: each ends the one before; what follows one is given as ``then``.

    Args:
        rally: points to return to instead of home, as they are on board now.
    """

    def __init__(
        self,
        body: Multirotor,
        params: Parameters,
        datum: Datum,
        rally: Callable[[], Sequence[Item]],
    ) -> None:
        self._body, self._params, self._datum = body, params, datum
        self.rally = rally
        self.home: Point | None = None
        """Where it returns to; None before it has known where it is."""
        self.landed_state = ON_GROUND
        self.landed = Signal()
        """Fires when it is on the ground after a landing."""
        self._timer: asyncio.TimerHandle | None = None

    @property
    def home_or_here(self) -> Point:
        """Home, or without one where it is now."""
        return self.home or self._body.position().point

    @property
    def on_way(self) -> bool:
        """Whether it goes somewhere: it doesn't climb, stay or come down there."""
        return self._body.airborne and self.landed_state == IN_AIR and self._timer is None

    def power_on(self) -> None:
        """Fresh from power, on the ground: it doesn't know where home is."""
        self.home, self.landed_state = None, ON_GROUND

    def later(self, delay_s: float, then: Callable[[], None]) -> None:
        """What comes after a while, unless `cancel_later` comes first."""

        def ring() -> None:
            self._timer = None
            then()

        self._timer = self._body.alarms.after(delay_s, ring)

    def cancel_later(self) -> None:
        """Nothing comes after a while any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def hold(self) -> None:
        """Stay where it is."""
        self.landed_state = IN_AIR
        self._body.hover()

    def stay(self, seconds: float, then: Callable[[], None]) -> None:
        """Do nothing for a time, which may be none."""
        self.landed_state = IN_AIR
        if seconds > 0:
            self.later(seconds, then)
        else:
            then()

    def climb(self, height_m: float, then: Callable[[], None]) -> None:
        """Straight up, from the ground too."""
        self.cancel_later()
        self.landed_state = TAKEOFF
        self._body.fly(self._body.position().point, height_m, then)

    def go(self, goal: Point, height_m: float, then: Callable[[], None]) -> None:
        """In a straight line to a place and a height above ground."""
        self.landed_state = IN_AIR
        self._body.fly(goal, height_m, then)

    def head_for(self, goal: Point, height_m: float) -> None:
        """To another place and hold there; in a take-off it still counts as one until then."""
        self._body.fly(goal, height_m, self.hold)

    def go_and_land(self, goal: Point) -> None:
        """To a place as high as it is, and down."""
        self.go(goal, self._body.position().height_agl_m, self.land)

    def land(self) -> None:
        """Straight down."""
        self.landed_state = LANDING
        self._body.land(self._touched_down)

    def land_after(self, pause_s: float) -> None:
        """Stand still for a while, then straight down."""
        self._body.hover()
        self.later(pause_s, self.land)

    def return_home(self) -> None:
        """Up to RTL_ALT, home, wait a little, down."""
        position = self._body.position()
        home = self._nearest_refuge(position.point)
        height_m = max(position.height_agl_m, self._params["RTL_ALT"] / 100)
        wait_s = self._params["RTL_LOIT_TIME"] / 1000

        def above_home() -> None:
            self.later(wait_s, self.land)

        def high_enough() -> None:
            self._body.fly(home, height_m, above_home)

        self.go(position.point, height_m, high_enough)

    def drop(self) -> None:
        """Motors off, wherever it is."""
        self.cancel_later()
        self._body.drop()

    def _touched_down(self) -> None:
        self.landed_state = ON_GROUND
        self.landed.fire()

    def _nearest_refuge(self, here: Point) -> Point:
        """Home, or a rally point that is nearer."""
        points = [self._datum.point(r.lat_e7, r.lon_e7) for r in self.rally()]
        return min([self.home or here, *points], key=here.distance_m)
