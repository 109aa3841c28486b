"""The truth of a simulation: every body, door and lift, and what went wrong among them."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Protocol

from fleet.mission import Action
from fleet.vehicle import Position, VehicleId, VehicleSpec
from routing.site import DoorId, Edge, LaneId, LiftId, NodeId, Site, WorkcellId
from sim.world.bodies import GroundBody
from sim.world.hindrances import Hindrances
from sim.world.signal import Signal

log = logging.getLogger(__name__)

KINDS = (
    "collision",
    "energy",
    "zone",
    "geofence",
    "airspace",
    "deadlock",
    "cargo",
    "air_lock",
    "window",
    "reserve",
)
"""What can be violated."""

INCIDENTS_KEPT = 1000


class Gate(Protocol):
    """A door, or a lift's door, as a body at it sees it."""

    @property
    def changed(self) -> Signal:
        """Fires when it opens or closes."""
        ...

    @property
    def in_service(self) -> bool:
        """Whether it works."""
        ...

    def lets_in(self, edge: Edge) -> bool:
        """Whether a body may pass it along ``edge`` now."""
        ...


class Station(Protocol):
    """A workcell, as the monitors see it."""

    @property
    def in_service(self) -> bool:
        """Whether it works."""
        ...

    def serves(self, vehicle: str) -> bool:
        """Whether it is at work on a vehicle."""
        ...


class Aircraft(Protocol):
    """Something that flies, as the monitors see it."""

    @property
    def id(self) -> VehicleId:
        """Its name."""
        ...

    @property
    def spec(self) -> VehicleSpec:
        """What it is."""
        ...

    @property
    def airborne(self) -> bool:
        """Whether it is off the ground."""
        ...

    @property
    def changed(self) -> Signal:
        """Fires when it leaves the ground or lands."""
        ...

    def position(self) -> Position:
        """Where it is now."""
        ...

    def charge_ratio(self) -> float:
        """What is left in its battery, as a share of its capacity."""
        ...


class Observer:
    """Something that is told of every move and deed; override what you need."""

    def departed(self, body: GroundBody, edge: Edge) -> None:
        """``body`` has left ``edge.start`` (or its lift has left with it)."""

    def arrived(self, body: GroundBody, edge: Edge) -> None:
        """``body`` stands at ``edge.end``, or rolls on over it."""

    def acted(self, body: GroundBody, action: Action) -> None:
        """``body`` has ended an action where it stands."""

    def door_moved(self, door: DoorId, *, shut: bool) -> None:
        """A door begins to move, stands open, or is shut again."""


class World:
    """Bodies on a site; one per simulation.

    Nobody but bodies, machines and monitors may look in here: the dispatcher learns what the
    wires say. Doors and lifts without a machine stand open, and a lift without one is a road.
    """

    def __init__(self, site: Site, *, seed: int) -> None:
        self.site = site
        self.seed = seed
        self.ground: dict[VehicleId, GroundBody] = {}
        self.aircraft: dict[VehicleId, Aircraft] = {}
        self.doors: dict[DoorId, Gate] = {}
        self.lifts: dict[LiftId, Gate] = {}
        self.workcells: dict[WorkcellId, Station] = {}
        self.hindrances = Hindrances(seed)
        self.troubles: dict[str, None] = {}
        """What is broken that bodies and machines don't show: blocked lanes, dead links."""
        self.violations: dict[str, int] = dict.fromkeys(KINDS, 0)
        self.incidents: deque[tuple[float, str, str]] = deque(maxlen=INCIDENTS_KEPT)
        """The latest violations: loop second, kind, what happened."""
        self._observers: list[Observer] = []
        self._violation_listeners: list[Callable[[str, str], None]] = []

    def amsl_m(self, aircraft: Aircraft, at: Position) -> float:
        """How high an aircraft really is, ``at`` its position, on the scale of the ground's."""
        if self.site.terrain is None:
            return at.height_agl_m
        home = self.site.nodes[self.site.places[aircraft.spec.home].node].point
        return at.height_agl_m + self.site.ground_m(home)

    def agl_m(self, aircraft: Aircraft, at: Position) -> float:
        """How high an aircraft is above the ground below it, ``at`` its position."""
        return self.amsl_m(aircraft, at) - self.site.ground_m(at.point)

    def add_ground(
        self, spec: VehicleSpec, node: NodeId, *, charge_ratio: float = 1.0
    ) -> GroundBody:
        """Put a wheeled vehicle on a node; two on one node are a collision from the start."""
        if spec.id in self.ground or spec.id in self.aircraft:
            raise ValueError(f"there is already a vehicle {spec.id}")
        if node not in self.site.nodes:
            raise ValueError(f"{spec.id} can't stand on {node}: no such node")
        other = next((body for body in self.ground.values() if body.node == node), None)
        if other is not None:
            self.violate("collision", f"{spec.id} is put on {node}, where {other.id} stands")
        body = GroundBody(self, spec, node, charge_ratio=charge_ratio)
        self.ground[spec.id] = body
        return body

    def add_aircraft(self, aircraft: Aircraft) -> None:
        """Let the monitors see an aircraft."""
        if aircraft.id in self.ground or aircraft.id in self.aircraft:
            raise ValueError(f"there is already a vehicle {aircraft.id}")
        self.aircraft[aircraft.id] = aircraft

    def gate(self, edge: Edge) -> Gate | None:
        """The door, or the lift's door, that a body meets on its way along ``edge``."""
        lift = self.site.lift_at.get(edge.end) or self.site.lift_at.get(edge.start)
        if lift is not None:
            return self.lifts.get(lift.id)
        return self.doors.get(edge.lane.door) if edge.lane.door is not None else None

    def block(self, lane: LaneId) -> None:
        """Put an obstacle in the middle of a lane; nobody is told."""
        self.hindrances.obstacles[lane] = None
        self._look_again(lane)

    def unblock(self, lane: LaneId) -> None:
        """Take the obstacle away."""
        self.hindrances.obstacles.pop(lane, None)
        self._look_again(lane)

    def _look_again(self, lane: LaneId) -> None:
        for body in self.ground.values():
            if body.edge is not None and body.edge.lane.id == lane:
                body.look_again()

    def observe(self, observer: Observer) -> None:
        """Tell ``observer`` of every move from now on."""
        self._observers.append(observer)

    def on_violation(self, listener: Callable[[str, str], None]) -> None:
        """Have ``listener`` called with kind and text of each violation."""
        self._violation_listeners.append(listener)

    def violate(self, kind: str, what: str) -> None:
        """Count something that must never happen; the simulation goes on.

        Args:
            kind: one of `KINDS`.
            what: one sentence that names who and where.
        """
        self.violations[kind] += 1
        self.incidents.append((asyncio.get_running_loop().time(), kind, what))
        log.warning("%s: %s", kind, what)
        for listener in self._violation_listeners:
            listener(kind, what)

    def departed(self, body: GroundBody, edge: Edge) -> None:
        """Bodies say so when they set out."""
        for observer in self._observers:
            observer.departed(body, edge)

    def arrived(self, body: GroundBody, edge: Edge) -> None:
        """Bodies say so when they arrive."""
        for observer in self._observers:
            observer.arrived(body, edge)

    def door_moved(self, door: DoorId, *, shut: bool) -> None:
        """Doors say so when they begin to move, and when they end."""
        for observer in self._observers:
            observer.door_moved(door, shut=shut)

    def acted(self, body: GroundBody, action: Action) -> None:
        """Bodies say so when an action has ended."""
        for observer in self._observers:
            observer.acted(body, action)
