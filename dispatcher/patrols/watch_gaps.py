"""Gaps in watches: foreseen from who leaves and who could come, and told before they happen."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from dispatcher.domain.eligibility import why_not
from dispatcher.domain.task import TaskId
from dispatcher.missions.on_post import OnPost
from dispatcher.missions.posts import Post
from dispatcher.patrols.presence import Presence
from dispatcher.patrols.relay import AHEAD_S, Gap, gaps_ahead
from dispatcher.patrols.reliefs import Member, Reliefs
from dispatcher.patrols.watch_views import Watch
from dispatcher.records.alerts import Alerts, Severity
from fleet.vehicle import VehicleId


class WatchGaps:
    """The gaps to come, as of the last look.

    Args:
        open_shifts: by the vehicle that has each.
        crew: all vehicles.
        least_s: shorter gaps are none.
    """

    def __init__(
        self,
        alerts: Alerts,
        open_shifts: Mapping[VehicleId, OnPost],
        presence: Presence,
        reliefs: Reliefs,
        *,
        crew: Callable[[], Mapping[VehicleId, Member]],
        least_s: float,
    ) -> None:
        self._alerts, self._open = alerts, open_shifts
        self._presence, self._reliefs = presence, reliefs
        self._crew, self._least_s = crew, least_s
        self._gaps: list[Gap] = []

    def longest_s(self, task: TaskId) -> float:
        """The longest gap that is foreseen in a watch; 0 = none."""
        return max((gap.lasts_s for gap in self._of(task)), default=0.0)

    def clear(self, task: TaskId) -> None:
        """Nobody needs to hear of a watch's gaps any more."""
        self._alerts.clear("watch_gap_ahead", task=task)

    def look(
        self, due: Sequence[tuple[Watch, Post]], watches: Sequence[TaskId], now_s: float
    ) -> None:
        """Foresee who will be missing, and tell people before it happens.

        Args:
            due: the posts that are to be held, the one that is left first first.
            watches: all that are open.
        """
        self._gaps = self._foreseen(due, now_s)
        for task in watches:
            self._tell(task, now_s)

    def _foreseen(self, due: Sequence[tuple[Watch, Post]], now_s: float) -> list[Gap]:
        leaves: list[tuple[float, tuple[str, int]]] = []
        for watch, post in due:
            last_s = self._presence.last_s((watch.task, post.number), now_s)
            if last_s < min(watch.ends_s, now_s + AHEAD_S):
                leaves.append((max(last_s, watch.begins_s), (watch.task, post.number)))
        arrivals = [self._earliest_s(*due[0], v, now_s) for v in self._crew()] if leaves else []
        free = [at_s for at_s in arrivals if at_s < math.inf]
        ends = {watch.task: watch.ends_s for watch, _ in due}
        found = [
            replace(gap, lasts_s=min(gap.lasts_s, ends[TaskId(gap.post[0])] - gap.from_s))
            for gap in gaps_ahead(leaves, free)
        ]
        return [gap for gap in found if gap.lasts_s > self._least_s]

    def _tell(self, task: TaskId, now_s: float) -> None:
        gaps = self._of(task)
        if not gaps:
            self.clear(task)
        elif not self._alerts.is_open("watch_gap_ahead", task=task):
            first = min(gaps, key=lambda gap: gap.from_s)
            self._alerts.open(
                "watch_gap_ahead",
                Severity.HIGH,
                task=task,
                post=first.post[1],
                in_s=round(max(0.0, first.from_s - now_s)),
                lasts_s=round(first.lasts_s),
            )

    def _of(self, task: TaskId) -> list[Gap]:
        return [gap for gap in self._gaps if gap.post[0] == task]

    def _earliest_s(self, watch: Watch, post: Post, vehicle: VehicleId, now_s: float) -> float:
        """When a vehicle could be on a post at the earliest, if it isn't on one now or soon."""
        member, one = self._crew()[vehicle], self._open.get(vehicle)
        after_s = 0.0
        if why_not(watch.spec, member.spec):
            return math.inf
        if one is not None and one.shift.state.counts:
            return math.inf
        if one is not None:
            after_s = one.shift.plan.back_s
        ready_s = self._reliefs.ready_in_s(watch, post, member, after_s)
        return now_s + ready_s + self._reliefs.launch_s
