"""Whoever waits for a bell goes on when it rings, or when his own time is up."""

import asyncio

from fleet.vda5050.bell import Bell


async def _woken_at_s(bell: Bell, until_s: float | None = None) -> float:
    await bell.wait(bell.rung, until_s)
    return asyncio.get_running_loop().time()


async def test_each_goes_on_just_after_his_own_time() -> None:
    bell = Bell()
    times = (7.0, 3.0, 5.0, 3.0)
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(_woken_at_s(bell, at_s)) for at_s in times]
    assert [task.result() for task in waiting] == [7.001, 3.001, 5.001, 3.001]


async def test_a_ring_wakes_all_and_their_times_mean_nothing_any_more() -> None:
    bell, loop = Bell(), asyncio.get_running_loop()
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(_woken_at_s(bell, at_s)) for at_s in (9.0, None)]
        loop.call_at(2.0, bell.ring)
        await asyncio.sleep(4.0)
        late = group.create_task(_woken_at_s(bell, 20.0))
    assert [task.result() for task in waiting] == [2.0, 2.0]
    assert late.result() == 20.001


async def test_who_is_cancelled_is_forgotten() -> None:
    bell = Bell()
    async with asyncio.TaskGroup() as group:
        gone = group.create_task(_woken_at_s(bell, 3.0))
        stays = group.create_task(_woken_at_s(bell, 6.0))
        await asyncio.sleep(1.0)
        gone.cancel()
    assert gone.cancelled()
    assert stays.result() == 6.001


async def test_what_has_rung_meanwhile_is_not_waited_for() -> None:
    bell = Bell()
    bell.ring()
    await bell.wait(0, 5.0)
    assert asyncio.get_running_loop().time() == 0.0
