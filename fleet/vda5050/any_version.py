"""A robot of which nobody has said what version it speaks: it is heard first, then spoken to."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import ExitStack

from fleet.bus import Bus
from fleet.clock import Clock
from fleet.errors import LinkLost
from fleet.mission import Clearance, Mission, Outcome
from fleet.vda5050.adapter import Vda5050Vehicle
from fleet.vda5050.bell import Bell
from fleet.vda5050.codec import Codec, Patient
from fleet.vda5050.config import INTERFACES, VERSIONS, Vda5050Config
from fleet.vda5050.inbox import LONGEST
from fleet.vda5050.terms import ConnectionState
from fleet.vda5050.zones import Atlas
from fleet.vehicle import Severity, VehicleError, VehicleSpec, VehicleState
from routing.refusal import Refusal
from routing.roads.road_rules import RoadRules
from routing.site import Site

log = logging.getLogger(__name__)

_LONGEST_VERSION = 40
"""Characters of a strange version that are shown."""
_TELLING = ("connection", "state", "factsheet")
_NEWEST = {"v2": "2.1", "v3": "3.0"}
"""What is taken for a robot whose header makes no sense, by its topics."""


class _Word(Patient):
    """What matters here of a robot's message."""

    version: str = ""
    connection_state: str | None = None


_WORD = Codec(_Word)


