"""The DDS transport itself: two nodes of one process, over real DDS."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fleet.errors import LinkError, LinkTimeout
from fleet.ros2 import messages as ros
from fleet.ros2.config import Ros2Config
from fleet.ros2.dds import LATCHED, VOLATILE, DdsNode, Participants
from fleet.ros2.dds_port import DdsPort
from fleet.ros2.port import Navigation
from fleet.ros2.services import Client, Served, Service
from tests.fleet.vda5050.scene import running
from tests.real.nav2 import free_domain, on_loopback

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("dds")]

TRIGGER = "/r1/load", ros.TriggerRequest, ros.TriggerReply


@asynccontextmanager
async def two_nodes() -> AsyncGenerator[tuple[DdsNode, DdsNode]]:
    domain = free_domain()
    with on_loopback():
        ours, theirs = await DdsNode.open(domain), await DdsNode.open(domain)
        try:
            yield ours, theirs
        finally:
            await ours.close()
            await theirs.close()


async def until(true: Any, at_most_s: float = 20.0) -> None:
    async with asyncio.timeout(at_most_s):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_many_questions_at_once_get_each_its_own_answer() -> None:
    def asked(request: ros.TriggerRequest, answer: Any) -> None:
        answer(ros.TriggerReply(success=True, message=str(request.seq)))

    async with two_nodes() as (ours, theirs):
        Service(theirs, *TRIGGER, asked)
        first, second = Client(ours, *TRIGGER), Client(ours, *TRIGGER)
        await until(lambda: {first.served(), second.served()} == {Served.YES})
        clients = [first, second] * 10
        replies = await asyncio.gather(*(c.ask(ros.TriggerRequest(), 10) for c in clients))
        assert [reply.message for reply in replies] == [str(n // 2 + 1) for n in range(20)]


async def test_what_is_not_answered_times_out_and_what_is_not_served_is_not_asked() -> None:
    asked: list[Any] = []
    async with two_nodes() as (ours, theirs):
        client = Client(ours, *TRIGGER)
        with pytest.raises(LinkError, match="not served"):
            await client.ask(ros.TriggerRequest(), 1)
        Service(theirs, *TRIGGER, lambda request, answer: asked.append(request))
        await until(lambda: client.served() is Served.YES)
        with pytest.raises(LinkTimeout):
            await client.ask(ros.TriggerRequest(), 0.2)
        waiting = asyncio.ensure_future(client.ask(ros.TriggerRequest(), None))
        await until(lambda: len(asked) == 2)
        client.give_up()
        with pytest.raises(LinkError, match="closed"):
            await waiting


async def test_a_service_of_another_middleware_is_recognised_and_asked_nothing() -> None:
    """Fast DDS serves on topics of the same names, but says no ``serviceid``."""
    heard: list[Any] = []
    async with two_nodes() as (ours, theirs):
        theirs.hear("rq/r1/loadRequest", ros.TriggerRequest, heard.append, qos=VOLATILE)
        theirs.say("rr/r1/loadReply", ros.TriggerReply, qos=VOLATILE)
        client = Client(ours, *TRIGGER)
        await until(lambda: client.served() is Served.FOREIGN)
        with pytest.raises(LinkError, match="rmw_cyclonedds"):
            await client.ask(ros.TriggerRequest(), 1)
        assert heard == []


async def test_two_servers_of_one_service_are_seen() -> None:
    async with two_nodes() as (ours, theirs):
        for _ in range(2):
            Service(theirs, *TRIGGER, lambda request, answer: None)
        client = Client(ours, *TRIGGER)
        await until(lambda: client.served() is Served.TWICE)


async def test_a_flood_is_taken_from_a_bounded_queue_and_the_last_word_comes_through() -> None:
    heard: list[str] = []
    async with two_nodes() as (ours, theirs):
        ours.hear(
            "rt/pose", ros.PoseStamped, lambda m: heard.append(m.header.frame_id), qos=LATCHED
        )
        mouth = theirs.say("rt/pose", ros.PoseStamped, qos=LATCHED)
        for number in range(2000):
            mouth.say(ros.PoseStamped(header=ros.Header(frame_id=str(number))))
        await until(lambda: heard[-1:] == ["1999"])
        assert len(heard) <= 2000


async def test_robots_of_one_domain_share_a_participant_that_leaves_with_the_last() -> None:
    participants, domain = Participants(), free_domain()
    with on_loopback():
        first, second = (
            await DdsNode.open(domain, participants),
            await DdsNode.open(domain, participants),
        )
        one = await participants.join(domain)
        assert one is await participants.join(domain)
        for _ in range(2):
            await participants.leave(domain)
        await first.close()
        await second.close()
        with pytest.raises(KeyError):
            await participants.leave(domain)


async def test_a_port_without_a_robot_waits_and_comes_back_after_an_end() -> None:
    config = Ros2Config(namespace="/nobody", level="L1", domain_id=free_domain(), answer_s=0.5)
    port = DdsPort(config, Participants())
    with on_loopback():
        for _ in range(2):
            async with running(port.run()):
                await asyncio.sleep(0.3)
                assert port.senses.navigation is Navigation.ABSENT
                assert port.senses.heard_at_s is None
                with pytest.raises(LinkError):
                    await port.trigger("load")
