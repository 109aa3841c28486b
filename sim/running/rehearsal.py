"""A scenario that plain code moves on: time passes only while a call asks for it.

It is the simulation of `wardline run`, in a loop that stands still between two calls. The pytest
plug-in hands it to tests; it needs no pytest itself.
"""

import asyncio
import inspect
import sys
from collections.abc import Callable, Collection, Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

from dispatcher.desks.intake import parse
from dispatcher.domain.views import VehicleView
from dispatcher.errors import ConfigFault, DispatchError, NotFound, Refused
from dispatcher.records.alerts import Alert
from dispatcher.records.executors import warm_up
from fleet.vehicle import VehicleId
from sim.loops import SteppedLoop
from sim.moments import LONGEST_S, seconds
from sim.options import WrongUse
from sim.running.asked import AskedTask
from sim.running.injection import read_injection
from sim.running.scenario import Simulation
from sim.running.situation import situation, violations
from sim.scenario.config import PlannedClosure, PlannedEmergency, PlannedIncident, Scenario
from sim.world.world import KINDS

T = TypeVar("T")
Lasting = str | float | timedelta
"""A duration: ``"30min"``, seconds, or a timedelta."""


class NotSo(AssertionError):
    """What was waited for has not come about, or can't any more; the text says how all stands."""


class RuleBroken(AssertionError):
    """A monitor saw what must never happen: a collision, a wrong zone, a lost load ..."""


