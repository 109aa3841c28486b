"""The roads as each kind of vehicle may use them now: closures come and go, answers are kept."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from dispatcher.traffic.driving_times import DrivingTimes
from dispatcher.traffic.hours import Goods, Hours, ShutTimes
from dispatcher.traffic.kinds import loaded, rules_of
from fleet.vehicle import VehicleSpec
from routing.errors import Unreachable
from routing.roads.paths import Roads, Rules, Way, drive_seconds
from routing.roads.road_rules import RoadRules, homecomers, ruled
from routing.site import Edge, LaneId, NodeId, Site


class Reaches(Protocol):
    """Says whether there is a way at some time of the day, when no lane is closed."""

    def __call__(self, start: NodeId, goal: NodeId, goods: Goods, *, loaded: bool) -> bool:
        """Whether one kind of vehicle gets from ``start`` to ``goal``."""
        ...


class RoadBook:
    """All roads of a site, by the rules of those who drive; no way leads over anybody's home.

    Args:
        hours: when lanes are shut to some goods, or to all; None = never.
    """

    def __init__(self, site: Site, hours: Hours | None = None) -> None:
        self._plain = self._site = site
        self._rules = RoadRules()
        self.hours = hours if hours is not None and hours.any else None
        self._homes: frozenset[NodeId] = frozenset()
        self._closed: dict[LaneId, float | None] = {}
        self._out: frozenset[LaneId] = frozenset()
        self._emergency: frozenset[LaneId] = frozenset()
        self._shut: frozenset[LaneId] = frozenset()
        """All lanes that are closed, out of service, or kept for an emergency."""
        self._now: dict[Rules, Roads] = {}
        self._open: dict[Rules, Roads] = {}
        self._apart: dict[tuple[Rules, frozenset[LaneId]], Roads] = {}
        self.driving = DrivingTimes(site, self)

    def keep_free(self, home: NodeId) -> None:
        """Lead nobody else over a vehicle's home."""
        self._homes |= {home}
        self._forget()
        self._open.clear()
        self._apart.clear()

    @property
    def homes(self) -> frozenset[NodeId]:
        """Everybody's homes."""
        return self._homes

    def of(self, spec: VehicleSpec, *, goods_on_board: bool = False) -> Roads:
        """The roads as a vehicle may use them now."""
        rules = rules_of(spec)
        return self.by(loaded(rules) if goods_on_board else rules)

    def by(self, rules: Rules) -> Roads:
        """The roads as vehicles of one kind may use them now."""
        if rules not in self._now:
            self._now[rules] = Roads(self._site, rules, self._shut, self._homes)
        return self._now[rules]

    def when_open(self, spec: VehicleSpec, *, goods_on_board: bool = False) -> Roads:
        """The roads as they are when no lane is closed, and no rule of people's is in force."""
        rules = rules_of(spec)
        rules = loaded(rules) if goods_on_board else rules
        if not self._shut and self._site is self._plain:
            return self.by(rules)
        if rules not in self._open:
            self._open[rules] = Roads(self._plain, rules, frozenset(), self._homes)
        return self._open[rules]

    # --- windows of the day ---

    def shut_times(self, goods: Goods, at_s: float) -> ShutTimes:
        """When lanes are shut to these goods, in seconds from a departure."""
        return {} if self.hours is None else self.hours.shut_times(goods, at_s)

    def met(
        self, spec: VehicleSpec, edges: Sequence[Edge], goods: Goods, at_s: float
    ) -> tuple[Edge, float] | None:
        """The first of these edges that is shut when a vehicle comes to it, and when it opens."""
        if self.hours is None:
            return None
        drives = ((edge, drive_seconds(self._site, edge, spec.speed_m_s)) for edge in edges)
        return self.hours.met(drives, goods, at_s)

    def way_at(
        self, spec: VehicleSpec, start: NodeId, goal: NodeId, goods: Goods, at_s: float
    ) -> Way:
        """The way for a departure to come that nobody has to wait on; raises Unreachable."""
        roads = self.of(spec, goods_on_board=bool(goods))
        way = roads.shortest(start, goal, clean_start=True)
        if self.met(spec, way.edges, goods, at_s) is None:
            return way
        shut = self.shut_times(goods, at_s)
        return roads.shortest(start, goal, clean_start=True, shut=shut)

    def some_day(self, spec: VehicleSpec) -> Reaches:
        """Where a vehicle gets to at all; asked many questions at once, it looks once."""
        known: dict[bool, Roads] = {}

        def reaches(start: NodeId, goal: NodeId, goods: Goods, *, loaded: bool) -> bool:
            roads = known.get(loaded)
            if roads is None:
                roads = known[loaded] = self.when_open(spec, goods_on_board=loaded)
            return self._some_day(roads, start, goal, goods)

        return reaches

    def _some_day(self, roads: Roads, start: NodeId, goal: NodeId, goods: Goods) -> bool:
        hours = self.hours
        if hours is None or not roads.reaches(start, goal):
            return roads.reaches(start, goal)
        way = roads.shortest(start, goal)
        if all(edge.lane.id not in self._site.windows for edge in way.edges):
            return True
        for departs_s in (0.0, *hours.changes(0.0)):
            try:
                roads.shortest(start, goal, shut=hours.shut_times(goods, departs_s))
            except Unreachable:
                continue
            return True
        return False

    @property
    def closed(self) -> Mapping[LaneId, float | None]:
        """The lanes that people closed, each with the second of its opening; None = until told."""
        return dict(self._closed)

    @property
    def any_shut(self) -> bool:
        """Whether there is a lane into which, or along which, nobody may be sent now."""
        return bool(self._shut) or bool(self._rules.one_way)

    def bars(self, edge: Edge, *, flees: bool = False) -> bool:
        """Whether nobody may be sent along an edge now; but who flees an emergency."""
        lane = edge.lane.id
        barred = lane in self._closed or lane in self._out or not self._rules.allow(edge)
        return barred or (lane in self._emergency and not flees)

    def is_out(self, lane: LaneId) -> bool:
        """Whether a lane leads through what is out of service, or to one that is stuck."""
        return lane in self._out

    def must_be_free(self, lane: LaneId) -> bool:
        """Whether an emergency wants a lane for itself."""
        return lane in self._emergency

    def set_emergency(self, lanes: frozenset[LaneId]) -> None:
        """These lanes are to be free for people, and no others."""
        self._emergency = lanes
        self._forget()

    def apart_from(self, lanes: frozenset[LaneId], spec: VehicleSpec) -> Roads:
        """The roads without some lanes, as if that were all that is the matter."""
        key = rules_of(spec), lanes
        if key not in self._apart:
            self._apart[key] = Roads(self._plain, key[0], lanes, self._homes)
        return self._apart[key]

    def to_flee(self, spec: VehicleSpec, stand: NodeId) -> Roads:
        """The roads to a refuge: in the zone that it stands in, and through no lift."""
        site, cabins = self._site, self._site.lift_at
        zone = {node.id: node.zone for node in site.nodes.values()}
        shut = {
            lane.id
            for lane in site.lanes.values()
            if lane.lift is not None
            or zone[lane.start] != zone[lane.end]
            or (({lane.start, lane.end} - {stand}) & cabins.keys())
        }
        closed = self._out | self._closed.keys() | self._rules.closed | shut
        return Roads(site, rules_of(spec), closed, self._homes)

    def now(self, edges: Iterable[Edge], *, flees: bool = False) -> tuple[Edge, ...]:
        """The same edges with the limits that they have now."""
        site = self._site
        return tuple(
            edge if self.bars(edge, flees=flees) else site.edge(edge.start, edge.end)
            for edge in edges
        )

    def set_rules(self, rules: RoadRules) -> None:
        """These rules of people's are in force, and no others."""
        self._rules = rules
        self._site = ruled(self._plain, rules)
        self._forget()

    def cut_off_by(self, rules: RoadRules, spec: VehicleSpec) -> list[NodeId]:
        """The nodes to which a vehicle could not get from its home, or not home again from there.

        That is, under these one-ways but not as it is now; what is closed opens again.
        """
        home, by = self._plain.places[spec.home].node, rules_of(spec)
        now, then = (
            homecomers(Roads(site, by, frozenset(), self._homes), home, self._homes)
            for site in (self._site, ruled(self._plain, rules))
        )
        return [node for node in self._plain.nodes if node in now and node not in then]

    def set_out(self, lanes: frozenset[LaneId]) -> None:
        """These lanes lead through doors and lifts that are out of service; no others do."""
        self._out = lanes
        self._forget()

    def close(self, lane: LaneId, until_s: float | None) -> None:
        """Close a lane."""
        self._closed[lane] = until_s
        self._forget()

    def open(self, lane: LaneId) -> bool:
        """Open a closed lane again; False = it was not closed."""
        was_closed = lane in self._closed
        self._closed.pop(lane, None)
        self._forget()
        return was_closed

    def _forget(self) -> None:
        self._shut = self._out.union(self._closed, self._rules.closed, self._emergency)
        self._now.clear()
        self.driving.forget()
