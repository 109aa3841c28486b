"""What lifts and their dispatcher say to each other."""

from pydantic import BaseModel, ConfigDict


class Word(BaseModel):
    """Machines may say more than we read."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class LiftRequest(Word):
    """Asks a lift to come to a level and hold its doors open; None = the session is over."""

    session: str
    level: str | None


class LiftState(Word):
    """What a lift says of itself."""

    level: str
    moving: bool = False
    open: bool
    session: str | None = None
    in_service: bool = True
