"""Whom to send to a post: who could be there in time, and stay."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from dispatcher.domain.eligibility import why_not
from dispatcher.domain.shifts import SET_OUT_S, ShiftPlan
from dispatcher.missions.posts import Post
from dispatcher.missions.stations import Stations
from dispatcher.patrols.watch_plans import WatchPlans
from dispatcher.patrols.watch_views import Watch
from fleet.vehicle import Medium, VehicleId, VehicleSpec, VehicleState
from routing.errors import Unreachable
from routing.geometry import Point
from routing.site import NodeId

LEAST_STRETCH_S = 300.0
"""Nobody relieves for less while somebody else could stay longer."""
LAUNCH_KEPT = 0.9
"""How slowly a long launch is forgotten."""


class Member(Protocol):
    """What a watch must know of a vehicle."""

    @property
    def spec(self) -> VehicleSpec:
        """What it is."""
        ...

    def state(self) -> VehicleState:
        """Its latest word."""
        ...

    @property
    def stands_at(self) -> NodeId:
        """Where it stands."""
        ...

    @property
    def may_stand_watch(self) -> bool:
        """Whether it could begin a shift now."""
        ...

    @property
    def in_service(self) -> bool:
        """Whether people let it work."""
        ...

    @property
    def let_work(self) -> bool:
        """Whether they do, and nobody commands it."""
        ...

    def wake(self) -> None:
        """Something has changed for it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One vehicle that could make a shift: when it would be there (loop seconds), and its plan.

    ``begin`` is how its rounds begin; none = anyhow.
    """

    vehicle: VehicleId
    arrives_s: float
    plan: ShiftPlan
    begin: tuple[Point, ...] = ()


class Reliefs:
    """Weighs the vehicles of one site for the posts of watches.

    Args:
        crew: all vehicles.
    """

    def __init__(
        self,
        stations: Stations,
        plans: WatchPlans,
        crew: Callable[[], Mapping[VehicleId, Member]],
    ) -> None:
        self._stations, self._plans, self._crew = stations, plans, crew
        self.launch_s = SET_OUT_S
        """From being told to being under way, as measured."""

    def launched(self, took_s: float) -> None:
        """A launch took so long."""
        self.launch_s = max(took_s, LAUNCH_KEPT * self.launch_s, 10.0)

    def offers(
        self, watch: Watch, post: Post, now_s: float, begin: tuple[Point, ...] = ()
    ) -> list[Offer]:
        """All who could set out for a post now, the first there first.

        Args:
            begin: how a drone's rounds are to begin, as near as they come to it.
        """
        found: list[Offer] = []
        for vehicle, member in self._crew().items():
            if member.may_stand_watch and not why_not(watch.spec, member.spec):
                offer = self._offer(watch, post, vehicle, member, now_s, begin)
                if offer is not None:
                    found.append(offer)
        return sorted(found, key=lambda one: (one.arrives_s, one.vehicle))

    def longest(self, offers: list[Offer]) -> Offer | None:
        """Who would stay the longest; of two alike the nearer one."""
        good = [one for one in offers if one.plan.stretch_s >= LEAST_STRETCH_S] or offers
        return max(
            good, key=lambda one: (round(one.plan.stretch_s, -2), -one.arrives_s), default=None
        )

    def plan(
        self,
        watch: Watch,
        post: Post,
        member: Member,
        ratio: float,
        now_s: float,
        begin: tuple[Point, ...] = (),
    ) -> ShiftPlan | None:
        """The shift that a vehicle with such a battery could begin now; None = none."""
        spec = member.spec
        try:
            if spec.medium is Medium.GROUND:
                plan = self._plans.robot_plan(post, spec, member.stands_at, ratio)
            else:
                station = self._stations.compose(
                    post,
                    spec,
                    member.stands_at,
                    ratio,
                    until_s=watch.ends_s - now_s,
                    begin=begin,
                )
                plan = self._plans.shift_plan(station)
        except Unreachable:
            return None
        return plan if plan.rounds else None

    def ready_in_s(self, watch: Watch, post: Post, member: Member, after_s: float = 0.0) -> float:
        """In how many seconds a vehicle could set out on a shift of some use; infinite = never.

        Args:
            after_s: in how many seconds it stands at home with what it then has, for one that is
                out now.
        """
        state, energy = member.state(), member.spec.energy
        if not member.let_work or not state.fit or state.charge_ratio is None:
            return math.inf
        ratio = state.charge_ratio if not after_s else energy.reserve_ratio
        for step in range(11):
            wanted = max(ratio, energy.reserve_ratio + (1 - energy.reserve_ratio) * step / 10)
            plan = self.plan(watch, post, member, wanted, 0.0) if wanted >= ratio else None
            if plan is not None and plan.stretch_s >= LEAST_STRETCH_S:
                return after_s + energy.charge_s(ratio, wanted)
        return math.inf

    def _offer(
        self,
        watch: Watch,
        post: Post,
        vehicle: VehicleId,
        member: Member,
        now_s: float,
        begin: tuple[Point, ...],
    ) -> Offer | None:
        ratio = member.state().charge_ratio
        plan = self.plan(watch, post, member, 1.0 if ratio is None else ratio, now_s, begin)
        if plan is None:
            return None
        arrives_s = now_s + self.launch_s + plan.out_s
        return Offer(vehicle=vehicle, arrives_s=arrives_s, plan=plan, begin=begin)
