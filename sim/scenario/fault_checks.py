"""Which things a scenario's lines of faults, crowds and the like mean, and if that can be."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase

from dispatcher.desks.emergencies_in import EmergencyIn, EmergencyReader
from dispatcher.desks.incidents_in import Where, spot_of
from dispatcher.domain.emergencies import EmergencyId
from dispatcher.errors import Refused
from fleet.config import VehicleConfig
from fleet.fleet_file import unknown
from fleet.vehicle import Medium
from routing.errors import Fault
from routing.geometry import Point
from routing.site import LaneId, LiftId, PlaceId, Site
from routing.sites.marked_yaml import Marked, Step
from sim.judges.sights import PlannedSight, SightRow
from sim.moments import after_start_s
from sim.scenario.fault_plan import FaultSource, stream
from sim.scenario.fault_rows import (
    KINDS,
    CrowdRow,
    EventRow,
    FaultRow,
    PassengersRow,
    Target,
    WhichFile,
)
from sim.world.hindrances import Crowd

_MOVES = {Medium.GROUND: "drives", Medium.AIR: "flies"}


def crowd_streams(rows: Sequence[CrowdRow]) -> list[str]:
    """A name for each line's chance: its own, or what it says; equal ones are numbered."""
    seen: Counter[str] = Counter()
    names: list[str] = []
    for row in rows:
        content = row.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        name = row.name or json.dumps(content, sort_keys=True)
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return names


