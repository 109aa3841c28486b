"""What a new process remembers of the old one's journal."""

from datetime import UTC, datetime
from typing import Any

from dispatcher.domain.task import Goods
from dispatcher.records.journal import Journal
from dispatcher.work.memory import KINDS, Memory, remember
from fleet.clock import Clock
from fleet.vehicle import VehicleId

START = datetime(2026, 2, 3, 8, 0, tzinfo=UTC)


def remembered(*events: tuple[str, str | None, dict[str, Any]]) -> Memory:
    clock = Clock.starting(START)
    journal = Journal(clock)
    noted = [
        journal.event(kind, vehicle=VehicleId(vehicle) if vehicle else None, **facts)
        for kind, vehicle, facts in events
    ]
    assert {event.kind for event in noted} <= set(KINDS)
    return remember(noted, clock)


async def test_the_last_word_on_each_lane_holds() -> None:
    until = datetime(2026, 2, 3, 8, 10, tzinfo=UTC)
    memory = remembered(
        ("lane_closed", None, {"lane": "a~b", "until": None}),
        ("lane_closed", None, {"lane": "b~c", "until": until}),
        ("lane_closed", None, {"lane": "c~d", "until": None}),
        ("lane_opened", None, {"lane": "a~b"}),
    )
    assert memory.closed == {"b~c": 600.0, "c~d": None}


async def test_out_of_service_is_not_stood_down() -> None:
    memory = remembered(
        ("service_changed", "C1", {"in_service": False}),
        ("safety_stop", "C2", {"reason": "x"}),
        ("safety_stop", "C3", {"reason": "x"}),
        ("service_changed", "C3", {"in_service": True}),
    )
    assert list(memory.out_of_service) == ["C1"]
    assert list(memory.stood_down) == ["C2"]


async def test_who_was_set_aside_stays_so_until_somebody_lets_it_go_on() -> None:
    memory = remembered(
        ("set_aside", "C1", {"reason": {"code": "beyond_base", "facts": {}}}),
        ("set_aside", "C2", {"reason": {"code": "keeps_failing", "facts": {}}}),
        ("service_changed", "C2", {"in_service": True}),
    )
    assert memory.set_aside == {"C1": "beyond_base"}


async def test_dirt_is_remembered_until_it_was_washed_off() -> None:
    memory = remembered(
        ("exposed", "C1", {"goods": "waste"}),
        ("exposed", "C2", {"goods": "waste"}),
        ("exposed", "C2", {"goods": "dirty_linen"}),
        ("decontaminated", "C1", {}),
    )
    assert memory.carried == {"C2": [Goods.WASTE, Goods.DIRTY_LINEN]}


async def test_rules_of_the_road_are_counted_also_those_that_have_ended() -> None:
    rule = {"rules": "closed", "lanes": ["a~b"], "ends": [], "speed_m_s": None, "until": None}
    memory = remembered(
        ("road_rule_set", None, {"rule": "R-00001", **rule}),
        ("road_rule_set", None, {"rule": "R-00002", **rule}),
        ("road_rule_ended", None, {"rule": "R-00001", "why": "lifted"}),
    )
    assert (list(memory.rules), memory.rules_set) == (["R-00002"], 2)


async def test_an_emergency_lasts_until_it_is_ended() -> None:
    where = {"building": None, "level": None, "zone": None, "lanes": [], "by": "Lin"}
    memory = remembered(
        ("emergency_raised", None, {"emergency": "E-00001", "emergency_kind": "fire", **where}),
        ("emergency_raised", None, {"emergency": "E-00002", "emergency_kind": "fire", **where}),
        ("emergency_ended", None, {"emergency": "E-00001", "by": "Lin"}),
    )
    assert (list(memory.emergencies), memory.emergencies_raised) == (["E-00002"], 2)
