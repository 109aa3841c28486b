"""What a patrol would take, and every reason why it can't be had, before anything sets out."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

from dispatcher.air.site_air import SiteAir
from dispatcher.domain.eligibility import nearest_miss, why_not
from dispatcher.domain.shifts import MARGIN
from dispatcher.domain.stops import Handling, TaskStop, stops_of_spec
from dispatcher.domain.task import Patrol, TaskId
from dispatcher.errors import FieldFault
from dispatcher.missions.air_rounds import AirRounds
from dispatcher.missions.air_tours import AirTours
from dispatcher.patrols.survey_plans import MOST_FLIGHTS, Estimate, SurveyPlans, worth_sharing
from dispatcher.patrols.watch_plans import WatchPlan, WatchPlans
from dispatcher.records.executors import offload
from fleet.vehicle import Medium, VehicleSpec
from routing.air.drawn import area_faults
from routing.errors import NoPlan, Unreachable
from routing.geometry import Point
from routing.refusal import Refusal
from routing.site import Site
from routing.survey.parts import plan_parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a patrol would take.

    Args:
        lines: what is flown or driven over: one polyline for each post of a watch, or all of it.
        minutes: of one round of the longest post, or of the whole patrol.
        battery_ratio: share of a whole battery that one flight of it uses; None on the ground.
        needed: vehicles; None where no number would do.
        able: how many of this site's could do it at all.
        engaged: how many other watches take at the same time.
        used: drones that it is shared out among; None for watches, and on the ground.
        sorties: its flights, of all of them together; None where ``used`` is.
        in_parts: whether it takes several flights.
        faults: every reason why it would be refused; empty = it would be accepted.
    """

    lines: tuple[tuple[Point, ...], ...] = ()
    minutes: float | None = None
    battery_ratio: float | None = None
    needed: int | None = None
    able: int = 0
    engaged: int = 0
    used: int | None = None
    sorties: int | None = None
    in_parts: bool = False
    faults: tuple[FieldFault, ...] = ()


