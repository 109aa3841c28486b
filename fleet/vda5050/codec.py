"""How messages become JSON and JSON becomes messages, strictly or with patience."""

import json
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Final, Generic, TypeVar, cast, dataclass_transform

import msgspec
from msgspec import Struct

_PLAIN: Final = (str, int, float, tuple, dict, Struct)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class _Messages(msgspec.StructMeta):
    """Makes frozen structs that say all their fields but those that are None."""

    def __new__(
        cls, name: str, bases: tuple[type, ...], members: dict[str, Any], **options: Any
    ) -> Any:
        for key, default in members.items():
            if isinstance(default, _PLAIN) and not key.startswith("__"):
                # ``omit_defaults`` only leaves out what is not made anew
                members[key] = msgspec.field(default_factory=_always(default))
        options |= {"frozen": True, "kw_only": True, "gc": False, "omit_defaults": True}
        return super().__new__(cls, name, bases, members, rename="camel", **options)


def _always(value: object) -> Callable[[], object]:
    return lambda: value


class Strict(Struct, metaclass=_Messages, forbid_unknown_fields=True):
    """What a master sends: an unknown field is an error."""


class Patient(Struct, metaclass=_Messages):
    """What a robot sends: unknown fields are skipped."""


M = TypeVar("M", bound=Struct)

HAND_OVER: Final[ContextVar[bool]] = ContextVar("hand_over", default=False)
"""Whether both ends of every wire are in this process: messages may be handed over unwritten."""


class _Parcel(bytes):
    """A message on its way as it is; as bytes it says nothing."""

    message: Struct


class Codec(Generic[M]):
    """Turns one kind of message into JSON and back.

    Args:
        spelled: the other names under which fields come, each with ours. A message is looked
            through for them only where it can't be read without, or where it doesn't say one of
            its own fields that has another name.
        at_best: fields that we can do without, each with what it should be; what makes no sense
            there is left out.
    """

    def __init__(
        self,
        model: type[M],
        *,
        spelled: Mapping[str, str] | None = None,
        at_best: Mapping[str, type[Struct]] | None = None,
    ) -> None:
        self._model = model
        self._read, self._write = msgspec.json.Decoder(model).decode, msgspec.json.Encoder().encode
        self._names = {_quoted(other): _quoted(ours) for other, ours in (spelled or {}).items()}
        self._name = re.compile(rb"(?:%s)(?=\s*:)" % b"|".join(self._names)) if spelled else None
        self._at_best = at_best or {}
        fields = zip(model.__struct_fields__, model.__struct_encode_fields__, strict=True)
        self._telling = [name for name, key in fields if _quoted(key) in self._names.values()]

    def pack(self, message: M) -> bytes:
        """The message for a wire: as JSON, or the message itself where `HAND_OVER` lets it."""
        if not HAND_OVER.get():
            return self.encode(message)
        parcel = _Parcel(b"{}")
        parcel.message = message
        return parcel

    def encode(self, message: M) -> bytes:
        """The message as JSON, without fields that say nothing."""
        return self._write(message)

    def decode(self, payload: bytes) -> M:
        """Read JSON; where it doesn't fit, read it again as `_patiently` does.

        Raises:
            ValueError: not JSON, not text, or not this message.
        """
        if isinstance(payload, _Parcel) and isinstance(payload.message, self._model):
            return payload.message
        try:
            try:
                message = self._read(payload)
            except msgspec.DecodeError:
                return self._patiently(payload)
            for field in self._telling:
                if getattr(message, field) is None:
                    return self._patiently(payload)
        except RecursionError:
            raise ValueError("nested too deeply") from None
        return message

    def _patiently(self, payload: bytes) -> M:
        """By all names; if need be without any ``null``, and with numbers that stand as text."""
        if self._name is not None:
            payload = self._name.sub(self._renamed, payload)
        try:
            return self._read(payload)
        except msgspec.DecodeError:
            pass
        said = _without_nulls(_parsed(payload))
        if isinstance(said, dict):
            fields = cast("dict[str, object]", said)
            said = {k: v for k, v in fields.items() if self._makes_sense(k, v)}
        return msgspec.convert(said, self._model, strict=False)

    def _renamed(self, name: re.Match[bytes]) -> bytes:
        return self._names[name[0]]

    def _makes_sense(self, name: str, value: object) -> bool:
        """Unless we can do without it, and it is not what it should be."""
        if name in self._at_best:
            try:
                msgspec.convert(value, self._at_best[name], strict=False)
            except msgspec.ValidationError:
                return False
        return True


def _quoted(name: str) -> bytes:
    return f'"{name}"'.encode()


def _parsed(payload: bytes) -> object:
    """JSON, and what many a robot takes for it: ``NaN``."""
    try:
        return msgspec.json.decode(payload)
    except msgspec.DecodeError:
        value = json.loads(payload)
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text
        return value


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return {key: _without_nulls(item) for key, item in fields.items() if item is not None}
    if isinstance(value, list):
        items = cast("list[object]", value)
        return [_without_nulls(item) for item in items if item is not None]
    return value
