"""A sloppy robot for stories: a strict one behind a wire that makes it break one rule.

Each fault rewrites what the robot says or hears, so that to its master it is the robot that does
it; what its body does is real.
"""

import asyncio
import json
import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from fleet.bus import Bus, Handler, Subscription
from sim.running.wires import MemoryWires

Json = dict[str, Any]
Hear = Callable[[str, Json], None]


class Fault:
    """One rule broken; this one breaks none."""

    rule: str | None = None
    """What the master should call it; None = it can't know."""
    hear: Hear
    """Makes the robot hear something that its master did not say."""
    say: Hear
    """Publishes something in the robot's name."""

    def said(self, name: str, message: Json) -> Sequence[Json | bytes]:
        """What is heard of what the robot says on one topic."""
        return [self.state(message)] if name == "state" else [message]

    def state(self, message: Json) -> Json:
        """A state as it is heard."""
        return message

    def heard(self, name: str, message: Json) -> Sequence[Json]:
        """What the robot makes of what its master says."""
        return [message]


class NeverEmpties(Fault):
    """Lists all nodes and edges of its order for ever."""

    rule = "never_empties"

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, dict[int, Json]]] = {}

    def state(self, message: Json) -> Json:
        kept = self._kept.setdefault(message["orderId"], {"nodeStates": {}, "edgeStates": {}})
        for key, known in kept.items():
            known |= {one["sequenceId"]: one for one in message[key]}
        return {**message, **{key: list(known.values()) for key, known in kept.items()}}


class Nulls(Fault):
    """Sends null where a number should stand."""

    rule = "wrong_count"

    def state(self, message: Json) -> Json:
        position = {**message["agvPosition"], "x": None, "y": None, "theta": None}
        return {
            **message,
            "lastNodeSequenceId": None,
            "agvPosition": position,
            "batteryState": {**message["batteryState"], "batteryCharge": None},
            "velocity": {"vx": None},
        }


class NotNumbers(Fault):
    """Sends NaN and infinity where numbers should stand."""

    rule = "not_a_number"

    def state(self, message: Json) -> Json:
        position = {**message["agvPosition"], "x": math.nan, "theta": math.inf}
        battery = {**message["batteryState"], "batteryCharge": -math.inf}
        return {**message, "agvPosition": position, "batteryState": battery}


class ForeignOrder(Fault):
    """Takes another master's order while it drives for us."""

    rule = "foreign_order"

    def __init__(self) -> None:
        self._order: Json = {}
        self._step = 0

    def heard(self, name: str, message: Json) -> Sequence[Json]:
        if name == "order" and not self._order:
            self._order = message
        return [message]

    def said(self, name: str, message: Json) -> Sequence[Json | bytes]:
        if name != "state" or self._step == 2:
            return [message]
        if self._step == 0 and message["orderId"] and message["driving"]:
            self._step = 1
            cancel = {"actionType": "cancelOrder", "actionId": "x", "blockingType": "HARD"}
            self.hear("instantActions", {**_header(self._order), "actions": [cancel]})
        elif self._step == 1 and not message["nodeStates"] and not message["driving"]:
            self._step = 2
            here = {**self._order["nodes"][0], "nodeId": message["lastNodeId"], "sequenceId": 0}
            other = {"orderId": "X-1", "orderUpdateId": 0, "nodes": [here], "edges": []}
            self.hear("order", {**_header(self._order), **other})
        return [message] if self._step == 0 else []


class IgnoresCancel(Fault):
    """Never hears cancelOrder."""

    rule = "ignores_cancel"

    def heard(self, name: str, message: Json) -> Sequence[Json]:
        return [] if _asks(name, message, "cancelOrder") else [message]


class CancelsForEver(Fault):
    """Hears cancelOrder and stops, but never says that it has."""

    def state(self, message: Json) -> Json:
        actions = [
            {**a, "actionStatus": "RUNNING"} if a.get("actionType") == "cancelOrder" else a
            for a in message["actionStates"]
        ]
        cancelling = any(a.get("actionType") == "cancelOrder" for a in actions)
        return {**message, "actionStates": actions, "driving": message["driving"] or cancelling}


