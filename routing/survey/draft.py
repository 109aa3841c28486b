"""Drafts: tours over lines that see enough, mended until they do."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from routing.survey.air import Air, polygons
from routing.survey.case import Spot, Survey, SurveyPlan, footprints
from routing.survey.strips import Line, along_gap
from routing.survey.tours import COOL_S, WARM_S, Tours, anneal, insert, make_tours

DETOURS = 2.0
"""A drone flies no more sorties than it would if all took so many times the bare lines' time."""
MENDS = 6
"""So often lines are added for what is still unseen."""
MEND_ROUNDS = 8_000
MILD_S = 1.5
"""Temperature at which tours are put in order after lines were added or dropped."""
SHORTEST = 8
"""So many of the shortest lines are tried to be spared."""
ROOM = 0.0003
"""Share that is seen beyond what is asked for, against rounding."""
_LATE_S = 1e-6

Sorties = list[list[tuple[Spot, ...]]]


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A plan that sees enough.

    Args:
        price: makespan in seconds; inf = it does not see enough, or needs too long sorties.
    """

    lines: tuple[Line, ...]
    routes: tuple[tuple[int, ...], ...]
    sorties: Sorties
    price: float
    seen: float


class Drafts:
    """Makes drafts and betters them."""

    def __init__(self, survey: Survey, air: Air) -> None:
        self._survey, self._air = survey, air
        self._target = survey.target
        self._wanted = survey.share + ROOM * (1 - survey.share)
        flight, drones = survey.flight, len(survey.docks)
        least_s = self._target.area / (survey.width_m * flight.speed_m_s * drones)
        self._most_sorties = 2 + math.ceil(DETOURS * least_s / flight.usable_s)

    def new(self, lines: Sequence[Line], rounds: int, seed: int) -> Draft | None:
        """The first draft along lines; None if one of these can't be reached."""
        tours = self._tours(lines, [], seed)
        if tours is None:
            return None
        anneal(tours, rounds, WARM_S, COOL_S)
        return self._mended(tuple(lines), tours, seed)

    def better(self, draft: Draft, rounds: int, seed: int) -> Draft:
        """The draft after a longer search, or as it is if that finds nothing better."""
        lines, routes = self._spared(draft)
        tours = self._tours(lines, routes, seed)
        if tours is None:
            return draft
        anneal(tours, rounds, WARM_S, COOL_S)
        found = self._mended(lines, tours, seed)
        return found if found.price < draft.price else draft

    def plan(self, draft: Draft) -> SurveyPlan:
        """What is flown."""
        return SurveyPlan(
            sorties=tuple(tuple(sorties) for sorties in draft.sorties),
            finish_s=tuple(self._finish_s(sorties) for sorties in draft.sorties),
            seen=draft.seen,
        )

    def _mended(self, lines: tuple[Line, ...], tours: Tours, seed: int) -> Draft:
        draft = self._draft(lines, tours)
        for n in range(MENDS):
            if draft.seen >= self._wanted:
                break
            more = self._over_gaps(draft)
            if not more:
                break
            lines = (*draft.lines, *more)
            again = self._tours(lines, draft.routes, seed)
            if again is None:
                break
            if n < MENDS // 2:
                anneal(again, MEND_ROUNDS, MILD_S, COOL_S)
            draft = self._draft(lines, again)
        return draft

    def _over_gaps(self, draft: Draft) -> list[Line]:
        """Lines over the largest gaps, until enough would be seen."""
        width_m, length_m = self._survey.width_m, self._survey.length_m
        ways = [way for sorties in draft.sorties for way in sorties]
        unseen = self._target.difference(footprints(ways, width_m, length_m))
        allowed = (1 - self._wanted) * self._target.area
        gaps = sorted(polygons(unseen), key=lambda gap: (-gap.area, gap.bounds))
        left, found = sum(gap.area for gap in gaps), list[Line]()
        for gap in gaps:
            if left <= allowed:
                break
            line = along_gap(gap, self._air.free, length_m)
            if line is not None:
                found.append(line)
                left -= gap.intersection(footprints([line], width_m, length_m)).area
        return found

    def _spared(self, draft: Draft) -> tuple[tuple[Line, ...], list[list[int]]]:
        """The lines without short ones that can be spared, and the routes over the others."""
        width_m, length_m = self._survey.width_m, self._survey.length_m
        ways = [way for sorties in draft.sorties for way in sorties]
        spare = (draft.seen - self._wanted) * self._target.area
        order = sorted(range(len(draft.lines)), key=lambda n: (math.dist(*draft.lines[n]), n))
        gone: set[int] = set()
        for n in order[:SHORTEST]:
            if spare <= 0 or len(draft.lines) - len(gone) < 2:
                break
            line = draft.lines[n]
            rest = footprints(
                [part for way in ways for part in _without(way, line)], width_m, length_m
            )
            own = footprints([line], width_m, length_m).intersection(self._target)
            lost = own.difference(rest).area
            if lost <= spare:
                spare -= lost
                gone.add(n)
        number = {n: k for k, n in enumerate(n for n in range(len(draft.lines)) if n not in gone)}
        routes = [
            [2 * number[point >> 1] + point % 2 for point in route if point >> 1 in number]
            for route in draft.routes
        ]
        return tuple(draft.lines[n] for n in number), routes

    def _tours(
        self, lines: Sequence[Line], routes: Sequence[Sequence[int]], seed: int
    ) -> Tours | None:
        """Tours over lines, begun with ``routes``; None if a line can't be reached."""
        survey = self._survey
        if not lines:
            return None
        ends = np.array([spot for line in lines for spot in line])
        along = survey.flight.leg_s(ends, ends[np.arange(len(ends)) ^ 1])
        between = self._air.between_s(np.concatenate([ends, np.array(survey.docks)]))
        reachable = np.isfinite(between[len(ends) :, : len(ends)]).any(axis=0)
        if not reachable.all() or not np.isfinite(along).all():
            return None
        drones = len(survey.docks)
        tours = make_tours(between, along, drones, self._most_sorties, survey.flight, seed)
        if routes:
            tours.lay(routes)
        for line in sorted(set(range(len(lines))) - {p >> 1 for r in routes for p in r}):
            insert(tours, line)
        return tours

    def _draft(self, lines: tuple[Line, ...], tours: Tours) -> Draft:
        survey = self._survey
        routes = tours.now()
        sorties: Sorties = [[] for _ in survey.docks]
        for drone, route in zip(tours.drone, routes, strict=True):
            if route:
                sorties[drone].append(self._way(survey.docks[drone], route, lines))
        ways = [way for each in sorties for way in each]
        seen = footprints(ways, survey.width_m, survey.length_m).intersection(self._target).area
        share = seen / self._target.area
        long = max(survey.flight.sortie_s(way) for way in ways) > survey.flight.usable_s + _LATE_S
        finish_s = max(self._finish_s(each) for each in sorties)
        fit = share >= survey.share and not long
        return Draft(
            lines=lines,
            routes=tuple(tuple(route) for route in routes),
            sorties=sorties,
            price=finish_s if fit else math.inf,
            seen=share,
        )

    def _way(self, dock: Spot, route: Sequence[int], lines: Sequence[Line]) -> tuple[Spot, ...]:
        spots: list[Spot] = [dock]
        for point in route:
            line = lines[point >> 1]
            enter, leave = line if point % 2 == 0 else (line[1], line[0])
            spots += self._air.way(spots[-1], enter)[1:]
            spots.append(leave)
        spots += self._air.way(spots[-1], dock)[1:]
        return tuple(spots)

    def _finish_s(self, sorties: Sequence[Sequence[Spot]]) -> float:
        flight = self._survey.flight
        flown = sum(flight.sortie_s(way) for way in sorties)
        return flown + flight.swap_s * max(0, len(sorties) - 1)


def _without(way: Sequence[Spot], line: Line) -> list[list[Spot]]:
    """A polyline in the parts that are left of it without a line's own leg."""
    for n, leg in enumerate(pairwise(way)):
        if leg in (line, (line[1], line[0])):
            return [list(way[: n + 1]), list(way[n + 1 :])]
    return [list(way)]
