"""A simulated ArduCopter on the wire: real MAVLink 2 frames, the real one's habits.

Unasked it says HEARTBEAT each second and TIMESYNC each ten, nothing else: streams flow only when
asked for, at rates that the last asker set. It answers what is addressed to it or to all, and is
silent on the rest. See docs/reference/mavlink.md.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.commands import mav_text
from fleet.mavlink.datagrams import Datagrams, Peer
from fleet.mavlink.missions import HOME, Item
from fleet.mavlink.parser import Message, Parser
from fleet.mavlink.signing import Signing
from routing.geometry import LocalFrame
from sim.autopilot_missions import FENCE, MISSION, RALLY, MissionServer, Sender
from sim.autopilot_words import Words
from sim.copter import Copter
from sim.copter_failsafes import Failsafes
from sim.copter_modes import AUTO
from sim.datum import Datum
from sim.multirotor import Multirotor
from sim.px4 import HABITS

log = logging.getLogger(__name__)

_HEARTBEAT_S = 1.0
_TIMESYNC_EVERY = 10
_PEERS_MOST = 8
_FORGET_PEER_S = 60.0
_MOST_HZ = 50.0
_WITHOUT_POSITION = 0b111
"""Bits of a position target that ignore its place."""
_ALL_STREAMS = (
    mav.MAVLINK_MSG_ID_SYS_STATUS,
    mav.MAVLINK_MSG_ID_GPS_RAW_INT,
    mav.MAVLINK_MSG_ID_ATTITUDE,
    mav.MAVLINK_MSG_ID_GLOBAL_POSITION_INT,
    mav.MAVLINK_MSG_ID_MISSION_CURRENT,
    mav.MAVLINK_MSG_ID_VFR_HUD,
    mav.MAVLINK_MSG_ID_BATTERY_STATUS,
)
"""What a REQUEST_DATA_STREAM for everything turns on."""


class AutopilotConfig(BaseModel):
    """One simulated autopilot.

    ``ground`` are the ground stations that it speaks to first; it answers others that speak to it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    system_id: int = Field(ge=1, le=254)
    component_id: int = 1
    ground: tuple[Peer, ...] = (("127.0.0.1", 14550),)
    boot_s: float = Field(default=4.0, ge=0)
    """From power to the first heartbeat."""
    position_s: float = Field(default=8.0, ge=0)
    """From the first heartbeat to a position that it trusts."""
    ground_amsl_m: float = 20.0
    autopilot: Literal["ardupilot", "px4"] = "ardupilot"
    """Whose habits it has on the wire."""
    params: Mapping[str, float] = {}
    """Its own parameters; without them a careful operator's battery failsafes."""


