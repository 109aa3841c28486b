"""How to reach one robot by VDA 5050, and what its dialect needs."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fleet.vda5050.terms import BlockingType

Seconds = Annotated[float, Field(gt=0)]

VERSIONS: Final[Mapping[str, str]] = {"2.0": "2.0.0", "2.1": "2.1.0", "3.0": "3.0.0"}
"""Each version that we speak, as headers say it."""

INTERFACES: Final[Mapping[str, str]] = {"2": "uagv", "3": "vda5050"}
"""The first word of the topics, by major version, where nobody says otherwise."""


class Vda5050Config(BaseModel):
    """One robot's wire.

    ``manufacturer`` and ``serial`` must be those in the robot's own topics.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal["2.0", "2.1", "3.0", "auto"] = "2.1"
    """``auto`` = found by listening to the robot."""
    manufacturer: Annotated[str, Field(min_length=1, pattern=r"^[^/+#$]+$")]
    serial: Annotated[str, Field(min_length=1, pattern=r"^[^/+#$]+$")]
    prefix: str = "uagv"
    """First word of the topics: the standard's ``interfaceName``; absent = ``uagv`` in version 2,
    ``vda5050`` in version 3, either of them with ``auto``."""

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

    recover_s: Seconds = 60.0
    """Version 3.0: how long a robot may stand with a CRITICAL error before its order is failed."""
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
    keeps_right: bool = True
    """Whether it drives in a straight line between the positions of an order's nodes, to within
    0.1 m; false = in a passing lane it needs both halves."""
    send_durations: bool = True
    """Tell how long an action is expected to take, in the parameter ``duration``; switch it off
    for robots that refuse parameters they don't know."""
    blocking: Mapping[str, BlockingType] = {}
    """Blocking types by ``actionType``, where it isn't to be ``HARD``; ``SINGLE`` is new in 3.0."""
    retries: Annotated[int, Field(ge=0, le=100)] = 2
    """Version 3.0: how often an action that is RETRIABLE is tried again before a person is asked;
    0 = actions are not allowed to become so."""
    person_s: Seconds = 900.0
    """How long that person may take before the action is given up."""
    zones: bool = True
    """Version 3.0: tell the robot of those zones that its factsheet says it can mind, and answer
    what it asks for; false = somebody else does both."""
    action_parameters: Mapping[str, Mapping[str, str | bool | int | float]] = {}
    """What the robot wants to be told with each action of a type, besides what we tell or instead
    of it, such as ``{pick: {stationType: floor, loadType: EPAL}}``."""
    maps: Mapping[str, str] = {}
    """The robot's ``mapId`` for each level, where it isn't the level's own id."""

    instant_actions_key: Literal["actions", "instantActions"] = "actions"
    """Some robots of version 2.0 want the list under the name of the message."""
    deviation_key: Literal["allowedDeviationXY", "allowedDeviationXy"] = "allowedDeviationXY"
    """The schema of version 2.0 spells it ``allowedDeviationXy``; the standard's text doesn't."""

    @model_validator(mode="before")
    @classmethod
    def _usual_prefix(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "prefix" in given:
            return cast("Any", given)
        fields = cast("dict[str, Any]", given)
        major = str(fields.get("version", "2.1"))[0]
        return {**fields, "prefix": INTERFACES.get(major, "")}

    @model_validator(mode="after")
    def _blocks_as_its_version_can(self) -> "Vda5050Config":
        single = [kind for kind, how in self.blocking.items() if how is BlockingType.SINGLE]
        if single and self.version != "3.0":
            raise ValueError(f"blocking: {single[0]}: SINGLE needs version 3.0; write SOFT or HARD")
        return self

    def spoken(self) -> "Vda5050Config":
        """The same with a version, for a simulated robot that was told none."""
        if self.version != "auto":
            return self
        return self.in_version("2.1")

    def in_version(self, version: str) -> "Vda5050Config":
        """The same for a robot that has turned out to speak this version."""
        prefix = self.prefix or INTERFACES[version[0]]
        return self.model_copy(update={"version": version, "prefix": prefix})

    @property
    def v3(self) -> bool:
        """Whether the robot speaks version 3."""
        return self.version == "3.0"

    def topic(self, name: str) -> str:
        """The robot's topic of that name."""
        major = "v3" if self.v3 else "v2"
        return f"{self.prefix}/{major}/{self.manufacturer}/{self.serial}/{name}"

    @property
    def full_version(self) -> str:
        """The version as headers say it."""
        return VERSIONS[self.version]
