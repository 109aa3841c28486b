"""How a drone carries out a mission: begun, joined in the air, or gone on with after a restart."""

import asyncio
import logging

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.errors import MissionFailed
from fleet.mavlink.commands import CommandRefused
from fleet.mavlink.drone import Drone
from fleet.mavlink.flight import Flight
from fleet.mavlink.flight_load import FlightLoad
from fleet.mavlink.groundwork import Groundwork, why_not
from fleet.mavlink.missions import flight_plan
from fleet.mavlink.power import Power
from fleet.mavlink.safeguards import Safeguards
from fleet.mavlink.take_off import TakeOff
from fleet.mavlink.whereabouts import Whereabouts
from fleet.mission import Clearance, Mission, MissionId, Outcome
from fleet.vehicle import VehicleSpec
from routing.geometry import LocalFrame, Point
from routing.refusal import Refusal

log = logging.getLogger(__name__)


class Execution:
    """Flies missions with one drone, does the work at their ends, and calls it back.

    Args:
        guards: None = what it would do in need is not looked at.
    """

    def __init__(
        self,
        spec: VehicleSpec,
        drone: Drone,
        frame: LocalFrame,
        where: Whereabouts,
        power: Power,
        groundwork: Groundwork,
        guards: Safeguards | None,
    ) -> None:
        self._spec, self._drone, self._frame = spec, drone, frame
        self._where, self._power = where, power
        self._groundwork, self._guards = groundwork, guards
        self._said, self._times = drone.telemetry, drone.timeouts
        self._departed: MissionId | None = None
        self.turning = False
        """Without a mission in the air, until it is given the next one."""

    def why_not(self, mission: Mission) -> Refusal | None:
        """Why it could not carry out ``mission``; None = it could."""
        return next(filter(None, (why_not(action, self._spec) for action in mission.actions)), None)

    async def carry_out(self, mission: Mission, clearance: Clearance, held: bool) -> Outcome:
        """Fly it and do the work at its end; errors as of `fleet.vehicle.Vehicle.execute`.

        Args:
            held: whether the drone held this mission before.
        """
        refusal = self.why_not(mission)
        if refusal is not None:
            raise MissionFailed(refusal)
        flown = len(mission.route) > 1
        if flown:
            await self._fly(mission, clearance, held)
        results = {
            action.id: await self._groundwork.do(action, flown=flown, in_dock=self._power.in_dock)
            for action in mission.actions
        }
        return Outcome(mission=mission.id, finished_at_s=self._drone.now_s, results=results)

    async def _fly(self, mission: Mission, clearance: Clearance, held: bool) -> None:
        """Fly it, or what is left of it if the drone has it already."""
        version = clearance.version
        while not clearance.complete:
            version = await clearance.changed(version)
        route, said, where = clearance.route, self._said, self._where
        plan = flight_plan(
            route, mission.actions, self._frame, cruise_agl_m=self._spec.cruise_agl_m
        )
        load = FlightLoad(self._drone, plan)
        flight = Flight(self._drone, plan, clearance, where.stands_at)
        await self._power.wake()
        turning, self.turning = self.turning and said.airborne, False
        joins = said.airborne and route[0].height_agl_m > 0
        away = said.armed or not where.stands_at(route[0].point)
        ours = not turning and (held or away) and await load.is_on_board()
        if joins and self._drone.held and not ours:
            raise MissionFailed(Refusal("already_flying", {"mission": mission.id}))
        if joins and not (ours and (said.in_auto or self._drone.held)):
            await load.join()
            ours = True
        elif route[0].height_agl_m > 0 and not (ours or said.armed):
            raise MissionFailed(Refusal("not_in_the_air", {"mission": mission.id}))
        elif mission.urgent and held and not joins and self._went_ahead:
            await load.catch_up()
            ours = True
        elif away and not ours:
            code = "already_flying" if said.armed else "not_at_start"
            raise MissionFailed(Refusal(code, {"mission": mission.id}))
        grounded = not said.armed or self._armed_at(route[0].point)
        if ours and not said.armed and (away or self._departed == mission.id):
            flight.conclude()
            return
        if grounded and not joins:
            await self._assure()
            take_off = TakeOff(self._drone, plan)
            await _depart(load, take_off, on_board=ours, ahead=mission.urgent)
        self._departed = mission.id
        await flight.follow()

    @property
    def _went_ahead(self) -> bool:
        """Whether it has left the ground before it had the mission, and waits for it."""
        said = self._said
        waits = self._drone.held or (said.mode in said.dialect.ours and not said.in_auto)
        return said.airborne and (waits or said.returning)

    def _armed_at(self, start: Point) -> bool:
        """Whether it was armed and never started: the answer to one of our words got lost."""
        return not self._said.in_auto and self._where.stands_at(start)

    async def _assure(self) -> None:
        """Only a drone that would help itself in need may fly."""
        if self._guards is None:
            return
        await self._guards.assure()
        if self._guards.errors:
            first = self._guards.errors[0]
            raise MissionFailed(Refusal(first.code, {"text": first.text}))

    async def come_down(self) -> None:
        """Call it back to where it took off; returns when it stands there with its motors off.

        Raises:
            LinkError: it does not answer, or does not come down.
        """
        said, asked_s = self._said, self._drone.now_s
        give_up_s = asked_s + self._times.landing_s
        if self._power.asleep or not (said.armed or self._drone.online):
            return
        await self._drone.until(lambda: said.beat_at_s > asked_s, self._times.stale_s)
        while said.armed and not self._power.asleep:
            airborne = said.airborne
            try:
                if airborne:
                    drone = self._drone
                    drone.called_back = drone.called_back or not said.returning
                    await self._drone.do(mav.MAV_CMD_NAV_RETURN_TO_LAUNCH)
                else:
                    await self._drone.do(mav.MAV_CMD_COMPONENT_ARM_DISARM, 0)
            except CommandRefused as refused:
                log.warning("%s: %s", self._spec.id, refused)
                await asyncio.sleep(self._times.arm_pause_s)
            else:
                await self._drone.until(
                    lambda was=airborne: not said.armed or said.airborne is not was,
                    give_up_s - self._drone.now_s,
                )


async def _depart(load: FlightLoad, take_off: TakeOff, *, on_board: bool, ahead: bool) -> None:
    """Leave the ground with the mission on board; ``ahead`` of it, if there is no time to lose."""
    if ahead and not on_board:
        await take_off.start(ahead=True)
        await load.catch_up()
        return
    if not on_board:
        await load.load()
    await take_off.start()
