"""Who waits on the ground for something in the air, in the order in which it is granted."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from fleet.errors import MissionCancelled
from fleet.vehicle import VehicleId
from routing.refusal import Refusal


@dataclass(slots=True)
class Waiter:
    """One wish of one drone.

    Args:
        rank: who goes first: priority class, then since when.
        free: whether it can be granted now.
        take: grants it.
        why: what it waits for.
    """

    vehicle: VehicleId
    rank: tuple[int, float]
    free: Callable[[], bool]
    take: Callable[[], None]
    why: Callable[[], Refusal]
    granted: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class SkyQueue:
    """All who wait on one site; nobody waits for who comes after it, if it can go at once.

    Args:
        news: set whenever somebody has to wait.
    """

    def __init__(self, news: asyncio.Event) -> None:
        self._news = news
        self._waiters: list[Waiter] = []

    def __bool__(self) -> bool:
        return bool(self._waiters)

    async def wait(self, waiter: Waiter) -> None:
        """Return once a wish is granted, which may be at once.

        Raises:
            MissionCancelled: it has been withdrawn.
        """
        self._waiters.append(waiter)
        self._waiters.sort(key=lambda one: one.rank)
        self.grant()
        if not waiter.granted.done():
            self._news.set()
        try:
            await waiter.granted
        except asyncio.CancelledError:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            raise

    def grant(self) -> None:
        """Grant what can be granted by now."""
        for waiter in tuple(self._waiters):
            if waiter.free():
                waiter.take()
                self._waiters.remove(waiter)
                waiter.granted.set_result(None)

    def withdraw(self, vehicle: VehicleId) -> None:
        """A drone does not want what it waits for any more: its wait ends as cancelled."""
        for waiter in [w for w in self._waiters if w.vehicle == vehicle]:
            self._waiters.remove(waiter)
            waiter.granted.set_exception(MissionCancelled())

    def why(self, vehicle: VehicleId) -> Refusal | None:
        """What a drone waits for; None = it doesn't wait."""
        return next((w.why() for w in self._waiters if w.vehicle == vehicle), None)
