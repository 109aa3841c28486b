"""The parameter protocol from the autopilot's side."""

from collections.abc import Callable

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.commands import mav_text
from sim.mavlink.link import AutopilotLink
from sim.mavlink.missions import Sender
from sim.mavlink.params import Parameters


class ParamServer:
    """Reads out one autopilot's parameters, and changes them.

    Args:
        changed: called after each change.
    """

    def __init__(
        self, params: Parameters, link: AutopilotLink, changed: Callable[[], None]
    ) -> None:
        self._params, self._link, self._changed = params, link, changed

    def on_read(self, sender: Sender, message: mav.MAVLink_param_request_read_message) -> None:
        """A ground station wants to read one, by name or by index."""
        by_name = message.param_index < 0
        self._tell(sender, mav_text(message.param_id) if by_name else message.param_index)

    def on_list(
        self,
        sender: Sender,
        message: mav.MAVLink_param_request_list_message,  # noqa: ARG002
    ) -> None:
        """A ground station wants to read all."""
        for index in range(len(self._params)):
            self._tell(sender, index)

    def on_set(
        self,
        sender: Sender,  # noqa: ARG002
        message: mav.MAVLink_param_set_message,
    ) -> None:
        """A change is told to all."""
        name = mav_text(message.param_id)
        if self._params.set(name, message.param_value):
            self._changed()
            found = self._params.message(name)
            if found is not None:
                self._link.tell_all(found)

    def _tell(self, to: Sender, key: str | int) -> None:
        found = self._params.message(key)
        if found is not None:
            self._link.reply(to, found)
