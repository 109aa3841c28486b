"""Which places a line of demand may mean, and which of them a vehicle can serve."""

from collections.abc import Iterable, Sequence

from dispatcher.domain.task import Delivery, Disinfection, Medicine, Patrol, Spec
from fleet.vehicle import Medium, VehicleSpec
from routing.roads.paths import Roads, Rules
from routing.site import AirKind, AirspaceId, NodeId, Place, PlaceId, Role, Site
from sim.scenario.demand_rows import (
    DeliveryRow,
    DemandRow,
    DisinfectionRow,
    MedicineRow,
    PatrolRow,
    WhereFile,
)


def candidates(
    where: WhereFile, site: Site, among: frozenset[PlaceId] | None = None
) -> list[Place]:
    """All places that ``where`` may mean, in the order of the site file.

    ``any`` means ordinary places: without a role for vehicles, or if there are too few of those,
    all but pads.

    Args:
        among: no others.
    """
    if where.places:
        found = [site.places[PlaceId(id_)] for id_ in where.places if id_ in site.places]
        return [place for place in found if among is None or place.id in among]
    found = [p for p in site.places.values() if among is None or p.id in among]
    if where.kind:
        found = [place for place in found if place.kind in where.kind]
    if where.level is not None:
        found = [p for p in found if site.nodes[p.node].level == where.level]
    if not where.anywhere and where.kind:
        return found
    plain = [place for place in found if not place.roles]
    return plain if len(plain) > 2 else [p for p in found if Role.PAD not in p.roles]


def areas(row: PatrolRow, site: Site) -> list[AirspaceId]:
    """The areas that a patrol from the air may be of."""
    known = [a.id for a in site.airspaces.values() if a.kind is AirKind.PATROL]
    if row.area == ("any",):
        return known
    return [AirspaceId(area) for area in row.area or () if area in known]


def sample(row: DemandRow) -> Spec:
    """The hardest task that a line of demand may ask for, without its places."""
    nowhere = PlaceId("")
    match row:
        case DeliveryRow():
            return Delivery(
                item="",
                goods=row.goods,
                origin=nowhere,
                drop_offs=(nowhere,),
                mass_g=round(row.mass_kg[1] * 1000),
                volume_ml=round(row.volume_l[1] * 1000),
                by=row.by,
            )
        case MedicineRow():
            return Medicine(
                item="",
                origin=nowhere,
                destination=nowhere,
                recipient_role=row.recipient_role,
                mass_g=round(row.mass_kg[1] * 1000),
            )
        case PatrolRow():
            return Patrol(area=AirspaceId("any") if row.area else None, by=row.by)
        case DisinfectionRow():
            return Disinfection(room=nowhere, method=row.method)


class Reach:
    """Which places each vehicle can drive to, and home again."""

    def __init__(self, site: Site, vehicles: Sequence[VehicleSpec]) -> None:
        self._site = site
        self._homes = frozenset(site.places[vehicle.home].node for vehicle in vehicles)
        self._roads: dict[Rules, Roads] = {}
        self._found: dict[tuple[Rules, NodeId], frozenset[PlaceId]] = {}

    def places(self, vehicle: VehicleSpec) -> frozenset[PlaceId]:
        """All places but the homes of vehicles; pads, for one that flies."""
        if vehicle.medium is Medium.AIR:
            pads = self._site.with_role(Role.PAD)
            return frozenset(pad.id for pad in pads if pad.node not in self._homes)
        rules = Rules(speed_m_s=vehicle.speed_m_s, width_m=vehicle.width_m, kind=vehicle.kind)
        home = self._site.places[vehicle.home].node
        key = (rules, home)
        if key not in self._found:
            self._found[key] = frozenset(self._both_ways(rules, home))
        return self._found[key]

    def _both_ways(self, rules: Rules, home: NodeId) -> Iterable[PlaceId]:
        roads = self._roads.setdefault(rules, Roads(self._site, rules, avoid=self._homes))
        there = roads.reachable(home)
        for place in self._site.places.values():
            node = place.node
            if node in there and node not in self._homes and home in roads.reachable(node):
                yield place.id
