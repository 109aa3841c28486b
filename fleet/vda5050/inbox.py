"""What one robot says, in its right order: late, repeated and broken messages are left out."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from msgspec import Struct

from fleet.vda5050.codec import Codec
from fleet.vda5050.conduct import Conduct, Rule
from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.dialects import read_stamp
from fleet.vda5050.factsheet import FACTSHEET, Factsheet
from fleet.vda5050.state_messages import (
    CONNECTION,
    STATE,
    VISUALIZATION,
    AgvPosition,
    PatientHeader,
    State,
)
from fleet.vda5050.terms import ConnectionState
from fleet.vda5050.twins import Spot, Twins

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Struct)

LONGEST: Final = 512 * 1024
"""Bytes of a message that is read at all; a state of a thousand nodes has a fifth of that."""
_REFUSED_IN_A_ROW = 3
_CLOCK_OFF = timedelta(hours=1)
_MINUTE_S = 60.0
_ALIVE_STATES = 3
"""States after which a connection that counts as broken is believed to stand."""


@dataclass(slots=True)
class Gate:
    """Lets the messages of one topic through that are newer than the last one.

    Newer = higher ``headerId`` or later timestamp. A robot that has restarted counts from the
    start again, with later timestamps; one whose clock went back as well is recognised by
    several "old" messages that follow each other in order.
    """

    header_id: int = -1
    at: datetime | None = None
    _refused_id: int = -1
    _refused: int = 0

    def admits(self, header: PatientHeader, at: datetime | None) -> bool:
        """Whether a message is newer than the last one; if so, it is the last one now.

        Args:
            at: its timestamp; None = it has none that is believed.
        """
        later = at is not None and (self.at is None or at > self.at)
        if header.header_id <= self.header_id and not later and not self._insists(header):
            return False
        self.header_id, self.at = header.header_id, at or self.at
        self._refused_id, self._refused = -1, 0
        return True

    def reset(self) -> None:
        """The robot has connected anew: take its next message whatever it says."""
        self.header_id, self.at = -1, None

    def _insists(self, header: PatientHeader) -> bool:
        in_order = header.header_id > self._refused_id
        self._refused = self._refused + 1 if in_order else 1
        self._refused_id = header.header_id
        if self._refused < _REFUSED_IN_A_ROW:
            return False
        self.at = None
        return True


class Inbox:
    """The latest word of one robot on each of its topics.

    Args:
        heard: called after each new state.
        connected: called after each message on the connection topic.
        conduct: gets what is wrong with the robot's messages.
        now: this moment by the calendar, to judge the robot's clock by; None = it is not judged.
    """

    def __init__(
        self,
        config: Vda5050Config,
        *,
        now_s: Callable[[], float],
        heard: Callable[[State], None],
        connected: Callable[[], None],
        conduct: Conduct | None = None,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self._config = config
        self._now_s = now_s
        self._now = now
        self._heard, self._connected = heard, connected
        self._conduct = conduct or Conduct(config.serial, now_s)
        self._header = config.manufacturer, config.serial, config.full_version
        self._gate, self._picture_gate = Gate(), Gate()
        self._today = -math.inf, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
        """When it was looked at the calendar, and between which stamps a robot's clock is right."""
        self._twins = Twins()
        self._since_broken = 0
        self.state: State | None = None
        self.factsheet: Factsheet | None = None
        self.pose: AgvPosition | None = None
        """Newest of state and visualization; the same object while it says the same."""
        self.heard_at_s: float | None = None
        self.connection: ConnectionState | None = None
        self.twins_at_s = -math.inf
        """When it was last clear that two robots send under this name."""
        self.words = 0
        """How often any of these has changed but the factsheet."""
        self.junk = 0
        """Messages that could not be read."""
        self.stale = 0
        """States that came twice or late."""

    @property
    def online(self) -> bool:
        """Connected, and its last state is fresh."""
        return (
            self.connection is ConnectionState.ONLINE
            and self.heard_at_s is not None
            and self._now_s() < self.heard_at_s + self._config.fresh_s
        )

    @property
    def asleep(self) -> bool:
        """Connected and well, but silent until it wakes."""
        return self.connection is ConnectionState.HIBERNATING

    @property
    def doubled(self) -> bool:
        """Whether two robots send under this name; over when it has long not been so."""
        since_s = self.twins_at_s
        return since_s > -math.inf and self._now_s() < since_s + 4 * self._config.fresh_s

    def changes_s(self, now_s: float) -> float:
        """When `online` or `doubled` is another without a further word; infinity = never."""
        fresh_s = self._config.fresh_s
        stale_s = math.inf if self.heard_at_s is None else self.heard_at_s + fresh_s
        if stale_s <= now_s:
            stale_s = math.inf
        if self.twins_at_s == -math.inf:
            return stale_s
        single_s = self.twins_at_s + 4 * fresh_s
        return min(single_s, stale_s) if single_s > now_s else stale_s

    def topics(self) -> dict[str, Callable[[str, bytes], None]]:
        """What to subscribe to, and who takes it in; none of these ever raises."""
        return {
            self._config.topic("connection"): self._take_connection,
            self._config.topic("state"): self._take_state,
            self._config.topic("visualization"): self._take_visualization,
            self._config.topic("factsheet"): self._take_factsheet,
        }

    def _take_connection(self, topic: str, payload: bytes) -> None:
        message = self._read(CONNECTION, topic, payload)
        if message is None or not self._is_its_own(message):
            return
        try:
            self.connection = ConnectionState(message.connection_state)
        except ValueError:
            self._conduct.note(Rule.UNREADABLE, f"connectionState {message.connection_state!r}")
            return
        self.words += 1
        self._since_broken = 0
        if self.connection is ConnectionState.ONLINE:
            self._gate.reset()
            self._picture_gate.reset()
        self._connected()

    def _take_state(self, topic: str, payload: bytes) -> None:
        state = self._read(STATE, topic, payload)
        if state is None or not self._is_its_own(state):
            return
        now_s = self._now_s()
        spot = _spot(state.agv_position, now_s)
        if self._twins.hear(state.header_id, spot):
            self.twins_at_s = now_s
            self.words += 1
            self._conduct.note(Rule.TWO_ROBOTS, f"headerId jumps to {state.header_id} and back")
        if not self._admits(self._gate, state, now_s) and not self._repeats_header(state):
            self.stale += 1
            return
        if self.state is not None and state.header_id == self.state.header_id:
            self._conduct.note(Rule.REPEATED_HEADER, f"headerId {state.header_id}")
        self.words += 1
        self.state, self.heard_at_s = state, now_s
        self._place(state.agv_position)
        self._judge(state, spot)
        self._heard(state)

    def _repeats_header(self, state: State) -> bool:
        """Whether it says another thing under its last header: some count and date nothing."""
        last = self.state
        return (
            last is not None
            and (state.header_id, state.timestamp) == (last.header_id, last.timestamp)
            and state != last
        )

    def _place(self, pose: AgvPosition | None) -> None:
        """It says that it is there, or nothing of that."""
        known = self.pose
        if pose is not None and (known is None or pose != known):
            self.pose = pose

    def _judge(self, state: State, spot: Spot | None) -> None:
        """Note what is odd about a state that is new."""
        battery = state.battery_state
        charge = battery.battery_charge if battery else None
        nowhere = spot is None and _absurd(state.agv_position)
        if nowhere or (charge is not None and not 0 <= charge <= 100):
            self._conduct.note(Rule.NOT_A_NUMBER)
        self._look_alive()

    def _look_alive(self) -> None:
        """Believe a robot's states rather than its last will.

        After a broker's restart some never say again that they are ONLINE: their last will
        stands, or nothing, where the broker has forgotten what it had retained.
        """
        if self.connection in (None, ConnectionState.CONNECTIONBROKEN):
            self._since_broken += 1
            if self._since_broken >= _ALIVE_STATES:
                if self.connection is not None:
                    self._conduct.note(Rule.SAYS_OFFLINE, "its last will came late")
                self.connection = ConnectionState.ONLINE
                self.words += 1
                self._connected()

    def _take_visualization(self, topic: str, payload: bytes) -> None:
        message = self._read(VISUALIZATION, topic, payload)
        if message is None or message.agv_position is None or not self._is_its_own(message):
            return
        if _absurd(message.agv_position):
            self._conduct.note(Rule.NOT_A_NUMBER, "in a visualization")
        elif self._admits(self._picture_gate, message, self._now_s()):
            self._place(message.agv_position)
            self.words += 1

    def _take_factsheet(self, topic: str, payload: bytes) -> None:
        sheet = self._read(FACTSHEET, topic, payload)
        if sheet is not None and self._is_its_own(sheet):
            self.factsheet = sheet

    def _admits(self, gate: Gate, message: PatientHeader, now_s: float) -> bool:
        looked_s, earliest, latest = self._today
        if self._now is not None and not 0 <= now_s - looked_s < _MINUTE_S:
            now = self._now()  # nothing here needs it any better than to the minute
            earliest, latest = now - _CLOCK_OFF, now + _CLOCK_OFF
            self._today = now_s, earliest, latest
        at = read_stamp(message.timestamp)
        if self._now is not None and (at is None or not earliest <= at <= latest):
            self._conduct.note(Rule.CLOCK_OFF, message.timestamp)
        return gate.admits(message, None if at is None or at > latest else at)

    def _is_its_own(self, message: PatientHeader | Factsheet) -> bool:
        """Whether a message is in the name of its topic, and in a version that we speak."""
        config = self._config
        said = message.manufacturer, message.serial_number
        if (*said, message.version) == self._header:
            return True
        names = zip(said, (config.manufacturer, config.serial), strict=True)
        if any(name and name.casefold() != ours.casefold() for name, ours in names):
            self._conduct.note(Rule.WRONG_NAME, "/".join(said))
            return False
        if message.version and _major(message.version) != _major(config.full_version):
            detail = f"{message.version}, but its setting is {config.version}"
            self._conduct.note(Rule.WRONG_VERSION, detail)
            return False
        return True

    def _read(self, codec: Codec[M], topic: str, payload: bytes) -> M | None:
        if len(payload) > LONGEST:
            self.junk += 1
            self._conduct.note(Rule.OVERSIZED, f"{len(payload)} bytes")
            return None
        try:
            return codec.decode(payload)
        except ValueError as fault:
            self.junk += 1
            self._conduct.note(Rule.UNREADABLE, f"{topic.rpartition('/')[2]}: {_first(fault)}")
            if self.junk == 1 or self.junk % 100 == 0:
                log.warning("%s: unreadable (%d so far): %s", topic, self.junk, _first(fault))
            return None


def _first(fault: Exception) -> str:
    """The gist of an error, in one short line."""
    return " ".join(str(fault).split())[:200]


def _major(version: str) -> str:
    return version.partition(".")[0]


def _absurd(pose: AgvPosition | None) -> bool:
    if pose is None:
        return False
    return not math.isfinite((pose.x or 0.0) * 0 + (pose.y or 0.0) * 0 + (pose.theta or 0.0) * 0)


def _spot(pose: AgvPosition | None, now_s: float) -> Spot | None:
    if pose is None or pose.x is None or pose.y is None or _absurd(pose):
        return None
    return pose.map_id or "", pose.x, pose.y, now_s
