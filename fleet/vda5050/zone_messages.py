"""What a master says of zones: whole sets of them, and answers to a robot that asks for one.

Source: VDA 5050 3.0.0, chapters 6.4, 6.9, 7.4 and 7.7, and their schemas.
"""

from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta

from fleet.vda5050.codec import Codec, Strict
from fleet.vda5050.order_messages import Header


class ZoneType(StrEnum):
    """What a zone orders; those that a master of ours ever draws."""

    BLOCKED = "BLOCKED"
    RELEASE = "RELEASE"
    SPEED_LIMIT = "SPEED_LIMIT"
    PRIORITY = "PRIORITY"
    DIRECTED = "DIRECTED"


class Vertex(Strict):
    """A corner, in metres on the robot's map."""

    x: float
    y: float


class Zone(Strict):
    """One zone; which of the optional fields it needs depends on its type."""

    zone_id: str
    zone_type: ZoneType
    zone_descriptor: str | None = None
    vertices: Annotated[tuple[Vertex, ...], Meta(min_length=3)]
    release_loss_behavior: str | None = None
    maximum_speed: float | None = None
    priority_factor: Annotated[float, Meta(ge=0, le=1)] | None = None
    direction: float | None = None
    directed_limitation: str | None = None


class ZoneSet(Strict):
    """All zones of one map; never changed: another set has another id."""

    map_id: str
    zone_set_id: str
    zone_set_descriptor: str | None = None
    zones: tuple[Zone, ...]


class ZoneSetMessage(Header):
    """A zone set on its way."""

    zone_set: ZoneSet


class GrantType(StrEnum):
    """The answer to a request."""

    GRANTED = "GRANTED"
    QUEUED = "QUEUED"
    REVOKED = "REVOKED"
    REJECTED = "REJECTED"


class Response(Strict):
    """The answer to one request."""

    request_id: str
    grant_type: GrantType
    lease_expiry: str | None = None


class Responses(Header):
    """Answers on their way."""

    responses: tuple[Response, ...]


ZONE_SET: Final = Codec(ZoneSetMessage)
RESPONSES: Final = Codec(Responses)
