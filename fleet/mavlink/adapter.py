"""A MAVLink drone as a vehicle: flies missions, sleeps in its dock, survives our restarts."""

import asyncio
from collections.abc import Callable, Sequence

from fleet.dock import Dock
from fleet.mavlink.config import MavlinkConfig
from fleet.mavlink.drone import Drone
from fleet.mavlink.execution import Execution
from fleet.mavlink.groundwork import Groundwork
from fleet.mavlink.hands import Hands
from fleet.mavlink.link import MavlinkLink
from fleet.mavlink.mission_in_hand import MissionInHand
from fleet.mavlink.power import Power
from fleet.mavlink.safeguards import Needs, Safeguards
from fleet.mavlink.snapshots import Snapshots
from fleet.mavlink.waits import Waits
from fleet.mavlink.whereabouts import Whereabouts
from fleet.mission import Clearance, Mission, Outcome, Waypoint
from fleet.vehicle import VehicleSpec, VehicleState
from routing.geometry import LocalFrame
from routing.refusal import Refusal
from routing.site import Node


class MavlinkVehicle:
    """One ArduCopter-like drone behind the `Vehicle` protocol.

    A drone with a dock sleeps in it without power and counts as online there; a mission wakes it.

    Args:
        frame: lays the site on the earth.
        home: where its own dock or pad is.
        pads: where else it may stand.
        dock: None = it is always powered.
        needs: what it must do by itself in need; None = that is not looked at.
    """

    def __init__(
        self,
        spec: VehicleSpec,
        link: MavlinkLink,
        config: MavlinkConfig,
        frame: LocalFrame,
        *,
        home: Node,
        pads: Sequence[Node] = (),
        dock: Dock | None = None,
        needs: Needs | None = None,
    ) -> None:
        self._spec, self._frame = spec, frame
        self._drone = drone = Drone(link, config)
        where = Whereabouts(drone.telemetry, frame, home, pads, config.pad_radius_m)
        may_set = config.safety is not None and config.safety.set_parameters
        self._guards = guards = Safeguards(drone, needs, may_set=may_set) if needs else None
        groundwork = Groundwork(drone, gripper=config.gripper)
        self._listeners: list[Callable[[], None]] = []
        drone.watch(self._tell)
        self._power = power = Power(spec.id, drone, dock)
        if dock is not None:
            dock.watch(self._tell)
        self._in_hand = MissionInHand(spec.id, drone, self._ended)
        self._execution = Execution(spec, drone, frame, where, power, groundwork, guards)
        self._hands = Hands(drone)
        self._waits = Waits(drone, self._hands)
        self._snapshots = Snapshots(
            drone, where, power, groundwork, guards, bearing_deg=frame.bearing_deg
        )

    # --- what it is and how it is -------------------------------------------------------------

    @property
    def spec(self) -> VehicleSpec:
        """What it is."""
        return self._spec

    def state(self) -> VehicleState:
        """Its latest snapshot; asleep in its dock it counts as online."""
        return self._snapshots.take(self._in_hand.mission)

    def watch(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called after each new word of the drone or its dock."""
        self._listeners.append(changed)

    def why_not(self, mission: Mission) -> Refusal | None:
        """Why it could not carry out ``mission``; None = it could."""
        return self._execution.why_not(mission)

    # --- missions -----------------------------------------------------------------------------

    def adopt(self, mission: Mission) -> None:
        """After a restart of ours: it holds ``mission``, and `execute` will go on with it."""
        self._in_hand.adopt(mission)

    async def execute(self, mission: Mission, clearance: Clearance) -> Outcome:
        """Fly one mission and do the work at its end; see `fleet.vehicle.Vehicle.execute`."""
        return await self._in_hand.execute(
            mission, lambda held: self._execution.carry_out(mission, clearance, held)
        )

    async def cancel(self) -> None:
        """Call it back to where it took off; returns when it stands there with its motors off.

        Raises:
            LinkError: it does not answer, or does not come down.
        """
        await self._in_hand.give_up(self._execution.come_down)

    async def turn_away(self, to: Waypoint | None = None) -> None:
        """Give up the mission and wait in the air for the next one, on the way ``to`` its first."""

        async def wait() -> None:
            back = self._drone.called_back
            if to is None:
                await self._hands.wait_in_the_air(called_back=back)
            else:
                geo = self._frame.to_geo(to.point)
                height_m = to.height_agl_m or self._spec.cruise_agl_m
                await self._hands.wait_in_the_air(geo, height_m, called_back=back)

        await self._in_hand.give_up(wait)
        self._execution.turning = True

    # --- what people and the dispatcher have it do past its mission ---------------------------

    async def hold(self) -> None:
        """Stop in the air where it is."""
        await self._hands.hold()
        self._tell()

    async def go_on(self) -> None:
        """Fly on."""
        await self._hands.go_on(follows=self._in_hand.at_work)
        self._tell()

    async def wait_on_way(self) -> None:
        """Stop in the air, if it flies its mission: nothing that it does by itself is undone."""
        await self._waits.begin()
        self._tell()

    async def end_wait(self) -> None:
        """Fly on, if it still waits."""
        await self._waits.end(follows=self._in_hand.at_work)
        self._tell()

    async def recall(self) -> None:
        """Return to launch."""
        await self._hands.recall()
        self._tell()

    async def land(self) -> None:
        """Come down where it is."""
        await self._hands.land()
        self._tell()

    # --- life ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep its streams flowing while it is awake; let it sleep when idle in its dock."""
        drone, guards = self._drone, self._guards
        self._power.used()
        while True:
            silent_since_s = drone.now_s
            await self._power.until_heard()
            if guards and drone.now_s - silent_since_s > drone.timeouts.unfit_s:
                guards.doubt()
            while drone.online:
                await drone.ask_for_streams()
                await drone.ask_for_wind()
                if guards:
                    await guards.keep()
                if not self._busy:
                    await self._power.sleep_if_idle()
                await asyncio.sleep(drone.timeouts.watch_s)
            if guards:
                guards.fall_silent()
            self._tell()

    @property
    def _busy(self) -> bool:
        """Whether something is to be done, somebody flies it, or something has to be put right."""
        at_work = self._in_hand.at_work or self._in_hand.mission is not None
        unfit = self._guards is not None and bool(self._guards.errors)
        return at_work or self._drone.telemetry.armed or unfit

    def _ended(self) -> None:
        self._power.used()
        self._tell()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