class MavlinkAutopilot:
    """One autopilot on one port, over one body. Without power it is silent.

    The body's alarms are run by `run`, so a fault in either ends it.

    Args:
        signing: None = it neither signs nor wants signatures.
    """

    def __init__(
        self,
        body: Multirotor,
        datagrams: Datagrams,
        config: AutopilotConfig,
        frame: LocalFrame,
        *,
        powered: bool = True,
        signing: Signing | None = None,
    ) -> None:
        self.body, self.config = body, config
        self.powered = False
        self.link_down = False
        """Fault: nothing gets through in either direction."""
        self._habits = habits = HABITS[config.autopilot]
        self.params = habits.parameters(body.spec.energy, config.system_id, config.params)
        self._datagrams, self.datum = datagrams, Datum(frame, config.ground_amsl_m)
        self._signing = signing
        self._packer = mav.MAVLink(None, config.system_id, config.component_id)
        self._missions = MissionServer(
            body.alarms,
            self._reply,
            self._on_mission,
            lambda: self._words.home_item() if habits.home_item else None,
            habits.transfers,
        )
        self.copter = Copter(
            body,
            self.params,
            self.datum,
            items=self._items,
            fence=lambda: self._missions.items[FENCE],
            rally=lambda: self._missions.items[RALLY],
            say=self.say,
            reached=self._on_reached,
        )
        self._failsafes = Failsafes(self.copter, self.say)
        self._words = Words(self.copter, self._missions, habits, self.datum)
        self._parsers: dict[Peer, Parser] = {}
        self._peers: dict[Peer, float] = {}
        self._peer_of: dict[Sender, Peer] = {}
        self._streams: dict[int, float] = {}
        self._timers: dict[int | str, asyncio.TimerHandle] = {}
        self._beats = 0
        self._ground_heard_s: float | None = None
        self._handlers = self._make_handlers()
        self._commands = habits.commands(self, self.datum)
        datagrams.receive(self._received)
        body.changed.listen(self._on_body)
        if powered:
            self.power(True)

    async def run(self) -> None:
        """Fly and keep the port; runs until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._datagrams.run(), name=f"autopilot[{self.body.id}].port")
            group.create_task(self.body.alarms.run(), name=f"autopilot[{self.body.id}].alarms")

    # --- power --------------------------------------------------------------------------------

    def power(self, on: bool) -> None:
        """Switch it on or off; off in the air, it falls."""
        if on == self.powered:
            return
        self.powered = on
        self.body.set_power(electronics=on)
        self._forget_link()
        if on:
            self.copter.power_on()
            self._failsafes.power_on()
            self._boot(self.config.boot_s)
        else:
            self.copter.power_off()
            log.debug("%s is off", self.body.id)

    def reboot(self, silence_s: float = 3.0) -> None:
        """The processor restarts; in the air it goes on flying, as after a watchdog's bite.

        Without power there is nothing to restart.
        """
        if not self.powered:
            return
        self._forget_link()
        flying = self.body.airborne
        if not flying:
            self.copter.power_on()
            self._failsafes.power_on()
        self._boot(silence_s, position_s=0.0 if flying else self.config.position_s)

    def lose_gps(self) -> None:
        """It receives no satellites any more."""
        self.copter.estimate.lose_gps()

    def regain_gps(self) -> None:
        """It receives satellites again, and after a while knows again where it is."""
        self.copter.estimate.regain_gps()
        if self.powered and not self.copter.estimate.known:
            self._after("position", self.config.position_s, self.copter.estimate.find)

    def _boot(self, silence_s: float, position_s: float | None = None) -> None:
        self._words.booted_s = self._now_s
        wait_s = self.config.position_s if position_s is None else position_s
        self._after("heartbeat", silence_s, self._beat)
        for message_id, interval_s in self._habits.unasked.items():
            self._streams[message_id] = interval_s
            self._after(message_id, silence_s + interval_s, self._stream, message_id)
        if not self.copter.estimate.known:
            self._after("position", silence_s + wait_s, self.copter.estimate.find)

    def _forget_link(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._streams.clear()
        self._peers.clear()
        self._peer_of.clear()
        self._missions.forget_transfer()
        self._beats, self._ground_heard_s = 0, None

    def _on_body(self) -> None:
        if self.body.empty and self.powered:
            self.power(False)

    # --- speaking -----------------------------------------------------------------------------

    def say(self, severity: int, text: str) -> None:
        """Put a text on the wire, cut into pieces of 50 bytes."""
        raw = text.encode()
        pieces = [raw[at : at + 50] for at in range(0, len(raw), 50)]
        number = self._beats % 65535 + 1 if len(pieces) > 1 else 0
        for index, piece in enumerate(pieces):
            self._tell_all(mav.MAVLink_statustext_message(severity, piece, number, index))

    def _beat(self) -> None:
        self._after("heartbeat", _HEARTBEAT_S, self._beat)
        if self._beats % _TIMESYNC_EVERY == 0:
            self._tell_all(mav.MAVLink_timesync_message(0, self._words.boot_ms * 1_000_000))
        self._beats += 1
        self._tell_all(self._words.heartbeat())
        self._failsafes.watch_fence()
        if self._ground_heard_s is not None:
            self._failsafes.hear_ground(self._now_s - self._ground_heard_s)

    def _stream(self, message_id: int) -> None:
        self._after(message_id, self._streams[message_id], self._stream, message_id)
        message = self._words.message(message_id)
        if message is not None:
            self._tell_all(message)

    def _set_stream(self, message_id: int, interval_s: float) -> None:
        """Begin, change or (below 0) end a stream."""
        timer = self._timers.pop(message_id, None)
        if timer is not None:
            timer.cancel()
        self._streams.pop(message_id, None)
        if interval_s > 0:
            self._streams[message_id] = max(interval_s, 1 / _MOST_HZ)
            self._after(message_id, self._streams[message_id], self._stream, message_id)

    def _on_reached(self, item: int) -> None:
        seq = max(0, item - self._habits.shift)
        self._tell_all(mav.MAVLink_mission_item_reached_message(seq))

    def _items(self) -> tuple[Item, ...]:
        """The mission as the copter knows it, with its home at 0."""
        items = self._missions.items[MISSION]
        return items if self._habits.home_item or not items else (HOME, *items)

    def _on_mission(self, mission_type: int) -> None:
        if mission_type == MISSION:
            self.copter.mission.reset()

    def _tell_all(self, message: Message) -> None:
        data = self._pack(message)
        for peer in self._audience():
            self._send(data, peer)

    def _audience(self) -> list[Peer]:
        now_s = self._now_s
        others = [p for p, at_s in self._peers.items() if now_s - at_s < _FORGET_PEER_S]
        return [*self.config.ground, *(p for p in others if p not in self.config.ground)]

    def _reply(self, to: Sender, message: Message) -> None:
        peer = self._peer_of.get(to)
        if peer is not None:
            self._send(self._pack(message), peer)

    def _pack(self, message: Message) -> bytes:
        packer, signing = self._packer, self._signing
        data = signing.pack(message, packer) if signing else message.pack(packer)
        self._packer.seq = (self._packer.seq + 1) % 256
        return data

    def _send(self, data: bytes, peer: Peer) -> None:
        if self.powered and not self.link_down:
            self._datagrams.send(data, peer)

    # --- listening ----------------------------------------------------------------------------

    def _received(self, data: bytes, peer: Peer) -> None:
        booting = self._beats == 0
        if not self.powered or self.link_down or booting:
            return
        for message in self._parser(peer).messages(data):
            self._hear(message, peer)

    def _parser(self, peer: Peer) -> Parser:
        if peer not in self._parsers:
            if len(self._parsers) >= _PEERS_MOST:
                self._parsers.pop(next(iter(self._parsers)))
            self._parsers[peer] = Parser(self._signing.admits if self._signing else None)
        return self._parsers[peer]

    def _hear(self, message: Message, peer: Peer) -> None:
        sender = (message.get_srcSystem(), message.get_srcComponent())
        self._peers[peer] = self._now_s
        self._peer_of[sender] = peer
        while len(self._peers) > _PEERS_MOST:
            self._peers.pop(next(iter(self._peers)))
        while len(self._peer_of) > _PEERS_MOST:
            self._peer_of.pop(next(iter(self._peer_of)))
        target = getattr(message, "target_system", self.config.system_id)
        handler = self._handlers.get(message.get_msgId())
        if handler is not None and target in (0, self.config.system_id):
            handler(sender, message)

    def _make_handlers(self) -> Mapping[int, Callable[..., None]]:
        server = self._missions
        return {
            mav.MAVLINK_MSG_ID_HEARTBEAT: self._on_heartbeat,
            mav.MAVLINK_MSG_ID_COMMAND_LONG: self._on_command_long,
            mav.MAVLINK_MSG_ID_COMMAND_INT: self._on_command_int,
            mav.MAVLINK_MSG_ID_SET_POSITION_TARGET_GLOBAL_INT: self._on_position_target,
            mav.MAVLINK_MSG_ID_MISSION_COUNT: server.on_count,
            mav.MAVLINK_MSG_ID_MISSION_ITEM_INT: server.on_item,
            mav.MAVLINK_MSG_ID_MISSION_REQUEST_LIST: server.on_list,
            mav.MAVLINK_MSG_ID_MISSION_REQUEST: server.on_request,
            mav.MAVLINK_MSG_ID_MISSION_REQUEST_INT: server.on_request,
            mav.MAVLINK_MSG_ID_MISSION_ACK: server.on_ack,
            mav.MAVLINK_MSG_ID_MISSION_CLEAR_ALL: self._on_clear,
            mav.MAVLINK_MSG_ID_MISSION_SET_CURRENT: self._on_set_current,
            mav.MAVLINK_MSG_ID_PARAM_REQUEST_READ: self._on_param_read,
            mav.MAVLINK_MSG_ID_PARAM_REQUEST_LIST: self._on_param_list,
            mav.MAVLINK_MSG_ID_PARAM_SET: self._on_param_set,
            mav.MAVLINK_MSG_ID_REQUEST_DATA_STREAM: self._on_data_stream,
            mav.MAVLINK_MSG_ID_TIMESYNC: self._on_timesync,
        }

    def _on_heartbeat(self, sender: Sender, message: mav.MAVLink_heartbeat_message) -> None:
        if message.type == mav.MAV_TYPE_GCS and sender[0] == self.params["SYSID_MYGCS"]:
            self._ground_heard_s = self._now_s

    def _on_clear(self, sender: Sender, message: mav.MAVLink_mission_clear_all_message) -> None:
        self._missions.in_use = self.copter.armed and self.copter.mode == AUTO
        self._missions.on_clear(sender, message)

    def _on_set_current(
        self, sender: Sender, message: mav.MAVLink_mission_set_current_message
    ) -> None:
        if self.copter.set_current(message.seq + self._habits.shift):
            self._tell_all(self._words.mission_current())
        else:
            log.debug("%s: item %d asked for by %s", self.body.id, message.seq, sender)

    def _on_param_read(
        self, sender: Sender, message: mav.MAVLink_param_request_read_message
    ) -> None:
        by_name = message.param_index < 0
        found = self.params.message(mav_text(message.param_id) if by_name else message.param_index)
        if found is not None:
            self._reply(sender, found)

    def _on_param_list(
        self,
        sender: Sender,
        message: mav.MAVLink_param_request_list_message,  # noqa: ARG002
    ) -> None:
        for index in range(len(self.params)):
            found = self.params.message(index)
            if found is not None:
                self._reply(sender, found)

    def _on_param_set(
        self,
        sender: Sender,  # noqa: ARG002
        message: mav.MAVLink_param_set_message,
    ) -> None:
        """A change is told to all."""
        name = mav_text(message.param_id)
        if self.params.set(name, message.param_value):
            self._failsafes.watch_battery()
            found = self.params.message(name)
            if found is not None:
                self._tell_all(found)

    def _on_data_stream(
        self,
        sender: Sender,  # noqa: ARG002
        message: mav.MAVLink_request_data_stream_message,
    ) -> None:
        """The old way to ask for streams; it overwrites what others have asked for."""
        on = message.start_stop and message.req_message_rate
        for message_id in _ALL_STREAMS:
            self._set_stream(message_id, 1 / message.req_message_rate if on else -1)

    def _on_timesync(self, sender: Sender, message: mav.MAVLink_timesync_message) -> None:
        if message.tc1 == 0:
            now_ns = self._words.boot_ms * 1_000_000
            self._reply(sender, mav.MAVLink_timesync_message(now_ns, message.ts1))

    # --- commands -----------------------------------------------------------------------------

    def _on_command_long(self, sender: Sender, message: mav.MAVLink_command_long_message) -> None:
        params = tuple(getattr(message, f"param{number}") for number in range(1, 8))
        self._ack(sender, message.command, self._commands.long(sender, message.command, params))

    def _on_command_int(self, sender: Sender, message: mav.MAVLink_command_int_message) -> None:
        self._ack(sender, message.command, self._commands.with_place(sender, message))

    def _on_position_target(
        self,
        sender: Sender,  # noqa: ARG002
        message: mav.MAVLink_set_position_target_global_int_message,
    ) -> None:
        """No answer, whatever comes of it."""
        positioned = not message.type_mask & _WITHOUT_POSITION
        if positioned and math.isfinite(message.alt):
            goal = self.datum.point(message.lat_int, message.lon_int)
            height_m = self.datum.height_agl_m(message.coordinate_frame, message.alt)
            self.copter.go_to(goal, height_m)

    def _ack(self, sender: Sender, command: int, result: int) -> None:
        self._reply(
            sender,
            mav.MAVLink_command_ack_message(
                command, result, target_system=sender[0], target_component=sender[1]
            ),
        )

    def set_interval(self, message_id: int, interval_s: float) -> bool:
        """Begin, change or end a stream on request; False for a message that it can't say."""
        if not self._words.knows(message_id):
            return False
        self._set_stream(message_id, interval_s)
        return True

    def say_once(self, to: Sender, message_id: int) -> bool:
        """Say one message to who asked for it; False where it can't be said, or not yet."""
        message = self._words.message(message_id)
        if message is not None:
            self._reply(to, message)
        return message is not None

    def reboot_soon(self) -> None:
        """Restart after the answer to the command has gone out."""
        self._after("reboot", 0.0, self.reboot)

    @property
    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()

    def _after(
        self, key: int | str, delay_s: float, callback: Callable[..., None], *args: object
    ) -> None:
        self._timers[key] = self.body.alarms.after(delay_s, callback, *args)
