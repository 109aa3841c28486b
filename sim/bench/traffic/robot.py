"""One robot of the traffic model, and its luck.

Each robot draws from a source of its own, as often whatever happens. So one robot more leaves the
others their luck.
"""

from dataclasses import dataclass
from random import Random

from routing.traffic.spacetime import Hop

DWELL_MS = 20_000, 40_000
JITTER_MS = 500
THINK_EVERY_MS, PATIENCE_MS = 2_000, 8_000


@dataclass(frozen=True, slots=True)
class Delays:
    """Now and then a hop takes longer: with probability ``chance``, by ``mean_ms`` at the mean."""

    chance: float
    mean_ms: float


DELAYS = {
    "default": Delays(0.05, 20_000),
    "long": Delays(0.01, 600_000),
    "heavy": Delays(0.30, 60_000),
}


@dataclass(slots=True, eq=False)
class Robot:
    """Where it is and what it is about."""

    number: int
    chance: Random
    node: int
    """Where it stands, or that it left last."""
    room: int
    """Where its trip ends, or ended."""
    hop: Hop | None = None
    """The hop it is on."""
    arrives_ms: int = 0
    """When it ends this hop, if nothing holds it up."""
    asks_since_ms: int | None = None
    """Since when it has wanted a trip, if it has found no way yet."""
    faults: int = 0
    """How many outages hold it up now: its own and that of the lift it is in."""
    halted_ms: int = 0
    """When it was first held up."""
    waited: bool = False
    """Whether it wanted to go on when it was held up."""
    waits_since_ms: int = 0
    """Since when it has wanted to set out, if it is one of those who wait."""
    looks_ms: int = 0
    """From when on it looks for another way again."""
    patience_ms: int = THINK_EVERY_MS
    """How long it does not if it looks in vain; twice as long each time, up to a limit."""

    def due(self, now_ms: int) -> bool:
        """Whether it ends its hop now."""
        return self.hop is not None and self.arrives_ms == now_ms and not self.faults

    def has_looked(self, now_ms: int, *, found: bool) -> None:
        """Note when it is to look again."""
        if found:
            self.patience_ms = THINK_EVERY_MS
        self.looks_ms = now_ms + self.patience_ms
        self.patience_ms = min(2 * self.patience_ms, PATIENCE_MS)

    def look_soon(self) -> None:
        """Something has changed."""
        self.looks_ms, self.patience_ms = 0, THINK_EVERY_MS

    def dwell_ms(self) -> int:
        """How long it stays in a room."""
        return self.chance.randint(*DWELL_MS)

    def travel_ms(self, hop: Hop, delays: Delays) -> int:
        """How long a hop takes it: the nominal time, up to half a second, perhaps a delay."""
        jitter_ms = self.chance.randint(0, JITTER_MS)
        delayed = self.chance.random() < delays.chance
        delay_ms = round(self.chance.expovariate(1 / delays.mean_ms))
        return hop.nominal_ms + jitter_ms + (delay_ms if delayed else 0)


def enlist(number: int, seed: int, rooms: tuple[int, ...], taken: set[int]) -> Robot:
    """Robot ``number`` in a room drawn by lot; not in one of those ``taken`` by its elders."""
    chance = Random(f"{seed}/{number}")
    room = chance.choice(rooms)
    while room in taken:
        room = chance.choice(rooms)
    return Robot(number, chance, node=room, room=room)
