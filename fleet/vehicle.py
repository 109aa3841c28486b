"""What every vehicle is to the rest of the program, on wheels or in the air, real or simulated."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType, Protocol, runtime_checkable

from fleet.energy import EnergySpec
from fleet.mission import Clearance, Mission, MissionId, Outcome, Waypoint
from routing.air.wind import Wind
from routing.geometry import Point
from routing.refusal import Refusal
from routing.roads.road_rules import RoadRules
from routing.site import LevelId, NodeId, PlaceId

VehicleId = NewType("VehicleId", str)


class Medium(StrEnum):
    """Where a vehicle moves."""

    GROUND = "ground"
    AIR = "air"


class Integration(StrEnum):
    """How far a vehicle is ours."""

    IGNORED = "ignored"
    """It is not listened to."""
    NOTICED = "noticed"
    """It is shown."""
    RESPECTED = "respected"
    """It is shown, and where it stands is its own: others are led around it."""
    USED = "used"
    """It gets tasks."""


class Mode(StrEnum):
    """Who is in control of the vehicle."""

    AUTOMATIC = "automatic"
    """We are: it takes missions."""
    MANUAL = "manual"
    """A person is, or it is being serviced: it gets no missions."""
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """How bad an error that a vehicle reports is."""

    WARNING = "warning"
    FATAL = "fatal"


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleSpec:
    """What a vehicle is and can do; it does not change while the program runs."""

    id: VehicleId
    name: str
    medium: Medium
    kind: str
    """Word of the lanes for who may drive there: ``cart``, ``cabinet``, ``multirotor`` ..."""
    make: str
    home: PlaceId
    """Its own parking place, dock or charger; no other vehicle stands there."""
    speed_m_s: float
    acceleration_m_s2: float
    width_m: float
    length_m: float
    payload_g: int
    payload_ml: int
    load_types: frozenset[str]
    """Kinds of load it may carry (words of the site's goods table); empty = carries nothing."""
    skills: frozenset[str]
    """What it can do: ``carry``, ``lock``, ``uv_c``, ``spray``, ``camera`` ..."""
    energy: EnergySpec
    climb_m_s: float = 3.0
    """Vertical speed; aircraft only."""
    cruise_agl_m: float = 60.0
    """Height of its own layer of air; aircraft only."""
    wind_limit_m_s: float | None = None
    """The strongest wind that it may fly in; aircraft only, None = not told."""
    integration: Integration = Integration.USED
    keeps_right: bool = True
    """Whether it drives along just the points that it is told; on wheels only. One that finds its
    own way among people never passes another in one lane."""

    @property
    def watched(self) -> bool:
        """Whether it is only looked at, and never told anything to do."""
        return self.integration is not Integration.USED


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a vehicle is: a level and a spot on it, or outdoors a height above ground."""

    level: LevelId
    point: Point
    yaw_rad: float = 0.0
    height_agl_m: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WindWord:
    """What a vehicle in flight has said of the wind around it."""

    wind: Wind
    heard_at_s: float
    """Loop second."""
    height_agl_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleError:
    """One thing that a vehicle complains of."""

    code: str
    severity: Severity
    text: str = ""


class Weight(StrEnum):
    """What follows when a vehicle breaks a rule of its protocol."""

    BORNE = "borne"
    """We work around it."""
    REFUSED = "refused"
    """What it says then is not taken in; a person should set it right."""
    GRAVE = "grave"
    """It can't be led: it gets no more work before a person lets it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One rule of its protocol that a vehicle has broken since we started."""

    rule: str
    words: str
    """What it does, as an English sentence without its subject."""
    weight: Weight
    count: int
    first_s: float
    last_s: float
    detail: str = ""
    """What it did the last time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleState:
    """A vehicle's last word, as one consistent snapshot."""

    heard_at_s: float | None
    """Loop second of its last word; None = never heard."""
    online: bool = False
    """Connected, and its last word is fresh."""
    asleep: bool = False
    """Well, but silent until it wakes: not online, and nobody need look."""
    position: Position | None = None
    last_node: NodeId | None = None
    mission: MissionId | None = None
    """What it holds now, also right after a restart of ours."""
    base: tuple[NodeId, ...] = ()
    """Nodes ahead that it has been told it may drive to; it may, whatever becomes of us."""
    driving: bool = False
    arrives_s: float | None = None
    """Loop second at which it says that it will be at its mission's end; None = it doesn't say."""
    paused: bool = False
    """It stands still in the middle of its work until it is told to go on."""
    airborne: bool = False
    returning: bool = False
    """In the air, and on its way down off its mission: by itself, or called back."""
    charge_ratio: float | None = None
    charging: bool = False
    mode: Mode = Mode.UNKNOWN
    safety_stop: bool = False
    errors: tuple[VehicleError, ...] = ()
    loads: tuple[str, ...] = ()
    breaches: tuple[Breach, ...] = ()
    """Where it departs from its protocol."""
    powered_down: bool = False
    """Without power in its dock; it must be woken before it can do anything."""
    wind: WindWord | None = None
    """Its last word about the wind, also after the flight; None = it has never known it."""

    @property
    def fit(self) -> bool:
        """Whether it can be given a mission."""
        able = self.online and self.mode is Mode.AUTOMATIC and not self.safety_stop
        if not able or not self.errors:
            return able
        return not any(error.severity is Severity.FATAL for error in self.errors)


class Vehicle(Protocol):
    """One vehicle behind its wire. All adapters pass the same contract tests."""

    @property
    def spec(self) -> VehicleSpec:
        """What it is."""
        ...

    def state(self) -> VehicleState:
        """Its latest snapshot; freshness is judged at the moment of the call."""
        ...

    def watch(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called, without delay and without arguments, after each new word."""
        ...

    def why_not(self, mission: Mission) -> Refusal | None:
        """Why this vehicle could not carry out ``mission``; None = it could."""
        ...

    async def execute(self, mission: Mission, clearance: Clearance) -> Outcome:
        """Carry out one mission, as far and as fast as ``clearance`` lets it; return when done.

        Safe to repeat: a vehicle that already holds this very mission (same id) goes on with it,
        and one that has finished it says so.

        Raises:
            MissionFailed: it won't be finished; MissionCancelled if `cancel` ended it.
            LinkError: the wire failed and did not come back within its own patience.
            SafetyStop: a person must look.
        """
        ...

    async def cancel(self) -> None:
        """Give up the mission in hand; return when the vehicle stands still (or hovers, landed)."""
        ...

    async def run(self) -> None:
        """Keep the link; runs until cancelled. Started and owned by the roster."""
        ...


@runtime_checkable
class PausableVehicle(Protocol):
    """A vehicle that can stand still in the middle of a mission, and go on with it."""

    def set_paused(self, paused: bool) -> None:
        """Have it do so; what it comes to is seen in its state."""


@runtime_checkable
class Commanded(Protocol):
    """A vehicle that a person can command directly, past its mission.

    Each door returns as soon as the vehicle has said that it does it, not when it has done it.

    Raises:
        LinkError: it does not answer.
        FleetError: it says no; NotSupported where it never can.
    """

    async def hold(self) -> None:
        """Stop where it is, or stay there if it has not set out; the mission stays in hand."""
        ...

    async def go_on(self) -> None:
        """Go on with the mission after `hold`, or after being called down before it took off."""
        ...

    async def recall(self) -> None:
        """Come home by itself, by its own way; NotSupported on the ground."""
        ...

    async def land(self) -> None:
        """Come down where it is; NotSupported on the ground."""
        ...


@runtime_checkable
class RuledVehicle(Protocol):
    """A vehicle that knows of the roads' rules by itself, beside what its route says of them."""

    def set_rules(self, rules: RoadRules) -> None:
        """Other rules of the road hold from now on."""


@runtime_checkable
class Diverted(Protocol):
    """An aircraft that can be given another mission in flight."""

    async def turn_away(self, to: Waypoint | None = None) -> None:
        """Give up the mission in hand and stay in the air, for the next one.

        That mission's first waypoint is in the air.

        Args:
            to: where to fly meanwhile, at once; None = stay where it is.

        Raises:
            LinkError: it does not answer.
            CommandFailed: it comes home by itself, and goes on with that.
        """
        ...


@runtime_checkable
class GivesWay(Protocol):
    """An aircraft that can wait in the air on the way of its mission."""

    async def wait_on_way(self) -> None:
        """Stop where it is; the mission stays in hand.

        Raises:
            LinkError: it does not answer.
            FleetError: it does not fly a mission now, such as one that comes home by itself.
        """
        ...

    async def end_wait(self) -> None:
        """Fly on after `wait_on_way`, unless it does something else by itself meanwhile."""
        ...