class PatrolJudge:
    """Judges patrols on one site, for one fleet.

    Args:
        engaged: how many vehicles watches take between two loop seconds, as a fraction.
        executor: where an area is cut into parts, for a preview.
    """

    def __init__(
        self,
        site: Site,
        air: SiteAir,
        rounds: AirRounds,
        tours: AirTours,
        plans: WatchPlans,
        surveys: SurveyPlans,
        handling: Handling,
        specs: Sequence[VehicleSpec],
        engaged: Callable[[float, float, Medium], float],
        executor: Executor,
    ) -> None:
        self._site, self._plans = site, plans
        self._air, self._rounds, self._tours = air, rounds, tours
        self._surveys, self._executor = surveys, executor
        self._handling, self._specs, self._engaged = handling, specs, engaged

    def judge(self, spec: Patrol, begins_s: float, ends_s: float) -> Forecast:
        """All that can be said of a patrol from one loop second to another."""
        able = [one for one in self._specs if not why_not(spec, one)]
        if not able:
            reasons = nearest_miss(why_not(spec, one) for one in self._specs)
            remedy = "ask for what a vehicle of this site can do, or add one with a camera"
            return Forecast(faults=tuple(FieldFault("kind", why, remedy) for why in reasons))
        if spec.drawn is not None:
            height_m = min(one.cruise_agl_m for one in able)
            wrong = area_faults(spec.drawn, self._site, height_m)
            if wrong:
                found = [FieldFault("outline", Refusal(w.code, w.facts), w.remedy) for w in wrong]
                return Forecast(able=len(able), faults=tuple(found))
        try:
            if spec.revisit_s is not None:
                return self._watch(spec, spec.revisit_s, begins_s, ends_s)
            if spec.medium is Medium.AIR:
                return self._flown(spec, able)
        except Unreachable as error:
            reason = Refusal("unreachable", {"value": error.goal})
            remedy = "ask for what can be come to, with the roads and the air that are open"
            return Forecast(able=len(able), faults=(FieldFault(_field(spec), reason, remedy),))
        return Forecast(able=len(able), needed=1)

    async def preview(self, spec: Patrol, begins_s: float, ends_s: float) -> Forecast:
        """The same, with the lines of an area in parts as they would be flown by all drones."""
        judged, area = self.judge(spec, begins_s, ends_s), self._plans.area(spec)
        if judged.faults or not judged.in_parts or area is None:
            return judged
        able = [one for one in self._specs if not why_not(spec, one)]
        survey, _ = self._surveys.survey(area, self._surveys.at_home(able))
        try:
            plan = await offload(self._executor, plan_parts, survey)
        except (Unreachable, NoPlan):
            return replace(judged, faults=(_out_of_reach(spec),))
        return replace(
            judged,
            lines=tuple(tuple(Point(x, y) for x, y in part.line) for part in plan.parts),
            minutes=round(spec.rounds * plan.makespan_s / 60, 1),
            battery_ratio=max(self._ratio(one, plan.longest_s) for one in able),
            used=plan.drones,
            sorties=spec.rounds * len(plan.parts),
        )

    def _ratio(self, spec: VehicleSpec, flight_s: float) -> float:
        """Share of a whole battery that a flight of so many seconds uses."""
        pace = self._air.pace(spec)
        way_s = max(0.0, flight_s - pace.climb_s - pace.land_s)
        return round((pace.ends_wh + pace.way_wh(way_s)) / spec.energy.capacity_wh, 2)

    # --- watches ---

    def _watch(self, spec: Patrol, revisit_s: float, begins_s: float, ends_s: float) -> Forecast:
        plan = self._plans.plan(spec, revisit_s)
        taken = self._engaged(begins_s, ends_s, spec.medium)
        has = len(plan.able)
        needed = None if plan.needed is None else _whole(sum(plan.shares) + taken)
        return Forecast(
            lines=tuple(self._plans.line(spec, post) for post in plan.posts),
            minutes=round(plan.round_s / 60, 1) if plan.posts else None,
            battery_ratio=self._shift_ratio(plan),
            needed=plan.needed if plan.posts else None,
            able=has,
            engaged=_whole(taken),
            faults=tuple(self._watch_faults(spec, revisit_s, plan, needed, has)),
        )

    def _watch_faults(
        self, spec: Patrol, revisit_s: float, plan: WatchPlan, needed: int | None, has: int
    ) -> list[FieldFault]:
        if not plan.posts:
            reason = Refusal("revisit_too_short", {"revisit_s": revisit_s})
            remedy = "allow more time: not even one vehicle for each spot comes round so quickly"
            return [FieldFault("revisit_s", reason, remedy)]
        if plan.needed is None or needed is None:
            reason = Refusal("watch_out_of_reach", {"posts": len(plan.posts)})
            remedy = "watch something nearer: the ways there and back leave a battery no time there"
            return [FieldFault(_field(spec), reason, remedy)]
        if needed <= has:
            return []
        facts = {"needs": needed, "has": has, "engaged": needed - plan.needed}
        longer_s = self._plans.best_revisit_s(spec, revisit_s, has - (needed - plan.needed))
        remedy = f"it would take {needed} vehicles: add {needed - has}"
        if longer_s is not None:
            remedy += f", or allow a revisit time of {longer_s:.0f} s"
        return [FieldFault("revisit_s", Refusal("too_few_for_watch", facts), remedy)]

    def _shift_ratio(self, plan: WatchPlan) -> float | None:
        flown = [one for one in plan.able if one.medium is Medium.AIR]
        if not flown or not plan.posts:
            return None
        return round((1 - max(one.energy.reserve_ratio for one in flown)) / MARGIN, 2)

    # --- flights there and back ---

    def _flown(self, spec: Patrol, able: Sequence[VehicleSpec]) -> Forecast:
        """One flight of whoever sees the most; what its battery can't do is told at once."""
        best = max(able, key=lambda one: (one.cruise_agl_m, one.speed_m_s, one.id))
        area, usable = self._plans.area(spec), 1 - best.energy.reserve_ratio
        stops = stops_of_spec(TaskId(""), spec, self._handling)
        seconds = 0.0 if area is None else self._rounds.least_s(area, best)
        wh = self._air.pace(best).way_wh(seconds)
        lines: tuple[tuple[Point, ...], ...] = ()
        if wh * MARGIN <= usable * best.energy.capacity_wh:
            seconds, wh = self._tour_wh(stops[0], best)
            lines = (self._tours.tour(stops[0], best),)
        if area is not None:
            guess = self._surveys.estimate(area, able)
            too_much = wh * MARGIN > usable * best.energy.capacity_wh
            if too_much or (len(able) > 1 and worth_sharing(seconds, guess.seconds)):
                return self._in_parts(spec, able, guess)
        ratio = wh / best.energy.capacity_wh
        needed = max(1, _whole(ratio * MARGIN / usable))
        faults: list[FieldFault] = []
        if needed > 1:
            facts = {"minutes": round(seconds / 60, 1), "needs": needed}
            remedy = f"no battery lasts for it: ask for {needed} parts of it or more, one by one"
            faults.append(FieldFault(_field(spec), Refusal("patrol_beyond_range", facts), remedy))
        return Forecast(
            lines=lines,
            minutes=round(len(stops) * seconds / 60, 1),
            battery_ratio=round(ratio, 2),
            needed=needed,
            able=len(able),
            used=1,
            sorties=len(stops),
            faults=tuple(faults),
        )

    def _in_parts(self, spec: Patrol, able: Sequence[VehicleSpec], guess: Estimate) -> Forecast:
        """Several flights, by about as many drones as there are."""
        flights = spec.rounds * guess.flights
        faults: tuple[FieldFault, ...] = ()
        if not guess.flights:
            faults = (_out_of_reach(spec),)
        elif flights > MOST_FLIGHTS:
            facts = {"flights": flights, "limit": MOST_FLIGHTS}
            remedy = "ask for a smaller area, or for fewer rounds"
            reason = Refusal("area_takes_too_long", facts)
            faults = (FieldFault(_field(spec), reason, remedy),)
        return Forecast(
            minutes=None if faults else round(spec.rounds * guess.seconds / 60, 1),
            needed=None if faults else 1,
            able=len(able),
            sorties=flights or None,
            in_parts=True,
            faults=faults,
        )

    def _tour_wh(self, stop: TaskStop, spec: VehicleSpec) -> tuple[float, float]:
        """Seconds and watt-hours of one flight."""
        pace = self._air.pace(spec)
        way_s = pace.way_s(self._tours.tour(stop, spec))
        seconds = pace.climb_s + way_s + stop.service_s + pace.land_s
        return seconds, pace.ends_wh + pace.way_wh(way_s, stop.service_s)


def _out_of_reach(spec: Patrol) -> FieldFault:
    remedy = "ask for an area nearer to a dock, or add a drone whose battery lasts longer"
    return FieldFault(_field(spec), Refusal("area_out_of_reach"), remedy)


def _whole(share: float) -> int:
    """Vehicles for a share of some."""
    return int(-(-(share - 1e-9) // 1))


def _field(spec: Patrol) -> str:
    if spec.drawn is not None:
        return "outline"
    return "area" if spec.area is not None else "points"
