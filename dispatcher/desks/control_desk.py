"""Who commands which vehicle, what they have it do at once, and the emergency stop."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dispatcher.errors import FieldFault, NotFound, Refused
from dispatcher.records.alerts import Alerts, Severity
from dispatcher.records.book import TaskBook
from dispatcher.work.memory import Memory
from dispatcher.work.worker import Worker
from fleet.clock import Clock
from fleet.errors import FleetError, LinkError, NotSupported
from fleet.vehicle import Commanded, Vehicle, VehicleId
from routing.refusal import Refusal

log = logging.getLogger(__name__)

ANSWER_S = 8.0
"""Who has not answered by then is shown as not answering."""


class Order(StrEnum):
    """What a person can have a vehicle do at once."""

    HOLD = "hold"
    GO_ON = "go_on"
    RECALL = "recall"
    LAND = "land"


class Reply(StrEnum):
    """What came of it, for one vehicle."""

    ACKNOWLEDGED = "acknowledged"
    NOT_ANSWERING = "not_answering"
    REFUSED = "refused"
    NOT_SUPPORTED = "not_supported"
    NOT_IN_CONTROL = "not_in_control"
    STOPPED = "stopped"
    """The emergency stop is on: only landing and coming home are to be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Who commands a vehicle, since when; everybody else watches."""

    vehicle: VehicleId
    holder: str
    since_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one vehicle answered, after how many seconds."""

    vehicle: VehicleId
    reply: Reply
    text: str = ""
    after_s: float = 0.0


