"""The mission protocol from the autopilot's side: missions, fences and rally points.

Behaviour as seen on ArduCopter 4.5.6: items are asked for with MISSION_REQUEST, a request is
repeated each second and given up after 8, and item 0 of a mission becomes the drone's home.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.missions import Item
from fleet.mavlink.parser import Message
from sim.alarms import Alarms

MISSION, FENCE, RALLY = (
    mav.MAV_MISSION_TYPE_MISSION,
    mav.MAV_MISSION_TYPE_FENCE,
    mav.MAV_MISSION_TYPE_RALLY,
)
_ITEMS_MOST = 700
_READING_S = 5.0
"""After which a reader who says no more is forgotten."""

_FRAMES = frozenset(
    {
        mav.MAV_FRAME_GLOBAL,
        mav.MAV_FRAME_GLOBAL_INT,
        mav.MAV_FRAME_GLOBAL_RELATIVE_ALT,
        mav.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT,
        mav.MAV_FRAME_MISSION,
    }
)
_COMMANDS = {
    MISSION: frozenset(
        {
            mav.MAV_CMD_NAV_WAYPOINT,
            mav.MAV_CMD_NAV_LOITER_TIME,
            mav.MAV_CMD_NAV_RETURN_TO_LAUNCH,
            mav.MAV_CMD_NAV_LAND,
            mav.MAV_CMD_NAV_TAKEOFF,
            mav.MAV_CMD_NAV_DELAY,
            mav.MAV_CMD_DO_JUMP,
            mav.MAV_CMD_DO_CHANGE_SPEED,
            mav.MAV_CMD_DO_SET_ROI,
            mav.MAV_CMD_DO_GRIPPER,
        }
    ),
    FENCE: frozenset(
        {
            mav.MAV_CMD_NAV_FENCE_RETURN_POINT,
            mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_INCLUSION,
            mav.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_EXCLUSION,
            mav.MAV_CMD_NAV_FENCE_CIRCLE_INCLUSION,
            mav.MAV_CMD_NAV_FENCE_CIRCLE_EXCLUSION,
        }
    ),
    RALLY: frozenset({mav.MAV_CMD_NAV_RALLY_POINT}),
}

Sender = tuple[int, int]
"""System and component id of a ground station."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferHabits:
    """What differs between autopilots.

    Args:
        request: how it asks for an item: each ``repeat_s``, ``repeats`` times more.
        in_order: whether it is read item by item only, by one at a time, and says ERROR to who
            wants to upload meanwhile; another one says DENIED. Nor does it tell that it has
            given up an upload.
    """

    request: type[mav.MAVLink_mission_request_message | mav.MAVLink_mission_request_int_message]
    repeat_s: float
    repeats: int
    in_order: bool = False


ARDUPILOT_TRANSFERS = TransferHabits(
    request=mav.MAVLink_mission_request_message, repeat_s=1.0, repeats=8
)


@dataclass(slots=True)
class _Upload:
    sender: Sender
    mission_type: int
    count: int
    items: list[Item] = field(default_factory=list[Item])
    repeats: int = 0
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class _Reading:
    sender: Sender
    mission_type: int
    heard_s: float
    following: int = 0
    """The next item to be asked for; the last one may be asked for again."""


