"""Simulated workcells: they hand goods over once for each handover, and know what has moved."""

import asyncio
import logging
from collections import deque

from pydantic import ValidationError

from fleet.bus import Bus
from fleet.facility import TOPICS
from fleet.mission import Action, ActionKind
from fleet.workcell import Ended, HandoverRequest, Phase, Way, WorkcellState
from routing.site import Edge, NodeId, Workcell
from sim.world.bodies import GroundBody
from sim.world.signal import Signal
from sim.world.world import Observer, World

log = logging.getLogger(__name__)

REMEMBERED = 16
"""How many ended handovers it tells of."""


class WorkcellMachine(Observer):
    """One dispenser or ingestor, for one vehicle at a time.

    What must never happen to goods is a violation: two handovers of one load, a vehicle that
    drives off while it is at work, loading or unloading at it what it has not handed over.

    Args:
        nodes: where vehicles stand for it.
    """

    def __init__(self, world: World, bus: Bus, cell: Workcell, nodes: frozenset[NodeId]) -> None:
        self.cell = cell
        self.in_service = True
        self.jammed = False
        """Whether what it begins fails."""
        self.link_down = False
        """Whether its wire is dead, both ways; it goes on with what it is at."""
        self.handed: list[tuple[Way, str]] = []
        """The loads that have changed hands, in order."""
        self.faulty = 0
        self._world, self._bus, self._nodes = world, bus, nodes
        self._topic = f"{TOPICS}/workcell/{cell.id}"
        self._at: HandoverRequest | None = None
        self._phase, self._reason = Phase.IDLE, ""
        self._left_s, self._since_s = 0.0, 0.0
        self._called_off = False
        self._ended: deque[Ended] = deque(maxlen=REMEMBERED)
        self._work = Signal()
        self._unsaid = True
        world.workcells[cell.id] = self
        world.observe(self)

    async def run(self) -> None:
        """Serve; runs until cancelled."""
        subscription = self._bus.subscribe(f"{self._topic}/request", self._hear)
        try:
            while True:
                if self._unsaid:
                    await self._say()
                    continue
                due_s = self._go_on()
                if not self._unsaid:
                    await self._work.wait(due_s)
        finally:
            subscription.close()

    # --- faults ---

    def stop(self) -> None:
        """It does not move any more, until `repair`; what it is at stays half done."""
        self._go_on()
        self.in_service = False
        self._wake()

    def repair(self) -> None:
        """It goes on."""
        self.in_service, self._since_s = True, _now_s()
        self._wake()

    def jam(self, *, on: bool) -> None:
        """All that it is at, or begins, fails as long as this is so."""
        self.jammed = on
        self._wake()

    def cut(self, *, on: bool) -> None:
        """Its wire is dead, or works again."""
        self.link_down = on
        self._wake()

    # --- what others see ---

    def serves(self, vehicle: str) -> bool:
        """Whether it is at work on a vehicle."""
        return self._at is not None and self._working and self._at.session == vehicle

    def departed(self, body: GroundBody, edge: Edge) -> None:
        """Nobody drives off while it reaches over."""
        if edge.start in self._nodes and self.serves(body.id):
            self._world.violate("cargo", f"{body.id} leaves {self.cell.id}, which is at work on it")

    def acted(self, body: GroundBody, action: Action) -> None:
        """What is loaded or unloaded here has been handed over."""
        way = {ActionKind.LOAD: Way.GIVE, ActionKind.UNLOAD: Way.TAKE}.get(action.kind)
        if way is None or body.node not in self._nodes or not self._does(way):
            return
        load = str(action.facts.get("load_id"))
        if (way, load) not in self.handed:
            self._world.violate("cargo", f"{body.id}: {self.cell.id} did not {way} {load}")

    # --- one handover ---

    @property
    def _working(self) -> bool:
        return self._phase is Phase.WORKING

    def _does(self, way: Way) -> bool:
        return self.cell.dispenses if way is Way.GIVE else self.cell.ingests

    def _begin(self, request: HandoverRequest) -> None:
        self._put_away()
        self._at, self._phase, self._called_off = request, Phase.WORKING, False
        self._left_s, self._since_s = self.cell.handover_s, _now_s()
        if request.way is None or not self._does(request.way):
            self._end(Phase.FAILED, "it does not do that")

    def _go_on(self) -> float | None:
        """Go on with what it is at until now; returns in how many seconds it is done."""
        if not self._working or not self.in_service:
            return None
        now_s = _now_s()
        self._left_s, self._since_s = self._left_s - (now_s - self._since_s), now_s
        if self._called_off:
            self._end(Phase.FAILED, "called off")
        elif self.jammed:
            self._end(Phase.FAILED, "jammed")
        elif self._left_s < 1e-6:
            self._hand_over()
        else:
            return max(0.001, self._left_s)
        return None

    def _hand_over(self) -> None:
        assert self._at is not None
        goods, way = self._at.give or self._at.take, self._at.way
        body = next((b for b in self._world.ground.values() if b.id == self._at.session), None)
        if body is not None and (body.edge is not None or body.node not in self._nodes):
            self._world.violate("cargo", f"{self.cell.id} hands over to {body.id}, which is away")
        assert goods is not None
        assert way is not None
        for load in goods.loads:
            if (way, load) in self.handed:
                self._world.violate("cargo", f"{self.cell.id}: {way} {load} for the second time")
            self.handed.append((way, load))
        self._end(Phase.DONE)

    def _end(self, phase: Phase, reason: str = "") -> None:
        self._phase, self._reason = phase, reason
        self._unsaid = True

    def _put_away(self) -> None:
        """What has ended is from here on only remembered."""
        if self._at is not None and self._at.handover is not None:
            self._remember(self._at.handover, self._phase, self._reason)
        self._at, self._phase, self._reason = None, Phase.IDLE, ""

    def _remember(self, handover: str, phase: Phase, reason: str) -> None:
        self._ended.append(Ended(handover=handover, phase=phase, reason=reason or None))

    # --- words ---

    def _hear(self, topic: str, payload: bytes) -> None:
        if self.link_down:
            return
        try:
            request = HandoverRequest.model_validate_json(payload)
        except ValidationError:
            self.faulty += 1
            log.warning("%s: not understood", topic)
            return
        if request.handover is not None:
            self._asked(request, request.handover)
        elif request.over is not None:
            self._is_over(request.over)
        self._wake()

    def _asked(self, request: HandoverRequest, handover: str) -> None:
        known = any(one.handover == handover for one in self._ended)
        known = known or (self._at is not None and self._at.handover == handover)
        if not known and not self._working and self.in_service:
            self._begin(request)

    def _is_over(self, handover: str) -> None:
        if self._at is not None and self._at.handover == handover:
            if self._working:
                self._called_off = True
                self._go_on()
            if not self._working:
                self._put_away()
        elif all(one.handover != handover for one in self._ended):
            self._remember(handover, Phase.FAILED, "called off")

    async def _say(self) -> None:
        self._unsaid = False
        if self.link_down:
            return
        state = WorkcellState(
            in_service=self.in_service,
            session=self._at.session if self._at else None,
            handover=self._at.handover if self._at else None,
            phase=self._phase,
            reason=self._reason or None,
            ended=tuple(self._ended),
        )
        await self._bus.publish(
            f"{self._topic}/state", state.model_dump_json().encode(), qos=1, retain=True
        )

    def _wake(self) -> None:
        self._unsaid = True
        self._work.fire()


def _now_s() -> float:
    return asyncio.get_running_loop().time()
