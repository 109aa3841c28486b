"""Who wants to hear what: subscriptions, and which of them a topic goes to."""

import asyncio
import itertools
from collections.abc import Callable, KeysView
from dataclasses import dataclass

Handler = Callable[[str, bytes], None]

_KEPT = 50_000


def matches(pattern: str, topic: str) -> bool:
    """Whether an MQTT topic filter with ``+`` and ``#`` covers ``topic``.

    Source: MQTT 3.1.1, section 4.7.
    """
    if not is_wild(pattern):
        return pattern == topic
    if topic.startswith("$") and pattern[0] in "+#":
        return False
    wanted, given = pattern.split("/"), topic.split("/")
    for index, word in enumerate(wanted):
        if word == "#":
            return True
        if index == len(given) or word not in ("+", given[index]):
            return False
    return len(wanted) == len(given)


def is_wild(pattern: str) -> bool:
    """Whether a topic filter may cover more than one topic."""
    return "+" in pattern or "#" in pattern


@dataclass(slots=True, eq=False)
class Subscription:
    """One handler's interest in a topic filter, until `close`."""

    pattern: str
    handler: Handler
    number: int
    """It was the so-manieth; messages reach handlers in this order."""
    _on_close: Callable[["Subscription"], None]
    closed: bool = False

    def close(self) -> None:
        """End it; nothing is delivered any more, not even what is already under way."""
        if not self.closed:
            self.closed = True
            self._on_close(self)

    def deliver(self, topic: str, payload: bytes) -> None:
        """Hand one message to the handler."""
        if not self.closed:
            self.handler(topic, payload)


class Routes:
    """All subscriptions of one bus; those of thousands of robots cost no more than those of ten.

    Args:
        dropped: called with a filter that nobody wants any more.
    """

    def __init__(self, dropped: Callable[[str], None] = lambda _: None) -> None:
        self._dropped = dropped
        self._numbers = itertools.count()
        self._by_pattern: dict[str, list[Subscription]] = {}
        self._wild: dict[str, None] = {}
        self._known: dict[str, tuple[Subscription, ...]] = {}

    @property
    def patterns(self) -> KeysView[str]:
        """Every filter that somebody wants, once."""
        return self._by_pattern.keys()

    def add(self, pattern: str, handler: Handler) -> Subscription:
        """Subscribe."""
        subscription = Subscription(pattern, handler, next(self._numbers), self._remove)
        self._by_pattern.setdefault(pattern, []).append(subscription)
        if is_wild(pattern):
            self._wild[pattern] = None
        self._forget(pattern)
        return subscription

    def dispatch(self, topic: str, payload: bytes) -> None:
        """Have all handlers of ``topic`` called in the loop's next step."""
        loop = asyncio.get_running_loop()
        for subscription in self._to(topic):
            loop.call_soon(subscription.deliver, topic, payload)

    def _remove(self, subscription: Subscription) -> None:
        pattern = subscription.pattern
        self._forget(pattern)
        self._by_pattern[pattern].remove(subscription)
        if not self._by_pattern[pattern]:
            del self._by_pattern[pattern]
            self._wild.pop(pattern, None)
            self._dropped(pattern)

    def _forget(self, pattern: str) -> None:
        if is_wild(pattern):
            self._known.clear()
        else:
            self._known.pop(pattern, None)

    def _to(self, topic: str) -> tuple[Subscription, ...]:
        found = self._known.get(topic)
        if found is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            fitting = [pattern for pattern in self._wild if matches(pattern, topic)]
            if topic in self._by_pattern and topic not in self._wild:
                fitting.append(topic)
            wanted = (one for pattern in fitting for one in self._by_pattern[pattern])
            found = tuple(sorted(wanted, key=lambda one: one.number))
            self._known[topic] = found
        return found
