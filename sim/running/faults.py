"""What goes wrong on purpose: the faults of a run, each brought about and ended in its time."""

import asyncio
import heapq
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from sim.running.effects import BOOT_S, Effect, Targets, channel, effect
from sim.scenario.fault_plan import PlannedFault

log = logging.getLogger(__name__)

_HAPPENED_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class Happened:
    """Something broke, or works again.

    Args:
        at_s: loop second.
    """

    at_s: float
    fault: PlannedFault
    over: bool = False


class Faults:
    """Brings about each fault when its time has come, and ends it after its duration.

    Closed lanes are no faults: people close them, and the dispatcher is told.

    Args:
        said: called with a sentence whenever something breaks or works again.

    Raises:
        ValueError: a fault names something that can't break in this way.
    """

    def __init__(
        self,
        faults: Sequence[PlannedFault],
        targets: Targets,
        *,
        said: Callable[[str], None] = log.info,
    ) -> None:
        self._faults, self._troubles, self._said = faults, targets.world.troubles, said
        self._effects: dict[tuple[str, str, str], Effect] = {}
        self._in_force: dict[tuple[str, str, str], list[PlannedFault]] = {}
        self.happened: list[Happened] = []
        self._targets = targets
        for fault in faults:
            self._prepare(fault)

    def _prepare(self, fault: PlannedFault) -> None:
        try:
            self._effects[channel(fault)] = effect(fault, self._targets)
        except KeyError:
            what = f"{fault.target} {fault.id} can't have the fault {fault.fault}"
            raise ValueError(what) from None

    async def run(self) -> None:
        """Bring them about; returns when the last one is over."""
        loop = asyncio.get_running_loop()
        start_s = loop.time()
        agenda = [(start_s + fault.at_s, n, fault, False) for n, fault in enumerate(self._faults)]
        heapq.heapify(agenda)
        while agenda:
            at_s, number, fault, over = heapq.heappop(agenda)
            await asyncio.sleep(at_s - loop.time())
            if over:
                self._end(fault)
                continue
            self._begin(fault)
            lasts_s = _lasts_s(fault)
            if lasts_s is not None:
                heapq.heappush(agenda, (at_s + lasts_s, number, fault, True))

    def begin(self, fault: PlannedFault) -> Coroutine[Any, Any, None]:
        """Bring one more fault about, at once; run what this returns to have it end.

        Raises:
            ValueError: it names something that can't break in this way.
        """
        self._prepare(fault)
        self._begin(fault)
        return self._end_later(fault)

    async def _end_later(self, fault: PlannedFault) -> None:
        lasts_s = _lasts_s(fault)
        if lasts_s is not None:
            await asyncio.sleep(lasts_s)
            self._end(fault)

    def _begin(self, fault: PlannedFault) -> None:
        self._say(fault, f"{fault.target} {fault.id}: {fault.fault}", over=False)
        in_force = self._in_force.setdefault(channel(fault), [])
        in_force.append(fault)
        if fault.fault != "battery":
            self._troubles[_trouble(fault)] = None
        self._effects[channel(fault)](tuple(in_force))

    def _end(self, fault: PlannedFault) -> None:
        in_force = self._in_force[channel(fault)]
        in_force.remove(fault)
        if fault.fault not in [other.fault for other in in_force]:
            self._troubles.pop(_trouble(fault), None)
        self._effects[channel(fault)](tuple(in_force))
        self._say(fault, f"{fault.target} {fault.id}: {fault.fault} is over", over=True)

    def _say(self, fault: PlannedFault, text: str, *, over: bool) -> None:
        self._said(text)
        if len(self.happened) < _HAPPENED_KEPT:
            self.happened.append(Happened(asyncio.get_running_loop().time(), fault, over))


def _lasts_s(fault: PlannedFault) -> float | None:
    """How long it is in force; None = for ever."""
    if fault.fault == "reboot" and fault.lasts_s is None:
        return BOOT_S
    return fault.lasts_s


def _trouble(fault: PlannedFault) -> str:
    return f"{fault.target} {fault.id}: {fault.fault}"
