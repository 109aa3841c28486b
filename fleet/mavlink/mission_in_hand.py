"""The mission that a drone holds: carried out once, or given up for something else."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine

from fleet.errors import FleetError, LinkError, MissionCancelled, MissionFailed
from fleet.mavlink.commands import CommandRefused
from fleet.mavlink.drone import Drone
from fleet.mission import Mission, MissionId, Outcome
from fleet.vehicle import VehicleId
from routing.refusal import Refusal

_REMEMBERED = 32


class MissionInHand:
    """Keeps one drone at one thing, and knows what came of the last missions.

    Args:
        ended: called when the work on a mission has ended, whatever came of it.
    """

    def __init__(self, vehicle: VehicleId, drone: Drone, ended: Callable[[], None]) -> None:
        self._vehicle, self._drone, self._ended = vehicle, drone, ended
        self._mission: Mission | None = None
        self._finished: OrderedDict[MissionId, Outcome] = OrderedDict()
        self._work: asyncio.Task[Outcome] | None = None
        self._stopping: asyncio.Future[None] | None = None
        self._instead: asyncio.Task[None] | None = None
        """What it does instead of a mission that it has given up."""

    @property
    def mission(self) -> Mission | None:
        """What it holds; also when its link is lost, until it is asked again."""
        return self._mission

    @property
    def at_work(self) -> bool:
        """Whether a mission is being carried out now."""
        return self._work is not None

    def adopt(self, mission: Mission) -> None:
        """After a restart of ours: it holds ``mission``."""
        self._mission = mission

    async def execute(
        self, mission: Mission, carry_out: Callable[[bool], Coroutine[None, None, Outcome]]
    ) -> Outcome:
        """Carry out a mission, unless that has been done; errors as of `fleet.vehicle.Vehicle`.

        Args:
            carry_out: told whether the drone held the mission before.
        """
        if self._work is not None:
            raise ValueError(f"{self._vehicle} is already carrying out a mission")
        if mission.id in self._finished:
            return self._finished[mission.id]
        held = self._mission is not None and self._mission.id == mission.id
        self._mission = mission
        name = f"vehicle[{self._vehicle}].mission"
        self._work = asyncio.create_task(carry_out(held), name=name)
        try:
            outcome = await self._work
        except asyncio.CancelledError:
            ourselves = asyncio.current_task()
            if self._stopping is None or (ourselves is not None and ourselves.cancelling()):
                raise
            await asyncio.shield(self._stopping)
            self._mission = None
            raise MissionCancelled from None
        except LinkError:
            raise
        except CommandRefused as refused:
            self._mission = None
            raise MissionFailed(Refusal("command_refused", {"text": str(refused)})) from refused
        except FleetError:
            self._mission = None
            raise
        finally:
            self._work, self._drone.loading = None, False
            self._ended()
        self._mission = None
        self._finished[mission.id] = outcome
        if len(self._finished) > _REMEMBERED:
            self._finished.popitem(last=False)
        return outcome

    async def give_up(self, then: Callable[[], Awaitable[None]]) -> None:
        """Give up the mission for something else; what was asked for last holds."""
        before, stopping = self._instead, self._stopping
        if stopping is None:
            stopping = self._stopping = asyncio.get_running_loop().create_future()
        name = f"vehicle[{self._vehicle}].instead"
        mine = self._instead = asyncio.create_task(self._without_mission(then, before), name=name)
        try:
            await asyncio.wait([mine])
        finally:
            if not mine.done():
                mine.cancel()
                await asyncio.wait([mine])
            if self._instead is mine:
                self._instead = self._stopping = self._mission = None
                self._drone.held = self._drone.called_back = False
                stopping.set_result(None)
        if not mine.cancelled():
            mine.result()

    async def _without_mission(
        self, then: Callable[[], Awaitable[None]], before: "asyncio.Task[None] | None"
    ) -> None:
        unwanted = [task for task in (before, self._work) if task is not None]
        for task in unwanted:
            task.cancel()
        if unwanted:
            await asyncio.wait(unwanted)
        await then()
