"""Whether drones keep off ground that is not flat, each at one height above its pad."""

import math

from fleet.config import VehicleConfig
from routing.air.airspace import highest_m
from routing.errors import Fault
from routing.site import PlaceId, Site


def height_faults(config: VehicleConfig, site: Site, line: int) -> list[Fault]:
    """Whether one height above its pad keeps a drone off the ground and below the ceiling."""
    if site.terrain is None:
        return []
    home_m = site.ground_m(site.nodes[site.places[PlaceId(config.home)].node].point)
    low_m, high_m = site.relief_m
    keep_m, cruise_m, top_m = site.terrain.keep_agl_m, config.cruise_agl_m, highest_m(site)
    lowest_m, highest = keep_m + high_m - home_m, top_m + low_m - home_m
    if lowest_m > highest:
        what = (
            f"{config.id} can't stay {keep_m:g} m above the ground here and below the ceiling of "
            f"{top_m:g} m: the ground lies between {low_m:.0f} and {high_m:.0f} m"
        )
        return [Fault(line, what, "draw the geofence smaller, or lower keep_agl_m of the terrain")]
    remedy = f"write from {math.ceil(lowest_m)} to {math.floor(highest)} as its cruise_agl_m"
    if cruise_m < lowest_m:
        what = f"{cruise_m:g} m above its pad {config.id} is {cruise_m - lowest_m + keep_m:.0f} m"
        return [Fault(line, f"{what} above the highest ground, not {keep_m:g}", remedy)]
    if cruise_m > highest:
        what = f"{cruise_m:g} m above its pad {config.id} is {cruise_m + home_m - low_m:.0f} m"
        return [Fault(line, f"{what} above the lowest ground, over the {top_m:g} allowed", remedy)]
    return []
