"""What the dispatcher and a workcell say to each other; the rules are in docs/reference."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from fleet.asking import Letter
from fleet.facility import TOPICS

_TEXT = 200
"""Letters of a reason that people are shown."""
_REMEMBERED = 100
"""So many ended handovers are read, the last ones."""

Id = Annotated[str, Field(max_length=200)]


class _Message(BaseModel):
    """Machines may say more than we read."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Way(StrEnum):
    """Which way goods go, as the workcell sees it."""

    GIVE = "give"
    TAKE = "take"


class Phase(StrEnum):
    """How far the workcell is with the handover that it names."""

    IDLE = "idle"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"


class Goods(_Message):
    """What is to change hands.

    Args:
        what: in the words of whoever asked for it.
        kind: the class of goods.
        loads: the name of each load; so many are handed over.
    """

    what: str
    kind: str
    loads: tuple[str, ...]
    mass_kg: float
    volume_l: float = 0.0


class HandoverRequest(_Message):
    """Asks for one handover; without one, the handover ``over`` is not wanted any more."""

    session: str
    handover: Id | None
    over: Id | None = None
    give: Goods | None = None
    take: Goods | None = None

    @property
    def way(self) -> Way | None:
        """Which way goods are to go."""
        if self.give is not None:
            return Way.GIVE
        return None if self.take is None else Way.TAKE

    def letter(self, cell: str) -> Letter:
        """The message; nothing is in it that says nothing."""
        text = self.model_dump_json(exclude_unset=True)
        return f"{TOPICS}/workcell/{cell}/request", text.encode()


def asks(session: str, handover: str, way: Way, goods: Goods) -> HandoverRequest:
    """The request for a handover."""
    if way is Way.GIVE:
        return HandoverRequest(session=session, handover=handover, give=goods)
    return HandoverRequest(session=session, handover=handover, take=goods)


def calls_off(session: str, handover: str) -> HandoverRequest:
    """The word that a handover is not wanted any more, or that its end has been heard."""
    return HandoverRequest(session=session, handover=None, over=handover)


class Ended(_Message):
    """How one handover has ended."""

    handover: Id
    phase: Phase
    reason: str | None = None

    @field_validator("reason")
    @classmethod
    def _shown(cls, reason: str | None) -> str | None:
        return None if reason is None else _readable(reason)


class WorkcellState(_Message):
    """What a workcell says of itself; ``ended`` are the last handovers, the latest last."""

    in_service: bool = True
    session: str | None = None
    handover: Id | None = None
    phase: Phase = Phase.IDLE
    reason: str | None = None
    ended: tuple[Ended, ...] = ()

    @field_validator("reason")
    @classmethod
    def _shown(cls, reason: str | None) -> str | None:
        return None if reason is None else _readable(reason)

    def works_at(self, handover: str) -> bool:
        """Whether goods may be changing hands now."""
        return self.handover == handover and self.phase is Phase.WORKING

    def end_of(self, handover: str) -> Ended | None:
        """How a handover has ended; None = it has not, or not as far as is remembered."""
        if self.handover == handover and self.phase in (Phase.DONE, Phase.FAILED):
            return Ended(handover=handover, phase=self.phase, reason=self.reason)
        late = reversed(self.ended[-_REMEMBERED:])
        ends = (one for one in late if one.phase in (Phase.DONE, Phase.FAILED))
        return next((one for one in ends if one.handover == handover), None)


def _readable(text: str) -> str:
    """A text from elsewhere, fit for one line of a screen."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_TEXT]
