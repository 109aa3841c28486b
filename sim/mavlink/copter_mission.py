"""How a copter goes through its mission: which item comes next, and what flying it means."""

from collections.abc import Callable, Sequence

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.missions import Item
from sim.mavlink.copter_flight import Flight
from sim.mavlink.datum import Datum
from sim.world.multirotor import Multirotor

_STEPS_MOST = 100
"""Items in a row that lead nowhere before a mission counts as done."""


class MissionRun:
    """The mission of one copter; flown while its mode is AUTO.

    Args:
        items: the mission that it holds now; item 0 is its home.
        reached: told of each mission item that is done.
    """

    def __init__(
        self,
        body: Multirotor,
        flight: Flight,
        datum: Datum,
        *,
        items: Callable[[], Sequence[Item]],
        reached: Callable[[int], None],
    ) -> None:
        self._body, self._flight, self._datum = body, flight, datum
        self._items, self._reached = items, reached
        self.item = 0
        """The mission item that it is flying; 0 = none."""
        self.complete = False
        self._jumps: dict[int, int] = {}
        """How often each DO_JUMP has been made."""
        self._paused = False

    @property
    def empty(self) -> bool:
        """Whether there is nothing to fly."""
        return len(self._items()) <= 1

    @property
    def begins_with_takeoff(self) -> bool:
        """Whether it may be started on the ground."""
        return not self.empty and self._items()[1].command == mav.MAV_CMD_NAV_TAKEOFF

    def reset(self) -> None:
        """It begins anew next time."""
        self.item, self.complete = 0, False
        self._jumps.clear()

    def select(self, item: int) -> bool:
        """Have another item be the one to fly; False where there is none of that number."""
        if not 0 <= item < len(self._items()):
            return False
        self.item = item
        return True

    def go_on(self) -> None:
        """Fly the item in hand, or the first."""
        self._paused = False
        self._fly_item(max(1, self.item))

    def pause(self) -> None:
        """Stop on the way to an item."""
        self._paused = True
        self._flight.hold()

    def resume(self) -> None:
        """Go on after `pause`."""
        if self._paused:
            self.go_on()

    def leave(self) -> None:
        """Another mode flies on: there is no pause to resume from."""
        self._paused = False

    def item_done(self) -> None:
        """The item in hand is done; on the ground it was the last."""
        self._reached(self.item)
        if self._body.airborne:
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
        self._flight.hold()

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
                    self._body.speed_m_s = min(item.params[1], self._body.spec.speed_m_s)
                return number + 1
            case mav.MAV_CMD_DO_SET_ROI | mav.MAV_CMD_DO_GRIPPER:
                return number + 1
            case _:
                return None

    def _navigate(self, item: Item) -> None:
        flight = self._flight
        known = item.lat_e7 or item.lon_e7
        here = self._body.position().point
        goal = self._datum.point(item.lat_e7, item.lon_e7) if known else here
        height_m = self._datum.height_agl_m(item.frame, item.z_m)
        match item.command:
            case mav.MAV_CMD_NAV_TAKEOFF:
                flight.climb(height_m, self.item_done)
            case mav.MAV_CMD_NAV_LAND:
                flight.go_and_land(goal)
            case mav.MAV_CMD_NAV_RETURN_TO_LAUNCH:
                flight.return_home()
            case mav.MAV_CMD_NAV_DELAY:
                flight.stay(item.params[0], self.item_done)
            case _:
                flight.go(goal, height_m, lambda: flight.stay(item.params[0], self.item_done))