class IntoHorizon(Fault):
    """Takes the horizon for its base."""

    rule = "beyond_base"

    def __init__(self) -> None:
        self._released: dict[tuple[str, int], bool] = {}
        self._end: dict[str, int] = {}
        self._update: dict[str, int] = {}

    def heard(self, name: str, message: Json) -> Sequence[Json]:
        if name != "order":
            return [message]
        order = message["orderId"]
        end = self._end.get(order, -1)
        for one in (*message["nodes"], *message["edges"]):
            self._released[order, one["sequenceId"]] = one["released"]
        self._end[order] = max(end, message["nodes"][-1]["sequenceId"])
        self._update[order] = message["orderUpdateId"]
        nodes = [{**n, "released": True} for n in message["nodes"] if n["sequenceId"] >= end]
        edges = [{**e, "released": True} for e in message["edges"] if e["sequenceId"] > end]
        new = end < 0 or len(nodes) > 1
        return [{**message, "nodes": nodes, "edges": edges}] if new else []

    def state(self, message: Json) -> Json:
        order = message["orderId"]
        told = {
            key: [
                {**one, "released": self._released.get((order, one["sequenceId"]), True)}
                for one in message[key]
            ]
            for key in ("nodeStates", "edgeStates")
        }
        return {**message, **told, "orderUpdateId": self._update.get(order, 0)}


class DropsThird(Fault):
    """Loses every third message, both ways."""

    def __init__(self) -> None:
        self._count = 0

    def _lost(self) -> bool:
        self._count += 1
        return self._count % 3 == 0

    def said(self, name: str, message: Json) -> Sequence[Json | bytes]:
        return [] if self._lost() else [message]

    def heard(self, name: str, message: Json) -> Sequence[Json]:
        return [] if self._lost() else [message]


class OldStamps(Fault):
    """Has no clock."""

    rule = "clock_off"

    def said(self, name: str, message: Json) -> Sequence[Json | bytes]:
        return [{**message, "timestamp": "1970-01-01T00:00:00.000Z"}]


class OneHeaderId(Fault):
    """Does not count its messages."""

    rule = "repeated_header"

    def said(self, name: str, message: Json) -> Sequence[Json | bytes]:
        return [{**message, "headerId": 7}]


class OneHeader(OneHeaderId):
    """Neither counts nor has a clock: nothing tells its new words from old ones."""

    def said(self, name: str, message: Json) -> Sequence[Json | bytes]:
        return [{**message, "headerId": 7, "timestamp": "1970-01-01T00:00:00.000Z"}]


class Huge(Fault):
    """Sends states of a megabyte."""

    rule = "oversized"

    def __init__(self, errors: int = 3000) -> None:
        self._errors = errors

    def state(self, message: Json) -> Json:
        error = {"errorType": "log", "errorLevel": "WARNING", "errorDescription": "x" * 300}
        return {**message, "errors": [error] * self._errors}


class Long(Huge):
    """Sends states of a fifth of a megabyte."""

    rule = None

    def __init__(self) -> None:
        super().__init__(errors=500)


class ShownOnce(Fault):
    """Drops what has ended after it has said it once."""

    rule = "forgets_result"

    def said(self, name: str, message: Json) -> Sequence[Json | bytes]:
        if name != "state":
            return [message]
        ended = {"FINISHED", "FAILED"}
        left = [a for a in message["actionStates"] if a["actionStatus"] not in ended]
        number = 2 * message["headerId"]
        once = {**message, "headerId": number}
        return [once, {**once, "headerId": number + 1, "actionStates": left}]


class WaitsAgain(Fault):
    """Lists actions again as WAITING once it has ended them, as some do after an update."""

    rule = "reopens_action"

    def __init__(self) -> None:
        self._ended: dict[str, Json] = {}

    def state(self, message: Json) -> Json:
        again = {a["actionId"]: a for a in message["actionStates"]}
        shown = {**again, **self._ended}
        self._ended |= {
            id_: {**a, "actionStatus": "WAITING"}
            for id_, a in again.items()
            if a["actionStatus"] == "FINISHED" and a["actionType"] in ("pick", "drop")
        }
        return {**message, "actionStates": list(shown.values())}


