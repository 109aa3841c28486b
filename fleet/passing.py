"""Whether anybody in a fleet can pass in the lanes that its site has for that."""

from collections.abc import Sequence

from fleet.config import VehicleConfig
from fleet.vehicle import Medium
from routing.errors import Fault
from routing.roads.passing import fits, widest_m
from routing.site import Lane, Site


def passing_faults(fleet: Sequence[VehicleConfig], site: Site, line: int) -> list[Fault]:
    """A fault where passing lanes are too narrow for any two vehicles that may drive there.

    Args:
        line: where the fleet stands in its file.
    """
    ground = [one for one in fleet if one.medium is Medium.GROUND]
    narrow = [lane for lane in site.lanes.values() if lane.passing and not _fit(ground, lane)]
    if not ground or not narrow:
        return []
    lane, more = narrow[0], f" and {len(narrow) - 1} more" if len(narrow) > 1 else ""
    what = (
        f"no two vehicles of this fleet can pass on lane {lane.id!r}{more}: "
        f"each may be {widest_m(lane.width_m):g} m wide there"
    )
    remedy = "correct width_m of the lane or of the model, or leave out passing in the site file"
    return [Fault(line, what, remedy)]


def _fit(ground: Sequence[VehicleConfig], lane: Lane) -> bool:
    may = [one for one in ground if not lane.kinds or one.kind in lane.kinds]
    return any(fits(lane, one.width_m) and one.to_spec().keeps_right for one in may)
