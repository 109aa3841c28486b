"""Actions that have failed and may be tried again: first by themselves, then by a person.

Source: VDA 5050 3.0.0, chapters 6.2.3 and 6.6.9: ``RETRIABLE``, ``retry``, ``skipRetry``.
"""

import math
from collections.abc import Collection
from contextlib import AbstractContextManager

from fleet.errors import LinkTimeout
from fleet.vda5050.link import Link
from fleet.vda5050.order_messages import Action
from fleet.vda5050.outbox import Repeat
from fleet.vda5050.state_messages import ActionState, State
from fleet.vda5050.terms import ActionStatus

_PAUSE_S = 5.0
"""Before each new try: whatever was in the way may have gone by then."""


class Retries:
    """Answers a robot that waits to be told whether to try again.

    Each action is tried again ``retries`` times. Then a person is asked, who can see to
    the robot so that it goes on, or cancel the task. After ``person_s`` without either the action
    is given up, and so is the mission. A robot that does not take what it is told is a person's
    from then on; that the action is given up is said again after ``person_s``.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._repeat = Repeat(link.config.ack_timeout_s)
        self._tried: dict[str, int] = {}
        self._stuck = ""
        self._said: Action | None = None
        self._stuck_since_s: float | None = None
        self._asks_since_s: float | None = None

    def listening(self) -> AbstractContextManager[None]:
        """Count the robot's states, for as long as there is a mission."""
        return self._link.repeating(self._repeat)

    async def speak(self, state: State, ours: Collection[str]) -> float:
        """Say what is to be said now; returns when to look again at the latest.

        Args:
            ours: ids of the mission's actions.
        """
        stuck = next((a for a in state.action_states if _waits(a) and a.action_id in ours), None)
        if stuck is None:
            self.close()
            return math.inf
        if stuck.action_id != self._stuck:
            self.close()
            self._stuck = stuck.action_id
        if self._said is not None and self._said.action_id in self._link.results:
            self._said = self._stuck_since_s = None  # it has been tried again, and failed again
        if self._stuck_since_s is None:
            self._stuck_since_s = self._link.now_s()
        if self._link.now_s() < self._stuck_since_s + _PAUSE_S:
            return self._stuck_since_s + _PAUSE_S
        if self._said is None:
            self._said = self._next(stuck.action_id)
            self._repeat.restart()
        said = self._said
        if said is None:
            return (self._asks_since_s or 0.0) + self._link.config.person_s
        if any(action.action_id == said.action_id for action in state.all_actions):
            return math.inf  # it is at it
        try:
            await self._link.say(self._repeat, lambda: self._link.outbox.send_instant(said))
        except LinkTimeout:
            return self._leave_to_person(stuck.action_id)
        return self._repeat.deadline_s

    def close(self) -> None:
        """Nothing waits any more: ask nobody."""
        self._stuck = ""
        self._said = self._stuck_since_s = self._asks_since_s = None
        self._link.plea = ""

    def _next(self, action_id: str) -> Action | None:
        """What to say; None = a person is asked, and has time left."""
        config, now_s = self._link.config, self._link.now_s()
        tried = self._tried.get(action_id, 0)
        if tried < config.retries:
            self._tried[action_id] = tried + 1
            return self._link.outbox.instant("retry", action_id=action_id)
        if self._asks_since_s is None:
            self._asks_since_s = now_s
            self._link.ask_person(action_id)
        if now_s < self._asks_since_s + config.person_s:
            return None
        return self._link.outbox.instant("skipRetry", action_id=action_id)

    def _leave_to_person(self, action_id: str) -> float:
        """It takes no word; returns when to try another one."""
        self._said, self._tried[action_id] = None, self._link.config.retries
        self._asks_since_s = self._link.now_s()
        self._link.ask_person(action_id)
        return self._asks_since_s + self._link.config.person_s


def _waits(action: ActionState) -> bool:
    return action.action_status == ActionStatus.RETRIABLE
