"""A simulated ArduCopter on the wire: real MAVLink 2 frames, the real one's habits.

Unasked it says HEARTBEAT each second and TIMESYNC each ten, nothing else: streams flow only when
asked for, at rates that the last asker set. It answers what is addressed to it or to all, and is
silent on the rest. See docs/reference/mavlink.md.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.datagrams import Datagrams, Peer
from fleet.mavlink.missions import HOME, Item
from fleet.mavlink.signing import Signing
from routing.geometry import LocalFrame
from sim.mavlink.copter import Copter
from sim.mavlink.copter_failsafes import Failsafes
from sim.mavlink.datum import Datum
from sim.mavlink.hearing import Hearing
from sim.mavlink.link import AutopilotLink
from sim.mavlink.missions import FENCE, MISSION, RALLY, MissionServer, Sender
from sim.mavlink.param_server import ParamServer
from sim.mavlink.px4 import HABITS
from sim.mavlink.streams import Streams
from sim.mavlink.words import Words
from sim.world.multirotor import Multirotor

log = logging.getLogger(__name__)

_HEARTBEAT_S = 1.0
_TIMESYNC_EVERY = 10


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
        self.datum = datum = Datum(frame, config.ground_amsl_m)
        self._habits = habits = HABITS[config.autopilot]
        self.params = habits.parameters(body.spec.energy, config.system_id, config.params)
        self._link = link = AutopilotLink(
            datagrams, config.system_id, config.component_id, config.ground, signing
        )
        self._missions = missions = MissionServer(
            body.alarms,
            link.reply,
            self._on_mission,
            lambda: self._words.home_item() if habits.home_item else None,
            habits.transfers,
        )
        self.copter = copter = Copter(
            body,
            self.params,
            datum,
            items=self._items,
            fence=lambda: missions.items[FENCE],
            rally=lambda: missions.items[RALLY],
            say=self.say,
            reached=self._on_reached,
        )
        self._failsafes = failsafes = Failsafes(copter, self.say)
        self._words = words = Words(copter, missions, habits, datum)
        self._streams = streams = Streams(body.alarms, words, link)
        self._hearing = Hearing(
            link,
            copter,
            datum,
            words,
            streams,
            habits.commands(self, datum),
            missions,
            ParamServer(self.params, link, failsafes.watch_battery),
            habits.shift,
        )
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._beats = 0
        body.changed.listen(self._on_body)
        if powered:
            self.power(True)

    async def run(self) -> None:
        """Fly and keep the port; runs until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._link.run(), name=f"autopilot[{self.body.id}].port")
            group.create_task(self.body.alarms.run(), name=f"autopilot[{self.body.id}].alarms")

    # --- power and faults ---------------------------------------------------------------------

    def power(self, on: bool) -> None:
        """Switch it on or off; off in the air, it falls."""
        if on == self.powered:
            return
        self.powered = self._link.speaks = on
        self.body.set_power(electronics=on)
        self._forget()
        if on:
            self._start_afresh()
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
        self._forget()
        flying = self.body.airborne
        if not flying:
            self._start_afresh()
        self._boot(silence_s, position_s=0.0 if flying else self.config.position_s)

    def lose_gps(self) -> None:
        """It receives no satellites any more."""
        self.copter.estimate.lose_gps()

    def regain_gps(self) -> None:
        """It receives satellites again, and after a while knows again where it is."""
        self.copter.estimate.regain_gps()
        if self.powered and not self.copter.estimate.known:
            self._after("position", self.config.position_s, self.copter.estimate.find)

    @property
    def link_down(self) -> bool:
        """Fault: nothing gets through in either direction."""
        return self._link.down

    @link_down.setter
    def link_down(self, down: bool) -> None:
        self._link.down = down

    def _start_afresh(self) -> None:
        self.copter.power_on()
        self._failsafes.power_on()

    def _boot(self, silence_s: float, position_s: float | None = None) -> None:
        self._words.booted_s = asyncio.get_running_loop().time()
        wait_s = self.config.position_s if position_s is None else position_s
        self._after("heartbeat", silence_s, self._beat)
        self._streams.begin(self._habits.unasked, silence_s)
        if not self.copter.estimate.known:
            self._after("position", silence_s + wait_s, self.copter.estimate.find)

    def _forget(self) -> None:
        """All that a restart makes it forget, but not how it flies."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._streams.end()
        self._link.forget()
        self._missions.forget_transfer()
        self._hearing.forget()
        self._beats = 0

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
            self._link.tell_all(mav.MAVLink_statustext_message(severity, piece, number, index))

    def _beat(self) -> None:
        self._after("heartbeat", _HEARTBEAT_S, self._beat)
        if self._beats % _TIMESYNC_EVERY == 0:
            now_ns = self._words.boot_ms * 1_000_000
            self._link.tell_all(mav.MAVLink_timesync_message(0, now_ns))
        self._beats += 1
        self._link.listens = True
        self._link.tell_all(self._words.heartbeat())
        self._failsafes.watch_fence()
        silent_s = self._hearing.ground_silent_s
        if silent_s is not None:
            self._failsafes.hear_ground(silent_s)

    def _on_reached(self, item: int) -> None:
        seq = max(0, item - self._habits.shift)
        self._link.tell_all(mav.MAVLink_mission_item_reached_message(seq))

    # --- the mission on board -----------------------------------------------------------------

    def _items(self) -> tuple[Item, ...]:
        """The mission as the copter knows it, with its home at 0."""
        items = self._missions.items[MISSION]
        return items if self._habits.home_item or not items else (HOME, *items)

    def _on_mission(self, mission_type: int) -> None:
        if mission_type == MISSION:
            self.copter.mission.reset()

    # --- what commands ask for ----------------------------------------------------------------

    def set_interval(self, message_id: int, interval_s: float) -> bool:
        """Begin, change or end a stream on request; False for a message that it can't say."""
        if not self._words.knows(message_id):
            return False
        self._streams.set(message_id, interval_s)
        return True

    def say_once(self, to: Sender, message_id: int) -> bool:
        """Say one message to who asked for it; False where it can't be said, or not yet."""
        message = self._words.message(message_id)
        if message is not None:
            self._link.reply(to, message)
        return message is not None

    def reboot_soon(self) -> None:
        """Restart after the answer to the command has gone out."""
        self._after("reboot", 0.0, self.reboot)

    def _after(self, key: str, delay_s: float, callback: Callable[[], None]) -> None:
        self._timers[key] = self.body.alarms.after(delay_s, callback)
