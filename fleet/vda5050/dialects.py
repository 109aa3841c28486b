"""What differs on the wire between robots of versions 2.0, 2.1 and 3.0: spellings, mostly.

There is one message model; a dialect only renames on the way out. On the way in the model takes
all spellings.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, cast

from fleet.clock import to_us
from fleet.vda5050.config import Vda5050Config
from fleet.vda5050.order_messages import INSTANT_ACTIONS, ORDER, InstantActions, Order
from fleet.vda5050.version_3 import instant_actions_in_3, order_in_3

_OUR_KEYS: Final = ("actions", "allowedDeviationXY")


def encode_order(order: Order, config: Vda5050Config) -> bytes:
    """An order as this robot spells it."""
    if config.v3:
        return _edited(ORDER.encode(order), order_in_3)
    if config.deviation_key == _OUR_KEYS[1]:
        return ORDER.pack(order)

    def rename(order: dict[str, object]) -> None:
        for node in cast("list[dict[str, dict[str, object]]]", order["nodes"]):
            position = node.get("nodePosition", {})
            if _OUR_KEYS[1] in position:
                position[config.deviation_key] = position.pop(_OUR_KEYS[1])

    return _edited(ORDER.encode(order), rename)


def encode_instant_actions(message: InstantActions, config: Vda5050Config) -> bytes:
    """Instant actions as this robot spells them."""
    payload = INSTANT_ACTIONS.encode(message)
    if config.v3:
        return _edited(payload, instant_actions_in_3)
    if config.instant_actions_key == _OUR_KEYS[0]:
        return payload

    def rename(message: dict[str, object]) -> None:
        message[config.instant_actions_key] = message.pop(_OUR_KEYS[0])

    return _edited(payload, rename)


def _edited(payload: bytes, edit: Callable[[dict[str, Any]], None]) -> bytes:
    message: dict[str, Any] = json.loads(payload)
    edit(message)
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def stamp(at: datetime) -> str:
    """An aware moment as the headers want it: UTC, milliseconds, ``Z``."""
    return stamp_us(to_us(at))


def stamp_us(at_us: int) -> str:
    """The same for microseconds since 1970 began."""
    minute, us = divmod(at_us, 60_000_000)
    return f"{_minute(minute)}:{us // 1_000_000:02}.{us // 1000 % 1000:03}Z"


@lru_cache(8)
def _minute(number: int) -> str:
    return datetime.fromtimestamp(60 * number, UTC).isoformat(timespec="minutes")[:-6]


def read_stamp(text: str) -> datetime | None:
    """The moment that a robot's header names; one without a zone is taken as UTC; None = junk."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
