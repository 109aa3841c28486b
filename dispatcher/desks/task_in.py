"""What people may ask for: one model for each kind of task, with hints for the forms.

Numbers are numbers (``"1"`` is refused), moments say their time zone, and nothing is unbounded.
"""

import re
import unicodedata
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from dispatcher.domain.task import Goods, Kind, Method, Priority, VisitOrder
from fleet.vehicle import Medium

MAX_STOPS = 20
"""Most drop-offs or patrol points of one task."""
MAX_CORNERS = 500
"""Most corners of a border that is drawn."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")


def _is_moment(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and _MOMENT.match(value)):
        return value
    raise PydanticCustomError("not_a_time", "not a moment")


def _printable(text: str) -> str:
    for letter in text:
        if unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\t":
            raise PydanticCustomError("control_character", "holds a control character")
    return text


def one_or_many(value: object) -> object:
    """One word as a list of one."""
    return [value] if isinstance(value, str) else value


def _hint(order: int, en: str, zh: str, widget: str, *, more: bool = False) -> Any:
    """How a form shows the field; ``more`` = behind "More", for it has a good default."""
    hints: JsonDict = {
        "x-order": order,
        "x-label": {"en": en, "zh": zh},
        "x-widget": widget,
        "x-more": more,
    }
    return Field(json_schema_extra=hints)


def _text(limit: int, *, least: int = 0) -> Any:
    return StringConstraints(strip_whitespace=True, min_length=least, max_length=limit)


Title = Annotated[str, _text(120, least=1), AfterValidator(_printable)]
Note = Annotated[str, _text(500), AfterValidator(_printable)]
Word = Annotated[str, _text(80, least=1), AfterValidator(_printable)]
Moment = Annotated[AwareDatetime, BeforeValidator(_is_moment)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Mass = Annotated[Number, Field(gt=0, le=10_000)]
Volume = Annotated[Number, Field(ge=0, le=100_000)]
Places = Annotated[
    tuple[Word, ...],
    Field(max_length=MAX_STOPS),
    BeforeValidator(one_or_many, json_schema_input_type=Word | list[Word]),
]


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    priority: Annotated[Priority, _hint(20, "Priority", "优先级", "choice")] = Priority.ROUTINE
    earliest_at: Annotated[
        Moment | None, _hint(30, "Not before", "最早开始", "time", more=True)
    ] = None
    due_at: Annotated[Moment | None, _hint(31, "Due by", "最晚完成", "time", more=True)] = None
    requester: Annotated[Note, _hint(40, "Asked for by", "申请人", "text", more=True)] = ""
    note: Annotated[Note, _hint(41, "Note", "备注", "text", more=True)] = ""


class DeliveryIn(_Asked):
    """Goods from one place to one or more others."""

    kind: Literal[Kind.DELIVERY]
    item: Annotated[Title, _hint(1, "What", "物品", "text")]
    goods: Annotated[Goods, _hint(2, "Goods class", "货物类别", "choice")] = Goods.GENERAL
    origin: Annotated[Word, Field(alias="from"), _hint(3, "From", "从", "place")]
    to: Annotated[Places, Field(min_length=1), _hint(4, "To", "到", "places")]
    mass_kg: Annotated[Mass, _hint(5, "Mass", "重量", "mass")]
    volume_l: Annotated[Volume, _hint(6, "Volume", "体积", "volume", more=True)] = 0.0
    by: Annotated[Medium | None, _hint(7, "Only by", "仅限", "choice", more=True)] = None
    via: Annotated[Word | None, _hint(8, "Over the pad", "经由起降点", "place", more=True)] = None


class MedicineIn(_Asked):
    """Medicine from the pharmacy into the right hands, in a locked compartment."""

    kind: Literal[Kind.MEDICINE]
    item: Annotated[Title, _hint(1, "Medicine", "药品", "text")]
    to: Annotated[Word, _hint(2, "To", "到", "place")]
    origin: Annotated[
        Word | None, Field(alias="from"), _hint(3, "From", "从", "place", more=True)
    ] = None
    recipient_role: Annotated[Word, _hint(4, "Handed to", "接收人", "text", more=True)] = "nurse"
    mass_kg: Annotated[Mass, _hint(5, "Mass", "重量", "mass", more=True)] = 1.0
    volume_l: Annotated[Volume, _hint(6, "Volume", "体积", "volume", more=True)] = 0.0
    controlled: Annotated[
        StrictBool, _hint(7, "Controlled drug", "管制药品", "flag", more=True)
    ] = False
    via: Annotated[Word | None, _hint(8, "Over the pad", "经由起降点", "place", more=True)] = None


Coordinate = Annotated[Number, Field(ge=-1e6, le=1e6)]
Ring = Annotated[tuple[tuple[Coordinate, Coordinate], ...], Field(max_length=MAX_CORNERS)]


class PolygonIn(BaseModel):
    """A GeoJSON polygon (RFC 7946): rings of [longitude, latitude], the outer one first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["Polygon"]
    coordinates: Annotated[tuple[Ring, ...], Field(min_length=1, max_length=50)]


