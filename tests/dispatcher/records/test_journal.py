import asyncio
import json
from datetime import UTC, datetime

import pytest

from dispatcher.domain.task import Priority, TaskId
from dispatcher.records.journal import Journal
from fleet.clock import Clock
from fleet.vehicle import VehicleId
from routing.refusal import Refusal
from routing.site import Zone

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


async def test_an_event_is_numbered_and_stamped_with_the_loops_time() -> None:
    lines: list[str] = []
    journal = Journal(Clock.starting(START), first_seq=41, sink=lines.append)
    await asyncio.sleep(90.0004)
    first = journal.event("task_accepted", task=TaskId("T-000001"), priority=Priority.STAT)
    second = journal.event("vehicle_online", vehicle=VehicleId("cart-1"))
    assert (first.seq, second.seq) == (41, 42)
    assert first.at_s == pytest.approx(90.0004)
    assert json.loads(lines[0]) == {
        "seq": 41,
        "at_ms": 90000,
        "at": "2026-03-01T06:01:30.000Z",
        "kind": "task_accepted",
        "task": "T-000001",
        "vehicle": None,
        "facts": {"priority": "stat"},
    }


async def test_facts_become_plain_values_that_read_the_same_everywhere() -> None:
    journal = Journal(Clock.starting(START))
    event = journal.event(
        "refused",
        reason=Refusal("over_payload", {"mass_kg": 80.00049}),
        zone=Zone.SEMI,
        route=("a", "b"),
        cost=-0.00001,
        at=START,
    )
    assert event.facts == {
        "reason": {"code": "over_payload", "facts": {"mass_kg": 80.0}},
        "zone": 1,
        "route": ["a", "b"],
        "cost": 0.0,
        "at": "2026-03-01T06:00:00+00:00",
    }


@pytest.mark.parametrize("value", [{"a", "b"}, object(), b"bytes"])
async def test_what_has_no_one_reading_is_not_let_in(value: object) -> None:
    journal = Journal(Clock.starting(START))
    before = journal.sha256
    with pytest.raises(TypeError, match="can't hold"):
        journal.event("odd", value=value)
    with pytest.raises(ValueError, match="nan"):
        journal.event("odd", value=float("nan"))
    assert journal.sha256 == before
    assert journal.event("next").seq == 1


async def test_the_hash_tells_two_histories_apart_and_like_ones_not() -> None:
    async def history(*facts: int) -> str:
        journal = Journal(Clock.starting(START))
        for fact in facts:
            await asyncio.sleep(1)
            journal.event("step", b=fact, a=0)
        return journal.sha256

    assert await history(1, 2) == await history(1, 2)
    assert await history(1, 2) != await history(2, 1)
