"""The second leg of a delivery follows the first one; what that one does is told by hand here."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from dispatcher.domain.stops import Handling, TaskStop
from dispatcher.domain.task import (
    Delivery,
    Goods,
    Leg,
    Priority,
    Task,
    TaskId,
    TaskState,
)
from dispatcher.planning.transfers import (
    EARLY_S,
    LOOK_S,
    PATIENCE_S,
    SAME_S,
    STANDS_S,
    Outlook,
    Transfers,
)
from dispatcher.records.alerts import Alerts
from dispatcher.records.book import TaskBook
from dispatcher.records.executors import InlineExecutor
from dispatcher.records.feed import Hub
from dispatcher.records.journal import Journal
from dispatcher.records.store import Store
from fleet.clock import Clock
from fleet.vehicle import Medium, VehicleId
from routing.refusal import Refusal
from routing.site import PlaceId
from tests.dispatcher.ward import START

C1, D1 = VehicleId("C1"), VehicleId("D1")
FIRST, SECOND = TaskId("T-000001"), TaskId("T-000002")
PAD, BESIDE = PlaceId("pad"), PlaceId("beside-pad")
TRAVEL_S = 60.0


def leg(number: int) -> Task:
    flown = number == 1
    return Task(
        id=FIRST if flown else SECOND,
        spec=Delivery(
            item="blood",
            goods=Goods.GENERAL,
            origin=PlaceId("depot") if flown else BESIDE,
            drop_offs=(PAD if flown else PlaceId("ward"),),
            mass_g=1000,
            by=Medium.AIR if flown else Medium.GROUND,
        ),
        priority=Priority.ROUTINE,
        state=TaskState.QUEUED,
        created_s=0.0,
        earliest_s=0.0,
        due_s=3600.0,
        leg=Leg(number=1 if flown else 2, other=SECOND if flown else FIRST, via=PAD),
    )


@dataclass
class Stage:
    """Two legs and what is told of the first."""

    book: TaskBook
    alerts: Alerts
    store: Store
    outlook: Outlook = field(default_factory=lambda: Outlook(None))
    abandoned: list[tuple[VehicleId, TaskId]] = field(
        default_factory=list[tuple[VehicleId, TaskId]]
    )
    pokes: int = 0
    rings: bool = False
    """Whether each new plan expects the landing at another time."""

    def __post_init__(self) -> None:
        self.transfers = self.made()

    def made(self) -> Transfers:
        return Transfers(
            self.book,
            self.store,
            Clock.starting(START),
            self.alerts,
            Handling(),
            outlook=lambda _: self.outlook,
            seconds_to=self._seconds_to,
            abandon=lambda vehicle, task: self.abandoned.append((vehicle, task)),
            poke=self._poke,
        )

    def _seconds_to(self, vehicle: VehicleId, stop: TaskStop) -> float:
        assert (vehicle, stop.place) == (C1, BESIDE)
        return TRAVEL_S

    def _poke(self) -> None:
        self.pokes += 1
        assert self.pokes < 100, "planned again and again at one moment"
        if self.rings and self.outlook.done_s is not None:
            self.outlook = Outlook(1400.0 - self.outlook.done_s)

    async def go(self, task: TaskId, *states: TaskState, **changes: object) -> Task:
        for state in states:
            await self.book.commit(tasks=[self.book.move(task, state)])
        new = self.book.move(task, **changes)  # pyright: ignore[reportArgumentType]
        await self.book.commit(tasks=[new])
        await asyncio.sleep(0.1)
        return new

    @property
    def first(self) -> Task:
        return self.book[FIRST]

    @property
    def second(self) -> Task:
        return self.book[SECOND]


@asynccontextmanager
async def stage() -> AsyncGenerator[Stage]:
    clock, hub = Clock.starting(START), Hub()
    store = await Store.open("sqlite://", clock, InlineExecutor())
    book = TaskBook(store, Journal(clock), clock, hub)
    here = Stage(book, Alerts(clock, lambda _: None), store)
    running = asyncio.create_task(here.transfers.run())
    await book.accept([leg(1), leg(2)])
    await asyncio.sleep(0.1)
    try:
        yield here
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.wait([running])
        await store.close()


async def test_the_second_leg_is_shifted_to_the_landing_but_not_for_every_second() -> None:
    async with stage() as here:
        here.outlook = Outlook(500.0)
        await asyncio.sleep(6)
        assert here.second.earliest_s == 500.0
        pokes = here.pokes
        for done_s in (505.0, 515.0, 529.0, 480.0):
            here.outlook = Outlook(done_s)
            await asyncio.sleep(6)
        assert here.second.earliest_s == 500.0
        assert here.pokes == pokes
        here.outlook = Outlook(531.0)
        await asyncio.sleep(6)
        assert here.second.earliest_s == 531.0
        assert here.pokes == pokes + 1


async def test_a_plan_that_rings_is_not_made_anew_without_end() -> None:
    async with stage() as here:
        here.rings, here.outlook = True, Outlook(500.0)
        await asyncio.sleep(5 * LOOK_S)
        assert 2 <= here.pokes <= 6


async def test_the_robot_sets_out_to_be_there_before_the_drone_lands() -> None:
    async with stage() as here:
        unload_s = Handling().unload_s
        assert here.transfers.lead_s(C1, here.second) == TRAVEL_S + unload_s + EARLY_S
        assert here.transfers.lead_s(C1, here.first) == 0.0
        assert here.transfers.awaited(here.second)
        assert not here.transfers.awaited(here.first)


async def test_it_says_why_it_waits_and_not_each_time_that_a_number_changes() -> None:
    async with stage() as here:
        for wind in (9.0, 9.5, 10.0):
            here.outlook = Outlook(None, Refusal("too_windy", {"wind_m_s": wind}))
            held = here.transfers.holds(here.second)
            facts = {"wind_m_s": 9.0, "task": FIRST, "why": "too_windy"}
            assert held == Refusal("other_leg_held", facts)
        await asyncio.sleep(SAME_S + 1)
        held = here.transfers.holds(here.second)
        assert held is not None
        assert held.facts["wind_m_s"] == 10.0
        here.outlook = Outlook(None)
        assert here.transfers.holds(here.second) == Refusal("waits_for_leg", {"task": FIRST})
        here.outlook = Outlook(900.0)
        assert here.transfers.holds(here.second) is None


async def test_what_people_have_said_of_the_weather_reaches_the_receiver() -> None:
    async with stage() as here:
        why = Refusal("weather_hold", {"emergency": "E-1", "why": "thunderstorm"})
        here.outlook = Outlook(None, why)
        held = here.transfers.holds(here.second)
        assert held is not None
        assert (held.facts["why"], held.facts["because"]) == ("weather_hold", "thunderstorm")


async def test_a_drone_as_the_second_leg_waits_until_the_goods_are_there() -> None:
    async with stage() as here:
        here.outlook = Outlook(100.0)
        flown = replace(here.second, spec=replace(here.first.spec, origin=PAD))
        assert here.transfers.holds(flown) == Refusal("waits_for_leg", {"task": FIRST})
        await here.go(FIRST, TaskState.ASSIGNED, TaskState.UNDERWAY, TaskState.DONE)
        assert here.transfers.holds(flown) is None


async def test_a_robot_waits_for_a_while_but_not_for_ever() -> None:
    async with stage() as here:
        await here.go(SECOND, TaskState.ASSIGNED, TaskState.UNDERWAY, vehicle=C1)
        why = Refusal("waits_for_pad", {"by": D1})
        here.outlook = Outlook(None, why)
        await asyncio.sleep(PATIENCE_S - 10)
        assert here.transfers.why_leave(here.second) is None
        assert here.second.reason is not None, "the receiver is told"
        await asyncio.sleep(30)
        leaves = here.transfers.why_leave(here.second)
        assert leaves is not None
        assert leaves.code == "other_leg_held"
        here.outlook = Outlook(here.book.now_s() + 60)
        assert here.transfers.why_leave(here.second) is None
        await asyncio.sleep(6)
        assert here.second.reason is None
        here.outlook = Outlook(here.book.now_s() + STANDS_S + 60)
        assert here.transfers.why_leave(here.second) == Refusal("waits_for_leg", {"task": FIRST})


@pytest.mark.parametrize("state", [TaskState.FAILED, TaskState.CANCELLED])
async def test_one_that_nobody_has_begun_ends_as_the_first_one_did(state: TaskState) -> None:
    async with stage() as here:
        why = Refusal("unreachable", {"value": "pad"})
        await here.book.commit(tasks=[here.book.move(FIRST, state, reason=why)])
        await asyncio.sleep(0.1)
        assert here.second.state is state
        assert here.second.reason is not None
        assert here.second.reason.code == f"leg_{state.value}"
        kinds = [event.kind for event in await here.store.timeline(SECOND)]
        assert kinds == ["task_accepted", f"task_{state.value}"]


async def test_one_under_way_is_broken_off() -> None:
    async with stage() as here:
        await here.go(SECOND, TaskState.ASSIGNED, TaskState.UNDERWAY, vehicle=C1)
        await here.book.commit(tasks=[here.book.move(FIRST, TaskState.FAILED)])
        await asyncio.sleep(0.1)
        assert here.second.state is TaskState.CANCELLING
        assert here.second.reason == Refusal("leg_failed", {"task": FIRST})
        assert here.abandoned == [(C1, SECOND)]


async def test_after_a_restart_the_end_of_the_first_leg_is_still_known() -> None:
    async with stage() as here:
        await here.go(FIRST, TaskState.ASSIGNED, TaskState.UNDERWAY, TaskState.DONE)
        here.book = TaskBook(here.store, here.book.journal, Clock.starting(START), Hub())
        await here.book.load()
        assert here.book.find(FIRST) is None
        anew = here.made()
        assert anew.holds(here.second) is None, "unknown: nothing to wait for"
        await anew.restore()
        assert not anew.awaited(here.second)
        await here.store.commit(tasks=[replace(leg(1), state=TaskState.FAILED)])
        again = here.made()
        await again.restore()
        held = again.holds(here.second)
        assert held is not None
        assert held.code == "leg_failed"
