"""What people ask for twice within one write to the disk is done once."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

from dispatcher.desks.emergencies_in import EmergencyIn
from dispatcher.desks.road_rules_in import RoadRuleIn
from tests.sim.hospital import hospital, scenario_file

DISK_S = 0.05


class SlowDisk(Executor):
    """Does the work at once and says so later, as a disk does."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        done = fn(*args, **kwargs)
        asyncio.get_running_loop().call_later(DISK_S, future.set_result, done)
        return future


async def test_two_who_raise_the_same_emergency_raise_one(tmp_path: Path) -> None:
    asked = EmergencyIn.model_validate({"kind": "code_blue", "level": "L1", "by": "Dr Lin"})
    async with hospital(scenario_file(tmp_path), store_executor=SlowDisk()) as place:
        service = place.service
        both = await asyncio.gather(
            service.emergency_desk.begin(asked), service.emergency_desk.begin(asked)
        )
        assert both[0] == both[1]
        assert [one.id for one in service.emergencies()] == ["E-00001"]
        assert [a.count for a in service.alerts() if a.code == "code_blue"] == [1]


async def test_two_who_set_the_same_road_rule_set_one(tmp_path: Path) -> None:
    asked = RoadRuleIn.model_validate({"kind": "closed", "lanes": ["a2~a3"]})
    async with hospital(scenario_file(tmp_path), store_executor=SlowDisk()) as place:
        service = place.service
        both = await asyncio.gather(service.road_desk.set(asked), service.road_desk.set(asked))
        assert both[0] == both[1]
        assert [rule.id for rule in service.road_rules()] == ["R-00001"]
