"""Changes, told to whoever listens: screens, and nobody who can hold up the dispatcher."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from dispatcher.domain.task import Task
from dispatcher.domain.views import VehicleView
from dispatcher.records.alerts import Alert


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing as it is now; exactly one of these is set."""

    task: Task | None = None
    vehicle: VehicleView | None = None
    alert: Alert | None = None
    roads: bool = False
    """Other rules of the road, or other emergencies, are in force."""
    incidents: bool = False
    """An incident, or who commands a vehicle, is another now."""
    anew: bool = False
    """Another moment is shown: anything may be different."""


class Overrun(Exception):
    """The listener was too slow and has missed changes; it must begin anew with a snapshot."""


class Feed:
    """One listener's changes, in order; ends with `Overrun` when more than ``room`` wait."""

    def __init__(self, hub: "Hub", room: int) -> None:
        self._hub = hub
        self._waiting: asyncio.Queue[Change] = asyncio.Queue(room)
        self._overrun = False

    def __aiter__(self) -> AsyncIterator[Change]:
        return self

    async def __anext__(self) -> Change:
        if self._overrun and self._waiting.empty():
            raise Overrun
        return await self._waiting.get()

    def close(self) -> None:
        """Listen no more."""
        self._hub.drop(self)

    def put(self, change: Change) -> None:
        """One more change, from the hub."""
        try:
            self._waiting.put_nowait(change)
        except asyncio.QueueFull:
            self._overrun = True
            self.close()


class Hub:
    """Where changes come in; forgets them at once when nobody listens."""

    def __init__(self) -> None:
        self._feeds: list[Feed] = []
        self._listeners: list[Callable[[Change], None]] = []

    @property
    def listened(self) -> bool:
        """Whether anybody listens; what is costly to tell need not be made otherwise."""
        return bool(self._feeds or self._listeners)

    def listen(self, listener: Callable[[Change], None]) -> None:
        """Have ``listener`` called, without delay, with each change; it must be quick."""
        self._listeners.append(listener)

    def subscribe(self, *, room: int = 1000) -> Feed:
        """A new listener; it gets what happens from now on."""
        feed = Feed(self, room)
        self._feeds.append(feed)
        return feed

    def drop(self, feed: Feed) -> None:
        """A listener has gone."""
        if feed in self._feeds:
            self._feeds.remove(feed)

    def tell(self, change: Change) -> None:
        """Tell everybody."""
        for listener in self._listeners:
            listener(change)
        for feed in tuple(self._feeds):
            feed.put(change)