class MissionServer:
    """Holds one list of items for each of the three mission types.

    Args:
        reply: sends a message to a ground station.
        changed: called with the mission type after each upload or clearing.
        home: what item 0 of the mission reads as, once home is known.
    """

    def __init__(
        self,
        alarms: Alarms,
        reply: Callable[[Sender, Message], None],
        changed: Callable[[int], None],
        home: Callable[[], Item | None],
        habits: TransferHabits = ARDUPILOT_TRANSFERS,
    ) -> None:
        self._habits = habits
        self._reading: _Reading | None = None
        self._alarms, self._reply, self._changed, self._home = alarms, reply, changed, home
        self.items: dict[int, tuple[Item, ...]] = {MISSION: (), FENCE: (), RALLY: ()}
        self.in_use = False
        """Whether the mission is being flown, and so can't be cleared."""
        self._upload: _Upload | None = None

    def forget_transfer(self) -> None:
        """Give up an upload under way: the link or the power is gone."""
        if self._upload and self._upload.timer:
            self._upload.timer.cancel()
        self._upload = self._reading = None

    def read(self, mission_type: int) -> Sequence[Item]:
        """The items as a ground station reads them."""
        items = self.items[mission_type]
        home = self._home() if mission_type == MISSION and items else None
        return items if home is None else (home, *items[1:])

    def on_count(self, sender: Sender, message: mav.MAVLink_mission_count_message) -> None:
        """A ground station wants to upload."""
        kind, count = message.mission_type, message.count
        if self._busy_for(sender):
            busy = mav.MAV_MISSION_ERROR if self._habits.in_order else mav.MAV_MISSION_DENIED
            self._ack(sender, busy, kind)
        elif kind not in self.items:
            self._ack(sender, mav.MAV_MISSION_UNSUPPORTED, kind)
        elif count > _ITEMS_MOST:
            self._ack(sender, mav.MAV_MISSION_NO_SPACE, kind)
        elif count == 0:
            self._store(kind, ())
            self._ack(sender, mav.MAV_MISSION_ACCEPTED, kind)
        else:
            self.forget_transfer()
            self._upload = _Upload(sender, kind, count)
            self._request()

    def _busy_for(self, sender: Sender) -> bool:
        """Whether it can't begin to take a mission from this one now."""
        upload = self._upload
        if not self._habits.in_order:
            return upload is not None and upload.sender != sender
        return self._is_read or (upload is not None and bool(upload.items))

    @property
    def _is_read(self) -> bool:
        reading = self._reading
        now_s = asyncio.get_running_loop().time()
        return reading is not None and now_s - reading.heard_s < _READING_S

    def _reads_other(self, kind: int) -> bool:
        """Whether somebody is in the middle of a list of another kind."""
        reading = self._reading
        if reading is None or not self._is_read or reading.mission_type == kind:
            return False
        return reading.following < len(self.read(reading.mission_type))

    def on_ack(self, sender: Sender, message: mav.MAVLink_mission_ack_message) -> None:
        """A ground station has read all that it wanted."""
        reading = self._reading
        if reading and (reading.sender, reading.mission_type) == (sender, message.mission_type):
            self._reading = None

    def on_item(self, sender: Sender, message: mav.MAVLink_mission_item_int_message) -> None:
        """One item of an upload has come."""
        upload = self._upload
        if upload is None or upload.sender != sender or upload.mission_type != message.mission_type:
            self._ack(sender, mav.MAV_MISSION_INVALID_SEQUENCE, message.mission_type)
            return
        if message.seq != len(upload.items):
            self._ack(sender, mav.MAV_MISSION_INVALID_SEQUENCE, message.mission_type)
            return
        fault = _fault(message)
        if fault is not None:
            self.forget_transfer()
            self._ack(sender, fault, message.mission_type)
            return
        upload.items.append(_item(message))
        upload.repeats = 0
        if len(upload.items) < upload.count:
            self._request()
            return
        self.forget_transfer()
        self._store(upload.mission_type, tuple(upload.items))
        self._ack(sender, mav.MAV_MISSION_ACCEPTED, upload.mission_type)

    def on_list(self, sender: Sender, message: mav.MAVLink_mission_request_list_message) -> None:
        """A ground station wants to read."""
        if message.mission_type not in self.items:
            self._ack(sender, mav.MAV_MISSION_UNSUPPORTED, message.mission_type)
            return
        kind, items = message.mission_type, self.read(message.mission_type)
        if self._habits.in_order:
            if self._upload is not None or self._reads_other(kind):
                return
            self._reading = _Reading(sender, kind, asyncio.get_running_loop().time())
        count = len(items)
        self._reply(sender, mav.MAVLink_mission_count_message(*sender, count, message.mission_type))

    def on_request(
        self,
        sender: Sender,
        message: mav.MAVLink_mission_request_message | mav.MAVLink_mission_request_int_message,
    ) -> None:
        """A ground station wants to read one item; both forms get MISSION_ITEM_INT."""
        items = self.read(message.mission_type) if message.mission_type in self.items else ()
        if self._habits.in_order and not self._follows(sender, message):
            return
        if message.seq >= len(items):
            self._ack(sender, mav.MAV_MISSION_INVALID_SEQUENCE, message.mission_type)
            return
        item = items[message.seq]
        reply = mav.MAVLink_mission_item_int_message(
            *sender,
            message.seq,
            item.frame,
            item.command,
            0,
            1,
            *item.params,
            item.lat_e7,
            item.lon_e7,
            item.z_m,
            message.mission_type,
        )
        self._reply(sender, reply)

    def _follows(
        self,
        sender: Sender,
        message: mav.MAVLink_mission_request_message | mav.MAVLink_mission_request_int_message,
    ) -> bool:
        """Whether this item is the one to be read now; another one ends the reading."""
        reading = self._reading
        if not self._is_read or reading is None or reading.sender != sender:
            return False
        if reading.mission_type != message.mission_type:
            return False
        if message.seq not in (reading.following, reading.following - 1):
            self._reading = None
            self._ack(sender, mav.MAV_MISSION_ERROR, message.mission_type)
            return False
        reading.following = message.seq + 1
        reading.heard_s = asyncio.get_running_loop().time()
        return True

    def on_clear(self, sender: Sender, message: mav.MAVLink_mission_clear_all_message) -> None:
        """A ground station wants to clear."""
        kind = message.mission_type
        if kind == MISSION and self.in_use:
            self._ack(sender, mav.MAV_MISSION_ERROR, kind)
            return
        kinds = list(self.items) if kind == mav.MAV_MISSION_TYPE_ALL else [kind]
        for each in kinds:
            if each in self.items:
                self._store(each, ())
        self._ack(sender, mav.MAV_MISSION_ACCEPTED, kind)

    def _store(self, mission_type: int, items: tuple[Item, ...]) -> None:
        self.items[mission_type] = items
        self._changed(mission_type)

    def _request(self) -> None:
        upload = self._upload
        if upload is None:
            return
        if upload.timer is not None:
            upload.timer.cancel()
        if upload.repeats > self._habits.repeats:
            self.forget_transfer()
            if not self._habits.in_order:
                self._ack(upload.sender, mav.MAV_MISSION_OPERATION_CANCELLED, upload.mission_type)
            return
        upload.repeats += 1
        seq = len(upload.items)
        self._reply(
            upload.sender,
            self._habits.request(*upload.sender, seq, upload.mission_type),
        )
        upload.timer = self._alarms.after(self._habits.repeat_s, self._request)

    def _ack(self, sender: Sender, result: int, mission_type: int) -> None:
        self._reply(sender, mav.MAVLink_mission_ack_message(*sender, result, mission_type))


def _fault(message: mav.MAVLink_mission_item_int_message) -> int | None:
    if message.frame not in _FRAMES:
        return mav.MAV_MISSION_UNSUPPORTED_FRAME
    if message.command not in _COMMANDS[message.mission_type]:
        return mav.MAV_MISSION_UNSUPPORTED
    if not math.isfinite(message.z):
        return mav.MAV_MISSION_INVALID_PARAM7
    return None


def _item(message: mav.MAVLink_mission_item_int_message) -> Item:
    """What the drone keeps of an item: heights to the centimetre, 0 for what is no number."""
    params = (message.param1, message.param2, message.param3, message.param4)
    first, second, third, fourth = (p if math.isfinite(p) else 0.0 for p in params)
    item = Item(
        command=message.command,
        frame=message.frame,
        params=(first, second, third, fourth),
        lat_e7=message.x,
        lon_e7=message.y,
        z_m=round(message.z, 2),
    )
    if item.frame == mav.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT:
        item = replace(item, frame=mav.MAV_FRAME_GLOBAL_RELATIVE_ALT)
    return item
