"""One vehicle's day: work, decontaminate, recharge, park; one thing after the other."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from dispatcher.alerts import Alerts, Severity
from dispatcher.book import TaskBook
from dispatcher.charge_wish import ChargeWish
from dispatcher.chargers import Need
from dispatcher.charging import ChargePolicy, PlannedCharge
from dispatcher.duties import Duties
from dispatcher.emergencies import held_by
from dispatcher.execution import REFUGE, Missions, Mover
from dispatcher.free import Free
from dispatcher.hand import Hand, Trip
from dispatcher.help_flights import HELP, HOMEWARD, Call, HelpFlights, incident_of
from dispatcher.incidents import IncidentId
from dispatcher.mission_record import MissionRecord
from dispatcher.planner import Planner
from dispatcher.shelter import Shelter
from dispatcher.shift_work import Flyer, ShiftWork
from dispatcher.shifts import SHIFT, Shift
from dispatcher.steps import Steps
from dispatcher.stops import Handling, TaskStop, bring_back, on_board, stops_of
from dispatcher.task import Kind, Priority, Task, TaskId, TaskState
from dispatcher.urgency import RANKS
from dispatcher.views import Activity
from dispatcher.waiting import WaitingPlaces
from fleet.errors import LinkError, MissionCancelled, MissionFailed, SafetyStop
from fleet.mission import Clearance, Mission
from fleet.vehicle import Vehicle, VehicleSpec, VehicleState
from routing.errors import Unreachable
from routing.refusal import Refusal
from routing.site import NodeId

log = logging.getLogger(__name__)

TRIES = 3
"""How often a stop is tried again, once its goods are on board, before a person must look."""
PAUSE_S = 20.0
"""Before it is tried again."""
AT_ONCE_S = 120.0
"""A vehicle that restarts so soon after it was told may do so because of what it was told."""
PARK = "park"
"""The purpose of a drive to where a vehicle waits for work."""
UNPOWERED_S = 60.0
"""Whoever should charge and says for so long that it does not is connected once more."""
FAILS_IN_A_ROW = 4
"""Who hands back so many tasks one after the other is set aside: another may fare better."""
ASK_S = 30.0
"""How often it is asked whether a charge was long enough, once it has lasted as planned."""


class Worker:
    """Takes visits from the plan and carries them out with one vehicle."""

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
        charging: ChargePolicy,
        shelter: Shelter,
        duties: Duties,
        flyer: Flyer | None = None,
        waiting: WaitingPlaces | None = None,
        helper: HelpFlights | None = None,
    ) -> None:
        self._vehicle = vehicle
        self._mover = mover
        self._missions = missions
        self._book = book
        self._planner = planner
        self._alerts = alerts
        self._handling = handling
        self._wish = ChargeWish(vehicle, mover, book, planner, charging, handling, self._may_work)
        self._shelter = shelter
        self._waiting = waiting
        self.helper = helper
        """Its flights to incidents; None = it has none."""
        self.commanded_by: str | None = None
        """Who has it do something directly: it does nothing of its own until let go."""
        self._called = asyncio.Event()
        self._ended: list[Callable[[IncidentId, Refusal | None], None]] = []
        self._wake = asyncio.Event()
        self.id = vehicle.spec.id
        self.hand = Hand()
        self._shifts = ShiftWork(self.id, mover, flyer, duties, self.hand, book)
        self._steps = Steps(self.id, self.hand, book, planner, alerts, handling)
        self.in_service = True
        self.stood_down = False
        """A safety stop has ended what it did: it moves no more until a person lets it go on."""
        self._aside: str | None = None
        """Why it has just been set aside, until that is written down."""
        self._handed_back = 0
        """Tasks in a row."""
        self._unfinished: MissionRecord | None = None
        """What a former process sent and saw no end of."""
        self._unsure = True
        """It may hold an order that nobody follows: of a former process, or stopped for safety."""
        self._unwanted: TaskId | None = None
        """What it is to stop driving for."""
        self._gives_way_to: TaskId | None = None
        """For which task it is to give back the one that it drives for."""
        self._abandoned = asyncio.Event()
        self._fleeing = False
        vehicle.watch(self._wake.set)
        vehicle.watch(shelter.look)
        missions.on_begin(shelter.look)
        missions.on_begin(self._look_for_calls)

    def wake(self) -> None:
        """Something may have changed for this vehicle."""
        self._wake.set()

    def _may_work(self) -> bool:
        held = self._shelter.covers() is not None or bool(self._held_aboard())
        may = self.in_service and self.commanded_by is None
        return may and not held and not self._shifts.engaged

    def _held_aboard(self) -> dict[TaskId, Refusal]:
        """The tasks on board that an emergency holds: with those it takes on nothing else."""
        found: dict[TaskId, Refusal] = {}
        for id_ in self.hand.aboard if self._shelter.any else ():
            task = self._book[id_]
            stops = stops_of(task, self._handling)[task.stops_done :]
            reasons = (self._shelter.reason(stop) for stop in stops)
            if reason := next(filter(None, reasons), None):
                found[id_] = reason
        return found

    def alarm(self) -> None:
        """Other emergencies are in force."""
        self._shelter.tell()
        self.wake()

    @property
    def waits_out(self) -> Refusal | None:
        """The emergency that keeps it where it is."""
        emergency = self._shelter.covers()
        return None if emergency is None else held_by(emergency)

    @property
    def available(self) -> bool:
        """Whether it may be given new work."""
        return self._wish.lets_work

    @property
    def plannable(self) -> bool:
        """Whether the plan must know of it: it may get work, or has some on board."""
        return self.available or bool(self.hand.aboard) or self.hand.task is not None

    @property
    def spec(self) -> VehicleSpec:
        """What its vehicle is."""
        return self._vehicle.spec

    def state(self) -> VehicleState:
        """Its vehicle's latest word."""
        return self._vehicle.state()

    @property
    def stands_at(self) -> NodeId:
        """The node where it stands, or from which it is on its way."""
        return self._mover.stand

    @property
    def may_stand_watch(self) -> bool:
        """Whether it could begin a shift now: it is fit, and has nothing else in hand."""
        free = self._unfinished is None and not self._unsure and not self.stood_down
        busy = self.hand.task is not None or bool(self.hand.aboard) or self._shifts.engaged
        kept = self._shelter.covers() is not None
        return free and not busy and not kept and self.in_service and self._vehicle.state().fit

    @property
    def current(self) -> tuple[Mission, Clearance] | None:
        """The mission it is at, and how far it may go."""
        return self._missions.current

    def stand(self, home: NodeId) -> NodeId:
        """Where it stands at the start of the program; at home, if it doesn't say."""
        return self._mover.take_up_stand(home)

    def free(self, now_s: float) -> Free:
        """Where and when it will be free for other work."""
        hand = self.hand
        spec = self._vehicle.spec
        ratio = self._vehicle.state().charge_ratio
        current = None
        spot = self._mover.stand
        if hand.task is not None and hand.stop is not None:
            current = hand.task, hand.stop_index
            spot = self._mover.free_at(hand.stop)
        return Free(
            spec=spec,
            spot=spot,
            ready_s=max(now_s, hand.ready_s),
            charge_ratio=1.0 if ratio is None else ratio,
            takes_new=self.available,
            current=current,
            turns_at=self._turns_at(),
        )

    def _turns_at(self) -> NodeId | None:
        """Where it could still turn round: it drives to a first stop, empty."""
        hand = self.hand
        if hand.stop is None or hand.stop_index != 0 or hand.aboard or not self.available:
            return None
        return self._mover.turns_at(hand.stop)

    async def run(self, unfinished: MissionRecord | None) -> None:
        """Work until cancelled.

        Args:
            unfinished: the mission that a former process sent and saw no end of.
        """
        for task in self._book.open():
            if task.vehicle == self.id and task.state.begun and on_board(task):
                self.hand.aboard[task.id] = None
        self._unfinished = unfinished
        if unfinished is not None:
            self._mover.keep_charger(unfinished)
            if self._waiting is not None and unfinished.purpose == PARK:
                self._waiting.keep(self.id, unfinished.mission.route[-1].node)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._work(), name=f"worker[{self.id}].work")
            group.create_task(self._stop_for_cancels(), name=f"worker[{self.id}].stop")
            group.create_task(self._stop_for_emergencies(), name=f"worker[{self.id}].alarm")
            if self.helper is not None:
                group.create_task(self._turn_for_calls(), name=f"worker[{self.id}].calls")

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            if self._aside is not None:
                why, self._aside = self._aside, None
                await self._book.note("set_aside", vehicle=self.id, reason=Refusal(why))
            if self.stood_down or not self._vehicle.state().fit:
                await self._wake.wait()
                continue
            try:
                if not await self._one_thing():
                    self.hand.activity = Activity.IDLE
                    await self._wake.wait()
            except SafetyStop as stop:
                await self._stand_down(stop.reason)
            except (MissionFailed, Unreachable, LinkError) as error:
                log.warning("%s", error, extra={"vehicle": self.id})
                await self._pause()

    async def _pause(self) -> None:
        """Before something is tried again; whoever is called to an incident does not wait."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PAUSE_S):
                while not self._is_called:
                    self._wake.clear()
                    await self._wake.wait()

    def abandon(self, task: TaskId) -> None:
        """Stop driving for a task soon, if that is what it does: a person has cancelled it."""
        self._unwanted = task
        self._abandoned.set()
        self.wake()

    def think_again(self) -> None:
        """Break off the drive: there is no way on, so it may be another's task, or have to wait."""
        if self.hand.task is not None:
            self.abandon(self.hand.task)

    def turn_round(self, task: TaskId) -> None:
        """Give back what it drives for, if it still can, for a task that can't wait."""
        if self._turns_at() is not None:
            self._gives_way_to, self._unwanted = task, self.hand.task
            self._abandoned.set()

    def stand_down(self) -> None:
        """Don't move, whatever is on board, before `let_go`."""
        self.in_service, self.stood_down = False, True

    def set_aside(self, why: str) -> None:
        """Give it no new work before a person lets it; what it has on board it brings on."""
        self._alerts.open("set_aside", Severity.HIGH, vehicle=self.id, why=why)
        if self.in_service:
            self.in_service = False
            self._aside = why
            self._planner.poke()
        self.wake()

    def let_go(self) -> None:
        """A person has seen to it: it may work again."""
        self.in_service, self.stood_down = True, False
        self._handed_back = 0
        self._alerts.clear("set_aside", vehicle=self.id)

    async def _stop_for_cancels(self) -> None:
        while True:
            await self._abandoned.wait()
            self._abandoned.clear()
            if self._gives_way_to is not None and self._turns_at() is None:
                self._gives_way_to = None  # it has arrived
            elif self._fleeing:
                continue  # it is asked again once it is out of people's way
            elif self.hand.task is not None and self.hand.task == self._unwanted:
                await self._stop()

    async def _stop_for_emergencies(self) -> None:
        stopped: Mission | None = None
        while True:
            await self._shelter.awaited.wait()
            self._shelter.awaited.clear()
            mission = None if self.current is None else self.current[0]
            if mission is not None and mission is stopped:
                continue
            if not self._fleeing and self._shelter.calls_off(self.current, self._mover):
                stopped = mission
                await self._stop(urgent=True)

    async def _stop(self, *, urgent: bool = False) -> None:
        try:
            await self._mover.stop(urgent=urgent)
        except SafetyStop as stop:
            await self._stand_down(stop.reason)

    async def _one_thing(self) -> bool:
        """Do the next thing there is to do; False = nothing."""
        if self._unfinished is not None:
            record, self._unfinished = self._unfinished, None
            self._unsure = False
            await self._recover(record)
        if self._unsure:
            await self._drop_what_it_holds()
        for task, reason in self._held_aboard().items():
            await self._shelter.hold(task, reason)
        cancelled = self._cancelled_aboard()
        if self._shelter.covers() is not None:
            await self._sit_out()
        elif self.commanded_by is not None:
            return False
        elif self.helper is not None and self._is_called:
            await self._answer_call(self.helper)
        elif self.helper is not None and self.helper.adrift:
            self.hand.activity = Activity.RETURNING
            await self.helper.come_home(Trip(purpose=HOMEWARD, rank=(-1, self._book.now_s())))
        elif cancelled is not None:
            await self._bring_back(cancelled)
        elif (shift := self._shifts.due()) is not None:
            await self._stand_watch(shift)
        elif self._charge_by_plan() is not None:
            await self._charge_as_planned()
        elif self._planner.next(self.id) is not None and self._may_begin():
            await self._visit()
        elif self._wish.must():
            await self._charge()
        elif self._wish.unplugs():
            await self._mover.unplug(self._rest_trip("unplug"))
        elif self._waits_at() != self._mover.stand:
            await self._unless_work(self._go_to_wait(self._waits_at()))
        else:
            return False
        return True

    # --- work ---

    def _may_begin(self) -> bool:
        """Whether there is energy for the next task; what is on board is always brought on."""
        visit = self._planner.next(self.id)
        if visit is None:
            return False
        task = self._book[TaskId(visit.request)]
        if on_board(task):
            return True
        if self._held_aboard():
            return False
        if self.hand.aboard:
            return True
        if not self.in_service:
            return False
        if self._planner.must_wait(task, lambda: self.free(self._book.now_s())):
            return False
        return self._wish.may_begin(visit)

    async def _visit(self) -> None:
        self._leave_post()
        visit = self._planner.begin(self.id)
        if visit is None:
            return
        task = self._book[TaskId(visit.request)]
        stop = stops_of(task, self._handling)[visit.stop]
        self.hand.activity = Activity.WORKING
        self.hand.task, self.hand.stop, self.hand.stop_index = task.id, stop, visit.stop
        self.hand.ready_s = self._expected_s(stop)
        try:
            await self._steps.begin(task, visit.stop)
            await self._make_stop(task.id, stop, visit.stop)
        finally:
            self.hand.task = self.hand.stop = None
            self.hand.stop_index = -1
            self._gives_way_to = None
            self._planner.poke()

    async def _stand_watch(self, shift: Shift) -> None:
        self._leave_post()
        self.hand.activity = Activity.WORKING
        try:
            await self._shifts.stand(shift)
        finally:
            self._planner.poke()

    def _expected_s(self, stop: TaskStop) -> float:
        try:
            return self._book.now_s() + self._mover.seconds_to(stop) + stop.service_s
        except Unreachable:
            return self._book.now_s()

    async def _make_stop(self, id_: TaskId, stop: TaskStop, index: int) -> None:
        """Go there and do it; try again, or give up, as far as is right."""
        tries = 0
        while True:
            task = self._book[id_]
            if task.state is TaskState.CANCELLING:
                if not on_board(task):
                    await self._steps.end_cancelled(task)
                    if self._carries_of(stop):
                        self._strand(id_, "mission_cancelled")
                        raise SafetyStop(Refusal("goods_stranded", {"task": id_}))
                return  # what is on board is brought back next
            if self._drops_all and not (on_board(task) or self._carries_of(stop)):
                await self._steps.hand_back(task, self._why_dropped())
                return
            held = self._shelter.reason(stop)
            if held is not None:
                await self._shelter.hold(id_, held)
            if self._shelter.covers() is not None:
                await self._sit_out()
                continue
            since_s = self._book.now_s()
            try:
                await self._mover.go(stop, self._trip(task, index))
            except MissionCancelled:
                by, self._gives_way_to = self._gives_way_to, None
                if self._book[id_].state is TaskState.CANCELLING:
                    continue
                if self._drops_all and not on_board(task):
                    await self._steps.hand_back(task, self._why_dropped())
                    return
                if by is None:
                    continue
                await self._steps.give_way(task, by)
                return
            except (MissionFailed, Unreachable) as error:
                if self._book[id_].state is TaskState.CANCELLING:
                    continue
                kept = self._shelter.reason(stop) if isinstance(error, Unreachable) else None
                reason = kept or _reason(error)
                lasted_s = self._book.now_s() - since_s
                tries += reason.code != "vehicle_restarted" or lasted_s < AT_ONCE_S
                if not (self.hand.aboard or on_board(task) or self._carries_of(stop)):
                    await self._steps.hand_back(task, reason)
                    self._count_handed_back(error)
                    await self._pause()
                    return
                self._strand(id_, reason.code)
                if tries >= TRIES:
                    await self._steps.fail(task, reason)
                    return
                await asyncio.sleep(PAUSE_S)
            else:
                self._handed_back = 0
                await self._steps.stop_done(id_, stop, index)
                return

    def _count_handed_back(self, error: MissionFailed | Unreachable) -> None:
        """Set it aside if it fails one task after the other, and the roads are not to blame."""
        if isinstance(error, MissionFailed):
            self._handed_back += 1
            if self._handed_back >= FAILS_IN_A_ROW:
                self._handed_back = 0
                self.set_aside("keeps_failing")

    def _strand(self, task: TaskId, why: str) -> None:
        self._alerts.open("goods_stranded", Severity.HIGH, vehicle=self.id, task=task, why=why)

    def _carries_of(self, stop: TaskStop) -> bool:
        """Whether it has taken part of what it is to take at a stop."""
        loads = {str(work.facts["load_id"]) for work in stop.work if "load_id" in work.facts}
        return not loads.isdisjoint(self._vehicle.state().loads)

    def _trip(self, task: Task, index: int) -> Trip:
        return Trip(
            purpose="stop",
            rank=(RANKS[task.priority], self._book.now_s()),
            task=task.id,
            stop_index=index,
        )

    # --- incidents ---

    def call_out(self, call: Call) -> None:
        """Go to an incident now; what it is at is broken off, in the air too."""
        assert self.helper is not None, "only who can fly is called"
        self.helper.call = call
        self._called.set()
        self.wake()

    def _look_for_calls(self) -> None:
        """A mission begins: a call that came while it was written down still holds."""
        if self._is_called:
            self._called.set()

    async def call_off(self) -> None:
        """Leave the incident that it is called to, or on its way to, and come home."""
        if self.helper is None:
            return
        self.helper.call = None
        current = self.current
        if current is not None and incident_of(current[0]) is not None:
            if self._vehicle.state().airborne:
                await self.helper.turn_home()
            else:
                await self._stop()

    def on_help_ended(self, listener: Callable[[IncidentId, Refusal | None], None]) -> None:
        """Have ``listener`` told when a flight to an incident has ended, and why if not well."""
        self._ended.append(listener)

    def on_begin(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called when a mission is about to be followed."""
        self._missions.on_begin(listener)

    def why_not_help(self, priority: Priority) -> Refusal | None:
        """Why it can't be sent to an incident now, energy and ways aside; None = it can."""
        state = self._vehicle.state()
        if self.helper is None or "camera" not in self._vehicle.spec.skills:
            return Refusal("lacks_skill", {"skill": "camera"})
        if self.commanded_by is not None:
            return Refusal("commanded", {"by": self.commanded_by})
        if self.stood_down:
            return Refusal("safety_stop")
        if not self.in_service:
            return Refusal("out_of_service")
        if (emergency := self._shelter.covers()) is not None:
            return held_by(emergency)
        if not state.online:
            return Refusal("offline")
        if not state.fit:
            return Refusal("not_fit")
        if self.hand.aboard or state.loads:
            return Refusal("carries_goods")
        task = self._book.find(self.hand.task)
        if task is None or task.kind is Kind.PATROL:
            return None
        if RANKS[task.priority] <= RANKS[priority] or not state.airborne:
            return Refusal("does_task", {"task": task.id})
        return None

    @property
    def _is_called(self) -> bool:
        return self.helper is not None and self.helper.call is not None

    @property
    def _drops_all(self) -> bool:
        return self._is_called or self.commanded_by is not None

    def _why_dropped(self) -> Refusal:
        if self.helper is not None and self.helper.call is not None:
            return Refusal("gave_way", {"by": self.helper.call.incident})
        return Refusal("commanded", {"by": self.commanded_by or ""})

    async def _turn_for_calls(self) -> None:
        while True:
            await self._called.wait()
            self._called.clear()
            if self.helper is None or self.helper.call is None:
                continue
            try:
                await self._turn(self.helper, self.helper.call)
            except LinkError as error:
                log.warning("does not turn: %s", error, extra={"vehicle": self.id})
            except SafetyStop as stop:
                await self._stand_down(stop.reason)

    async def _turn(self, helper: HelpFlights, call: Call) -> None:
        if self.current is None:
            helper.withdraw()  # it may wait for its turn to take off
        elif not self._vehicle.state().airborne:
            await self._mover.stop()
        elif not await helper.turn():
            helper.call = None
            self._tell_ended(call.incident, Refusal("waits_for_airspace"))

    async def _answer_call(self, helper: HelpFlights) -> None:
        call, helper.call = helper.call, None
        if call is None:
            return
        self._leave_post()
        self.hand.activity = Activity.WORKING
        reason: Refusal | None = Refusal("mission_cancelled")
        try:
            await helper.answer(call, Trip(purpose=HELP, rank=(-1, self._book.now_s())))
            reason = None
        except MissionCancelled:
            return
        except (MissionFailed, Unreachable) as error:
            reason = _reason(error)
            raise
        except SafetyStop as stop:
            reason = stop.reason
            raise
        finally:
            self._tell_ended(call.incident, reason)

    def _tell_ended(self, incident: IncidentId, reason: Refusal | None) -> None:
        for listener in self._ended:
            listener(incident, reason)

    # --- cancelled under way ---

    def _cancelled_aboard(self) -> Task | None:
        for id_ in self.hand.aboard:
            if self._book[id_].state is TaskState.CANCELLING:
                return self._book[id_]
        return None

    async def _bring_back(self, task: Task) -> None:
        stop = bring_back(task, self._handling)
        self.hand.activity = Activity.RETURNING
        try:
            await self._mover.go(stop, self._trip(task, -1))
        except MissionCancelled:
            return
        self.hand.aboard.pop(task.id, None)
        await self._steps.end_cancelled(task)

    # --- energy, home ---

    def _charge_by_plan(self) -> PlannedCharge | None:
        return None if self.hand.aboard else self._wish.by_plan()

    def charge_need(self) -> Need | None:
        """How much it wants to charge now; None = it doesn't, or has something else to do first."""
        if self.stood_down or self.hand.aboard or self.hand.task or self._shifts.engaged:
            return None
        return self._wish.need()

    async def _charge_as_planned(self) -> None:
        """Charge until the plan needs no more of it; then the next one may have the charger."""
        planned = self._charge_by_plan()
        if planned is None:
            return
        self._leave_post()
        self.hand.activity = Activity.CHARGING
        drive = self._mover.charge(self._rest_trip("charge"), planned.charger)
        if not await self._unless(lambda: self._charge_by_plan() is None, drive):
            return
        asks_s = self._book.now_s() + planned.seconds

        def goes_on() -> bool:
            nonlocal asks_s
            if self._book.now_s() >= asks_s:
                self._planner.poke()
                asks_s = self._book.now_s() + ASK_S
            return self._wish.goes_on_by_plan()

        await self._stay_while(goes_on)

    async def _stay_while(self, goes_on: Callable[[], bool]) -> None:
        """Stay at the charger for as long as that is wanted, and it gives something."""
        fullest, charged_s = 0.0, self._book.now_s()
        while goes_on() and not (self._shifts.engaged or self._drops_all):
            state, now_s = self._vehicle.state(), self._book.now_s()
            ratio = state.charge_ratio or 0.0
            if state.charging or ratio > fullest or not state.fit or not self._mover.plugged:
                fullest, charged_s = ratio, now_s
            elif now_s >= charged_s + UNPOWERED_S:
                log.warning("does not charge, though connected", extra={"vehicle": self.id})
                return
            self._wake.clear()
            await self._wake.wait()

    async def _charge(self) -> None:
        """Charge: far enough to work again if it must, until there is work if it need not."""
        self._leave_post()
        self.hand.activity = Activity.CHARGING
        if not await self._unless_work(self._mover.charge(self._rest_trip("charge"))):
            return
        await self._stay_while(self._wish.goes_on)
        self._wish.charged()

    def _waits_at(self) -> NodeId:
        """Where it waits for work: at home, or where work is expected."""
        if self._waiting is None or not self.available:
            return self._mover.home
        return self._waiting.post(self._vehicle.spec, self._book.now_s())

    def _leave_post(self) -> None:
        if self._waiting is not None:
            self._waiting.leave(self.id)

    async def _go_to_wait(self, node: NodeId) -> None:
        self.hand.activity = Activity.RETURNING
        if node == self._mover.home:
            await self._mover.go_home(self._rest_trip(PARK))
            return
        await self._mover.wait_at(node, self._rest_trip(PARK))
        if self._waiting is not None and self._mover.stand != node:
            self._waiting.give_up(self.id, self._book.now_s())

    def _rest_trip(self, purpose: str) -> Trip:
        return Trip(purpose=purpose, rank=(len(RANKS), self._book.now_s()))

    async def _unless_work(self, errand: Coroutine[Any, Any, None]) -> bool:
        """Do something that work may interrupt; False = work came first."""
        return await self._unless(
            lambda: (
                self._shifts.engaged or (self._planner.next(self.id) is not None and self.available)
            ),
            errand,
        )

    async def _unless(
        self, unwanted: Callable[[], bool], errand: Coroutine[Any, Any, None]
    ) -> bool:
        """Do something until it is done or not wanted any more; False = broken off."""
        doing = asyncio.create_task(errand, name=f"worker[{self.id}].rest")
        doing.add_done_callback(lambda _: self._wake.set())
        try:
            while not doing.done():
                if unwanted() and self._mover.interruptible:
                    await self._mover.stop()
                    await asyncio.wait([doing])
                    break
                self._wake.clear()
                await self._wake.wait()
        finally:
            if not doing.done():
                doing.cancel()
                await asyncio.wait([doing])
        try:
            await doing
        except MissionCancelled:
            return False
        return True

    # --- emergencies ---

    async def _sit_out(self) -> None:
        """Keep out of people's way for as long as an emergency covers where it is."""
        while True:
            self._shelter.hear()
            if self._shelter.covers() is None:
                break
            refuges = self._shelter.refuges()
            settled = refuges is None or await self._flee(refuges)
            if settled:
                self._shelter.found_one()
            else:
                self._shelter.found_none()
            await self._shelter.until_news(settled=settled)
        self._shelter.found_one()

    async def _flee(self, refuges: Sequence[NodeId]) -> bool:
        """Get to a refuge; False = it could not, or not yet."""
        if not self._vehicle.state().fit:
            return False
        self.hand.activity, self._fleeing = Activity.RETURNING, True
        trip = Trip(purpose=REFUGE, rank=(-1, self._book.now_s()))
        try:
            return await self._mover.take_refuge(refuges, trip)
        except (MissionFailed, Unreachable, LinkError) as error:
            log.warning("found no refuge: %s", error, extra={"vehicle": self.id})
            return False
        finally:
            self._fleeing = False

    # --- trouble ---

    async def _stand_down(self, reason: Refusal) -> None:
        """A person must look before it moves again."""
        self.stand_down()
        self._unsure = True
        self._alerts.open("safety_stop", Severity.CRITICAL, vehicle=self.id, why=reason.code)
        await self._book.note("safety_stop", vehicle=self.id, reason=reason)
        self._planner.poke()

    async def _drop_what_it_holds(self) -> None:
        if self._vehicle.state().mission is not None:
            await self._mover.drop_order(self._rest_trip("drop"))
        self._unsure = False

    async def _recover(self, record: MissionRecord) -> None:
        """Go on where a former process was killed: the vehicle may be anywhere along a mission."""
        if record.purpose == SHIFT:
            self.hand.activity = Activity.WORKING
            await self._shifts.resume(record)
            return
        task = self._book.find(record.task) if record.task else None
        errand = Trip(
            purpose=record.purpose,
            rank=(0, self._book.now_s()),
            task=record.task,
            stop_index=record.stop_index,
        )
        index = record.stop_index if task is not None and task.state.begun else -1
        self.hand.activity = Activity.WORKING if index >= 0 else Activity.RETURNING
        stop = None
        if task is not None and index >= 0:
            stop = stops_of(task, self._handling)[index]
            self.hand.task, self.hand.stop, self.hand.stop_index = task.id, stop, index
            if task.state is TaskState.CANCELLING:
                self.abandon(task.id)
        try:
            await self._mover.resume(record, errand)
            if task is not None and stop is not None and self._makes(record, stop):
                await self._steps.stop_done(task.id, stop, index)
            elif stop is not None:
                await self._plan_again()
        except (MissionFailed, Unreachable) as error:
            log.warning("could not go on with %s: %s", record.id, error, extra={"vehicle": self.id})
            await self._missions.give_up(record, _reason(error))
            by, self._gives_way_to = self._gives_way_to, None
            if by and task is not None and self._book[task.id].state is TaskState.UNDERWAY:
                await self._steps.give_way(task, by)
            elif stop is not None:
                await self._plan_again()
        finally:
            self.hand.task = self.hand.stop = None
            self.hand.stop_index = -1
            self._planner.poke()
            if helped := incident_of(record.mission):
                self._tell_ended(helped[0], None)

    async def _plan_again(self) -> None:
        """The stop at hand was not made: what was planned to come after it must not come first."""
        id_ = self.hand.task
        self.hand.task = self.hand.stop = None
        self.hand.stop_index = -1
        if id_ is not None:
            await self._planner.anew(id_)

    def _makes(self, record: MissionRecord, stop: TaskStop) -> bool:
        """Whether a mission was the one that makes a stop, not one on the way to it."""
        route, wanted = record.mission.route, [work.kind for work in stop.work]
        done = [action.kind for action in record.mission.actions]
        there = route[-1].node == self._mover.free_at(stop)
        return there and done == wanted and (not stop.round_trip or route[0].node == route[-1].node)


def _reason(error: MissionFailed | Unreachable) -> Refusal:
    if isinstance(error, MissionFailed):
        return error.reason
    return Refusal("unreachable", {"from": error.start, "to": error.goal})
