"""Workcells as the dispatcher asks them for handovers over the bus; each handover happens once."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pydantic import ValidationError

from fleet.asking import Letter, Requests, Waiters
from fleet.bus import Bus
from fleet.errors import HandoverFailed, HandoverUnsure, MissionCancelled
from fleet.facility import TOPICS
from fleet.workcell import Ended, Goods, HandoverRequest, Phase, Way, WorkcellState, asks, calls_off
from routing.refusal import Refusal
from routing.site import Site, Workcell, WorkcellId

log = logging.getLogger(__name__)

LAST_WORD_S = 30.0
"""How long a workcell has to say how a handover stands that is not wanted any more."""
_LONGEST = 64 * 1024
"""Bytes of a message that is read at all."""
_OVER = 32
"""How many handovers one workcell is told to be over at a time; the oldest are let go of."""


@dataclass(slots=True)
class _Cell:
    """One workcell: what it last said, and what is wanted of it."""

    cell: Workcell
    wanted: dict[str, HandoverRequest] = field(default_factory=dict[str, HandoverRequest])
    """First come, first served: the first one is asked for."""
    begun: dict[str, None] = field(default_factory=dict[str, None])
    """Those of the wanted ones that it has said it works at."""
    broken_off: dict[str, None] = field(default_factory=dict[str, None])
    over: dict[str, tuple[str, bool]] = field(default_factory=dict[str, tuple[str, bool]])
    """Handovers that are over, with their session, and whether the workcell has been told."""
    kept: dict[str, None] = field(default_factory=dict[str, None])
    """Handovers of a former process that will be joined."""
    state: WorkcellState | None = None
    waiters: Waiters = field(default_factory=Waiters)

    def first(self, handover: str) -> bool:
        """Whether it is a handover's turn."""
        return next(iter(self.wanted), None) == handover

    def end_of(self, handover: str) -> Ended | None:
        return None if self.state is None else self.state.end_of(handover)

    def requests(self) -> list[HandoverRequest]:
        over = [calls_off(session, handover) for handover, (session, _) in self.over.items()]
        self.over = {handover: (session, True) for handover, (session, _) in self.over.items()}
        first = next(iter(self.wanted.items()), None)
        if first is None or (self.state is not None and self.state.works_at(first[0])):
            return over
        return [*over, first[1]]

    def end(self, handover: str, session: str) -> None:
        self.over[handover] = (session, False)
        while len(self.over) > _OVER:
            del self.over[next(iter(self.over))]

    def hear(self, state: WorkcellState) -> None:
        self.state = state
        for handover, (_, told) in [*self.over.items()]:
            if told and handover != state.handover:
                del self.over[handover]
        self.look()

    def look(self) -> None:
        """See what it is at; whatever nobody wants is over."""
        state, named = self.state, self.state and self.state.handover
        if state is None or named is None:
            return
        if named in self.wanted and state.works_at(named):
            self.begun[named] = None
        if not (named in self.wanted or named in self.kept or named in self.over):
            self.end(named, state.session or "")


