"""How to reach one robot by VDA 5050, and what its dialect needs."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0)]

VERSIONS: Final[Mapping[str, str]] = {"2.0": "2.0.0", "2.1": "2.1.0"}


class Vda5050Config(BaseModel):
    """One robot's wire.

    ``manufacturer`` and ``serial`` must be those in the robot's own topics.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal["2.0", "2.1"] = "2.1"
    manufacturer: Annotated[str, Field(min_length=1, pattern=r"^[^/+#$]+$")]
    serial: Annotated[str, Field(min_length=1, pattern=r"^[^/+#$]+$")]
    prefix: str = "uagv"
    """First word of the topics: the standard's ``interfaceName``."""

    ack_timeout_s: Seconds = 5.0
    """How long a sent order may go without its echo in a state before we ask for one."""
    resends: Annotated[int, Field(ge=1)] = 6
    """How often a message without an echo is sent again before we give up."""
    fresh_s: Seconds = 45.0
    """Age at which its last state is stale: 30 s between states, and a margin."""
    patience_s: Seconds = 600.0
    """How long a mission waits for a robot that is no longer heard."""
    action_grace_s: Seconds = 120.0
    """How much longer than twice its expected duration an action may take."""

    tidy_up_s: Seconds = 60.0
    """How long a robot may take to give up a failed order before it is called unfit."""

    horizon_nodes: Annotated[int, Field(ge=0)] | None = 5
    """How many nodes beyond the released ones the robot is shown; null = all."""
    max_order_nodes: Annotated[int, Field(ge=2)] | None = None
    """How many nodes one order message may have; absent = as its factsheet says."""
    deviation_m: Annotated[float, Field(ge=0)] | None = None
    """Allowed deviation at nodes; absent = the robot's own."""
    start_deviation_m: Annotated[float, Field(ge=0)] | None = None
    """Allowed deviation at an order's first node, for robots that stop beside their nodes."""
    send_durations: bool = True
    """Tell how long an action is expected to take, in the parameter ``duration``; switch it off
    for robots that refuse parameters they don't know."""
    action_parameters: Mapping[str, Mapping[str, str | bool | int | float]] = {}
    """What the robot wants to be told with each action of a type, besides what we tell or instead
    of it, such as ``{pick: {stationType: floor, loadType: EPAL}}``."""
    maps: Mapping[str, str] = {}
    """The robot's ``mapId`` for each level, where it isn't the level's own id."""

    instant_actions_key: Literal["actions", "instantActions"] = "actions"
    """Some robots of version 2.0 want the list under the name of the message."""
    deviation_key: Literal["allowedDeviationXY", "allowedDeviationXy"] = "allowedDeviationXY"
    """The schema of version 2.0 spells it ``allowedDeviationXy``; the standard's text doesn't."""

    def topic(self, name: str) -> str:
        """The robot's topic of that name."""
        return f"{self.prefix}/v2/{self.manufacturer}/{self.serial}/{name}"

    @property
    def full_version(self) -> str:
        """The version as headers say it."""
        return VERSIONS[self.version]
