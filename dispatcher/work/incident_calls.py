"""How one vehicle answers calls to incidents: whether it may, how it turns, and what came of it."""

import asyncio
import logging
from collections.abc import Callable

from dispatcher.domain.incidents import IncidentId
from dispatcher.domain.task import Kind, Priority
from dispatcher.domain.urgency import RANKS
from dispatcher.domain.views import Activity
from dispatcher.errors import reason_of
from dispatcher.missions.execution import Missions, Mover
from dispatcher.missions.help_flights import HELP, HOMEWARD, Call, HelpFlights, incident_of
from dispatcher.records.book import TaskBook
from dispatcher.work.break_off import BreakOff
from dispatcher.work.hand import Hand, urgent_trip
from dispatcher.work.retreat import Retreat
from dispatcher.work.standing import Standing
from fleet.errors import CommandFailed, LinkError, MissionCancelled, MissionFailed, SafetyStop
from fleet.vehicle import Vehicle
from routing.errors import Unreachable
from routing.refusal import Refusal

log = logging.getLogger(__name__)


class IncidentCalls:
    """Calls to one vehicle.

    Args:
        helper: its flights to incidents; None = it has none, and is never called.
        wake: has the vehicle look again at what there is to do.
    """

    def __init__(
        self,
        vehicle: Vehicle,
        mover: Mover,
        hand: Hand,
        book: TaskBook,
        missions: Missions,
        helper: HelpFlights | None,
        retreat: Retreat,
        standing: Standing,
        break_off: BreakOff,
        wake: Callable[[], None],
    ) -> None:
        self._vehicle, self._mover, self._hand, self._book = vehicle, mover, hand, book
        self._missions, self._helper, self._retreat = missions, helper, retreat
        self._standing, self._break_off, self._wake = standing, break_off, wake
        self._news = asyncio.Event()
        self._answering = False
        self._ended: list[Callable[[IncidentId, Refusal | None], None]] = []

    # --- for whoever calls ---

    def why_not(self, priority: Priority) -> Refusal | None:
        """Why it can't be sent to an incident now, energy and ways aside; None = it can."""
        state, standing = self._vehicle.state(), self._standing
        if self._helper is None or "camera" not in self._vehicle.spec.skills:
            return Refusal("lacks_skill", {"skill": "camera"})
        if standing.commanded_by is not None:
            return Refusal("commanded", {"by": standing.commanded_by})
        if standing.stood_down:
            return Refusal("safety_stop")
        if not standing.in_service:
            return Refusal("out_of_service")
        if (held := self._retreat.waits_out) is not None:
            return held
        if not state.online:
            return Refusal("offline")
        if not state.fit:
            return Refusal("not_fit")
        if self._hand.aboard or state.loads:
            return Refusal("carries_goods")
        task = self._book.find(self._hand.task)
        if task is None or task.kind is Kind.PATROL:
            return None
        if RANKS[task.priority] <= RANKS[priority] or not state.airborne:
            return Refusal("does_task", {"task": task.id})
        return None

    def call_out(self, call: Call) -> None:
        """Go to an incident now; what it is at is broken off, in the air too."""
        assert self._helper is not None, "only who can fly is called"
        self._helper.call = call
        self._news.set()
        self._wake()

    async def call_off(self) -> None:
        """Leave the incident that it is called to, or on its way to, and come home."""
        if self._helper is None:
            return
        self._helper.call = None
        current = self._missions.current
        if current is not None and incident_of(current[0]) is not None:
            if self._vehicle.state().airborne:
                await self._helper.turn_home()
            else:
                await self._break_off.stop()

    def on_ended(self, listener: Callable[[IncidentId, Refusal | None], None]) -> None:
        """Have ``listener`` told when a flight to an incident has ended, and why if not well."""
        self._ended.append(listener)

    # --- for what else it does ---

    @property
    def waiting(self) -> bool:
        """Whether it is called, and has not begun to answer."""
        return self._helper is not None and self._helper.call is not None

    @property
    def answering(self) -> bool:
        """Whether it is on its way to an incident, there, or on its way home from it."""
        if self._helper is None:
            return False
        current = self._missions.current
        return self._answering or (current is not None and incident_of(current[0]) is not None)

    @property
    def engaged(self) -> bool:
        """Whether it is called, answers a call, or is in the air, so that it can't begin else."""
        flies = self._helper is not None and self._vehicle.state().airborne
        return self.waiting or self.answering or flies

    def clear_air(self) -> None:
        """It is at no flight: on the ground it needs no air, whatever it had turned to."""
        if self._helper is not None and not self._vehicle.state().airborne:
            self._helper.clear_air()

    def why_drop(self) -> Refusal | None:
        """Why it gives back what it need not bring on: a call, or a command; None = it need not."""
        if self._helper is not None and self._helper.call is not None:
            return Refusal("gave_way", {"by": self._helper.call.incident})
        by = self._standing.commanded_by
        return None if by is None else Refusal("commanded", {"by": by})

    def check_command(self) -> None:
        """A mission begins: a drone that somebody commands doesn't leave the ground for it.

        Raises:
            MissionCancelled: the command came while the mission waited or was written down.
        """
        commanded = self._helper is not None and self._standing.commanded_by is not None
        if commanded and not self._vehicle.state().airborne:
            raise MissionCancelled

    def look(self) -> None:
        """A mission begins: a call that came while it was written down still holds."""
        if self.waiting:
            self._news.set()

    # --- turning to a call ---

    async def turn_for_calls(self) -> None:
        """Have each call break off what the vehicle is at."""
        while True:
            await self._news.wait()
            self._news.clear()
            if self._helper is None or self._helper.call is None:
                continue
            try:
                await self._turn(self._helper)
            except LinkError as error:
                log.warning("does not turn: %s", error, extra={"vehicle": self._vehicle.spec.id})
                self.give_back(Refusal("link_lost"))
            except CommandFailed as failed:
                log.warning("does not turn: %s", failed, extra={"vehicle": self._vehicle.spec.id})
                self.give_back(failed.reason)
            except SafetyStop as stop:
                await self._standing.stop_for_safety(stop.reason)
                self.give_back(stop.reason)

    async def _turn(self, helper: HelpFlights) -> None:
        if self._missions.current is None:
            helper.withdraw()  # it may wait for its turn to take off
        elif not self._vehicle.state().airborne:
            await self._mover.stop()
        elif not await helper.turn():
            self.give_back(Refusal("waits_for_airspace"))

    def give_back(self, reason: Refusal) -> None:
        """It can't answer what it is called to: somebody else must."""
        if self._helper is not None and self._helper.call is not None:
            call, self._helper.call = self._helper.call, None
            self.tell_ended(call.incident, reason)

    # --- flights ---

    async def answer(self) -> None:
        """Fly to what it is called to, stay, and come home."""
        helper = self._helper
        if helper is None or helper.call is None:
            return
        call, helper.call = helper.call, None
        self._answering = True
        self._hand.activity = Activity.WORKING
        reason: Refusal | None = Refusal("mission_cancelled")
        try:
            await helper.answer(call, urgent_trip(HELP, self._book.now_s()))
            reason = None
        except MissionCancelled:
            return
        except (MissionFailed, Unreachable) as error:
            reason = reason_of(error)
            raise
        except SafetyStop as stop:
            reason = stop.reason
            raise
        finally:
            self._answering = False
            self.tell_ended(call.incident, reason)

    def tell_ended(self, incident: IncidentId, reason: Refusal | None) -> None:
        """A flight to an incident has ended; ``reason`` if not well."""
        for listener in self._ended:
            listener(incident, reason)

    @property
    def adrift(self) -> bool:
        """Whether it stays in the air and nobody has it fly anywhere."""
        return self._helper is not None and self._helper.adrift

    async def come_home(self) -> None:
        """Fly home from where it is in the air."""
        if self._helper is not None:
            self._hand.activity = Activity.RETURNING
            await self._helper.come_home(urgent_trip(HOMEWARD, self._book.now_s()))
