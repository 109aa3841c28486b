"""Bytes of one peer into MAVLink messages; whatever is not MAVLink is counted and passed over."""

from pymavlink.dialects.v20 import ardupilotmega as mav

Message = mav.MAVLink_message

_HEAD, _CHECKSUM, _SIGNATURE = 10, 2, 13
_NOT_FOR_US = frozenset({mav.MAVLINK_MSG_ID_BAD_DATA, mav.MAVLINK_MSG_ID_UNKNOWN})


class Parser:
    """Finds the messages in what one peer sends.

    A datagram that is one whole frame is decoded at once; anything else goes through a stream
    parser of this peer alone, so that no peer's broken frames can swallow another's good ones.
    """

    def __init__(self) -> None:
        self._stream = mav.MAVLink(None)
        self._stream.robust_parsing = True
        self.garbage = 0
        """How many pieces were not MAVLink, or of no message that we know."""

    def messages(self, datagram: bytes) -> list[Message]:
        """The messages that a datagram completes; never raises, whatever the bytes are."""
        if _is_one_frame(datagram):
            try:
                return self._known([self._stream.decode(bytearray(datagram))])
            except mav.MAVError:
                self.garbage += 1
                return []
        return self._known(self._stream.parse_buffer(bytearray(datagram)) or [])

    def _known(self, found: list[Message]) -> list[Message]:
        known = [message for message in found if message.get_msgId() not in _NOT_FOR_US]
        self.garbage += len(found) - len(known)
        return known


def _is_one_frame(datagram: bytes) -> bool:
    if len(datagram) < _HEAD + _CHECKSUM or datagram[0] != mav.PROTOCOL_MARKER_V2:
        return False
    flags = datagram[2]
    signature = _SIGNATURE if flags & mav.MAVLINK_IFLAG_SIGNED else 0
    return flags in (0, mav.MAVLINK_IFLAG_SIGNED) and (
        len(datagram) == _HEAD + datagram[1] + _CHECKSUM + signature
    )