class AnyVersionVehicle:
    """Listens on the topics of all versions, and is a `Vda5050Vehicle` once the robot was heard.

    Words that count are a state, a factsheet, or a connection that is not broken off: a robot
    that has been updated leaves a retained ``OFFLINE`` behind under its old topics. A robot that
    is updated while we run is heard under its new topics once it is silent under the old ones,
    and taken over when it has no mission.
    """

    def __init__(
        self,
        spec: VehicleSpec,
        bus: Bus,
        config: Vda5050Config,
        site: Site,
        clock: Clock,
        atlas: Atlas | None = None,
    ) -> None:
        self._atlas = atlas
        self._spec, self._bus, self._config, self._site = spec, bus, config, site
        self._clock = clock
        self._vehicle: Vda5050Vehicle | None = None
        self._speaks = ""
        self._found, self._heard = Bell(), ""
        self._foreign = ""
        self._busy = False
        self._rules = RoadRules()
        self._listeners: list[Callable[[], None]] = []

    @property
    def spec(self) -> VehicleSpec:
        """What it is."""
        return self._spec

    @property
    def version(self) -> str:
        """What it speaks, as far as it was heard; empty = unknown yet."""
        return self._speaks

    def state(self) -> VehicleState:
        """Its latest snapshot; before it was heard, that of a vehicle that is not there."""
        if self._vehicle is not None:
            return self._vehicle.state()
        if not self._foreign:
            return VehicleState(heard_at_s=None)
        fault = VehicleError(
            code="unknown_version", severity=Severity.FATAL, text=f"speaks {self._foreign}"
        )
        return VehicleState(heard_at_s=None, errors=(fault,))

    def watch(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called after each new word of the robot."""
        self._listeners.append(changed)

    def set_rules(self, rules: RoadRules) -> None:
        """Other rules of the road hold from now on."""
        self._rules = rules
        if self._vehicle is not None:
            self._vehicle.set_rules(rules)

    def set_paused(self, paused: bool) -> None:
        """Have it stand still, or go on."""
        if self._vehicle is not None:
            self._vehicle.set_paused(paused)

    async def hold(self) -> None:
        """Have it stand still with its order in hand; LinkTimeout if it does not say so."""
        await self._known().hold()

    async def go_on(self) -> None:
        """Let it drive on; LinkTimeout if it does not say so."""
        await self._known().go_on()

    async def recall(self) -> None:
        """NotSupported: a robot finds its way home by an order alone."""
        await self._known().recall()

    async def land(self) -> None:
        """NotSupported: it is on the ground."""
        await self._known().land()

    def _known(self) -> Vda5050Vehicle:
        if self._vehicle is None:
            raise LinkLost(f"{self._spec.id} has not been heard")
        return self._vehicle

    def why_not(self, mission: Mission) -> Refusal | None:
        """Why the robot could not carry out ``mission``, as far as that is known."""
        return self._vehicle.why_not(mission) if self._vehicle is not None else None

    async def execute(self, mission: Mission, clearance: Clearance) -> Outcome:
        """Carry out one mission, once the robot was heard.

        Raises:
            LinkLost: besides all that `Vda5050Vehicle.execute` raises, it was not heard at all.
        """
        vehicle = await self._heard_vehicle()
        self._busy = True
        try:
            return await vehicle.execute(mission, clearance)
        finally:
            self._busy = False
            self._found.ring()

    async def cancel(self) -> None:
        """Have the robot give up what it is at."""
        if self._vehicle is not None:
            await self._vehicle.cancel()

    async def run(self) -> None:
        """Listen on the topics of all versions; keep the link of the one that is spoken."""
        with ExitStack() as subscriptions:
            for major in _NEWEST:
                prefix = self._config.prefix or INTERFACES[major[1]]
                for name in _TELLING:
                    topic = f"{prefix}/{major}/{self._config.manufacturer}/{self._config.serial}"
                    subscription = self._bus.subscribe(f"{topic}/{name}", self._hear)
                    subscriptions.callback(subscription.close)
            while True:
                rung = self._found.rung
                if not self._heard:
                    await self._found.wait(rung)
                    continue
                await self._speak(self._heard)

    async def _speak(self, version: str) -> None:
        """Keep the link in one version, until the robot speaks another one and is free."""
        vehicle = self._adopt(version)
        async with asyncio.TaskGroup() as group:
            link = group.create_task(vehicle.run(), name=f"vda5050[{self._config.serial}].link")
            while self._heard == version or self._busy:
                await self._found.wait(self._found.rung)
            link.cancel()

    def _adopt(self, version: str) -> Vda5050Vehicle:
        if self._vehicle is not None and self._speaks == version:
            return self._vehicle
        log.info("%s speaks VDA 5050 %s", self._spec.id, version)
        config = self._config.in_version(version)
        vehicle = Vda5050Vehicle(
            self._spec, self._bus, config, self._site, self._clock, self._atlas
        )
        vehicle.watch(self._tell)
        vehicle.set_rules(self._rules)
        self._vehicle, self._speaks = vehicle, version
        self._found.ring()
        return vehicle

    def _hear(self, topic: str, payload: bytes) -> None:
        major, name = topic.split("/")[-4], topic.rpartition("/")[2]
        if len(payload) > LONGEST:
            return  # the adapter counts junk; here it tells nothing
        try:
            word = _WORD.decode(payload)
        except ValueError:
            return
        gone = (ConnectionState.OFFLINE, ConnectionState.CONNECTIONBROKEN, "CONNECTION_BROKEN")
        if name == "connection" and word.connection_state in gone:
            return
        said = ".".join(word.version.split(".")[:2])
        if said and said not in VERSIONS:
            self._refuse(word.version[:_LONGEST_VERSION])
            return
        version = said if said and f"v{said[0]}" == major else _NEWEST[major]
        self._foreign = ""
        settled = self._vehicle is not None and self._vehicle.state().online
        if version != self._heard and not settled:
            self._heard = version
            self._found.ring()
            self._tell()

    def _refuse(self, version: str) -> None:
        if self._foreign != version:
            self._foreign = version
            log.warning(
                "speaks VDA 5050 %s, which we don't", version, extra={"robot": self._spec.id}
            )
            self._tell()

    async def _heard_vehicle(self) -> Vda5050Vehicle:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._config.patience_s
        while self._vehicle is None:
            if loop.time() >= until_s:
                raise LinkLost(f"{self._config.serial} is not heard in any version")
            await self._found.wait(self._found.rung, until_s)
        return self._vehicle

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
