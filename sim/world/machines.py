"""Simulated lifts and doors: they obey the bus, and bodies meet them as they really stand."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import ValidationError

from fleet.bus import Bus, Subscription
from fleet.facility import TOPICS, DoorRequest, DoorState
from fleet.lift_words import LiftRequest, LiftState
from routing.site import Door, Edge, LevelId, Lift
from sim.world.bodies import GroundBody
from sim.world.signal import Signal
from sim.world.world import World

log = logging.getLogger(__name__)

DOORWAY_S = 0.5
"""How often a closing door looks whether somebody is still in it."""


class DoorMachine:
    """One automatic door: open while any session wants it, and never closed on anybody."""

    def __init__(self, world: World, bus: Bus, door: Door) -> None:
        self.door = door
        self.open = False
        self.moving = False
        self.in_service = True
        self.changed = Signal()
        self.faulty = 0
        self._world, self._bus = world, bus
        self._topic = f"{TOPICS}/door/{door.id}"
        self._sessions: dict[str, None] = {}
        self._work = Signal()
        self._unsaid = True
        world.doors[door.id] = self

    async def run(self) -> None:
        """Serve; runs until cancelled."""
        subscription = self._bus.subscribe(f"{self._topic}/request", self._hear)
        await _serve(self._step, self._work, subscription)

    def lets_in(self, edge: Edge) -> bool:  # noqa: ARG002
        """Whether it stands open."""
        return self.open

    def jam(self) -> None:
        """It does not move any more, until `repair`."""
        self.in_service = False
        self._wake()

    def repair(self) -> None:
        """It moves again."""
        self.in_service = True
        self._wake()

    async def _step(self) -> bool:
        if self._unsaid:
            await self._say()
            return True
        if not self.in_service or self.open == bool(self._sessions):
            return False
        if self.open and _in_doorway(self._world, self._blocks):
            await self._work.wait(at_most_s=DOORWAY_S)
            return True
        opens, self.open, self.moving = not self.open, False, True
        self._world.door_moved(self.door.id, shut=False)
        await self._say()
        await asyncio.sleep(self.door.opening_s)
        self.open, self.moving = opens, False
        self._world.door_moved(self.door.id, shut=not opens)
        await self._say()
        self.changed.fire()
        return True

    async def _say(self) -> None:
        self._unsaid = False
        state = DoorState(
            open=self.open,
            moving=self.moving,
            sessions=tuple(self._sessions),
            in_service=self.in_service,
        )
        await self._bus.publish(
            f"{self._topic}/state", state.model_dump_json().encode(), qos=1, retain=True
        )

    def _blocks(self, edge: Edge) -> bool:
        return edge.lane.door == self.door.id

    def _hear(self, topic: str, payload: bytes) -> None:
        try:
            request = DoorRequest.model_validate_json(payload)
        except ValidationError:
            self.faulty += 1
            log.warning("%s: not understood", topic)
            return
        if request.open:
            self._sessions[request.session] = None
        else:
            self._sessions.pop(request.session, None)
        self._wake()

    def _wake(self) -> None:
        self._unsaid = True
        self._work.fire()


@dataclass(frozen=True, slots=True, kw_only=True)
class Passengers:
    """People who use a lift when no vehicle has it, as a Poisson stream.

    Args:
        rides_per_h: all day, unless ``by_hour`` says it for each of the 24 hours.
        clock_s: seconds since midnight.
        name: names the stream of chance; each lift has its own.
    """

    rides_per_h: float
    seed: int
    by_hour: tuple[float, ...] = ()
    clock_s: Callable[[], float] = lambda: 0.0
    name: str = ""


class LiftMachine:
    """One lift: it serves one session at a time, then those who asked after it.

    A ride is: close the doors, travel, open them. Whoever stands in the cabin comes along.
    """

    def __init__(
        self, world: World, bus: Bus, lift: Lift, *, passengers: Passengers | None = None
    ) -> None:
        self.lift = lift
        self.level: LevelId = next(iter(lift.cabins))
        self.open = False
        self.moving = False
        self.in_service = True
        self._between = False
        self.session: str | None = None
        self.rides = 0
        self.changed = Signal()
        self.faulty = 0
        self._world, self._bus = world, bus
        self._topic = f"{TOPICS}/lift/{lift.id}"
        self._goals: dict[str, LevelId] = {}
        self._work = Signal()
        self._unsaid = True
        self._passengers = passengers
        self.people = 0
        self.people_waited_s = 0.0
        """In all, from each call to the moment when the lift sets out."""
        stream = f":{passengers.name}" if passengers and passengers.name else ""
        self._rng = random.Random(f"{passengers.seed if passengers else 0}{stream}:{lift.id}")
        self._next_ride_s = self._draw_ride()
        world.lifts[lift.id] = self

    async def run(self) -> None:
        """Serve; runs until cancelled."""
        subscription = self._bus.subscribe(f"{self._topic}/request", self._hear)
        await _serve(self._step, self._work, subscription, self._due_s)

    def lets_in(self, edge: Edge) -> bool:
        """Whether the cabin stands open at the level of ``edge``."""
        cabin = self.lift.cabins[self.level]
        return self.open and cabin in (edge.start, edge.end)

    def fail(self, *, between: bool = False) -> None:
        """It ends its ride and then does not move any more, until `repair`.

        Args:
            between: it does not end its ride, but stands shut between two levels.
        """
        self.in_service, self._between = False, between
        self._wake()

    def repair(self) -> None:
        """It moves again."""
        self.in_service, self._between = True, False
        self._wake()

    async def _step(self) -> bool:
        if self.session is None and self._goals:
            self.session = next(iter(self._goals))
            self._unsaid = True
        if self._unsaid:
            await self._say()
            return True
        if not self.in_service:
            return False
        if self.session is not None:
            goal = self._goals[self.session]
            if self.level == goal and self.open:
                return False
            await self._go(goal)
            return True
        if self.open:
            await self._close()
            return True
        return await self._take_passengers()

    async def _take_passengers(self) -> bool:
        if self._next_ride_s is None or self._next_ride_s > _now_s():
            return False
        self.people += 1
        self.people_waited_s += _now_s() - self._next_ride_s
        self._next_ride_s = self._draw_ride()
        others = [level for level in self.lift.cabins if level != self.level]
        if others and not self._inside():
            await self._go(self._rng.choice(others))
        return True

    async def _go(self, goal: LevelId) -> None:
        """Close, travel and open; when it is there already: only open."""
        if goal == self.level:
            await asyncio.sleep(self.lift.door_s)
        else:
            await self._ride(goal)
        self.open = True
        await self._say()
        self.changed.fire()

    async def _ride(self, goal: LevelId) -> None:
        await self._clear_doorway()
        if not self.in_service:
            return
        site, riders = self._world.site, self._inside()
        edge = site.edge(self.lift.cabins[self.level], self.lift.cabins[goal])
        for body in riders:
            body.board(edge)
        await self._close()
        self.moving = True
        await self._say()
        rise_m = abs(site.levels[goal].elevation_m - site.levels[self.level].elevation_m)
        await asyncio.sleep(rise_m / self.lift.speed_m_s + self.lift.door_s)
        while self._between:
            self.moving = False
            await self._say()
            await self._work.wait()
        self.level, self.moving = goal, False
        self.rides += 1
        for body in riders:
            body.carry(edge)

    async def _close(self) -> None:
        await self._clear_doorway()
        if self.open:
            self.open = False
            await self._say()
            await asyncio.sleep(self.lift.door_s)

    async def _clear_doorway(self) -> None:
        while self.open and _in_doorway(self._world, self._blocks):
            await self._work.wait(at_most_s=DOORWAY_S)

    def _inside(self) -> list[GroundBody]:
        cabin = self.lift.cabins[self.level]
        bodies = self._world.ground.values()
        return [body for body in bodies if body.node == cabin and body.edge is None]

    def _blocks(self, edge: Edge) -> bool:
        cabins = self.lift.cabins.values()
        return edge.start in cabins or edge.end in cabins

    async def _say(self) -> None:
        self._unsaid = False
        state = LiftState(
            level=self.level,
            moving=self.moving,
            open=self.open,
            session=self.session,
            in_service=self.in_service,
        )
        await self._bus.publish(
            f"{self._topic}/state", state.model_dump_json().encode(), qos=1, retain=True
        )

    def _hear(self, topic: str, payload: bytes) -> None:
        try:
            request = LiftRequest.model_validate_json(payload)
        except ValidationError:
            self.faulty += 1
            log.warning("%s: not understood", topic)
            return
        if request.level is None:
            self._goals.pop(request.session, None)
            if self.session == request.session:
                self.session = None
        elif (level := LevelId(request.level)) in self.lift.cabins:
            self._goals[request.session] = level
        else:
            self.faulty += 1
            log.warning("%s: it does not serve level %s", topic, level)
        self._wake()

    def _wake(self) -> None:
        self._unsaid = True
        self._work.fire()

    def _due_s(self) -> float | None:
        free = self.in_service and self.session is None
        return self._next_ride_s if free else None

    def _draw_ride(self) -> float | None:
        if self._passengers is None:
            return None
        by_hour = self._passengers.by_hour
        most = max(by_hour, default=self._passengers.rides_per_h)
        if most <= 0:
            return None
        ahead_s = self._rng.expovariate(most / 3600)
        while by_hour:  # thinning: Lewis and Shedler, Naval Research Logistics 26(3), 1979
            hour = int((self._passengers.clock_s() + ahead_s) // 3600) % 24
            if self._rng.random() * most < by_hour[hour]:
                break
            ahead_s += self._rng.expovariate(most / 3600)
        return _now_s() + ahead_s


async def _serve(
    step: Callable[[], Awaitable[bool]],
    work: Signal,
    subscription: Subscription,
    due_s: Callable[[], float | None] = lambda: None,
) -> None:
    """Take steps as long as there is something to do, then wait for work or for ``due_s``."""
    try:
        while True:
            if not await step():
                at_s = due_s()
                await work.wait(None if at_s is None else max(0.001, at_s - _now_s()))
    finally:
        subscription.close()


def _in_doorway(world: World, blocks: Callable[[Edge], bool]) -> bool:
    edges = [body.edge for body in world.ground.values()]
    return any(edge is not None and blocks(edge) for edge in edges)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
