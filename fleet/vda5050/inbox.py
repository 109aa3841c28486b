"""What one robot says, in its right order: late, repeated and broken messages are left out."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel

from fleet.vda5050.codec import Codec
from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.dialects import read_stamp
from fleet.vda5050.factsheet import FACTSHEET, Factsheet
from fleet.vda5050.messages import (
    CONNECTION,
    STATE,
    VISUALIZATION,
    AgvPosition,
    ConnectionState,
    PatientHeader,
    State,
)

log = logging.getLogger(__name__)

M = TypeVar("M", bound=BaseModel)

_REFUSED_IN_A_ROW = 3
_ALIVE_STATES = 3
"""So many new states show that a robot is there, whatever its connection topic says."""


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

    def admits(self, header: PatientHeader) -> bool:
        """Whether a message is newer than the last one; if so, it is the last one now."""
        at = read_stamp(header.timestamp)
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
    """

    def __init__(
        self,
        config: Vda5050Config,
        *,
        now_s: Callable[[], float],
        heard: Callable[[State], None],
        connected: Callable[[], None],
    ) -> None:
        self._config = config
        self._now_s = now_s
        self._heard, self._connected = heard, connected
        self._gate, self._picture_gate = Gate(), Gate()
        self._since_broken = 0
        self.state: State | None = None
        self.factsheet: Factsheet | None = None
        self.pose: AgvPosition | None = None
        """Newest of state and visualization, for screens."""
        self.heard_at_s: float | None = None
        self.connection: ConnectionState | None = None
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
        if message is None:
            return
        try:
            self.connection = ConnectionState(message.connection_state)
        except ValueError:
            self.connection = ConnectionState.OFFLINE
        self._since_broken = 0
        if self.connection is ConnectionState.ONLINE:
            self._gate.reset()
            self._picture_gate.reset()
        self._connected()

    def _take_state(self, topic: str, payload: bytes) -> None:
        state = self._read(STATE, topic, payload)
        if state is None:
            return
        if not self._gate.admits(state):
            self.stale += 1
            return
        self.state, self.heard_at_s = state, self._now_s()
        self.pose = state.agv_position or self.pose
        self._look_alive()
        self._heard(state)

    def _look_alive(self) -> None:
        """Believe a robot's states rather than its last will.

        After a broker's restart some never say again that they are ONLINE: their last will
        stands, or nothing, where the broker has forgotten what it had retained.
        """
        if self.connection in (None, ConnectionState.CONNECTIONBROKEN):
            self._since_broken += 1
            if self._since_broken >= _ALIVE_STATES:
                self.connection = ConnectionState.ONLINE
                self._connected()

    def _take_visualization(self, topic: str, payload: bytes) -> None:
        message = self._read(VISUALIZATION, topic, payload)
        if message is not None and message.agv_position and self._picture_gate.admits(message):
            self.pose = message.agv_position

    def _take_factsheet(self, topic: str, payload: bytes) -> None:
        self.factsheet = self._read(FACTSHEET, topic, payload) or self.factsheet

    def _read(self, codec: Codec[M], topic: str, payload: bytes) -> M | None:
        try:
            return codec.decode(payload)
        except ValueError as fault:
            self.junk += 1
            if self.junk == 1 or self.junk % 100 == 0:
                log.warning("%s: unreadable (%d so far): %s", topic, self.junk, fault)
            return None
