"""A drone's sleep: without power in its dock while nothing is to be done, woken for what is."""

import logging
from contextlib import suppress

from fleet.dock import Dock, DockState
from fleet.errors import LinkError, LinkLost, LinkTimeout, MissionFailed
from fleet.mavlink.drone import Drone
from fleet.vehicle import VehicleId
from routing.refusal import Refusal

log = logging.getLogger(__name__)


class Power:
    """Wakes one drone and lets it sleep.

    Args:
        dock: None = it is always powered.
    """

    def __init__(self, vehicle: VehicleId, drone: Drone, dock: Dock | None) -> None:
        self._vehicle, self._drone, self._dock = vehicle, drone, dock
        self._said, self._times = drone.telemetry, drone.timeouts
        self._standby = drone.config.standby
        self._idle_since_s = 0.0
        self.waking = False
        """Whether it was given power, and is waited for."""
        if dock is not None:
            dock.watch(self._on_dock)

    @property
    def dock(self) -> DockState | None:
        """The last word of its dock."""
        return self._dock.state if self._dock else None

    @property
    def in_dock(self) -> bool:
        """Whether it stands in its dock."""
        dock = self.dock
        return dock is not None and dock.occupied

    @property
    def asleep(self) -> bool:
        """Whether it stands in its dock without power."""
        dock = self.dock
        return dock is not None and dock.occupied and not dock.powered

    def used(self) -> None:
        """Something was done with it until now."""
        self._idle_since_s = self._drone.now_s

    async def wake(self) -> None:
        """Give it power if it sleeps, and wait until it speaks and says where it is.

        Raises:
            LinkError: it does not wake up, or fell silent.
            MissionFailed: it does not say where it is.
        """
        line, dock = self._drone.line, self._dock
        line.wanted = True
        fresh_s = self._drone.now_s - self._times.stale_s
        try:
            if dock is not None:
                await self._drone.until(
                    lambda: self._drone.online or dock.state is not None, self._times.boot_s
                )
                if self.asleep:
                    fresh_s = self._drone.now_s
                    self.waking = True
                    await dock.power(True)
            await self._drone.until(
                lambda: self._drone.online and (line.heard_at_s or 0.0) >= fresh_s,
                self._times.boot_s,
            )
        except LinkTimeout as error:
            raise LinkLost(f"{self._vehicle} does not wake up") from error
        finally:
            self.waking = False
        if self._said.positioned_at_s < fresh_s:
            await self._drone.ask_for_streams()
        try:
            await self._drone.until(
                lambda: self._said.positioned_at_s >= fresh_s, self._times.ready_s
            )
        except LinkTimeout as error:
            if not self._drone.online:
                raise LinkLost(f"{self._vehicle} fell silent") from error
            raise MissionFailed(Refusal("no_position")) from error

    async def until_heard(self) -> None:
        """Wait until it speaks. On standby it is woken, before anybody calls, until it does."""
        level = logging.WARNING
        while not self._drone.online:
            if not self._standby:
                await self._drone.until(lambda: self._drone.online)
                return
            try:
                await self.wake()
            except (LinkError, MissionFailed) as error:
                log.log(level, "%s is not ready to take off: %s", self._vehicle, error)
                level = logging.INFO
                with suppress(LinkTimeout):
                    await self._drone.until(lambda: self._drone.online, self._times.unfit_s)

    async def sleep_if_idle(self) -> None:
        """Off with the power, if nothing was done with it for long enough."""
        if self._dock is None or self._standby or not self.in_dock or self.asleep:
            return
        if self._drone.now_s - self._idle_since_s < self._times.sleep_s:
            return
        self._drone.line.wanted = False
        try:
            await self._dock.power(False)
        except LinkTimeout as error:
            self._drone.line.wanted = True
            log.warning("%s: %s", self._vehicle, error)

    def _on_dock(self) -> None:
        self._drone.line.mute = self.asleep
        self._drone.nudge()
