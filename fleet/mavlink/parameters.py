"""Parameters of one drone: read by name, set and read back.

Source: MAVLink guide, parameter protocol. ArduPilot is silent on names that it does not know.
"""

import asyncio
import math

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.errors import LinkTimeout
from fleet.mavlink.link import Answers, Line, MavlinkLink
from fleet.mavlink.parser import Message

_Value = mav.MAVLink_param_value_message


class ParameterClient:
    """Asks for parameters until there is an answer, one after the other.

    Args:
        retries: how often a question without answer is repeated.
    """

    def __init__(self, link: MavlinkLink, line: Line, *, retries: int = 8) -> None:
        self._link, self._line, self._retries = link, line, retries
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
        question = mav.MAVLink_param_set_message(
            *to, name.encode(), value, mav.MAV_PARAM_TYPE_REAL32
        )
        with self._line.expect(_Value, param_id=name) as answers:
            answered = False
            for _ in range(self._retries + 1):
                self._link.send(self._line, question)
                now = await self._last_word(answers, value)
                if now is not None and (answered or _same(now, value)):
                    return now
                answered = answered or now is not None
        raise LinkTimeout(f"no answer to {question.msgname} {name}")

    async def _last_word(self, answers: Answers[_Value], wanted: float) -> float | None:
        """The value that is wanted, once it comes; else the last that came; None = silence."""
        loop = asyncio.get_running_loop()
        said, until_s = None, loop.time() + self._timeouts.ack_s
        while said is None or not _same(said, wanted):
            try:
                said = (await answers.within(until_s - loop.time())).param_value
            except LinkTimeout:
                break
        return said

    async def _ask(self, name: str, question: Message) -> float:
        with self._line.expect(_Value, param_id=name) as answers:
            for _ in range(self._retries + 1):
                self._link.send(self._line, question)
                try:
                    return (await answers.within(self._timeouts.ack_s)).param_value
                except LinkTimeout:
                    continue
        raise LinkTimeout(f"no answer to {question.msgname} {name}")


def _same(a: float, b: float) -> bool:
    """Whether two values are one on the wire, which has four bytes for it."""
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-6)
