"""From a vehicle's configuration to the vehicle behind its wire."""

from collections.abc import Sequence
from dataclasses import dataclass

from fleet.bus import Bus
from fleet.clock import Clock
from fleet.config import VehicleConfig
from fleet.dock import Dock
from fleet.errors import ConfigError
from fleet.mavlink.adapter import MavlinkVehicle
from fleet.mavlink.config import Safety
from fleet.mavlink.fence import fence_items, rally_items
from fleet.mavlink.link import MavlinkLink
from fleet.mavlink.safeguards import Needs, needs
from fleet.ros2.adapter import Ros2Vehicle
from fleet.ros2.backends import Backends
from fleet.vda5050.adapter import Vda5050Vehicle
from fleet.vda5050.any_version import AnyVersionVehicle
from fleet.vda5050.zones import Atlas
from fleet.vehicle import Integration, Vehicle, VehicleSpec
from routing.air.airspace import highest_m
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

    Those that are to be ignored are left out.

    Raises:
        ConfigError: a drone without a MAVLink port to hear it on; a ROS 2 robot without ROS 2.
    """
    homes = {site.places[PlaceId(vehicle.home)].node for vehicle in vehicles}
    spare = [site.nodes[pad.node] for pad in site.with_role(Role.PAD) if pad.node not in homes]
    shared = _Shared(site, clock, bus, mavlink, Atlas(site), Backends(), spare)
    heard = [v for v in vehicles if v.integration is not Integration.IGNORED]
    return [_connect(vehicle, shared) for vehicle in heard]


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the vehicles of a site have in common."""

    site: Site
    clock: Clock
    bus: Bus
    mavlink: MavlinkLink | None
    atlas: Atlas
    backends: Backends
    spare_pads: Sequence[Node]


def _connect(vehicle: VehicleConfig, shared: _Shared) -> Vehicle:
    site = shared.site
    spec = vehicle.to_spec()
    if vehicle.link.ros2 is not None:
        port = shared.backends.port(vehicle.id, vehicle.link.ros2)
        return Ros2Vehicle(spec, port, vehicle.link.ros2, site)
    if vehicle.link.vda5050 is not None:
        speaks = vehicle.link.vda5050
        make = AnyVersionVehicle if speaks.version == "auto" else Vda5050Vehicle
        return make(spec, shared.bus, speaks, site, shared.clock, shared.atlas)
    if vehicle.link.mavlink is None or shared.mavlink is None:
        raise ConfigError(
            f"{vehicle.id} speaks MAVLink, but there is no port to hear it on; "
            "write 'mavlink: {listen: 127.0.0.1:14550}'"
        )
    pads = [site.nodes[place.node] for place in site.with_role(Role.PAD)]
    home = site.nodes[site.places[spec.home].node]
    return MavlinkVehicle(
        spec,
        shared.mavlink,
        vehicle.link.mavlink,
        site.frame,
        home=home,
        pads=pads,
        dock=Dock(shared.bus, vehicle.dock) if vehicle.dock is not None else None,
        needs=needs_on(site, spec, vehicle.link.mavlink.safety, home, shared.spare_pads),
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
