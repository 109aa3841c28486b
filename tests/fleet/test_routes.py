"""Which handlers a topic goes to, and in what order."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from fleet.bus import MemoryBus
from fleet.routes import Routes, matches

WORDS = st.sampled_from(["a", "b", "c"])
TOPICS = st.lists(WORDS, min_size=1, max_size=3).map("/".join)
PATTERNS = st.lists(st.sampled_from(["a", "b", "+", "#"]), min_size=1, max_size=3).map("/".join)


@given(st.lists(st.tuples(PATTERNS, st.booleans()), max_size=8), st.lists(TOPICS, max_size=4))
def test_each_topic_goes_to_all_that_match_in_the_order_of_their_coming(
    wanted: list[tuple[str, bool]], topics: list[str]
) -> None:
    heard: list[tuple[int, str]] = []
    dropped: list[str] = []

    async def story() -> None:
        routes = Routes(dropped.append)
        for topic in topics:
            routes.dispatch(topic, b"")  # nobody is there yet; that must not be remembered
        all_ = [
            routes.add(pattern, lambda topic, _, number=number: heard.append((number, topic)))
            for number, (pattern, _) in enumerate(wanted)
        ]
        for topic in topics:
            routes.dispatch(topic, b"")
        await asyncio.sleep(0)
        heard.clear()
        for subscription, (_, stays) in zip(all_, wanted, strict=True):
            if not stays:
                subscription.close()
        for topic in topics:
            routes.dispatch(topic, b"")
        await asyncio.sleep(0)
        assert list(routes.patterns) == list(dict.fromkeys(routes.patterns))
        assert set(routes.patterns) == {pattern for pattern, stays in wanted if stays}

    asyncio.run(story())
    assert heard == [
        (number, topic)
        for topic in topics
        for number, (pattern, stays) in enumerate(wanted)
        if stays and matches(pattern, topic)
    ]
    assert set(dropped) == {p for p, _ in wanted} - {p for p, stays in wanted if stays}


async def test_a_topic_costs_the_same_however_many_others_are_wanted() -> None:
    bus, compared = MemoryBus(), 0

    class Counted(str):
        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return super().__eq__(other)

        __hash__ = str.__hash__

    for number in range(2000):
        bus.subscribe(Counted(f"robot/{number}/state"), lambda _topic, _payload: None)
    compared = 0
    await bus.publish(Counted("robot/7/state"), b"")
    await asyncio.sleep(0)
    assert compared < 10
