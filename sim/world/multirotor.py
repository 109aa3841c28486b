"""A multirotor as it really is: where it flies, in which wind, and what that costs."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass

from fleet.vehicle import Position, VehicleId, VehicleSpec
from routing.geometry import Point
from routing.site import NodeId, Role
from sim.alarms import Alarms
from sim.world.motion import Profile, profile
from sim.world.signal import Signal
from sim.world.world import World

SLOW_BELOW_M = 10.0
"""Height under which it comes down slowly."""
TOUCHDOWN_M_S = 0.5
LEAST_M_S = 0.5
"""It creeps on even against a wind that it is no match for."""
ON_PAD_M = 5.0
_ENDLESS = math.inf
_FULL_WITHIN_WH = 1e-6
"""So near to its capacity a battery is full: sums of floats never quite get there."""


@dataclass(frozen=True, slots=True)
class Wind:
    """Where the air moves to, in the site's frame."""

    x_m_s: float = 0.0
    y_m_s: float = 0.0

    def ground_speed_m_s(self, airspeed_m_s: float, along: tuple[float, float]) -> float:
        """Speed over ground with the nose held into the wind, by the wind triangle.

        Args:
            along: unit vector of the track.
        """
        tail = self.x_m_s * along[0] + self.y_m_s * along[1]
        cross = self.x_m_s * along[1] - self.y_m_s * along[0]
        return max(LEAST_M_S, tail + math.sqrt(max(0.0, airspeed_m_s**2 - cross**2)))


CALM = Wind()


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """What it does from ``since_s`` on: over ground, up or down, and at which power.

    ``climbs`` and ``powers`` are phases of (seconds, m/s) and (seconds, watts); the last power
    goes on for ever.
    """

    since_s: float
    start: Point
    along: tuple[float, float] = (0.0, 0.0)
    track: Profile | None = None
    height_m: float = 0.0
    climbs: tuple[tuple[float, float], ...] = ()
    powers: tuple[tuple[float, float], ...]

    @property
    def duration_s(self) -> float:
        """Until it is where it is to be."""
        over_ground = self.track.duration_s if self.track else 0.0
        return max(over_ground, sum(phase_s for phase_s, _ in self.climbs))

    def at(self, now_s: float) -> tuple[Point, float, tuple[float, float, float]]:
        """Place, height and velocity (x, y, up) at a moment."""
        passed = now_s - self.since_s
        covered, speed = self.track.at(passed) if self.track else (0.0, 0.0)
        x, y = self.along
        place = Point(self.start.x_m + x * covered, self.start.y_m + y * covered)
        height, left, up = self.height_m, passed, 0.0
        for phase_s, rate in self.climbs:
            height += rate * min(left, phase_s)
            if left < phase_s:
                up = rate
                break
            left -= phase_s
        return place, height, (x * speed, y * speed, up)

    def spent_wh(self, from_s: float, to_s: float) -> float:
        """Energy between two moments, in watt-hours."""
        joules, start = 0.0, self.since_s
        for phase_s, watts in self.powers:
            end = start + phase_s
            joules += watts * max(0.0, min(to_s, end) - max(from_s, start))
            start = end
        return joules / 3600.0

    def until_spent_s(self, from_s: float, energy_wh: float) -> float:
        """Seconds from ``from_s`` on until ``energy_wh`` has been spent; perhaps never."""
        start, left = self.since_s, energy_wh * 3600.0
        for phase_s, watts in self.powers:
            begin, end = max(from_s, start), start + phase_s
            if end > begin and watts > 0 and watts * (end - begin) >= left:
                return begin + left / watts - from_s
            left -= watts * max(0.0, end - begin) if watts else 0.0
            start = end
        return _ENDLESS


