"""The `rclpy` backend: any robot, whatever its middleware, through an installed ROS 2.

rclpy spins in a thread of its own, with its own context and executor. Requests are started in
that thread by ``executor.create_task``: started from another one, an answer can come before
rclpy waits for it, and is lost (ros2/rclpy#1123). Results come back into the loop by
``call_soon_threadsafe``; every wait has a timeout. On the way out the executor ends first, then
its thread, and only then are entities, node and context destroyed.
"""

import asyncio
import contextlib
import importlib
import logging
import threading
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from fleet.errors import LinkError, LinkTimeout
from fleet.ros2.config import Ros2Config
from fleet.ros2.port import (
    Battery,
    Goal,
    GoalEnd,
    GoalId,
    GoalRejected,
    MapPose,
    Navigation,
    Senses,
    new_goal_id,
)
from fleet.ros2.said import (
    OVER,
    read_active,
    read_battery,
    read_end,
    read_id,
    read_pose,
    read_poses_left,
    write_pose,
)

log = logging.getLogger(__name__)

_JOIN_S = 5.0
_CALL_S = 3600.0
"""Longest wait for a service that works; who calls has a shorter one of its own."""
_TO_POSE, _THROUGH_POSES = "navigate_to_pose", "navigate_through_poses"


class _Ros:
    """The modules of ROS that are used; imported when a robot is connected, not before."""

    def __init__(self) -> None:
        load = importlib.import_module
        self.rclpy: Any = load("rclpy")
        self.action: Any = load("rclpy.action")
        self.executors: Any = load("rclpy.executors")
        self.context: Any = load("rclpy.context")
        self.qos: Any = load("rclpy.qos")
        self.geometry: Any = load("geometry_msgs.msg")
        self.sensor: Any = load("sensor_msgs.msg")
        self.uuid: Any = load("unique_identifier_msgs.msg")
        self.goals: Any = load("action_msgs.msg")
        self.cancels: Any = load("action_msgs.srv")
        self.std_srvs: Any = load("std_srvs.srv")
        self.nav2: Any = load("nav2_msgs.action")


class RclpyPort:
    """One robot through rclpy; see `fleet.ros2.port.Nav2Port`."""

    def __init__(self, config: Ros2Config) -> None:
        self._config = config
        self._senses = Senses()
        self._node: _Node | None = None
        self._goals: dict[GoalId, Goal] = {}

    @property
    def senses(self) -> Senses:
        """What it last said."""
        return self._senses

    async def run(self) -> None:
        """Spin until cancelled, and look whether the robot's navigation is there.

        Raises:
            LinkError: ROS could not be started.
        """
        loop = asyncio.get_running_loop()
        try:
            node = await asyncio.to_thread(_Node, self._config, partial(_into, loop), self)
        except Exception as error:
            raise LinkError(f"ROS 2 can't be started: {error}") from error
        self._node = node
        try:
            wanted = _TO_POSE if self._config.drive == "nodes" else _THROUGH_POSES
            while True:
                ready = await node.started(node.is_ready(wanted), self._config.answer_s)
                self._senses.see(Navigation.READY if ready else Navigation.ABSENT)
                await asyncio.sleep(self._config.look_s)
        finally:
            self._node = None
            self._senses.see(Navigation.ABSENT)
            await asyncio.to_thread(node.shut_down)

    # --- goals ---

    async def go_to(self, pose: MapPose) -> Goal:
        """Send it to a pose."""
        node = self._connected()
        goal = node.ros.nav2.NavigateToPose.Goal()
        goal.pose = node.stamped(pose)
        return await self._send(node, _TO_POSE, goal, 1)

    async def go_through(self, poses: Sequence[MapPose]) -> Goal:
        """Send it through poses."""
        node = self._connected()
        goal = node.ros.nav2.NavigateThroughPoses.Goal()
        told = [node.stamped(pose) for pose in poses]
        if hasattr(goal.poses, "goals"):  # nav_msgs/Goals, since Kilted
            goal.poses.header, goal.poses.goals = told[-1].header, told
        else:
            goal.poses = told
        return await self._send(node, _THROUGH_POSES, goal, len(poses))

    async def _send(self, node: "_Node", action: str, message: Any, poses: int) -> Goal:
        id_ = new_goal_id()
        handles: list[Any] = []

        async def ask() -> GoalEnd:
            return await self._result(handles[0])

        goal = Goal(id_, poses, ask=ask, cancel=partial(self.cancel, id_))
        self._goals = {id_: goal}  # listen before speaking; a newer goal ends the older ones
        handle = await node.started(node.send(action, message, id_), self._config.answer_s)
        if not handle.accepted:
            raise GoalRejected(f"{action} rejected the goal")
        handles.append(handle)
        return goal

    async def _result(self, handle: Any) -> GoalEnd:
        while True:
            try:
                reply = await self._connected().started(_get_result(handle), _CALL_S)
            except LinkError:
                await asyncio.sleep(self._config.look_s)
                continue
            return read_end(reply)

    async def cancel(self, goal: GoalId) -> None:
        """Have it give up a goal, whichever action it is of."""
        node = self._connected()
        names = self._senses.listed_by(goal)
        for name in names or (_TO_POSE, _THROUGH_POSES):
            if await node.started(node.is_ready(name), self._config.answer_s):
                code = await node.started(node.cancel(name, goal), self._config.answer_s)
                if code in OVER and names:
                    self._senses.end_goal(goal)

    async def trigger(self, service: str) -> tuple[bool, str]:
        """Call one of its Trigger services."""
        node = self._connected()
        reply = await node.started(node.trigger(self._config.full(service)), _CALL_S)
        return bool(reply.success), str(reply.message)

    def _connected(self) -> "_Node":
        if self._node is None:
            raise LinkError(f"{self._config.namespace} is not connected")
        return self._node

    # --- what it says; called in the loop ---

    def on_feedback(self, goal: GoalId, poses_left: int, pose: MapPose) -> None:
        """A goal's progress."""
        if goal in self._goals:
            self._goals[goal].feed(poses_left)
        self.on_pose(pose)

    def on_status(self, action: str, goals: frozenset[GoalId]) -> None:
        """What one action server is at."""
        self._senses.list_goals(action, goals)

    def on_pose(self, pose: MapPose) -> None:
        """Where it is."""
        self._senses.hear_pose(pose)

    def on_battery(self, battery: Battery) -> None:
        """What its battery says."""
        self._senses.hear_battery(battery)


