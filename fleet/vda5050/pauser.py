"""Has a robot stand still in the middle of its order, and go on: ``startPause``, ``stopPause``.

Source: VDA 5050 2.1.0, chapter 6.8.1; 3.0.0, chapter 6.2.3.
"""

import logging

from fleet.errors import LinkError, LinkTimeout
from fleet.vda5050.bell import Bell
from fleet.vda5050.link import Link
from fleet.vda5050.messages import ActionStatus, State
from fleet.vda5050.outbox import Repeat

log = logging.getLogger(__name__)

ANSWER_S = 5.0
"""How long a person waits for the robot's word."""


class Pauser:
    """Brings a robot to what was last asked for, and leaves it be from then on.

    Who is paused at the robot itself is not woken by us, unless somebody asks for that.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._wanted: bool | None = None
        self._asked = Bell()

    def want(self, paused: bool) -> None:
        """Ask for it; what it comes to is seen in the robot's state."""
        self._wanted = paused
        self._asked.ring()

    async def bring(self, paused: bool) -> None:
        """Ask for it, and return when the robot's state says that it is so.

        Raises:
            LinkTimeout: it does not say so in time; it is still asked for it.
        """
        self.want(paused)
        deadline_s = self._link.now_s() + ANSWER_S
        while bool(self._link.state is not None and self._link.state.paused) is not paused:
            if self._link.now_s() >= deadline_s:
                word = "pauses" if paused else "goes on"
                raise LinkTimeout(f"{self._link.config.serial} does not say that it {word}")
            await self._link.news.wait(self._link.news.rung, deadline_s)

    async def run(self) -> None:
        """Say what is to be said until cancelled."""
        while True:
            rung = self._asked.rung
            if self._wanted is None:
                await self._asked.wait(rung)
                continue
            try:
                await self._bring(self._wanted)
            except LinkError as error:
                log.warning("%s: %s", "pause" if self._wanted else "no pause", error)
            if self._asked.rung == rung:
                self._wanted = None

    async def _bring(self, paused: bool) -> None:
        """Return when the robot is so, refuses, or something else is wanted."""
        link = self._link
        action = link.outbox.instant("startPause" if paused else "stopPause")
        repeat, asked = Repeat(link.config.ack_timeout_s), self._asked.rung
        with link.repeating(repeat):
            while self._asked.rung == asked:
                rung, state = link.news.rung, await link.online()
                if self._settled(state, paused, action.action_id):
                    return
                await link.say(repeat, lambda: link.outbox.send_instant(action))
                await link.news.wait(rung, min(repeat.deadline_s, link.stale_at_s()))

    def _settled(self, state: State, paused: bool, action_id: str) -> bool:
        ended = self._link.results.get(action_id)
        if state.paused is not None:
            if state.paused is paused:
                return True
        elif ended is not None:
            return True  # it says nothing of pauses, but that it has done what it was told
        if ended is not None and ended.action_status == ActionStatus.FAILED:
            text = ended.result_description or ""
            log.warning("does not %s: %s", "pause" if paused else "go on", text)
            return True
        return False
