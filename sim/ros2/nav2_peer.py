"""Simulated robots with Nav2 as a process: ``python -m sim.ros2.nav2_peer SERVE.yaml R1``.

They live in the DDS domains of these vehicles in a serving configuration, for trying a dispatcher
out, and for tests. Interfaces and peers are set by ``CYCLONEDDS_URI``.
"""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import yaml

from fleet.config import FleetConfig, VehicleConfig
from fleet.fleet_file import declare
from fleet.ros2.placing import Placing
from routing.site import PlaceId, Site
from routing.sites import site_yaml
from routing.sites.marked_yaml import parse
from sim.ros2.nav2_door import Nav2Door
from sim.ros2.nav2_robot import Nav2Robot
from sim.world.world import World


def vehicles_of(file: Path) -> tuple[Site, dict[str, VehicleConfig]]:
    """The site of a serving configuration, and its vehicles by id."""
    text = file.read_text("utf-8")
    data: dict[str, Any] = yaml.safe_load(text)
    fleet = FleetConfig.model_validate({key: data[key] for key in ("models", "vehicles")})
    declared, faults = declare(fleet, parse(text), reference="docs/how-to/ros2.md")
    if faults:
        raise SystemExit(f"{file} is faulty; wardline check {file} says where")
    return site_yaml.load(file.parent / data["site"]), {d.config.id: d.config for d in declared}


async def live(file: Path, ids: list[str]) -> None:
    """Be these robots of a serving configuration, each at its home, until cancelled."""
    site, vehicles = vehicles_of(file)
    world = World(site, seed=1)
    doors: list[Nav2Door] = []
    for id_ in ids:
        vehicle = vehicles.get(id_)
        config = vehicle.link.ros2 if vehicle is not None else None
        if vehicle is None or config is None:
            robots = ", ".join(one.id for one in vehicles.values() if one.link.ros2)
            raise SystemExit(f"{file} has no robot {id_} with a ros2 link; it has {robots}")
        body = world.add_ground(vehicle.to_spec(), site.places[PlaceId(vehicle.home)].node)
        doors.append(Nav2Door(Nav2Robot(body, site, Placing(config, site)), config))
    async with asyncio.TaskGroup() as group:
        for id_, door in zip(ids, doors, strict=True):
            group.create_task(door.run(), name=f"nav2[{id_}]")
        print(f"{', '.join(ids)}: up", flush=True)  # noqa: T201


async def main() -> None:
    """Until SIGINT or SIGTERM."""
    task = asyncio.ensure_future(live(Path(sys.argv[1]), sys.argv[2:]))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


if __name__ == "__main__":
    asyncio.run(main())
