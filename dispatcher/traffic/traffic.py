"""Rights of way: every drive is planned, granted step by step, and never meets another.

A drive claims its stretches from `Claims`, has doors and lifts made ready for each, releases them
to the vehicle through its `Clearance`, and frees them when the vehicle says that it has passed.
"""

import asyncio
from collections.abc import Callable

from dispatcher.domain.hygiene import rides_alone
from dispatcher.records.travel_times import TravelTimes
from dispatcher.traffic.admission import Admission
from dispatcher.traffic.courtesy import Courtesy
from dispatcher.traffic.crew import Crew
from dispatcher.traffic.detours import Detours
from dispatcher.traffic.drives import Drives
from dispatcher.traffic.fleeing import Fleeing
from dispatcher.traffic.hour_watch import HourWatch
from dispatcher.traffic.hours import Goods, Hours
from dispatcher.traffic.portals import Portals
from dispatcher.traffic.restart import Restart
from dispatcher.traffic.timekeeper import Timekeeper
from dispatcher.traffic.waits import Waits
from fleet.facility import Facilities
from fleet.vehicle import Position, VehicleId, VehicleSpec
from routing.roads.paths import Way
from routing.site import NodeId, Site


class Traffic:
    """Plans and grants all drives on the ground of one site.

    It knows who is where, and is the face of those who do the rest: a method that is but named
    here is one of theirs.
    """

    def __init__(
        self,
        site: Site,
        facilities: Facilities,
        times: TravelTimes | None = None,
        hours: Hours | None = None,
        courtesy: Courtesy | None = None,
    ) -> None:
        self._crew = crew = Crew(site, hours, courtesy)
        self._claims = crew.claims
        self._portals = portals = Portals(crew, facilities)
        self._timekeeper = None if times is None else Timekeeper(site, times)
        self.roads = crew.roads
        self.detours = Detours(crew, portals)
        self.waits = Waits(crew)
        if times is not None:
            self.roads.driving.learn_from(times)

        admission = Admission(crew, portals, self.detours)
        self.admit, self.readmit = admission.admit, admission.readmit
        self.until_roads_change, self.withdraw = admission.until_roads_change, admission.withdraw

        drives = Drives(crew, portals, self._timekeeper)
        self.drive, self.halt, self.in_lift = drives.drive, drives.halt, drives.in_lift
        self.caught = drives.caught

        fleeing = Fleeing(crew, admission)
        self.flee, self.flees = fleeing.flee, fleeing.flees
        self.settle, self.strays = fleeing.settle, fleeing.strays

        restart = Restart(crew, portals)
        self.hold, self.count_on = restart.hold, restart.count_on
        self.find_shelters = restart.find_shelters

        self._hour_watch = HourWatch(self.detours)
        self.on_hours = self._hour_watch.on_hours

    # --- who is where ---

    def add(self, spec: VehicleSpec, stand: NodeId, position: Position | None = None) -> None:
        """A vehicle joins the traffic where it stands. Add all of them before the first drive.

        Args:
            position: where that is more exactly, or where it is on its way from there.
        """
        self._crew.enter(spec, stand, position)

    def knows(self, vehicle: VehicleId) -> bool:
        """Whether this vehicle has joined the traffic."""
        return vehicle in self._crew

    def start(self) -> None:
        """All vehicles have been added: work out everybody's way home."""
        for pilot in self._crew:
            claim = pilot.claim
            self._claims.force(claim, (), self._crew.ways_home.homeward(pilot, claim.stand))
            self._portals.forget(pilot)

    def stand(self, vehicle: VehicleId) -> NodeId:
        """The node on which a vehicle stands, or from which it drives."""
        return self._crew[vehicle].claim.stand

    def found(self, vehicle: VehicleId, node: NodeId, position: Position | None = None) -> None:
        """A vehicle says where it stands; news only if we don't drive it: a person may have.

        Args:
            position: where that is more exactly.
        """
        pilot = self._crew[vehicle]
        claim = pilot.claim
        if pilot.cabins is not None and position is not None and claim.stand == node:
            self._crew.find_place(pilot, position)
        if pilot.clearance is not None or claim.stand == node:
            return
        self.detours.unblock(vehicle)
        if claim.edges:
            ends = [edge.end for edge in claim.edges[: claim.granted]]
            if node in ends[claim.passed :]:
                self._claims.pass_to(claim, ends.index(node, claim.passed) + 1)
        else:
            ends = [edge.end for edge in pilot.left]
            pilot.left = pilot.left[ends.index(node) + 1 :] if node in ends else ()
            homeward = claim.homeward or ()
            passed = [edge.end for edge in homeward]
            behind = passed.index(node) + 1 if node in passed else None
            rest = None if behind is None else homeward[behind:]
            self._crew.ways_home.stop(pilot, node, rest, pause=max(0, claim.pause - (behind or 0)))
        self._crew.pump()

    def set_stuck(self, vehicle: VehicleId, stuck: bool) -> None:
        """A vehicle can't move (or can again): others are led around it."""
        pilot = self._crew[vehicle]
        if pilot.claim.stuck != stuck:
            self._claims.set_stuck(pilot.claim, stuck)
            pilot.wake.set()
            self.detours.unblock(vehicle)
            self._crew.ways_home.rehome()
            self._crew.pump()

    def way(
        self,
        vehicle: VehicleId,
        goal: NodeId,
        *,
        clean_start: bool = False,
        goods_on_board: bool = False,
    ) -> Way:
        """The way to prefer now, led around what others plan to use; raises Unreachable."""
        pilot = self._crew[vehicle]
        nodes, lanes = self._crew.load(pilot)
        if self._timekeeper is not None and self._crew.courtesy is not None:
            for lane, seconds in self._timekeeper.lift_waits(pilot.spec).items():
                lanes[lane] = lanes.get(lane, 0.0) + seconds
        return self.roads.of(pilot.spec, goods_on_board=goods_on_board).shortest(
            pilot.claim.stand,
            goal,
            load=nodes,
            lane_load=lanes,
            clean_start=clean_start,
            shut=self._crew.ways_home.shut_times(pilot),
        )

    def carries(self, vehicle: VehicleId, goods: Callable[[], Goods]) -> None:
        """What a vehicle has on board decides where it may drive at which hour."""
        pilot, told = self._crew[vehicle], self.roads.hours is not None
        carried = goods() if told or pilot.cabins is not None else frozenset[str]()
        if told:
            pilot.goods = carried
        if pilot.cabins is not None:
            pilot.cabins.alone = rides_alone(carried)

    def way_home(self, vehicle: VehicleId, *, clean_start: bool = False) -> Way:
        """The way home, or to its berth, that everybody counts on; raises Unreachable."""
        return self._crew.ways_home.way_home(self._crew[vehicle], clean_start=clean_start)

    async def run(self) -> None:
        """Work doors and lifts for all, and look for detours, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._portals.run(), name="traffic.portals")
            group.create_task(self.detours.run(), name="traffic.detours")
            if self.roads.hours is not None:
                group.create_task(self._hour_watch.run(self.roads.hours), name="traffic.hours")
