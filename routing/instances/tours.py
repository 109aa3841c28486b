"""Tours from one depot: what the instances of Solomon, Li and Lim, and Schneider have in common."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from math import dist

from routing.instances.case import TourCase
from routing.instances.instance import Figures, Objective, Routes
from routing.instances.recount import figures
from routing.instances.stops import Electric
from routing.instances.whole import DROP_PENALTY, SCALE, down, up
from routing.problems.plan import Plan
from routing.problems.problem import (
    Battery,
    Charger,
    Problem,
    Profile,
    Request,
    Slot,
    Stop,
    Table,
    Weights,
)
from routing.problems.problem_faults import LARGEST
from routing.problems.timetable import Charge

ENERGY_SCALE = 1_000_000
"""Whole units of energy in what is used on a thousandth of distance at a rate of 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TourInstance(TourCase):
    """A case as a problem for the solver, and answers to it.

    Args:
        numbered: whether nodes are called by numbers in an answer.
    """

    numbered: bool = True
    objectives: frozenset[Objective] = frozenset({Objective.DISTANCE, Objective.VEHICLES})

    def problem(self, objective: Objective) -> Problem:
        """The instance in thousandths; a stop left out costs more than all that is driven."""
        if objective not in self.objectives:
            raise ValueError(f"no tours for {objective}")
        profile = self._profile()
        most = len(self.jobs)
        vehicles = most if self.vehicles is None else min(self.vehicles, most)
        price = _vehicle_price(profile.metres) if objective is Objective.VEHICLES else 0
        first_station = 1 + len(self.customers)
        slot = self._slot(price)
        return Problem(
            profiles=(profile,),
            requests=tuple(self._requests()),
            slots=tuple(replace(slot, id=f"v{n}") for n in range(1, vehicles + 1)),
            weights=Weights(flow_s=0, metre=1, change=0),
            chargers=tuple(
                Charger(node=first_station + n, places=vehicles, full=True)
                for n in range(len(self.stations))
            ),
            charge_loaded=True,
        )

    def routes_of(self, plan: Plan) -> Routes:
        """The nodes of each route that is used, stations included, the depot left out."""
        jobs = {job[0].name: job for job in self.jobs}
        found: list[list[int | str]] = []
        charges = plan.charges or ((),) * len(plan.routes)
        for route, row in zip(plan.routes, charges, strict=True):
            if route:
                stops = [jobs[visit.request][visit.stop].name for visit in route]
                names = self._with_stations(stops, row)
                found.append([int(name) if self.numbered else name for name in names])
        return found

    def figures(self, routes: Routes) -> Figures:
        """Vehicles and distance, straight lines in double precision."""
        return figures(self, [[str(stop) for stop in route] for route in routes])

    @property
    def _load_scale(self) -> int:
        """Whole loads stay as they are."""
        return 1 if all(node.demand.is_integer() for node in self.customers) else SCALE

    def _profile(self) -> Profile:
        """Travel tables; the same one twice where time and distance are the same.

        The judge forgives a charge one unit of time too short, so leaving a station takes one more.
        """
        spots = [(node.x, node.y) for node in (self.depot, *self.customers, *self.stations)]
        lengths = [[dist(here, there) for there in spots] for here in spots]
        metres: Table = tuple(tuple(map(up, row)) for row in lengths)
        if self.electric is None:
            return Profile(seconds=metres, metres=metres)
        speed = self.electric.speed
        no_station = (0,) * (1 + len(self.customers))
        extra_s = (*no_station, *(up(station.service) + 1 for station in self.stations))
        seconds: Table = tuple(
            tuple(up(length / speed) + extra for length in row)
            for row, extra in zip(lengths, extra_s, strict=True)
        )
        return Profile(seconds=seconds, metres=metres)

    def _requests(self) -> Iterator[Request]:
        load_scale = self._load_scale
        numbers = count(1)
        for job in self.jobs:
            amount = up(job[0].demand, load_scale)
            stops = tuple(
                Stop(
                    node=next(numbers),
                    service_s=up(node.service),
                    load=(load,),
                    earliest_s=up(node.ready),
                    latest_s=down(node.due),
                )
                for node, load in zip(job, (amount, -amount), strict=False)
            )
            yield Request(id=job[0].name, stops=stops, drop_penalty=DROP_PENALTY)

    def _slot(self, price: int) -> Slot:
        return Slot(
            id="",
            profile=0,
            start=0,
            end=0,
            ready_s=up(self.depot.ready),
            shift_end_s=down(self.depot.due),
            capacity=(down(self.capacity, self._load_scale),),
            price=price,
            battery=_battery(self.electric) if self.electric else None,
        )

    def _with_stations(self, stops: Sequence[str], charges: Sequence[Charge]) -> list[str]:
        if not self.electric:
            return list(stops)
        before = {c.before: self.electric.stations[c.charger].name for c in charges}
        spots = range(len(stops) + 1)
        visits = ((before.get(spot), *stops[spot : spot + 1]) for spot in spots)
        return [name for name in chain.from_iterable(visits) if name is not None]


def _battery(electric: Electric) -> Battery:
    """In whole units of energy: use is rounded up, what fits and what is charged down."""
    full = down(electric.capacity, SCALE * ENERGY_SCALE)
    per_second = ENERGY_SCALE / electric.time_per_energy if electric.time_per_energy else full
    return Battery(
        capacity_j=full,
        now_j=full,
        per_m_j=up(electric.energy_per_distance, ENERGY_SCALE),
        charge_j_s=max(1, min(int(per_second), full)),
    )


def _vehicle_price(metres: Table) -> int:
    """More than all ways together: if each stop had a vehicle of its own, they would be longest."""
    return min(LARGEST, 1 + sum(out + row[0] for out, row in zip(metres[0], metres, strict=True)))
