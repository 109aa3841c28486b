"""The bus within this process keeps MQTT's rules."""

import asyncio

import pytest

from fleet.bus import MemoryBus, matches

Heard = list[tuple[str, bytes]]


@pytest.mark.parametrize(
    ("pattern", "topic", "covered"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/+", "a/b", True),
        ("a/+", "a", False),
        ("a/+", "a/b/c", False),
        ("+/b/+", "a/b/c", True),
        ("+", "/a", False),
        ("a/#", "a/b/c", True),
        ("a/#", "a", True),
        ("a/#", "ab", False),
        ("#", "a/b", True),
        ("#", "$SYS/uptime", False),
        ("+/uptime", "$SYS/uptime", False),
        ("$SYS/#", "$SYS/uptime", True),
    ],
)
def test_a_filter_covers_topics_as_the_standard_says(
    pattern: str, topic: str, covered: bool
) -> None:
    assert matches(pattern, topic) is covered


async def step() -> None:
    await asyncio.sleep(0)


async def test_messages_come_in_order_and_not_within_publish() -> None:
    bus, heard = MemoryBus(), Heard()
    bus.subscribe("a/+", lambda topic, payload: heard.append((topic, payload)))
    await bus.publish("a/1", b"first")
    await bus.publish("a/2", b"second")
    await bus.publish("b/1", b"not for us")
    assert heard == []
    await step()
    assert heard == [("a/1", b"first"), ("a/2", b"second")]


async def test_a_late_subscriber_gets_the_last_retained_message_once() -> None:
    bus, heard = MemoryBus(), Heard()
    await bus.publish("door/1/state", b"open", retain=True)
    await bus.publish("door/1/state", b"closed", retain=True)
    await bus.publish("door/2/state", b"open")
    bus.subscribe("door/#", lambda topic, payload: heard.append((topic, payload)))
    await step()
    assert heard == [("door/1/state", b"closed")]


async def test_an_empty_retained_message_makes_the_bus_forget() -> None:
    bus, heard = MemoryBus(), Heard()
    await bus.publish("robot/connection", b"ONLINE", retain=True)
    await bus.publish("robot/connection", b"", retain=True)
    bus.subscribe("robot/connection", lambda topic, payload: heard.append((topic, payload)))
    await step()
    assert heard == []


async def test_a_closed_subscription_hears_nothing_more_not_even_what_is_under_way() -> None:
    bus, heard = MemoryBus(), Heard()
    subscription = bus.subscribe("a", lambda topic, payload: heard.append((topic, payload)))
    await bus.publish("a", b"under way")
    subscription.close()
    subscription.close()
    await bus.publish("a", b"later")
    await step()
    assert heard == []


async def test_a_handler_that_answers_does_not_overtake_others() -> None:
    bus, heard = MemoryBus(), Heard()
    loop = asyncio.get_running_loop()
    tasks: list[asyncio.Task[None]] = []

    def answer(topic: str, payload: bytes) -> None:
        tasks.append(loop.create_task(bus.publish("answer", payload)))

    bus.subscribe("question", answer)
    bus.subscribe("#", lambda topic, payload: heard.append((topic, payload)))
    await bus.publish("question", b"1")
    await bus.publish("question", b"2")
    await step()
    await asyncio.gather(*tasks)
    await step()
    assert [topic for topic, _ in heard] == ["question", "question", "answer", "answer"]


async def test_a_broken_handler_does_not_keep_others_from_hearing() -> None:
    bus, heard, complaints = MemoryBus(), Heard(), list[str]()
    asyncio.get_running_loop().set_exception_handler(
        lambda loop, context: complaints.append(str(context.get("exception")))
    )

    def broken(topic: str, payload: bytes) -> None:
        raise ValueError("our bug")

    bus.subscribe("a", broken)
    bus.subscribe("a", lambda topic, payload: heard.append((topic, payload)))
    await bus.publish("a", b"x")
    await step()
    assert heard == [("a", b"x")]
    assert complaints == ["our bug"]
