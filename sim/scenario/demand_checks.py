"""Whether what a scenario asks for is there to be asked for, and somebody could do it."""

from collections.abc import Sequence

from dispatcher.domain.eligibility import nearest_miss, why_not
from fleet.fleet_file import unknown
from fleet.vehicle import VehicleSpec
from routing.errors import Fault
from routing.site import AirKind, Site
from routing.sites.marked_yaml import Marked
from sim.scenario.demand_rows import (
    DeliveryRow,
    DemandRow,
    DisinfectionRow,
    MedicineRow,
    PatrolRow,
    WhereFile,
)
from sim.scenario.where import candidates, sample


def demand_faults(
    rows: Sequence[DemandRow | None], site: Site, vehicles: Sequence[VehicleSpec], text: Marked
) -> list[Fault]:
    """What is wrong with the lines of demand on this site, for these vehicles.

    Args:
        rows: by their place in the file; None = faulty in itself, said already.
        vehicles: empty = not known; then nobody is asked whether he could do it.
    """
    faults: list[Fault] = []
    for number, row in enumerate(rows):
        if row is not None:
            check = _Check(number, site, text)
            check.row(row)
            faults += check.faults
            if vehicles and not check.faults and not flexible(row):
                check.ability(row, vehicles)
                faults += check.faults
    return faults


def flexible(row: DemandRow) -> bool:
    """Whether a line says ``any`` somewhere: then it takes what the site and the fleet can do."""
    return any(where.anywhere for _, where in _wheres(row)) or (
        isinstance(row, PatrolRow) and row.area == ("any",)
    )


class _Check:
    def __init__(self, number: int, site: Site, text: Marked) -> None:
        self.faults: list[Fault] = []
        self._at = ("demand", number)
        self._site = site
        self._text = text

    def row(self, row: DemandRow) -> None:
        """Look at all places and areas that a line names."""
        for key, where in _wheres(row):
            self._where(key, where)
        if isinstance(row, PatrolRow) and row.area is not None and row.area != ("any",):
            known = [a.id for a in self._site.airspaces.values() if a.kind is AirKind.PATROL]
            for area in row.area:
                if area not in known:
                    self.faults.append(unknown(self._line("area"), "patrol area", area, known))
        if isinstance(row, DeliveryRow) and not self.faults and not row.to.anywhere:
            many = len(candidates(row.to, self._site))
            if row.drops > many:
                what = f"drops: {row.drops}, but to: names {many} place(s)"
                self.faults.append(Fault(self._line("drops"), what, "lower drops or add places"))

    def ability(self, row: DemandRow, vehicles: Sequence[VehicleSpec]) -> None:
        """Somebody in the fleet must be able to do it."""
        asked = sample(row)
        reasons = [why_not(asked, vehicle) for vehicle in vehicles]
        if all(reasons):
            nearest = ", ".join(str(reason) for reason in nearest_miss(reasons))
            what = f"no vehicle of this scenario could do this {row.kind} task: {nearest}"
            remedy = "add a vehicle or a skill or load type to a model, or ask for less"
            self.faults.append(Fault(self._line(), what, remedy))

    def _where(self, key: str, where: WhereFile) -> None:
        line = self._line(key)
        for place in where.places:
            if place not in self._site.places:
                self.faults.append(unknown(line, "place", place, self._site.places))
        kinds = list(dict.fromkeys(place.kind for place in self._site.places.values()))
        for kind in where.kind:
            if kind not in kinds:
                self.faults.append(unknown(line, "kind of place", kind, kinds))
        if where.level is not None and where.level not in self._site.levels:
            self.faults.append(unknown(line, "level", where.level, self._site.levels))
        given = where.places or where.kind or where.level or where.anywhere
        if not given or (not self.faults and not candidates(where, self._site)):
            remedy = "write an id, [ids], {kind: ward} or any"
            self.faults.append(Fault(line, f"{key}: means no place at all", remedy))

    def _line(self, *path: str) -> int:
        return self._text.line(*self._at, *path)


def _wheres(row: DemandRow) -> list[tuple[str, WhereFile]]:
    match row:
        case DeliveryRow() | MedicineRow():
            return [("from", row.origin), ("to", row.to)]
        case PatrolRow():
            return [("points", row.points)] if row.points is not None else []
        case DisinfectionRow():
            return [("room", row.room)]
