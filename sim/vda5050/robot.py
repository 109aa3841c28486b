"""A simulated robot that speaks VDA 5050 2.0, 2.1 or 3.0: polite, strict, and true to its body.

It does its actions one after the other and standing, whatever their blocking type, drives no
further than its base, and says so in a state at each change and every 30 s.
"""

import asyncio

from fleet.bus import Bus, Will
from fleet.clock import Clock
from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.terms import EStop, OperatingMode
from routing.site import Site
from sim.vda5050.acceptance import OrderAcceptance
from sim.vda5050.at_once import AtOnce
from sim.vda5050.inbox import Inbox
from sim.vda5050.memory import Memory
from sim.vda5050.reporter import Reporter
from sim.vda5050.roads import Roads
from sim.vda5050.senses import Senses
from sim.vda5050.voice import Voice
from sim.vda5050.work import Work
from sim.vda5050.zones import ZoneBook
from sim.world.bodies import GroundBody

_AWAY = frozenset({OperatingMode.MANUAL, OperatingMode.SERVICE, OperatingMode.TEACHIN})
"""Who comes into one of these modes gives up its order, in version 3.0."""


class Vda5050Robot:
    """The software of one robot, between the bus and its body.

    Args:
        config: the same that its master has: version, names, topics.
    """

    def __init__(
        self, body: GroundBody, bus: Bus, config: Vda5050Config, clock: Clock, site: Site
    ) -> None:
        self.body = body
        self.senses = senses = Senses(body, config)
        self.zones = zones = ZoneBook(site, config.maps, body.spec.width_m)
        self._bus, self._config, self._v3 = bus, config, config.v3
        self._voice = voice = Voice(bus, config, clock)
        roads = Roads(body, site, zones)
        self._memory = memory = Memory(body, zones, roads, v3=self._v3)
        self._work = Work(body, memory, roads, v3=self._v3)
        self._reporter = Reporter(body, voice, senses, memory, site, roads, zones, clock)
        maps = frozenset(config.maps.get(level, level) for level in site.levels)
        self._inbox = Inbox(
            voice,
            memory,
            OrderAcceptance(body, memory, site, roads, zones, maps=maps, v3=self._v3),
            AtOnce(body, memory, zones, v3=self._v3, ask_factsheet=self._reporter.ask_factsheet),
            zones,
        )
        self._silent = False
        self._down = self._restarted = False
        self._serving: asyncio.Task[None] | None = None

    @property
    def refuses(self) -> dict[str, str]:
        """Action types that will fail, each with what the robot says then; a fault sets it."""
        return self._work.refuses

    @property
    def link_down(self) -> bool:
        """Whether its radio is cut: it says and hears nothing, but drives on to its base's end."""
        return self._silent

    @link_down.setter
    def link_down(self, down: bool) -> None:
        self._silent = down
        self._tune()

    @property
    def mode(self) -> OperatingMode:
        """Who is in control; only in AUTOMATIC it drives by itself."""
        return self._memory.mode

    @mode.setter
    def mode(self, mode: OperatingMode) -> None:
        self._memory.mode = mode
        if self._v3 and mode in _AWAY:
            self._memory.gives_up = True
        if mode is not OperatingMode.AUTOMATIC:
            self.zones.clear_requests()
        self._memory.changed()

    @property
    def e_stop(self) -> EStop:
        """Its emergency stop; anything but NONE holds the body where it is."""
        return self._memory.e_stop

    @e_stop.setter
    def e_stop(self, kind: EStop) -> None:
        self._memory.e_stop = kind
        if kind is EStop.NONE:
            self.body.repair()
        else:
            self.body.fail("emergency_stop")
        self._memory.changed()

    @property
    def last_will(self) -> Will:
        """What a broker should say when this robot's own connection to it breaks."""
        return self._voice.will

    def go_down(self) -> None:
        """Its software stops, as for a restart: so do its wheels and its work, and it is silent."""
        self._down = self._restarted = True
        if self._serving is not None:
            self._serving.cancel()
        self._tune()

    def come_up(self) -> None:
        """Its software starts. It has forgotten its order, but not where it stands.

        Who was between two nodes first rolls on to the next one, which was its own to drive to,
        and is heard when it stands there.
        """
        self._down = False
        self._memory.work_bell.ring()

    def reboot(self) -> None:
        """Forget the order and all numbers, as after a switch off and on; the body stays."""
        self._memory.forget()
        self._voice.restart()
        self._memory.changed()

    async def run(self) -> None:
        """Listen, work and report until cancelled; then say goodbye."""
        with self._inbox.open(self._bus, self._config):
            self.body.on_change(self._memory.changed)
            try:
                async with asyncio.TaskGroup() as group:
                    name = f"robot[{self.body.spec.id}]"
                    group.create_task(self._live(), name=f"{name}.live")
                    group.create_task(self._reporter.run(), name=f"{name}.report")
            finally:
                await self._voice.say_goodbye()

    async def _live(self) -> None:
        """Serve, from one start of the software to the next."""
        bell = self._memory.work_bell
        while True:
            rung = bell.rung
            if self._down:
                await bell.wait(rung)
                continue
            async with asyncio.TaskGroup() as life:
                name = f"robot[{self.body.spec.id}].serve"
                self._serving = life.create_task(self._serve(), name=name)

    async def _serve(self) -> None:
        if self._restarted:
            await self._start()
        await self._work.run()

    async def _start(self) -> None:
        """The software has started: find out where the body stands, and say so."""
        while self.body.riding:
            await self.body.changed.wait()
        if self.body.edge is not None:
            await self.body.drive(self.body.edge, onward=False)
        self._restarted = False
        self.reboot()
        self._tune()

    def _tune(self) -> None:
        self._voice.down = self._silent or self._down or self._restarted
        self._memory.report_bell.ring()
