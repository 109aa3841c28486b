"""Hears all that goes over a broker and judges it by itself: it shares no code with the adapter."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiomqtt

Message = dict[str, Any]


@dataclass
class Recorder:
    """The last word of each robot, every order, and what was wrong with them."""

    host: str
    port: int
    states: dict[str, Message] = field(default_factory=dict[str, Message])
    connections: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    orders: dict[tuple[str, str, int], Message] = field(
        default_factory=dict[tuple[str, str, int], Message]
    )
    """By serial number, orderId, orderUpdateId: all but the header."""
    said: Counter[tuple[str, str, int]] = field(default_factory=Counter[tuple[str, str, int]])
    instant: Counter[str] = field(default_factory=Counter[str])
    """How often each type of instant action was sent."""
    contradictions: list[str] = field(default_factory=list[str])
    actions: dict[str, tuple[str, str, str]] = field(
        default_factory=dict[str, tuple[str, str, str]]
    )
    """By actionId: serial number, type, and the load's id."""
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Listen until cancelled; again after the broker was away."""
        while True:
            try:
                async with aiomqtt.Client(self.host, self.port) as client:
                    await client.subscribe("uagv/v2/#", qos=1)
                    async for message in client.messages:
                        self._take(message.topic.value, bytes(message.payload))
            except aiomqtt.MqttError:
                await asyncio.sleep(0.1)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["Recorder"]:
        """Listen meanwhile."""
        task = asyncio.create_task(self.run(), name="recorder")
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def until(self, happened: Callable[[], bool], at_most_s: float = 30.0) -> None:
        """Wait for something to have been said."""
        async with asyncio.timeout(at_most_s):
            while not happened():
                self.news.clear()
                await self.news.wait()

    def status(self, serial: str, action: str) -> str:
        """How far an action is, as the robot says."""
        listed = self.states.get(serial, {}).get("actionStates", [])
        return next((a["actionStatus"] for a in listed if a["actionId"] == action), "")

    def action_of(self, load: str, kind: str) -> str:
        """Id of the latest action of a type for a load; empty = it was not ordered."""
        found = [id_ for id_, (_, *what) in self.actions.items() if what == [kind, load]]
        return found[-1] if found else ""

    def _take(self, topic: str, payload: bytes) -> None:
        if payload:
            *_, serial, kind = topic.split("/")
            message = json.loads(payload)
            match kind:
                case "state":
                    self.states[serial] = message
                case "connection":
                    self.connections.setdefault(serial, []).append(message["connectionState"])
                case "order":
                    self._order(serial, message)
                case "instantActions":
                    listed = message.get("instantActions") or message.get("actions") or []
                    self.instant.update(action["actionType"] for action in listed)
                case _:
                    pass
        self.news.set()

    def _order(self, serial: str, message: Message) -> None:
        content = {k: v for k, v in message.items() if k not in ("headerId", "timestamp")}
        key = serial, message["orderId"], message["orderUpdateId"]
        if self.orders.setdefault(key, content) != content:
            self.contradictions.append(f"{key}: {self.orders[key]} and then {content}")
        self.said[key] += 1
        for node in message["nodes"]:
            for action in node["actions"]:
                facts = {p["key"]: p["value"] for p in action.get("actionParameters") or ()}
                load = str(facts.get("loadId", ""))
                self.actions[action["actionId"]] = serial, action["actionType"], load
