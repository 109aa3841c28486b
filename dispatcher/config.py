"""What a person sets in a configuration file, and the reader that says what is wrong with it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from dispatcher.broker import Address, BrokerConfig
from dispatcher.domain.charging import CheapHours
from dispatcher.domain.task import Priority
from dispatcher.errors import ConfigFault
from fleet.config import FleetConfig, VehicleConfig
from fleet.fleet_file import declare, fleet_faults
from routing.errors import Fault
from routing.site import Site
from routing.sites.file import shape_faults
from routing.sites.marked_yaml import Marked, parse, read_text
from routing.sites.site_yaml import load as load_site
from routing.solving.solver import Stage

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Ratio = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Port = Annotated[int, Field(ge=1, le=65_535)]

REFERENCE = "docs/how-to/serve.md lists the keys"


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise PydanticCustomError(
            "timezone", "there is no such time zone; write one such as Asia/Shanghai"
        ) from None
    return name


def _hours(given: object) -> object:
    """A list of spans, or spans with commas between them, as ``--set`` gives them."""
    spans: object = given
    if isinstance(given, str):
        spans = [span.strip() for span in given.split(",") if span.strip()]
    if not isinstance(spans, list | tuple):
        spans = [spans]
    try:
        CheapHours.of(str(span) for span in cast("list[object]", spans))
    except ValueError as error:
        wrong = {"wrong": str(error)}
        raise PydanticCustomError("hours", "{wrong}; write hours as 22:00-06:00", wrong) from None
    return spans


def _stages(given: object) -> object:
    """A list of stages, or their names with commas between them, as ``--set`` gives them."""
    names: object = given
    if isinstance(given, str):
        names = [name.strip() for name in given.split(",") if name.strip()]
    if isinstance(names, list):
        known = [stage.value for stage in Stage]
        wrong = [str(name) for name in cast("list[object]", names) if name not in known]
        if wrong:
            unknown = ", ".join(repr(name) for name in wrong)
            raise ValueError(f"there is no stage {unknown}; write any of {', '.join(known)}")
    return names


class Part(BaseModel):
    """Base of all parts of a configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DueTimes(Part):
    """How long a task may take when its request names no time, in seconds by priority."""

    stat: Seconds = 900.0
    urgent: Seconds = 2700.0
    routine: Seconds = 7200.0
    background: Seconds = 43_200.0

    def of(self, priority: Priority) -> float:
        """The time for one priority."""
        return float(getattr(self, priority.value))


class DispatchConfig(Part):
    """How tasks become work; every default is one that a small hospital can live with."""

    due_s: DueTimes = DueTimes()
    load_s: Seconds = 40.0
    """How long people take to load a vehicle."""
    unload_s: Seconds = 30.0
    """How long they take to unload it at one stop."""
    charge_below_ratio: Ratio = 0.35
    """A vehicle with less than this takes no new work before it has been charged."""
    work_from_ratio: Ratio = 0.6
    """What it has to be charged to before it takes work again."""
    idle_charge_below_ratio: Ratio = 0.85
    """An idle vehicle with less than this goes to charge while there is nothing else to do."""
    charge_to_ratio: Ratio = 0.95
    """Charged far enough to leave the charger to others."""
    uv_c_s_per_mj_cm2: Seconds = 60.0
    """How long a lamp stays in a room for each mJ/cm2 asked: 10 minutes for 10 mJ/cm2."""
    spray_s: Seconds = 900.0
    """How long a room is sprayed."""
    plan_wind_m_s: Annotated[float, Field(ge=0, le=30)] = 0.0
    """The wind that shifts of a watch are planned for, from any side."""


