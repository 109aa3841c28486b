"""What a person may set of the MAVLink wire; every timeout stands here."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Timeouts(BaseModel):
    """How long anything may take, in seconds.

    An autopilot whose clock runs N times as fast as ours needs all of them divided by N: `scaled`.

    Source: MAVLink guide, mission and command protocols (1.5 s, 250 ms for items, 5 retries);
    heartbeats are missed after 4-5 of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    heartbeat_s: float = Field(default=1.0, gt=0)
    """Between our own heartbeats."""
    stale_s: float = Field(default=5.0, gt=0)
    """Silence after which a drone is no longer online."""
    lost_s: float = Field(default=120.0, gt=0)
    """Silence after which a mission is given up for lost; it flies on alone until then."""
    ack_s: float = Field(default=1.0, gt=0)
    """For the answer to a command, before it is sent again."""
    progress_s: float = Field(default=10.0, gt=0)
    """For the next word of a command that is in progress."""
    item_s: float = Field(default=1.5, gt=0)
    """For the next step of a mission upload or download, before ours is repeated."""
    upload_s: float = Field(default=30.0, gt=0)
    """For a whole mission upload, with nothing in it."""
    upload_item_s: float = Field(default=1.0, gt=0)
    """More of that for each item."""
    denied_s: float = Field(default=4.0, gt=0)
    """Before an upload is tried again that another ground station's was in the way of."""
    reason_s: float = Field(default=0.3, gt=0)
    """For the text that explains a refusal."""
    boot_s: float = Field(default=60.0, gt=0)
    """From power to the first heartbeat."""
    ready_s: float = Field(default=120.0, gt=0)
    """From the first refusal to arm to the last attempt."""
    arm_pause_s: float = Field(default=2.0, gt=0)
    """Between attempts to arm."""
    takeoff_s: float = Field(default=20.0, gt=0)
    """From the start of a mission to leaving the ground."""
    landing_s: float = Field(default=900.0, gt=0)
    """From a cancelled flight to standing on the ground."""
    disarm_s: float = Field(default=30.0, gt=0)
    """From the ground to motors that stand still."""
    watch_s: float = Field(default=5.0, gt=0)
    """Between looks at the rates of the streams."""
    recheck_s: float = Field(default=600.0, gt=0)
    """After which what a drone does by itself in need is looked at again, before a flight."""
    unfit_s: float = Field(default=30.0, gt=0)
    """Between looks at a drone that is not fit for service."""
    sleep_s: float = Field(default=30.0, gt=0)
    """Idle in its own dock before it is powered down."""

    def scaled(self, factor: float) -> "Timeouts":
        """All of them times ``factor``."""
        return Timeouts(**{name: value * factor for name, value in self.model_dump().items()})


class LinkConfig(BaseModel):
    """Who we are on the wire."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    system_id: int = Field(default=255, ge=1, le=255)
    component_id: int = Field(default=190, ge=1, le=255)
    timeouts: Timeouts = Timeouts()


class Rates(BaseModel):
    """How often a drone is asked to speak, in messages a second."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    position_hz: float = Field(default=1.0, gt=0, le=50)
    landed_state_hz: float = Field(default=0.5, gt=0, le=50)
    status_hz: float = Field(default=0.2, gt=0, le=50)
    mission_hz: float = Field(default=0.2, gt=0, le=50)


class Safety(BaseModel):
    """What a drone must do by itself when nobody tells it what to do.

    A drone that would not is not fit for service.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    set_parameters: bool = True
    """Whether we may change what is not as it should be; if not, a person must."""
    on_lost_link: Literal["continue", "return"] = "continue"
    """In a mission without us: fly it to its landing, or return at once."""
    gcs_timeout_s: float = Field(default=5.0, ge=2, le=120)
    """The longest silence of ours before it acts."""
    fence: bool = True
    """Whether it must hold the site's fence."""
    fence_action: int = Field(default=1, ge=1, le=5)
    """ArduCopter's FENCE_ACTION: 1 = return, 2 = land ..."""
    alt_max_m: float | None = Field(default=None, ge=10, le=1000)
    """Above where it takes off; None = the ceiling of the site's fence."""
    return_height_m: float | None = Field(default=None, ge=0, le=300)
    """At least so high it returns; None = the height of its own layer."""
    rally: bool = False
    """Whether it may return to a pad that is nobody's home, where that is nearer than its own."""


class MavlinkConfig(BaseModel):
    """One drone on the wire."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    system_id: int = Field(ge=1, le=254)
    component_id: int = Field(default=1, ge=0, le=255)
    autopilot: Literal["ardupilot", "px4"] = "ardupilot"
    """What it is taken for until its HEARTBEAT says what it is; the simulator flies this one."""
    rates: Rates = Rates()
    safety: Safety | None = Safety()
    """None = whatever it does by itself is somebody else's care."""
    gripper: bool = False
    """Whether goods hang on a gripper that MAVLink commands open and close."""
    pad_radius_m: float = Field(default=8.0, gt=0)
    """How far from a pad's centre a landed drone still stands on it."""
    standby: bool = False
    """Whether it keeps its power in its dock, to take off within seconds of a call."""
    arm_attempts: int = Field(default=30, ge=1)
    retries: int = Field(default=3, ge=0)
    """How often a command or a mission step is repeated."""
