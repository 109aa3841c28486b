"""One drone's flights to incidents: from its dock or out of the air, above the scene, and home."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from dispatcher.air.passing import LAUNCH_S, WAKE_S, passes_of
from dispatcher.air.site_air import SiteAir
from dispatcher.air.skies import Skies
from dispatcher.domain.incidents import Incident, IncidentId
from dispatcher.missions.execution import Errand, Missions
from dispatcher.missions.flights import AirMover
from dispatcher.records.book import TaskBook
from fleet.errors import CommandFailed
from fleet.mission import Action, ActionKind, Mission, Waypoint
from fleet.vehicle import Diverted, Vehicle, VehicleId
from routing.air.response import Responder, Trip
from routing.geometry import Point
from routing.refusal import Refusal
from routing.site import LevelId, NodeId, Site

HELP = "incident"
"""The purpose of a flight to an incident."""
HOMEWARD = "homeward"
"""The purpose of a flight home out of the air."""
LEFT = NodeId("scene-left")
"""The waypoint above the scene that is done when the drone leaves."""
SLOW_DOWN_S = 20.0
"""The last ten metres of a landing."""
WORTH_S = 0.5
"""So much quicker a way over the pads of others must be."""
MARGIN = 0.95
"""Of the energy above the reserve, what is counted with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a drone is sent to."""

    incident: IncidentId
    at: Point
    on_scene_s: float


class HelpFlights:
    """Sends one drone to incidents; its `AirMover` flies everything else.

    ``call`` is what it has been sent to and has not begun; ``turned`` the flight that it was
    turned to in the air.
    """

    def __init__(
        self,
        vehicle: Vehicle,
        site: Site,
        skies: Skies,
        missions: Missions,
        book: TaskBook,
        mover: AirMover,
        air: SiteAir,
    ) -> None:
        self._vehicle, self._spec = vehicle, vehicle.spec
        self._site, self._skies = site, skies
        self._missions, self._book = missions, book
        self._mover, self._site_air = mover, air
        self._level = next(
            (level.id for level in site.levels.values() if level.outdoors),
            site.nodes[mover.home].level,
        )
        self.call: Call | None = None
        self._turned: tuple[IncidentId, tuple[Waypoint, ...]] | None = None

    # --- before it is sent ---

    def responder(self, scene: Point, why_not: Refusal | None) -> Responder:
        """How it stands now, for the choice among all who could fly to a scene."""
        spec, state, energy = self._spec, self._vehicle.state(), self._spec.energy
        position, home = state.position, self._site.nodes[self._mover.home].point
        flies = state.airborne
        hover_w, climb_w = energy.hover_w or energy.move_w, energy.climb_w or energy.move_w
        climb_s = spec.cruise_agl_m / spec.climb_m_s
        here = home if position is None else position.point
        height_m = position.height_agl_m if position is not None and flies else 0.0
        usable_ratio = max(0.0, (state.charge_ratio or 0.0) - energy.reserve_ratio)
        whole_j = MARGIN * 3600 * energy.capacity_wh
        launch_s = climb_s + LAUNCH_S + (WAKE_S if state.powered_down else 0.0)
        return Responder(
            id=spec.id,
            at=here,
            home=home,
            speed_m_s=spec.speed_m_s,
            launch_s=0.0 if flies else launch_s,
            energy_j=usable_ratio * whole_j,
            full_j=(1 - energy.reserve_ratio) * whole_j,
            charge_w=energy.charge_w if state.charging else 0.0,
            move_w=energy.move_w,
            hover_w=hover_w,
            land_j=(climb_s + SLOW_DOWN_S) * hover_w + (0.0 if flies else climb_s * climb_w),
            straight=self._trip((here, scene), (scene, home), stops=False),
            rise_s=max(0.0, spec.cruise_agl_m - height_m) / spec.climb_m_s if flies else 0.0,
            why_not=why_not or (Refusal("no_position") if position is None else None),
        )

    def trip(self, scene: Point) -> Trip:
        """Its way from where it is to a scene, and home from there; raises Unreachable."""
        route = self._route(scene)
        at = [waypoint.node for waypoint in route].index(LEFT)
        points = [waypoint.point for waypoint in route]
        return self._trip(points[:at], points[at:], stops=True)

    def _trip(self, there: Sequence[Point], back: Sequence[Point], *, stops: bool) -> Trip:
        pace = self._site_air.pace(self._spec)
        return Trip(
            there_s=pace.expected_s(there, stops=stops),
            paid_s=pace.paid_s((*there, *back), stops=stops),
        )

    def hindered_by(self, incident: Incident) -> Refusal | None:
        """Who is in the way of its flight now; raises Unreachable."""
        other = self._hinders(self._route(incident.at))
        return None if other is None else Refusal("waits_for_airspace", {"by": other})

    # --- once it is sent ---

    def withdraw(self) -> None:
        """Wait no more for whatever flight it waits for."""
        self._skies.withdraw(self._spec.id)

    def clear_air(self) -> None:
        """It flies nowhere."""
        self._skies.drop(self._spec.id)

    async def turn(self) -> bool:
        """Turn to the call in flight, at once; False = it can't, and flies on as it was told.

        Raises what `Diverted.turn_away` raises: then its flight is over.
        """
        call, vehicle = self.call, self._vehicle
        if call is None or not isinstance(vehicle, Diverted):
            return False
        route = self._route(call.at)
        if not self._skies.turn(self._spec.id, route, passes=_looks_at(route) - 1):
            return False
        self._turned = call.incident, route
        try:
            await vehicle.turn_away(route[1])
        except CommandFailed:
            self._turned = None
            raise
        return True

    async def answer(self, call: Call, errand: Errand) -> None:
        """Fly there, stay, and come home; raises what `Vehicle.execute` raises, and Unreachable."""
        turned, self._turned = self._turned, None
        route = self._route(call.at)
        if turned is not None and turned[0] == call.incident and self._vehicle.state().airborne:
            route = turned[1]
        id_ = self._book.new_mission_id()
        facts = {"incident": call.incident, "waypoint": float(_looks_at(route))}
        look = Action(
            id=f"{id_}.1", kind=ActionKind.OBSERVE, duration_s=call.on_scene_s, facts=facts
        )
        await self._fly(Mission(id=id_, route=route, actions=(look,), urgent=True), errand)

    @property
    def adrift(self) -> bool:
        """Whether it stays in the air and nobody has it fly anywhere."""
        state = self._vehicle.state()
        return state.airborne and state.mission is None and state.fit

    async def turn_home(self) -> None:
        """Break off, in flight: it comes home out of the air next."""
        if isinstance(self._vehicle, Diverted) and self._skies.turn(
            self._spec.id, self._homeward()
        ):
            with suppress(CommandFailed):  # it comes home by itself
                await self._vehicle.turn_away()
        else:
            await self._missions.stop()

    async def come_home(self, errand: Errand) -> None:
        """Fly home from where it is in the air."""
        mission = Mission(id=self._book.new_mission_id(), route=self._homeward())
        await self._fly(mission, errand)

    def _homeward(self) -> tuple[Waypoint, ...]:
        here = self._here()
        return (here, *self._air(self._way(here.point, self._home_point)[1:-1]), self._home())

    async def _fly(self, mission: Mission, errand: Errand) -> None:
        await self._missions.carry_out(
            mission,
            errand,
            lambda: self._skies.fly(
                self._spec.id,
                mission.route,
                errand.rank,
                leaves=True,
                passes=passes_of(mission),
            ),
        )
        self._mover.stand = self._mover.home
        self._skies.leave(self._spec.id)

    # --- ways ---

    def _route(self, scene: Point) -> tuple[Waypoint, ...]:
        """From where it is over the scene and home.

        There it flies over the pads of others if that is quicker and nobody is in the way now, nor
        could land there before it has passed; whoever would take off there waits until then.
        """
        state = self._vehicle.state()
        if state.airborne:
            start = self._here()
        else:
            node = self._site.nodes[self._mover.stand]
            start = Waypoint(node=node.id, level=node.level, point=node.point)
        back = self._way(scene, self._home_point)
        around = self._over(start, scene, self._way(start.point, scene), back)
        direct = self._site_air.straightest(self._spec, start.point, scene)
        if direct is None or not self._quicker(direct, [w.point for w in around]):
            return around
        route = self._over(start, scene, direct, back)
        return around if self._hinders(route) else route

    def _hinders(self, route: Sequence[Waypoint]) -> VehicleId | None:
        return self._skies.hinders(self._spec.id, route, passes=_looks_at(route) - 1)

    def _quicker(self, direct: Sequence[Point], around: Sequence[Point]) -> bool:
        """Whether the way there is quicker, and not only because positions are a second old."""
        pace, scene = self._site_air.pace(self._spec), direct[-1]
        there = around[: around.index(scene) + 1]
        return pace.expected_s(direct) < pace.expected_s(there) - WORTH_S

    def _over(
        self, start: Waypoint, scene: Point, there: Sequence[Point], back: Sequence[Point]
    ) -> tuple[Waypoint, ...]:
        above = [self._waypoint("scene", scene), self._waypoint(LEFT, scene)]
        return (start, *self._air(there[1:-1]), *above, *self._air(back[1:-1]), self._home())

    def _way(self, start: Point, goal: Point) -> tuple[Point, ...]:
        if start.distance_m(goal) < 0.01:
            return (start, goal)
        return self._site_air.way(self._spec, self._mover.stand, start, goal)

    def _here(self) -> Waypoint:
        position = self._vehicle.state().position
        assert position is not None, "a drone that flies knows where it is"
        return self._waypoint("air-here", position.point)

    def _home(self) -> Waypoint:
        node = self._site.nodes[self._mover.home]
        return Waypoint(node=node.id, level=node.level, point=node.point)

    @property
    def _home_point(self) -> Point:
        return self._site.nodes[self._mover.home].point

    def _air(self, points: Sequence[Point]) -> list[Waypoint]:
        return [self._waypoint(f"air-{number}", point) for number, point in enumerate(points, 1)]

    def _waypoint(self, name: str, point: Point) -> Waypoint:
        return Waypoint(
            node=NodeId(name),
            level=LevelId(self._level),
            point=point,
            height_agl_m=self._spec.cruise_agl_m,
        )


def _looks_at(route: Sequence[Waypoint]) -> int:
    return next(number for number, waypoint in enumerate(route) if waypoint.node == LEFT)


def incident_of(mission: Mission) -> tuple[IncidentId, int] | None:
    """The incident that a mission is for, and at which waypoint it looks; None = for none."""
    for action in mission.actions:
        if "incident" in action.facts:
            return IncidentId(str(action.facts["incident"])), int(action.facts["waypoint"])
    return None
