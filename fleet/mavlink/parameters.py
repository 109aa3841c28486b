"""Parameters of one drone: read by name, set and read back.

Source: MAVLink guide, parameter protocol. ArduPilot is silent on names that it does not know.
"""

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.errors import LinkTimeout
from fleet.mavlink.link import Line, MavlinkLink
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

        Raises:
            LinkTimeout: no answer; it may have been changed all the same.
        """
        to = (self._line.system_id, self._line.component_id)
        question = mav.MAVLink_param_set_message(
            *to, name.encode(), value, mav.MAV_PARAM_TYPE_REAL32
        )
        return await self._ask(name, question)

    async def _ask(self, name: str, question: Message) -> float:
        with self._line.expect(_Value, param_id=name) as answers:
            for _ in range(self._retries + 1):
                self._link.send(self._line, question)
                try:
                    return (await answers.within(self._timeouts.ack_s)).param_value
                except LinkTimeout:
                    continue
        raise LinkTimeout(f"no answer to {question.msgname} {name}")
