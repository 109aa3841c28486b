"""A wheeled body: what it physically does on the site's roads, from event to event."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from fleet.mission import Action, ActionKind
from fleet.vehicle import Position, VehicleId, VehicleSpec
from routing.geometry import Point
from routing.site import Edge, NodeId, Role, Zone
from sim.world.hindrances import Halt
from sim.world.motion import Profile, profile

if TYPE_CHECKING:
    from sim.world.world import World

MOMENT_S = 0.05
"""Two drives that follow each other within this time are one movement."""
_THERE_M = 1e-3
"""So near to where it has to stop, a body stands there."""


class Signal:
    """A change that others listen to, or wait for."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[], None]] = []
        self._waiters: list[asyncio.Future[None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called at each change."""
        self._listeners.append(listener)

    def fire(self) -> None:
        """Say that something has changed."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            _settle_future(waiter)
        for listener in self._listeners:
            listener()

    async def wait(self, at_most_s: float | None = None) -> None:
        """Return at the next change, or after ``at_most_s`` at the latest."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiters.append(waiter)
        timer = loop.call_later(at_most_s, _settle_future, waiter) if at_most_s else None
        try:
            await waiter
        finally:
            if timer is not None:
                timer.cancel()
            if waiter in self._waiters:
                self._waiters.remove(waiter)


@dataclass(slots=True)
class _Leg:
    """A body between two nodes; ``behind_m`` is what it has covered before ``since_s``."""

    edge: Edge
    onward: bool
    start: Point
    end: Point
    length_m: float
    behind_m: float = 0.0
    since_s: float = 0.0
    profile: Profile | None = None
    """None while it stands on the lane."""
    person: Halt | None = None
    """Where somebody will step in its way."""


class GroundBody:
    """One wheeled vehicle as it really is, whatever its software believes.

    Its pose follows from the leg it drives, so it costs nothing until someone asks. It leaves on
    the call of `drive` and arrives on whole milliseconds.
    """

    def __init__(
        self, world: "World", spec: VehicleSpec, node: NodeId, *, charge_ratio: float = 1.0
    ) -> None:
        self.spec = spec
        self.node = node
        """Where it stands, or the node it left last."""
        self.next_node: NodeId | None = None
        """Where its orders want it next, though it has not been let go there; its software says
        so, and the deadlock monitor alone reads it."""
        self.halted_before: Edge | None = None
        """The edge at whose start a closed door, or a lift that isn't there, holds it up."""
        self.halted_for: Halt | None = None
        """What it stands in front of on its lane: an obstacle, or a person."""
        self.riding = False
        """Whether a lift is on its way with it."""
        self.charging = False
        self.loads: list[str] = []
        self.failure: str | None = None
        self.working: Action | None = None
        self._now_s = asyncio.get_running_loop().time
        self.moved_at_s = self._now_s()
        """When it last left or reached a node."""
        self.decontaminated = False
        """Whether it has been decontaminated where it stands."""
        self._beside: Point | None = None
        """Where it stands, if that is beside its node."""
        self.changed = Signal()
        self._world = world
        self._slow = 1.0
        self._energy_wh = charge_ratio * spec.energy.capacity_wh
        self._settled_s = self.moved_at_s
        self._leg: _Leg | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._arrival: asyncio.Future[None] | None = None
        self._exit_m_s = 0.0
        self._distance_m = 0.0
        self._heading_rad = 0.0

    @property
    def id(self) -> VehicleId:
        """The vehicle's id."""
        return self.spec.id

    @property
    def driving(self) -> bool:
        """Whether its wheels turn."""
        return self._leg is not None and self._leg.profile is not None

    @property
    def edge(self) -> Edge | None:
        """The edge it is on; None on a node."""
        return self._leg.edge if self._leg else None

    @property
    def exposure(self) -> Zone:
        """The hygiene zone it carries."""
        return Zone.CLEAN if self.decontaminated else self._world.site.nodes[self.node].zone

    @property
    def energy_wh(self) -> float:
        """What is left in its battery."""
        self._settle()
        return self._energy_wh

    @property
    def distance_m(self) -> float:
        """How far it has driven so far."""
        return self._distance_m + (self._covered()[0] if self._leg else 0.0)

    @property
    def slow(self) -> float:
        """Share of its speed that it can still reach; 1 = all of it."""
        return self._slow

    @slow.setter
    def slow(self, share: float) -> None:
        if not 0 < share <= 1:
            raise ValueError(f"slow must be above 0 and at most 1, not {share}")
        speed_m_s = self._freeze()
        self._slow = share
        self._roll(speed_m_s)

    def charge_ratio(self) -> float:
        """What is left in its battery, as a share of its capacity."""
        return self.energy_wh / self.spec.energy.capacity_wh

    def set_charge(self, ratio: float) -> None:
        """Have its battery hold just this much, as a fault or a changed battery would."""
        speed_m_s = self._freeze()
        self._energy_wh = ratio * self.spec.energy.capacity_wh
        self._roll(speed_m_s)
        self.changed.fire()

    def look_again(self) -> None:
        """Something has come onto its lane, or has gone from there."""
        self._roll(self._freeze())
        self.changed.fire()

    def position(self) -> Position:
        """Where it is at this moment."""
        here = self._world.site.nodes[self.node]
        if self._leg is None:
            point = self._beside or here.point
            return Position(level=here.level, point=point, yaw_rad=self._heading_rad)
        start, end = self._leg.start, self._leg.end
        share = min(1.0, self._covered()[0] / max(self._leg.length_m, 1e-9))
        point = Point(
            start.x_m + (end.x_m - start.x_m) * share, start.y_m + (end.y_m - start.y_m) * share
        )
        return Position(level=here.level, point=point, yaw_rad=self._heading_rad)

    @property
    def heads_for(self) -> Point | None:
        """Where the leg ends that it is on; None = it stands on a node, or beside it."""
        return self._leg.end if self._leg else None

    def on_change(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called when it departs, arrives, acts, charges, fails, is repaired."""
        self.changed.listen(listener)

    async def drive(self, edge: Edge, *, onward: bool, beside: Point | None = None) -> None:
        """Drive one edge; return on arrival at its end.

        It waits for a closed door, a lift that isn't there, a repair. Cancelled, it stands where
        it is; the next call for the same edge goes on from there.

        Args:
            onward: it will go on at once, so it need not stop at the end.
            beside: where it is to stand then, if not on the node itself; who goes on with an edge
                keeps to what it was told first.

        Raises:
            ValueError: it isn't at the start of ``edge``, or already drives.
        """
        if self._leg is not None and (self._leg.profile is not None or self._leg.edge != edge):
            raise ValueError(f"{self.id} is on its way along {self._leg.edge.lane.id}")
        if edge.lane.lift is not None and edge.lane.lift in self._world.lifts:
            await self._ride(edge)
            return
        if self.node != edge.start:
            raise ValueError(f"{self.id} stands on {self.node}, not on {edge.start}")
        await self._pass_gate(edge)
        self._arrival = asyncio.get_running_loop().create_future()
        if self._leg is None:
            self._set_out(edge, onward, beside)
        else:
            self._leg.onward = onward
            self._roll(0.0)
        self.changed.fire()
        try:
            await self._arrival
        finally:
            self._arrival = None
            if self._leg is not None:
                self._freeze()
                self.changed.fire()

    async def act(self, action: Action) -> None:
        """Do one action where it stands; return when it is done."""
        if self._leg is not None or self.working is not None:
            raise ValueError(f"{self.id} can't {action.kind}: it is busy")
        self._settle()
        self.working = action
        self.changed.fire()
        try:
            await self._spend(action.duration_s)
            self._settle()
        finally:
            self._settle()
            self.working = None
        self._finish(action)
        self._world.acted(self, action)
        self.changed.fire()

    def connect_charger(self) -> bool:
        """Begin to charge; False where there is no charger, or while it can't."""
        chargers = (p for p in self._world.site.places_at.get(self.node, ()))
        if self.driving or not any(Role.CHARGER in place.roles for place in chargers):
            return False
        self._set_charging(True)
        return True

    def disconnect_charger(self) -> None:
        """Stop charging."""
        self._set_charging(False)

    def fail(self, code: str) -> None:
        """Stop where it is, until `repair`."""
        if self.failure is None:
            self._freeze()
            self.failure = code
            self.changed.fire()

    def repair(self) -> None:
        """Go on with what it was doing."""
        if self.failure is not None:
            self.failure = None
            self._roll(0.0)
            self.changed.fire()

    def board(self, edge: Edge) -> None:
        """Its lift leaves with it."""
        self.riding = True
        self._world.departed(self, edge)
        self._moved()

    def carry(self, edge: Edge) -> None:
        """Its lift has arrived at another level and stands open."""
        nodes, beside = self._world.site.nodes, self._beside
        if beside is not None:
            below, above = nodes[edge.start].point, nodes[edge.end].point
            beside = Point(beside.x_m + above.x_m - below.x_m, beside.y_m + above.y_m - below.y_m)
        self.node, self._beside = edge.end, beside
        self.riding = self.decontaminated = False
        self._exit_m_s = 0.0
        self._moved()
        self._world.arrived(self, edge)
        self.changed.fire()

    async def _ride(self, edge: Edge) -> None:
        lift = self._world.site.lift_at.get(self.node)
        if lift is None or lift.id != edge.lane.lift:
            raise ValueError(f"{self.id} stands on {self.node}, not on {edge.start}")
        self.halted_before = edge
        try:
            while self.node != edge.end:
                await self.changed.wait()
        finally:
            self.halted_before = None

    async def _pass_gate(self, edge: Edge) -> None:
        gate = self._world.gate(edge) if self._leg is None else None
        try:
            while True:
                if self.failure is not None or self.energy_wh <= 0:
                    await self.changed.wait()
                elif gate is not None and not gate.lets_in(edge):
                    self.halted_before = edge
                    await gate.changed.wait()
                else:
                    return
        finally:
            self.halted_before = None

    def _set_out(self, edge: Edge, onward: bool, beside: Point | None) -> None:
        together = self._now_s() - self.moved_at_s <= MOMENT_S
        self._set_charging(False)
        nodes = self._world.site.nodes
        start = self._beside or nodes[edge.start].point
        end = beside or nodes[edge.end].point
        straight = self._beside is None and beside is None
        length_m = edge.lane.length_m if straight else start.distance_m(end)
        person = self._world.hindrances.people(self.id, edge)
        self._leg = _Leg(edge, onward, start, end, length_m, person=person)
        if start != end:
            self._heading_rad = math.atan2(end.y_m - start.y_m, end.x_m - start.x_m)
        self._world.departed(self, edge)
        self._moved()
        self._roll(self._exit_m_s if together else 0.0)

    def _roll(self, speed_m_s: float) -> None:
        """(Re)start the leg in hand at ``speed_m_s``, if nothing holds the body."""
        leg = self._leg
        if leg is None or self._arrival is None:
            return
        self._settle()
        if self.failure is not None or self._energy_wh <= 0:
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
            cruise_m_s=min(self.spec.speed_m_s * self._slow, limit),
            acceleration_m_s2=self.spec.acceleration_m_s2,
            stop=halt is not None or not leg.onward,
        )
        leg.since_s = self._now_s()
        loop, lasts_s = asyncio.get_running_loop(), leg.profile.duration_s
        move_w = self.spec.energy.move_w
        if self._energy_wh * 3600 < move_w * lasts_s:
            self._timer = loop.call_later(self._energy_wh * 3600 / move_w, self._run_dry)
        else:
            then = self._arrive if halt is None else partial(self._halt, halt)
            self._timer = loop.call_at(_whole_ms(leg.since_s + lasts_s), then)

    def _next_halt(self, leg: _Leg) -> Halt | None:
        """The next thing that stands in its way on its lane."""
        obstacle = self._world.hindrances.obstacle(leg.edge, self.spec.length_m)
        halts = [halt for halt in (leg.person, obstacle) if halt is not None]
        ahead = [halt for halt in halts if halt.at_m >= leg.behind_m - _THERE_M]
        return min(ahead, key=lambda halt: halt.at_m, default=None)

    def _halt(self, halt: Halt) -> None:
        self._freeze()
        if self._leg is not None:
            self._leg.behind_m = min(halt.at_m, self._leg.length_m)
        self._wait_before(halt)

    def _wait_before(self, halt: Halt) -> None:
        self.halted_for = halt
        if halt.lasts_s is not None:
            self._timer = asyncio.get_running_loop().call_later(halt.lasts_s, self._go_on)
        self.changed.fire()

    def _go_on(self) -> None:
        """The person has left."""
        self._freeze()
        if self._leg is not None:
            self._leg.person = None
        self._roll(0.0)
        self.changed.fire()

    def _arrive(self) -> None:
        leg, self._timer = self._leg, None
        if leg is None or leg.profile is None:
            return
        try:
            self._end_leg(leg, leg.profile.end_m_s)
        except Exception as fault:  # noqa: BLE001 - it belongs to whoever drives this body
            if self._arrival is not None and not self._arrival.done():
                self._arrival.set_exception(fault)

    def _end_leg(self, leg: _Leg, exit_m_s: float) -> None:
        self._settle()
        self._leg = None
        nodes, self.node = self._world.site.nodes, leg.edge.end
        self._beside = leg.end if leg.end != nodes[self.node].point else None
        self.decontaminated = False
        self._exit_m_s = exit_m_s
        self._distance_m += leg.length_m
        self._moved()
        self._world.arrived(self, leg.edge)
        if self._arrival is not None:
            _settle_future(self._arrival)
        self.changed.fire()

    def _freeze(self) -> float:
        """Stand still on the lane, if on one; returns the speed it had."""
        self._settle()
        self.halted_for = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._leg is None:
            return 0.0
        self._leg.behind_m, speed_m_s = self._covered()
        self._leg.profile = None
        return speed_m_s

    def _run_dry(self) -> None:
        self._freeze()
        self._spend_energy(self._energy_wh)
        self.changed.fire()

    def _covered(self) -> tuple[float, float]:
        leg = self._leg
        if leg is None:
            return 0.0, 0.0
        if leg.profile is None:
            return leg.behind_m, 0.0
        covered_m, speed_m_s = leg.profile.at(self._now_s() - leg.since_s)
        return min(leg.behind_m + covered_m, leg.length_m), speed_m_s

    async def _spend(self, lasts_s: float) -> None:
        """Let ``lasts_s`` of work go by; the time of a failure does not count."""
        left_s, loop = lasts_s, asyncio.get_running_loop()
        while left_s > 1e-9:
            if self.failure is not None or self.energy_wh <= 0:
                await self.changed.wait()
                continue
            since_s = loop.time()
            await self.changed.wait(at_most_s=left_s)
            left_s -= loop.time() - since_s

    def _finish(self, action: Action) -> None:
        match action.kind:
            case ActionKind.LOAD:
                self.loads.append(load_id(action))
            case ActionKind.UNLOAD if load_id(action) in self.loads:
                self.loads.remove(load_id(action))
            case ActionKind.DECONTAMINATE:
                places = self._world.site.places_at.get(self.node, ())
                needed = [p.service_s for p in places if Role.DECONTAMINATION in p.roles]
                if needed and action.duration_s >= min(needed) - 1e-6:
                    self.decontaminated = True
            case ActionKind.CHARGE:
                self.connect_charger()
            case ActionKind.STOP_CHARGING:
                self.disconnect_charger()
            case _:
                pass

    def _set_charging(self, on: bool) -> None:
        if self.charging != on:
            self._settle()
            self.charging = on
            self.changed.fire()

    def _settle(self) -> None:
        """Bring the battery up to this moment; call before what it draws changes."""
        now_s = self._now_s()
        lasted_s = now_s - self._settled_s
        if lasted_s > 0:
            self._settled_s = now_s
            self._spend_energy(self._draw_w() * lasted_s / 3600)

    def _draw_w(self) -> float:
        energy = self.spec.energy
        if self.charging:
            return -energy.charge_w
        if self.driving:
            return energy.move_w
        works = self.working is not None and self.working.kind is ActionKind.DISINFECT
        return energy.idle_w + (energy.work_w if works else 0.0)

    def _spend_energy(self, spent_wh: float) -> None:
        had_wh = self._energy_wh
        self._energy_wh = min(self.spec.energy.capacity_wh, had_wh - spent_wh)
        if self._energy_wh <= 1e-9:
            self._energy_wh = 0.0
            if had_wh > 0:
                self._world.violate("energy", f"{self.id} has run its battery flat at {self.node}")

    def _moved(self) -> None:
        self.moved_at_s = self._now_s()


def load_id(action: Action) -> str:
    """What a load or unload action carries: its fact ``load_id``, else its own id."""
    return str(action.facts.get("load_id", action.id))


def _settle_future(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _whole_ms(at_s: float) -> float:
    return math.ceil(at_s * 1000 - 1e-6) / 1000
