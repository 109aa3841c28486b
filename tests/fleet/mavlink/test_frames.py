"""What is decoded by hand equals what pymavlink makes of the same bytes."""

from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.frames import Message, Walked, decode
from fleet.mavlink.parser import Parser

QUICK: tuple[Any, ...] = (
    mav.MAVLink_heartbeat_message,
    mav.MAVLink_sys_status_message,
    mav.MAVLink_attitude_message,
    mav.MAVLink_global_position_int_message,
    mav.MAVLink_mission_current_message,
    mav.MAVLink_extended_sys_state_message,
)
OTHERS: tuple[Any, ...] = (
    mav.MAVLink_command_ack_message,
    mav.MAVLink_mission_item_int_message,
    mav.MAVLink_gps_raw_int_message,
)
RANGES = {
    "uint8_t": (0, 2**8 - 1),
    "int8_t": (-(2**7), 2**7 - 1),
    "uint16_t": (0, 2**16 - 1),
    "int16_t": (-(2**15), 2**15 - 1),
    "uint32_t": (0, 2**32 - 1),
    "int32_t": (-(2**31), 2**31 - 1),
    "uint64_t": (0, 2**64 - 1),
}


def values(kind: str) -> st.SearchStrategy[float]:
    if kind == "float":
        return st.floats(width=32, allow_nan=False)
    return st.just(0) | st.integers(*RANGES[kind])


@st.composite
def frames(draw: st.DrawFn, kinds: Sequence[Any] = (*QUICK, *OTHERS)) -> bytes:
    cls = draw(st.sampled_from(kinds))
    fields = [draw(values(kind)) for kind in cls.fieldtypes]
    packer = mav.MAVLink(None, draw(st.integers(1, 255)), draw(st.integers(0, 255)))
    packer.seq = draw(st.integers(0, 255))
    old = cls.id < 256 and draw(st.integers(0, 9)) == 0
    data: bytes = cls(*fields).pack(packer, force_mavlink1=old)
    return data


def theirs(frame: bytes) -> Message | None:
    try:
        return mav.MAVLink(None).decode(bytearray(frame))
    except mav.MAVError:
        return None


def facts(message: Message) -> dict[str, Any]:
    header = message.get_header()
    names = ("_fieldnames", "_type", "_signed", "_link_id", "_instances", "_instance_field")
    return {
        **message.to_dict(),
        **{name: getattr(message, name) for name in names},
        "header": vars(header),
        "source": (message.get_srcSystem(), message.get_srcComponent(), message.get_seq()),
        "id": message.get_msgId(),
        "crc": message.get_crc(),
        "bytes": message.get_msgbuf(),
        "payload": message.get_payload(),
    }


@given(frames(QUICK).filter(lambda frame: frame[0] == mav.PROTOCOL_MARKER_V2))
def test_a_frame_decoded_by_hand_is_pymavlinks_message_in_all_its_parts(frame: bytes) -> None:
    ours, other = decode(frame), theirs(frame)
    assert isinstance(ours, Walked)
    assert other is not None
    assert isinstance(ours, type(other))
    assert facts(ours) == facts(other)
    assert ours == other


@given(frames(), st.data())
def test_a_frame_that_was_changed_is_judged_as_pymavlink_judges_it(
    frame: bytes, data: st.DataObject
) -> None:
    changed = bytearray(frame)
    for _ in range(data.draw(st.integers(0, 3))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    if changed[0] not in (0xFD, 0xFE) or (changed[0] == 0xFD and changed[2] > 1):
        return
    other = theirs(bytes(changed))
    ours = Parser().messages(bytes(changed))
    if other is None or other.get_msgId() == mav.MAVLINK_MSG_ID_UNKNOWN:
        assert all(message.get_msgbuf() != changed for message in ours)
    else:
        assert [facts(message) for message in ours] == [facts(other)]


@settings(max_examples=60)
@given(st.lists(frames(), max_size=8), st.data())
def test_a_stream_of_good_frames_gives_them_all_wherever_it_is_cut(
    sent: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    parser = Parser()
    found = [message for piece in pieces(stream, cuts) for message in parser.messages(piece)]
    assert [bytes(message.get_msgbuf()) for message in found] == sent
    assert parser.garbage == 0


@settings(max_examples=60)
@given(st.lists(frames(), min_size=1, max_size=6), st.data())
def test_a_cut_frame_and_noise_swallow_no_whole_datagram(
    sent: list[bytes], data: st.DataObject
) -> None:
    """pymavlink's own parser waits for the rest of a cut frame, and takes the next ones for it."""
    parser, found = Parser(), list[bytes]()
    for frame in sent:
        noise = data.draw(st.binary(max_size=30) | st.just(frame[: len(frame) // 2]))
        parser.messages(noise)
        found += [bytes(message.get_msgbuf()) for message in parser.messages(frame)]
    assert [one for one in found if one in sent] == sent


def pieces(stream: bytes, cuts: Sequence[int]) -> Iterator[bytes]:
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        yield stream[start:end]
