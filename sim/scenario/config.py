"""Scenario files: which site, which vehicles, what is asked of them, what goes wrong, what counts.

`load_scenario` is the only way in; whatever is wrong with a file, it says all of it, with lines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from dispatcher.config import DispatchConfig, PlannerConfig
from dispatcher.desks.emergencies_in import EmergencyIn
from dispatcher.desks.incidents_in import IncidentIn
from dispatcher.errors import ConfigFault
from fleet.config import FleetConfig, Id, VehicleConfig
from fleet.fleet_file import declare, fleet_faults, unknown
from routing.errors import Fault, SiteError
from routing.site import LaneId, LiftId, Site
from routing.sites.building import read_building
from routing.sites.file import shape_faults
from routing.sites.marked_yaml import Marked, Step, parse, read_text
from routing.sites.site_yaml import load as load_site
from sim.judges.expect import Expectation, expectation
from sim.judges.sights import PlannedSight, SightRow
from sim.moments import Duration, after_start_s
from sim.scenario.demand_checks import demand_faults
from sim.scenario.demand_rows import ROWS, DemandRow
from sim.scenario.fault_checks import FaultCheck
from sim.scenario.fault_plan import FaultSource, PlannedFault, planned_faults
from sim.scenario.fault_rows import CrowdRow, EventRow, FaultRow, PassengersRow
from sim.scenario.placing import place_groups
from sim.world.hindrances import Crowd

REFERENCE = "see docs/reference/scenario.md"
NO_SITE = "this scenario names no site"


class ScenarioFile(FleetConfig):
    """A whole scenario file."""

    scenario: Id
    site: str | None = None
    start: AwareDatetime = datetime(2026, 2, 3, tzinfo=UTC)
    duration: Duration
    load: Annotated[float, Field(gt=0, le=1000)] = 1.0
    """Factor on all demand."""
    dispatch: DispatchConfig = DispatchConfig()
    planner: PlannerConfig = PlannerConfig()
    demand: list[Any] = Field(default=[])
    faults: list[FaultRow] = Field(default=[])
    crowds: list[CrowdRow] = Field(default=[])
    passengers: list[PassengersRow] = Field(default=[])
    events: list[EventRow] = Field(default=[])
    sights: list[SightRow] = Field(default=[])
    expect: dict[str, Any] = Field(default={})


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedClosure:
    """Lanes that people will close; ``lasts_s`` None = for the rest of the run."""

    at_s: float
    lanes: tuple[LaneId, ...]
    lasts_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedEmergency:
    """An emergency that people will raise, and end; ``lasts_s`` None = not in this run."""

    at_s: float
    asked: EmergencyIn
    lasts_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedIncident:
    """An incident that people will report."""

    at_s: float
    asked: IncidentIn


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A scenario that fits its site; all times are seconds after its start."""

    name: str
    source: str
    site_source: str
    site: Site
    start: datetime
    duration_s: float
    vehicles: tuple[VehicleConfig, ...]
    models: Mapping[str, str]
    """Of each vehicle's id, the name of its model."""
    demand: tuple[DemandRow, ...]
    load: float
    faults: tuple[FaultSource, ...]
    crowds: tuple[Crowd, ...]
    passengers: Mapping[LiftId, PassengersRow]
    closures: tuple[PlannedClosure, ...]
    emergencies: tuple[PlannedEmergency, ...]
    incidents: tuple[PlannedIncident, ...]
    sights: tuple[PlannedSight, ...]
    expect: tuple[Expectation, ...]
    dispatch: DispatchConfig
    planner: PlannerConfig

    @property
    def midnight_s(self) -> float:
        """Time of day at the start, in seconds since midnight."""
        return _midnight_s(self.start)

    def planned_faults(self, seed: int) -> list[PlannedFault]:
        """All that breaks in the run of this seed, in the order of time."""
        return planned_faults(
            self.faults, midnight_s=self.midnight_s, duration_s=self.duration_s, seed=seed
        )


