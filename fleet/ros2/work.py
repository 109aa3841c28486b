"""What a robot does standing: people serve it while it waits, or a service of its own does it."""

import asyncio
import logging
from collections import OrderedDict

from fleet.errors import LinkError, MissionCancelled, MissionFailed
from fleet.mission import Action, ActionKind
from fleet.ros2.config import Ros2Config
from fleet.ros2.port import Nav2Port
from routing.refusal import Refusal

log = logging.getLogger(__name__)

_REMEMBERED = 500
_SERVICE_GRACE_S = 120.0
_CHARGE_S = 60.0
"""How long a robot at its charger may take to say that it charges."""


class Work:
    """Does actions, each at most once for as long as this process lives."""

    def __init__(self, port: Nav2Port, config: Ros2Config) -> None:
        self._port, self._config = port, config
        self._results: OrderedDict[str, str] = OrderedDict()
        self._stopped = asyncio.Event()
        self.loads: tuple[str, ...] = ()
        """Ids of what has been loaded and not unloaded; a robot itself does not know."""
        self.plugged = False
        """It was told to charge, and has not been driven since."""

    def stop(self) -> None:
        """Break off what is only waited for; a service is left to come to its end."""
        self._stopped.set()

    def resume(self) -> None:
        """A new mission begins."""
        self._stopped.clear()

    async def do(self, action: Action) -> str:
        """Do one action; returns what the robot says of it.

        Raises:
            MissionFailed: it was not done; MissionCancelled after `stop`.
        """
        if action.id in self._results:
            return self._results[action.id]
        if self._stopped.is_set():
            raise MissionCancelled
        how = self._config.does(action.kind)
        if how is None:
            raise MissionFailed(Refusal("unsupported_action", {"action": action.kind.value}))
        result = ""
        if how.service is not None:
            timeout_s = how.timeout_s or 2 * action.duration_s + _SERVICE_GRACE_S
            result = await self._call(action, how.service, timeout_s)
        else:
            await self._wait(action.duration_s)
        if action.kind is ActionKind.CHARGE:
            await self._until_it_charges(action)
        self._note(action, result)
        return result

    async def _wait(self, duration_s: float) -> None:
        try:
            async with asyncio.timeout(duration_s):
                await self._stopped.wait()
        except TimeoutError:
            return
        raise MissionCancelled

    async def _call(self, action: Action, service: str, timeout_s: float) -> str:
        """Call once: nobody knows what a second call would do."""
        try:
            async with asyncio.timeout(timeout_s):
                done, text = await self._port.trigger(service)
        except TimeoutError:
            raise MissionFailed(Refusal("action_timeout", {"action": action.kind.value})) from None
        except LinkError as error:
            done, text = False, str(error)
        if not done:
            facts = {"action": action.kind.value, "text": text}
            raise MissionFailed(Refusal("action_failed", facts))
        return text

    async def _until_it_charges(self, action: Action) -> None:
        """Until it says so, if it says anything of it."""
        senses = self._port.senses
        until_s = asyncio.get_running_loop().time() + _CHARGE_S
        while senses.battery is not None and senses.battery.charging is False:
            if self._stopped.is_set():
                raise MissionCancelled
            if asyncio.get_running_loop().time() >= until_s:
                facts = {"action": action.kind.value, "text": "it does not charge"}
                raise MissionFailed(Refusal("action_failed", facts))
            await senses.news.wait(senses.news.rung, until_s)

    def _note(self, action: Action, result: str) -> None:
        self._results[action.id] = result
        if len(self._results) > _REMEMBERED:
            self._results.popitem(last=False)
        load = action.facts.get("load_id")
        if action.kind is ActionKind.LOAD and isinstance(load, str):
            self.loads = (*self.loads, load)
        elif action.kind is ActionKind.UNLOAD:
            self.loads = tuple(one for one in self.loads if one != load)
        elif action.kind is ActionKind.CHARGE:
            self.plugged = True
        elif action.kind is ActionKind.STOP_CHARGING:
            self.plugged = False
