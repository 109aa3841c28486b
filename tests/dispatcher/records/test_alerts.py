import asyncio

import pytest

from dispatcher.domain.task import TaskId
from dispatcher.errors import NotFound
from dispatcher.records.alerts import Alert, Alerts, Severity
from fleet.clock import Clock
from fleet.vehicle import VehicleId
from routing.site import LaneId

C1, C2 = VehicleId("C1"), VehicleId("C2")


async def test_repeats_of_one_cause_are_counted_not_listed() -> None:
    told: list[Alert] = []
    alerts = Alerts(Clock.starting(), told.append)
    assert alerts.open("vehicle_fault", Severity.HIGH, vehicle=C1, why="brake")
    assert not alerts.open("vehicle_fault", Severity.HIGH, vehicle=C1, why="wheel")
    assert alerts.open("vehicle_fault", Severity.HIGH, vehicle=C2, why="brake")
    assert alerts.open("vehicle_fault", Severity.HIGH, vehicle=C1, task=TaskId("T-1"))
    assert [(a.count, a.facts.get("why")) for a in alerts.all()] == [
        (2, "wheel"),
        (1, "brake"),
        (1, None),
    ]
    assert [alert.count for alert in told] == [1, 2, 1, 1]


async def test_a_cause_that_comes_back_is_a_new_alert() -> None:
    alerts = Alerts(Clock.starting(), lambda _: None)
    alerts.open("vehicle_offline", Severity.HIGH, vehicle=C1)
    await asyncio.sleep(5)
    assert alerts.clear("vehicle_offline", vehicle=C1)
    assert not alerts.clear("vehicle_offline", vehicle=C1)
    assert not alerts.is_open("vehicle_offline", vehicle=C1)
    await asyncio.sleep(5)
    assert alerts.open("vehicle_offline", Severity.HIGH, vehicle=C1)
    first, second = alerts.all()
    assert first.id != second.id
    assert (first.since_s, first.cleared_s, second.since_s) == (0.0, 5.0, 10.0)


async def test_lanes_are_causes_of_their_own() -> None:
    alerts = Alerts(Clock.starting(), lambda _: None)
    for lane in ("a~b", "b~c"):
        assert alerts.open("lane_closed", Severity.NOTICE, lane=lane)
    assert alerts.clear("lane_closed", thing=LaneId("b~c"))
    assert [a.facts["lane"] for a in alerts.all() if a.cleared_s is None] == ["a~b"]


async def test_acknowledged_is_not_cleared() -> None:
    alerts = Alerts(Clock.starting(), lambda _: None)
    alerts.open("safety_stop", Severity.CRITICAL, vehicle=C1)
    (alert,) = alerts.all()
    assert alerts.acknowledge(alert.id, "Li").acknowledged_by == "Li"
    assert alerts.is_open("safety_stop", vehicle=C1)
    with pytest.raises(NotFound):
        alerts.acknowledge("A-99999", "Li")


async def test_only_old_cleared_ones_are_forgotten() -> None:
    alerts = Alerts(Clock.starting(), lambda _: None, keep=2)
    alerts.open("safety_stop", Severity.CRITICAL, vehicle=C1)
    for number in range(5):
        task = TaskId(f"T-{number}")
        alerts.open("task_late", Severity.HIGH, task=task)
        alerts.clear("task_late", task=task)
    alerts.open("task_late", Severity.HIGH, task=TaskId("T-9"))
    assert [alert.task for alert in alerts.all()] == [None, "T-3", "T-4", "T-9"]
