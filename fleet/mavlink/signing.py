"""Signed frames: who has the key may speak, and nobody may say the same thing twice.

A signature says who speaks; it hides nothing. pymavlink believes a frame's timestamp before it
has looked at the signature, so one forged frame from the far future locks the real drone out.
Here the signature comes first.

Source: MAVLink guide, message signing.
"""

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.mavlink.frames import MARKER, SIGNATURE, Message

_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=10)
_OLDEST_TICKS = 60 * 100_000
"""How far behind our clock a stream may begin: a minute."""
_SIGNED = mav.MAVLINK_IFLAG_SIGNED
_SHORTEST = 12 + SIGNATURE

Stream = tuple[int, int, int]
"""Link id, system id, component id."""


class Signing:
    """Signs our frames, and judges those of others.

    Args:
        key: 32 bytes that all sides share.
        now: what time it is.
    """

    def __init__(self, key: bytes, now: Callable[[], datetime]) -> None:
        if len(key) != 32:
            raise ValueError(f"a signing key has 32 bytes, not {len(key)}")
        self._key, self._now = key, now
        self._ahead = 0
        """The latest true timestamp of another, in ticks."""
        self._latest: dict[Stream, int] = {}
        """Only who has the key gets in here, so it stays small."""
        self.refused = 0
        """How many frames were not signed, not by the key, or not new."""

    @classmethod
    def of_passphrase(cls, passphrase: str, now: Callable[[], datetime]) -> "Signing":
        """The key that ground stations make of a passphrase: its SHA-256."""
        return cls(hashlib.sha256(passphrase.encode()).digest(), now)

    def admits(self, frame: bytes) -> bool:
        """Whether a frame is signed by the key, and later than all others of its stream."""
        admitted = self._signed_by_key(frame) and self._is_new(frame)
        self.refused += not admitted
        return admitted

    def pack(self, message: Message, packer: mav.MAVLink) -> bytes:
        """A message as the bytes of a signed frame; timestamps of a packer never go back."""
        signing = packer.signing
        signing.secret_key, signing.sign_outgoing = self._key, True
        signing.timestamp = max(signing.timestamp, self._ticks, self._ahead)
        return message.pack(packer)

    def _signed_by_key(self, frame: bytes) -> bool:
        if len(frame) < _SHORTEST or frame[0] != MARKER or not frame[2] & _SIGNED:
            return False
        digest = hashlib.sha256(self._key + frame[:-6]).digest()[:6]
        return hmac.compare_digest(digest, frame[-6:])

    def _is_new(self, frame: bytes) -> bool:
        stream = (frame[-SIGNATURE], frame[5], frame[6])
        ticks, latest = int.from_bytes(frame[-12:-6], "little"), self._latest.get(stream)
        if latest is None and ticks + _OLDEST_TICKS < max(self._ticks, self._ahead):
            return False
        if latest is not None and ticks <= latest:
            return False
        self._latest[stream] = ticks
        self._ahead = max(self._ahead, ticks)
        return True

    @property
    def _ticks(self) -> int:
        """Now, in units of 10 microseconds since 2015."""
        return (self._now() - _EPOCH) // _TICK
