"""How messages become JSON and JSON becomes messages, strictly or with patience."""

import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final, Generic, TypeVar, cast

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel


class Strict(BaseModel):
    """What a master sends: an unknown field is an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True
    )


class Patient(BaseModel):
    """What a robot sends: unknown fields are skipped."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True
    )


def spelled(default: object, ours: str, *others: str) -> Any:
    """A field that comes under any of these names, and goes out under the first."""
    return Field(
        default=default, validation_alias=AliasChoices(ours, *others), serialization_alias=ours
    )


M = TypeVar("M", bound=BaseModel)

HAND_OVER: Final[ContextVar[bool]] = ContextVar("hand_over", default=False)
"""Whether both ends of every wire are in this process: messages may be handed over unwritten."""


class _Parcel(bytes):
    """A message on its way as it is; as bytes it says nothing."""

    message: BaseModel


class Codec(Generic[M]):
    """Turns one kind of message into JSON and back."""

    def __init__(self, model: type[M]) -> None:
        self._model = model
        adapter = TypeAdapter(model)
        self._read, self._write = adapter.validator.validate_json, adapter.serializer.to_json

    def pack(self, message: M) -> bytes:
        """The message for a wire: as JSON, or the message itself where `HAND_OVER` lets it."""
        if not HAND_OVER.get():
            return self.encode(message)
        parcel = _Parcel(b"{}")
        parcel.message = message
        return parcel

    def encode(self, message: M) -> bytes:
        """The message as JSON, without fields that say nothing."""
        return self._write(message, by_alias=True, exclude_none=True)

    def decode(self, payload: bytes) -> M:
        """Read JSON; where it doesn't fit, read it again with every ``null`` left out.

        Raises:
            ValueError: not JSON, not text, or not this message.
        """
        if isinstance(payload, _Parcel) and isinstance(payload.message, self._model):
            return payload.message
        try:
            return self._read(payload)
        except ValidationError:
            if b"null" not in payload:
                raise
        said = json.dumps(_without_nulls(json.loads(payload)), ensure_ascii=False)
        return self._read(said.encode())  # half a surrogate pair is no text


def _without_nulls(value: object) -> object:
    if isinstance(value, Mapping):
        fields = cast("Mapping[object, object]", value)
        return {key: _without_nulls(item) for key, item in fields.items() if item is not None}
    if isinstance(value, list):
        items = cast("list[object]", value)
        return [_without_nulls(item) for item in items if item is not None]
    return value