class Workcells:
    """The dispatcher's hand on workcells; a session is the name of a vehicle.

    Args:
        repeat_s: how long to wait before a request without effect is sent again.
    """

    def __init__(self, bus: Bus, site: Site, *, repeat_s: float = 10.0) -> None:
        self.faulty = 0
        """How many messages could not be read."""
        self._bus = bus
        self._cells = {str(cell.id): _Cell(cell) for cell in site.workcells.values()}
        self._requests = Requests(bus, repeat_s)
        self._work = asyncio.Event()
        self._service_listeners: list[Callable[[WorkcellId, bool], None]] = []

    def keep(self, handovers: Iterable[str]) -> None:
        """Before `run`: these may be at work since before a restart; they will be joined, or
        called off by `forget`. Whatever else a workcell is at is called off at once."""
        for handover in handovers:
            for cell in self._cells.values():
                cell.kept[handover] = None

    def forget(self, handover: str) -> None:
        """One that was kept will not be joined."""
        for cell in self._cells.values():
            cell.kept.pop(handover, None)
            cell.look()
        self._work.set()

    async def run(self) -> None:
        """Listen to the workcells, and tell them what is wanted; runs until cancelled."""
        topic = f"{TOPICS}/workcell/+/state"
        subscription = self._bus.subscribe(topic, self._hear)
        try:
            while True:
                self._work.clear()
                again_s = await self._requests.send(self._letters())
                try:
                    async with asyncio.timeout(min(again_s, default=None)):
                        await self._work.wait()
                except TimeoutError:
                    continue
        finally:
            subscription.close()

    async def hand_over(
        self,
        workcell: WorkcellId,
        handover: str,
        session: str,
        way: Way,
        goods: Goods,
        *,
        wanted: bool = True,
    ) -> None:
        """Return when the goods have changed hands; then call `acknowledge`.

        Asked again under the same id, also by another process, it is the same handover and
        happens once. Others wait for their turn; only then its time begins to run.

        Args:
            handover: an id that no other handover ever had.
            wanted: False = it may be at work, and is called off.

        Raises:
            HandoverFailed: the goods are where they were, and the vehicle may leave.
            HandoverUnsure: it was at work and is not heard of any more: a person must look.
            MissionCancelled: `break_off` asked for it, and the goods are where they were.
        """
        cell = self._cells[workcell]
        cell.wanted[handover] = asks(session, handover, way, goods)
        cell.kept.pop(handover, None)
        if not wanted:
            cell.broken_off[handover] = None
        cell.look()
        self._work.set()
        try:
            end = await self._end(cell, handover)
            if end is not None:
                self._judge(cell, end)
                return
            end = await self._last_word(cell, handover, session)
            self._judge_late(cell, handover, end)
        finally:
            cell.wanted.pop(handover, None)
            cell.begun.pop(handover, None)
            cell.broken_off.pop(handover, None)
            cell.waiters.wake()
            self._work.set()

    def break_off(self, workcell: WorkcellId, handover: str) -> None:
        """A handover is not wanted any more; `hand_over` returns when it is known how it stands."""
        cell = self._cells[workcell]
        if handover in cell.wanted:
            cell.broken_off[handover] = None
            cell.waiters.wake()

    def acknowledge(self, workcell: WorkcellId, handover: str, session: str) -> None:
        """Tell a workcell that the end of a handover has been heard."""
        self._cells[workcell].end(handover, session)
        self._work.set()

    def works_at(self, workcell: WorkcellId, handover: str) -> bool:
        """Whether a handover has begun, as far as is known."""
        return handover in self._cells[workcell].begun

    def why_not(self, workcell: WorkcellId) -> Refusal | None:
        """Why a workcell can't be counted on now; None = it can."""
        state = self._cells[workcell].state
        if state is None:
            return Refusal("workcell_silent", {"workcell": workcell})
        if not state.in_service:
            return Refusal("workcell_out_of_service", {"workcell": workcell})
        return None

    def on_service(self, listener: Callable[[WorkcellId, bool], None]) -> None:
        """Have ``listener`` called when a workcell goes out of service, or comes back."""
        self._service_listeners.append(listener)

    # --- one handover ---

    async def _end(self, cell: _Cell, handover: str) -> Ended | None:
        """How it ends; None = it was broken off, or its time is over."""

        def ended() -> bool:
            return handover in cell.broken_off or cell.end_of(handover) is not None

        await cell.waiters.until(lambda: ended() or cell.first(handover), None)
        await cell.waiters.until(ended, cell.cell.limit_s)
        return cell.end_of(handover)

    async def _last_word(self, cell: _Cell, handover: str, session: str) -> Ended | None:
        """Call a handover off; what the workcell says then is what counts."""
        del cell.wanted[handover]
        cell.end(handover, session)
        self._work.set()
        asked = False
        while not asked and cell.end_of(handover) is None:
            online = self._bus.online
            await cell.waiters.until(lambda: cell.end_of(handover) is not None, LAST_WORD_S)
            asked = online and self._bus.online  # else it was we who could not be heard
        return cell.end_of(handover)

    def _judge(self, cell: _Cell, end: Ended) -> None:
        if end.phase is not Phase.DONE:
            facts = {"workcell": cell.cell.id, "text": end.reason or "?"}
            raise HandoverFailed(Refusal("workcell_failed", facts))

    def _judge_late(self, cell: _Cell, handover: str, end: Ended | None) -> None:
        """What has become of a handover that was called off."""
        workcell, begun = cell.cell.id, handover in cell.begun
        if end is not None and end.phase is Phase.DONE:
            return
        if end is None and begun:
            raise HandoverUnsure(Refusal("workcell_unsure", {"workcell": workcell}))
        if handover in cell.broken_off:
            raise MissionCancelled
        why = Refusal("workcell_silent", {"workcell": workcell})
        if begun:
            late = {"workcell": workcell, "limit_s": cell.cell.limit_s}
            why = Refusal("workcell_too_slow", late)
        raise HandoverFailed(self.why_not(workcell) or why)

    # --- words ---

    def _letters(self) -> list[Letter]:
        return [
            request.letter(cell.cell.id)
            for cell in self._cells.values()
            if cell.wanted or cell.over
            for request in cell.requests()
        ]

    def _hear(self, topic: str, payload: bytes) -> None:
        cell = self._cells.get(topic.split("/")[-2])
        try:
            if len(payload) > _LONGEST:
                raise ValueError(f"{len(payload)} bytes are too many")
            state = WorkcellState.model_validate_json(payload)
        except ValueError as error:
            self._fault(topic, error)
            return
        if cell is None:
            return
        served = cell.state is None or cell.state.in_service
        cell.hear(state)
        cell.waiters.wake()
        self._work.set()
        if served != state.in_service:
            for listener in self._service_listeners:
                listener(cell.cell.id, state.in_service)

    def _fault(self, topic: str, error: ValueError) -> None:
        self.faulty += 1
        if self.faulty == 1 or self.faulty % 100 == 0:
            why = str(error)
            if isinstance(error, ValidationError):
                why = error.errors(include_url=False)[0]["msg"]
            log.warning("%s: not understood (%d so far): %s", topic, self.faulty, why)
