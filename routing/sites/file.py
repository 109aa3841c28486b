"""The shape of a site file: pydantic models, and their complaints in words a person can use."""

import re
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from routing.errors import Fault
from routing.site import AirKind, Role
from routing.sites.marked_yaml import Marked, Step, dotted
from routing.windows import DAY_S, GOODS, from_clock

REFERENCE = "see docs/reference/site.md"

Metres = Annotated[float, Field(ge=-1e6, le=1e6)]
Spot = tuple[Metres, Metres]
Ring = Annotated[list[Spot], Field(min_length=3)]
Text = Annotated[str, Field(min_length=1, max_length=200)]
Id = Annotated[str, Field(pattern=r"^[^\s~@:/+#]{1,100}$")]
Ref = Annotated[str, Field(min_length=1, max_length=250)]
ZoneName = Literal["clean", "semi", "contaminated"]


def _both_languages(value: object) -> object:
    return {"en": value, "zh": value} if isinstance(value, str) else value


def _at(value: object) -> object:
    return {"at": value} if isinstance(value, list) else value


def _path(value: object) -> object:
    return {"path": value} if isinstance(value, list) else value


def _goods(value: str) -> str:
    if value not in GOODS:
        raise ValueError(f"write some of {', '.join(GOODS)}")
    return value


def _span(value: object) -> object:
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    ends = [_CLOCK.fullmatch(one) for one in found.groups()] if found else []
    seconds = [from_clock(int(one[1]), int(one[2])) for one in ends if one]
    if len(seconds) != 2 or max(seconds) > DAY_S or seconds[0] == seconds[1]:
        raise ValueError('write a part of the day in quotes, such as "07:00-09:00"')
    return tuple(seconds)


def _time_of_day(value: object) -> object:
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    second = from_clock(int(found[1]), int(found[2])) if found else DAY_S + 1
    if second > DAY_S:
        raise ValueError('write a time of day in quotes, such as "19:00"')
    return second


_CLOCK = re.compile(r"(\d\d):([0-5]\d)")
_SPAN = re.compile(r"(\d\d:\d\d) ?- ?(\d\d:\d\d)")
GoodsWord = Annotated[str, AfterValidator(_goods)]
SpanOfDay = Annotated[tuple[int, int], BeforeValidator(_span)]
TimeOfDay = Annotated[int, BeforeValidator(_time_of_day)]


class _Model(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", coerce_numbers_to_str=True, allow_inf_nan=False
    )


class _NameFile(_Model):
    en: Text
    zh: Text


NameFile = Annotated[_NameFile, BeforeValidator(_both_languages)]


class AnchorFile(_Model):
    """Where the frame's origin lies on the earth."""

    lat_deg: Annotated[float, Field(ge=-89.9, le=89.9)]
    lon_deg: Annotated[float, Field(ge=-180, le=180)]
    bearing_deg: Annotated[float, Field(ge=-360, le=360)] = 0.0


class AreaFile(_Model):
    """A room or corridor: ``rect`` or ``outline``."""

    id: Id
    name: NameFile
    kind: Text = "room"
    zone: ZoneName = "clean"
    rect: tuple[Metres, Metres, Metres, Metres] | None = None
    outline: Ring | None = None


class _NodeFile(_Model):
    at: Spot
    zone: ZoneName | None = None


NodeFile = Annotated[_NodeFile, BeforeValidator(_at)]


class PlaceFile(_Model):
    """Somewhere a person can name: ``at`` a new node, or on an existing ``node``."""

    name: NameFile
    kind: Text = "room"
    at: Spot | None = None
    node: Ref | None = None
    joins: list[Ref] = []
    door: Ref | None = None
    zone: ZoneName | None = None
    roles: list[Role] = []
    service_s: Annotated[float, Field(ge=0, le=86400)] = 0.0
    workcell: Ref | None = None


class WindowFile(_Model):
    """A part of the day; ``only`` these goods may pass then, or nobody."""

    only: list[GoodsWord]
    from_: Annotated[TimeOfDay, Field(alias="from")]
    to: TimeOfDay


class PassengersFile(_Model):
    """Hours in which robots have a lift for a share of the time at the most."""

    share: Annotated[float, Field(gt=0, le=1)]
    hours: Annotated[list[SpanOfDay], Field(min_length=1)]


class _LaneFile(_Model):
    path: Annotated[list[Ref], Field(min_length=2)]
    one_way: bool = False
    width_m: Annotated[float, Field(gt=0, le=100)] = 2.0
    speed_limit_m_s: Annotated[float, Field(gt=0, le=100)] | None = None
    door: Ref | None = None
    kinds: list[Text] = []
    length_m: Annotated[float, Field(gt=0, le=1e6)] | None = None
    windows: list[WindowFile] = []
    passing: bool = False


LaneFile = Annotated[_LaneFile, BeforeValidator(_path)]


class DoorFile(_Model):
    """A door; lanes and places name it."""

    name: NameFile
    opening_s: Annotated[float, Field(ge=0, le=600)] = 3.0


class WorkcellFile(_Model):
    """A machine that hands goods over; places name it."""

    name: NameFile
    does: Annotated[list[Literal["dispenses", "ingests"]], Field(min_length=1)]
    handover_s: Annotated[float, Field(ge=0, le=86400)] = 20.0
    limit_s: Annotated[float, Field(gt=0, le=86400)] = 300.0