class ControlDesk:
    """Control tokens and direct orders; each is in the journal with who gave it.

    A vehicle that somebody has had do something gets no work before it is told to go on.

    Args:
        noted: told of each order, for the log of flights.
        changed: called when who commands is another now.
    """

    def __init__(
        self,
        clock: Clock,
        book: TaskBook,
        alerts: Alerts,
        vehicles: Sequence[Vehicle],
        workers: Mapping[VehicleId, Worker],
        changed: Callable[[], None],
    ) -> None:
        self._clock, self._book, self._alerts = clock, book, alerts
        self._vehicles = {vehicle.spec.id: vehicle for vehicle in vehicles}
        self._workers = workers
        self._changed = changed
        self.noted: Callable[[VehicleId, str, str], None] = _nobody
        self._tokens: dict[VehicleId, Token] = {}
        self._stopped: dict[VehicleId, str] = {}
        self._holds: list[VehicleId] = []
        self._one_at_a_time = asyncio.Lock()

    @property
    def tokens(self) -> list[Token]:
        """Who commands what."""
        return list(self._tokens.values())

    @property
    def stopped(self) -> Mapping[VehicleId, str]:
        """Which vehicles the emergency stop holds, and who pressed it."""
        return dict(self._stopped)

    def holder(self, vehicle: VehicleId) -> str:
        """Who commands a vehicle; empty = nobody."""
        token = self._tokens.get(vehicle)
        return "" if token is None else token.holder

    def restore(self, memory: Memory) -> None:
        """Take up what held before a restart."""
        for vehicle, holder in memory.holders.items():
            if vehicle in self._vehicles:
                self._give(vehicle, holder)
        for vehicle, (_, by) in memory.commanded.items():
            if vehicle in self._vehicles:
                self._workers[vehicle].commanded_by = by
        for vehicle, by in memory.stopped.items():
            if vehicle in self._vehicles:
                self._latch(vehicle, by)
        held = {id_ for id_, (order, _) in memory.commanded.items() if order == Order.HOLD}
        self._holds = [id_ for id_ in self._vehicles if id_ in held | memory.stopped.keys()]

    async def resume(self) -> None:
        """Once the vehicles are heard: who was on hold before a restart is so still."""
        await asyncio.gather(*(self._ask(Order.HOLD, id_) for id_ in self._holds))

    # --- tokens ---

    async def take(self, vehicle: VehicleId, by: str, *, force: bool = False) -> Token:
        """Command a vehicle from now on.

        Args:
            force: take it from somebody who has it and can't hand it over; that is journalled.

        Raises:
            NotFound, Refused: somebody else has it.
        """
        self._known(vehicle)
        async with self._one_at_a_time:
            holder = self.holder(vehicle)
            if holder == by:
                return self._tokens[vehicle]
            if holder and not force:
                raise self._not_yours(vehicle, "ask for it to be handed over, or take it by force")
            await self._book.note(
                "control_taken", vehicle=vehicle, by=by, from_whom=holder, by_force=bool(holder)
            )
            return self._give(vehicle, by)

    async def hand_over(self, vehicle: VehicleId, by: str, to: str) -> Token:
        """Have somebody else command it; NotFound, Refused if it is not yours."""
        self._known(vehicle)
        async with self._one_at_a_time:
            self._check(vehicle, by)
            await self._book.note("control_taken", vehicle=vehicle, by=to, from_whom=by)
            return self._give(vehicle, to)

    async def release(self, vehicle: VehicleId, by: str) -> None:
        """Command it no more; NotFound, Refused if it is not yours."""
        self._known(vehicle)
        async with self._one_at_a_time:
            self._check(vehicle, by)
            await self._book.note("control_released", vehicle=vehicle, by=by)
            del self._tokens[vehicle]
            self._changed()

    # --- orders ---

    async def command(self, order: Order, by: str, vehicles: Sequence[VehicleId]) -> list[Told]:
        """Have vehicles do something at once; one answer for each, none waits for another.

        Raises:
            NotFound: there is no such vehicle; then none is told anything.
        """
        for vehicle in vehicles:
            self._known(vehicle)
        return list(await asyncio.gather(*(self._command(order, by, v) for v in vehicles)))

    async def recall_all(self, by: str) -> list[Told]:
        """Call home all drones in the air that nobody else commands."""
        flying = [id_ for id_, vehicle in self._vehicles.items() if vehicle.state().airborne]
        return await self.command(Order.RECALL, by, flying)

    async def _command(self, order: Order, by: str, vehicle: VehicleId) -> Told:
        holder = self.holder(vehicle)
        if holder != by and (holder or order in (Order.HOLD, Order.GO_ON, Order.LAND)):
            text = holder or "take control first"
            return Told(vehicle=vehicle, reply=Reply.NOT_IN_CONTROL, text=text)
        if vehicle in self._stopped and order in (Order.HOLD, Order.GO_ON):
            return Told(vehicle=vehicle, reply=Reply.STOPPED, text=self._stopped[vehicle])
        told = await self._carry_out(order, by, vehicle)
        await self._book.note(
            "vehicle_commanded", vehicle=vehicle, order=order, by=by, reply=told.reply
        )
        return told

    async def _carry_out(self, order: Order, by: str, id_: VehicleId) -> Told:
        worker, before = self._workers[id_], self._workers[id_].commanded_by
        worker.commanded_by = None if order is Order.GO_ON else by
        told = await self._ask(order, id_)
        if told.reply is not Reply.ACKNOWLEDGED and id_ not in self._stopped:
            worker.commanded_by = before
        self.noted(id_, order.value, by)
        worker.wake()
        self._changed()
        return told

    async def _ask(self, order: Order, id_: VehicleId) -> Told:
        vehicle, since_s = self._vehicles[id_], self._clock.now_s()
        if not isinstance(vehicle, Commanded):
            return Told(vehicle=id_, reply=Reply.NOT_SUPPORTED)
        doors = {
            Order.HOLD: vehicle.hold,
            Order.GO_ON: vehicle.go_on,
            Order.RECALL: vehicle.recall,
            Order.LAND: vehicle.land,
        }
        reply, text = Reply.ACKNOWLEDGED, ""
        try:
            async with asyncio.timeout(ANSWER_S):
                await doors[order]()
        except (LinkError, TimeoutError) as error:
            reply, text = Reply.NOT_ANSWERING, str(error)
        except NotSupported as error:
            reply, text = Reply.NOT_SUPPORTED, str(error)
        except FleetError as error:
            reply, text = Reply.REFUSED, str(error)
        after_s = round(self._clock.now_s() - since_s, 2)
        return Told(vehicle=id_, reply=reply, text=text, after_s=after_s)

    # --- the emergency stop ---

    async def stop(self, by: str, vehicles: Sequence[VehicleId] | None = None) -> list[Told]:
        """Stop vehicles where they are, whoever commands them; it stays so until `let_go`.

        A drone stops in the air and hovers: it can still be called home, or down.
        """
        which = list(self._vehicles) if vehicles is None else list(vehicles)
        for vehicle in which:
            self._known(vehicle)
        for vehicle in which:
            self._latch(vehicle, by)
        told = list(await asyncio.gather(*(self._ask(Order.HOLD, v) for v in which)))
        for one in told:
            self.noted(one.vehicle, "emergency_stop", by)
            await self._book.note("emergency_stop", vehicle=one.vehicle, by=by, reply=one.reply)
        self._changed()
        return told

    async def let_go(self, by: str, vehicles: Sequence[VehicleId] | None = None) -> list[Told]:
        """End the emergency stop: a person has looked. They go on where they were stopped."""
        wanted = list(self._stopped) if vehicles is None else list(vehicles)
        which = [vehicle for vehicle in wanted if vehicle in self._stopped]
        told: list[Told] = []
        for vehicle in which:
            if self._stopped.pop(vehicle, None) is None:
                continue  # somebody else has let it go meanwhile
            await self._book.note("emergency_stop_ended", vehicle=vehicle, by=by)
            self._alerts.clear("emergency_stop", vehicle=vehicle)
            told.append(await self._carry_out(Order.GO_ON, by, vehicle))
        self._changed()
        return told

    def _latch(self, vehicle: VehicleId, by: str) -> None:
        self._stopped[vehicle] = by
        self._workers[vehicle].commanded_by = by
        if not self._alerts.is_open("emergency_stop", vehicle=vehicle):
            self._alerts.open("emergency_stop", Severity.CRITICAL, vehicle=vehicle, by=by)

    # --- checks ---

    def _known(self, vehicle: VehicleId) -> None:
        if vehicle not in self._vehicles:
            raise NotFound("vehicle", vehicle)

    def _check(self, vehicle: VehicleId, by: str) -> None:
        if self.holder(vehicle) != by:
            raise self._not_yours(vehicle, "only who commands it can do that: take control first")

    def _not_yours(self, vehicle: VehicleId, remedy: str) -> Refused:
        reason = Refusal("not_in_control", {"value": vehicle, "holder": self.holder(vehicle)})
        return Refused([FieldFault("vehicle", reason, remedy)])

    def _give(self, vehicle: VehicleId, holder: str) -> Token:
        token = Token(vehicle=vehicle, holder=holder, since_s=self._clock.now_s())
        self._tokens[vehicle] = token
        self._changed()
        return token


def _nobody(vehicle: VehicleId, what: str, by: str) -> None:
    """Before anybody keeps a log."""
