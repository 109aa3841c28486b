"""From a vehicle's configuration to the vehicle behind its wire."""

from collections.abc import Sequence

from fleet.bus import Bus
from fleet.clock import Clock
from fleet.config import VehicleConfig
from fleet.dock import Dock
from fleet.errors import ConfigError
from fleet.mavlink.adapter import MavlinkVehicle
from fleet.mavlink.link import MavlinkLink
from fleet.ros2.adapter import Ros2Vehicle
from fleet.ros2.backends import Backends
from fleet.vda5050.adapter import Vda5050Vehicle
from fleet.vda5050.any_version import AnyVersionVehicle
from fleet.vda5050.zones import Atlas
from fleet.vehicle import Integration, Vehicle
from routing.site import Role, Site


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
    atlas, backends = Atlas(site), Backends()
    heard = [v for v in vehicles if v.integration is not Integration.IGNORED]
    return [_connect(vehicle, site, clock, bus, mavlink, atlas, backends) for vehicle in heard]


def _connect(
    vehicle: VehicleConfig,
    site: Site,
    clock: Clock,
    bus: Bus,
    mavlink: MavlinkLink | None,
    atlas: Atlas,
    backends: Backends,
) -> Vehicle:
    spec = vehicle.to_spec()
    if vehicle.link.ros2 is not None:
        port = backends.port(vehicle.id, vehicle.link.ros2)
        return Ros2Vehicle(spec, port, vehicle.link.ros2, site)
    if vehicle.link.vda5050 is not None:
        speaks = vehicle.link.vda5050
        make = AnyVersionVehicle if speaks.version == "auto" else Vda5050Vehicle
        return make(spec, bus, speaks, site, clock, atlas)
    if vehicle.link.mavlink is None or mavlink is None:
        raise ConfigError(
            f"{vehicle.id} speaks MAVLink, but there is no port to hear it on; "
            "write 'mavlink: {listen: 127.0.0.1:14550}'"
        )
    pads = [site.nodes[place.node] for place in site.with_role(Role.PAD)]
    return MavlinkVehicle(
        spec,
        mavlink,
        vehicle.link.mavlink,
        site.frame,
        home=site.nodes[site.places[spec.home].node],
        pads=pads,
        dock=Dock(bus, vehicle.dock) if vehicle.dock is not None else None,
    )
