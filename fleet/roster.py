"""All vehicles: one supervised task each, their latest words, and who is told of changes."""

import asyncio
import logging
import random
from collections.abc import Callable, Iterator, Sequence

from fleet.vehicle import RuledVehicle, Vehicle, VehicleId
from routing.roads.road_rules import RoadRules

log = logging.getLogger(__name__)

FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 60.0


class Roster:
    """The fleet. A connection that breaks ends alone: it is logged, and tried again later."""

    def __init__(self, vehicles: Sequence[Vehicle], *, seed: int = 0) -> None:
        self._vehicles = {vehicle.spec.id: vehicle for vehicle in vehicles}
        self._seed = seed
        self._listeners: list[Callable[[VehicleId], None]] = []
        for vehicle in vehicles:
            vehicle.watch(self._teller(vehicle.spec.id))

    def __getitem__(self, vehicle: VehicleId) -> Vehicle:
        return self._vehicles[vehicle]

    def __contains__(self, vehicle: VehicleId) -> bool:
        return vehicle in self._vehicles

    def __iter__(self) -> Iterator[Vehicle]:
        return iter(self._vehicles.values())

    def watch(self, listener: Callable[[VehicleId], None]) -> None:
        """Have ``listener`` called with a vehicle's id after each new word of it."""
        self._listeners.append(listener)

    def set_rules(self, rules: RoadRules) -> None:
        """Other rules of the road hold; those vehicles are told that know of zones."""
        for vehicle in self._vehicles.values():
            if isinstance(vehicle, RuledVehicle):
                vehicle.set_rules(rules)

    async def run(self) -> None:
        """Keep all links until cancelled."""
        async with asyncio.TaskGroup() as group:
            for vehicle in self._vehicles.values():
                group.create_task(self._keep(vehicle), name=f"vehicle[{vehicle.spec.id}].run")

    def _teller(self, vehicle: VehicleId) -> Callable[[], None]:
        def tell() -> None:
            for listener in self._listeners:
                listener(vehicle)

        return tell

    async def _keep(self, vehicle: Vehicle) -> None:
        """Run one vehicle's link for ever; the one place where any of its errors ends."""
        luck = random.Random(f"{self._seed}:{vehicle.spec.id}:retry")
        pause_s = FIRST_RETRY_S
        while True:
            began_s = asyncio.get_running_loop().time()
            try:
                await vehicle.run()
            except Exception:
                log.exception("link ended", extra={"vehicle": vehicle.spec.id})
            if asyncio.get_running_loop().time() - began_s > LONGEST_RETRY_S:
                pause_s = FIRST_RETRY_S
            await asyncio.sleep(pause_s * luck.uniform(0.5, 1.5))
            pause_s = min(2 * pause_s, LONGEST_RETRY_S)
