"""Random tasks, breakdowns and cancels in any building, and how near its robots come."""

import asyncio
import random
from contextlib import suppress
from itertools import combinations
from typing import Any

from dispatcher.desks.emergencies_in import EmergencyIn
from dispatcher.errors import IllegalMove, Refused
from sim.world.outlines import gap_m
from tests.sim.hospital import Hospital
from tests.sim.process import Place

FIRE = {"kind": "fire", "by": "Dr Lin"}
REQUEST = {"kind": "delivery", "item": "box", "goods": "food", "mass_kg": 5.0}


class Storm:
    """Random tasks, breakdowns and cancels; looks on how near bodies come to each other.

    Args:
        calm: tasks alone.
    """

    def __init__(self, place: Hospital | Place, luck: random.Random, *, calm: bool = False) -> None:
        self.place, self.luck, self.calm = place, luck, calm
        self.nearest_m, self.passed = float("inf"), 0
        self._side_by_side: set[tuple[str, str]] = set()

    async def with_an_alarm(self, hours: float) -> None:
        """Blow for so long, with a fire alarm in the middle, until all is done."""
        desk = self.place.service.emergency_desk
        await self.blow(hours * 1800)
        fire = await desk.begin(EmergencyIn.model_validate(FIRE))
        await self.blow(180)
        await desk.end(fire.id, "Dr Lin")
        await self.blow(hours * 1800)
        await self.place.until(lambda: not self.place.service.open_tasks(), at_most_s=7200)

    async def with_kills(self, place: Place, hours: float) -> None:
        """Blow for so long, while the dispatcher is killed each minute or so, until all is done."""
        for _ in range(round(hours * 30)):
            await self.blow(self.luck.uniform(20, 100))
            await place.restart()
        await place.until(lambda: not place.service.open_tasks(), at_most_s=7200)

    async def blow(self, lasts_s: float) -> None:
        """Let all that happen for so long; what has failed is repaired soon after."""
        place, luck = self.place, self.luck
        rooms = [
            p.id for p in place.service.site.places.values() if p.kind == "room" and not p.roles
        ]
        bodies = list(place.world.ground.values())
        for _ in range(round(lasts_s / 0.5)):
            await asyncio.sleep(0.5)
            self._look()
            if luck.random() < 0.5 / 12 and len(place.service.open_tasks()) < 10:
                origin, goal = luck.sample(rooms, 2)
                await place.submit(**self._request(), **{"from": origin}, to=[goal])
            if not self.calm and luck.random() < 0.5 / 300:
                body = luck.choice(bodies)
                body.fail("wheel_stuck")
                asyncio.get_running_loop().call_later(luck.uniform(5, 90), body.repair)
            open_tasks = [task.id for task in place.service.open_tasks()]
            if not self.calm and luck.random() < 0.5 / 200 and open_tasks:
                with suppress(Refused, IllegalMove):  # it can't be stopped any more
                    await place.service.task_desk.cancel(luck.choice(open_tasks))

    def _request(self) -> dict[str, Any]:
        return REQUEST

    def _look(self) -> None:
        for one, other in combinations(self.place.world.ground.values(), 2):
            a, b = one.position().point, other.position().point
            pair = one.id, other.id
            if a.distance_m(b) > 2.5:
                self._side_by_side.discard(pair)
                continue
            self.nearest_m = min(self.nearest_m, gap_m(one, other))
            if pair not in self._side_by_side and one.driving and other.driving:
                self._side_by_side.add(pair)
                self.passed += 1
