"""Who has which pad, besides the docks, which are their owners' for ever."""

from collections.abc import Sequence

from dispatcher.air.docks import Docks
from fleet.errors import MissionFailed
from fleet.vehicle import VehicleId
from routing.refusal import Refusal
from routing.site import NodeId


class Pads:
    """The pads of one site."""

    def __init__(self, docks: Docks) -> None:
        self._docks = docks
        self._taken: dict[NodeId, VehicleId] = {}

    def holder(self, pad: NodeId) -> VehicleId | None:
        """Whose a pad is now; None = nobody's."""
        return self._docks.owner(pad) or self._taken.get(pad)

    def free(self, vehicle: VehicleId, pads: Sequence[NodeId]) -> bool:
        """Whether a drone could have all these pads now."""
        return all(self.holder(pad) in (None, vehicle) for pad in pads)

    def check(self, vehicle: VehicleId, pads: Sequence[NodeId]) -> None:
        """MissionFailed where one is another drone's dock, which is never free."""
        for pad in pads:
            owner = self._docks.owner(pad)
            if owner not in (None, vehicle):
                raise MissionFailed(Refusal("dock_of_another", {"value": pad, "by": owner}))

    def take(self, vehicle: VehicleId, pads: Sequence[NodeId]) -> None:
        """They are a drone's from now on."""
        for pad in pads:
            if self._docks.owner(pad) is None:
                self._taken[pad] = vehicle

    def keep(self, vehicle: VehicleId, pads: Sequence[NodeId]) -> None:
        """They were a drone's before a restart; what another one has already stays its own."""
        for pad in pads:
            if self._docks.owner(pad) is None:
                self._taken.setdefault(pad, vehicle)

    def leave(self, vehicle: VehicleId, keep: Sequence[NodeId] = ()) -> None:
        """A drone needs none of its pads any more but ``keep``."""
        for pad in [p for p, has in self._taken.items() if has == vehicle and p not in keep]:
            del self._taken[pad]
