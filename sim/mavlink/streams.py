"""The messages that a simulated autopilot repeats, each at the rate that the last asker set."""

import asyncio
from collections.abc import Mapping

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.alarms import Alarms
from sim.mavlink.link import AutopilotLink
from sim.mavlink.words import Words

_MOST_HZ = 50.0
_ALL = (
    mav.MAVLINK_MSG_ID_SYS_STATUS,
    mav.MAVLINK_MSG_ID_GPS_RAW_INT,
    mav.MAVLINK_MSG_ID_ATTITUDE,
    mav.MAVLINK_MSG_ID_GLOBAL_POSITION_INT,
    mav.MAVLINK_MSG_ID_MISSION_CURRENT,
    mav.MAVLINK_MSG_ID_VFR_HUD,
    mav.MAVLINK_MSG_ID_BATTERY_STATUS,
)
"""What a REQUEST_DATA_STREAM for everything turns on."""


class Streams:
    """All streams of one autopilot; none flows before it is set."""

    def __init__(self, alarms: Alarms, words: Words, link: AutopilotLink) -> None:
        self._alarms, self._words, self._link = alarms, words, link
        self._intervals_s: dict[int, float] = {}
        self._timers: dict[int, asyncio.TimerHandle] = {}

    def begin(self, intervals_s: Mapping[int, float], silence_s: float) -> None:
        """Begin streams that flow unasked, after a silence."""
        for message_id, interval_s in intervals_s.items():
            self._intervals_s[message_id] = interval_s
            self._next(message_id, silence_s + interval_s)

    def set(self, message_id: int, interval_s: float) -> None:
        """Begin, change or (at 0 and below) end a stream."""
        timer = self._timers.pop(message_id, None)
        if timer is not None:
            timer.cancel()
        self._intervals_s.pop(message_id, None)
        if interval_s > 0:
            self._intervals_s[message_id] = max(interval_s, 1 / _MOST_HZ)
            self._next(message_id, self._intervals_s[message_id])

    def set_all(self, interval_s: float) -> None:
        """The old way to ask for streams; it overwrites what others have asked for."""
        for message_id in _ALL:
            self.set(message_id, interval_s)

    def end(self) -> None:
        """None flows any more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._intervals_s.clear()

    def _say(self, message_id: int) -> None:
        self._next(message_id, self._intervals_s[message_id])
        message = self._words.message(message_id)
        if message is not None:
            self._link.tell_all(message)

    def _next(self, message_id: int, delay_s: float) -> None:
        self._timers[message_id] = self._alarms.after(delay_s, self._say, message_id)
