"""What a robot of version 3.0 needs besides orders: its zones, answers, and a tidy state.

Nothing here ever ends a mission. What a robot doesn't take is noted as an oddity, and left.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from fleet.errors import LinkTimeout
from fleet.mission import Clearance
from fleet.vda5050.conduct import Rule
from fleet.vda5050.grants import decide, due
from fleet.vda5050.link import Link
from fleet.vda5050.order_messages import Action
from fleet.vda5050.outbox import Repeat
from fleet.vda5050.state_messages import State
from fleet.vda5050.terms import ENDED
from fleet.vda5050.view import mode_of
from fleet.vda5050.zone_messages import GrantType, Response, ZoneSet, ZoneType
from fleet.vda5050.zones import Atlas, SiteZone, id_stem, zone_set, zone_sets
from fleet.vehicle import Mode, VehicleSpec
from routing.roads.road_rules import RoadRules
from routing.site import LaneId, LevelId, Site

_ENDED_KEPT = 10
"""So many instant actions that have ended may stand in a state before we have it cleared."""
_ASK_AGAIN_S = 10.0
_NOES = frozenset({GrantType.REJECTED, GrantType.REVOKED})
_SETS_KEPT = 20
"""So many zone sets of ours are remembered for requests that name an old one."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One thing to say about zone sets: the verb, the set's id, and how to say it."""

    verb: str
    id: str
    said: ZoneSet | Action


