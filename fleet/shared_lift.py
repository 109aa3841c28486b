"""A lift in whose cabin several vehicles ride together, as it is asked: one session for all.

Who has a place in it may want it at a level, to come in or to leave there. It stays there until
nobody wants that any more, and then goes on in its direction, like any lift.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fleet.asking import Waiters
from fleet.lift_words import LiftRequest, LiftState
from routing.site import LevelId, LiftId


@dataclass(slots=True)
class SharedLift:
    """What is wanted of one lift with room, compared with what it last said.

    Args:
        heights: the elevation of each level, in metres.
    """

    id: LiftId
    heights: Mapping[LevelId, float]
    wanted: dict[str, LevelId | None] = field(default_factory=dict[str, LevelId | None])
    """Where each wants it; None = on board, wanting nothing now."""
    given_up: dict[str, bool] = field(default_factory=dict[str, bool])
    """Sessions that are over, and whether the machine has been told."""
    state: LiftState | None = None
    waiters: Waiters = field(default_factory=Waiters)
    _session: str | None = None
    """In whose name the machine is asked for all of them: that of the first, who may have left."""
    _goal: LevelId | None = None
    _rises: bool = True

    def want(self, session: str, level: LevelId | None) -> None:
        """Have it come to a level; None = stay on board, wherever it goes."""
        self.wanted[session] = level
        if self._session is None:
            self._session = session
        self.given_up.pop(self._session, None)

    def release(self, session: str) -> None:
        """The vehicle has left it, or does not want it any more."""
        self.wanted.pop(session, None)
        if not self.wanted:
            self._goal = None
            if self._session is not None:
                self.given_up[self._session] = False
            self._session = None
        if session != self._session:
            self.given_up[session] = False

    def ready(self, session: str) -> bool:
        """Whether it stands open where the session wants it."""
        level = self.wanted.get(session)
        return level is not None and level == self._goal and self._stands_open(level)

    def rides(self, session: str) -> bool:
        """Whether the session is on board and has not said yet where it wants to leave."""
        return self.wanted.get(session, "") is None

    @property
    def serves(self) -> bool:
        """Whether it is in service, as far as is known."""
        return self.state is None or self.state.in_service

    def requests(self) -> list[LiftRequest]:
        """What the machine is to be told."""
        if self.state is not None and self.state.session in self.wanted:
            self._session = self.state.session  # a former process had asked in that name
        over = [LiftRequest(session=s, level=None) for s in self.given_up]
        self.given_up = dict.fromkeys(self.given_up, True)
        self._choose()
        if self._session is None or self._goal is None or self._stands_open(self._goal):
            return over
        return [*over, LiftRequest(session=self._session, level=self._goal)]

    def hear(self, state: LiftState) -> None:
        """It has said how it stands."""
        self.state = state
        for session in [s for s, told in self.given_up.items() if told and s != state.session]:
            del self.given_up[session]

    def _stands_open(self, level: LevelId) -> bool:
        state = self.state
        return (
            state is not None
            and state.in_service
            and state.session == self._session
            and state.level == level
            and state.open
            and not state.moving
        )

    def _choose(self) -> None:
        """Stay as long as anybody wants it there; else on to the next level, in its direction."""
        levels = [level for level in self.wanted.values() if level is not None]
        if self._goal in levels or not self.wanted:
            return
        here = self._goal
        if here is None and self.state is not None and self.state.level in self.heights:
            here = LevelId(self.state.level)
        if not levels or here is None:
            self._goal = levels[0] if levels else here
            self.waiters.wake()
            return
        at_m = self.heights[here]
        ahead = [level for level in levels if (self.heights[level] > at_m) == self._rises]
        self._goal = min(ahead or levels, key=lambda level: abs(self.heights[level] - at_m))
        self.waiters.wake()
        if self._goal != here:
            self._rises = self.heights[self._goal] > at_m
