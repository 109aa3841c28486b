"""What a watch takes: its posts, how long rounds are, and how many vehicles hold it."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dispatcher.air.site_air import SiteAir
from dispatcher.domain.eligibility import why_not
from dispatcher.domain.shifts import MARGIN, SET_OUT_S, ShiftPlan
from dispatcher.domain.task import Patrol, VisitOrder
from dispatcher.missions.air_rounds import AirRounds
from dispatcher.missions.posts import Post, area_posts, point_posts
from dispatcher.missions.rounds import best_order
from dispatcher.missions.stations import Station, Stations
from dispatcher.patrols.relay import Cycle, overlap_s, vehicles_needed
from dispatcher.traffic.roadbook import RoadBook
from fleet.vehicle import Medium, VehicleSpec
from routing.air.drawn import DrawnArea, named_area
from routing.geometry import Point
from routing.site import NodeId, PlaceId, Site
from routing.watch.unpredictable import FREE, Wander, wander

ALL_NIGHT_S = 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchPlan:
    """What a watch takes.

    Args:
        posts: empty where no number of vehicles could hold the revisit time.
        round_s: the longest round of any post.
        able: who could stand on it at all.
        needed: how many vehicles hold all posts without a gap; None = no number does, for the
            ways there are too long for their batteries.
        shares: what each post adds to that.
    """

    posts: tuple[Post, ...]
    round_s: float
    able: tuple[VehicleSpec, ...]
    needed: int | None
    shares: tuple[float, ...]


class WatchPlans:
    """Plans watches on one site for one fleet."""

    def __init__(
        self,
        site: Site,
        roads: RoadBook,
        air: SiteAir,
        rounds: AirRounds,
        stations: Stations,
        specs: Sequence[VehicleSpec],
    ) -> None:
        self._site, self._roads, self._specs = site, roads, specs
        self._air, self._rounds, self._stations = air, rounds, stations

    def area(self, spec: Patrol) -> DrawnArea | None:
        """The area of a patrol; None = it has points."""
        if spec.area is not None:
            return named_area(self._site.airspaces[spec.area])
        return spec.drawn

    def posts(self, spec: Patrol, revisit_s: float) -> tuple[Post, ...]:
        """The posts of a watch, as few as hold ``revisit_s``; () = none do.

        Raises:
            Unreachable: some of it can't be come to.
        """
        worst, area = self._worst(spec), self.area(spec)
        if area is not None:
            return area_posts(
                area,
                lambda part: self._rounds.unseen_s(part, worst),
                revisit_s,
                least_s=self._rounds.least_s(area, worst),
            )
        times_s = self._times(spec.points, worst)
        most_s = revisit_s / FREE if spec.order is VisitOrder.RANDOM else revisit_s
        return point_posts(spec.points, times_s, spec.dwell_s, most_s)

    def wander(self, spec: Patrol, post: Post, vehicle: VehicleSpec) -> Wander:
        """How a robot goes round a post in an order that nobody can foresee."""
        looks_s = [post.dwell_s] * len(post.points)
        times_s = self._times(post.points, vehicle)
        return wander(times_s, looks_s, range(len(post.points)), spec.revisit_s or math.inf)

    def in_order(self, spec: Patrol, chance: random.Random) -> tuple[PlaceId, ...]:
        """The points of a patrol that is made once or a few times, in the order asked for."""
        points = list(spec.points)
        if spec.order is VisitOrder.RANDOM:
            chance.shuffle(points)
        elif spec.order is VisitOrder.BEST and len(points) > 2:
            best = best_order(self._times(points, self._worst(spec)))
            points = [points[number] for number in best]
        return tuple(points)

    def plan(self, spec: Patrol, revisit_s: float) -> WatchPlan:
        """All of it; raises Unreachable."""
        worst, posts = self._worst(spec), self.posts(spec, revisit_s)
        cycles = [self._cycle(post, worst, revisit_s) for post in self._open_now(posts, worst)]
        shares = [share for _, share in cycles]
        return WatchPlan(
            posts=posts,
            round_s=max((round_s for round_s, _ in cycles), default=math.inf),
            able=self._able(spec),
            needed=vehicles_needed(shares),
            shares=tuple(shares),
        )

    def best_revisit_s(self, spec: Patrol, revisit_s: float, has: int) -> float | None:
        """A revisit time that so many vehicles could hold, for a remedy; None = not this area."""
        for factor in (1.25, 1.5, 2, 3, 4, 6, 8, 12, 16):
            wanted_s = math.ceil(revisit_s * factor / 30) * 30.0
            needed = self.plan(spec, wanted_s).needed
            if needed is not None and 0 < needed <= has:
                return wanted_s
        return None

    def line(self, spec: Patrol, post: Post) -> tuple[Point, ...]:
        """One round of a post, as a line that ends where it began; of a robot from spot to spot."""
        if spec.medium is Medium.AIR:
            ring, _ = self._rounds.ring(post, self._worst(spec), self._air.over())
        else:
            nodes = [self._site.places[place].node for place in post.points]
            ring = tuple(self._site.nodes[node].point for node in nodes)
        return (*ring, ring[0])

    def robot_plan(
        self, post: Post, spec: VehicleSpec, stand: NodeId, charge_ratio: float
    ) -> ShiftPlan:
        """The shift that a ground robot could begin now; raises Unreachable."""
        ring = [self._site.places[place].node for place in post.points]
        home = self._site.places[spec.home].node
        roads = self._roads.of(spec)
        moving_s = sum(roads.seconds(a, b) for a, b in pairwise((*ring, ring[0])) if a != b)
        looks_s = post.dwell_s * len(ring)
        back_s = max(0.0 if node == home else roads.seconds(node, home) for node in ring)
        energy = spec.energy
        usable_wh = max(0.0, charge_ratio - energy.reserve_ratio) * energy.capacity_wh / MARGIN
        round_wh, back_wh = (
            energy.trip_wh(move_s=moving_s, idle_s=looks_s),
            energy.trip_wh(move_s=back_s),
        )
        out_s = 0.0 if stand == ring[0] else roads.seconds(stand, ring[0])
        ways_wh = back_wh + energy.trip_wh(move_s=out_s)
        enough = usable_wh >= ways_wh + 2 * round_wh
        return ShiftPlan(
            each=len(ring),
            round_s=moving_s + looks_s,
            rounds=math.floor((usable_wh - ways_wh) / round_wh) if enough else 0,
            out_s=out_s,
            back_s=back_s,
            round_wh=round_wh,
            back_wh=back_wh,
        )

    def shift_plan(self, station: Station) -> ShiftPlan:
        """What is expected of a drone's shift."""
        legs = station.legs
        return ShiftPlan(
            first=station.first,
            last=station.last,
            each=len(legs.ring),
            round_s=legs.round_s,
            rounds=station.rounds,
            out_s=legs.out_s + legs.look_s,
            back_s=legs.back_s,
            round_wh=legs.round_wh,
            back_wh=legs.back_wh,
        )

    def is_shut(self, spec: Patrol, post: Post) -> bool:
        """Whether nobody may see to a post at this hour."""
        return spec.medium is Medium.AIR and self._rounds.shut(post, self._worst(spec))

    def _open_now(self, posts: Sequence[Post], worst: VehicleSpec) -> Sequence[Post]:
        """The posts that may be seen to at this hour; all, where none may."""
        if worst.medium is Medium.GROUND:
            return posts
        return [post for post in posts if not self._rounds.shut(post, worst)] or posts

    def _worst(self, spec: Patrol) -> VehicleSpec:
        """Who takes the longest for a round: what it can hold, all can."""
        sees_from_m = self._air.sees_from_m
        return min(self._able(spec), key=lambda one: (sees_from_m(one), one.speed_m_s, one.id))

    def _able(self, spec: Patrol) -> tuple[VehicleSpec, ...]:
        return tuple(one for one in self._specs if not why_not(spec, one))

    def _cycle(self, post: Post, spec: VehicleSpec, revisit_s: float) -> tuple[float, float]:
        """Seconds of a round, and how many such vehicles the post takes."""
        home = self._site.places[spec.home].node
        if spec.medium is Medium.AIR:
            station = self._stations.compose(post, spec, home, 1.0, until_s=ALL_NIGHT_S)
            plan = self.shift_plan(station)
            ways_wh = station.legs.ways_wh
        else:
            plan = self.robot_plan(post, spec, home, 1.0)
            ways_wh = 2 * plan.back_wh
        used_wh = plan.rounds * plan.round_wh + ways_wh
        charge_s = used_wh * 3600 / spec.energy.charge_w
        away_s = plan.back_s + charge_s + SET_OUT_S + plan.out_s
        both_s = overlap_s(plan.round_s, plan.round_s, revisit_s)
        return plan.round_s, Cycle(stretch_s=plan.stretch_s, away_s=away_s).share(both_s)

    def _times(self, points: Sequence[PlaceId], spec: VehicleSpec) -> list[list[float]]:
        nodes = [self._site.places[place].node for place in points]
        if spec.medium is Medium.AIR:
            pace = self._air.pace(spec)
            spots = [self._site.nodes[node].point for node in nodes]
            return [[pace.way_s((a, b)) for b in spots] for a in spots]
        roads = self._roads.of(spec)
        return [[0.0 if a == b else float(roads.seconds(a, b)) for b in nodes] for a in nodes]