class RefusesRepeat(Fault):
    """Echoes late, and calls an order that it has already a fatal error, for ever."""

    rule = "refuses_repeat"

    def __init__(self) -> None:
        self._known: set[tuple[str, int]] = set()
        self._since_s = 0.0
        self._before: Json | None = None
        self._errors: list[Json] = []

    def heard(self, name: str, message: Json) -> Sequence[Json]:
        if name != "order":
            return [message]
        which = message["orderId"], message["orderUpdateId"]
        if which in self._known:
            error = {"errorType": "orderUpdateError", "errorLevel": "FATAL"}
            about = [{"referenceKey": "orderId", "referenceValue": message["orderId"]}]
            self._errors = [{**error, "errorReferences": about}]
            return []
        self._known.add(which)
        self._since_s = _now_s()
        return [message]

    def state(self, message: Json) -> Json:
        late = self._before is not None and _now_s() < self._since_s + 20
        if not late:
            self._before = message
        shown = self._before or message
        return {**shown, **_header(message), "errors": self._errors}


class HidesActions(Fault):
    """Never lists the actions of its order."""

    rule = "hides_action"

    def state(self, message: Json) -> Json:
        ours = {"pick", "drop", "startCharging", "stopCharging"}
        listed = [a for a in message["actionStates"] if a.get("actionType") not in ours]
        return {**message, "actionStates": listed}


class OrderIdIsNumber(Fault):
    """Says its orderId as a number."""

    rule = "unreadable"

    def state(self, message: Json) -> Json:
        return {**message, "orderId": 17}


class NeverCounts(Fault):
    """Leaves lastNodeSequenceId at 0."""

    rule = "wrong_count"

    def state(self, message: Json) -> Json:
        return {**message, "lastNodeSequenceId": 0}


class NoConnection(Fault):
    """Never says on ``connection`` that it is there."""

    def said(self, name: str, message: Json) -> Sequence[Json | bytes]:
        return [] if name == "connection" else [message]


class LateWill(Fault):
    """Its last will comes when it is long back."""

    rule = "says_offline"

    def __init__(self) -> None:
        self._states = 0

    def said(self, name: str, message: Json) -> Sequence[Json | bytes]:
        self._states += name == "state"
        if name == "state" and self._states == 3:
            self.say("connection", {**_header(message), "connectionState": "CONNECTIONBROKEN"})
        return [message]


class RefusesAll(Fault):
    """Calls every order an error."""

    def __init__(self) -> None:
        self._errors: deque[Json] = deque(maxlen=1)

    def heard(self, name: str, message: Json) -> Sequence[Json]:
        if name != "order":
            return [message]
        error = {"errorType": "orderError", "errorLevel": "WARNING", "errorDescription": "no"}
        about = [{"referenceKey": "orderId", "referenceValue": message["orderId"]}]
        self._errors.append({**error, "errorReferences": about})
        self.hear("instantActions", _request(message, "stateRequest"))
        return []

    def state(self, message: Json) -> Json:
        return {**message, "errors": list(self._errors)}


class Deaf(Fault):
    """Hears no order at all, as without the right to read its topic."""

    rule = "ignores_orders"

    def heard(self, name: str, message: Json) -> Sequence[Json]:
        return [] if name == "order" else [message]


class WrongName(Fault):
    """Writes another robot's name into its headers."""

    rule = "wrong_name"

    def said(self, name: str, message: Json) -> Sequence[Json | bytes]:
        return [{**message, "serialNumber": "C3"}]


class OldVersion(Fault):
    """Speaks a version that we don't."""

    rule = "wrong_version"

    def said(self, name: str, message: Json) -> Sequence[Json | bytes]:
        return [{**message, "version": "1.1.0"}]


class StrangeMap(Fault):
    """Is on a map that nobody knows."""

    rule = "unknown_map"

    def state(self, message: Json) -> Json:
        return {**message, "agvPosition": {**message["agvPosition"], "mapId": "cellar"}}


