"""The journal: what happened, in the order it happened, with a hash over all of it.

Two runs that did the same have the same hash. So a line holds no random number, no memory
address and no wall clock: times are whole milliseconds since the journal's clock began.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatcher.domain.task import TaskId
from fleet.clock import Clock
from fleet.vehicle import VehicleId
from routing.refusal import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened.

    Args:
        seq: 1, 2, 3 ... without a gap, also over restarts.
        at_s: loop second.
        kind: stable word in snake_case, such as ``task_accepted``.
        facts: plain JSON values only.
    """

    seq: int
    at_s: float
    kind: str
    task: TaskId | None
    vehicle: VehicleId | None
    facts: Mapping[str, Any]


class Journal:
    """Numbers events, stamps them and hashes them; it never changes or forgets one.

    Args:
        clock: its loop second zero is the journal's.
        first_seq: number of the next event; after a restart `Store.next_numbers` knows it.
        sink: gets each event's line (canonical JSON, no line end), for a journal file.
    """

    def __init__(
        self, clock: Clock, *, first_seq: int = 1, sink: Callable[[str], object] | None = None
    ) -> None:
        self._clock = clock
        self._next_seq = first_seq
        self._sink = sink
        self._hash = hashlib.sha256()

    def event(
        self,
        kind: str,
        *,
        task: TaskId | None = None,
        vehicle: VehicleId | None = None,
        **facts: Any,
    ) -> Event:
        """Note what happens now.

        Facts may be numbers, words, refusals, dates, and mappings and sequences of them; a set
        has no order and is refused with TypeError.
        """
        event = Event(
            seq=self._next_seq,
            at_s=self._clock.now_s(),
            kind=kind,
            task=task,
            vehicle=vehicle,
            facts={name: plain(value) for name, value in facts.items()},
        )
        self._next_seq += 1
        line = self._line(event)
        self._hash.update(line.encode() + b"\n")
        if self._sink is not None:
            self._sink(line)
        return event

    def now_s(self) -> float:
        """This moment in loop seconds, by the journal's clock."""
        return self._clock.now_s()

    @property
    def sha256(self) -> str:
        """Hash of all lines of this run so far, each with its line end."""
        return self._hash.hexdigest()

    def _line(self, event: Event) -> str:
        at = self._clock.to_utc(event.at_s)
        return canonical(
            {
                "seq": event.seq,
                "at_ms": round((event.at_s - self._clock.loop_s) * 1000),
                "at": at.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z",
                "kind": event.kind,
                "task": event.task,
                "vehicle": event.vehicle,
                "facts": event.facts,
            }
        )


def canonical(value: object) -> str:
    """The one JSON text of ``value``: keys sorted, no spaces."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def plain(value: object) -> Any:
    """``value`` as plain JSON values; floats to three decimals. TypeError if it can't be."""
    match value:
        case None | bool():
            return value
        case str():
            return str(value)
        case int():
            return int(value)
        case float():
            if not math.isfinite(value):
                raise ValueError(f"a journal holds no {value}")
            return round(value, 3) + 0.0
        case Refusal():
            return {"code": value.code, "facts": plain(value.facts)}
        case datetime():
            return value.isoformat()
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case Sequence() if not isinstance(value, bytes | bytearray | memoryview):
            return [plain(item) for item in value]
        case _:
            raise TypeError(f"a journal can't hold a {type(value).__name__}: {value!r}")
