"""Rules of the road as people ask for them: which lanes they mean, and what can't be."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from dispatcher.desks.intake_faults import nearest
from dispatcher.desks.task_in import Moment, Number, Word, one_or_many
from dispatcher.domain.road_rules import RoadRule, RuleId, RuleKind
from dispatcher.errors import FieldFault, Refused
from fleet.clock import Clock
from routing.refusal import Fact, Refusal
from routing.site import Lane, LaneId, LevelId, NodeId, Site, Zone

MAX_LANES = 5000
ZoneWord = Literal["clean", "semi", "contaminated"]
Ids = Annotated[
    tuple[Word, ...],
    Field(max_length=MAX_LANES),
    BeforeValidator(one_or_many, json_schema_input_type=Word | list[Word]),
]


class RoadRuleIn(BaseModel):
    """Lanes closed, driven slowly, or one way only; from and until a moment, or until lifted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: RuleKind
    lanes: Ids = ()
    along: Ids = ()
    """Nodes of a corridor, in the order in which they are driven along."""
    level: Word | None = None
    zone: ZoneWord | None = None
    direction: Literal["forward", "backward"] | None = None
    """Of a one-way: as the site file has each lane, or the other way round."""
    speed_m_s: Annotated[Number, Field(gt=0, le=50)] | None = None
    begins: Annotated[Moment | None, Field(alias="from")] = None
    """When it begins to hold; one that is past, or none, is now."""
    until: Moment | None = None


