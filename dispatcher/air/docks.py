"""Whose dock each pad is: nobody else may land there, for its drone may come home at any moment.

A drone that has lost its link, or is low on battery, returns to its dock without asking.
"""

from collections.abc import Iterable

from fleet.vehicle import Medium, VehicleId, VehicleSpec
from routing.refusal import Refusal
from routing.site import NodeId, PlaceId, Site


class Docks:
    """The docks of all drones of one site, also of those that are only looked at."""

    def __init__(self, site: Site, specs: Iterable[VehicleSpec]) -> None:
        self._site = site
        drones = [spec for spec in specs if spec.medium is Medium.AIR]
        self._owners = {site.places[spec.home].node: spec.id for spec in drones}

    def owner(self, pad: NodeId) -> VehicleId | None:
        """Whose dock a pad is; None = nobody's."""
        return self._owners.get(pad)

    def why_not_land(self, vehicle: VehicleId, place: PlaceId) -> Refusal | None:
        """Why a drone may never land at a pad; None = it may."""
        owner = self._owners.get(self._site.places[place].node, vehicle)
        if owner == vehicle:
            return None
        return Refusal("dock_of_another", {"value": place, "by": owner})
