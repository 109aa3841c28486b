"""What a simulated autopilot makes of each message that reaches it."""

import asyncio
import logging
import math
from collections.abc import Callable

from pymavlink.dialects.v20 import ardupilotmega as mav

from sim.mavlink.commands import Commands
from sim.mavlink.copter import Copter
from sim.mavlink.copter_modes import AUTO
from sim.mavlink.datum import Datum
from sim.mavlink.link import AutopilotLink, Handlers
from sim.mavlink.missions import MissionServer, Sender
from sim.mavlink.param_server import ParamServer
from sim.mavlink.streams import Streams
from sim.mavlink.words import Words

log = logging.getLogger(__name__)

_WITHOUT_POSITION = 0b111
"""Bits of a position target that ignore its place."""


class Hearing:
    """Takes the messages of ground stations to who carries them out.

    Args:
        shift: what is added to the wire's numbers of mission items to get the copter's.
    """

    def __init__(
        self,
        link: AutopilotLink,
        copter: Copter,
        datum: Datum,
        words: Words,
        streams: Streams,
        commands: Commands,
        missions: MissionServer,
        params: ParamServer,
        shift: int,
    ) -> None:
        self._link, self._copter, self._datum = link, copter, datum
        self._words, self._streams, self._commands = words, streams, commands
        self._missions, self._shift = missions, shift
        self._ground_heard_s: float | None = None
        link.hear(self._handlers(missions, params))

    def forget(self) -> None:
        """It restarts: it has not heard its ground station yet."""
        self._ground_heard_s = None

    @property
    def ground_silent_s(self) -> float | None:
        """How long its ground station has been silent; None = it was never heard."""
        heard_s = self._ground_heard_s
        return None if heard_s is None else _now_s() - heard_s

    def _handlers(self, missions: MissionServer, params: ParamServer) -> Handlers:
        handlers: dict[int, Callable[..., None]] = {
            mav.MAVLINK_MSG_ID_HEARTBEAT: self._on_heartbeat,
            mav.MAVLINK_MSG_ID_COMMAND_LONG: self._on_command_long,
            mav.MAVLINK_MSG_ID_COMMAND_INT: self._on_command_int,
            mav.MAVLINK_MSG_ID_SET_POSITION_TARGET_GLOBAL_INT: self._on_position_target,
            mav.MAVLINK_MSG_ID_MISSION_COUNT: missions.on_count,
            mav.MAVLINK_MSG_ID_MISSION_ITEM_INT: missions.on_item,
            mav.MAVLINK_MSG_ID_MISSION_REQUEST_LIST: missions.on_list,
            mav.MAVLINK_MSG_ID_MISSION_REQUEST: missions.on_request,
            mav.MAVLINK_MSG_ID_MISSION_REQUEST_INT: missions.on_request,
            mav.MAVLINK_MSG_ID_MISSION_ACK: missions.on_ack,
            mav.MAVLINK_MSG_ID_MISSION_CLEAR_ALL: self._on_clear,
            mav.MAVLINK_MSG_ID_MISSION_SET_CURRENT: self._on_set_current,
            mav.MAVLINK_MSG_ID_PARAM_REQUEST_READ: params.on_read,
            mav.MAVLINK_MSG_ID_PARAM_REQUEST_LIST: params.on_list,
            mav.MAVLINK_MSG_ID_PARAM_SET: params.on_set,
            mav.MAVLINK_MSG_ID_REQUEST_DATA_STREAM: self._on_data_stream,
            mav.MAVLINK_MSG_ID_TIMESYNC: self._on_timesync,
        }
        return handlers

    def _on_heartbeat(self, sender: Sender, message: mav.MAVLink_heartbeat_message) -> None:
        ground = sender[0] == self._copter.params["SYSID_MYGCS"]
        if message.type == mav.MAV_TYPE_GCS and ground:
            self._ground_heard_s = _now_s()

    def _on_clear(self, sender: Sender, message: mav.MAVLink_mission_clear_all_message) -> None:
        self._missions.in_use = self._copter.armed and self._copter.mode == AUTO
        self._missions.on_clear(sender, message)

    def _on_set_current(
        self, sender: Sender, message: mav.MAVLink_mission_set_current_message
    ) -> None:
        if self._copter.set_current(message.seq + self._shift):
            self._link.tell_all(self._words.mission_current())
        else:
            id_ = self._copter.body.id
            log.debug("%s: item %d asked for by %s", id_, message.seq, sender)

    def _on_data_stream(
        self,
        sender: Sender,  # noqa: ARG002
        message: mav.MAVLink_request_data_stream_message,
    ) -> None:
        on = message.start_stop and message.req_message_rate
        self._streams.set_all(1 / message.req_message_rate if on else -1)

    def _on_timesync(self, sender: Sender, message: mav.MAVLink_timesync_message) -> None:
        if message.tc1 == 0:
            now_ns = self._words.boot_ms * 1_000_000
            self._link.reply(sender, mav.MAVLink_timesync_message(now_ns, message.ts1))

    def _on_command_long(self, sender: Sender, message: mav.MAVLink_command_long_message) -> None:
        params = tuple(getattr(message, f"param{number}") for number in range(1, 8))
        self._ack(sender, message.command, self._commands.long(sender, message.command, params))

    def _on_command_int(self, sender: Sender, message: mav.MAVLink_command_int_message) -> None:
        self._ack(sender, message.command, self._commands.with_place(sender, message))

    def _ack(self, sender: Sender, command: int, result: int) -> None:
        self._link.reply(
            sender,
            mav.MAVLink_command_ack_message(
                command, result, target_system=sender[0], target_component=sender[1]
            ),
        )

    def _on_position_target(
        self,
        sender: Sender,  # noqa: ARG002
        message: mav.MAVLink_set_position_target_global_int_message,
    ) -> None:
        """No answer, whatever comes of it."""
        positioned = not message.type_mask & _WITHOUT_POSITION
        if positioned and math.isfinite(message.alt):
            goal = self._datum.point(message.lat_int, message.lon_int)
            height_m = self._datum.height_agl_m(message.coordinate_frame, message.alt)
            self._copter.go_to(goal, height_m)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
