"""Where rules of the road are set, told, kept, begun in time, and ended when it is up."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from dispatcher.desks.road_rules_in import RoadRuleIn, RuleReader
from dispatcher.domain.road_rules import RoadRule, RuleId, RuleKind, together
from dispatcher.errors import FieldFault, NotFound, Refused
from dispatcher.records.alerts import Alerts, Severity
from dispatcher.records.book import TaskBook
from dispatcher.traffic.traffic import Traffic
from fleet.clock import Clock
from fleet.vehicle import VehicleId, VehicleSpec
from routing.refusal import Refusal
from routing.site import LaneId, NodeId, Site

NAMED = 3
"""How many places that a one-way would cut off are named."""


class RoadDesk:
    """The rules in force; each change is on disk before anybody drives by it.

    Args:
        specs: the vehicles that drive on the ground.
        changed: called when there are other rules now, with those who have no way on under them.
    """

    def __init__(
        self,
        site: Site,
        clock: Clock,
        specs: Sequence[VehicleSpec],
        traffic: Traffic,
        book: TaskBook,
        alerts: Alerts,
        changed: Callable[[Sequence[VehicleId]], None],
    ) -> None:
        self._site, self._clock = site, clock
        self._specs = specs
        self._traffic = traffic
        self._book = book
        self._alerts = alerts
        self._changed = changed
        self._rules: dict[RuleId, RoadRule] = {}
        self._to_come: dict[RuleId, None] = {}
        """Rules that are still to begin."""
        self._number = 0
        self._one_at_a_time = asyncio.Lock()
        """The rules change only after a wait for the disk: nobody else may look meanwhile."""
        self._news = asyncio.Event()

    @property
    def rules(self) -> list[RoadRule]:
        """All rules, also those that are still to begin, the oldest first."""
        return list(self._rules.values())

    @property
    def in_force(self) -> list[RoadRule]:
        """The rules that hold now, the oldest first."""
        return [rule for rule in self._rules.values() if rule.id not in self._to_come]

    def closing(self, lane: LaneId) -> RoadRule | None:
        """A rule that closes a lane."""
        closing = (rule for rule in self.in_force if rule.kind is RuleKind.CLOSED)
        return next((rule for rule in closing if lane in rule.lanes), None)

    async def set(self, asked: RoadRuleIn) -> RoadRule:
        """Set a rule; one that is in force already is answered as it is.

        Raises:
            Refused: with every reason.
        """
        async with self._one_at_a_time:
            id_ = RuleId(f"R-{self._number + 1:05d}")
            rule = RuleReader(self._site, self._clock).read(asked, id_)
            known = (other for other in self._rules.values() if rule.orders_the_same(other))
            if same := next(known, None):
                return same
            self._check(rule)
            self._number += 1
            await self._book.note("road_rule_set", **rule.facts(self._clock))
            self._rules[rule.id] = rule
            self._begin_or_wait(rule)
            self._apply()
            return rule

    async def lift(self, rule: RuleId) -> RoadRule:
        """End a rule before its time; NotFound."""
        if rule not in self._rules:
            raise NotFound("road rule", rule)
        return await self._end(rule, "lifted")

    def restore(self, rules: Sequence[RoadRule], number: int) -> None:
        """Take up what was in force before a restart; ``number`` rules there ever were."""
        self._number = number
        for rule in rules:
            lanes = [
                (lane, rule.ends[at : at + 1])
                for at, lane in enumerate(rule.lanes)
                if lane in self._site.lanes
            ]
            if lanes:
                left = tuple(lane for lane, _ in lanes)
                ends = tuple(end for _, its in lanes for end in its)
                self._rules[rule.id] = replace(rule, lanes=left, ends=ends)
                self._begin_or_wait(rule)
        if self.in_force:
            self._traffic.detours.set_rules(together(self.in_force))

    async def run(self) -> None:
        """Begin each rule in time, and end it when its time is up, until cancelled."""
        while True:
            self._news.clear()
            now_s = self._clock.now_s()
            begun = [rule for id_ in self._to_come if (rule := self._rules[id_]).holds(now_s)]
            for rule in begun:
                self._begin(rule)
            if begun:
                self._apply()
            for rule in self.rules:
                time_up = rule.until_s is not None and rule.until_s <= now_s
                if time_up and rule.id in self._rules:  # else it was lifted meanwhile
                    await self._end(rule.id, "time_up")
            moments = [
                at_s
                for rule in self.rules
                for at_s in (rule.from_s if rule.id in self._to_come else None, rule.until_s)
                if at_s is not None
            ]
            wait_s = min(moments) - self._clock.now_s() if moments else None
            try:
                async with asyncio.timeout(wait_s):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def _end(self, id_: RuleId, why: str) -> RoadRule:
        rule = self._rules.pop(id_)
        self._to_come.pop(id_, None)
        await self._book.note("road_rule_ended", rule=id_, why=why)
        self._alerts.clear(_ALERTS[rule.kind], thing=id_)
        self._apply()
        return rule

    def _apply(self) -> None:
        left = self._traffic.detours.set_rules(together(self.in_force))
        self._news.set()
        self._changed(left)

    def _begin_or_wait(self, rule: RoadRule) -> None:
        if rule.holds(self._clock.now_s()):
            self._begin(rule)
        else:
            self._to_come[rule.id] = None

    def _begin(self, rule: RoadRule) -> None:
        self._to_come.pop(rule.id, None)
        self._tell(rule)

    def _tell(self, rule: RoadRule) -> None:
        lanes = ", ".join(rule.lanes[:NAMED]) + (" …" if len(rule.lanes) > NAMED else "")
        if rule.kind is RuleKind.SPEED_LIMIT:
            self._alerts.open(
                "roads_slow",
                Severity.NOTICE,
                rule=rule.id,
                lanes=lanes,
                speed_m_s=rule.speed_m_s or 0.0,
            )
        elif rule.kind is RuleKind.ONE_WAY:
            self._alerts.open("roads_one_way", Severity.NOTICE, rule=rule.id, lanes=lanes)
        else:
            self._alerts.open("roads_closed", Severity.NOTICE, rule=rule.id, lanes=lanes)

    # --- one-ways ---

    def _check(self, rule: RoadRule) -> None:
        """Refuse a one-way that goes against another one, or lets somebody out but not home."""
        if rule.kind is not RuleKind.ONE_WAY:
            return
        before = together(self._rules.values())
        for lane, end in zip(rule.lanes, rule.ends, strict=True):
            if before.one_way.get(lane, end) != end:
                other = next(r for r in self._rules.values() if r.ends and lane in r.lanes)
                reason = Refusal("against_rule", {"value": lane, "rule": other.id})
                remedy = f"it is one way in the other direction: lift {other.id} first"
                raise Refused([FieldFault("lanes", reason, remedy)])
        after = together([*self._rules.values(), rule])
        for spec in self._specs:
            lost = self._traffic.roads.cut_off_by(after, spec)
            if lost:
                reason = Refusal("cuts_off", {"value": self._names(lost), "vehicle": spec.id})
                remedy = "leave a way there and back: turn fewer lanes, or close them instead"
                raise Refused([FieldFault("lanes", reason, remedy)])

    def _names(self, nodes: Sequence[NodeId]) -> str:
        """Places on these nodes, since people know places; nodes where there are none."""
        places = [place.id for node in nodes for place in self._site.places_at.get(node, ())]
        names = places or list(nodes)
        return ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")


_ALERTS = {
    RuleKind.CLOSED: "roads_closed",
    RuleKind.SPEED_LIMIT: "roads_slow",
    RuleKind.ONE_WAY: "roads_one_way",
}
