"""Has a robot stand still in the middle of its order, and go on: ``startPause``, ``stopPause``.

Source: VDA 5050 2.1.0, chapter 6.8.1; 3.0.0, chapter 6.2.3.
"""

import logging
from dataclasses import dataclass

from fleet.errors import CommandFailed, LinkError, LinkTimeout
from fleet.vda5050.bell import Bell
from fleet.vda5050.link import Link
from fleet.vda5050.outbox import Repeat
from fleet.vda5050.state_messages import State
from fleet.vda5050.terms import ActionStatus
from routing.refusal import Refusal

log = logging.getLogger(__name__)

ANSWER_S = 5.0
"""How long a person waits for the robot's word."""


@dataclass(slots=True, eq=False)
class _Wish:
    """What was asked for last, and what came of it."""

    paused: bool
    settled: bool = False
    refusal: Refusal | None = None


class Pauser:
    """Brings a robot to what was last asked for, and leaves it be from then on.

    Who is paused at the robot itself is not woken by us, unless somebody asks for that.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._wish: _Wish | None = None
        self._asked, self._answered = Bell(), Bell()

    def want(self, paused: bool) -> None:
        """Ask for it; what it comes to is seen in the robot's state."""
        self._wish_for(paused)

    async def bring(self, paused: bool) -> None:
        """Ask for it, and return when the robot says that it is so.

        Its state says so, or, where that tells nothing of pauses, the action's end.

        Raises:
            CommandFailed: it says that it can't; its own words are among the facts.
            LinkTimeout: it does not answer in time; it is still asked for it.
        """
        wish = self._wish_for(paused)
        deadline_s = self._link.now_s() + ANSWER_S
        while not wish.settled:
            if self._link.now_s() >= deadline_s:
                word = "pauses" if paused else "goes on"
                raise LinkTimeout(f"{self._link.config.serial} does not say that it {word}")
            await self._answered.wait(self._answered.rung, deadline_s)
        if wish.refusal is not None:
            raise CommandFailed(wish.refusal)

    def _wish_for(self, paused: bool) -> _Wish:
        if self._wish is None or self._wish.paused is not paused:
            self._wish = _Wish(paused)
            self._asked.ring()
        return self._wish

    async def run(self) -> None:
        """Say what is to be said until cancelled."""
        while True:
            rung, wish = self._asked.rung, self._wish
            if wish is None:
                await self._asked.wait(rung)
                continue
            try:
                await self._bring(wish)
            except LinkError as error:
                log.warning("%s: %s", "pause" if wish.paused else "no pause", error)
            if self._wish is wish:
                self._wish = None

    async def _bring(self, wish: _Wish) -> None:
        """Return when the robot is so, refuses, or something else is wanted."""
        link = self._link
        action = link.outbox.instant("startPause" if wish.paused else "stopPause")
        repeat = Repeat(link.config.ack_timeout_s)
        with link.repeating(repeat):
            while self._wish is wish:
                rung, state = link.news.rung, await link.online()
                if self._settled(state, wish, action.action_id):
                    wish.settled = True
                    self._answered.ring()
                    return
                await link.say(repeat, lambda: link.outbox.send_instant(action))
                await link.news.wait(rung, min(repeat.deadline_s, link.stale_at_s()))

    def _settled(self, state: State, wish: _Wish, action_id: str) -> bool:
        ended = self._link.results.get(action_id)
        if state.paused is wish.paused:
            return True
        if ended is None:
            return False
        if ended.action_status == ActionStatus.FAILED:
            text = ended.result_description or ""
            log.warning("does not %s: %s", "pause" if wish.paused else "go on", text)
            code = "pause_refused" if wish.paused else "go_on_refused"
            wish.refusal = Refusal(code, {"robot": self._link.config.serial, "text": text})
            return True
        return state.paused is None  # it says nothing of pauses, but has done what it was told