class PlannerConfig(Part):
    """How plans are made; what can be switched off is on by default."""

    stages: Annotated[tuple[Stage, ...], BeforeValidator(_stages)] = tuple(Stage)
    """What looks for a better plan behind the insertion, which always runs; none = nothing."""
    improve_period_s: Seconds = 5.0
    """Shortest time between two long searches for a better plan, with all stages."""
    improve_iterations: Annotated[int, Field(ge=0, le=100_000)] = 250
    """How long the short search after each event is, in rounds, at most: some 50 ms."""
    cheap_hours: Annotated[tuple[str, ...], BeforeValidator(_hours)] = ()
    """When idle vehicles are charged to the full, such as ``22:00-06:00``; none = always."""
    positioning: bool = False
    """Whether idle vehicles wait where tasks are expected, if there is a place to wait at."""
    preempt: bool = True
    """Whether an empty vehicle on its way to a lesser task is turned round for a STAT one."""
    learn_travel_times: bool = True
    """Whether plans count with the driving times that were measured."""


class MavlinkDoor(Part):
    """Where drones call in, and where they are called on; one of the two at least."""

    listen: Address | None = None
    """UDP."""
    connect: tuple[Address, ...] = ()
    """TCP ports behind which there are drones: routers, or bridges of serial lines."""
    signed: bool = False
    """Whether frames are signed; the passphrase comes from the environment."""

    @model_validator(mode="after")
    def _somewhere(self) -> "MavlinkDoor":
        if self.listen is None and not self.connect:
            raise PydanticCustomError("no_door", "write listen (UDP) or connect (TCP), or both")
        return self


class ServeConfig(FleetConfig):
    """All of a real site: what `wardline serve` needs, besides secrets (environment)."""

    site: str
    """The site file, beside this one."""
    database: str = ""
    """``sqlite:///FILE``; a file named after this one, beside it, if not given."""
    broker: BrokerConfig | None = None
    """The MQTT broker of the ground robots; none = all stays in this process."""
    mavlink: MavlinkDoor | None = None
    host: str = "127.0.0.1"
    port: Port = 8080
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"
    """Where the site's days begin and end."""
    dispatch: DispatchConfig = DispatchConfig()
    planner: PlannerConfig = PlannerConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A serving configuration with all that it refers to, read and found to fit together."""

    config: ServeConfig
    folder: Path
    """Where the file lies, and what it names."""
    database: str
    """URL, absolute."""
    site: Site
    vehicles: tuple[VehicleConfig, ...]


def load(path: Path) -> Installation:
    """A serving configuration and its site; relative files are found from the folder it lies in.

    Raises:
        ConfigFault: it is wrong; every fault with its line and remedy.
        SiteError: its site file is.
        OSError: it can't be read.
    """
    marked, config = _read(path)
    folder = path.resolve().parent
    if not (folder / config.site).is_file():
        what = f"there is no site file {folder / config.site}"
        remedy = "write its path, from the folder of this file"
        raise ConfigFault(str(path), [Fault(marked.line("site"), what, remedy)])
    site = load_site(folder / config.site)
    declared, faults = declare(config, marked, reference=REFERENCE)
    faults += fleet_faults(declared, site, marked)
    if faults:
        raise ConfigFault(str(path), faults)
    database = config.database or f"sqlite:///{path.stem}.sqlite"
    if database.startswith("sqlite:///"):
        database = f"sqlite:///{folder / database.removeprefix('sqlite:///')}"
    vehicles = tuple(one.config for one in declared)
    return Installation(
        config=config, folder=folder, database=database, site=site, vehicles=vehicles
    )


def _read(path: Path) -> tuple[Marked, ServeConfig]:
    text, faults = read_text(path)
    marked = parse(text)
    faults += marked.faults
    if not faults and not isinstance(marked.data, dict):
        faults = (Fault(1, "this is no configuration", f"write 'key: value' lines; {REFERENCE}"),)
    if faults:
        raise ConfigFault(str(path), faults)
    try:
        return marked, ServeConfig.model_validate(marked.data)
    except ValidationError as error:
        wrong = shape_faults(error, ServeConfig, marked, reference=REFERENCE)
        raise ConfigFault(str(path), wrong) from None
