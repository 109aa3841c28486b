"""A plan for a survey: lines in several patterns, tours for each, the best ones searched longer.

A quick guess ranks patterns (cells, directions); the best ones get a short search over the tours
of all drones, and what is left of the budget goes to the best of these. What lines and transits
leave unseen gets lines of its own; lines that nobody needs are dropped.
"""

import math
import time
from collections.abc import Iterator, Sequence

import shapely
from shapely.geometry.base import BaseGeometry

from routing.errors import NoPlan, Unreachable
from routing.survey.air import Air
from routing.survey.case import Flight, Survey, SurveyPlan
from routing.survey.cells import Cells, at_all_bends, partitions
from routing.survey.draft import Draft, Drafts
from routing.survey.quick import Guess
from routing.survey.strips import Line, estimate_s, strips

SKIPS = (0.0, 0.003)
"""Shares of an area that may be left out at its tips, to save a band."""
DIRECTIONS = 4
"""So many directions of each cell are drawn out, after a quick guess."""
PATTERNS = 24
"""So many patterns get a short search."""
FIRST_SHARE = 0.4
"""Of the budget, at the most, for these."""
DRAW_SHARE = 0.1
"""Of the budget: if the first plan took more, there is no time to draw others."""
FINALISTS = 6
SHORT, LONG = 30_000, 120_000
"""Rounds of one search."""


def plan_survey(
    survey: Survey, *, cpu_s: float | None = None, rounds: int = 1_000_000, seed: int = 0
) -> SurveyPlan:
    """The best plan found that sees the wanted share of the area.

    Args:
        cpu_s: processor seconds to spend; None = ``rounds`` of search, for the same plan on
            any machine.

    Raises:
        Unreachable: nothing of the area can be seen, or a part of it can't be reached.
        NoPlan: the drones' energy does not last for it.
    """
    effort = _Effort(cpu_s, rounds)
    if survey.target.area <= 0:
        raise Unreachable("the docks", "an area without free air")
    air = Air(survey.fence, survey.no_fly, survey.flight)
    drafts, drawn = Drafts(survey, air), _Patterns(survey, air)
    found: list[Draft] = []
    for lines in _in_turn(drawn, effort):
        if found and effort.spent() > FIRST_SHARE:
            break
        draft = drafts.new(lines, effort.take(SHORT), seed + len(found))
        if draft is not None:
            found.append(draft)
    if not found:
        raise Unreachable("the docks", "all of the area")
    finalists = sorted(found, key=lambda draft: draft.price)[:FINALISTS]
    if finalists[0].price == math.inf:
        raise NoPlan(
            f"no sorties of {survey.flight.usable_s:.0f} s see {survey.share:.1%} of the area; "
            "take a dock nearer to it, a smaller area or a drone that flies longer"
        )
    while effort.spent() < 1:
        for n, draft in enumerate(finalists):
            if effort.spent() < 1:
                seed += 1
                finalists[n] = drafts.better(draft, effort.take(LONG), seed)
        finalists.sort(key=lambda draft: draft.price)
        finalists = finalists[: max(1, len(finalists) // 2)]
    return drafts.plan(min(finalists, key=lambda draft: draft.price))


def _in_turn(drawn: "_Patterns", effort: "_Effort") -> Iterator[list[Line]]:
    """What is quick to draw first, so that there is a plan soon; then the best patterns of all."""
    area = drawn.area
    first = drawn.ranked([(area,)], DIRECTIONS)[:1]
    yield from first
    if effort.spent() < FIRST_SHARE:
        bent = drawn.ranked(at_all_bends(area), DIRECTIONS)[:2]
        yield from bent
        if effort.spent() < DRAW_SHARE:
            every = drawn.ranked(partitions(area, drawn.guess.best_s), None)
            yield from (lines for lines in every[:PATTERNS] if lines not in first + bent)


def warm_up() -> None:
    """Have the search compiled, or read from the compiler's cache, before it is needed."""
    square = shapely.box(0.0, 0.0, 100.0, 100.0)
    flight = Flight(speed_m_s=10.0, accel_m_s2=2.0, airspeed_m_s=15.0, usable_s=600.0)
    survey = Survey(
        area=square,
        no_fly=shapely.Polygon(),
        fence=square.buffer(10.0),
        docks=((0.0, 0.0), (0.0, 0.0)),
        flight=flight,
        width_m=30.0,
        length_m=20.0,
    )
    plan_survey(survey, rounds=1)


class _Patterns:
    """Draws lines over cells."""

    def __init__(self, survey: Survey, air: Air) -> None:
        self._survey, self._air = survey, air
        self.area = survey.area
        self.guess = Guess(survey.width_m, survey.length_m, survey.flight)
        self._drawn: dict[tuple[int, float, int | None], list[tuple[float, list[Line]]]] = {}

    def ranked(self, parted: Sequence[Cells], directions: int | None) -> list[list[Line]]:
        """Lines that see about all of the area, the quickest by a guess first.

        Args:
            directions: in how many the whole area is drawn; None = in all.
        """
        found: dict[tuple[int, int], tuple[float, list[Line]]] = {}
        for cells in parted:
            few = directions if len(cells) == 1 else DIRECTIONS
            for skip in SKIPS:
                for seconds, lines in self._over(cells, skip, few):
                    about = (len(lines), round(seconds))
                    if about not in found or seconds < found[about][0]:
                        found[about] = (seconds, lines)
        return [lines for _, lines in sorted(found.values(), key=lambda each: each[0])]

    def _over(self, cells: Cells, skip: float, few: int | None) -> list[tuple[float, list[Line]]]:
        """Lines for all cells, each in its best direction; then one cell in its next best."""
        choices = [self._by_direction(cell, skip, few) for cell in cells]
        if len(cells) == 1:
            return choices[0]
        best = [choice[0] for choice in choices]
        found = [best]
        for n, choice in enumerate(choices):
            if len(choice) > 1:
                found.append([*best[:n], choice[1], *best[n + 1 :]])
        return [
            (sum(seconds for seconds, _ in each), [line for _, lines in each for line in lines])
            for each in found
        ]

    def _by_direction(
        self, cell: BaseGeometry, skip: float, few: int | None
    ) -> list[tuple[float, list[Line]]]:
        """Lines over one cell in its most promising directions, the best first."""
        key = (id(cell), skip, few)
        if key not in self._drawn:
            survey = self._survey
            target = cell.difference(survey.no_fly)
            found: list[tuple[float, list[Line]]] = []
            for angle in self.guess.ranked(target)[:few]:
                lines = strips(target, self._air.free, angle, survey.width_m, survey.length_m, skip)
                found.append((estimate_s(lines, survey.width_m, survey.flight), lines))
            self._drawn[key] = sorted(found, key=lambda each: each[0])
        return self._drawn[key]


class _Effort:
    """What is spent of a budget, in processor seconds or in rounds."""

    def __init__(self, cpu_s: float | None, rounds: int) -> None:
        self._since_s = time.process_time()
        self._cpu_s, self._rounds, self._made = cpu_s, max(1, rounds), 0

    def spent(self) -> float:
        """Share of the budget, 1 and more = all."""
        if self._cpu_s is None:
            return self._made / self._rounds
        return (time.process_time() - self._since_s) / self._cpu_s

    def take(self, rounds: int) -> int:
        """So many rounds are about to be made; no more than the whole budget."""
        if self._cpu_s is None:
            rounds = min(rounds, self._rounds)
        self._made += rounds
        return rounds
