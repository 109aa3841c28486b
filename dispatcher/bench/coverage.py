"""Surveys on file, and plans for them."""

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import shapely
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from shapely import Point, Polygon
from shapely.geometry.base import BaseGeometry

from dispatcher.bench.case_files import find_cases, parse, write_answer
from routing.errors import Fault, InstanceError
from routing.survey.case import Flight, Survey, SurveyPlan
from routing.survey.planner import plan_survey

KINDS = ("coverage",)
MOST_DRONES, MOST_CORNERS, MOST_BANDS = 50, 1000, 400

Metres = Annotated[float, Field(allow_inf_nan=False)]
Above = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Spot = tuple[Metres, Metres]
Ring = Annotated[list[Spot], Field(min_length=3, max_length=MOST_CORNERS)]


@dataclass(frozen=True, slots=True)
class CoverageCase:
    """A survey by name."""

    name: str
    survey: Survey


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A case and the plan for it.

    Args:
        covered: share of the area under the footprints.
        valid: it sees the share that is asked for, no sortie is too long.
        bound_s: no plan is below: bare lines without turns and ways.
    """

    case: str
    makespan_s: float
    covered: float
    valid: bool
    sorties: int
    bound_s: float
    cpu_s: float

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


class _Drone(BaseModel):
    model_config = ConfigDict(frozen=True)
    dock: Annotated[int, Field(ge=0)]


class _File(BaseModel):
    """The file's own names: metres and seconds, a local frame."""

    model_config = ConfigDict(frozen=True)
    kind: Literal["coverage"]
    name: Annotated[str, Field(pattern=r"^\w[\w.-]*$", max_length=100)]
    area: Ring
    nofly: Annotated[list[Ring], Field(max_length=MOST_CORNERS)] = []
    fence: Ring
    docks: Annotated[list[Spot], Field(min_length=1, max_length=MOST_DRONES)]
    drones: Annotated[list[_Drone], Field(min_length=1, max_length=MOST_DRONES)]
    wind: tuple[Metres, Metres] = (0.0, 0.0)
    required_share: Annotated[float, Field(gt=0, le=0.9999)]
    speed: Above
    accel: Above
    airspeed_max: Above
    footprint_w: Above
    footprint_l: Above
    usable_s: Above
    swap_s: Seconds
    takeoff_s: Seconds
    landing_s: Seconds


_FILE: TypeAdapter[_File] = TypeAdapter(_File)


def find_coverage_cases(paths: Iterable[Path]) -> list[CoverageCase]:
    """All cases: files, and what is in folders; raises as `find_cases` does."""
    return find_cases(paths, KINDS, read_case)


def read_case(path: Path) -> CoverageCase:
    """The survey in a file.

    Raises:
        WrongUse: it can't be read.
        InstanceError: it is no survey, or contradicts itself.
    """
    case = parse(path, KINDS, _FILE)
    faults = list(_faults(case))
    if faults:
        raise InstanceError(str(path), faults)
    flight = Flight(
        speed_m_s=case.speed,
        accel_m_s2=case.accel,
        airspeed_m_s=case.airspeed_max,
        wind_m_s=case.wind,
        usable_s=case.usable_s,
        swap_s=case.swap_s,
        takeoff_s=case.takeoff_s,
        landing_s=case.landing_s,
    )
    survey = Survey(
        area=Polygon(case.area),
        no_fly=_no_fly(case),
        fence=Polygon(case.fence),
        docks=tuple(case.docks[drone.dock] for drone in case.drones),
        flight=flight,
        width_m=case.footprint_w,
        length_m=case.footprint_l,
        share=case.required_share,
    )
    return CoverageCase(case.name, survey)


def solve(case: CoverageCase, budget_s: float, seed: int) -> tuple[Row, SurveyPlan]:
    """The plan for a case within processor seconds; raises Unreachable."""
    since_s = time.process_time()
    plan = plan_survey(case.survey, cpu_s=budget_s, seed=seed)
    cpu_s = time.process_time() - since_s
    survey = case.survey
    flown = [way for sorties in plan.sorties for way in sorties]
    longest_s = max(survey.flight.sortie_s(way) for way in flown)
    track_m = survey.width_m * survey.flight.speed_m_s * len(survey.docks)
    row = Row(
        case=case.name,
        makespan_s=round(plan.makespan_s, 1),
        covered=round(plan.seen, 4),
        valid=plan.seen >= survey.share and longest_s <= survey.flight.usable_s + 1e-6,
        sorties=len(flown),
        bound_s=round(survey.target.area / track_m, 1),
        cpu_s=round(cpu_s, 2),
    )
    return row, plan


def write(folder: Path, case: CoverageCase, plan: SurveyPlan) -> None:
    """`FOLDER/CASE.json`: for each drone its sorties, from dock to dock.

    Raises:
        WrongUse: it can't be written.
    """
    write_answer(folder / f"{case.name}.json", {"drones": plan.sorties})


def _no_fly(case: _File) -> BaseGeometry:
    return shapely.union_all([Polygon(ring) for ring in case.nofly])


def _faults(case: _File) -> Iterator[Fault]:
    rings = {"area": case.area, "fence": case.fence}
    rings |= {f"nofly.{n}": ring for n, ring in enumerate(case.nofly)}
    for where, ring in rings.items():
        shape = Polygon(ring)
        if not shape.is_valid or shape.area <= 0:
            why = shapely.is_valid_reason(shape)
            yield Fault(0, f"{where} is no area ({why})", "name its corners in order, once round")
            return
    west, south, east, north = Polygon(case.area).bounds
    if math.hypot(east - west, north - south) / case.footprint_w > MOST_BANDS:
        remedy = f"cut it in parts, each of {MOST_BANDS} footprints across or less"
        yield Fault(0, "the area is too wide for one survey", remedy)
    fence, no_fly = Polygon(case.fence), _no_fly(case)
    for n, dock in enumerate(case.docks):
        if not fence.covers(Point(dock)) or no_fly.contains(Point(dock)):
            yield Fault(0, f"docks.{n} is where no drone may be", "put it inside the fence")
    for n, drone in enumerate(case.drones):
        if drone.dock >= len(case.docks):
            yield Fault(
                0, f"drones.{n}.dock is {drone.dock}", f"docks are 0 to {len(case.docks) - 1}"
            )
    if case.takeoff_s + case.landing_s >= case.usable_s:
        yield Fault(0, "usable_s is over before the drone is up and down", "make it longer")
