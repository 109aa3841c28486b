"""What goes wrong on purpose: the faults of a scenario, brought upon bodies and machines."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from fleet.vehicle import VehicleId
from routing.site import DoorId, LiftId
from sim.config import PlannedFault
from sim.machines import DoorMachine, LiftMachine
from sim.world import World

log = logging.getLogger(__name__)

Deed = Callable[[], None]


class Body(Protocol):
    """Something on wheels or in the air that can break."""

    @property
    def slow(self) -> float:
        """Share of its speed that it can still reach."""
        ...

    @slow.setter
    def slow(self, share: float) -> None: ...

    def fail(self, code: str) -> None:
        """Stop until `repair`."""
        ...

    def repair(self) -> None:
        """Go on."""
        ...

    def set_charge(self, ratio: float) -> None:
        """Have its battery hold just this much."""
        ...


class Wired(Protocol):
    """The software of a vehicle, whose link can go down."""

    @property
    def link_down(self) -> bool:
        """Whether nothing comes through."""
        ...

    @link_down.setter
    def link_down(self, down: bool) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What faults can be brought upon, by id."""

    bodies: Mapping[VehicleId, Body]
    robots: Mapping[VehicleId, Wired]
    doors: Mapping[DoorId, DoorMachine]
    lifts: Mapping[LiftId, LiftMachine]


class Faults:
    """Brings about each fault when its time has come, and ends it after its duration.

    Closed lanes are no faults: people close them, and the dispatcher is told.

    Args:
        said: called with a sentence whenever something breaks or works again.

    Raises:
        ValueError: a fault names something that can't break in this way.
    """

    def __init__(
        self,
        world: World,
        faults: Sequence[PlannedFault],
        targets: Targets,
        *,
        said: Callable[[str], None] = log.info,
    ) -> None:
        self._world, self._targets, self._said = world, targets, said
        self._deeds = [(fault, *self._deed(fault)) for fault in faults]

    async def run(self) -> None:
        """Bring them about; returns when the last one is over."""
        start_s = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            for number, (fault, begin, end) in enumerate(self._deeds):
                group.create_task(self._bring(fault, begin, end, start_s), name=f"fault[{number}]")

    def begin(self, fault: PlannedFault) -> Coroutine[Any, Any, None]:
        """Bring one more fault about, at once; run what this returns to have it end.

        Raises:
            ValueError: it names something that can't break in this way.
        """
        begin, end = self._deed(fault)
        self._begin(fault, begin)
        return self._end(fault, end, asyncio.get_running_loop().time())

    async def _bring(
        self, fault: PlannedFault, begin: Deed, end: Deed | None, start_s: float
    ) -> None:
        await asyncio.sleep(fault.at_s)
        self._begin(fault, begin)
        await self._end(fault, end, start_s + fault.at_s)

    def _begin(self, fault: PlannedFault, begin: Deed) -> None:
        self._said(f"{fault.target} {fault.id}: {fault.fault}")
        begin()

    async def _end(self, fault: PlannedFault, end: Deed | None, since_s: float) -> None:
        if fault.lasts_s is None or end is None:
            return
        await asyncio.sleep(since_s + fault.lasts_s - asyncio.get_running_loop().time())
        end()
        self._said(f"{fault.target} {fault.id}: {fault.fault} is over")

    def _deed(self, fault: PlannedFault) -> tuple[Deed, Deed | None]:
        """How to bring a fault about, and how to end it."""
        try:
            if fault.target == "door":
                door = self._targets.doors[DoorId(fault.id)]
                return door.jam, door.repair
            if fault.target == "lift":
                lift = self._targets.lifts[LiftId(fault.id)]
                return lift.fail, lift.repair
            vehicle = VehicleId(fault.id)
            if fault.fault == "silent":
                robot = self._targets.robots[vehicle]
                return partial(self._link, robot, fault.id, True), partial(
                    self._link, robot, fault.id, False
                )
            return _body_deed(self._targets.bodies[vehicle], fault)
        except KeyError:
            raise ValueError(
                f"{fault.target} {fault.id} can't have the fault {fault.fault}"
            ) from None

    def _link(self, robot: Wired, name: str, down: bool) -> None:
        robot.link_down = down
        if down:
            self._world.troubles[f"link {name}"] = None
        else:
            self._world.troubles.pop(f"link {name}", None)


def _body_deed(body: Body, fault: PlannedFault) -> tuple[Deed, Deed | None]:
    share = 1.0 if fault.share is None else fault.share
    match fault.fault:
        case "slow":
            return partial(_slow, body, share), partial(_slow, body, 1.0)
        case "battery":
            return partial(body.set_charge, share), None
        case _:
            return partial(body.fail, "stopped"), body.repair


def _slow(body: Body, share: float) -> None:
    body.slow = share
