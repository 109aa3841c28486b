import asyncio

import pytest

from dispatcher.records.alerts import Alert, Severity
from dispatcher.records.feed import Change, Feed, Hub, Overrun


def change(number: int) -> Change:
    return Change(
        alert=Alert(
            id=f"A-{number}",
            code="x",
            severity=Severity.INFO,
            facts={},
            vehicle=None,
            task=None,
            since_s=0.0,
        )
    )


async def heard(feed: Feed, many: int) -> list[str]:
    changes = [await anext(feed) for _ in range(many)]
    return [change.alert.id for change in changes if change.alert is not None]


async def test_everybody_hears_all_from_when_he_came_in_order() -> None:
    hub = Hub()
    hub.tell(change(0))
    early = hub.subscribe()
    hub.tell(change(1))
    late = hub.subscribe()
    hub.tell(change(2))
    assert await heard(early, 2) == ["A-1", "A-2"]
    assert await heard(late, 1) == ["A-2"]


async def test_one_who_waits_is_woken() -> None:
    hub = Hub()
    listening = asyncio.create_task(heard(hub.subscribe(), 1))
    await asyncio.sleep(1)
    hub.tell(change(7))
    assert await listening == ["A-7"]


async def test_one_who_is_too_slow_is_sent_away_after_what_it_has() -> None:
    hub = Hub()
    slow, quick = hub.subscribe(room=2), hub.subscribe(room=9)
    for number in range(4):
        hub.tell(change(number))
    assert await heard(slow, 2) == ["A-0", "A-1"]
    with pytest.raises(Overrun):
        await anext(slow)
    assert await heard(quick, 4) == ["A-0", "A-1", "A-2", "A-3"]


async def test_nobody_listens_after_closing() -> None:
    hub = Hub()
    feed = hub.subscribe()
    assert hub.listened
    feed.close()
    feed.close()
    assert not hub.listened
    hub.tell(change(1))
