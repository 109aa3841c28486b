"""A drone's dock: powers it up and down, and charges what stands in it."""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass

from fleet.bus import Bus
from fleet.errors import LinkTimeout

log = logging.getLogger(__name__)

_LONGEST = 64 * 1024
"""Bytes of a message that is read at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DockState:
    """A dock's last word."""

    heard_at_s: float
    powered: bool
    """Whether the drone that belongs to it has power."""
    occupied: bool
    charge_ratio: float | None = None
    """Of the drone in it; None while it is out."""

    @property
    def charging(self) -> bool:
        """Whether the drone in it is still getting fuller."""
        return self.occupied and self.charge_ratio is not None and self.charge_ratio < 1.0


class Dock:
    """Client of one dock, by its topics under ``wardline/v1/facilities/dock/``.

    Args:
        timeout_s: how long power may take to come or go.
    """

    def __init__(self, bus: Bus, dock_id: str, *, timeout_s: float = 30.0) -> None:
        self._bus, self._id, self._timeout_s = bus, dock_id, timeout_s
        self._topic = f"wardline/v1/facilities/dock/{dock_id}"
        self._listeners: list[Callable[[], None]] = []
        self._waiters: list[asyncio.Future[None]] = []
        self.state: DockState | None = None
        """Its last word; None = never heard."""
        self.faulty = 0
        """How many of its words could not be read."""
        self._subscription = bus.subscribe(f"{self._topic}/state", self._hear)

    def watch(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called after each word of the dock."""
        self._listeners.append(listener)

    async def power(self, on: bool) -> None:
        """Give the drone power, or take it away; returns when that is so.

        Raises:
            LinkTimeout: the dock did not do it, or did not say so.
        """
        await self._bus.publish(f"{self._topic}/request", json.dumps({"power": on}).encode(), qos=1)
        try:
            async with asyncio.timeout(self._timeout_s):
                while self.state is None or self.state.powered is not on:
                    await self._next_word()
        except TimeoutError:
            word = "on" if on else "off"
            raise LinkTimeout(f"dock {self._id} did not switch power {word}") from None

    def close(self) -> None:
        """Stop listening."""
        self._subscription.close()

    async def _next_word(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def _hear(self, topic: str, payload: bytes) -> None:
        state = _read(payload, asyncio.get_running_loop().time())
        if state is None:
            self.faulty += 1
            if self.faulty == 1 or self.faulty % 100 == 0:
                log.warning("%s: can't read (%d so far) %.100r", topic, self.faulty, payload)
            return
        self.state = state
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        for listener in self._listeners:
            listener()


def _read(payload: bytes, now_s: float) -> DockState | None:
    if len(payload) > _LONGEST:
        return None
    try:
        said = json.loads(payload)
        powered, occupied, ratio = said["powered"], said["occupied"], said["charge_ratio"]
        if not (isinstance(powered, bool) and isinstance(occupied, bool)):
            return None
        charge_ratio = None if ratio is None else float(ratio)
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None
    if charge_ratio is not None and not 0.0 <= charge_ratio <= 1.0:
        return None
    return DockState(
        heard_at_s=now_s, powered=powered, occupied=occupied, charge_ratio=charge_ratio
    )
