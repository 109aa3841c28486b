"""Who is on which post, now or soon, and until when."""

from collections.abc import Callable, Mapping

from dispatcher.domain.shifts import ShiftState
from dispatcher.missions.on_post import OnPost
from dispatcher.missions.posts import Post
from dispatcher.patrols.reliefs import Member, Reliefs
from dispatcher.patrols.watch_views import PostKey, PostView, Watch
from dispatcher.records.book import TaskBook
from fleet.vehicle import VehicleId


class Presence:
    """Looks things up in the open shifts of watches.

    Args:
        open_shifts: by the vehicle that has each.
        crew: all vehicles.
    """

    def __init__(
        self,
        book: TaskBook,
        open_shifts: Mapping[VehicleId, OnPost],
        crew: Callable[[], Mapping[VehicleId, Member]],
        reliefs: Reliefs,
    ) -> None:
        self._book, self._open = book, open_shifts
        self._crew, self._reliefs = crew, reliefs

    def on(self, key: PostKey) -> list[OnPost]:
        """Whoever sees to a post, now or soon."""
        return [
            one
            for one in self._open.values()
            if (one.shift.task, one.shift.post) == key and one.shift.state.counts and not one.lost
        ]

    def why(self, key: PostKey) -> str:
        """Why somebody is sent to a post that nobody is on."""
        had = any((one.shift.task, one.shift.post) == key for one in self._open.values())
        return "replaces" if had else "first"

    def leaves_s(self, one: OnPost, now_s: float) -> float:
        """When one who sees to a post will leave it."""
        state = self._crew()[one.shift.vehicle].state()
        return one.leaves_s(now_s, self._reliefs.launch_s, state)

    def all_leave_s(self, now_s: float) -> list[float]:
        """When each one on any post will leave it."""
        return [self.leaves_s(one, now_s) for one in self._open.values()]

    def last_s(self, key: PostKey, now_s: float) -> float:
        """When the last one who sees to a post will leave it; now, if nobody does."""
        return max((self.leaves_s(one, now_s) for one in self.on(key)), default=now_s)

    def due_s(self, one: OnPost) -> float:
        """When one who was sent is to be on station."""
        shift = one.shift
        begun_s = shift.given_s if shift.begun_s is None else shift.begun_s
        return begun_s + self._reliefs.launch_s + shift.plan.out_s

    def is_relieved(self, one: OnPost) -> bool:
        """Whether somebody else has been on a robot's post for long enough."""
        shift, now_s = one.shift, self._book.now_s()
        others = [o for o in self.on((shift.task, shift.post)) if o is not one]
        return any(
            o.shift.station_s is not None
            and o.shift.given_s > shift.given_s
            and now_s >= o.shift.station_s + min(o.shift.plan.round_s, shift.plan.round_s)
            for o in others
        )

    def view(self, watch: Watch, post: Post, now_s: float) -> PostView:
        """One post as people see it."""
        on = self.on((watch.task, post.number))
        station = [one for one in on if one.shift.state is ShiftState.ON_STATION]
        idle = [idle_s for one in station if (idle_s := one.idle_s(now_s)) is not None]
        return PostView(
            post=post,
            on_station=tuple(one.shift.vehicle for one in station),
            coming=tuple(one.shift.vehicle for one in on if one not in station),
            leaves_s=max((self.leaves_s(one, now_s) for one in on), default=None),
            idle_s=min(idle, default=None),
        )
