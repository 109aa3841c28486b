"""A drone's latest words, each with its age."""

import math
from collections import Counter
from collections.abc import Callable

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.commands import Texts
from fleet.mavlink.dialects import ARDUPILOT, DIALECTS, Dialect
from fleet.mavlink.missions import from_e7
from fleet.mavlink.parser import Message
from fleet.mavlink.wind import WindEar
from routing.geometry import GeoPoint

_FLYING = frozenset(
    {mav.MAV_LANDED_STATE_IN_AIR, mav.MAV_LANDED_STATE_TAKEOFF, mav.MAV_LANDED_STATE_LANDING}
)
_EMERGENCY = frozenset({mav.MAV_STATE_EMERGENCY, mav.MAV_STATE_FLIGHT_TERMINATION})
_NO_HEADING = 65535
_MOST_LAT_E7, _MOST_LON_E7 = 900_000_000, 1_800_000_000
_OFF_THE_GROUND_M = 1.0


class Telemetry:
    """Takes in messages and answers what is known of the drone now.

    Args:
        dialect: what it is taken to speak until it has said what it is.
    """

    def __init__(self, dialect: Dialect = ARDUPILOT) -> None:
        self._expected = dialect
        self.texts = Texts()
        self.heard_at_s: dict[int, float] = {}
        """When each message, by its id, was last heard."""
        self.heard: Counter[int] = Counter()
        """How often each was heard."""
        self.words = 0
        """How many messages were heard."""
        self.heartbeat: mav.MAVLink_heartbeat_message | None = None
        self.mission_item: int | None = None
        """The item that it is flying to."""
        self.reached_item = -1
        self.geo: GeoPoint | None = None
        self.positioned_at_s = -math.inf
        """When it last knew where it was."""
        self.height_agl_m = 0.0
        self.home_amsl_m = 0.0
        """Where its heights count from."""
        self.heading_rad: float | None = None
        """Clockwise from true north."""
        self.charge_ratio: float | None = None
        self.landed_state = mav.MAV_LANDED_STATE_UNDEFINED
        self.wind = WindEar()
        self._take: dict[int, Callable[..., bool]] = {
            mav.MAVLINK_MSG_ID_HEARTBEAT: self._on_heartbeat,
            mav.MAVLINK_MSG_ID_GLOBAL_POSITION_INT: self._on_position,
            mav.MAVLINK_MSG_ID_EXTENDED_SYS_STATE: self._on_landed_state,
            mav.MAVLINK_MSG_ID_SYS_STATUS: self._on_status,
            mav.MAVLINK_MSG_ID_MISSION_CURRENT: self._on_current,
            mav.MAVLINK_MSG_ID_MISSION_ITEM_REACHED: self._on_reached,
            mav.MAVLINK_MSG_ID_WIND: self._on_wind,
        }

    def take(self, message: Message, now_s: float) -> bool:
        """Take in one message; returns whether it says anything new."""
        message_id = message.get_msgId()
        self.heard_at_s[message_id] = now_s
        self.heard[message_id] += 1
        self.words += 1
        if isinstance(message, mav.MAVLink_statustext_message):
            return self.texts.hear(message, now_s) is not None
        take = self._take.get(message_id)
        return take is not None and take(message)

    @property
    def armed(self) -> bool:
        """Whether its motors may turn."""
        beat = self.heartbeat
        return beat is not None and bool(beat.base_mode & mav.MAV_MODE_FLAG_SAFETY_ARMED)

    @property
    def dialect(self) -> Dialect:
        """How to speak with it."""
        beat = self.heartbeat
        return self._expected if beat is None else DIALECTS.get(beat.autopilot, self._expected)

    @property
    def mode(self) -> int | None:
        """Its own number of its flight mode; None = not heard."""
        return None if self.heartbeat is None else self.heartbeat.custom_mode

    @property
    def in_auto(self) -> bool:
        """Whether it flies its mission."""
        return self.mode == self.dialect.auto

    @property
    def returning(self) -> bool:
        """Whether it comes down by itself: a failsafe, or someone has called it back."""
        return self.mode in self.dialect.returning

    @property
    def in_hand(self) -> bool:
        """Whether it does what we have told it, or stands still on hold."""
        return self.mode in self.dialect.ours | self.dialect.holding

    @property
    def airborne(self) -> bool:
        """Whether it is off the ground."""
        if self.landed_state == mav.MAV_LANDED_STATE_UNDEFINED:
            return self.armed and self.height_agl_m > _OFF_THE_GROUND_M
        return self.armed and self.landed_state in _FLYING

    @property
    def emergency(self) -> bool:
        """Whether it has called mayday."""
        return self.heartbeat is not None and self.heartbeat.system_status in _EMERGENCY

    @property
    def beat_at_s(self) -> float:
        """When it last said whether it is armed, and in which mode."""
        return self.heard_at_s.get(mav.MAVLINK_MSG_ID_HEARTBEAT, -math.inf)

    def age_s(self, message_id: int, now_s: float) -> float:
        """Seconds since a kind of message was last heard; infinite if never."""
        return now_s - self.heard_at_s.get(message_id, -math.inf)

    def forget_flight(self) -> None:
        """Forget how far a mission has come; another one begins."""
        self.mission_item, self.reached_item = None, -1

    def _on_heartbeat(self, message: mav.MAVLink_heartbeat_message) -> bool:
        old, self.heartbeat = self.heartbeat, message
        self.wind.flies(self.airborne, self.beat_at_s)
        return old is None or _essence(old) != _essence(message)

    def _on_position(self, message: mav.MAVLink_global_position_int_message) -> bool:
        nowhere = message.lat == 0 and message.lon == 0
        if nowhere or abs(message.lat) > _MOST_LAT_E7 or abs(message.lon) > _MOST_LON_E7:
            return False
        self.positioned_at_s = self.heard_at_s[message.get_msgId()]
        self.geo = from_e7(message.lat, message.lon)
        self.height_agl_m = message.relative_alt / 1000
        self.home_amsl_m = (message.alt - message.relative_alt) / 1000
        known = message.hdg != _NO_HEADING
        self.heading_rad = math.radians(message.hdg / 100) if known else None
        return True

    def _on_landed_state(self, message: mav.MAVLink_extended_sys_state_message) -> bool:
        old, self.landed_state = self.landed_state, message.landed_state
        return old != message.landed_state

    def _on_status(self, message: mav.MAVLink_sys_status_message) -> bool:
        old = self.charge_ratio
        left = message.battery_remaining
        self.charge_ratio = None if left < 0 else min(1.0, left / 100)
        return old != self.charge_ratio

    def _on_current(self, message: mav.MAVLink_mission_current_message) -> bool:
        old, self.mission_item = self.mission_item, self._number(message.seq)
        return old != self.mission_item

    def _on_reached(self, message: mav.MAVLink_mission_item_reached_message) -> bool:
        self.reached_item = self._number(message.seq)
        return True

    def _number(self, seq: int) -> int:
        """An item's number in a mission whose item 0 is home."""
        return seq if self.dialect.home_item else seq + 1

    def _on_wind(self, message: mav.MAVLink_wind_message) -> bool:
        """Nobody waits for it: it is looked at where it is needed."""
        self.wind.hear(message, self.height_agl_m, self.heard_at_s[message.get_msgId()])
        return False


def _essence(beat: mav.MAVLink_heartbeat_message) -> tuple[int, int, int]:
    return beat.base_mode, beat.custom_mode, beat.system_status
