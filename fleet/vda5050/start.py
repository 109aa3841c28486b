"""Where an order may begin: a robot that has given up its last one may stand between two nodes."""

import math

from fleet.mission import Waypoint
from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.state_messages import AgvPosition

_AT_NODE_M = 0.1
_MARGIN = 1.2
"""It may have rolled on a little since it said where it is."""


def widened(config: Vda5050Config, start: Waypoint, pose: AgvPosition | None) -> Vda5050Config:
    """The configuration with a start deviation that has the robot in it, wherever it stands.

    Source: VDA 5050 2.1.0, chapter 6.6.1: an order's first node must be trivially reachable, which
    is so within its allowed deviation.
    """
    if pose is None or pose.x is None or pose.y is None:
        return config
    if pose.map_id != config.maps.get(start.level, start.level):
        return config
    off_m = math.hypot(pose.x - start.point.x_m, pose.y - start.point.y_m)
    own_m = config.start_deviation_m or config.deviation_m or _AT_NODE_M
    if not own_m < off_m < math.inf:
        return config
    return config.model_copy(update={"start_deviation_m": round(_MARGIN * off_m, 2)})