class LevelFile(_Model):
    """One floor and all that is on it."""

    name: NameFile
    elevation_m: Metres = 0.0
    outdoors: bool = False
    areas: list[AreaFile] = []
    nodes: dict[Id, NodeFile] = {}
    places: dict[Id, PlaceFile] = {}
    lanes: list[LaneFile] = []
    doors: dict[Id, DoorFile] = {}
    workcells: dict[Id, WorkcellFile] = {}


class LiftFile(_Model):
    """A lift: where its cabin stands on each level, and what it is joined to there."""

    name: NameFile
    cabins: dict[str, Spot]
    joins: dict[str, list[Ref]] = {}
    speed_m_s: Annotated[float, Field(gt=0, le=20)] = 1.0
    door_s: Annotated[float, Field(ge=0, le=600)] = 4.0
    zone: ZoneName | None = None
    windows: list[WindowFile] = []
    passengers: PassengersFile | None = None


class AirLockFile(_Model):
    """Doors of which never two may be open."""

    name: NameFile | None = None
    doors: list[Ref]


class AirFile(_Model):
    """A volume of air."""

    name: NameFile
    kind: AirKind
    outline: Ring
    holes: list[Ring] = []
    floor_agl_m: Annotated[float, Field(ge=0, le=10000)] = 0.0
    ceiling_agl_m: Annotated[float, Field(gt=0, le=10000)] = 120.0
    hours: list[SpanOfDay] = []


class TerrainFile(_Model):
    """Where the raster of the ground is, and how far above it flights stay."""

    raster: Text
    keep_agl_m: Annotated[float, Field(gt=0, le=1000)] = 30.0


class SiteFile(_Model):
    """A whole site file."""

    site: Id
    name: NameFile
    anchor: AnchorFile
    connected: bool = True
    levels: Annotated[dict[Id, LevelFile], Field(min_length=1)]
    lifts: dict[Id, LiftFile] = {}
    air_locks: dict[Id, AirLockFile] = {}
    air: dict[Id, AirFile] = {}
    terrain: TerrainFile | None = None


def shape_faults(
    error: ValidationError,
    model: type[BaseModel],
    text: Marked,
    *,
    at: tuple[Step, ...] = (),
    reference: str = REFERENCE,
) -> list[Fault]:
    """What pydantic found wrong, each with its line and a remedy in plain words.

    Args:
        model: what was validated: the whole file, or the part of it at path ``at``.
        reference: where the file's format is described.
    """
    details = error.errors(include_url=False)
    return [_fault(detail, model, text, at, reference) for detail in details]


def _fault(
    detail: ErrorDetails,
    model: type[BaseModel],
    text: Marked,
    at: tuple[Step, ...],
    reference: str,
) -> Fault:
    path = (*at, *detail["loc"])
    line, where = text.line(*path), dotted(path)
    kind, given = detail["type"], _short(detail["input"])
    if kind == "extra_forbidden":
        owner = dotted(path[:-1]) or "the file"
        what = f"unknown key {str(path[-1])!r} in {owner}"
        return Fault(line, what, _key_remedy(str(path[-1]), _keys(model, detail["loc"][:-1])))
    if kind == "missing":
        owner = dotted(path[:-1]) or "the file"
        return Fault(line, f"{owner} has no {str(path[-1])!r}", f"add it; {reference}")
    if kind == "string_pattern_mismatch":
        remedy = "ids have no spaces and none of ~ @ : / + #, and at most 100 characters"
        return Fault(line, f"{where}: {given} can't be an id", remedy)
    if kind == "value_error":
        broken = "does not fit together" if isinstance(detail["input"], dict) else f"is {given}"
        remedy = detail["msg"].removeprefix("Value error, ")
        return Fault(line, f"{where or 'the file'} {broken}", remedy)
    remedy = _REMEDIES.get(kind, reference)
    if "expected" in detail.get("ctx", {}):
        remedy = f"write one of {detail.get('ctx', {})['expected']}"
    said = detail["msg"][0].lower() + detail["msg"][1:]
    return Fault(line, f"{where}: {said}, not {given}", remedy)


_REMEDIES = {
    "string_type": "write a text; words such as yes, no, on and dates need quotes",
    "float_type": "write a number",
    "float_parsing": "write a number",
    "finite_number": "write a finite number",
    "bool_parsing": "write true or false",
    "bool_type": "write true or false",
    "dict_type": "write 'key: value' lines below it",
    "model_type": "write 'key: value' lines below it",
    "model_attributes_type": "write 'key: value' lines below it",
    "list_type": "write a list in [brackets]",
    "too_short": "write one or more",
    "tuple_type": "write a list of numbers in [brackets]",
}


def _short(value: object) -> str:
    said = "nothing" if value is None else repr(value)
    return said if len(said) <= 60 else said[:57] + "..."


def _key_remedy(key: str, known: list[str]) -> str:
    close = get_close_matches(key, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"remove it; known here: {', '.join(known)}" if known else "remove it"


def _keys(model: type[BaseModel], path: tuple[Step, ...]) -> list[str]:
    """The keys that the model at the end of ``path`` knows."""
    here: object = model
    for step in path:
        here = _inside(here, step)
    here = _plain(here)
    return list(here.model_fields) if isinstance(here, type) and issubclass(here, BaseModel) else []


def _inside(kind: object, step: Step) -> object:
    kind = _plain(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = kind.model_fields.get(str(step))
        return field.annotation if field else None
    return get_args(kind)[-1] if get_origin(kind) in (dict, list) else None


def _plain(kind: object) -> object:
    """A type without its Annotated and None."""
    while get_origin(kind) in (Annotated, Union, UnionType):
        kind = get_args(kind)[0]
    return kind