class Rehearsal:
    """One run of a scenario; `with` begins it and ends it.

    All times are virtual seconds after the scenario's start.

    Args:
        allow: kinds of violation that are no failure, of `sim.world.world.KINDS`.
        tell: gets a word to the user when the planner must be compiled first; default stderr.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        seed: int = 0,
        allow: Collection[str] = (),
        tell: Callable[[str], None] | None = None,
    ) -> None:
        unknown = [kind for kind in allow if kind not in KINDS]
        if isinstance(allow, str) or unknown:
            raise WrongUse(f"allow={allow!r}: write a list with some of {', '.join(KINDS)}")
        self.scenario = scenario
        self.seed = seed
        self.simulation: Simulation
        """All its parts, to look at; what needs the loop goes through `run`."""
        self._allow = tuple(allow)
        self._tell = tell or partial(print, file=sys.stderr)
        self._loop = SteppedLoop()
        self._living: asyncio.Task[None]
        self._ends: asyncio.Event
        self._asked: list[AskedTask] = []
        self._told = 0
        """How many violations the user has been told of."""
        self._begun = self._over = self._crashed = False

    # --- life ---

    def __enter__(self) -> "Rehearsal":
        __tracebackhide__ = True
        if self._begun:
            raise WrongUse("this scenario has had its block: make another for another run")
        warm_up(self._tell)
        self._begun = True
        try:
            self._do(self._begin())
            self._look()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        __tracebackhide__ = True
        try:
            if error is None:
                self._do(_called(self.simulation.judge))
                self._look()
        finally:
            try:
                self._do(self._end())
            except Exception as late:  # what the block raised is not hidden by it
                if error is None:
                    raise
                error.add_note(f"the scenario could not be ended: {late!r}")
            finally:
                self._close()

    async def _begin(self) -> None:
        self.simulation = Simulation(self.scenario, seed=self.seed)
        self._ends = asyncio.Event()
        ready = asyncio.Event()
        self._living = asyncio.create_task(self._live(ready), name="rehearsal")
        self._living.add_done_callback(lambda _: ready.set())
        await ready.wait()

    async def _live(self, ready: asyncio.Event) -> None:
        await self.simulation.open()
        try:
            async with self.simulation.living():
                ready.set()
                await self._ends.wait()
        finally:
            await self.simulation.close()

    async def _end(self) -> None:
        self._ends.set()
        await asyncio.wait([self._living])
        self._raise_crash()

    def _close(self) -> None:
        self._over = True
        self._loop.close()

    # --- people ---

    def submit(self, kind: str, **request: Any) -> AskedTask:
        """Ask for a task, in the words of the API; ``source`` may be said for ``from``.

        Raises:
            Refused: with every reason, as the API tells them.
        """
        __tracebackhide__ = True
        words = {"from" if key == "source" else key: value for key, value in request.items()}
        asked = parse({"kind": kind, **words})
        if isinstance(asked, list):
            raise Refused(asked)
        task = self._do(self._running.service.task_desk.submit(asked))
        self._look()
        self._asked.append(AskedTask(task.id, self._running, self._do))
        return self._asked[-1]

    def inject(self, **fault: Any) -> None:
        """Break something now, close lanes, or raise an alarm, in the words of a scenario.

        ``inject(lift="lift-1", fault="stop", lasts="20min")``, ``inject(close_lane="a~b")``,
        ``inject(emergency="code_blue", level="L2", lasts="10min")``,
        ``inject(incident={"place": "gate"})``;
        without ``lasts`` it stays so.

        Raises:
            ConfigFault: a scenario file that says this would be refused, for the same reason.
        """
        __tracebackhide__ = True
        try:
            planned = read_injection(fault, self.scenario, self.seed)
        except ConfigFault as wrong:
            raise wrong.with_traceback(None) from None
        if isinstance(planned, PlannedClosure):
            self._do(self._running.close_lanes(planned))
        elif isinstance(planned, PlannedEmergency):
            self._do(self._running.raise_emergency(planned))
        elif isinstance(planned, PlannedIncident):
            self._do(self._running.report_incident(planned))
        else:
            self._do(_called(partial(self._running.inject, planned)))
        self._look()

    # --- time ---

    def until(
        self, condition: Callable[[], T | None], within: Lasting, *, each: Lasting = 1.0
    ) -> T:
        """Let time pass until ``condition`` holds, and return what it said.

        Args:
            condition: asked now, and after each ``each`` of virtual time, in no loop.
            within: how much time may pass at most.

        Raises:
            NotSo: it doesn't hold by then.
            RuleBroken: a monitor saw a violation on the way.
        """
        __tracebackhide__ = True
        if not callable(condition):
            raise WrongUse("give until() a function, such as lambda: task.state == 'done'")
        within_s, each_s = lasting_s(within), lasting_s(each)
        ends_s = self.now_s + within_s
        while not (held := condition()):
            left_s = ends_s - self.now_s
            if left_s < 1e-6:
                raise NotSo(f"not so within {_said(within)}\n{self.situation()}")
            self.wait(min(each_s, left_s))
        if inspect.isawaitable(held):
            if inspect.iscoroutine(held):
                held.close()
            raise WrongUse("give until() a plain function: time stands still while it is asked")
        return held

    def until_done(self, *tasks: AskedTask, within: Lasting) -> None:
        """Let time pass until all these tasks are done.

        Raises:
            NotSo: they are not by then, or one of them has failed or was cancelled.
            RuleBroken: a monitor saw a violation on the way.
        """
        __tracebackhide__ = True

        def ended() -> bool:
            __tracebackhide__ = True
            for task in tasks:
                if task.state.ended and task.state != "done":
                    raise NotSo(f"{task.id} has {task.state}\n{self.situation()}")
            return all(task.state.ended for task in tasks)

        self.until(ended, within)

    def wait(self, lasts: Lasting) -> None:
        """Let so much time pass.

        Raises:
            RuleBroken: a monitor saw a violation.
        """
        __tracebackhide__ = True
        self._do(asyncio.sleep(lasting_s(lasts)))
        self._look()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Let time pass until a coroutine ends: ``run(service.fleet_desk.set_paused(id, True))``.

        The service is ``hospital.simulation.service``.
        """
        __tracebackhide__ = True
        found = self._do(coroutine)
        self._look()
        return found

    # --- looking ---

    @property
    def now_s(self) -> float:
        """Virtual seconds since the scenario's start."""
        return self._loop.time() - self._running.clock.loop_s

    @property
    def now(self) -> datetime:
        """The calendar's moment, in the scenario's time zone."""
        moment = self._running.clock.to_utc(self._loop.time())
        return moment.astimezone(self.scenario.start.tzinfo)

    def vehicles(self) -> list[VehicleView]:
        """All vehicles, as the dispatcher sees them."""
        return self._do(_called(self._running.service.vehicles))

    def vehicle(self, vehicle: str) -> VehicleView:
        """One vehicle, as the dispatcher sees it; NotFound."""
        __tracebackhide__ = True
        found = {view.spec.id: view for view in self.vehicles()}.get(VehicleId(vehicle))
        if found is None:
            raise NotFound("vehicle", vehicle)
        return found

    def alerts(self) -> list[Alert]:
        """All alerts whose cause is still there."""
        return [alert for alert in self._running.service.alerts() if alert.cleared_s is None]

    def violations(self) -> list[str]:
        """All that the monitors saw go wrong, allowed or not."""
        return list(violations(self._running))

    def situation(self) -> str:
        """How all stands now, in lines: vehicles and what they wait for, tasks, alerts."""
        tasks = [asked.task for asked in self._asked]
        return self._do(_called(partial(situation, self._running, tasks)))

    @property
    def journal_sha256(self) -> str:
        """Hash of the journal so far: two runs that did the same have the same."""
        return self._running.service.journal.sha256

    # --- within ---

    @property
    def _running(self) -> Simulation:
        __tracebackhide__ = True
        if not self._begun:
            raise WrongUse(
                'a scenario begins with its block: with wardline.scenario("quick") as ...'
            )
        return self.simulation

    def _do(self, deed: Coroutine[Any, Any, T]) -> T:
        """Run something in the loop; a refusal comes out without the way that it came."""
        __tracebackhide__ = True
        if self._over or not self._begun:
            deed.close()
            raise WrongUse("time passes in the scenario's block only: with ... as hospital:")
        try:
            return self._loop.run(deed)
        except DispatchError as refusal:
            raise refusal.with_traceback(None) from None

    def _look(self) -> None:
        """Raise what has gone wrong meanwhile: a crash, or a broken rule."""
        __tracebackhide__ = True
        self._raise_crash()
        if new := self._broken():
            raise RuleBroken("\n".join((*new, self.situation())))

    def _raise_crash(self) -> None:
        if self._crashed or not self._living.done():
            return
        crash = self._living.exception()
        while isinstance(crash, BaseExceptionGroup) and len(crash.exceptions) == 1:
            crash = crash.exceptions[0]
        if crash is not None:
            self._crashed = True
            raise crash

    def _broken(self) -> list[str]:
        """Violations that nobody has been told of yet."""
        counts = self.simulation.stage.world.violations
        many = sum(count for kind, count in counts.items() if kind not in self._allow)
        new, self._told = many - self._told, many
        return list(violations(self.simulation, allowed=self._allow))[-new:] if new else []


def lasting_s(lasts: Lasting) -> float:
    """The seconds of a duration, above 0.

    Raises:
        WrongUse: it is none.
    """
    __tracebackhide__ = True
    with suppress(ValueError):
        match lasts:
            case timedelta():
                found = lasts.total_seconds()
            case str():
                found = seconds(lasts)
            case _:
                found = float(lasts)
        if 0 < found <= LONGEST_S:
            return found
    raise WrongUse(f"{lasts!r} is no duration: write seconds, a timedelta, or such as '45min'")


def _said(lasts: Lasting) -> str:
    return f"{lasts:g} s" if isinstance(lasts, int | float) else str(lasts)


async def _called(function: Callable[[], T]) -> T:
    return function()
