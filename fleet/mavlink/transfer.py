"""The mission protocol from our side: put items onto a drone, and read them back.

Source: MAVLink guide, mission protocol. ArduPilot asks with MISSION_REQUEST and wants
MISSION_ITEM_INT all the same; a request may come twice, and is answered twice.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.errors import FleetError, LinkTimeout
from fleet.mavlink.link import Answers, Line, M, MavlinkLink
from fleet.mavlink.missions import Item
from fleet.mavlink.parser import Message

log = logging.getLogger(__name__)

_Ack = mav.MAVLink_mission_ack_message
_Count = mav.MAVLink_mission_count_message
_ItemInt = mav.MAVLink_mission_item_int_message
_Request = mav.MAVLink_mission_request_message
_RequestInt = mav.MAVLink_mission_request_int_message

_STRAY = (mav.MAV_MISSION_INVALID_SEQUENCE,)
"""Answers to a doubled item of ours; the transfer goes on."""


class TransferRefused(FleetError):
    """The drone does not take this mission.

    Args:
        result: its MAV_MISSION_RESULT.
    """

    def __init__(self, result: int) -> None:
        self.result = result
        found = mav.enums["MAV_MISSION_RESULT"].get(result)
        name = str(result) if found is None else found.name.removeprefix("MAV_MISSION_").lower()
        self.name = name
        super().__init__(f"mission transfer: {name}")


class Transfer:
    """Moves missions to and from one drone.

    Args:
        at_once: how many items may be asked for before the first has come.
    """

    def __init__(
        self, link: MavlinkLink, line: Line, *, retries: int = 8, at_once: Callable[[], int]
    ) -> None:
        self._link, self._line, self._retries = link, line, retries
        self._at_once = at_once
        self._timeouts = link.timeouts
        self._one_at_a_time = asyncio.Lock()

    async def upload(self, items: Sequence[Item], mission_type: int = 0) -> None:
        """Put a mission onto the drone, instead of the one that it holds.

        Not atomic: after an error the drone may hold a mixture of both. Read it back: where the
        last answer was lost, that is what tells.

        Raises:
            TransferRefused: the drone said no.
            LinkTimeout: it stopped answering.
        """
        async with self._one_at_a_time:
            await self._upload(items, mission_type)

    async def _upload(self, items: Sequence[Item], mission_type: int) -> None:
        to = (self._line.system_id, self._line.component_id)
        limit_s = self._timeouts.upload_s + len(items) * self._timeouts.upload_item_s
        last: Message = _Count(*to, len(items), mission_type)
        with self._line.expect(_Request, _RequestInt, _Ack, mission_type=mission_type) as answers:
            try:
                async with asyncio.timeout(limit_s):
                    answer = await self._ask(last, answers)
                    while not _accepted(answer):
                        if isinstance(answer, _Ack):  # to an item that came twice: no news
                            if _is_last(last, items):
                                return
                            answer = await self._next(last, answers)
                            continue
                        last = _message(to, answer.seq, items, mission_type) or last
                        answer = await self._ask(last, answers)
            except TimeoutError:
                raise LinkTimeout("mission upload took too long") from None

    async def download(self, mission_type: int = 0, *, limit: int = 1000) -> tuple[Item, ...]:
        """The mission that the drone holds; at most ``limit`` items of it.

        Raises:
            LinkTimeout: it stopped answering.
        """
        async with self._one_at_a_time:
            return await self._download(mission_type, limit)

    async def _download(self, mission_type: int, limit: int) -> tuple[Item, ...]:
        to = (self._line.system_id, self._line.component_id)
        with self._line.expect(_Count, mission_type=mission_type) as counts:
            count = await self._ask(
                mav.MAVLink_mission_request_list_message(*to, mission_type), counts
            )
        items = await self._items(range(min(count.count, limit)), mission_type)
        self._link.send(self._line, _Ack(*to, mav.MAV_MISSION_ACCEPTED, mission_type))
        return items

    async def _items(self, wanted: range, mission_type: int) -> tuple[Item, ...]:
        """Ask for items, some at once, and again for those that do not come."""
        to = (self._line.system_id, self._line.component_id)
        come: dict[int, Item] = {}
        silences = 0
        with self._line.expect(_ItemInt, mission_type=mission_type) as answers:
            while asked := [seq for seq in wanted if seq not in come][: self._at_once()]:
                for seq in asked:
                    self._link.send(self._line, _RequestInt(*to, seq, mission_type))
                try:
                    while not come.keys() >= set(asked):
                        item = await self._for_us(answers)
                        come[item.seq], silences = _item(item), 0
                except LinkTimeout:
                    silences += 1
                    if silences > self._retries:
                        raise LinkTimeout("no answer to MISSION_REQUEST_INT") from None
        return tuple(come[seq] for seq in wanted)

    async def _next(self, message: Message, answers: Answers[M]) -> M:
        """One more answer to what has been sent; if there is none, it is sent again."""
        try:
            return await self._for_us(answers)
        except LinkTimeout:
            return await self._ask(message, answers)

    async def _ask(self, message: Message, answers: Answers[M]) -> M:
        """Send ``message``, and again while there is no answer."""
        for _ in range(self._retries + 1):
            self._link.send(self._line, message)
            try:
                return await self._for_us(answers)
            except LinkTimeout:
                log.debug("system id %d: no answer to %s", self._line.system_id, message.msgname)
        raise LinkTimeout(f"no answer to {message.msgname}")

    async def _for_us(self, answers: Answers[M]) -> M:
        while True:
            answer = await answers.within(self._timeouts.item_s)
            system, component = answer.target_system, answer.target_component  # pyright: ignore[reportAttributeAccessIssue]
            if system in (0, self._line.ours[0]) and component in (0, self._line.ours[1]):
                return answer


def _is_last(sent: Message, items: Sequence[Item]) -> bool:
    return isinstance(sent, _ItemInt) and sent.seq == len(items) - 1


def _accepted(answer: Message) -> bool:
    """Whether an upload is done; raises TransferRefused where it has failed."""
    if not isinstance(answer, _Ack) or answer.type in _STRAY:
        return False
    if answer.type != mav.MAV_MISSION_ACCEPTED:
        raise TransferRefused(answer.type)
    return True


def _message(
    to: tuple[int, int], seq: int, items: Sequence[Item], mission_type: int
) -> Message | None:
    if seq >= len(items):
        return None
    item = items[seq]
    return _ItemInt(
        *to,
        seq,
        item.frame,
        item.command,
        0,
        1,
        *item.params,
        item.lat_e7,
        item.lon_e7,
        item.z_m,
        mission_type,
    )


def _item(message: _ItemInt) -> Item:
    return Item(
        command=message.command,
        frame=message.frame,
        params=(message.param1, message.param2, message.param3, message.param4),
        lat_e7=message.x,
        lon_e7=message.y,
        z_m=message.z,
    )
