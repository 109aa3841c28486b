"""The robots of ``bench telemetry``, in a process of their own: they speak and do nothing else.

``python -m sim.bench.telemetry.vda5050_robots '{"vehicles": 2000, ...}'`` is told words on its
standard input; without a broker, all that it says goes to its standard output.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from fleet.clock import Clock
from fleet.vda5050.headers import Headers
from fleet.vda5050.state_messages import (
    CONNECTION,
    STATE,
    ActionState,
    AgvPosition,
    BatteryState,
    Connection,
    EdgeState,
    Load,
    NodeState,
    SafetyState,
    State,
    Velocity,
)
from fleet.vda5050.terms import ConnectionState, OperatingMode
from sim.bench.telemetry.figures import Asked
from sim.bench.telemetry.vda5050 import HEADER, LEVEL, config_of

TICK_S = 0.005
_NUMBER, _STAMP, _AT = 424_242, "2000-01-01T00:00:00.000Z", 4242.4242
"""What stands in a state's text where each message has words of its own."""


class Mouth:
    """Says messages, all that are due together in one write.

    Args:
        frame: a message as the other side reads it.
    """

    def __init__(
        self, write: Callable[[bytes], object], frame: Callable[[bytes, bytes], bytes]
    ) -> None:
        self._write, self._frame = write, frame
        self._due: list[bytes] = []

    def say(self, topic: str, payload: bytes) -> None:
        """One message; it leaves with the next `flush`."""
        self._due.append(self._frame(topic.encode(), payload))

    def flush(self) -> None:
        """Write what has been said."""
        due, self._due = self._due, []
        self._write(b"".join(due))


class Robot:
    """Says in each state where it is by then; all the rest stays: it is under way with a load."""

    def __init__(self, number: int, clock: Clock) -> None:
        config = config_of(number)
        headers = Headers(config, clock)
        self._topic, self._connection = config.topic("state"), config.topic("connection")
        self._hello = CONNECTION.encode(
            Connection(**headers.next("connection"), connection_state=ConnectionState.ONLINE)
        )
        self._said = 0
        header = {**headers.next("state"), "header_id": _NUMBER, "timestamp": _STAMP}
        text = STATE.encode(_state(number, header)).decode().replace("%", "%%")
        for old, new in ((str(_NUMBER), "%d"), (_STAMP, "%s"), (str(_AT), "%.6f")):
            text = text.replace(old, new)
        self._text = text

    def connect(self, mouth: Mouth) -> None:
        """Say hello."""
        mouth.say(self._connection, self._hello)

    def speak(self, mouth: Mouth, stamp: str) -> None:
        """Say how it is."""
        self._said += 1
        mouth.say(self._topic, (self._text % (self._said, stamp, time.monotonic())).encode())


def _state(number: int, header: dict[str, Any]) -> State:
    """Of some 1.2 kB, as a robot has it that carries a load five nodes further."""
    order, first = f"M-{number:06d}", 2 * (number % 5)
    return State(
        **header,
        order_id=order,
        order_update_id=3,
        last_node_id=f"n{first // 2}",
        last_node_sequence_id=first,
        driving=True,
        paused=False,
        new_base_request=False,
        operating_mode=OperatingMode.AUTOMATIC,
        node_states=tuple(
            NodeState(node_id=f"n{s // 2}", sequence_id=s, released=s < first + 8)
            for s in range(first + 2, first + 12, 2)
        ),
        edge_states=tuple(
            EdgeState(edge_id=f"n{s // 2}-n{s // 2 + 1}", sequence_id=s, released=s < first + 8)
            for s in range(first + 1, first + 11, 2)
        ),
        agv_position=AgvPosition(x=_AT, y=0.0, theta=0.0, map_id=LEVEL),
        velocity=Velocity(vx=1.0, vy=0.0, omega=0.0),
        loads=(Load(load_id=f"T-{number:06d}", load_type="general"),),
        action_states=(
            ActionState(action_id=f"{order}-1", action_type="pick", action_status="FINISHED"),
            ActionState(action_id=f"{order}-2", action_type="drop", action_status="WAITING"),
        ),
        battery_state=BatteryState(battery_charge=80.0, battery_voltage=48.0, charging=False),
        safety_state=SafetyState(),
    )


async def _speak(asked: Asked, robots: list[Robot], clock: Clock, mouth: Mouth) -> int:
    """All robots, evenly spread over each period; a message that is late is said when it can be."""
    began_s, said, last = time.monotonic(), 0, round(asked.seconds * asked.hz * asked.vehicles)
    pace = asked.hz * asked.vehicles
    while said < last:
        due = min(last, int((time.monotonic() - began_s) * pace) + 1)
        stamp = _stamp(clock)
        for number in range(said, due):
            robots[number % asked.vehicles].speak(mouth, stamp)
        mouth.flush()
        said = due
        await asyncio.sleep(TICK_S)
    return said


def _stamp(clock: Clock) -> str:
    return clock.now().isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


async def _live(asked: Asked) -> None:
    loop, clock = asyncio.get_running_loop(), Clock.starting()
    words = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(words), sys.stdin)
    pipe, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, sys.stdout)

    home = Mouth(pipe.write, _pipe_frame)
    mouth = home if asked.broker is None else Mouth(await _connect(*asked.broker), _mqtt_frame)
    robots = [Robot(number, clock) for number in range(asked.vehicles)]
    while word := (await words.readline()).strip():
        if word == b"hello":
            for robot in robots:
                robot.connect(mouth)
                robot.speak(mouth, _stamp(clock))
            mouth.flush()
        else:
            home.say("", str(await _speak(asked, robots, clock, mouth)).encode())
            home.flush()


def _pipe_frame(topic: bytes, payload: bytes) -> bytes:
    return HEADER.pack(len(topic), len(payload)) + topic + payload


def _mqtt_frame(topic: bytes, payload: bytes) -> bytes:
    """A PUBLISH of QoS 0. Source: MQTT 3.1.1, section 3.3."""
    length = _length(2 + len(topic) + len(payload))
    return b"\x30" + length + len(topic).to_bytes(2, "big") + topic + payload


async def _connect(host: str, port: int) -> Callable[[bytes], object]:
    """A connection to a broker that can do nothing but publish, and so costs next to nothing.

    Source: MQTT 3.1.1, sections 3.1 and 3.2; no keep-alive.
    """
    reader, writer = await asyncio.open_connection(host, port)
    name = f"bench-{time.monotonic_ns():x}".encode()
    body = b"\x00\x04MQTT\x04\x02\x00\x00" + len(name).to_bytes(2, "big") + name
    writer.write(b"\x10" + _length(len(body)) + body)
    answer = await reader.readexactly(4)
    if answer[3] != 0:
        raise ConnectionRefusedError(f"{host}:{port} takes no connection: code {answer[3]}")
    return writer.write


def _length(value: int) -> bytes:
    """A length as MQTT writes it: seven bits in each byte, the lowest first."""
    found = bytearray()
    while True:
        value, low = divmod(value, 128)
        found.append(low | (128 if value else 0))
        if not value:
            return bytes(found)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    given["broker"] = given["broker"] and tuple(given["broker"])
    asyncio.run(_live(Asked(**given)))