def load_scenario(
    path: Path | str, *, site: Path | str | None = None, overrides: Sequence[str] = ()
) -> Scenario:
    """The scenario in a file.

    Args:
        site: a site file to use instead of the one that the scenario names.
        overrides: ``key=value`` with a dotted key, such as ``duration=1h`` or
            ``demand.0.per_day=10``; the value is read as YAML.

    Raises:
        ConfigFault: the file is wrong; ``faults`` has every reason with its line and remedy.
        SiteError: the site file is.
    """
    return _Reader(Path(path), Path(site) if site is not None else None).read(overrides)


class _Reader:
    def __init__(self, path: Path, site: Path | None) -> None:
        self._path = path
        self._site_path = site
        self._faults: list[Fault] = []
        self._text = Marked(None, (), None)

    def read(self, overrides: Sequence[str]) -> Scenario:
        data = self._data(overrides)
        file = self._model(ScenarioFile, data, ())
        rows = self._rows(data)
        if file is None:
            raise self._refusal()
        expectations = self._expectations(file)
        site = self._site(file)
        file, kinds = place_groups(file, site, self._text, self._faults)
        declared, faults = declare(file, self._text, reference=REFERENCE)
        self._faults += faults + fleet_faults(declared, site, self._text)
        vehicles = tuple(
            one.config.model_copy(update={"kind": kinds[one.config.id]})
            if kinds.get(one.config.id)
            else one.config
            for one in declared
        )
        for one in declared:
            if one.config.link.ros2 is not None:
                line = self._text.line("vehicles", one.group, "model")
                what = f"{one.config.id} speaks ROS 2, which no scenario simulates"
                remedy = "give its model a vda5050 link; sim.ros2.nav2_peer is a robot with Nav2"
                self._faults.append(Fault(line, what, remedy))
        specs = [vehicle.to_spec() for vehicle in vehicles]
        self._faults += demand_faults(rows, site, [] if faults else specs, self._text)
        midnight_s = _midnight_s(file.start)
        models = {one.config.id: file.vehicles[one.group].model for one in declared}
        check = FaultCheck(site, vehicles, models, self._text, self._faults)
        sources, crowds = check.sources(file.faults, midnight_s), check.crowds(file.crowds)
        passengers = check.passengers(file.passengers)
        check.events(file.events)
        sights = check.sights(file.sights, midnight_s, file.duration)
        if self._faults:
            raise self._refusal()
        return Scenario(
            name=file.scenario,
            source=str(self._path),
            site_source=str(self._site_file(file)),
            site=site,
            start=file.start,
            duration_s=file.duration,
            vehicles=vehicles,
            models=models,
            demand=tuple(row for row in rows if row is not None),
            load=file.load,
            faults=sources,
            crowds=crowds,
            passengers=passengers,
            closures=tuple(
                planned_closure(row, midnight_s) for row in file.events if row.close_lane
            ),
            emergencies=tuple(
                planned_emergency(row, midnight_s) for row in file.events if row.emergency
            ),
            incidents=tuple(
                planned_incident(row, midnight_s) for row in file.events if row.incident
            ),
            sights=sights,
            expect=expectations,
            dispatch=file.dispatch,
            planner=file.planner,
        )

    def _data(self, overrides: Sequence[str]) -> dict[str, Any]:
        try:
            text, faults = read_text(self._path)
        except OSError as error:
            what = f"the file can't be read: {error.strerror}"
            raise self._refusal(Fault(0, what, "check the path")) from None
        if faults:
            raise self._refusal(*faults)
        self._text = parse(text)
        self._faults += self._text.faults
        if not isinstance(self._text.data, dict):
            if not self._faults:
                remedy = f"start with 'scenario: my-day'; {REFERENCE}"
                self._faults.append(Fault(1, "this is no scenario", remedy))
            raise self._refusal()
        data = cast("dict[str, Any]", self._text.data)
        for override in overrides:
            self._override(data, override)
        return data

    def _override(self, data: dict[str, Any], override: str) -> None:
        key, equals, value = override.partition("=")
        steps = [int(step) if step.isdigit() else step for step in key.strip().split(".")]
        remedy = "write key=value with a key of the file, such as duration=1h or demand.0.per_day=9"
        owner: Any = data
        try:
            for step in steps[:-1]:
                owner = owner.setdefault(step, {}) if isinstance(owner, dict) else owner[step]
            if not equals or not key.strip():
                raise KeyError(key)
            read = parse(value)
            owner[steps[-1]] = value if read.faults else read.data
        except (KeyError, IndexError, TypeError, AttributeError):
            self._faults.append(Fault(0, f"can't set {override!r}", remedy))

    def _model(self, model: type[Any], data: object, at: tuple[Step, ...]) -> Any:
        try:
            return model.model_validate(data)
        except ValidationError as error:
            found = shape_faults(
                error, cast("type[BaseModel]", model), self._text, at=at, reference=REFERENCE
            )
            self._faults += [_said_better(fault) for fault in found]
            return None

    def _rows(self, data: dict[str, Any]) -> list[DemandRow | None]:
        """The lines of demand; None for one that has faults."""
        rows: list[DemandRow | None] = []
        raw = data.get("demand")
        for number, one in enumerate(cast("list[Any]", raw) if isinstance(raw, list) else []):
            at = ("demand", number)
            kind = cast("dict[str, Any]", one).get("kind") if isinstance(one, dict) else None
            if kind not in ROWS:
                line = self._text.line(*at, "kind")
                self._faults.append(unknown(line, "kind of task", str(kind), ROWS))
                rows.append(None)
            else:
                rows.append(self._model(ROWS[str(kind)], one, at))
        return rows

    def _expectations(self, file: ScenarioFile) -> tuple[Expectation, ...]:
        found: list[Expectation] = []
        for name, wanted in file.expect.items():
            try:
                found.append(expectation(name, wanted))
            except ValueError as error:
                line = self._text.line("expect", name)
                self._faults.append(Fault(line, f"expect.{name} is {wanted!r}", str(error)))
        return tuple(found)

    def _site_file(self, file: ScenarioFile) -> Path:
        if self._site_path is not None:
            return self._site_path
        if file.site is None:
            remedy = "name one with --site, or add site: sites/riverside.yaml"
            raise self._refusal(Fault(0, NO_SITE, remedy))
        return self._path.parent / file.site

    def _site(self, file: ScenarioFile) -> Site:
        line, path = self._text.line("site"), self._site_file(file)
        try:
            if path.name.endswith(".building.yaml"):
                return read_building(path).site
            return load_site(path)
        except OSError as error:
            what = f"the site {str(path)!r} can't be read: {error.strerror}"
            raise self._refusal(Fault(line, what, "correct the path of the site")) from None
        except SiteError:
            if not self._faults:
                raise
            raise self._refusal() from None

    def _refusal(self, *faults: Fault) -> ConfigFault:
        found = sorted({*self._faults, *faults}, key=lambda fault: (fault.line, fault.what))
        return ConfigFault(str(self._path), found)


