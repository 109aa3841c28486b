"""Letting drives into the traffic: as soon as that is safe, or not at all."""

import asyncio
from collections.abc import Callable, Sequence

from dispatcher.traffic.crew import Crew
from dispatcher.traffic.detours import Detours
from dispatcher.traffic.pilot import Pilot
from dispatcher.traffic.portals import Portals
from fleet.errors import MissionCancelled
from fleet.vehicle import VehicleId
from routing.site import Edge, NodeId

ADMISSION_S = 10.0
"""How long a vehicle waits to be let into the traffic before it makes room for others."""


class Admission:
    """Enters drives into the table of claims."""

    def __init__(self, crew: Crew, portals: Portals, detours: Detours) -> None:
        self._crew, self._ways_home = crew, crew.ways_home
        self._claims = crew.claims
        self._portals = portals
        self._detours = detours

    async def admit(
        self,
        vehicle: VehicleId,
        edges: Sequence[Edge],
        rank: tuple[int, float],
        *,
        makes_room: bool = False,
    ) -> bool:
        """Enter a drive into the table of claims, as soon as that is safe; `drive` follows.

        False = it was not for `ADMISSION_S`: what the vehicle stands on is what others need
        first, so it should go home out of their way and ask again from there. Until then its
        wish is remembered, for those who want to know why it waits. Or it has rolled on, as far as
        it was told before, and its way begins elsewhere.

        Args:
            makes_room: this is that way home, and no wish of its own.

        Raises:
            MissionCancelled: `halt` was called meanwhile.
        """
        pilot = self._crew[vehicle]
        claim = pilot.claim
        claim.rank = rank
        goal = edges[-1].end if edges else claim.stand
        if not makes_room:
            self._crew.wish(pilot, edges, goal)
        pilot.halting = False

        def elsewhere() -> bool:
            return bool(edges) and edges[0].start != claim.stand

        def enters() -> bool:
            if pilot.halting:
                raise MissionCancelled
            return elsewhere() or self._claims.plan(
                claim, edges, self._ways_home.homeward(pilot, goal)
            )

        entered = await self.until_safe(pilot, enters) and not elsewhere()
        if entered and not makes_room:
            claim.wish = 0
        return entered

    async def readmit(
        self,
        vehicle: VehicleId,
        edges: Sequence[Edge],
        rank: tuple[int, float],
        *,
        behind: int,
        held: int,
    ) -> bool:
        """Enter a drive that a former process began; what was told already is held at once.

        Args:
            behind: edges that the vehicle has already driven.
            held: edges that it was already told it may drive.

        False = the rest of the drive was not safe for `ADMISSION_S`.
        """
        pilot = self._crew[vehicle]
        claim = pilot.claim
        claim.rank = rank
        told, rest = edges[:held], edges[held:]
        stop = told[-1].end if told else claim.stand
        held_to = claim.edges[-1].end if claim.edges else claim.stand
        homeward, pause = claim.homeward, claim.pause
        if held_to != stop or homeward is None:
            homeward, pause = self._ways_home.homeward(pilot, stop), 0
        self._claims.force(claim, told, homeward, passed=behind, granted=held)
        if pause:
            self._claims.rehome(claim, homeward, pause=pause)
        pilot.again = [n for n in range(behind, held) if not self._portals.is_plain(edges[n])]
        pilot.told = held
        goal = edges[-1].end if edges else stop
        return await self.until_safe(
            pilot,
            lambda: self._claims.replan(claim, rest, self._ways_home.homeward(pilot, goal)),
        )

    def withdraw(self, vehicle: VehicleId) -> None:
        """It does not ask for a way any more."""
        self._crew[vehicle].claim.wish = 0

    async def until_safe(self, pilot: Pilot, entered: Callable[[], bool]) -> bool:
        """Try again whenever somebody has moved on; False = for `ADMISSION_S` in vain."""
        try:
            async with asyncio.timeout(ADMISSION_S):
                while not entered():
                    await self._crew.until_freed(pilot)
        except TimeoutError:
            return False
        return True

    async def until_roads_change(self, vehicle: VehicleId, goal: NodeId, seen: int) -> None:
        """Wait for other roads, because none leads to ``goal`` now.

        Args:
            seen: `Detours.changes` when none did.

        Raises:
            Unreachable: nothing that is closed is why.
            MissionCancelled: `halt` was called meanwhile.
        """
        pilot, roads = self._crew[vehicle], self._crew.roads
        way = roads.when_open(pilot.spec).shortest(pilot.claim.stand, goal)
        self._crew.wish(pilot, way.edges, goal)
        now_s = asyncio.get_running_loop().time()
        met = roads.met(pilot.spec, way.edges, pilot.goods, now_s)
        if met is not None and roads.hours is not None:
            pilot.shut_out = roads.hours.refusal(*met)
        pilot.halting = False
        try:
            while self._detours.changes == seen:
                pilot.news.clear()
                await pilot.news.wait()
                if pilot.halting:
                    raise MissionCancelled
        finally:
            pilot.shut_out = None
