"""Emergencies as people raise them: where they are, and what can't be."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from dispatcher.desks.intake_faults import nearest
from dispatcher.desks.road_rules_in import LaneChoice, ZoneWord
from dispatcher.desks.task_in import Note, Word, one_or_many
from dispatcher.domain.emergencies import Emergency, EmergencyId, EmergencyKind, nodes_of
from dispatcher.errors import Refused
from routing.site import LevelId, Site


class EmergencyIn(BaseModel):
    """A fire, of the site or one building; a code blue, on a level, in a zone or on lanes; weather.

    Args:
        reason: what keeps drones on the ground; of weather only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: EmergencyKind
    building: Word | None = None
    level: Word | None = None
    zone: ZoneWord | None = None
    lanes: Annotated[
        tuple[Word, ...],
        Field(max_length=5000),
        BeforeValidator(one_or_many, json_schema_input_type=Word | list[Word]),
    ] = ()
    reason: Note = ""
    by: Word = "operator"


class EmergencyReader(LaneChoice):
    """Turns one request into an emergency."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._site = site

    def read(self, asked: EmergencyIn, id_: EmergencyId, since_s: float) -> Emergency:
        """The emergency; Refused with every reason."""
        checks = {
            EmergencyKind.FIRE: self._check_fire,
            EmergencyKind.CODE_BLUE: self._check_code_blue,
            EmergencyKind.WEATHER: self._check_weather,
        }
        checks[asked.kind](asked)
        lanes = self.named(asked.lanes)
        emergency = Emergency(
            id=id_,
            kind=asked.kind,
            since_s=since_s,
            by=asked.by,
            building=asked.building,
            level=None if asked.level is None else LevelId(asked.level),
            zone=asked.zone,
            lanes=tuple(lane.id for lane in lanes),
            reason=asked.reason,
        )
        somewhere = asked.kind is EmergencyKind.WEATHER or nodes_of(emergency, self._site)
        if not self.faults and not somewhere:
            remedy = "name what has roads, or raise it for the whole site"
            self.fault("building", "no_lane_there", {"value": emergency.where}, remedy)
        if self.faults:
            raise Refused(self.faults)
        return emergency

    def _check_weather(self, asked: EmergencyIn) -> None:
        for field in ("building", "level", "zone", "lanes"):
            if value := getattr(asked, field):
                remedy = "leave it out: weather keeps all drones of the site on the ground"
                self.fault(field, "unknown_field", {"value": str(value)}, remedy)
        if not asked.reason.strip():
            self.fault("reason", "missing", {}, "say why, such as: gusts at the river")

    def _check_reason(self, asked: EmergencyIn) -> None:
        if asked.reason:
            remedy = "leave it out: only weather has a reason"
            self.fault("reason", "unknown_field", {"value": asked.reason}, remedy)

    def _check_fire(self, asked: EmergencyIn) -> None:
        self._check_reason(asked)
        for field, value in (("level", asked.level), ("zone", asked.zone), ("lanes", asked.lanes)):
            if value:
                remedy = "leave it out: a fire is in a building, or in all of the site"
                self.fault(field, "unknown_field", {"value": str(value)}, remedy)
        known = [area.id for area in self._site.areas.values() if area.kind == "building"]
        if asked.building is not None and asked.building not in known:
            remedy = nearest(asked.building, known) if known else "this site has none: leave it out"
            facts = {"value": asked.building}
            self.fault("building", "unknown_building", facts, f"send a building's id; {remedy}")

    def _check_code_blue(self, asked: EmergencyIn) -> None:
        self._check_reason(asked)
        by_area = asked.level is not None or asked.zone is not None
        if asked.building is not None:
            remedy = "leave it out: send a level, a zone or lanes for a code blue"
            self.fault("building", "unknown_field", {"value": asked.building}, remedy)
        if by_area == bool(asked.lanes):
            remedy = "send where corridors must be free: level and zone, or lanes, and not both"
            self.fault("level", "named_in_two_ways" if by_area else "missing", {}, remedy)
        elif by_area:
            self.lying_in(asked.level, asked.zone)
