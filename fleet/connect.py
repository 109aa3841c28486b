"""From a vehicle's configuration to the vehicle behind its wire."""

from collections.abc import Sequence

from fleet.bus import Bus
from fleet.clock import Clock
from fleet.config import VehicleConfig
from fleet.dock import Dock
from fleet.errors import ConfigError
from fleet.mavlink.adapter import MavlinkVehicle
from fleet.mavlink.config import Safety
from fleet.mavlink.fence import fence_items, highest_m, rally_items
from fleet.mavlink.link import MavlinkLink
from fleet.mavlink.safeguards import Needs, needs
from fleet.vda5050.adapter import Vda5050Vehicle
from fleet.vehicle import Vehicle, VehicleSpec
from routing.site import Node, PlaceId, Role, Site


def connect(
    vehicles: Sequence[VehicleConfig],
    site: Site,
    clock: Clock,
    *,
    bus: Bus,
    mavlink: MavlinkLink | None,
) -> list[Vehicle]:
    """All vehicles of a configuration, each behind its adapter; none of them speaks yet.

    Raises:
        ConfigError: a drone without a MAVLink port to hear it on.
    """
    homes = {site.places[PlaceId(vehicle.home)].node for vehicle in vehicles}
    spare = [site.nodes[pad.node] for pad in site.with_role(Role.PAD) if pad.node not in homes]
    return [_connect(vehicle, site, clock, bus, mavlink, spare) for vehicle in vehicles]


def _connect(
    vehicle: VehicleConfig,
    site: Site,
    clock: Clock,
    bus: Bus,
    mavlink: MavlinkLink | None,
    spare_pads: Sequence[Node],
) -> Vehicle:
    spec = vehicle.to_spec()
    if vehicle.link.vda5050 is not None:
        return Vda5050Vehicle(spec, bus, vehicle.link.vda5050, site, clock)
    if vehicle.link.mavlink is None or mavlink is None:
        raise ConfigError(
            f"{vehicle.id} speaks MAVLink, but there is no port to hear it on; "
            "write 'mavlink: {listen: 127.0.0.1:14550}'"
        )
    pads = [site.nodes[place.node] for place in site.with_role(Role.PAD)]
    home = site.nodes[site.places[spec.home].node]
    return MavlinkVehicle(
        spec,
        mavlink,
        vehicle.link.mavlink,
        site.frame,
        home=home,
        pads=pads,
        dock=Dock(bus, vehicle.dock) if vehicle.dock is not None else None,
        needs=needs_on(site, spec, vehicle.link.mavlink.safety, home, spare_pads),
    )


def needs_on(
    site: Site, spec: VehicleSpec, safety: Safety | None, home: Node, spare_pads: Sequence[Node]
) -> Needs | None:
    """What a drone must do by itself on this site, when nobody tells it what to do.

    Raises:
        ConfigError: the site's fence does not fit on board.
    """
    if safety is None:
        return None
    return needs(
        safety,
        fence=fence_items(site, home.point) if safety.fence else (),
        rally=rally_items(spare_pads, site.frame, spec.cruise_agl_m),
        alt_max_m=highest_m(site),
        return_height_m=spec.cruise_agl_m,
    )