class _Node:
    """Context, node, executor and thread of one robot. Made and shut down outside the loop.

    Coroutine methods run in the executor's thread; `started` starts them there from the loop.
    """

    def __init__(
        self,
        config: Ros2Config,
        into_loop: Callable[[Callable[[], None]], None],
        port: RclpyPort,
    ) -> None:
        self.ros = ros = _Ros()
        self._config, self._into_loop, self._port = config, into_loop, port
        self._context = ros.context.Context()
        ros.rclpy.init(context=self._context, domain_id=config.domain_id)
        name = f"wardline{config.namespace.replace('/', '_')}"
        self._node = ros.rclpy.create_node(name, context=self._context)
        self._executor = ros.executors.SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._actions = {
            _TO_POSE: self._action(ros.nav2.NavigateToPose, _TO_POSE),
            _THROUGH_POSES: self._action(ros.nav2.NavigateThroughPoses, _THROUGH_POSES),
        }
        self._cancels = {
            action: self._node.create_client(
                ros.cancels.CancelGoal, f"{config.full(action)}/_action/cancel_goal"
            )
            for action in self._actions
        }
        self._triggers: dict[str, Any] = {}
        for work in config.actions.values():
            if work.service is not None:
                full = config.full(work.service)
                self._triggers[full] = self._node.create_client(ros.std_srvs.Trigger, full)
        self._listen()
        self._thread = threading.Thread(
            target=self._spin, name=f"rclpy[{config.namespace}]", daemon=True
        )
        self._thread.start()

    def _action(self, kind: Any, name: str) -> Any:
        return self.ros.action.ActionClient(self._node, kind, self._config.full(name))

    def _listen(self) -> None:
        ros, config = self.ros, self._config
        latched = ros.qos.QoSProfile(
            depth=1,
            reliability=ros.qos.ReliabilityPolicy.RELIABLE,
            durability=ros.qos.DurabilityPolicy.TRANSIENT_LOCAL,
        )
        best_effort = ros.qos.qos_profile_sensor_data
        listen, topic = self._node.create_subscription, config.full(config.pose_topic)
        if config.pose_type == "amcl":
            listen(ros.geometry.PoseWithCovarianceStamped, topic, self._on_amcl_pose, latched)
        else:
            listen(ros.geometry.PoseStamped, topic, self._on_pose, best_effort)
        if config.battery_topic is not None:
            topic = config.full(config.battery_topic)
            listen(ros.sensor.BatteryState, topic, self._on_battery, best_effort)
        for action in self._actions:
            topic = f"{config.full(action)}/_action/status"
            listen(ros.goals.GoalStatusArray, topic, partial(self._on_status, action), latched)

    def _spin(self) -> None:
        with contextlib.suppress(self.ros.executors.ExternalShutdownException):
            self._executor.spin()

    async def started(self, work: Coroutine[Any, Any, Any], timeout_s: float) -> Any:
        """Run ``work`` in the executor's thread, and wait for it here in the loop.

        Raises:
            LinkTimeout: it took too long.
            LinkError: it failed.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()

        def settle(task: Any) -> None:
            error = task.exception()
            outcome = None if error is not None else task.result()
            self._into_loop(partial(_settle, answer, outcome, error))

        async def job() -> Any:
            return await work

        task = self._executor.create_task(job)
        task.add_done_callback(settle)
        try:
            async with asyncio.timeout(timeout_s):
                return await answer
        except TimeoutError:
            raise LinkTimeout(f"{self._config.namespace} does not answer") from None
        finally:
            if not answer.done() or answer.cancelled():
                task.cancel()

    # --- in the executor's thread ---

    async def is_ready(self, action: str) -> bool:
        """Whether an action is served."""
        return bool(self._actions[action].server_is_ready())

    async def send(self, action: str, goal: Any, id_: GoalId) -> Any:
        """Send a goal; returns its handle."""
        if not self._actions[action].server_is_ready():
            raise LinkError(f"{self._config.full(action)} is not served")
        uuid = self.ros.uuid.UUID(uuid=list(id_))
        return await self._actions[action].send_goal_async(
            goal, feedback_callback=self._on_feedback, goal_uuid=uuid
        )

    async def cancel(self, action: str, id_: GoalId) -> int:
        """Ask for a goal's end; returns the answer's code."""
        request = self.ros.cancels.CancelGoal.Request()
        request.goal_info.goal_id.uuid = list(id_)
        reply = await self._cancels[action].call_async(request)
        return int(reply.return_code)

    async def trigger(self, name: str) -> Any:
        """Call a Trigger service."""
        client = self._triggers.get(name)
        if client is None or not client.service_is_ready():
            raise LinkError(f"{name} is not served")
        return await client.call_async(self.ros.std_srvs.Trigger.Request())

    def _on_feedback(self, message: Any) -> None:
        said = message.feedback
        pose = read_pose(said.current_pose.header, said.current_pose.pose)
        told = partial(
            self._port.on_feedback, read_id(message.goal_id), read_poses_left(said), pose
        )
        self._into_loop(told)

    def _on_status(self, action: str, message: Any) -> None:
        self._into_loop(partial(self._port.on_status, action, read_active(message)))

    def _on_amcl_pose(self, message: Any) -> None:
        pose = read_pose(message.header, message.pose.pose)
        self._into_loop(partial(self._port.on_pose, pose))

    def _on_pose(self, message: Any) -> None:
        pose = read_pose(message.header, message.pose)
        self._into_loop(partial(self._port.on_pose, pose))

    def _on_battery(self, message: Any) -> None:
        self._into_loop(partial(self._port.on_battery, read_battery(message)))

    # --- from any thread ---

    def stamped(self, pose: MapPose) -> Any:
        """A pose as ROS writes it."""
        return write_pose(self.ros.geometry.PoseStamped(), pose)

    def shut_down(self) -> None:
        """Executor first, then its thread, then all that it has spun."""
        self._executor.shutdown(timeout_sec=_JOIN_S)
        self._thread.join(_JOIN_S)
        if self._thread.is_alive():
            log.error("%s: rclpy's thread does not end", self._config.namespace)
            return
        for client in self._actions.values():
            client.destroy()
        self._node.destroy_node()
        self.ros.rclpy.shutdown(context=self._context)


async def _get_result(handle: Any) -> Any:
    return await handle.get_result_async()


def _into(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """Have ``call`` made in the loop, unless that is closed already."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call)


def _settle(answer: asyncio.Future[Any], outcome: Any, error: BaseException | None) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(outcome)
    else:
        answer.set_exception(error if isinstance(error, LinkError) else LinkError(str(error)))
