"""The shape of allocation instances and of the matrices beside them, and complaints about it."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from routing.errors import Fault
from routing.instances.lines import FETCH
from routing.instances.whole import LARGEST_COORDINATE, LARGEST_TIME

MOST_FAULTS = 5
Time = Annotated[float, Field(ge=0, le=LARGEST_TIME)]
Coordinate = Annotated[float, Field(ge=-LARGEST_COORDINATE, le=LARGEST_COORDINATE)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, allow_inf_nan=False)


class WaypointFile(_Model):
    """A point of the graph; on another level it has the same kind of x and y."""

    x: Coordinate
    y: Coordinate


def _lane(value: object) -> object:
    """``[from, to]`` or ``[from, to, {"lift_s": seconds}]`` by names."""
    match value:
        case [start, goal]:
            return {"start": start, "goal": goal}
        case [start, goal, {"lift_s": lift_s}]:
            return {"start": start, "goal": goal, "lift_s": lift_s}
        case _:
            raise ValueError("it is none of [from, to] and [from, to, {lift_s: seconds}]")


class _LaneFile(_Model):
    start: int
    goal: int
    lift_s: Time = 0.0


LaneFile = Annotated[_LaneFile, BeforeValidator(_lane)]


class GraphFile(_Model):
    """Waypoints, and directed lanes between them."""

    waypoints: Annotated[list[WaypointFile], Field(min_length=1)]
    lanes: list[LaneFile]


class RobotFile(_Model):
    """What is the same for all robots."""

    v: Annotated[float, Field(ge=0.001, le=1000)]


class AgentFile(_Model):
    """One robot, standing on a waypoint."""

    name: Name
    start: int


class DeliveryFile(_Model):
    """Fetch at one waypoint, hand over at another."""

    id: Name
    pickup: int
    dropoff: int
    earliest_s: Time
    pickup_s: Time
    dropoff_s: Time


class AllocationFile(_Model):
    """An instance."""

    name: Name
    graph: GraphFile
    robot: RobotFile
    agents: Annotated[list[AgentFile], Field(min_length=1, max_length=5000)]
    deliveries: Annotated[list[DeliveryFile], Field(min_length=1, max_length=5000)]


class MatrixFile(_Model):
    """Driving times, row = from, column = to, in the order of ``waypoints``."""

    waypoints: list[int]
    seconds: list[list[Time]]


def faults_in(error: ValidationError) -> list[Fault]:
    """What is wrong with the shape of a file: where, the value, and what to do."""
    found: dict[str, Fault] = {}
    for detail in error.errors(include_url=False):
        where = ".".join(map(str, detail["loc"])) or "the file"
        value = "" if detail["type"] == "missing" else f" = {str(detail['input'])[:40]}"
        what = f"{where}{value}: {detail['msg'].lower()}"
        found.setdefault(where, Fault(0, what, f"correct it or {FETCH}"))
    return list(found.values())[:MOST_FAULTS]
