"""Makes broken messages of real ones: a seeded fuzzer that knows JSON and headers."""

import json
import math
import random
from collections.abc import Sequence
from typing import Any

STAMPS = (
    "",
    "yesterday",
    "1970-01-01T00:00:00.000Z",
    "9999-12-31T23:59:59.999Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "2026-02-30T10:00:00Z",
    "2026-03-01T08:00:00",
    "2026-03-01T08:00:00.123456789Z",
    "٢٠٢٦-03-01T08:00:00Z",
    "1e9",
)
WORDS = ("ONLINE", "OFFLINE", "CONNECTIONBROKEN", "AUTOMATIC", "MANUAL", "FINISHED", "FATAL", "b1")


def values(rng: random.Random) -> Any:
    """Something that does not belong here."""
    return rng.choice(
        (
            None,
            True,
            0,
            -1,
            2**31,
            2**63,
            -(10**30),
            10**400,
            1e308,
            -1e308,
            1e-320,
            math.nan,
            math.inf,
            -math.inf,
            "",
            "NaN",
            "17",
            "x" * rng.choice((10, 1000, 20_000)),
            "\ud800",
            "\u0000\u202e",
            [],
            [None],
            [[]] * 50,
            {},
            {"x": None},
            rng.choice(WORDS),
            rng.choice(STAMPS),
            rng.random() * 10**6,
        )
    )


def mutated(rng: random.Random, message: Any) -> bytes:
    """One real message, broken in one way or a few."""
    if rng.random() < 0.25:
        return _raw(rng, json.dumps(message).encode())
    made: Any = json.loads(json.dumps(message))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        made = _broken(rng, made)
    text = json.dumps(made)
    if rng.random() < 0.02:
        text = text.replace("0", "9" * 5000, 1)
    return text.encode()


def _broken(rng: random.Random, message: Any) -> Any:
    spots = list(_spots(message))
    if not spots or rng.random() < 0.02:
        return values(rng)
    holder, key = rng.choice(spots)
    match rng.randrange(8):
        case 0:
            del holder[key]
        case 1 | 2 | 3:
            holder[key] = values(rng)
        case 4 if isinstance(holder, dict):
            holder[rng.choice(("extra", "", "x" * 500, "headerID", "ORDERID"))] = values(rng)
        case 5 if isinstance(holder[key], list):
            holder[key] = holder[key] * rng.choice((0, 2, 200))
        case 6 if isinstance(message, dict):
            message["headerId"] = rng.choice((0, -1, 2**31, 2**64, rng.randrange(10**6)))
        case 7 if isinstance(message, dict):
            message["timestamp"] = rng.choice(STAMPS)
        case _:
            holder[key] = str(holder[key])[:5000]
    return message


def _spots(value: Any) -> Sequence[tuple[Any, Any]]:
    """All places of a message that could be changed: what holds each, and under which key."""
    found: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += [(value, key), *_spots(inner)]
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += [(value, index), *_spots(inner)]
    return found


def _raw(rng: random.Random, text: bytes) -> bytes:
    where = rng.randrange(len(text))
    match rng.randrange(12):
        case 0:
            return text[:where]
        case 1:
            return b""
        case 2:
            return text[:where] + bytes([rng.randrange(256)]) + text[where + 1 :]
        case 3:
            return text[:where] + b"\xff\xfe\xc3\x28" + text[where:]
        case 4:
            return b"\xef\xbb\xbf" + text
        case 5:
            return text + text
        case 6:
            return b"[" * rng.choice((100, 5000, 50_000)) + b"null"
        case 7:
            depth = rng.choice((100, 1000, 20_000))
            return text[:-1] + b', "extra": ' + b'{"a":' * depth + b"null" + b"}" * depth + b"}"
        case 8:
            return text[:-1] + b', "extra": "' + b"x" * rng.choice((1000, 600_000)) + b'"}'
        case 9:
            return rng.randbytes(rng.randrange(200))
        case 10:
            return text.replace(b'"', b"'", 3)
        case _:
            return text.upper()
