"""Bytes of one peer into MAVLink messages; whatever is not MAVLink is counted and passed over."""

from collections.abc import Callable

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.frames import CHECKSUM, HEAD, MARKER, SIGNATURE, Broken, Message, decode

__all__ = ["Message", "Parser"]

_UNKNOWN = mav.MAVLINK_MSG_ID_UNKNOWN
_OLD_MARKER, _OLD_HEAD = mav.PROTOCOL_MARKER_V1, mav.HEADER_LEN_V1
_SIGNED = mav.MAVLINK_IFLAG_SIGNED


class Parser:
    """Finds the messages in what one peer sends, in datagrams or in pieces of a stream.

    A datagram of whole frames is taken as it is. The rest of a frame that was cut is waited for.
    After a frame that turns out to be broken the search goes on with its second byte, so that it
    swallows no good one; and another peer has a parser of its own.

    Args:
        admits: asked for each frame whether to believe it; None = all are believed.
    """

    def __init__(self, admits: Callable[[bytes], bool] | None = None) -> None:
        self._admits = admits
        self._pymavlink = mav.MAVLink(None)
        self._rest = b""
        self.garbage = 0
        """How many pieces were not MAVLink, or of no message that we know."""

    def messages(self, datagram: bytes) -> list[Message]:
        """The messages that a datagram completes; never raises, whatever the bytes are."""
        found, admits = self._found(datagram), self._admits
        return found if admits is None else [m for m in found if admits(bytes(m.get_msgbuf()))]

    def _found(self, datagram: bytes) -> list[Message]:
        if len(datagram) > HEAD and _length(datagram, 0) == len(datagram):
            message = self._message(datagram)
            if message is not None:
                self._drop_rest()
                return [message]
        found = self._whole_frames(datagram)
        if not found:
            return self._walk(self._rest + datagram)
        self._drop_rest()
        return found

    def _whole_frames(self, datagram: bytes) -> list[Message] | None:
        """What is in a datagram that is good frames from end to end; None where it is not."""
        found: list[Message] = []
        at = 0
        while at < len(datagram):
            length = _length(datagram, at)
            if not length or at + length > len(datagram):
                return None
            message = self._message(datagram[at : at + length])
            if message is None:
                return None
            found.append(message)
            at += length
        return found

    def _walk(self, data: bytes) -> list[Message]:
        """Frames with anything before, between and after them."""
        found: list[Message] = []
        at = 0
        self._rest = b""
        while at < len(data):
            length = _length(data, at)
            if length is None or (length and at + length > len(data)):
                self._rest = data[at:]
                break
            message = self._message(data[at : at + length]) if length else None
            if message is not None:
                found.append(message)
                at += length
                continue
            self.garbage += 1
            at = _next_marker(data, at + 1)
        return found

    def _message(self, frame: bytes) -> Message | None:
        """The message in one frame; None where it is broken, or of a type that nobody knows."""
        try:
            if frame[0] == MARKER and not frame[2]:
                message = decode(frame)
                if message is not None:
                    return message
            message = self._pymavlink.decode(bytearray(frame))
        except (Broken, mav.MAVError):
            return None
        return None if message.get_msgId() == _UNKNOWN else message

    def _drop_rest(self) -> None:
        if self._rest:
            self._rest = b""
            self.garbage += 1


def _length(data: bytes, at: int) -> int | None:
    """Bytes of the frame that begins at a place; 0 = none does, None = too little is there."""
    marker, left = data[at], len(data) - at
    if marker == MARKER:
        if left < 3:
            return None
        flags = data[at + 2]
        if flags not in (0, _SIGNED):
            return 0
        return HEAD + data[at + 1] + CHECKSUM + (SIGNATURE if flags else 0)
    if marker == _OLD_MARKER:
        return None if left < 2 else _OLD_HEAD + data[at + 1] + CHECKSUM
    return 0


def _next_marker(data: bytes, at: int) -> int:
    """The next place where a frame may begin; the end of the data where there is none."""
    places = (data.find(MARKER, at), data.find(_OLD_MARKER, at))
    return min((place for place in places if place >= 0), default=len(data))
