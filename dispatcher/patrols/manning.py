"""Sends vehicles to posts: the first ones, reliefs in time, and others for who is lost or late."""

from collections.abc import Callable, Mapping

from dispatcher.domain.shifts import Shift, ShiftState
from dispatcher.missions.on_post import OnPost
from dispatcher.missions.posts import Post
from dispatcher.patrols.open_shifts import OpenShifts
from dispatcher.patrols.open_watches import OpenWatches
from dispatcher.patrols.presence import Presence
from dispatcher.patrols.relay import AHEAD_S, first_share, overlap_s
from dispatcher.patrols.reliefs import Member, Offer, Reliefs
from dispatcher.patrols.watch_views import Watch
from dispatcher.records.book import TaskBook
from fleet.vehicle import VehicleId
from routing.geometry import Point

LATE_S = 60.0
"""Whoever is so much later than expected has somebody sent after it."""


class Manning:
    """Gives the shifts of watches.

    Args:
        crew: all vehicles.
        slack_s: how much sooner than needed somebody is sent, for posts are looked at only now
            and then.
        changed: called when another vehicle is engaged.
    """

    def __init__(
        self,
        book: TaskBook,
        watches: OpenWatches,
        shifts: OpenShifts[OnPost],
        presence: Presence,
        reliefs: Reliefs,
        *,
        crew: Callable[[], Mapping[VehicleId, Member]],
        slack_s: float,
        changed: Callable[[], None],
    ) -> None:
        self._book, self._watches, self._shifts = book, watches, shifts
        self._presence, self._reliefs = presence, reliefs
        self._crew, self._slack_s, self._changed = crew, slack_s, changed

    async def man(self, watch: Watch, post: Post, now_s: float) -> None:
        """Send somebody to a post, if nobody is there or the one who is there leaves soon."""
        key, presence = (watch.task, post.number), self._presence
        on = presence.on(key)
        there = [one for one in on if one.shift.state is ShiftState.ON_STATION]
        coming = [one for one in on if one.shift.state is not ShiftState.ON_STATION]
        late = [one for one in coming if now_s > presence.due_s(one) + LATE_S]
        if not there and len(coming) == len(late):
            offer = self._first(watch, post, now_s, self._watches.left_off.get(key, ()))
            await self._send(watch, post, offer, presence.why(key))
            return
        last = max(on, key=lambda one: presence.leaves_s(one, now_s))
        leaves_s = presence.leaves_s(last, now_s)
        if leaves_s >= watch.ends_s or leaves_s > now_s + AHEAD_S:
            return
        offer = self._reliefs.longest(self._reliefs.offers(watch, post, now_s))
        if offer is None:
            return
        both_s = overlap_s(offer.plan.round_s, last.shift.plan.round_s, watch.revisit_s)
        if offer.arrives_s + self._slack_s >= leaves_s - both_s:
            await self._send(watch, post, offer, "relief")

    def _first(
        self, watch: Watch, post: Post, now_s: float, left_off: tuple[Point, ...]
    ) -> Offer | None:
        """Who is there first, of those who can stay for a while; it goes on where another left."""
        offers = self._reliefs.offers(watch, post, now_s, left_off)
        if post.number not in watch.begun:
            return self._reliefs.longest(offers)
        good = [one for one in offers if one.plan.stretch_s >= 2 * watch.revisit_s]
        return next(iter(good or offers), None)

    async def _send(self, watch: Watch, post: Post, offer: Offer | None, why: str) -> None:
        if offer is None:
            await self._watches.wait_for_somebody(watch)
            return
        member, now_s = self._crew()[offer.vehicle], self._book.now_s()
        shift = Shift(
            id=self._book.new_shift_id(),
            task=watch.task,
            post=post.number,
            vehicle=offer.vehicle,
            state=ShiftState.GIVEN,
            why=why,
            plan=offer.plan,
            given_s=now_s,
        )
        one = OnPost(shift, member.spec)
        one.begin = offer.begin
        if post.number not in watch.begun:
            stretch_s = offer.plan.stretch_s
            others_s = self._presence.all_leave_s(now_s)
            one.most_s = stretch_s * first_share(offer.arrives_s, stretch_s, others_s)
        self._shifts.by_vehicle[offer.vehicle] = one
        event = self._shifts.event("shift_given", shift, post=post.number, why=why)
        await self._book.commit(shifts=[shift], events=[event])
        self._changed()
        member.wake()