class PatrolIn(_Asked):
    """A look at places in turn, or at all of an area from the air; once, or without a gap."""

    kind: Literal[Kind.PATROL]
    manner: Literal["cover", "visit", "route", "watch"] | None = None
    """What is meant, so that the rest can be checked against it; it follows from the rest."""
    area: Annotated[Word | None, _hint(1, "Area, by air", "区域（空中）", "area")] = None
    outline: Annotated[Ring | None, _hint(2, "Or one of your own", "或自行绘制", "outline")] = None
    """Instead of a named area: corners in metres east and north of the site's origin."""
    geojson: PolygonIn | None = None
    """The same in degrees."""
    points: Annotated[Places, _hint(3, "Places, on the ground", "地点（地面）", "places")] = ()
    by: Annotated[Medium | None, _hint(6, "Places seen by", "由谁查看", "choice", more=True)] = None
    order: Annotated[VisitOrder, _hint(7, "VisitOrder", "顺序", "choice", more=True)] = (
        VisitOrder.GIVEN
    )
    revisit_s: Annotated[
        Annotated[Number, Field(ge=30, le=86_400)] | None,
        _hint(
            8,
            "Watch: never unseen for longer than",
            "持续监视：最长未见时间",
            "duration",
            more=True,
        ),
    ] = None
    until: Annotated[Moment | None, _hint(9, "Watch until", "监视至", "time", more=True)] = None
    rounds: Annotated[
        StrictInt, Field(ge=1, le=20), _hint(4, "Rounds", "圈数", "number", more=True)
    ] = 1
    dwell_s: Annotated[
        Number,
        Field(ge=0, le=3600),
        _hint(5, "Stay at each place", "每处停留", "duration", more=True),
    ] = 20.0

    @model_validator(mode="after")
    def _one_of_both(self) -> "PatrolIn":
        areas = sum(one is not None for one in (self.area, self.outline, self.geojson))
        if areas > 1:
            raise PydanticCustomError("several_areas", "names several areas")
        if bool(areas) == bool(self.points):
            raise PydanticCustomError("area_or_points", "needs an area or points")
        if areas and self.by is Medium.GROUND:
            raise PydanticCustomError("area_by_air", "an area is seen from the air")
        if (self.revisit_s is None) != (self.until is None):
            raise PydanticCustomError("watch_needs_both", "a watch has a revisit time and an end")
        if self.order is VisitOrder.RANDOM and (areas or self.by is Medium.AIR):
            raise PydanticCustomError("random_on_the_ground", "only robots go at random")
        wanted = self.manner
        is_watch, covers = self.revisit_s is not None, bool(areas)
        fits = {"watch": is_watch, "cover": covers and not is_watch}
        if wanted is not None and not fits.get(wanted, not covers and not is_watch):
            raise PydanticCustomError("manner_differs", "is not what the rest says")
        if wanted == "route" and self.order is not VisitOrder.GIVEN:
            raise PydanticCustomError("route_has_order", "a route is followed as given")
        return self


class DisinfectionIn(_Asked):
    """One room, by lamp or by spray."""

    kind: Literal[Kind.DISINFECTION]
    room: Annotated[Word, _hint(1, "Room", "房间", "place")]
    method: Annotated[Method, _hint(2, "Method", "方式", "choice")] = Method.UV_C
    dose_mj_cm2: Annotated[
        Number, Field(gt=0, le=1000), _hint(3, "Dose", "剂量", "dose", more=True)
    ] = 10.0


TaskIn = DeliveryIn | MedicineIn | PatrolIn | DisinfectionIn
AnyTaskIn = Annotated[TaskIn, Field(discriminator="kind")]
MODELS: dict[Kind, type[TaskIn]] = {
    Kind.DELIVERY: DeliveryIn,
    Kind.MEDICINE: MedicineIn,
    Kind.PATROL: PatrolIn,
    Kind.DISINFECTION: DisinfectionIn,
}
