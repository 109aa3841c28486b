"""What a drone does by itself in need: checked when it is heard, before flights, and put right.

A stock autopilot flies on without a link, without a fence, until its battery is empty, unless
its parameters say otherwise. A drone that would is not fit for service, and says why.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.errors import LinkError
from fleet.mavlink.commands import mav_text
from fleet.mavlink.config import Safety
from fleet.mavlink.drone import Drone
from fleet.mavlink.failsafes import RULES, Rule
from fleet.mavlink.missions import Item
from fleet.mavlink.parser import Message
from fleet.mavlink.transfer import TransferRefused
from fleet.vehicle import Severity, VehicleError

log = logging.getLogger(__name__)

FENCE, RALLY = mav.MAV_MISSION_TYPE_FENCE, mav.MAV_MISSION_TYPE_RALLY
_ATTEMPTS = 4
_UNKNOWN = "safeguards_unknown"
_EARLY = 0.7
"""Share of `Timeouts.recheck_s` after which it is looked at again: no flight waits for that."""
_UNANSWERED = 2
"""Looks in a row that came to no end before it counts as not fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What one drone must do by itself: `needs` makes it from its configuration.

    Args:
        rules: its parameters, by the MAV_AUTOPILOT that has them.
        fence, rally: what it must hold; None = whatever it holds.
    """

    rules: Mapping[int, tuple[Rule, ...]]
    fence: tuple[Item, ...] | None
    rally: tuple[Item, ...] | None


def needs(
    safety: Safety,
    *,
    fence: Sequence[Item],
    rally: Sequence[Item],
    alt_max_m: float,
    return_height_m: float,
) -> Needs:
    """What a drone must do by itself.

    Args:
        alt_max_m: ceiling of the site's fence.
        return_height_m: height of the drone's own layer.
    """
    top_m = safety.alt_max_m or alt_max_m
    height_m = return_height_m if safety.return_height_m is None else safety.return_height_m
    polygons = bool(fence)
    return Needs(
        rules={
            autopilot: rules(safety, top_m=top_m, height_m=height_m, polygons=polygons)
            for autopilot, rules in RULES.items()
        },
        fence=tuple(fence) if safety.fence else None,
        rally=tuple(rally) if safety.rally else None,
    )


class Safeguards:
    """Keeps one drone as it must be, or knows what is the matter.

    Args:
        may_set: whether to change what is wrong; never while its motors may turn.
    """

    def __init__(self, drone: Drone, wanted: Needs, *, may_set: bool) -> None:
        self._drone, self._wanted, self._may_set = drone, wanted, may_set
        self._times = drone.timeouts
        self._checked_s: float | None = None
        self._one_at_a_time = asyncio.Lock()
        self._unanswered = 0
        self.errors: tuple[VehicleError, ...] = ()
        """What makes it unfit for service, as of the last look."""
        drone.line.listen(self._overhear)

    @property
    def _rules(self) -> tuple[Rule, ...]:
        return self._wanted.rules[self._drone.telemetry.dialect.autopilot]

    @property
    def known(self) -> bool:
        """Whether all of it has been looked at lately."""
        return self._looked_within(self._times.recheck_s)

    def _looked_within(self, seconds: float) -> bool:
        at_s = self._checked_s
        return at_s is not None and self._drone.now_s - at_s < seconds

    def doubt(self) -> None:
        """It may have been changed since; look again at the next occasion."""
        self._checked_s = None

    async def assure(self) -> None:
        """Look at all of it, unless that was done lately; put right what is wrong, if we may.

        Raises:
            LinkError: it does not answer.
        """
        if self.known and not self.errors:
            return  # nor wait for a look that is under way
        async with self._one_at_a_time:
            if not self.known or (self.errors and not self._drone.telemetry.armed):
                await self._look()

    async def keep(self) -> None:
        """The same, now and then; a drone that does not answer is asked again later.

        In flight nothing could be put right, and questions would only be in the way.
        """
        if self._drone.telemetry.armed or self._drone.telemetry.heartbeat is None:
            return
        patience_s = self._times.unfit_s if self.errors else _EARLY * self._times.recheck_s
        if self._looked_within(patience_s):
            return
        try:
            async with self._one_at_a_time:
                if not (self._drone.telemetry.armed or self._looked_within(patience_s)):
                    await self._look()
        except LinkError as error:
            log.warning("system id %d: %s", self._drone.line.system_id, error)
            self._unanswered += 1
            if self._unanswered >= _UNANSWERED:
                self._conclude([_error(_UNKNOWN, str(error))])
            self.doubt()

    def fall_silent(self) -> None:
        """It is not heard any more; that it did not answer is no fault of its parameters."""
        self._unanswered = 0
        self._conclude([error for error in self.errors if error.code != _UNKNOWN])

    async def _look(self) -> None:
        found: list[VehicleError] = []
        for mission_type, items in ((FENCE, self._wanted.fence), (RALLY, self._wanted.rally)):
            if items is not None:
                found += await self._items(items, mission_type)
        for rule in self._rules:
            found += await self._parameter(rule)
        self._unanswered = 0
        self._conclude(found)
        self._checked_s = self._drone.now_s

    async def _parameter(self, rule: Rule) -> list[VehicleError]:
        value = await self._drone.parameters.read(rule.name)
        if not rule.fine(value) and self._allowed:
            log.info(
                "system id %d: %s is %g and becomes %g",
                self._drone.line.system_id,
                rule.name,
                value,
                rule.wanted(value),
            )
            value = await self._drone.parameters.set(rule.name, rule.wanted(value))
        if rule.fine(value):
            return []
        return [_wrong(rule, value)]

    async def _items(self, items: Sequence[Item], mission_type: int) -> list[VehicleError]:
        """Compare what it holds with what it should; upload that, and read it back."""
        transfer, what = self._drone.transfer, "fence" if mission_type == FENCE else "rally"
        for _ in range(_ATTEMPTS):
            if await self._holds(items, mission_type):
                return []
            if not self._allowed:
                break
            try:
                await transfer.upload(items, mission_type)
            except TransferRefused as refused:
                if refused.result not in self._drone.telemetry.dialect.busy:
                    return [_error(f"{what}_differs", str(refused))]
                await asyncio.sleep(self._times.denied_s)
        else:
            if await self._holds(items, mission_type):
                return []
        return [_error(f"{what}_differs", f"it does not hold the {len(items)} points of ours")]

    async def _holds(self, items: Sequence[Item], mission_type: int) -> bool:
        held = await self._drone.transfer.download(mission_type, limit=len(items) + 1)
        return len(held) == len(items) and all(
            ours.same(theirs) and round(ours.params[0]) == round(theirs.params[0])
            for ours, theirs in zip(items, held, strict=True)
        )

    @property
    def _allowed(self) -> bool:
        return self._may_set and not self._drone.telemetry.armed

    def _conclude(self, found: Sequence[VehicleError]) -> None:
        if tuple(found) == self.errors:
            return
        self.errors = tuple(found)
        for error in found:
            log.warning("system id %d is not fit: %s", self._drone.line.system_id, error.text)
        self._drone.nudge()

    def _overhear(self, message: Message) -> None:
        """A drone tells everybody of a changed parameter, whoever has changed it."""
        if isinstance(message, mav.MAVLink_param_value_message):
            name, value = mav_text(message.param_id), self._drone.parameters.value_of(message)
            rule = next((rule for rule in self._rules if rule.name == name), None)
            if rule is None or rule.fine(value):
                return
            self.doubt()
            if self._drone.telemetry.armed:
                others = [e for e in self.errors if not e.text.startswith(f"{rule.name} ")]
                self._conclude([*others, _wrong(rule, value)])


def _wrong(rule: Rule, value: float) -> VehicleError:
    return _error(rule.code, f"{rule.name} is {value:g}, not {rule.wanted(value):g}")


def _error(code: str, text: str) -> VehicleError:
    return VehicleError(code=code, severity=Severity.FATAL, text=text)
