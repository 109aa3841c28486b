"""One drive after the other: stretches are claimed, released as they are ready, and freed."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from dispatcher.traffic.crew import Crew
from dispatcher.traffic.pilot import Pilot
from dispatcher.traffic.portals import Portals
from dispatcher.traffic.timekeeper import Timekeeper
from fleet.errors import MissionFailed, MissionNotTaken
from fleet.mission import Clearance
from fleet.vehicle import VehicleId
from routing.site import Edge


class Drives:
    """Gives those who have been let in the right to drive, bit by bit."""

    def __init__(self, crew: Crew, portals: Portals, timekeeper: Timekeeper | None) -> None:
        self._crew = crew
        self._portals = portals
        self._timekeeper = timekeeper

    @asynccontextmanager
    async def drive(
        self,
        vehicle: VehicleId,
        edges: Sequence[Edge],
        rank: tuple[int, float],
    ) -> AsyncGenerator[Clearance]:
        """The right to drive ``edges``, which `admit` or `readmit` let in, granted bit by bit.

        Args:
            rank: who goes first where several wait: priority class, then since when.

        When the block ends, the vehicle keeps what it stands on; when it ends by anything but a
        success or a failed mission, all that it was told, for it may still drive on. Of a mission
        that it never took it keeps nothing.
        """
        pilot = self._crew[vehicle]
        claim = pilot.claim
        start = edges[0].start if edges else claim.stand
        route = pilot.route(self._crew.site, start, self._crew.roads.now(edges, flees=pilot.flees))
        clearance = Clearance(route, 1 + pilot.told)
        pilot.told, pilot.left = 0, ()
        clearance.passed = claim.passed
        claim.rank = rank
        pilot.clearance, pilot.goal, pilot.halting = clearance, route[-1].node, False
        pilot.since_s = asyncio.get_running_loop().time()
        clearance.on_reached(lambda index: self._reached(pilot, index))
        pilot.wake.set()  # some of it may have been granted since it was admitted
        self._crew.pump()
        stands, left = False, None
        try:
            yield clearance
            stands = True
        except MissionNotTaken:
            left = ()
            raise
        except MissionFailed:
            stands = True
            raise
        finally:
            told = claim.edges[claim.passed : clearance.released - 1]
            pilot.left = left if left is not None else told[:1] if stands else told
            pilot.clearance = None
            pilot.behind.extend(pilot.doors.values())
            pilot.doors.clear()
            self._crew.ways_home.break_off(pilot)
            pilot.wake.set()
            self._crew.pump()

    async def halt(self, vehicle: VehicleId, *, urgent: bool = False) -> None:
        """Release nothing more to a vehicle; returns once it may be stopped.

        That is outside lifts, or in one that has stopped where the vehicle could leave it. If it
        has not been let into the traffic yet, it is not any more.

        Args:
            urgent: stop it also where it has been told to enter a lift and is not there yet.
        """
        pilot = self._crew[vehicle]
        pilot.halting = True
        if pilot.clearance is None:
            pilot.freed.set()
            pilot.news.set()
        while pilot.clearance is not None and (
            self._portals.boards(pilot) if urgent else self._portals.in_lift(pilot.clearance)
        ):
            if self._portals.may_step_out(pilot):
                self._portals.step_out(pilot)
                return
            await self._crew.until_freed(pilot)

    def caught(self) -> list[VehicleId]:
        """Who should be stopped because a lift has: they can still turn back before or in it.

        That is who has been told to enter it, and who is in it as long as it stands open there.
        """
        lifts = sorted(self._crew.stopped)
        caught = (p for p in self._crew for lift in lifts if self._portals.is_caught(p, lift))
        return [pilot.spec.id for pilot in caught]

    def in_lift(self, vehicle: VehicleId) -> bool:
        """Whether a driving vehicle can't be stopped now."""
        clearance = self._crew[vehicle].clearance
        return clearance is not None and self._portals.in_lift(clearance)

    def _reached(self, pilot: Pilot, index: int) -> None:
        claim, crew = pilot.claim, self._crew
        crew.claims.pass_to(claim, index)
        edge = claim.edges[index - 1]
        crew.boarding.left(claim, edge.start)
        if crew.courtesy is not None:
            crew.courtesy.passed(edge, others=crew.boarding.shares(claim, edge.start))
        now_s = asyncio.get_running_loop().time()
        if self._timekeeper is not None:
            self._timekeeper.driven(pilot, edge, now_s - pilot.since_s)
        pilot.since_s = now_s
        pilot.wake.set()
        crew.pump()
