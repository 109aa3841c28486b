"""What one vehicle breaks off on its way: for a cancel, a task that can't wait, an emergency."""

import asyncio
from collections.abc import Callable

from dispatcher.domain.task import TaskId
from dispatcher.missions.execution import Missions, Mover
from dispatcher.work.charge_wish import ChargeWish
from dispatcher.work.hand import Hand
from dispatcher.work.retreat import Retreat
from dispatcher.work.shelter import Shelter
from dispatcher.work.standing import Standing
from fleet.errors import SafetyStop
from fleet.mission import Mission
from routing.site import NodeId


class BreakOff:
    """Stops one vehicle while something else waits for the end of its drive.

    Args:
        wake: has the vehicle look again at what there is to do.
    """

    def __init__(
        self,
        mover: Mover,
        missions: Missions,
        hand: Hand,
        wish: ChargeWish,
        shelter: Shelter,
        retreat: Retreat,
        standing: Standing,
        wake: Callable[[], None],
    ) -> None:
        self._mover, self._missions, self._hand, self._wish = mover, missions, hand, wish
        self._shelter, self._retreat, self._standing = shelter, retreat, standing
        self._wake = wake
        self._unwanted: TaskId | None = None
        """What it is to stop driving for."""
        self._gives_way_to: TaskId | None = None
        """For which task it is to give back the one that it drives for."""
        self._steps_back: Mission | None = None
        """What it is to stop driving for, though it is told to enter a lift or stands in it."""
        self._stepped = False
        self._asked = asyncio.Event()

    def abandon(self, task: TaskId) -> None:
        """Stop driving for a task soon, if that is what it does: a person has cancelled it."""
        self._unwanted = task
        self._asked.set()
        self._wake()

    def think_again(self) -> None:
        """Break off the drive: there is no way on, so it may be another's task, or have to wait."""
        if self._hand.task is not None:
            self.abandon(self._hand.task)

    def take_step(self) -> bool:
        """Whether its drive was broken off before or in a lift that has stopped; told only once."""
        stepped, self._stepped = self._stepped, False
        return stepped

    def step_back(self) -> bool:
        """Break off the drive, whatever it is for, as soon as it may be; False = there is none."""
        if self._missions.current is None:
            return False
        self._steps_back = self._missions.current[0]
        self._asked.set()
        return True

    # --- for a task that can't wait ---

    def turns_at(self) -> NodeId | None:
        """Where it could still turn round: it drives to a first stop, empty."""
        hand = self._hand
        if hand.stop is None or hand.stop_index != 0 or hand.aboard or not self._wish.lets_work:
            return None
        return self._mover.turns_at(hand.stop)

    def turn_round(self, task: TaskId) -> None:
        """Give back what it drives for, if it still can, for a task that can't wait."""
        if self.turns_at() is not None:
            self._gives_way_to, self._unwanted = task, self._hand.task
            self._asked.set()

    def take_turn(self) -> TaskId | None:
        """For which task it gives back the one at hand, if it does; told only once."""
        by, self._gives_way_to = self._gives_way_to, None
        return by

    def forget_turn(self) -> None:
        """The stop at hand is over: there is nothing to give back."""
        self._gives_way_to, self._stepped = None, False

    # --- life ---

    async def for_cancels(self) -> None:
        """Stop whenever the task that it drives for is not wanted any more."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            mission, self._steps_back = self._steps_back, None
            if mission is not None and not self._retreat.fleeing:
                current = self._missions.current
                if current is not None and current[0] is mission:
                    self._stepped = True
                    await self.stop(urgent=True)
            elif self._gives_way_to is not None and self.turns_at() is None:
                self._gives_way_to = None  # it has arrived
            elif self._retreat.fleeing:
                continue  # it is asked again once it is out of people's way
            elif self._hand.task is not None and self._hand.task == self._unwanted:
                await self.stop()

    async def for_emergencies(self) -> None:
        """Stop whenever an emergency calls off what it is at, but never its way to a refuge."""
        stopped: Mission | None = None
        while True:
            await self._shelter.awaited.wait()
            self._shelter.awaited.clear()
            current = self._missions.current
            mission = None if current is None else current[0]
            if mission is not None and mission is stopped:
                continue
            if not self._retreat.fleeing and self._shelter.calls_off(current, self._mover):
                stopped = mission
                await self.stop(urgent=True)

    async def stop(self, *, urgent: bool = False) -> None:
        """Break off what it is at; it is stood down if a safety stop comes of it."""
        try:
            await self._mover.stop(urgent=urgent)
        except SafetyStop as stop:
            await self._standing.stop_for_safety(stop.reason)
