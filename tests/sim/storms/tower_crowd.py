"""A small tower whose one lift is its bottleneck: what does it bring that two ride together?

    python -m tests.sim.storms.tower_crowd ROBOTS HOURS SEED ROOM

writes what came of it as JSON, without the first half hour: as many deliveries are open as there
are robots, as at noon: from a room on the first floor to one above.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from sim import loops
from sim.running.scenario import Simulation
from sim.scenario.config import load_scenario
from tests.sim.storms.crowd import WARM_UP_S, Crowd, Result
from tests.sim.tower import tower

FLOORS, COLUMNS = (1, 2, 3), (0, 1, 3, 4)


class Noon(Crowd):
    """Meals go up."""

    def _choose(self) -> tuple[str, str]:
        below = [room for room in self.wards if room.startswith("f1")]
        above = [room for room in self.wards if not room.startswith("f1")]
        return self.luck.choice(below), self.luck.choice(above)


async def tower_crowd(robots: int, hours: float, seed: int, room: int) -> Result:
    """So many hours in the tower."""
    homes = [f"f{floor}-bay{x}" for x in COLUMNS for floor in FLOORS]
    with TemporaryDirectory() as folder:
        path = tower(
            Path(folder), *(("cart", home) for home in homes[:robots]), room=room, ring=True
        )
        simulation = Simulation(load_scenario(path), seed=seed)
    await simulation.open()
    people = Noon(simulation, seed, open_at_once=robots, kind="room")
    try:
        await people.run(hours * 3600)
    finally:
        await simulation.close()
    return people.result


def _main(robots: int, hours: float, seed: int, room: int) -> None:
    result = loops.run(tower_crowd(robots, hours, seed, room))
    took_s = sorted(result.took_s)
    row = {
        "robots": robots,
        "hours": hours,
        "seed": seed,
        "room": room,
        "deliveries_per_h": round(result.done / (hours - WARM_UP_S / 3600), 1),
        "failed": result.failed,
        "took_p50_s": round(took_s[len(took_s) // 2]),
        "took_p99_s": round(took_s[int(0.99 * len(took_s))]),
        "longest_wait_s": round(result.longest_wait_s),
        "violations": result.violations,
    }
    json.dump(row, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    _main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
