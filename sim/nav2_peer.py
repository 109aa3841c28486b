"""One simulated robot with Nav2 as a process of its own: ``python -m sim.nav2_peer SERVE.yaml R1``.

It lives in the DDS domain of its vehicle in a serving configuration, for trying a dispatcher out,
and for tests. Interfaces and peers are set by ``CYCLONEDDS_URI``.
"""

import asyncio
import sys
from pathlib import Path

from dispatcher.commands.serve import until_told
from dispatcher.config import load
from fleet.ros2.placing import Placing
from sim.nav2_door import Nav2Door
from sim.nav2_robot import Nav2Robot
from sim.world import World


async def live(file: Path, id_: str) -> None:
    """Be the robot ``id_`` of a serving configuration, at its home, until cancelled."""
    installation = load(file)
    vehicle = next((one for one in installation.vehicles if one.id == id_), None)
    if vehicle is None or vehicle.link.ros2 is None:
        robots = ", ".join(one.id for one in installation.vehicles if one.link.ros2)
        raise SystemExit(f"{file} has no robot {id_} with a ros2 link; it has {robots or 'none'}")
    site, spec, config = installation.site, vehicle.to_spec(), vehicle.link.ros2
    body = World(site, seed=1).add_ground(spec, site.places[spec.home].node)
    robot = Nav2Robot(body, site, Placing(config, site))
    print(f"{id_} is up", flush=True)  # noqa: T201
    await Nav2Door(robot, config).run()


if __name__ == "__main__":
    asyncio.run(until_told(live(Path(sys.argv[1]), sys.argv[2])))
