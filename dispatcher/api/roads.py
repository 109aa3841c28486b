"""The API's routes for rules of the road."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from dispatcher.api.idempotency import Key, Once
from dispatcher.api.ports import RoadDesk, Showing
from dispatcher.api.views import View
from dispatcher.desks.road_rules_in import RoadRuleIn
from dispatcher.domain.road_rules import RoadRule, RuleId, RuleKind
from fleet.clock import Clock


class RuledLane(View):
    """A lane under a rule; ``to`` is the node to which it may be driven, if that is one only."""

    lane: str
    to: str | None


class RoadRuleOut(View):
    """One rule, and whether it holds."""

    id: str
    kind: RuleKind
    lanes: list[RuledLane]
    speed_m_s: float | None
    begins: Annotated[datetime | None, Field(serialization_alias="from")]
    until: datetime | None
    in_force: bool


class RoadRulesOut(View):
    """All rules, also those that are still to begin, the oldest first."""

    road_rules: list[RoadRuleOut]


def road_rule_out(rule: RoadRule, clock: Clock, *, ended: bool = False) -> RoadRuleOut:
    """A rule as screens and programs see it."""
    ends = rule.ends or (None,) * len(rule.lanes)
    return RoadRuleOut(
        id=rule.id,
        kind=rule.kind,
        lanes=[RuledLane(lane=lane, to=to) for lane, to in zip(rule.lanes, ends, strict=True)],
        speed_m_s=rule.speed_m_s,
        begins=None if rule.from_s is None else clock.to_utc(rule.from_s),
        until=None if rule.until_s is None else clock.to_utc(rule.until_s),
        in_force=not ended and rule.holds(clock.now_s()),
    )


def road_views(service: Showing) -> APIRouter:
    """The route that looks at the rules."""
    router = APIRouter()

    @router.get("/road-rules", tags=["site"])
    async def list_road_rules() -> RoadRulesOut:
        """All rules of the road, also those that are still to begin."""
        return RoadRulesOut(
            road_rules=[road_rule_out(rule, service.clock) for rule in service.road_rules()]
        )

    return router


def road_orders(desk: RoadDesk, clock: Clock, once: Once) -> APIRouter:
    """The routes that set and lift rules."""
    router = APIRouter()

    @router.post("/road-rules", tags=["site"], status_code=201, response_model=RoadRuleOut)
    async def set_road_rule(request: Request, wanted: RoadRuleIn, key: Key = None) -> Response:
        """Close lanes, limit their speed or have them driven one way, from now or later on."""

        async def write() -> str:
            rule = await desk.set(wanted)
            return road_rule_out(rule, clock).model_dump_json(by_alias=True)

        return await once.run(request, key, write, status=201)

    @router.post("/road-rules/{rule}/lift", tags=["site"], response_model=RoadRuleOut)
    async def lift_road_rule(request: Request, rule: str, key: Key = None) -> Response:
        """End a rule before its time."""

        async def write() -> str:
            lifted = await desk.lift(RuleId(rule))
            return road_rule_out(lifted, clock, ended=True).model_dump_json(by_alias=True)

        return await once.run(request, key, write)

    return router
