"""How a wheeled body covers a lane: off, held up, on again, and there on a whole millisecond."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from fleet.vehicle import VehicleSpec
from routing.geometry import Point
from routing.site import Edge
from sim.world.battery import Battery
from sim.world.hindrances import Halt, Hindrances
from sim.world.motion import Profile, profile
from sim.world.signal import Signal, resolve

_THERE_M = 1e-3
"""So near to where it has to stop, a body stands there."""


@dataclass(slots=True)
class Leg:
    """A body between two nodes; ``behind_m`` is what it has covered before ``since_s``."""

    edge: Edge
    onward: bool
    start: Point
    end: Point
    length_m: float
    person: Halt | None
    """Where somebody will step in its way."""
    behind_m: float = 0.0
    since_s: float = 0.0
    profile: Profile | None = None
    """None while it stands on the lane."""

    def covered(self, now_s: float) -> tuple[float, float]:
        """Metres behind it, and its speed."""
        if self.profile is None:
            return self.behind_m, 0.0
        covered_m, speed_m_s = self.profile.at(now_s - self.since_s)
        return min(self.behind_m + covered_m, self.length_m), speed_m_s


class Drive:
    """One leg after the other; where the body is follows from the leg, when someone asks.

    Args:
        able: whether nothing is wrong with the body itself.
        arrived: called at the end of each leg.
        changed: fires when it goes on, is held up, or arrives.
    """

    def __init__(
        self,
        spec: VehicleSpec,
        hindrances: Hindrances,
        battery: Battery,
        *,
        able: Callable[[], bool],
        arrived: Callable[[Leg], None],
        changed: Signal,
    ) -> None:
        self._spec, self._hindrances, self._battery = spec, hindrances, battery
        self._able, self._arrived, self._changed = able, arrived, changed
        self._now_s = asyncio.get_running_loop().time
        self._timer: asyncio.TimerHandle | None = None
        self._arrival: asyncio.Future[None] | None = None
        self._exit_m_s = 0.0
        self._behind_m = 0.0
        self.leg: Leg | None = None
        """The leg in hand; None = it stands on a node, or beside it."""
        self.halted_for: Halt | None = None
        """What it stands in front of on its lane: an obstacle, or a person."""
        self.slow = 1.0
        """Share of its speed that the body can still reach."""

    @property
    def rolling(self) -> bool:
        """Whether the wheels turn."""
        return self.leg is not None and self.leg.profile is not None

    @property
    def distance_m(self) -> float:
        """How far it has driven so far."""
        return self._behind_m + (self.leg.covered(self._now_s())[0] if self.leg else 0.0)

    def point(self) -> Point | None:
        """Where it is on its lane; None = on none."""
        leg = self.leg
        if leg is None:
            return None
        start, end = leg.start, leg.end
        share = min(1.0, leg.covered(self._now_s())[0] / max(leg.length_m, 1e-9))
        return Point(
            start.x_m + (end.x_m - start.x_m) * share, start.y_m + (end.y_m - start.y_m) * share
        )

    def come_to_rest(self) -> None:
        """The next leg begins from standstill."""
        self._exit_m_s = 0.0

    def expect(self) -> None:
        """Somebody drives the body from now on."""
        self._arrival = asyncio.get_running_loop().create_future()

    def set_off(self, *, at_speed: bool) -> None:
        """Begin the leg in hand.

        Args:
            at_speed: as fast as the last one ended, else from standstill.
        """
        self.roll(self._exit_m_s if at_speed else 0.0)

    async def end(self) -> None:
        """Return on arrival; cancelled, it stands where it is."""
        assert self._arrival is not None
        try:
            await self._arrival
        finally:
            self._arrival = None
            if self.leg is not None:
                self.freeze()
                self._changed.fire()

    def roll(self, speed_m_s: float) -> None:
        """(Re)start the leg in hand at ``speed_m_s``, if nothing holds the body."""
        leg = self.leg
        if leg is None or self._arrival is None:
            return
        left_wh = self._battery.left_wh
        if left_wh <= 0 or not self._able():
            return
        halt = self._next_halt(leg)
        ends_m = leg.length_m if halt is None else min(halt.at_m, leg.length_m)
        if halt is not None and ends_m - leg.behind_m < _THERE_M:
            self._wait_before(halt)
            return
        limit = leg.edge.lane.speed_limit_m_s or math.inf
        leg.profile = profile(
            ends_m - leg.behind_m,
            start_m_s=speed_m_s,
            cruise_m_s=min(self._spec.speed_m_s * self.slow, limit),
            acceleration_m_s2=self._spec.acceleration_m_s2,
            stop=halt is not None or not leg.onward,
        )
        leg.since_s = self._now_s()
        loop, lasts_s = asyncio.get_running_loop(), leg.profile.duration_s
        move_w = self._spec.energy.move_w
        if left_wh * 3600 < move_w * lasts_s:
            self._timer = loop.call_later(left_wh * 3600 / move_w, self._run_dry)
        else:
            then = self._arrive if halt is None else partial(self._halt, halt)
            self._timer = loop.call_at(_whole_ms(leg.since_s + lasts_s), then)

    def freeze(self) -> float:
        """Stand still on the lane, if on one; returns the speed it had."""
        self._battery.settle()
        self.halted_for = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.leg is None:
            return 0.0
        self.leg.behind_m, speed_m_s = self.leg.covered(self._now_s())
        self.leg.profile = None
        return speed_m_s

    def _next_halt(self, leg: Leg) -> Halt | None:
        """The next thing that stands in its way on its lane."""
        obstacle = self._hindrances.obstacle(leg.edge, self._spec.length_m)
        halts = [halt for halt in (leg.person, obstacle) if halt is not None]
        ahead = [halt for halt in halts if halt.at_m >= leg.behind_m - _THERE_M]
        return min(ahead, key=lambda halt: halt.at_m, default=None)

    def _halt(self, halt: Halt) -> None:
        self.freeze()
        if self.leg is not None:
            self.leg.behind_m = min(halt.at_m, self.leg.length_m)
        self._wait_before(halt)

    def _wait_before(self, halt: Halt) -> None:
        self.halted_for = halt
        if halt.lasts_s is not None:
            self._timer = asyncio.get_running_loop().call_later(halt.lasts_s, self._go_on)
        self._changed.fire()

    def _go_on(self) -> None:
        """The person has left."""
        self.freeze()
        if self.leg is not None:
            self.leg.person = None
        self.roll(0.0)
        self._changed.fire()

    def _arrive(self) -> None:
        leg, self._timer = self.leg, None
        if leg is None or leg.profile is None:
            return
        try:
            self._end_leg(leg, leg.profile.end_m_s)
        except Exception as fault:  # noqa: BLE001 - it belongs to whoever drives this body
            if self._arrival is not None and not self._arrival.done():
                self._arrival.set_exception(fault)

    def _end_leg(self, leg: Leg, exit_m_s: float) -> None:
        self._battery.settle()
        self.leg = None
        self._exit_m_s = exit_m_s
        self._behind_m += leg.length_m
        self._arrived(leg)
        if self._arrival is not None:
            resolve(self._arrival)
        self._changed.fire()

    def _run_dry(self) -> None:
        self.freeze()
        self._battery.drain()
        self._changed.fire()


def _whole_ms(at_s: float) -> float:
    return math.ceil(at_s * 1000 - 1e-6) / 1000