class Multirotor:
    """One aircraft. Nothing ticks: its place and its charge follow from the motion it is in.

    It starts from rest and comes to rest at each point it is sent to. ``alarms`` must run.
    """

    def __init__(
        self,
        world: World,
        spec: VehicleSpec,
        node: NodeId,
        *,
        charge_ratio: float = 1.0,
        wind: Wind = CALM,
    ) -> None:
        self.spec = spec
        self.alarms = Alarms()
        self.changed = Signal()
        """Fires when it leaves the ground, lands, or its battery is empty."""
        self.empty = False
        self.powered = False
        """Whether its electronics draw power on the ground."""
        self.on_charger = False
        self.speed_m_s = spec.speed_m_s
        """The airspeed it is told to fly at."""
        self._world, self._wind = world, wind
        self._level = world.site.nodes[node].level
        self._energy_wh = spec.energy.capacity_wh * charge_ratio
        self._now_s = asyncio.get_running_loop().time
        self._counted_s = self._now_s()
        self._motion = self._on_ground(world.site.nodes[node].point)
        self._airborne = False
        self._yaw_rad = 0.0
        self._then: Callable[[], None] | None = None
        self._goal: tuple[Point, float] | None = None
        self._arrival: asyncio.TimerHandle | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._marks: dict[float, Callable[[], None]] = {}
        world.add_aircraft(self)

    # --- what the monitors see ----------------------------------------------------------------

    @property
    def id(self) -> VehicleId:
        """Its name."""
        return self.spec.id

    @property
    def airborne(self) -> bool:
        """Whether it is off the ground."""
        return self._airborne

    def position(self) -> Position:
        """Where it is now."""
        place, height_m, _ = self._motion.at(self._now_s())
        return Position(
            level=self._level, point=place, yaw_rad=self._yaw_rad, height_agl_m=max(0.0, height_m)
        )

    def velocity(self) -> tuple[float, float, float]:
        """Speed over ground along x and y, and upwards, in m/s."""
        return self._motion.at(self._now_s())[2]

    @property
    def energy_wh(self) -> float:
        """What is left in its battery."""
        self._count()
        return self._energy_wh

    def charge_ratio(self) -> float:
        """What is left in its battery, as a share of the whole."""
        return self.energy_wh / self.spec.energy.capacity_wh

    @property
    def power_w(self) -> float:
        """What it draws from its battery now; below 0 while it charges."""
        return self._motion.spent_wh(self._now_s(), self._now_s() + 1e-3) * 3.6e6

    # --- flying -------------------------------------------------------------------------------

    def fly(self, goal: Point, height_m: float, then: Callable[[], None]) -> None:
        """Go to a point at a height above ground, in a straight line; ``then`` on arrival."""
        self._take_off_if_grounded()
        place, now_m, _ = self._motion.at(self._now_s())
        along, track = self._track(place, goal)
        rise_m = height_m - now_m
        climb_s = abs(rise_m) / self.spec.climb_m_s
        rate = math.copysign(self.spec.climb_m_s, rise_m)
        level_s = max(0.0, (track.duration_s if track else 0.0) - climb_s)
        vertical_w = self._climb_w if rise_m > 0 else self._hover_w
        powers = ((climb_s, vertical_w), (level_s, self.spec.energy.move_w))
        self._goal = (goal, height_m)
        self._begin(place, now_m, powers, along, track, ((climb_s, rate),) if climb_s else ())
        self._arrive(then)

    def hover(self) -> None:
        """Stay where it is."""
        if self._airborne:
            place, height_m, _ = self._motion.at(self._now_s())
            self._goal = None
            self._begin(place, height_m, ())

    def land(self, then: Callable[[], None]) -> None:
        """Come straight down, slowly at the end; ``then`` on the ground."""
        place, height_m, _ = self._motion.at(self._now_s())
        fast_m = max(0.0, height_m - SLOW_BELOW_M)
        fast_s = fast_m / self.spec.climb_m_s
        slow_s = (height_m - fast_m) / TOUCHDOWN_M_S
        climbs = ((fast_s, -self.spec.climb_m_s), (slow_s, -TOUCHDOWN_M_S))
        self._goal = None
        self._begin(place, height_m, (), climbs=climbs)

        def down() -> None:
            self._touch_down()
            then()

        self._arrive(down)

    def drop(self) -> None:
        """Motors off, wherever it is: it is on the ground at once."""
        if self._airborne:
            self._touch_down()

    @property
    def wind(self) -> Wind:
        """The wind it flies in."""
        return self._wind

    def set_wind(self, wind: Wind) -> None:
        """The wind has changed; what it flies now takes another time from here on."""
        self._wind = wind
        if self._goal is not None and self._then is not None:
            self.fly(*self._goal, self._then)

    # --- power --------------------------------------------------------------------------------

    def set_power(self, *, electronics: bool | None = None, charger: bool | None = None) -> None:
        """Switch its electronics or the charger it stands on."""
        self._count()
        self.powered = self.powered if electronics is None else electronics
        self.on_charger = self.on_charger if charger is None else charger
        if self.on_charger:
            self.empty = False
        if not self._airborne:
            self._stand(self._motion.at(self._now_s())[0])

    def set_charge(self, ratio: float) -> None:
        """Have its battery hold just this much; marks that it falls below are told of."""
        self._count()
        had_wh, self._energy_wh = self._energy_wh, ratio * self.spec.energy.capacity_wh
        if self._airborne:
            self._watch_energy()
        else:
            self._stand(self._motion.at(self._now_s())[0])
        for mark in sorted(self._marks, reverse=True):
            if had_wh > mark >= self._energy_wh:
                self._marks[mark]()
        self.changed.fire()

    def at_energy(self, energy_wh: float, callback: Callable[[], None]) -> None:
        """Have ``callback`` called each time the battery falls to ``energy_wh``."""
        self._marks[energy_wh] = callback
        self._watch_energy()

    def seconds_to(self, charge_ratio: float) -> float:
        """Seconds on the charger until ``charge_ratio``; 0 where it is that full."""
        energy = self.spec.energy
        return energy.charge_s(self.charge_ratio(), charge_ratio)

    # --- inside -------------------------------------------------------------------------------

    @property
    def _hover_w(self) -> float:
        return self.spec.energy.hover_w or self.spec.energy.move_w

    @property
    def _climb_w(self) -> float:
        return self.spec.energy.climb_w or self.spec.energy.move_w

    def _track(self, place: Point, goal: Point) -> tuple[tuple[float, float], Profile | None]:
        length_m = place.distance_m(goal)
        if length_m < 1e-3:
            return (0.0, 0.0), None
        along = ((goal.x_m - place.x_m) / length_m, (goal.y_m - place.y_m) / length_m)
        self._yaw_rad = math.atan2(along[1], along[0])
        return along, profile(
            length_m,
            start_m_s=0.0,
            cruise_m_s=self._wind.ground_speed_m_s(self.speed_m_s, along),
            acceleration_m_s2=self.spec.acceleration_m_s2,
            stop=True,
        )

    def _begin(
        self,
        place: Point,
        height_m: float,
        powers: tuple[tuple[float, float], ...],
        along: tuple[float, float] = (0.0, 0.0),
        track: Profile | None = None,
        climbs: tuple[tuple[float, float], ...] = (),
    ) -> None:
        self._count()
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None
        self._motion = Motion(
            since_s=self._now_s(),
            start=place,
            along=along,
            track=track,
            height_m=height_m,
            climbs=climbs,
            powers=(*powers, (_ENDLESS, self._hover_w)),
        )
        self._watch_energy()

    def _arrive(self, then: Callable[[], None]) -> None:
        self._then = then

        def there() -> None:
            self._then = None
            then()

        self._arrival = self.alarms.after(self._motion.duration_s, there)

    def _take_off_if_grounded(self) -> None:
        if not self._airborne:
            self._airborne, self.on_charger = True, False
            self.changed.fire()

    def _touch_down(self) -> None:
        place, _, _ = self._motion.at(self._now_s())
        self._airborne = False
        for pad in self._world.site.with_role(Role.PAD):
            node = self._world.site.nodes[pad.node]
            if node.point.distance_m(place) <= ON_PAD_M:
                self._level = node.level
        self._stand(place)
        self.changed.fire()

    def _stand(self, place: Point) -> None:
        self._count()
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None
        self._then, self._goal = None, None
        self._motion = self._on_ground(place)
        self._watch_energy()

    def _on_ground(self, place: Point) -> Motion:
        energy = self.spec.energy
        draw_w = energy.idle_w if self.powered else 0.0
        if not self.on_charger:
            powers = ((_ENDLESS, draw_w),)
        else:
            full_s = energy.charge_s(self._energy_wh / energy.capacity_wh, 1.0)
            powers = ((full_s, -energy.charge_w), (_ENDLESS, 0.0))
        return Motion(since_s=self._now_s(), start=place, powers=powers)

    def _count(self) -> None:
        now_s = self._now_s()
        left_wh = max(0.0, self._energy_wh - self._motion.spent_wh(self._counted_s, now_s))
        full_wh = self.spec.energy.capacity_wh
        self._energy_wh = full_wh if left_wh > full_wh - _FULL_WITHIN_WH else left_wh
        self._counted_s = now_s

    def _watch_energy(self) -> None:
        """Wake up at the next mark that the battery falls to."""
        if self._alarm is not None:
            self._alarm.cancel()
        below = [mark for mark in (*self._marks, 0.0) if mark < self._energy_wh]
        mark = max(below, default=0.0)
        wait_s = self._motion.until_spent_s(self._counted_s, self._energy_wh - mark)
        usable = wait_s < _ENDLESS and not self.empty
        self._alarm = self.alarms.after(wait_s, self._at_mark, mark) if usable else None

    def _at_mark(self, mark: float) -> None:
        self._count()
        self._energy_wh = mark
        if mark == 0.0:
            self._run_empty()
        else:
            self._watch_energy()
            self._marks[mark]()

    def _run_empty(self) -> None:
        self.empty = True
        self._world.violate("energy", f"{self.id} ran out of energy at {self.position()}")
        self.powered = False
        if self._airborne:
            self._touch_down()
        else:
            self.changed.fire()
