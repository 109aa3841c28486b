"""The watches that are open, with their posts: taken up, begun, and how their rounds go on."""

import logging

from dispatcher.domain.task import Patrol, Task, TaskId, TaskState
from dispatcher.missions.posts import Post
from dispatcher.patrols.watch_plans import WatchPlans
from dispatcher.patrols.watch_views import PostKey, Watch
from dispatcher.records.book import TaskBook
from fleet.vehicle import Medium
from routing.errors import Unreachable
from routing.geometry import Point
from routing.refusal import Refusal

log = logging.getLogger(__name__)

EARLY_S = 150.0
"""So long before a watch begins its first shifts are given."""


class OpenWatches:
    """All watches of one site that people wait for, or that go on."""

    def __init__(self, book: TaskBook, plans: WatchPlans) -> None:
        self._book, self._plans = book, plans
        self.by_task: dict[TaskId, Watch] = {}
        """The oldest first."""
        self.left_off: dict[PostKey, tuple[Point, ...]] = {}
        """How the rounds of the last one on a post would have gone on."""

    def take_up(self, task: Task, *, begun: bool) -> None:
        """See to a watch from now on; any other task changes nothing.

        Args:
            begun: whether somebody has been on each of its posts.
        """
        spec = task.spec
        if not isinstance(spec, Patrol) or spec.revisit_s is None:
            return
        posts: tuple[Post, ...] = ()
        shares: tuple[float, ...] = ()
        try:
            plan = self._plans.plan(spec, spec.revisit_s)
            posts, shares = plan.posts, plan.shares
        except Unreachable as error:
            log.warning("%s can't be watched any more: %s", task.id, error)
        watch = Watch(
            task=task.id,
            spec=spec,
            posts=posts,
            begins_s=task.earliest_s,
            ends_s=task.due_s,
            share=sum(shares),
        )
        self.by_task[task.id] = watch
        if begun:
            watch.begun.update((post.number, None) for post in posts)

    def drop(self, task: TaskId) -> None:
        """See to a watch no more."""
        self.by_task.pop(task, None)
        for key in [key for key in self.left_off if key[0] == task]:
            del self.left_off[key]

    def due(self, now_s: float) -> list[tuple[Watch, Post]]:
        """The posts that are to be held now or soon, and can be."""
        return [
            (watch, post)
            for watch in self.by_task.values()
            for post in watch.posts
            if now_s >= watch.begins_s - EARLY_S and not self._plans.is_shut(watch.spec, post)
        ]

    def engaged(self, begins_s: float, ends_s: float, medium: Medium) -> float:
        """How many vehicles watches take between two loop seconds, as a fraction."""
        return sum(
            watch.share
            for watch in self.by_task.values()
            if watch.begins_s < ends_s and begins_s < watch.ends_s and watch.spec.medium is medium
        )

    async def begin(self, watch: Watch) -> None:
        """With its first shift a watch has begun."""
        task = self._book[watch.task]
        if task.state is TaskState.QUEUED:
            self._book.move(task.id, TaskState.ASSIGNED)
            begun = self._book.move(task.id, TaskState.UNDERWAY, reason=None)
            await self._book.commit(tasks=[begun])

    async def wait_for_somebody(self, watch: Watch) -> None:
        """Say why a watch has not begun."""
        task, reason = self._book[watch.task], Refusal("nobody_can_watch_now")
        if task.state is TaskState.QUEUED and task.reason != reason:
            await self._book.commit(tasks=[self._book.move(task.id, reason=reason)])
