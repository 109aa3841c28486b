"""What the dispatcher has a drone do on the way of its mission: wait there, and fly on.

Whatever the drone has begun to do by itself, for its battery, its link or a pilot, goes before.
Its last word of its mode may be a second old, so what is said here is either refused in any other
mode, or said to a drone that has just told its mode; and if it had turned home even so, that is
given back to it at once.
"""

import logging

from fleet.errors import CommandFailed
from fleet.mavlink.commands import CommandRefused
from fleet.mavlink.dialects import Command
from fleet.mavlink.drone import Drone
from fleet.mavlink.hands import Hands
from routing.refusal import Refusal

log = logging.getLogger(__name__)


class Waits:
    """Waits of one drone in the air."""

    def __init__(self, drone: Drone, hands: Hands) -> None:
        self._drone, self._hands = drone, hands
        self._said = drone.telemetry

    async def begin(self) -> None:
        """Stop where it is.

        Raises:
            CommandFailed: it flies no mission; if it has turned home, it goes on with that.
            CommandRefused, LinkError: it flies on.
        """
        self._check()
        if self._said.in_auto and await self._takes(self._said.dialect.pause):
            return
        await self._drone.fresh_mode()
        self._check()
        await self._drone.unless_it_returns(self._hands.hold)

    async def end(self, *, follows: bool) -> None:
        """Fly on, if it still waits; ``follows`` as of `Hands.go_on`."""
        said = self._said
        if not (said.in_auto and await self._takes(said.dialect.resume)):
            if said.mode in said.dialect.holding:
                await self._drone.fresh_mode()
            if said.mode in said.dialect.holding:
                return await self._drone.unless_it_returns(
                    lambda: self._hands.go_on(follows=follows)
                )
        self._drone.held = False
        return None

    def _check(self) -> None:
        said = self._said
        if not said.airborne or not (said.in_auto or said.mode in said.dialect.holding):
            raise _flies_no_mission()

    async def _takes(self, command: Command | None) -> bool:
        """Whether it knows a command, and carries it out now."""
        if command is None:
            return False
        try:
            await self._drone.do(command[0], *command[1])
        except CommandRefused as refused:
            log.info("system id %d: %s", self._drone.line.system_id, refused)
            return False
        return True


def _flies_no_mission() -> CommandFailed:
    return CommandFailed(Refusal("command_refused", {"text": "flies no mission"}))
