"""What a person is told of a hold is what the robot says of it."""

import asyncio

import pytest

from fleet.errors import CommandFailed, LinkTimeout
from tests.fleet.vda5050.test_sloppy import Puppet, puppet


async def ended(robot: Puppet, kind: str, status: str, **said: object) -> None:
    """Have the robot answer the latest action of a kind."""
    while not (told := [a for a in robot.instant if a["actionType"] == kind]):  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    answer = {"actionId": told[-1]["actionId"], "actionStatus": status} | said
    await robot.say(actionStates=[answer])


@pytest.mark.parametrize("kind", ["startPause", "stopPause"])
async def test_who_tells_nothing_of_pauses_is_believed_once_it_is_done(kind: str) -> None:
    async with puppet() as robot:
        robot.said.pop("paused", None)
        await robot.say()
        told = robot.vehicle.hold() if kind == "startPause" else robot.vehicle.go_on()
        asked = asyncio.ensure_future(told)
        await ended(robot, kind, "RUNNING")
        assert not asked.done()
        await ended(robot, kind, "FINISHED")
        async with asyncio.timeout(1):
            await asked


@pytest.mark.parametrize(
    ("kind", "paused", "code"),
    [
        ("startPause", None, "pause_refused"),
        ("startPause", False, "pause_refused"),
        ("stopPause", None, "go_on_refused"),
        ("stopPause", True, "go_on_refused"),
    ],
)
async def test_who_fails_to_has_said_no(kind: str, paused: bool | None, code: str) -> None:
    async with puppet() as robot:
        await robot.say(paused=paused)
        told = robot.vehicle.hold() if kind == "startPause" else robot.vehicle.go_on()
        asked = asyncio.ensure_future(told)
        await ended(robot, kind, "FAILED", resultDescription="on a ramp")
        with pytest.raises(CommandFailed, match="on a ramp") as failed:
            await asked
        assert failed.value.reason.code == code


async def test_two_people_who_want_the_same_get_one_answer() -> None:
    async with puppet() as robot:
        await robot.say(paused=False)
        asked = [asyncio.ensure_future(robot.vehicle.hold()) for _ in range(2)]
        await ended(robot, "startPause", "RUNNING")
        await robot.say(paused=True)
        async with asyncio.timeout(1):
            await asyncio.gather(*asked)
        assert len([a for a in robot.instant if a["actionType"] == "startPause"]) == 1


async def test_who_says_nothing_does_not_answer() -> None:
    async with puppet() as robot:
        await robot.say(paused=False)
        with pytest.raises(LinkTimeout):
            await robot.vehicle.hold()