class FaultCheck:
    """Reads the lines on what goes wrong against one site and its vehicles.

    Args:
        models: of each vehicle's id, the name of its model.
        faults: what is wrong is added here.
    """

    def __init__(
        self,
        site: Site,
        vehicles: Sequence[VehicleConfig],
        models: dict[str, str],
        text: Marked,
        faults: list[Fault],
    ) -> None:
        self._site, self._vehicles, self._models = site, vehicles, models
        self._text, self._faults = text, faults
        self._media = {vehicle.id: vehicle.medium for vehicle in vehicles}

    def sources(self, rows: Sequence[FaultRow], midnight_s: float) -> tuple[FaultSource, ...]:
        """What each line of ``faults:`` means."""
        found: list[FaultSource] = []
        for number, row in enumerate(rows):
            ids = self._meant(row.target, row.which, ("faults", number, row.target))
            ids = self._able(row, number, ids)
            found.append(FaultSource(row=row, ids=tuple(ids), stream=stream(row)))
        self._look_for_overlaps(found, midnight_s)
        return tuple(found)

    def crowds(self, rows: Sequence[CrowdRow]) -> tuple[Crowd, ...]:
        """What each line of ``crowds:`` means."""
        return tuple(
            Crowd(
                lanes=frozenset(
                    LaneId(lane)
                    for lane in self._meant("lane", row.lanes, ("crowds", number, "lanes"))
                ),
                chances=row.chance,
                between=row.between,
                mean_s=row.delay,
                stream=name,
            )
            for number, (row, name) in enumerate(zip(rows, crowd_streams(rows), strict=True))
        )

    def passengers(self, rows: Sequence[PassengersRow]) -> dict[LiftId, PassengersRow]:
        """Who rides in each lift: what the last line that means it says."""
        return {
            LiftId(lift): row
            for number, row in enumerate(rows)
            for lift in self._meant("lift", row.lifts, ("passengers", number, "lifts"))
        }

    def events(self, rows: Sequence[EventRow]) -> None:
        """What people close, where they raise emergencies and report incidents, must be there."""
        for number, event in enumerate(rows):
            if event.incident is not None:
                line = self._text.line("events", number, "incident")
                self._spot(event.incident, "incident", line)
                continue
            if event.close_lane is None:
                self._check_emergency(event, self._text.line("events", number))
                continue
            line = self._text.line("events", number, "close_lane")
            for lane in event.close_lane:
                if lane not in self._site.lanes:
                    self._faults.append(unknown(line, "lane", lane, self._site.lanes))

    def _check_emergency(self, event: EventRow, line: int) -> None:
        asked = EmergencyIn.model_validate({"kind": event.emergency, **event.where})
        try:
            EmergencyReader(self._site).read(asked, EmergencyId(""), 0.0)
        except Refused as refused:
            for fault in refused.faults:
                what = f"{fault.field}: {fault.reason}"
                self._faults.append(Fault(line, what, fault.remedy))

    def sights(
        self, rows: Sequence[SightRow], midnight_s: float, duration_s: float
    ) -> tuple[PlannedSight, ...]:
        """What is to be seen, and where."""
        found: list[PlannedSight] = []
        for number, row in enumerate(rows):
            point = self._spot(row.seen, "seen", self._text.line("sights", number, "seen"))
            at_s = after_start_s(row.at, midnight_s)
            until_s = duration_s if row.lasts is None else at_s + row.lasts
            place = self._site.places.get(PlaceId(row.seen.place or ""))
            node = None if place is None else place.node
            if point is not None:
                found.append(
                    PlannedSight(at_s=at_s, until_s=until_s, asked=row.seen, point=point, node=node)
                )
        return tuple(found)

    def _spot(self, where: Where, key: str, line: int) -> Point | None:
        try:
            return spot_of(self._site, where)
        except Refused as refused:
            for fault in refused.faults:
                what = f"{key}.{fault.field}: {fault.reason}"
                self._faults.append(Fault(line, what, fault.remedy))
            return None

    def _known(self, target: Target) -> list[str]:
        match target:
            case "vehicle" | "link":
                return [vehicle.id for vehicle in self._vehicles]
            case "door":
                return list(self._site.doors)
            case "lift":
                return list(self._site.lifts)
            case "workcell":
                return list(self._site.workcells)
            case "lane":
                return list(self._site.lanes)

    def _meant(self, target: Target, which: WhichFile, at: tuple[Step, ...]) -> list[str]:
        """The ids of all that is meant; what names nothing is a fault."""
        line, known = self._text.line(*at), self._known(target)
        what = "vehicle" if target == "link" else target
        before = len(self._faults)
        if which.anything:
            ids = known
        elif which.model is not None:
            ids = self._of_models(target, which.model, line)
        elif which.level is not None:
            ids = self._of_levels(target, which.level, line)
        else:
            ids = [id_ for word in which.ids for id_ in self._named(target, word, known, line)]
        if not ids and len(self._faults) == before:
            remedy = f"name a {what}, a list of them, or any"
            self._faults.append(Fault(line, f"{at[-1]}: means no {what} at all", remedy))
        return list(dict.fromkeys(ids))

    def _named(self, target: Target, word: str, known: list[str], line: int) -> list[str]:
        found = [word] if word in known else []
        if not found and target == "lane" and "*" in word:
            found = [lane for lane in known if fnmatchcase(lane, word)]
        if not found:
            what = "vehicle" if target == "link" else target
            self._faults.append(unknown(line, what, word, known))
        return found

    def _of_models(self, target: Target, models: Sequence[str], line: int) -> list[str]:
        if target not in ("vehicle", "link"):
            self._faults.append(Fault(line, f"a {target} has no model", f"name a {target}, or any"))
            return []
        known = list(dict.fromkeys(self._models.values()))
        self._faults += [unknown(line, "model", one, known) for one in models if one not in known]
        return [id_ for id_, model in self._models.items() if model in models]

    def _of_levels(self, target: Target, levels: Sequence[str], line: int) -> list[str]:
        if target != "lane":
            self._faults.append(Fault(line, f"a {target} has no level", f"name a {target}, or any"))
            return []
        for level in levels:
            if level not in self._site.levels:
                self._faults.append(unknown(line, "level", level, self._site.levels))
        return [
            lane.id
            for lane in self._site.lanes.values()
            if self._site.nodes[lane.start].level in levels and lane.lift is None
        ]

    def _able(self, row: FaultRow, number: int, ids: Sequence[str]) -> list[str]:
        """Those whom such a fault can befall; whoever was named must be one of them."""
        medium = KINDS[row.target][row.word].medium
        if medium is None:
            return list(ids)
        able = [id_ for id_ in ids if self._media.get(id_) is medium]
        unable = [id_ for id_ in ids if id_ not in able]
        line = self._text.line("faults", number, "fault")
        if unable and not row.which.anything:
            what = f"{unable[0]} {_MOVES[self._media[unable[0]]]}, and can't have {row.word}"
            remedy = f"that is for what {_MOVES[medium]}; name another, or another fault"
            self._faults.append(Fault(line, what, remedy))
        elif ids and not able:
            what = f"nobody here {_MOVES[medium]}, so nobody can have {row.word}"
            self._faults.append(Fault(line, what, "take the line out, or add such a vehicle"))
        return able

    def _look_for_overlaps(self, sources: Sequence[FaultSource], midnight_s: float) -> None:
        """Nothing breaks at a given moment that has been broken in the same way by then."""
        until: dict[tuple[str, str, str], tuple[float, int]] = {}
        scripted = [
            (after_start_s(source.row.at, midnight_s), number, source)
            for number, source in enumerate(sources)
            if source.row.at is not None and source.row.word != "wind"
        ]
        for at_s, number, source in sorted(scripted, key=lambda one: one[:2]):
            row, line = source.row, self._text.line("faults", number)
            for id_ in source.ids:
                key = (row.target, id_, row.word)
                ends_s, other = until.get(key, (-math.inf, 0))
                if at_s < ends_s:
                    what = f"{id_} has this fault from line {other} already"
                    remedy = "let that one end before, or take one of the two out"
                    self._faults.append(Fault(line, what, remedy))
                until[key] = (max(ends_s, at_s + _longest_s(row)), line)


def _longest_s(row: FaultRow) -> float:
    if row.lasts is not None:
        return row.lasts[1]
    momentary = KINDS[row.target][row.word].sudden or row.word == "reboot"
    return 0.0 if momentary else math.inf
