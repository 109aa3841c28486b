"""Lifts and doors, as the dispatcher asks for them over the bus.

What is wanted is kept here and compared with what each machine last said. As long as they
differ the wish is sent again, so a lost message or a machine that was away costs only time.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import ValidationError

from fleet.air_lock import AirLock
from fleet.asking import Requests, Waiters
from fleet.bus import Bus
from fleet.errors import LinkTimeout
from fleet.lift_words import LiftRequest, LiftState, Word
from fleet.shared_lift import SharedLift
from routing.refusal import Refusal
from routing.site import DoorId, LevelId, Lift, LiftId, Site

log = logging.getLogger(__name__)

TOPICS = "wardline/v1/facilities"


class DoorRequest(Word):
    """Asks for a door to be kept open for one session, or no longer."""

    session: str
    open: bool


class DoorState(Word):
    """What a door says of itself."""

    open: bool
    moving: bool = False
    sessions: tuple[str, ...] = ()
    in_service: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftWait:
    """One wait for a lift that is over."""

    lift: LiftId
    session: str
    level: LevelId
    asked_s: float
    ready_s: float
    ride: bool
    """Whether the session had the lift already, and went to another level with it."""


@dataclass(slots=True, eq=False)
class _Door:
    id: DoorId
    lock: "AirLock[_Door] | None" = None
    asked_s: float | None = None
    wanted: dict[str, None] = field(default_factory=dict[str, None])
    given_up: dict[str, bool] = field(default_factory=dict[str, bool])
    """Sessions that are over, and whether the machine has been told."""
    state: DoorState | None = None
    waiters: Waiters = field(default_factory=Waiters)

    def ready(self, session: str) -> bool:
        state = self.state
        return state is not None and state.open and session in state.sessions

    @property
    def serves(self) -> bool:
        """Whether it is in service, as far as is known."""
        works = self.state is None or self.state.in_service
        return works and (self.lock is None or self.lock.blocked_by(self) is None)

    @property
    def wished(self) -> bool:
        return bool(self.wanted)

    @property
    def shut(self) -> bool:
        state = self.state
        return state is not None and not (state.open or state.moving or state.sessions)

    @property
    def jammed(self) -> bool:
        state = self.state
        return state is not None and not state.in_service and (state.open or state.moving)

    def requests(self, now_s: float) -> list[DoorRequest]:
        known = self.state.sessions if self.state else ()
        missing = [DoorRequest(session=s, open=True) for s in self.wanted if s not in known]
        if missing and self.lock is not None:
            if self.lock.may_ask(self, now_s):
                self.asked_s = now_s
            else:
                missing = []
        over = [DoorRequest(session=s, open=False) for s in self.given_up]
        self.given_up = dict.fromkeys(self.given_up, True)
        return missing + over

    def hear(self, state: DoorState) -> None:
        self.state = state
        if state.open or state.moving or state.sessions:
            self.asked_s = None
        for session in [s for s, told in self.given_up.items() if told and s not in state.sessions]:
            del self.given_up[session]


@dataclass(slots=True)
class _Lift:
    id: LiftId
    wanted: dict[str, LevelId] = field(default_factory=dict[str, LevelId])
    """First come, first served: the first session has the lift."""
    given_up: dict[str, bool] = field(default_factory=dict[str, bool])
    """Sessions that are over, and whether the machine has been told."""
    state: LiftState | None = None
    waiters: Waiters = field(default_factory=Waiters)

    def want(self, session: str, level: LevelId) -> None:
        self.given_up.pop(session, None)
        self.wanted[session] = level

    def release(self, session: str) -> None:
        self.wanted.pop(session, None)
        self.given_up[session] = False

    def rides(self, session: str) -> bool:
        return self.state is not None and self.state.session == session

    def ready(self, session: str) -> bool:
        state, level = self.state, self.wanted.get(session)
        return (
            state is not None
            and state.in_service
            and state.session == session
            and state.level == level
            and state.open
            and not state.moving
        )

    @property
    def serves(self) -> bool:
        """Whether it is in service, as far as is known."""
        return self.state is None or self.state.in_service

    def requests(self) -> list[LiftRequest]:
        over = [LiftRequest(session=s, level=None) for s in self.given_up]
        self.given_up = dict.fromkeys(self.given_up, True)
        first = next(iter(self.wanted.items()), None)
        if first is None or self.ready(first[0]):
            return over
        return [*over, LiftRequest(session=first[0], level=first[1])]

    def hear(self, state: LiftState) -> None:
        self.state = state
        for session in [s for s, told in self.given_up.items() if told and s != state.session]:
            del self.given_up[session]


def _lift(lift: Lift, site: Site) -> _Lift | SharedLift:
    if lift.room is None:
        return _Lift(lift.id)
    return SharedLift(lift.id, {level: site.levels[level].elevation_m for level in lift.cabins})


def _served(machine: _Door | _Lift | SharedLift, session: str) -> bool:
    """Whether there is nothing to wait for: it is ready, or no longer wanted."""
    return session not in machine.wanted or machine.ready(session)


def _opens_to(state: LiftState | None) -> LevelId | None:
    """The level at which a lift stands open; None = at none, as far as is known."""
    return LevelId(state.level) if state is not None and state.open and not state.moving else None


def _stopped_open(machine: _Lift | SharedLift, session: str) -> bool:
    """Whether a lift is out of service and stands open where the session wants it."""
    level = machine.wanted.get(session)
    return level is not None and not machine.serves and _opens_to(machine.state) == level


class Facilities:
    """The dispatcher's hand on lifts and doors; a session is the name of a vehicle.

    Args:
        patience_s: how long to wait for a machine before `LinkTimeout`.
        repeat_s: how long to wait before a wish that is not fulfilled is sent again.
    """

    def __init__(
        self, bus: Bus, site: Site, *, patience_s: float = 120.0, repeat_s: float = 10.0
    ) -> None:
        self.faulty = 0
        """How many messages could not be read."""
        self._bus = bus
        self._patience_s = patience_s
        self._doors = {str(door): _Door(door) for door in site.doors}
        self._lifts = {str(id_): _lift(lift, site) for id_, lift in site.lifts.items()}
        self._locks = [
            AirLock([self._doors[door] for door in lock.doors]) for lock in site.air_locks.values()
        ]
        for lock in self._locks:
            for door in lock.doors:
                door.lock = lock
        self._requests = Requests(bus, repeat_s)
        self._work = asyncio.Event()
        self._wait_listeners: list[Callable[[LiftWait], None]] = []
        self._service_listeners: list[Callable[[DoorId | LiftId, bool], None]] = []

    async def run(self) -> None:
        """Listen to the machines, and tell them what is wanted; runs until cancelled."""
        subscriptions = [
            self._bus.subscribe(f"{TOPICS}/door/+/state", self._hear_door),
            self._bus.subscribe(f"{TOPICS}/lift/+/state", self._hear_lift),
        ]
        try:
            while True:
                self._work.clear()
                again_s = await self._ask()
                try:
                    async with asyncio.timeout(again_s):
                        await self._work.wait()
                except TimeoutError:
                    continue
        finally:
            for subscription in subscriptions:
                subscription.close()

    async def open_door(self, door: DoorId, session: str) -> None:
        """Return when the door stands open, and stays open until `release_door`.

        It returns as well when the session is released meanwhile. A door of an air lock is not
        asked before all others are known to be shut.

        Raises:
            LinkTimeout: it did not open in time; it is still wanted, until released.
        """
        machine = self._doors[door]
        machine.given_up.pop(session, None)
        machine.wanted[session] = None
        self._work.set()
        if not await machine.waiters.until(lambda: _served(machine, session), self._patience_s):
            raise LinkTimeout(f"door {door} did not open for {session}")

    def release_door(self, door: DoorId, session: str) -> None:
        """The session no longer needs the door; safe to repeat, also when it never did."""
        machine = self._doors[door]
        machine.wanted.pop(session, None)
        machine.given_up[session] = False
        machine.waiters.wake()
        self._work.set()

    async def bring_lift(
        self, lift: LiftId, level: LevelId, session: str, *, to_leave: bool = False
    ) -> None:
        """Return when the lift stands open at ``level`` for this session.

        Called again with another level it takes along who is inside. Other sessions wait until
        `release_lift`; in a lift with room, until nobody wants it to stay where it is. It returns
        as well when the session is released meanwhile.

        Args:
            to_leave: the vehicle is inside; it may leave a lift that has stopped open there, too.

        Raises:
            LinkTimeout: it did not come in time; it is still wanted, until released.
        """
        machine, asked_s = self._lifts[lift], asyncio.get_running_loop().time()
        ride = machine.rides(session)
        machine.want(session, level)
        self._work.set()

        def comes() -> bool:
            return _served(machine, session) or (to_leave and _stopped_open(machine, session))

        if not await machine.waiters.until(comes, self._patience_s):
            raise LinkTimeout(f"lift {lift} did not come to {level} for {session}")
        if session not in machine.wanted:
            return
        wait = LiftWait(
            lift=lift,
            session=session,
            level=level,
            asked_s=asked_s,
            ready_s=asyncio.get_running_loop().time(),
            ride=ride,
        )
        for listener in self._wait_listeners:
            listener(wait)

    def turn(self, lift: LiftId, level: LevelId, session: str) -> None:
        """Who has a lift wants it at another level than it said; whoever waits for it goes on to.

        Safe to repeat; nothing if the session has been released.
        """
        machine = self._lifts[lift]
        if session in machine.wanted:
            machine.want(session, level)
            machine.waiters.wake()
            self._work.set()

    def may_leave(self, lift: LiftId, level: LevelId, session: str) -> bool:
        """Whether who is inside may drive out at a level now: `bring_lift` would not wait."""
        machine = self._lifts[lift]
        if machine.wanted.get(session) != level:
            return False
        return machine.ready(session) or _stopped_open(machine, session)

    def serves(self, lift: LiftId) -> bool:
        """Whether a lift is in service, as far as is known."""
        return self._lifts[lift].serves

    def stands_shut(self, lift: LiftId) -> bool:
        """Whether a lift is out of service, and has stopped with its doors shut."""
        machine = self._lifts[lift]
        state = machine.state
        return not machine.serves and state is not None and not (state.open or state.moving)

    def opens_to(self, lift: LiftId) -> LevelId | None:
        """The level at which a lift stands open now, in service or not; None = at none."""
        return _opens_to(self._lifts[lift].state)

    def release_lift(self, lift: LiftId, session: str) -> None:
        """The session is over; safe to repeat, also when there was none."""
        machine = self._lifts[lift]
        machine.release(session)
        machine.waiters.wake()
        self._work.set()

    def keep_place(self, lift: LiftId, session: str, level: LevelId | None = None) -> None:
        """A vehicle has a place in a lift with room.

        Args:
            level: where it is to stay for that vehicle; None = it may go wherever others want it.
        """
        machine = self._lifts[lift]
        if isinstance(machine, SharedLift):
            machine.want(session, level)
            self._work.set()

    def is_shared(self, lift: LiftId, session: str) -> bool:
        """Whether others than this session want a lift now."""
        return any(other != session for other in self._lifts[lift].wanted)

    def why_not(self, facility: DoorId | LiftId) -> Refusal | None:
        """Why a lift or door can't be counted on now; None = it can."""
        kind = "lift" if facility in self._lifts else "door"
        machine = self._lifts.get(facility) or self._doors[facility]
        if isinstance(machine, _Door) and machine.lock is not None:
            jammed = machine.lock.blocked_by(machine)
            if jammed is not None:
                return Refusal("air_lock_open", {"door": facility, "by": jammed.id})
        if machine.state is None:
            return Refusal(f"{kind}_silent", {kind: facility})
        if not machine.state.in_service:
            return Refusal(f"{kind}_out_of_service", {kind: facility})
        return None

    def on_lift_wait(self, listener: Callable[[LiftWait], None]) -> None:
        """Have ``listener`` called after each wait for a lift."""
        self._wait_listeners.append(listener)

    def on_service(self, listener: Callable[[DoorId | LiftId, bool], None]) -> None:
        """Have ``listener`` called when a door or lift goes out of service, or comes back.

        For a lift that is out of service, also when it stands open elsewhere than before.
        """
        self._service_listeners.append(listener)

    def _heard(
        self, machine: "_Door | _Lift | SharedLift", *, served: bool, moved: bool = False
    ) -> None:
        """A machine has said something.

        Args:
            served: whether it was in service before.
            moved: it is a lift that stands open elsewhere than before, out of service.
        """
        machine.waiters.wake()
        self._work.set()
        if machine.serves != served or moved:
            for listener in self._service_listeners:
                listener(machine.id, machine.serves)

    async def _ask(self) -> float | None:
        """Send each wish that is new, or long unfulfilled; returns when to look again."""
        now_s = asyncio.get_running_loop().time()
        letters = [
            (f"{TOPICS}/door/{door.id}/request", request.model_dump_json().encode())
            for door in self._doors.values()
            if door.wanted or door.given_up
            for request in door.requests(now_s)
        ]
        letters += [
            (f"{TOPICS}/lift/{lift.id}/request", request.model_dump_json().encode())
            for lift in self._lifts.values()
            if lift.wanted or lift.given_up
            for request in lift.requests()
        ]
        again_s = await self._requests.send(letters)
        again_s += [s for lock in self._locks if (s := lock.look_again_s(now_s)) is not None]
        return min(again_s, default=None)

    def _hear_door(self, topic: str, payload: bytes) -> None:
        machine = self._doors.get(topic.split("/")[-2])
        try:
            state = DoorState.model_validate_json(payload)
        except ValidationError as error:
            self._fault(topic, error)
            return
        if machine is not None:
            doors = (machine,) if machine.lock is None else machine.lock.doors
            served = [door.serves for door in doors]
            machine.hear(state)
            for door, before in zip(doors, served, strict=True):
                self._heard(door, served=before)

    def _hear_lift(self, topic: str, payload: bytes) -> None:
        machine = self._lifts.get(topic.split("/")[-2])
        try:
            state = LiftState.model_validate_json(payload)
        except ValidationError as error:
            self._fault(topic, error)
            return
        if machine is not None:
            served, opened = machine.serves, _opens_to(machine.state)
            machine.hear(state)
            moved = not machine.serves and _opens_to(state) != opened
            self._heard(machine, served=served, moved=moved)

    def _fault(self, topic: str, error: ValidationError) -> None:
        self.faulty += 1
        if self.faulty == 1 or self.faulty % 100 == 0:
            why = error.errors(include_url=False)[0]["msg"]
            log.warning("%s: not understood (%d so far): %s", topic, self.faulty, why)