class Attendant:
    """Looks after one robot of version 3.0, beside whoever follows its mission.

    Args:
        clearance: of the mission in hand; None = it has none.
        taken_up: whether it is known who leads the order that a state tells of. It may be one of
            ours from before a restart: nothing is refused to it before it is followed again.
        atlas: the site's zones, where several vehicles share one.
    """

    def __init__(
        self,
        link: Link,
        site: Site,
        spec: VehicleSpec,
        clearance: Callable[[], Clearance | None],
        taken_up: Callable[[State], bool],
        atlas: Atlas | None = None,
    ) -> None:
        self._link, self._site, self._spec = link, site, spec
        self._clearance, self._taken_up = clearance, taken_up
        self._atlas = atlas or Atlas(site)
        self._stems = tuple(id_stem(site, level) for level in site.levels)
        self._rules = RoadRules()
        self._drawn: tuple[object, ...] = ()
        self._wanted: dict[str, ZoneSet] = {}
        self._release: dict[str, dict[str, SiteZone]] = {}
        """RELEASE zones by set and zone."""
        self._step: _Step | None = None
        self._repeat = Repeat(link.config.ack_timeout_s)
        self._given_up: dict[tuple[str, str], None] = {}
        self._answers: dict[str, tuple[GrantType, float]] = {}
        """The last answer to each request, and when it was said."""
        self._cleared_at_s = self._asked_at_s = -math.inf

    def set_rules(self, rules: RoadRules) -> None:
        """Other rules of the road hold from now on."""
        self._rules = rules
        self._link.news.ring()

    async def run(self) -> None:
        """Say what is due at each news of the robot, of traffic and of the rules."""
        link = self._link
        with link.repeating(self._repeat):
            while True:
                rung, state = link.news.rung, link.state
                until_s = math.inf
                if state is not None and self._may_speak(state):
                    if link.config.zones:
                        await self._ask_for_factsheet()
                        self._draw(state)
                        until_s = min(
                            await self._answer(state), await self._zone(state), link.stale_at_s()
                        )
                    await self._tidy(state)
                await link.news.wait(rung, None if until_s == math.inf else until_s)

    def _may_speak(self, state: State) -> bool:
        inbox = self._link.inbox
        return inbox.online and not inbox.doubled and mode_of(state) is Mode.AUTOMATIC

    async def _ask_for_factsheet(self) -> None:
        """The first time that it is asked for, at the greeting, it may have got lost."""
        now_s = self._link.now_s()
        if self._link.inbox.factsheet is None and now_s >= self._asked_at_s + _ASK_AGAIN_S:
            if self._asked_at_s != -math.inf:
                await self._link.outbox.ask("factsheetRequest")
            self._asked_at_s = now_s

    # requests

    async def _answer(self, state: State) -> float:
        """Answer what the robot asks for; returns when to look again at the latest."""
        now_s, again_s = self._link.now_s(), math.inf
        responses: list[Response] = []
        answers: dict[str, tuple[GrantType, float]] = {}
        taken_up = self._taken_up(state)
        clearance = self._clearance() if taken_up else None
        for request in state.zone_requests or ():
            zones = self._release.get(request.zone_set_id, {})
            answer = decide(request, zones, state, clearance)
            said, at_s = self._answers.get(request.request_id, (None, -math.inf))
            early = answer in _NOES and not (taken_up and self._knows(request.zone_set_id))
            if not early and due(request, answer, said):
                due_s = at_s + self._link.config.ack_timeout_s
                if said is not answer or now_s >= due_s:
                    responses.append(Response(request_id=request.request_id, grant_type=answer))
                    said, at_s = answer, now_s
                again_s = min(again_s, at_s + self._link.config.ack_timeout_s)
            if said is not None:
                answers[request.request_id] = said, at_s
        for edge_request in state.edge_requests or ():  # we never send a corridor to be asked for
            known = edge_request.request_id in self._answers
            if not known and taken_up:
                rejected = GrantType.REJECTED
                responses.append(Response(request_id=edge_request.request_id, grant_type=rejected))
            if known or taken_up:
                answers[edge_request.request_id] = GrantType.REJECTED, now_s
        self._answers = answers
        if responses:
            await self._link.outbox.send_responses(responses)
        return again_s

    def _knows(self, zone_set_id: str) -> bool:
        """Whether it is certain what a set says: one of ours may be from before a restart."""
        if self._link.inbox.factsheet is None:
            return False
        return zone_set_id in self._release or not zone_set_id.startswith(self._stems)

    # zone sets

    async def _zone(self, state: State) -> float:
        """Bring the robot's zone sets to what they should be, one step after the other."""
        step = self._next(state)
        if step is None:
            self._step = None
            return math.inf
        if self._step is None or (step.verb, step.id) != (self._step.verb, self._step.id):
            self._step = step
            self._repeat.restart()
        said = self._step.said
        try:
            if isinstance(said, ZoneSet):
                await self._link.say(self._repeat, lambda: self._link.outbox.send_zone_set(said))
            else:
                await self._link.say(self._repeat, lambda: self._link.outbox.send_instant(said))
        except LinkTimeout:
            self._given_up[step.verb, step.id] = None
            self._link.odd(Rule.IGNORES_ZONES, step.id)
        return self._repeat.deadline_s

    def _next(self, state: State) -> _Step | None:
        stored = {known.zone_set_id: known for known in state.zone_sets or ()}
        for wanted in self._wanted.values():
            known = stored.get(wanted.zone_set_id)
            if known is None:
                step = _Step("send", wanted.zone_set_id, wanted)
            elif not known.enabled:
                step = self._act("enableZoneSet", wanted.zone_set_id)
            else:
                continue
            if (step.verb, step.id) not in self._given_up:
                return step
        wanted_ids = {wanted.zone_set_id for wanted in self._wanted.values()}
        for known in stored.values():
            old = known.zone_set_id not in wanted_ids and not known.enabled
            key = "deleteZoneSet", known.zone_set_id
            if old and known.zone_set_id.startswith(self._stems) and key not in self._given_up:
                return self._act(*key)
        return None

    def _act(self, verb: str, zone_set_id: str) -> _Step:
        if self._step is not None and (self._step.verb, self._step.id) == (verb, zone_set_id):
            return self._step
        action = self._link.outbox.instant(verb, zone_set_id=zone_set_id)
        return _Step(verb, zone_set_id, action)

    def _draw(self, state: State) -> None:
        """Draw the zones anew if anything that they are made of has changed."""
        config, sheet = self._link.config, self._link.inbox.factsheet
        types = sheet.type_specification.supported_zones if sheet is not None else None
        if not types:
            return
        under_way = self._under_way(state)
        made_of = types, self._rules, under_way
        if made_of == self._drawn:
            return
        self._drawn = made_of
        zones = self._atlas.zones(self._rules, self._spec, types, open_lanes=under_way)
        drawn = zone_sets(self._site, zones, config.maps)
        for level in self._site.levels:  # a map that has no zones any more gets an empty set
            map_id = config.maps.get(level, level)
            if map_id in self._wanted and map_id not in drawn:
                drawn[map_id] = zone_set(self._site, level, map_id, ())
        self._wanted = drawn
        self._remember(drawn, zones)

    def _under_way(self, state: State) -> frozenset[LaneId]:
        """Closed lanes that it was given before they were closed: it may drive to their end.

        What it has of an order that nobody has taken up again stands in its own state.
        """
        if not self._rules.closed:
            return frozenset()
        told = {LaneId(edge.edge_id) for edge in state.edge_states if edge.released}
        clearance = self._clearance()
        if clearance is not None:
            granted = clearance.route[clearance.passed + 1 : clearance.released]
            told |= {waypoint.lane for waypoint in granted if waypoint.lane}
        return frozenset(told & self._rules.closed)

    def _remember(self, drawn: dict[str, ZoneSet], zones: list[SiteZone]) -> None:
        for known in drawn.values():
            self._release.pop(known.zone_set_id, None)
            ids = {zone.zone_id for zone in known.zones}
            self._release[known.zone_set_id] = {
                one.zone.zone_id: one
                for one in zones
                if one.zone.zone_type is ZoneType.RELEASE
                and one.zone.zone_id in ids
                and self._map(one.level) == known.map_id
            }
        for old in list(self._release)[: max(0, len(self._release) - _SETS_KEPT)]:
            del self._release[old]

    def _map(self, level: LevelId) -> str:
        return self._link.config.maps.get(level, level)

    # a tidy state

    async def _tidy(self, state: State) -> None:
        """Have instant actions that have ended cleared; each has been noted by then."""
        ended = [a for a in state.instant_action_states or () if a.action_status in ENDED]
        now_s = self._link.now_s()
        if len(ended) >= _ENDED_KEPT and now_s >= self._cleared_at_s + self._link.config.fresh_s:
            self._cleared_at_s = now_s
            await self._link.outbox.ask("clearInstantActions")
