"""A robot with ROS 2 and Nav2, as a `Vehicle`."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence

from fleet.errors import LinkError, LinkLost, LinkTimeout, MissionFailed
from fleet.mission import Clearance, Mission, MissionId, Outcome
from fleet.ros2.config import Ros2Config
from fleet.ros2.drive import Drive, is_online
from fleet.ros2.placing import Placing
from fleet.ros2.port import OURS, GoalId, Nav2Port, Navigation
from fleet.ros2.work import Work
from fleet.vehicle import Mode, Position, Severity, VehicleError, VehicleSpec, VehicleState
from routing.refusal import Refusal
from routing.site import NodeId, Site

log = logging.getLogger(__name__)

_REMEMBERED = 32
_TWICE_S = 20.0
"""A robot that died is listed for 10 s: the lease of a DDS participant."""
_FAR_M = 3.0
"""So far from all nodes, a robot that has no mission is where nobody expects it."""


class Ros2Vehicle:
    """One robot with Nav2. See `fleet.vehicle.Vehicle` for what its methods promise.

    Nav2 drives to poses and knows nothing of missions, loads or work: what it has done of a
    mission is known here alone, and forgotten when this process ends. Goals that a former process
    has left are cancelled as soon as the robot is heard.
    """

    def __init__(self, spec: VehicleSpec, port: Nav2Port, config: Ros2Config, site: Site) -> None:
        self._spec, self._port, self._config, self._site = spec, port, config, site
        self._placing = Placing(config, site)
        self._work = Work(port, config)
        self._listeners: list[Callable[[], None]] = []
        self._mission: Mission | None = None
        """What it holds: in hand, or given up for a lost link."""
        self._drive: Drive | None = None
        self._over: asyncio.Future[LinkError | None] | None = None
        """Settled when the mission in hand is over, with the link's failure if it ended it."""
        self._finished: OrderedDict[MissionId, Outcome] = OrderedDict()
        self._last_node: NodeId | None = None
        self._was_online = False
        port.senses.watch(self._tell)

    @property
    def spec(self) -> VehicleSpec:
        """What it is."""
        return self._spec

    def watch(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called after each new word of the robot."""
        self._listeners.append(changed)

    def state(self) -> VehicleState:
        """Its latest snapshot."""
        senses, drive = self._port.senses, self._drive
        position = self._placing.to_site(senses.pose)
        if drive is not None and drive.driving:
            self._last_node = drive.clearance.route[drive.clearance.passed].node
        elif position is not None:
            self._last_node = self._node_at(position)
        errors = self._errors(position)
        base = () if drive is None else (drive.clearance.route[i].node for i in drive.base)
        return VehicleState(
            heard_at_s=senses.heard_at_s,
            online=is_online(self._port, self._config, _now_s()),
            position=position,
            last_node=self._last_node,
            mission=self._mission.id if self._mission else None,
            base=tuple(base),
            driving=bool(senses.goals) or (drive is not None and drive.driving),
            charge_ratio=self._charge_ratio(),
            charging=self._charging(),
            mode=self._mode(position, errors),
            errors=tuple(errors),
            loads=self._work.loads,
        )

    def why_not(self, mission: Mission) -> Refusal | None:
        """Why the robot could not carry out ``mission``, by its site and its configuration."""
        for waypoint in mission.route:
            node = self._site.nodes.get(waypoint.node)
            if node is None:
                return Refusal("unknown_node", {"node": waypoint.node})
            if waypoint.height_agl_m > 0:
                return Refusal("cannot_fly", {"node": waypoint.node})
            if node.level != self._placing.level:
                return Refusal("other_level", {"level": node.level})
        for action in mission.actions:
            if self._config.does(action.kind) is None:
                return Refusal("unsupported_action", {"action": action.kind.value})
        return None

    async def execute(self, mission: Mission, clearance: Clearance) -> Outcome:
        """Drive the route as goals, as far as it is released, and do the work at its end."""
        if self._over is not None:
            raise ValueError(f"{self._spec.id} is at another mission; cancel that first")
        if mission.id in self._finished:
            return self._finished[mission.id]
        refusal = self.why_not(mission)
        if refusal is not None:
            raise MissionFailed(refusal)
        resumed = self._mission is not None and self._mission.id == mission.id
        over = self._over = asyncio.get_running_loop().create_future()
        self._mission = mission
        self._work.resume()
        failure: LinkError | None = None
        try:
            outcome = await self._carry_out(mission, clearance, resumed=resumed)
        except LinkError as error:
            failure = error
            raise
        except MissionFailed:
            self._mission = None
            raise
        finally:
            self._drive = self._over = None
            over.set_result(failure)
            self._tell()
        self._mission = None
        self._finished[mission.id] = outcome
        if len(self._finished) > _REMEMBERED:
            self._finished.popitem(last=False)
        return outcome

    async def _carry_out(self, mission: Mission, clearance: Clearance, *, resumed: bool) -> Outcome:
        self._drive = Drive(self._port, self._config, self._placing, clearance, resumed=resumed)
        if len(mission.route) > 1:
            self._work.plugged = False
        await self._drive.run()
        results: dict[str, str] = {}
        for action in mission.actions:
            results[action.id] = await self._work.do(action)
            self._tell()
        told = {action: text for action, text in results.items() if text}
        return Outcome(mission=mission.id, finished_at_s=_now_s(), results=told)

    async def cancel(self) -> None:
        """Have it drive to the next node that it was let go to, and stand there.

        It is stopped where it is if it doesn't get there within ``stop_s``. A service that is at
        work is waited for.

        Raises:
            LinkError: it is not heard any more, or does not answer.
        """
        if self._over is None:
            if self._mission is not None and not self.state().online:
                raise LinkLost(f"{self._spec.id} is not heard")
            await self._drop(self._leftovers())
            self._mission = None
            return
        if self._drive is not None:
            self._drive.stop()
        self._work.stop()
        failure = await asyncio.shield(self._over)
        if failure is not None:
            raise failure

    async def run(self) -> None:
        """Keep the link; notice silence; have goals given up that nobody follows."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._port.run(), name=f"ros2[{self._spec.id}].port")
            group.create_task(self._look_after(), name=f"ros2[{self._spec.id}].watch")

    async def _look_after(self) -> None:
        senses, retry_at_s = self._port.senses, 0.0
        while True:
            rung, now_s = senses.news.rung, _now_s()
            online = is_online(self._port, self._config, now_s)
            if self._was_online and not online:
                self._was_online = False
                self._tell()
            self._was_online = online
            idle = self._over is None and self._mission is None
            leftovers = self._leftovers() if idle else ()
            if leftovers and senses.navigation is Navigation.READY and now_s >= retry_at_s:
                retry_at_s = now_s + self._config.retry_s
                try:
                    await self._drop(leftovers)
                except LinkError as error:
                    log.warning("%s: %s", self._spec.id, error)
            stale_s = (senses.heard_at_s or 0.0) + self._config.fresh_s if online else None
            if leftovers:
                stale_s = retry_at_s
            await senses.news.wait(rung, stale_s)

    def _leftovers(self) -> tuple[GoalId, ...]:
        """Goals of ours that nobody follows."""
        return tuple(sorted(goal for goal in self._port.senses.goals if goal.startswith(OURS)))

    async def _drop(self, goals: tuple[GoalId, ...]) -> None:
        for goal in goals:
            log.info("gives up a goal that nobody follows", extra={"vehicle": self._spec.id})
            await self._port.cancel(goal)
        until_s = _now_s() + self._config.answer_s
        while self._port.senses.goals.intersection(goals):
            if _now_s() >= until_s:
                raise LinkTimeout(f"{self._spec.id} does not stop")
            await self._port.senses.news.wait(self._port.senses.news.rung, until_s)

    # --- its state ---

    def _node_at(self, position: Position) -> NodeId | None:
        """The node it stands at; on the way between two, the one it was at last."""
        found = self._placing.nearest(position)
        if found is None:
            return self._last_node
        node, away_m = found
        return (
            node.id if away_m <= self._config.reached_m or not self._last_node else self._last_node
        )

    def _charge_ratio(self) -> float | None:
        battery = self._port.senses.battery
        if battery is None or battery.percentage is None:
            return None
        return min(1.0, max(0.0, battery.percentage / self._config.battery_full))

    def _charging(self) -> bool:
        battery = self._port.senses.battery
        told = battery.charging if battery is not None else None
        return self._work.plugged if told is None else told

    def _mode(self, position: Position | None, errors: Sequence[VehicleError]) -> Mode:
        senses = self._port.senses
        if any(not goal.startswith(OURS) for goal in senses.goals):
            return Mode.MANUAL
        known = position is not None and senses.navigation is not Navigation.ABSENT
        return Mode.AUTOMATIC if known or errors else Mode.UNKNOWN

    def _errors(self, position: Position | None) -> list[VehicleError]:
        senses, found = self._port.senses, list[VehicleError]()
        if senses.navigation is Navigation.FOREIGN:
            text = "its services are not served by rmw_cyclonedds_cpp; use the rclpy backend"
            found.append(_fatal("foreign_middleware", text))
        elif self._is_deaf():
            found.append(_fatal("no_navigation", "its Nav2 action servers are not there"))
        if senses.twice_since_s is not None and _now_s() - senses.twice_since_s > _TWICE_S:
            text = f"two robots have the namespace {self._config.namespace or '/'}"
            found.append(_fatal("namespace_collision", text))
        if senses.pose is not None and position is None:
            found.append(_fatal("unknown_map", f"its poses are in the frame {senses.pose.frame}"))
        if position is not None and self._over is None:
            nearest = self._placing.nearest(position)
            if nearest is None or nearest[1] > _FAR_M:
                text = "it stands where no node is"
                found.append(
                    VehicleError(code="off_the_roads", severity=Severity.WARNING, text=text)
                )
        return found

    def _is_deaf(self) -> bool:
        """It is heard, but its navigation has been away for so long that this is no start."""
        senses = self._port.senses
        if senses.heard_at_s is None or senses.navigation is not Navigation.ABSENT:
            return False
        return _now_s() - senses.absent_since_s > self._config.fresh_s

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


def _fatal(code: str, text: str) -> VehicleError:
    return VehicleError(code=code, severity=Severity.FATAL, text=text)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
