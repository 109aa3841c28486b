"""What is done with a drone between its flights: goods on and off, by a person or a gripper."""

import asyncio
from collections import OrderedDict

from pymavlink.dialects.v20 import ardupilotmega as mav

from fleet.errors import MissionFailed
from fleet.mavlink.commands import CommandRefused
from fleet.mavlink.drone import Drone
from fleet.mission import Action, ActionKind
from fleet.vehicle import VehicleSpec
from routing.refusal import Refusal

_REMEMBERED = 64
_KNOWN = frozenset(
    {
        ActionKind.LOAD,
        ActionKind.UNLOAD,
        ActionKind.OBSERVE,
        ActionKind.CHARGE,
        ActionKind.STOP_CHARGING,
    }
)


def why_not(action: Action, spec: VehicleSpec) -> Refusal | None:
    """Why a drone could not do ``action``; None = it could."""
    if action.kind not in _KNOWN:
        return Refusal("action_not_supported", {"action": action.kind.value})
    load_type = action.facts.get("load_type")
    if action.kind is ActionKind.LOAD and load_type not in {None, *spec.load_types}:
        return Refusal("load_type_not_carried", {"load_type": str(load_type)})
    return None


class Groundwork:
    """Work at the end of a flight; each action is done once, however often it is asked for.

    MAVLink has no word for a person who puts a box into a drone: the drone waits on the ground
    for the action's duration. With a gripper it closes after that, and opens before it.
    """

    def __init__(self, drone: Drone, *, gripper: bool) -> None:
        self._drone, self._gripper = drone, gripper
        self._done: OrderedDict[str, str] = OrderedDict()
        self.loads: tuple[str, ...] = ()
        """What is on board, by the ids that the missions gave."""

    async def do(self, action: Action, *, flown: bool, in_dock: bool) -> str:
        """Carry out one action; returns what to say of it.

        Args:
            flown: whether there was a flight; it has made its observations already.
            in_dock: whether it stands in its own dock, which charges whatever stands there.

        Raises:
            MissionFailed: it can't be done.
        """
        if action.id in self._done:
            return self._done[action.id]
        match action.kind:
            case ActionKind.LOAD:
                await self._load(action)
            case ActionKind.UNLOAD:
                await self._unload(action)
            case ActionKind.OBSERVE if not flown:
                await asyncio.sleep(action.duration_s)
            case ActionKind.CHARGE if not in_dock:
                raise MissionFailed(Refusal("not_in_dock"))
            case _:
                pass
        self._done[action.id] = "done"
        if len(self._done) > _REMEMBERED:
            self._done.popitem(last=False)
        return "done"

    async def _load(self, action: Action) -> None:
        await asyncio.sleep(action.duration_s)
        await self._grip(mav.GRIPPER_ACTION_GRAB)
        self.loads = (*self._others(action), _load_id(action))

    async def _unload(self, action: Action) -> None:
        await self._grip(mav.GRIPPER_ACTION_RELEASE)
        await asyncio.sleep(action.duration_s)
        self.loads = self._others(action)

    def _others(self, action: Action) -> tuple[str, ...]:
        return tuple(load for load in self.loads if load != _load_id(action))

    async def _grip(self, grip: int) -> None:
        if self._gripper:
            try:
                await self._drone.do(mav.MAV_CMD_DO_GRIPPER, 1, grip)
            except CommandRefused as refused:
                raise MissionFailed(Refusal("gripper_failed", {"text": str(refused)})) from refused


def _load_id(action: Action) -> str:
    return str(action.facts.get("load_id", action.id))