def _midnight_s(start: datetime) -> float:
    return start.hour * 3600.0 + start.minute * 60.0 + start.second


def planned_closure(row: EventRow, midnight_s: float) -> PlannedClosure:
    """A row with its moment in seconds after the start."""
    return PlannedClosure(
        at_s=after_start_s(row.at, midnight_s),
        lanes=tuple(LaneId(lane) for lane in row.close_lane or ()),
        lasts_s=row.lasts,
    )


def planned_emergency(row: EventRow, midnight_s: float) -> PlannedEmergency:
    """A row with its moment in seconds after the start."""
    return PlannedEmergency(
        at_s=after_start_s(row.at, midnight_s),
        asked=EmergencyIn.model_validate({"kind": row.emergency, **row.where}),
        lasts_s=row.lasts,
    )


def planned_incident(row: EventRow, midnight_s: float) -> PlannedIncident:
    """A row with its moment in seconds after the start."""
    assert row.incident is not None, "asked of an incident's row alone"
    return PlannedIncident(at_s=after_start_s(row.at, midnight_s), asked=row.incident)


def _said_better(fault: Fault) -> Fault:
    if fault.what == "the file has no 'duration'":
        remedy = "add duration: 24h; a scenario that never ends can't be judged"
        return replace(fault, remedy=remedy)
    return fault
