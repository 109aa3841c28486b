"""Who stands in everybody's way and can't move: a person is told where, and who waits for it."""

import asyncio
from collections.abc import Callable, Iterable

from dispatcher.records.alerts import Alerts, Severity
from dispatcher.traffic.traffic import Traffic
from fleet.clock import Clock
from fleet.vehicle import VehicleId
from routing.site import Node, Site

LOOK_S = 10.0
"""How often it is looked who waits."""
PATIENCE_S = 20.0
"""Who has waited so long has found no other way either."""
CODE = "way_blocked"


class Blockages:
    """One alert for each vehicle that can't move and keeps others from going on.

    From then on no way is planned over it until it moves: whoever can't get on turns back, and
    does what can be done on its side.

    Args:
        vehicles: those that drive on the ground.
        turn_back: called with each that is on a way that can't be driven on.
    """

    def __init__(
        self,
        site: Site,
        vehicles: Iterable[VehicleId],
        traffic: Traffic,
        alerts: Alerts,
        turn_back: Callable[[VehicleId], None],
    ) -> None:
        self._site = site
        self._vehicles = tuple(vehicles)
        self._traffic = traffic
        self._alerts = alerts
        self._turn_back = turn_back
        self._told: dict[VehicleId, str] = {}

    async def run(self, clock: Clock) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.look(clock.now_s())

    def look(self, now_s: float) -> None:
        """Open an alert for each new blocker, and clear those of whoever can move again."""
        for vehicle in [v for v in self._told if not self._traffic.detours.blocks(v)]:
            del self._told[vehicle]
            self._alerts.clear(CODE, vehicle=vehicle)
        for blocker, blocked in self._waiting(now_s).items():
            names = ", ".join(blocked)
            if self._told.get(blocker) != names:
                self._told[blocker] = names
                self._open(blocker, names)
            if not self._traffic.detours.blocks(blocker):
                for vehicle in self._traffic.detours.block(blocker):
                    self._turn_back(vehicle)

    def _waiting(self, now_s: float) -> dict[VehicleId, list[VehicleId]]:
        """Who waits, by whom they wait for."""
        waiting: dict[VehicleId, list[VehicleId]] = {}
        for vehicle in self._vehicles:
            if self._traffic.waits.waited_s(vehicle, now_s) >= PATIENCE_S:
                blocker = self._traffic.waits.blocker(vehicle)
                if blocker is not None:
                    waiting.setdefault(blocker, []).append(vehicle)
        return waiting

    def _open(self, blocker: VehicleId, names: str) -> None:
        node = self._site.nodes[self._traffic.stand(blocker)]
        self._alerts.open(
            CODE,
            Severity.HIGH,
            vehicle=blocker,
            waiting=names,
            node=node.id,
            level=node.level,
            near=self._near(node),
        )

    def _near(self, here: Node) -> str:
        """The place of this level that is nearest: people know places, not nodes."""
        apart = [
            (here.point.distance_m(there.point), place.id)
            for place in self._site.places.values()
            if (there := self._site.nodes[place.node]).level == here.level
        ]
        return min(apart)[1] if apart else here.id