class LaneChoice:
    """Finds the lanes that a request names, and notes what is wrong with it.

    Lanes of a level or zone have an end in it. Those of lifts, which join levels, must be named.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self.faults: list[FieldFault] = []

    def fault(self, field: str, code: str, facts: Mapping[str, Fact], remedy: str) -> None:
        """One more thing that is wrong."""
        self.faults.append(FieldFault(field, Refusal(code, facts), remedy))

    def named(self, lanes: Sequence[str]) -> list[Lane]:
        """Lanes by their ids."""
        found: list[Lane] = []
        for number, lane in enumerate(dict.fromkeys(lanes)):
            if lane in self._site.lanes:
                found.append(self._site.lanes[LaneId(lane)])
            else:
                remedy = f"send a lane's id; {nearest(lane, list(self._site.lanes))}"
                self.fault(f"lanes.{number}", "unknown_lane", {"value": lane}, remedy)
        return found

    def along(self, nodes: Sequence[str]) -> list[tuple[Lane, NodeId]]:
        """The lanes of a corridor, each with the node at its far end."""
        found: list[tuple[Lane, NodeId]] = []
        if len(nodes) == 1:
            remedy = "send two or more nodes, in the order in which they are driven along"
            self.fault("along", "too_short", {"value": "a list of 1", "limit": 2}, remedy)
        for number, (a, b) in enumerate(pairwise(nodes), 1):
            ends = {NodeId(a), NodeId(b)}
            lanes = (one for one in self._site.lanes.values() if {one.start, one.end} == ends)
            lane = next(lanes, None)
            if lane is not None:
                found.append((lane, NodeId(b)))
                continue
            remedy = "send nodes of the site that follow on one another along its lanes"
            self.fault(f"along.{number}", "no_lane", {"from": a, "to": b}, remedy)
        return found

    def lying_in(self, level: str | None, zone: str | None) -> list[Lane]:
        """The lanes with an end on a level, in a zone, or in both."""
        if level is not None and level not in self._site.levels:
            remedy = f"send a level's id; {nearest(level, list(self._site.levels))}"
            self.fault("level", "unknown_level", {"value": level}, remedy)
            return []
        nodes = self._site.nodes

        def lies_in(node: NodeId) -> bool:
            on_level = level is None or nodes[node].level == LevelId(level)
            return on_level and (zone is None or nodes[node].zone is Zone[zone.upper()])

        lanes = [one for one in self._site.lanes.values() if one.lift is None]
        found = [one for one in lanes if lies_in(one.start) or lies_in(one.end)]
        if not found:
            field = "zone" if level is None else "level"
            remedy = "send a level or zone that has roads"
            words = " ".join(word for word in (level, zone) if word)
            self.fault(field, "no_lane_there", {"value": words}, remedy)
        return found


class RuleReader(LaneChoice):
    """Turns one request into a rule."""

    def __init__(self, site: Site, clock: Clock) -> None:
        super().__init__(site)
        self._site, self._clock = site, clock

    def read(self, asked: RoadRuleIn, id_: RuleId) -> RoadRule:
        """The rule; Refused with every reason."""
        pairs = self._pairs(asked)
        self._check_words(asked)
        until_s = None if asked.until is None else self._clock.to_loop(asked.until)
        if until_s is not None and until_s <= self._clock.now_s():
            remedy = "send a moment that is still to come"
            self.fault("until", "in_the_past", {"value": str(asked.until)}, remedy)
        from_s = None if asked.begins is None else self._clock.to_loop(asked.begins)
        if from_s is not None and until_s is not None and from_s >= until_s:
            remedy = "send one after from"
            self.fault("until", "window_empty", {"value": str(asked.until)}, remedy)
        if from_s is not None and from_s <= self._clock.now_s():
            from_s = None
        if self.faults:
            raise Refused(self.faults)
        return RoadRule(
            id=id_,
            kind=asked.kind,
            lanes=tuple(lane.id for lane, _ in pairs),
            ends=tuple(end for _, end in pairs) if asked.kind is RuleKind.ONE_WAY else (),
            speed_m_s=asked.speed_m_s,
            from_s=from_s,
            until_s=until_s,
        )

    def _pairs(self, asked: RoadRuleIn) -> list[tuple[Lane, NodeId]]:
        """The lanes that are meant, each with the node to which it is driven."""
        by_area = asked.level is not None or asked.zone is not None
        ways = sum((bool(asked.lanes), bool(asked.along), by_area))
        if ways != 1:
            remedy = "send lanes, or along, or level and zone, and only one of these"
            self.fault("lanes", "missing" if ways == 0 else "named_in_two_ways", {}, remedy)
            return []
        if asked.along:
            pairs = self.along(asked.along)
        else:
            lanes = (
                self.named(asked.lanes) if asked.lanes else self.lying_in(asked.level, asked.zone)
            )
            backward = asked.direction == "backward"
            pairs = [(lane, lane.start if backward else lane.end) for lane in lanes]
        if asked.kind is not RuleKind.ONE_WAY:
            return pairs
        cabins = self._site.lift_at
        if by_area:
            pairs = [(x, end) for x, end in pairs if not {x.start, x.end} & cabins.keys()]
        for lane, end in pairs:
            self._check_turn(lane, end)
        return pairs

    def _check_turn(self, lane: Lane, end: NodeId) -> None:
        if {lane.start, lane.end} & self._site.lift_at.keys():
            remedy = "leave it out: into a lift and out of it leads one way only as it is"
            self.fault("lanes", "lift_lane", {"value": lane.id}, remedy)
        elif not lane.two_way and end != lane.end:
            remedy = f"send the direction that the site file gives it, to {lane.end}, or leave it"
            self.fault("lanes", "against_one_way", {"value": lane.id}, remedy)

    def _check_words(self, asked: RoadRuleIn) -> None:
        if asked.kind is RuleKind.SPEED_LIMIT and asked.speed_m_s is None:
            self.fault("speed_m_s", "missing", {}, "send speed_m_s")
        if asked.kind is not RuleKind.SPEED_LIMIT and asked.speed_m_s is not None:
            facts = {"value": asked.speed_m_s}
            self.fault("speed_m_s", "unknown_field", facts, "leave it out, or send speed_limit")
        needs = asked.kind is RuleKind.ONE_WAY and not asked.along
        if needs and asked.direction is None:
            remedy = "send direction, forward or backward, or the nodes along which it leads"
            self.fault("direction", "missing", {}, remedy)
        if not needs and asked.direction is not None:
            remedy = "leave it out: only a one-way has it, and not one that says along"
            self.fault("direction", "unknown_field", {"value": asked.direction}, remedy)
