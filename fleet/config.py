"""What people write about vehicles: models once, then each vehicle with its home and its wire."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from fleet.energy import EnergySpec
from fleet.mavlink.config import MavlinkConfig
from fleet.ros2.config import Ros2Config
from fleet.vda5050.config import Vda5050Config
from fleet.vehicle import Integration, Medium, VehicleId, VehicleSpec
from routing.site import PlaceId

Above0 = Annotated[float, Field(gt=0, le=1e6)]
AtLeast0 = Annotated[float, Field(ge=0, le=1e6)]
Id = Annotated[str, Field(pattern=r"^[^\s~@:/+#]{1,60}$")]
Word = Annotated[str, Field(min_length=1, max_length=100)]


class Frozen(BaseModel):
    """Base of all that is read from configuration files: no surplus keys, no later change."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        coerce_numbers_to_str=True,
        allow_inf_nan=False,
        populate_by_name=True,
    )


class EnergyConfig(Frozen):
    """The energy of one model: see `EnergySpec`."""

    capacity_wh: Above0
    idle_w: AtLeast0
    move_w: Above0
    work_w: AtLeast0 = 0.0
    climb_w: AtLeast0 = 0.0
    hover_w: AtLeast0 = 0.0
    charge_w: Above0 = 500.0
    reserve_ratio: Annotated[float, Field(ge=0, lt=1)] = 0.2

    def to_spec(self) -> EnergySpec:
        """The same as the rest of the program knows it."""
        return EnergySpec(**self.model_dump())


class Body(Frozen):
    """What all vehicles of one model have in common."""

    make: Word
    kind: Word
    """Word of the lanes for who may drive there."""
    medium: Medium = Medium.GROUND
    speed_m_s: Above0
    acceleration_m_s2: Above0 = 0.5
    width_m: Above0
    length_m: Above0
    payload_kg: AtLeast0 = 0.0
    payload_l: AtLeast0 = 0.0
    load_types: list[Word] = []
    skills: list[Word] = []
    energy: EnergyConfig
    climb_m_s: Above0 = 3.0
    cruise_agl_m: Above0 = 60.0
    wind_limit_m_s: Above0 | None = None
    """The strongest wind that it may fly in; aircraft only."""


def _version(value: object) -> object:
    """Versions as people write them: 2.1, "2.1" or "2.1.0"."""
    if isinstance(value, dict) and "version" in value:
        return {**value, "version": ".".join(str(value["version"]).split(".")[:2])}
    return value


class ModelLink(Frozen):
    """What the wires of all vehicles of a model have in common, without what tells them apart."""

    vda5050: Annotated[dict[str, Any] | None, BeforeValidator(_version)] = None
    mavlink: dict[str, Any] | None = None
    ros2: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _one(self) -> "ModelLink":
        if [self.vda5050, self.mavlink, self.ros2].count(None) != 2:
            raise ValueError("a link needs one of vda5050, mavlink and ros2")
        return self


class ModelConfig(Body):
    """One model of vehicle, as declared under ``models:``."""

    link: ModelLink


class LinkConfig(Frozen):
    """The wire of one vehicle: exactly one of them."""

    vda5050: Annotated[Vda5050Config | None, BeforeValidator(_version)] = None
    mavlink: MavlinkConfig | None = None
    ros2: Ros2Config | None = None

    @model_validator(mode="after")
    def _one(self) -> "LinkConfig":
        if [self.vda5050, self.mavlink, self.ros2].count(None) != 2:
            raise ValueError("a link needs one of vda5050, mavlink and ros2")
        return self


class VehicleConfig(Body):
    """One vehicle, with all that its model says."""

    id: Id
    name: Word
    home: Word
    link: LinkConfig
    dock: Word | None = None
    """The facility that powers and charges it; drones in a dock."""
    integration: Integration = Integration.USED

    def to_spec(self) -> VehicleSpec:
        """The same as the rest of the program knows it."""
        return VehicleSpec(
            id=VehicleId(self.id),
            name=self.name,
            medium=self.medium,
            kind=self.kind,
            make=self.make,
            home=PlaceId(self.home),
            speed_m_s=self.speed_m_s,
            acceleration_m_s2=self.acceleration_m_s2,
            width_m=self.width_m,
            length_m=self.length_m,
            payload_g=round(self.payload_kg * 1000),
            payload_ml=round(self.payload_l * 1000),
            load_types=frozenset(self.load_types),
            skills=frozenset(self.skills),
            energy=self.energy.to_spec(),
            climb_m_s=self.climb_m_s,
            cruise_agl_m=self.cruise_agl_m,
            wind_limit_m_s=self.wind_limit_m_s,
            integration=self.integration,
            keeps_right=self.link.vda5050 is not None and self.link.vda5050.keeps_right,
        )


class VehicleGroup(Frozen):
    """Some vehicles of one model: lists of equal length, one entry for each vehicle.

    ``count`` stands instead of ``ids`` and ``homes`` where they are to be found on the site; a
    number or ``auto``, for as many as the site has room for.
    """

    model: Word
    ids: list[Id] = []
    homes: list[Word] = []
    count: Annotated[int, Field(ge=0, le=1000)] | Literal["auto"] | None = None
    names: list[Word] | None = None
    docks: list[Word] | None = None
    serials: list[Word] | None = None
    system_ids: list[Annotated[int, Field(ge=1, le=254)]] | None = None
    namespaces: list[Annotated[str, Field(max_length=100)]] | None = None
    domain_ids: list[Annotated[int, Field(ge=0, le=232)]] | None = None
    cruise_agl_m: list[Above0] | None = None
    integration: Integration = Integration.USED
    """How far all of them are ours."""


class FleetConfig(Frozen):
    """The part of a file that says which vehicles there are."""

    models: dict[Id, ModelConfig]
    vehicles: list[VehicleGroup]
