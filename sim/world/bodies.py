"""A wheeled body: what it physically does on the site's roads, from event to event."""

import asyncio
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from fleet.mission import Action, ActionKind
from fleet.vehicle import Position, VehicleId, VehicleSpec
from routing.geometry import Point
from routing.site import Edge, NodeId, Role, Zone
from sim.world.battery import Battery
from sim.world.drive import Drive, Leg
from sim.world.hindrances import Halt
from sim.world.signal import Signal

if TYPE_CHECKING:
    from sim.world.world import World

MOMENT_S = 0.05
"""Two drives that follow each other within this time are one movement."""


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
        self._heading_rad = 0.0
        self._battery = Battery(
            spec.energy.capacity_wh, charge_ratio, draws_w=self._draws_w, emptied=self._run_flat
        )
        self._drive = Drive(
            spec,
            world.hindrances,
            self._battery,
            able=lambda: self.failure is None,
            arrived=self._end_leg,
            changed=self.changed,
        )

    @property
    def id(self) -> VehicleId:
        """The vehicle's id."""
        return self.spec.id

    @property
    def driving(self) -> bool:
        """Whether its wheels turn."""
        return self._drive.rolling

    @property
    def edge(self) -> Edge | None:
        """The edge it is on; None on a node."""
        return self._drive.leg.edge if self._drive.leg else None

    @property
    def halted_for(self) -> Halt | None:
        """What it stands in front of on its lane: an obstacle, or a person."""
        return self._drive.halted_for

    @property
    def exposure(self) -> Zone:
        """The hygiene zone it carries."""
        return Zone.CLEAN if self.decontaminated else self._world.site.nodes[self.node].zone

    @property
    def energy_wh(self) -> float:
        """What is left in its battery."""
        return self._battery.left_wh

    @property
    def distance_m(self) -> float:
        """How far it has driven so far."""
        return self._drive.distance_m

    @property
    def slow(self) -> float:
        """Share of its speed that it can still reach; 1 = all of it."""
        return self._drive.slow

    @slow.setter
    def slow(self, share: float) -> None:
        if not 0 < share <= 1:
            raise ValueError(f"slow must be above 0 and at most 1, not {share}")
        speed_m_s = self._drive.freeze()
        self._drive.slow = share
        self._drive.roll(speed_m_s)

    def charge_ratio(self) -> float:
        """What is left in its battery, as a share of its capacity."""
        return self.energy_wh / self.spec.energy.capacity_wh

    def set_charge(self, ratio: float) -> None:
        """Have its battery hold just this much, as a fault or a changed battery would."""
        speed_m_s = self._drive.freeze()
        self._battery.set_ratio(ratio)
        self._drive.roll(speed_m_s)
        self.changed.fire()

    def look_again(self) -> None:
        """Something has come onto its lane, or has gone from there."""
        self._drive.roll(self._drive.freeze())
        self.changed.fire()

    def position(self) -> Position:
        """Where it is at this moment."""
        here = self._world.site.nodes[self.node]
        point = self._drive.point() or self._beside or here.point
        return Position(level=here.level, point=point, yaw_rad=self._heading_rad)

    @property
    def heads_for(self) -> Point | None:
        """Where the leg ends that it is on; None = it stands on a node, or beside it."""
        return self._drive.leg.end if self._drive.leg else None

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
        leg = self._drive.leg
        if leg is not None and (leg.profile is not None or leg.edge != edge):
            raise ValueError(f"{self.id} is on its way along {leg.edge.lane.id}")
        if edge.lane.lift is not None and edge.lane.lift in self._world.lifts:
            await self._ride(edge)
            return
        if self.node != edge.start:
            raise ValueError(f"{self.id} stands on {self.node}, not on {edge.start}")
        await self._pass_gate(edge)
        self._drive.expect()
        if self._drive.leg is None:
            self._set_out(edge, onward, beside)
        else:
            self._drive.leg.onward = onward
            self._drive.roll(0.0)
        self.changed.fire()
        await self._drive.end()

    async def act(self, action: Action) -> None:
        """Do one action where it stands; return when it is done."""
        if self.edge is not None or self.working is not None:
            raise ValueError(f"{self.id} can't {action.kind}: it is busy")
        self._battery.settle()
        self.working = action
        self.changed.fire()
        try:
            await self._spend(action.duration_s)
            self._battery.settle()
        finally:
            self._battery.settle()
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
            self._drive.freeze()
            self.failure = code
            self.changed.fire()

    def repair(self) -> None:
        """Go on with what it was doing."""
        if self.failure is not None:
            self.failure = None
            self._drive.roll(0.0)
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
        self._drive.come_to_rest()
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
        gate = self._world.gate(edge) if self.edge is None else None
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
        leg = Leg(edge, onward, start, end, length_m, person)
        if start != end:
            self._heading_rad = math.atan2(end.y_m - start.y_m, end.x_m - start.x_m)
        self._drive.leg = leg
        self._world.departed(self, edge)
        self._moved()
        self._drive.set_off(at_speed=together)

    def _end_leg(self, leg: Leg) -> None:
        nodes, self.node = self._world.site.nodes, leg.edge.end
        self._beside = leg.end if leg.end != nodes[self.node].point else None
        self.decontaminated = False
        self._moved()
        self._world.arrived(self, leg.edge)

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
            self._battery.settle()
            self.charging = on
            self.changed.fire()

    def _draws_w(self) -> float:
        energy = self.spec.energy
        if self.charging:
            return -energy.charge_w
        if self._drive.rolling:
            return energy.move_w
        works = self.working is not None and self.working.kind is ActionKind.DISINFECT
        return energy.idle_w + (energy.work_w if works else 0.0)

    def _run_flat(self) -> None:
        self._world.violate("energy", f"{self.id} has run its battery flat at {self.node}")

    def _moved(self) -> None:
        self.moved_at_s = self._now_s()


def load_id(action: Action) -> str:
    """What a load or unload action carries: its fact ``load_id``, else its own id."""
    return str(action.facts.get("load_id", action.id))
