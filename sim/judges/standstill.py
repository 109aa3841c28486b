"""Finds bodies that wait for each other, or for nothing at all."""

import asyncio
from dataclasses import dataclass

from fleet.vehicle import VehicleId
from routing.site import NodeId
from sim.world.bodies import GroundBody
from sim.world.world import World

PATIENCE_S = 15 * 60.0
"""Nobody may wait longer than this without a cause that one can see."""
LOOK_S = 60.0


@dataclass(slots=True)
class _Wait:
    node: NodeId
    since_s: float
    reported: bool = False


class Standstill:
    """Bodies that want to go somewhere, and have not moved for `PATIENCE_S`.

    A circle of bodies each of which stands in the next one's way is a deadlock, whatever else
    happens. Waiting in front of a body that works, charges or has failed is not. Waiting with a
    free way ahead, or for an idle body, is one only when nothing has been broken and nobody at
    all has moved for as long: on a long one-lane road it is right to wait for oncoming traffic.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._waits: dict[VehicleId, _Wait] = {}
        self._broken_s = -PATIENCE_S

    async def run(self) -> None:
        """Look once a minute; runs until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()

    def look(self) -> None:
        """Judge the present moment."""
        now_s = asyncio.get_running_loop().time()
        if self._is_broken():
            self._broken_s = now_s
        for body in self._world.ground.values():
            wait = self._wait(body, now_s)
            if wait is None or wait.reported or now_s - wait.since_s < PATIENCE_S:
                continue
            chain, circle = self._chain(body)
            moved_s = max(other.moved_at_s for other in self._world.ground.values())
            calm = now_s - max(self._broken_s, moved_s) >= PATIENCE_S
            if chain and (circle or calm):
                self._report(chain, circle)

    def _wait(self, body: GroundBody, now_s: float) -> _Wait | None:
        """Its present wait, if it is waiting."""
        if wants(body) is None or body.failure is not None or body.edge is not None:
            self._waits.pop(body.id, None)
            return None
        wait = self._waits.get(body.id)
        if wait is None or wait.node != body.node:
            wait = self._waits[body.id] = _Wait(body.node, now_s)
        return wait

    def _chain(self, body: GroundBody) -> tuple[list[GroundBody], bool]:
        """Who waits for whom, from ``body`` on, and whether it is a circle.

        Empty when it ends at somebody who has a good reason to stand there.
        """
        chain = [body]
        while True:
            blocker = self._blocker(chain[-1])
            if blocker is None:
                return chain, False
            if blocker in chain:
                return chain[chain.index(blocker) :], True
            served = any(cell.serves(blocker.id) for cell in self._world.workcells.values())
            busy = blocker.working is not None or blocker.charging or blocker.edge is not None
            busy = busy or served
            if busy or blocker.failure is not None or blocker.energy_wh <= 0:
                return [], False
            chain.append(blocker)
            if wants(blocker) is None:
                return chain, False

    def _blocker(self, body: GroundBody) -> GroundBody | None:
        """Who is in the way of ``body``."""
        goal = wants(body)
        if goal is None:
            return None
        lift = self._world.site.lift_at.get(goal)
        taken = set(lift.cabins.values()) if lift is not None else {goal}
        for other in self._world.ground.values():
            ahead = other.edge.end if other.edge is not None else None
            if other is not body and (other.node in taken or ahead in taken):
                return other
        return None

    def _is_broken(self) -> bool:
        bodies = self._world.ground.values()
        world = self._world
        machines = (*world.doors.values(), *world.lifts.values(), *world.workcells.values())
        return (
            bool(self._world.troubles)
            or any(body.failure is not None or body.slow < 1 for body in bodies)
            or any(not machine.in_service for machine in machines)
        )

    def _report(self, chain: list[GroundBody], circle: bool) -> None:
        for body in chain:
            if body.id in self._waits:
                self._waits[body.id].reported = True
        names = [f"{body.id} at {body.node}" for body in chain]
        if circle:
            what = " waits for ".join((*names, names[0]))
        elif len(chain) == 1:
            what = f"{names[0]} wants to go to {wants(chain[0])}, and nothing is in its way"
        else:
            what = " waits for ".join(names) + ", which is idle"
        self._world.violate("deadlock", what)


def wants(body: GroundBody) -> NodeId | None:
    """Where a body would go if it could, though it stands; None = it wants nothing."""
    if body.working is not None or body.edge is not None:
        return None
    if body.halted_before is not None:
        return body.halted_before.end
    return body.next_node
