"""What screens are shown of a vehicle, and of a run that is played back."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dispatcher.domain.task import TaskId
from fleet.mission import Waypoint
from fleet.vehicle import VehicleSpec, VehicleState
from routing.refusal import Refusal
from routing.site import PlaceId, Zone


class Activity(StrEnum):
    """What a vehicle is at, in one word."""

    IDLE = "idle"
    WORKING = "working"
    CHARGING = "charging"
    DECONTAMINATING = "decontaminating"
    RETURNING = "returning"
    WAITING = "waiting"
    OFFLINE = "offline"
    FAULT = "fault"
    MANUAL = "manual"
    OUT_OF_SERVICE = "out_of_service"
    WATCHED = "watched"


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleView:
    """One vehicle as people see it."""

    spec: VehicleSpec
    state: VehicleState
    activity: Activity
    waiting_for: Refusal | None
    tasks: tuple[TaskId, ...]
    goal: PlaceId | None
    route: tuple[Waypoint, ...]
    """What lies ahead of it."""
    zone: Zone
    in_service: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """How a run that is over is played back.

    Args:
        name: which run, such as its scenario and seed.
        begin, end: its first and last moment.
        cut: whether it was broken off, so that its last moments are missing.
        speed: how many times as fast as the wall's clock it goes while it plays.
        jumps: how often it has been moved to another moment; what lies between was not shown.
    """

    name: str
    begin: datetime
    end: datetime
    cut: bool
    playing: bool
    speed: float
    jumps: int
