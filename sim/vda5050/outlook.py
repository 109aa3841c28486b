"""What a simulated robot of version 3.0 says of its way: when it will be at the nodes ahead."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from fleet.vda5050.dialects import stamp
from fleet.vda5050.state_messages import IntermediatePath, SeenPoint
from routing.site import Edge, Site
from sim.world.bodies import GroundBody

SEEN: Final = 5
"""So many nodes ahead it can see."""


def outlook(
    body: GroundBody, site: Site, roads: Sequence[Edge], now: datetime
) -> IntermediatePath | None:
    """The nodes at the ends of the roads ahead that it may drive, up to the next lift.

    It counts with its cruise speed, as it is now, and with the lanes' limits.

    Args:
        roads: from the one that it is on.
    """
    if not body.driving:
        return None
    here, at, seen = body.position(), now, list[SeenPoint]()
    spot = here.point
    for road in roads[:SEEN]:
        end = site.nodes[road.end]
        if end.level != here.level:
            break
        speed_m_s = min(body.spec.speed_m_s, road.lane.speed_limit_m_s or math.inf) * body.slow
        at += timedelta(seconds=spot.distance_m(end.point) / speed_m_s)
        spot = end.point
        seen.append(SeenPoint(x=spot.x_m, y=spot.y_m, eta=stamp(at)))
    return IntermediatePath(polyline=tuple(seen)) if seen else None
