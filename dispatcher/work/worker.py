"""One vehicle's day: work, decontaminate, recharge, park; one thing after the other."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from dispatcher.domain.charging import ChargePolicy
from dispatcher.domain.duties import Duties
from dispatcher.domain.incidents import IncidentId
from dispatcher.domain.mission_record import MissionRecord
from dispatcher.domain.stops import Handling, TaskStop
from dispatcher.domain.task import Priority, TaskId
from dispatcher.domain.views import Activity
from dispatcher.missions.execution import Missions, Mover
from dispatcher.missions.handovers import Handovers
from dispatcher.missions.help_flights import Call, HelpFlights
from dispatcher.planning.free import Free
from dispatcher.planning.planner import Planner
from dispatcher.planning.transfers import Transfers
from dispatcher.planning.waiting import WaitingPlaces
from dispatcher.records.alerts import Alerts
from dispatcher.records.book import TaskBook
from dispatcher.traffic.chargers import Need
from dispatcher.work.break_off import BreakOff
from dispatcher.work.charge_wish import ChargeWish
from dispatcher.work.hand import Hand
from dispatcher.work.incident_calls import IncidentCalls
from dispatcher.work.recovery import Recovery
from dispatcher.work.rest import Rest
from dispatcher.work.retreat import Retreat
from dispatcher.work.shelter import Shelter
from dispatcher.work.shift_work import Flyer, ShiftWork
from dispatcher.work.standing import Standing
from dispatcher.work.steps import Steps
from dispatcher.work.stop_tries import PAUSE_S, StopTries
from dispatcher.work.visits import Visits
from fleet.errors import LinkError, MissionFailed, SafetyStop
from fleet.mission import Clearance, Mission
from fleet.vehicle import Vehicle, VehicleSpec, VehicleState
from routing.errors import Unreachable
from routing.refusal import Refusal
from routing.site import LiftId, NodeId

log = logging.getLogger(__name__)


class Worker:
    """Has one vehicle do the most pressing thing there is, and answers for it."""

    def __init__(
        self,
        vehicle: Vehicle,
        mover: Mover,
        missions: Missions,
        book: TaskBook,
        planner: Planner,
        alerts: Alerts,
        *,
        handling: Handling,
        handovers: Handovers,
        charging: ChargePolicy,
        shelter: Shelter,
        duties: Duties,
        transfers: Transfers,
        flyer: Flyer | None = None,
        waiting: WaitingPlaces | None = None,
        helper: HelpFlights | None = None,
    ) -> None:
        self.id = vehicle.spec.id
        self.hand = hand = Hand()
        self.helper = helper
        """Its flights to incidents; None = it has none."""
        self._vehicle, self._mover, self._missions = vehicle, mover, missions
        self._book, self._shelter = book, shelter
        self._word = asyncio.Event()
        """Set whenever something may have changed for this vehicle."""
        own = vehicle, mover, hand, book
        self._standing = standing = Standing(self.id, book, planner, alerts, self.wake)
        self._shifts = shifts = ShiftWork(self.id, mover, flyer, duties, hand, book, planner)
        self._wish = wish = ChargeWish(
            vehicle, mover, book, planner, charging, handling, self._may_work
        )
        self._retreat = retreat = Retreat(*own, handling, shelter)
        self._break_off = break_off = BreakOff(
            mover, missions, hand, wish, shelter, retreat, standing, self.wake
        )
        self._calls = calls = IncidentCalls(
            *own, missions, helper, retreat, standing, break_off, self.wake
        )
        self._rest = rest = Rest(
            *own, planner, shifts, wish, waiting, why_drop=calls.why_drop, word=self._word
        )
        steps = Steps(self.id, hand, book, planner, alerts, handling)
        plan = planner, handling, steps
        self._tries = tries = StopTries(
            *own,
            steps,
            retreat,
            standing,
            break_off,
            handovers,
            transfers,
            why_drop=calls.why_drop,
            pause=self._pause,
        )
        self._visits = Visits(
            *own, *plan, tries, wish, retreat, standing, break_off, self._free_now
        )
        self._recovery = Recovery(
            *own, *plan, missions, shifts, standing, break_off, rest, tell_ended=calls.tell_ended
        )
        vehicle.watch(self.wake)
        vehicle.watch(shelter.look)
        missions.on_begin(self._calls.check_command)
        missions.on_begin(shelter.look)
        missions.on_begin(calls.look)

    # --- life ---

    async def run(self, unfinished: MissionRecord | None) -> None:
        """Work until cancelled.

        Args:
            unfinished: the mission that a former process sent and saw no end of.
        """
        self._recovery.take_stock(unfinished)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._work(), name=f"worker[{self.id}].work")
            group.create_task(self._break_off.for_cancels(), name=f"worker[{self.id}].stop")
            group.create_task(self._break_off.for_emergencies(), name=f"worker[{self.id}].alarm")
            if self.helper is not None:
                group.create_task(self._calls.turn_for_calls(), name=f"worker[{self.id}].calls")

    async def _work(self) -> None:
        while True:
            self._word.clear()
            await self._standing.note_set_aside()
            self._calls.clear_air()
            if self.stood_down or not self._vehicle.state().fit:
                self._calls.give_back(Refusal("safety_stop" if self.stood_down else "not_fit"))
                await self._word.wait()
                continue
            try:
                if not await self._one_thing():
                    self.hand.activity = Activity.IDLE
                    await self._word.wait()
                else:
                    self._standing.succeeded()
            except SafetyStop as stop:
                await self._standing.stop_for_safety(stop.reason)
            except (MissionFailed, Unreachable, LinkError) as error:
                log.warning("%s", error, extra={"vehicle": self.id})
                if not isinstance(error, LinkError):
                    self._standing.failed(error)
                await self._pause()

    async def _one_thing(self) -> bool:
        """Do the next thing there is to do; False = nothing."""
        await self._recovery.settle()
        await self._retreat.hold_aboard()
        if self._retreat.wanted and not self._calls.adrift:
            await self._retreat.sit_out()
        elif self.commanded_by is not None:
            self._calls.give_back(Refusal("commanded", {"by": self.commanded_by}))
            return False
        elif self._calls.waiting:
            self._rest.leave_post()
            await self._calls.answer()
        elif self._calls.adrift:
            await self._calls.come_home()
        elif (cancelled := self._visits.cancelled_aboard()) is not None:
            await self._visits.bring_back(cancelled)
        elif (shift := self._shifts.due()) is not None:
            self._rest.leave_post()
            await self._shifts.stand(shift)
        elif self._rest.planned() is not None:
            await self._rest.charge_as_planned()
        elif self._visits.may_begin():
            self._rest.leave_post()
            await self._visits.make_next()
        elif self._wish.must():
            await self._rest.charge()
        elif self._wish.unplugs():
            await self._rest.unplug()
        elif self._rest.post != self._mover.stand:
            await self._rest.go_to_post()
        else:
            return False
        return True

    async def _pause(self) -> None:
        """Before something is tried again; whoever is called to an incident does not wait."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PAUSE_S):
                while not self._calls.waiting:
                    self._word.clear()
                    await self._word.wait()

    def wake(self) -> None:
        """Something may have changed for this vehicle."""
        self._word.set()

    # --- how it stands ---

    @property
    def spec(self) -> VehicleSpec:
        """What its vehicle is."""
        return self._vehicle.spec

    def state(self) -> VehicleState:
        """Its vehicle's latest word."""
        return self._vehicle.state()

    @property
    def current(self) -> tuple[Mission, Clearance] | None:
        """The mission it is at, and how far it may go."""
        return self._missions.current

    def on_begin(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called when a mission is about to be followed."""
        self._missions.on_begin(listener)

    @property
    def stands_at(self) -> NodeId:
        """The node where it stands, or from which it is on its way."""
        return self._mover.stand

    def seconds_to(self, stop: TaskStop) -> float:
        """How long it would take to a stop from where it stands; raises Unreachable."""
        return self._mover.seconds_to(stop)

    def stand(self, home: NodeId) -> NodeId:
        """Where it stands at the start of the program; at home, if it doesn't say."""
        return self._mover.take_up_stand(home)

    def free(self, now_s: float) -> Free:
        """Where and when it will be free for other work."""
        hand = self.hand
        ratio = self._vehicle.state().charge_ratio
        current = None
        spot = self._mover.stand
        if hand.task is not None and hand.stop is not None:
            current = hand.task, hand.stop_index
            spot = self._mover.free_at(hand.stop)
        return Free(
            spec=self._vehicle.spec,
            spot=spot,
            ready_s=max(now_s, hand.ready_s),
            charge_ratio=1.0 if ratio is None else ratio,
            takes_new=self.available,
            current=current,
            turns_at=self._break_off.turns_at(),
        )

    def _free_now(self) -> Free:
        return self.free(self._book.now_s())

    def charge_need(self) -> Need | None:
        """How much it wants to charge now; None = it doesn't, or has something else to do first."""
        return None if self.stood_down else self._rest.need()

    @property
    def has_work(self) -> bool:
        """Whether it is at a task, or has goods on board."""
        return bool(self.hand.aboard) or self.hand.task is not None

    @property
    def at_work(self) -> TaskId | None:
        """The task that it is at, or the watch."""
        return self.hand.watch or self.hand.task

    # --- whether it may work ---

    def _may_work(self) -> bool:
        if not self._standing.may_work or self._shifts.engaged:
            return False
        if self._retreat.wanted or self._retreat.held_aboard():
            return False
        return not (self._calls.waiting or self._calls.answering)

    @property
    def available(self) -> bool:
        """Whether it may be given new work."""
        return self._wish.lets_work

    @property
    def may_stand_watch(self) -> bool:
        """Whether it could begin a shift now: it is fit, and has nothing else in hand."""
        free = not (self._recovery.pending or self.stood_down or self._calls.engaged)
        busy = self.hand.task is not None or bool(self.hand.aboard) or self._shifts.engaged
        kept = self._retreat.wanted
        return free and not busy and not kept and self.let_work and self._vehicle.state().fit

    @property
    def in_service(self) -> bool:
        """Whether it may be given work at all."""
        return self._standing.in_service

    @in_service.setter
    def in_service(self, on: bool) -> None:
        self._standing.in_service = on

    @property
    def let_work(self) -> bool:
        """Whether people let it work by itself."""
        return self._standing.may_work

    @property
    def stood_down(self) -> bool:
        """Whether it moves no more until a person lets it go on, after a safety stop."""
        return self._standing.stood_down

    def stand_down(self) -> None:
        """Don't move, whatever is on board, before `let_go`."""
        self._standing.stand_down()

    def set_aside(self, why: str) -> None:
        """Give it no new work before a person lets it; what it has on board it brings on."""
        self._standing.set_aside(why)

    def let_go(self) -> None:
        """A person has seen to it: it may work again."""
        self._standing.let_go()

    @property
    def commanded_by(self) -> str | None:
        """Who has it do something directly: it does nothing of its own until let go."""
        return self._standing.commanded_by

    @commanded_by.setter
    def commanded_by(self, who: str | None) -> None:
        self._standing.commanded_by = who

    # --- what it is to break off ---

    def abandon(self, task: TaskId) -> None:
        """Stop driving for a task soon, if that is what it does: a person has cancelled it."""
        self._break_off.abandon(task)

    def think_again(self) -> None:
        """Break off the drive: there is no way on, so it may be another's task, or have to wait."""
        self._break_off.think_again()

    def step_back(self) -> None:
        """Break off the drive, whatever it is for: the lift ahead, or around it, has stopped."""
        self._break_off.step_back()

    def leave_to_others(self, lift: LiftId) -> None:
        """It is shut in a lift: what it has not fetched yet is another's task."""
        self._tries.leave_to_others(lift)

    def turn_round(self, task: TaskId) -> None:
        """Give back what it drives for, if it still can, for a task that can't wait."""
        self._break_off.turn_round(task)

    @property
    def waits_out(self) -> Refusal | None:
        """The emergency that keeps it where it is."""
        return self._retreat.waits_out

    def alarm(self) -> None:
        """Other emergencies are in force."""
        self._shelter.tell()
        self.wake()

    # --- incidents ---

    def why_not_help(self, priority: Priority) -> Refusal | None:
        """Why it can't be sent to an incident now, energy and ways aside; None = it can."""
        return self._calls.why_not(priority)

    def call_out(self, call: Call) -> None:
        """Go to an incident now; what it is at is broken off, in the air too."""
        self._calls.call_out(call)

    async def call_off(self) -> None:
        """Leave the incident that it is called to, or on its way to, and come home."""
        await self._calls.call_off()

    def on_help_ended(self, listener: Callable[[IncidentId, Refusal | None], None]) -> None:
        """Have ``listener`` told when a flight to an incident has ended, and why if not well."""
        self._calls.on_ended(listener)
