"""The rules of the road that people have set: each with its lanes, and from and until when."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from fleet.clock import Clock
from routing.roads.road_rules import RoadRules
from routing.site import LaneId, NodeId

RuleId = NewType("RuleId", str)


class RuleKind(StrEnum):
    """What a rule orders."""

    CLOSED = "closed"
    """Nobody is sent into these lanes."""
    SPEED_LIMIT = "speed_limit"
    ONE_WAY = "one_way"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadRule:
    """One order about some lanes.

    Args:
        ends: of a one-way, the node to which each lane may be driven, in the order of ``lanes``.
        from_s: loop second at which it begins to hold; None = it has held since it was set.
        until_s: loop second at which it ends by itself; None = when it is lifted.
    """

    id: RuleId
    kind: RuleKind
    lanes: tuple[LaneId, ...]
    ends: tuple[NodeId, ...] = ()
    speed_m_s: float | None = None
    from_s: float | None = None
    until_s: float | None = None

    def holds(self, now_s: float) -> bool:
        """Whether its time has come."""
        return self.from_s is None or self.from_s <= now_s

    def facts(self, clock: Clock) -> dict[str, Any]:
        """What the journal holds of it."""
        return {
            "rule": self.id,
            "rules": self.kind,
            "lanes": self.lanes,
            "ends": self.ends,
            "speed_m_s": self.speed_m_s,
            "from": None if self.from_s is None else clock.to_utc(self.from_s),
            "until": None if self.until_s is None else clock.to_utc(self.until_s),
        }

    def orders_the_same(self, other: "RoadRule") -> bool:
        """Whether another rule says just this: setting it as well would change nothing."""
        return self == replace(other, id=self.id)


def rule_of(facts: Mapping[str, Any], clock: Clock) -> RoadRule:
    """A rule out of the journal."""
    return RoadRule(
        id=RuleId(facts["rule"]),
        kind=RuleKind(facts["rules"]),
        lanes=tuple(LaneId(lane) for lane in facts["lanes"]),
        ends=tuple(NodeId(end) for end in facts["ends"]),
        speed_m_s=facts["speed_m_s"],
        from_s=_moment(facts.get("from"), clock),
        until_s=_moment(facts["until"], clock),
    )


def _moment(text: str | None, clock: Clock) -> float | None:
    return None if text is None else clock.to_loop(datetime.fromisoformat(text))


def together(rules: Iterable[RoadRule]) -> RoadRules:
    """What all of these come to: the lowest limit of each lane counts."""
    closed: dict[LaneId, None] = {}
    limits: dict[LaneId, float] = {}
    one_way: dict[LaneId, NodeId] = {}
    for rule in rules:
        match rule.kind:
            case RuleKind.CLOSED:
                closed |= dict.fromkeys(rule.lanes)
            case RuleKind.SPEED_LIMIT:
                for lane in rule.lanes:
                    limit = rule.speed_m_s or 0.0
                    limits[lane] = min(limit, limits.get(lane, limit))
            case RuleKind.ONE_WAY:
                one_way |= zip(rule.lanes, rule.ends, strict=True)
    return RoadRules(closed=frozenset(closed), limits_m_s=limits, one_way=one_way)
