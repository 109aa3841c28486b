"""Parameters of one drone: read by name, set and read back.

Source: MAVLink guide, parameter protocol. ArduPilot is silent on names that it does not know.
"""

import asyncio
import math
import struct
from collections.abc import Callable

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.errors import LinkTimeout
from fleet.mavlink.link import Answers, Line, MavlinkLink
from fleet.mavlink.parser import Message

_Value = mav.MAVLink_param_value_message
_REAL = mav.MAV_PARAM_TYPE_REAL32


def as_float(value: int) -> float:
    """The float whose four bytes are those of a whole number: PX4 sends such parameters so."""
    return struct.unpack("<f", struct.pack("<i", value))[0]


def as_int(value: float) -> int:
    """The whole number that `as_float` has packed."""
    return struct.unpack("<i", struct.pack("<f", value))[0]


class ParameterClient:
    """Asks for parameters until there is an answer, one after the other.

    Args:
        int_bytes: whether a whole number travels as its four bytes in the place of a float.
        retries: how often a question without answer is repeated.
    """

    def __init__(
        self,
        link: MavlinkLink,
        line: Line,
        *,
        int_bytes: Callable[[], bool] = lambda: False,
        retries: int = 8,
    ) -> None:
        self._link, self._line, self._retries = link, line, retries
        self._int_bytes = int_bytes
        self._types: dict[str, int] = {}
        self._timeouts = link.timeouts

    async def read(self, name: str) -> float:
        """The value of a parameter.

        Raises:
            LinkTimeout: no answer; or there is no such parameter, which sounds the same.
        """
        to = (self._line.system_id, self._line.component_id)
        question = mav.MAVLink_param_request_read_message(*to, name.encode(), -1)
        return await self._ask(name, question)

    async def set(self, name: str, value: float) -> float:
        """Change a parameter; returns the value that it has now, which may be another one.

        The answer to an earlier question may come late, so another value counts only if it is
        still the last word after the change was asked for a second time.

        Raises:
            LinkTimeout: no answer; it may have been changed all the same.
        """
        to = (self._line.system_id, self._line.component_id)
        kind = self._types.get(name, mav.MAV_PARAM_TYPE_REAL32) if self._int_bytes() else _REAL
        wired = value if kind == _REAL else as_float(round(value))
        question = mav.MAVLink_param_set_message(*to, name.encode(), wired, kind)
        with self._line.expect(_Value, param_id=name) as answers:
            answered = False
            for _ in range(self._retries + 1):
                self._link.send(self._line, question)
                now = await self._last_word(answers, value)
                if now is not None and (answered or _same(now, value)):
                    return now
                answered = answered or now is not None
        raise LinkTimeout(f"no answer to {question.msgname} {name}")

    def value_of(self, message: mav.MAVLink_param_value_message) -> float:
        """The number that a PARAM_VALUE means."""
        if not self._int_bytes() or message.param_type == _REAL:
            return message.param_value
        return as_int(message.param_value)

    async def _last_word(self, answers: Answers[_Value], wanted: float) -> float | None:
        """The value that is wanted, once it comes; else the last that came; None = silence."""
        loop = asyncio.get_running_loop()
        said, until_s = None, loop.time() + self._timeouts.ack_s
        while said is None or not _same(said, wanted):
            try:
                said = self.value_of(await answers.within(until_s - loop.time()))
            except LinkTimeout:
                break
        return said

    async def _ask(self, name: str, question: Message) -> float:
        with self._line.expect(_Value, param_id=name) as answers:
            for _ in range(self._retries + 1):
                self._link.send(self._line, question)
                try:
                    answer = await answers.within(self._timeouts.ack_s)
                    self._types[name] = answer.param_type
                    return self.value_of(answer)
                except LinkTimeout:
                    continue
        raise LinkTimeout(f"no answer to {question.msgname} {name}")


def _same(a: float, b: float) -> bool:
    """Whether two values are one on the wire, which has four bytes for it."""
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-6)
