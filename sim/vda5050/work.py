"""How a simulated robot carries out its order: one thing at a time, driving or acting."""

from pydantic.alias_generators import to_snake

from fleet import mission
from fleet.vda5050.order_messages import Action
from fleet.vda5050.orders import ACTION_TYPES
from fleet.vda5050.terms import ActionStatus
from sim.vda5050.job import Job
from sim.vda5050.memory import Memory
from sim.vda5050.roads import Roads, is_driven
from sim.world.bodies import GroundBody

_KINDS = {wire: kind for kind, wire in ACTION_TYPES.items()}
_DURATIONS_S = {"pick": 10.0, "drop": 10.0}
"""Of actions whose master doesn't tell one."""


class Work:
    """Moves the body by the order in memory.

    Args:
        v3: whether the robot speaks version 3 of the standard.
    """

    def __init__(self, body: GroundBody, memory: Memory, roads: Roads, *, v3: bool) -> None:
        self._body, self._memory, self._roads, self._v3 = body, memory, roads, v3
        self.refuses: dict[str, str] = {}
        """Action types that will fail, each with what the robot says then. An action that may be
        tried again becomes RETRIABLE instead."""

    async def run(self) -> None:
        """Carry out whatever order is in memory, until cancelled."""
        memory = self._memory
        while True:
            rung, job = memory.work_bell.rung, memory.job
            if memory.cancels or memory.gives_up:
                self._finish_cancel()
            elif memory.held_up or job.stumbled is not None:
                await memory.work_bell.wait(rung)
            elif job.todo:
                await self._act(job, job.todo.popleft())
            elif job.next_edge is not None and self._roads.may_drive(job.next_edge):
                await self._drive(job)
            else:
                await memory.work_bell.wait(rung)

    def _finish_cancel(self) -> None:
        memory = self._memory
        memory.job.cancel()
        memory.gives_up = False
        for action in memory.cancels:
            memory.job.note_instant(action, ActionStatus.FINISHED)
            memory.asleep |= action.action_type == "startHibernation"
        memory.cancels.clear()
        memory.changed()

    async def _drive(self, job: Job) -> None:
        edge, memory, roads = job.next_edge, self._memory, self._roads
        if edge is None:
            return
        if is_driven(edge):
            rolls_on = job.rolls_on and not memory.held_up and roads.may_drive(job.edges[1])
            beside = roads.beside(job.nodes[0])
            await self._body.drive(roads.road(edge), onward=rolls_on, beside=beside)
        if job is memory.job:
            job.arrive()
        else:
            memory.job.last_node_id = self._body.node
        memory.changed()

    async def _act(self, job: Job, action: Action) -> None:
        job.note(action, ActionStatus.INITIALIZING)
        text = self.refuses.get(action.action_type) or self._impossible(action)
        if text is not None and action.retriable and self._v3:
            job.note(action, ActionStatus.RETRIABLE, text)
            job.stumbled = action
            job.todo.appendleft(action)
        elif text is not None:
            job.note(action, ActionStatus.FAILED, text)
        else:
            job.note(action, ActionStatus.RUNNING)
            self._memory.changed()
            await self._body.act(_as_mission_action(action))
            job.note(action, ActionStatus.FINISHED)
        self._memory.changed()

    def _impossible(self, action: Action) -> str | None:
        load = action.parameter("loadId")
        if action.action_type == "drop" and load is not None and load not in self._body.loads:
            return f"{load} is not on board"
        if action.action_type == "startCharging" and not self._body.connect_charger():
            return "no charger here"
        return None


def _as_mission_action(action: Action) -> mission.Action:
    parameters = {p.key: p.value for p in action.action_parameters or ()}
    duration = parameters.pop("duration", None)
    return mission.Action(
        id=action.action_id,
        kind=_KINDS[action.action_type],
        duration_s=float(duration)
        if isinstance(duration, int | float)
        else _DURATIONS_S.get(action.action_type, 0.0),
        facts={
            to_snake(key): value
            for key, value in parameters.items()
            if isinstance(value, str | float)
        },
    )
