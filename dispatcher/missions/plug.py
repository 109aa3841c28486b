"""One ground vehicle's plug: whether it is connected to a charger, and which one it may have."""

import asyncio
from contextlib import suppress

from dispatcher.missions.decontamination import Decontamination
from dispatcher.missions.execution import Errand
from dispatcher.missions.ground_legs import GroundLegs
from dispatcher.traffic.chargers import Chargers
from dispatcher.traffic.traffic import Traffic
from fleet.mission import Action, ActionKind, MissionId
from fleet.vehicle import VehicleSpec
from routing.errors import Unreachable
from routing.site import NodeId, Place, PlaceId

ASK_S = 30.0
"""How often a vehicle that waits for a charger asks again, also if none has become free."""


class Plug:
    """One vehicle and the chargers of its site."""

    def __init__(
        self,
        spec: VehicleSpec,
        traffic: Traffic,
        chargers: Chargers,
        legs: GroundLegs,
        decontamination: Decontamination,
    ) -> None:
        self._spec, self._traffic, self._chargers = spec, traffic, chargers
        self._legs, self._decontamination = legs, decontamination
        self.connected = False
        self._free = asyncio.Event()
        chargers.on_free(self._free.set)

    async def pull(self, errand: Errand) -> None:
        """Disconnect, if it is connected."""
        if self.connected:
            await self._legs.make((), _disconnect, errand)
            self.connected = False

    def take(self, wanted: PlaceId | None = None) -> Place | None:
        """A charger that is its own from now on; None = it would have to wait for one.

        Args:
            wanted: the one to take if it is free.
        """
        roads, stand = self._traffic.roads.of(self._spec), self._legs.stand
        clean = self._decontamination.clean
        return self._chargers.take(
            self._spec,
            lambda place: roads.seconds(stand, place.node, clean_start=clean),
            wanted,
        )

    def leave(self, goal: NodeId) -> None:
        """It sets out for a goal: its charger is for others, unless that is the goal."""
        self._chargers.leave(self._spec.id, goal)

    def give_back(self) -> None:
        """It needs its charger no more."""
        self._chargers.give_back(self._spec.id)

    def keep(self, node: NodeId) -> None:
        """It stands at a node, or is sure to get there: if that is a charger, it has it."""
        self._chargers.stands_at(self._spec, node)

    def listen(self) -> None:
        """What `until_free` waits for counts from now on."""
        self._free.clear()

    async def until_free(self) -> None:
        """Wait until a charger becomes free, or a little."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ASK_S):
                await self._free.wait()

    def nearest_to(self, node: NodeId) -> NodeId | None:
        """The charger that is the nearest to a node; None = it gets to none from there."""
        roads = self._traffic.roads.of(self._spec)
        found: list[tuple[float, NodeId]] = []
        for place, _ in self._chargers.usable(self._spec):
            with suppress(Unreachable):
                found.append((roads.seconds(node, place.node), place.node))
        return min(found)[1] if found else None


def connect(mission: MissionId) -> tuple[Action, ...]:
    """What is done at a charger."""
    return (Action(id=f"{mission}.1", kind=ActionKind.CHARGE),)


def _disconnect(mission: MissionId) -> tuple[Action, ...]:
    return (Action(id=f"{mission}.1", kind=ActionKind.STOP_CHARGING),)