class Twin(Fault):
    """A second robot of the same name stands elsewhere and talks as well."""

    rule = "two_robots"

    def __init__(self) -> None:
        self._count = 40_000

    def said(self, name: str, message: Json) -> Sequence[Json | bytes]:
        if name != "state":
            return [message]
        self._count += 1
        away = {**message["agvPosition"], "x": 200.0, "y": 90.0}
        idle = {"nodeStates": [], "edgeStates": [], "actionStates": [], "orderId": ""}
        other = {**message, **idle, "headerId": self._count, "agvPosition": away}
        return [message, other]


class Junk(Fault):
    """Says much that can't be read beside what can."""

    rule = "unreadable"

    def said(self, name: str, message: Json) -> Sequence[Json | bytes]:
        text = json.dumps(message).encode()
        return [b"", text[: len(text) // 2], b"\xff" + text, b"[" * 5000, text]


class Says(Fault):
    """Is in a mode, has an error, or is stopped, from the start."""

    def __init__(self, **changes: object) -> None:
        self._changes = changes

    def state(self, message: Json) -> Json:
        return {**message, **self._changes}


def _header(message: Json) -> Json:
    names = ("headerId", "timestamp", "version", "manufacturer", "serialNumber")
    return {name: message[name] for name in names}


def _request(message: Json, action: str) -> Json:
    ask = {"actionType": action, "actionId": f"{action}-x", "blockingType": "NONE"}
    return {**_header(message), "actions": [ask]}


def _asks(name: str, message: Json, action: str) -> bool:
    asked = [a["actionType"] for a in message.get("actions", ())]
    return name == "instantActions" and action in asked


def _now_s() -> float:
    return asyncio.get_running_loop().time()


class SloppyBus:
    """The robots' end of a bus, where one robot has a fault."""

    def __init__(self, inner: Bus, robot: str, fault: Fault) -> None:
        self._inner, self._robot, self._fault = inner, robot, fault
        self._handlers: dict[str, Handler] = {}
        self._sending: set[asyncio.Task[None]] = set()
        fault.hear = self._make_hear
        fault.say = self._say

    @property
    def online(self) -> bool:
        """As the bus is."""
        return self._inner.online

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        """Publish what the fault makes of it."""
        if f"/{self._robot}/" not in topic:
            await self._inner.publish(topic, payload, qos=qos, retain=retain)
            return
        name = topic.rpartition("/")[2]
        for made in self._fault.said(name, json.loads(payload)):
            raw = made if isinstance(made, bytes) else json.dumps(made).encode()
            await self._inner.publish(topic, raw, qos=qos, retain=retain)

    def subscribe(self, pattern: str, handler: Handler) -> Subscription:
        """Subscribe to what the fault lets through."""
        if f"/{self._robot}/" not in pattern:
            return self._inner.subscribe(pattern, handler)
        self._handlers[pattern.rpartition("/")[2]] = handler
        self._topic = pattern.rpartition("/")[0]

        def filtered(topic: str, payload: bytes) -> None:
            name = topic.rpartition("/")[2]
            for made in self._fault.heard(name, json.loads(payload)):
                handler(topic, json.dumps(made).encode())

        return self._inner.subscribe(pattern, filtered)

    async def run(self) -> None:
        """Keep the bus."""
        await self._inner.run()

    def _make_hear(self, name: str, message: Json) -> None:
        raw = json.dumps(message).encode()
        loop = asyncio.get_running_loop()
        loop.call_soon(self._handlers[name], f"{self._topic}/{name}", raw)

    def _say(self, name: str, message: Json) -> None:
        raw = json.dumps(message).encode()
        sending = asyncio.ensure_future(self._inner.publish(f"{self._topic}/{name}", raw))
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)


class SloppyWires(MemoryWires):
    """Wires in this process, one robot of which is sloppy."""

    def __init__(self, robot: str, fault: Fault) -> None:
        super().__init__()
        self._stage_bus = SloppyBus(super().bus, robot, fault)

    @property
    def stage_bus(self) -> Bus:
        """The robots' end."""
        return self._stage_bus
