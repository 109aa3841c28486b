"""The speaking side of a telemetry benchmark: drones that say where they are, and obey no one.

Runs in a process of its own. Each drone has a socket of its own, as in the field.
"""

import heapq
import resource
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pymavlink.dialects.v20 import ardupilotmega as mav

PER_NETWORK = 250
"""System ids are 1-255, and some are kept for ground stations."""
STAMPS_PER_S = 100_000
"""A drone's height in millimetres counts time in this unit."""
JOIN_PER_S = 500
"""So many drones come to life each second."""
LOOK_S = 0.005
"""Between looks at what they are told."""

POSITION, LANDED, STATUS, CURRENT, HEARTBEAT = range(5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """What is to be said.

    Args:
        ports: one for each network, on the loopback.
        hz: of each drone's position; the rest comes as seldom as it is asked for.
        epoch_s: where heights count time from, on the monotonic clock.
    """

    ports: tuple[int, ...]
    drones: int
    hz: float
    lasts_s: float
    epoch_s: float


@dataclass(slots=True)
class _Drone:
    number: int
    socket: socket.socket
    packer: mav.MAVLink = field(init=False)

    def __post_init__(self) -> None:
        self.packer = mav.MAVLink(None, self.number % PER_NETWORK + 1, 1)

    def say(self, message: mav.MAVLink_message) -> None:
        data = message.pack(self.packer)
        self.packer.seq = (self.packer.seq + 1) % 256
        self.socket.send(data)


def speak(speech: Speech) -> list[float]:
    """Speak; returns when each position was said, on the monotonic clock."""
    _allow_sockets(speech.drones + 64)
    drones = [_Drone(number, _socket(speech, number)) for number in range(speech.drones)]
    with selectors.DefaultSelector() as selector:
        for drone in drones:
            selector.register(drone.socket, selectors.EVENT_READ, drone)
        try:
            return list(_speak(speech, drones, selector))
        finally:
            for drone in drones:
                drone.socket.close()


def _speak(
    speech: Speech, drones: Sequence[_Drone], selector: selectors.BaseSelector
) -> Iterator[float]:
    every_s = {
        POSITION: 1 / speech.hz,
        LANDED: 2 / speech.hz,
        STATUS: 5 / speech.hz,
        CURRENT: 5 / speech.hz,
        HEARTBEAT: 1.0,
    }
    began_s = time.monotonic()
    due = [
        (began_s + drone.number / JOIN_PER_S + every_s[kind] * (kind != HEARTBEAT), number, kind)
        for number, drone in enumerate(drones)
        for kind in every_s
    ]
    heapq.heapify(due)
    while (now_s := time.monotonic()) < began_s + speech.lasts_s:
        while due[0][0] <= now_s:
            due_s, number, kind = due[0]
            heapq.heapreplace(due, (due_s + every_s[kind], number, kind))
            said_s = time.monotonic()
            drones[number].say(_message(kind, said_s - speech.epoch_s))
            if kind == POSITION:
                yield _as_stamped(said_s, speech.epoch_s)
        for key, _ in selector.select(max(0.0, min(LOOK_S, due[0][0] - time.monotonic()))):
            _answer(key.data)


def _message(kind: int, age_s: float) -> mav.MAVLink_message:
    match kind:
        case _ if kind == POSITION:
            stamp = int(age_s * STAMPS_PER_S)
            lat_e7, lon_e7 = 305_928_000 + stamp % 10_000, 1_143_055_000 + stamp % 10_000
            return mav.MAVLink_global_position_int_message(
                int(age_s * 1000), lat_e7, lon_e7, 20_000 + stamp, stamp, 0, 0, 0, stamp % 36_000
            )
        case _ if kind == LANDED:
            return mav.MAVLink_extended_sys_state_message(0, mav.MAV_LANDED_STATE_IN_AIR)
        case _ if kind == STATUS:
            return mav.MAVLink_sys_status_message(0, 0, 0, 200, 24_000, 100, 80, 0, 0, 0, 0, 0, 0)
        case _ if kind == CURRENT:
            return mav.MAVLink_mission_current_message(2, 5)
        case _:
            armed = mav.MAV_MODE_FLAG_SAFETY_ARMED | mav.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED
            return mav.MAVLink_heartbeat_message(
                mav.MAV_TYPE_QUADROTOR,
                mav.MAV_AUTOPILOT_ARDUPILOTMEGA,
                armed,
                mav.COPTER_MODE_AUTO,
                mav.MAV_STATE_ACTIVE,
                3,
            )


def _as_stamped(said_s: float, epoch_s: float) -> float:
    """A moment as the other side reads it from the height."""
    return epoch_s + int((said_s - epoch_s) * STAMPS_PER_S) / STAMPS_PER_S


def _answer(drone: _Drone) -> None:
    """Say yes to a command; pass over our heartbeats."""
    try:
        data = drone.socket.recv(2048)
    except OSError:
        return
    for message in drone.packer.parse_buffer(bytearray(data)) or []:
        if isinstance(message, mav.MAVLink_command_long_message):
            drone.say(mav.MAVLink_command_ack_message(message.command, mav.MAV_RESULT_ACCEPTED))


def _socket(speech: Speech, number: int) -> socket.socket:
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.setblocking(False)
    one.connect(("127.0.0.1", speech.ports[number // PER_NETWORK]))
    return one


def _allow_sockets(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count <= hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
