"""Whether a drone speaks as often as it was asked to."""

from collections.abc import Mapping

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.config import Rates
from fleet.mavlink.telemetry import Telemetry

_MISSED = 3
"""So many messages missing in a row mean that a stream has dried up."""
_COUNTED = 4
"""So many must be due before their number says anything."""


class Streams:
    """The streams that we want of one drone."""

    def __init__(self, rates: Rates) -> None:
        self.intervals_s: Mapping[int, float] = {
            mav.MAVLINK_MSG_ID_GLOBAL_POSITION_INT: 1 / rates.position_hz,
            mav.MAVLINK_MSG_ID_EXTENDED_SYS_STATE: 1 / rates.landed_state_hz,
            mav.MAVLINK_MSG_ID_SYS_STATUS: 1 / rates.status_hz,
            mav.MAVLINK_MSG_ID_MISSION_CURRENT: 1 / rates.mission_hz,
        }
        self._looked: dict[int, tuple[float, int]] = {}

    def slow(self, said: Telemetry, now_s: float) -> list[int]:
        """The messages that came too seldom since the last look, or not at all."""
        return [
            message_id for message_id in self.intervals_s if self._slow(message_id, said, now_s)
        ]

    def _slow(self, message_id: int, said: Telemetry, now_s: float) -> bool:
        interval_s = self.intervals_s[message_id]
        if said.age_s(message_id, now_s) > _MISSED * interval_s:
            self._looked.pop(message_id, None)
            return True
        looked_s, heard = self._looked.get(message_id, (now_s, said.heard[message_id]))
        due = (now_s - looked_s) / interval_s
        if due >= _COUNTED or message_id not in self._looked:
            self._looked[message_id] = now_s, said.heard[message_id]
        return due >= _COUNTED and said.heard[message_id] - heard < due / 2
