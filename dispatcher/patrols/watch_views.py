"""Watches as they go on, and as people see them."""

import math
from dataclasses import dataclass, field

from dispatcher.domain.task import Patrol, TaskId
from dispatcher.missions.posts import Post
from fleet.vehicle import VehicleId

PostKey = tuple[TaskId, int]
"""A watch's task, and the number of one of its posts."""


@dataclass(slots=True)
class Watch:
    """One watch that is open; all times are loop seconds."""

    task: TaskId
    spec: Patrol
    posts: tuple[Post, ...]
    begins_s: float
    ends_s: float
    share: float = 0.0
    """How many vehicles it takes, as a fraction."""
    begun: dict[int, None] = field(default_factory=dict[int, None])
    """The posts that somebody has been on."""

    @property
    def revisit_s(self) -> float:
        """The longest that anything may be unseen."""
        return self.spec.revisit_s or math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class PostView:
    """One post as people see it.

    Args:
        idle_s: for how long the place that was seen the longest ago has not been, as far as the
            vehicles say.
        leaves_s: when the last one who is on it, or on the way to it, will leave it.
    """

    post: Post
    on_station: tuple[VehicleId, ...]
    coming: tuple[VehicleId, ...]
    leaves_s: float | None
    idle_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchView:
    """One watch as people see it.

    Args:
        gap_s: how long a gap is foreseen; 0 = none.
    """

    task: TaskId
    revisit_s: float
    ends_s: float
    posts: tuple[PostView, ...]
    gap_s: float
