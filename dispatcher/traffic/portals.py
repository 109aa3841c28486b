"""Doors and lifts on the ways of those who drive: made ready ahead, let go of behind."""

import asyncio
import logging

from dispatcher.traffic.crew import Crew
from dispatcher.traffic.pilot import Pilot
from dispatcher.traffic.rides import Rides
from fleet.errors import LinkTimeout
from fleet.facility import Facilities
from fleet.mission import Clearance
from routing.site import Edge, LiftId

log = logging.getLogger(__name__)


class Portals:
    """Releases to each vehicle what it is granted, as soon as the door or lift of it is ready."""

    def __init__(self, crew: Crew, facilities: Facilities) -> None:
        self._crew = crew
        self._site = crew.site
        self._facilities = facilities
        self.rides = Rides(crew.site, facilities)

    async def run(self) -> None:
        """Work doors and lifts for all, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for pilot in self._crew:
                group.create_task(self._pilot(pilot), name=f"traffic[{pilot.spec.id}].pilot")

    async def _pilot(self, pilot: Pilot) -> None:
        while True:
            await pilot.wake.wait()
            pilot.wake.clear()
            try:
                await self._make_ready_again(pilot)
                await self._shut_behind(pilot)
                while await self._release_next(pilot):
                    await self._shut_behind(pilot)
            except LinkTimeout as error:
                log.warning("%s; trying again", error, extra={"vehicle": pilot.spec.id})
                pilot.wake.set()

    # --- ahead ---

    async def _release_next(self, pilot: Pilot) -> bool:
        """Release what is granted, once its door or lift is ready; False = nothing to do now."""
        clearance, claim = pilot.clearance, pilot.claim
        if clearance is None or clearance.released > claim.granted:
            self.rides.settle(pilot)
            return False
        if pilot.halting and not self.in_lift(clearance):
            return False
        first = clearance.released - 1
        last = first
        while last < claim.granted and self._is_ready(pilot, claim.edges[last]):
            last += 1
        if last > first:
            clearance.release(last + 1)
            return True
        edge = claim.edges[first]
        shared = self.rides.lift(edge) is not None
        if shared and not self.rides.is_due(pilot, first):
            return False
        if edge.lane.lift is not None:
            if clearance.passed < first:
                return False
            clearance.release(first + 2)
            await self._make_ready(pilot, first, edge)
            return True
        lift = self._site.lift_at.get(edge.end)
        if lift is not None and pilot.lift not in (None, lift.id):  # still leaving another one
            return False
        if self._in_doorway(pilot, first, edge):
            return False
        await self._make_ready(pilot, first, edge)
        if pilot.clearance is not clearance or (pilot.halting and not self.in_lift(clearance)):
            return False
        if shared and claim.stuck:
            self.rides.withdraw(pilot)
            return False
        if claim.granted <= first or claim.edges[first] is not edge:  # it was led another way
            return True
        if lift is not None and pilot.lift != lift.id:  # it was, and then back again
            return True
        clearance.release(first + 2)
        return True

    def _is_ready(self, pilot: Pilot, edge: Edge) -> bool:
        """Whether an edge can be released at once: it is plain, or out of a lift that is there."""
        lift = self._site.lift_at.get(edge.start)
        if lift is None or not self.is_plain(edge):
            return self.is_plain(edge)
        level = self._site.nodes[edge.start].level
        return self._facilities.may_leave(lift.id, level, pilot.spec.id)

    async def _make_ready(self, pilot: Pilot, index: int, edge: Edge) -> None:
        """Have the lift come that an edge leads into, rides in or leaves, and its door opened."""
        inside = self._site.lift_at.get(edge.start)
        lift, node = self._site.lift_at.get(edge.end), edge.end
        if lift is None:
            lift, node = inside, edge.start
        if self.rides.lift(edge) is not None:
            await self.rides.make_ready(pilot, index)
        elif lift is not None:
            pilot.lift = lift.id
            await self._facilities.bring_lift(
                lift.id, self._site.nodes[node].level, pilot.spec.id, to_leave=inside is lift
            )
        if edge.lane.door is not None:
            pilot.doors[index] = edge.lane.door
            await self._facilities.open_door(edge.lane.door, pilot.spec.id)

    async def _make_ready_again(self, pilot: Pilot) -> None:
        while pilot.again:
            index = pilot.again[0]
            if index >= pilot.claim.passed and index < len(pilot.claim.edges):
                await self._make_ready(pilot, index, pilot.claim.edges[index])
            pilot.again = pilot.again[1:]

    def _in_doorway(self, pilot: Pilot, index: int, edge: Edge) -> bool:
        """Whether a vehicle has yet to leave another door of the air lock that an edge leaves."""
        lock = None if edge.lane.door is None else self._site.lock_of.get(edge.lane.door)
        if lock is None:
            return False
        held = (door for number, door in pilot.doors.items() if number != index)
        return any(door in lock.doors for door in held)

    def is_plain(self, edge: Edge) -> bool:
        """Whether nothing need be made ready for an edge."""
        return (
            edge.lane.lift is None
            and edge.lane.door is None
            and edge.end not in self._site.lift_at
            and self.rides.lift(edge) is None
        )

    def in_lift(self, clearance: Clearance) -> bool:
        """Whether a vehicle is in a cabin, or has been let into one."""
        told = clearance.route[clearance.passed : clearance.released]
        return any(waypoint.node in self._site.lift_at for waypoint in told)

    def boards(self, pilot: Pilot) -> bool:
        """Whether a vehicle is in a cabin, or on the lane that leads into one."""
        claim, clearance = pilot.claim, pilot.clearance
        told = claim.passed if clearance is None else clearance.released - 1
        ahead = claim.edges[claim.passed : told]
        return any(
            node in self._site.lift_at for node in (claim.stand, *(e.end for e in ahead[:1]))
        )

    # --- in and before a lift that has stopped ---

    def is_caught(self, pilot: Pilot, lift: LiftId) -> bool:
        """Whether a driving vehicle could still turn back before a lift, or step out of it.

        Where the only way back leads through the cabin, it turns back there.
        """
        claim, clearance = pilot.claim, pilot.clearance
        cabins = self._site.lifts[lift].cabins.values()
        if clearance is None or claim.stuck:
            return False
        if claim.stand in cabins:
            return self.may_step_out(pilot)
        told = claim.edges[claim.passed : clearance.released - 1]
        if not any(edge.end in cabins for edge in told):
            return False
        home = self._site.places[pilot.spec.home].node
        return self._crew.roads.of(pilot.spec).reaches(told[0].end, home)

    def may_step_out(self, pilot: Pilot) -> bool:
        """Whether it is to ride in a lift that has stopped, and stands open where it came in."""
        claim = pilot.claim
        lift = self._site.lift_at.get(claim.stand)
        ahead = claim.edges[claim.passed : claim.passed + 1]
        if lift is None or not ahead or ahead[0].lane.lift is None:
            return False
        level = self._site.nodes[claim.stand].level
        return not self._facilities.serves(lift.id) and self._facilities.opens_to(lift.id) == level

    def step_out(self, pilot: Pilot) -> None:
        """It rides no further: its lift is to stay where it is."""
        stand = self._site.nodes[pilot.claim.stand]
        if pilot.lift is not None:
            self._facilities.turn(pilot.lift, stand.level, pilot.spec.id)

    # --- behind ---

    async def _shut_behind(self, pilot: Pilot) -> None:
        """Let go of the doors and the lift that the vehicle has left."""
        for index in [index for index in pilot.doors if index < pilot.claim.passed]:
            pilot.behind.append(pilot.doors.pop(index))
        while pilot.behind:
            self._facilities.release_door(pilot.behind[0], pilot.spec.id)
            del pilot.behind[0]
        self._leave_lift(pilot)

    def take_back(self, pilot: Pilot, told: int) -> None:
        """Let go of doors from edge ``told`` on, and of a lift that is needed no more."""
        for index in [index for index in pilot.doors if index >= told]:
            self._facilities.release_door(pilot.doors.pop(index), pilot.spec.id)
        self._leave_lift(pilot)

    def _leave_lift(self, pilot: Pilot) -> None:
        if pilot.lift is not None and self._is_clear_of_lift(pilot):
            lift, pilot.lift = pilot.lift, None
            self._facilities.release_lift(lift, pilot.spec.id)
            if self._site.lifts[lift].room is not None:
                for other in self._crew:  # those further off may call it now
                    other.wake.set()
        elif pilot.clearance is None and not (pilot.left or pilot.claim.granted):
            self.rides.withdraw(pilot)

    def _is_clear_of_lift(self, pilot: Pilot) -> bool:
        claim = pilot.claim
        cabins = self._site.lifts[pilot.lift].cabins.values() if pilot.lift is not None else ()
        ahead = claim.edges[claim.passed : claim.granted]
        return claim.stand not in cabins and not any(edge.end in cabins for edge in ahead)

    def keep(self, pilot: Pilot) -> None:
        """Keep lifts with room where what a former process told it needs them."""
        self.rides.keep(pilot, pilot.claim.edges)

    def forget(self, pilot: Pilot) -> None:
        """Let go of doors and lifts that a former process had asked for and nobody needs now."""
        for door in self._site.doors:
            self._facilities.release_door(door, pilot.spec.id)
        here = self._site.lift_at.get(pilot.claim.stand)
        pilot.lift = here.id if here is not None else None
        for lift in self._site.lifts:
            if lift != pilot.lift:
                self._facilities.release_lift(lift, pilot.spec.id)
