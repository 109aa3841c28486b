import asyncio
import time

import pytest

from sim import loops


async def test_an_hour_passes_at_once() -> None:
    began = time.perf_counter()
    await asyncio.sleep(3600)
    assert asyncio.get_running_loop().time() == pytest.approx(3600)
    assert time.perf_counter() - began < 60


async def test_equal_deadlines_run_first_in_first_out() -> None:
    order: list[int] = []
    loop = asyncio.get_running_loop()
    for number in range(100):
        loop.call_at(5.0 + 1e-9 * (110 - number), order.append, number)
    await asyncio.sleep(10)
    assert order == list(range(100))


def test_a_loop_with_nothing_left_to_happen_says_so() -> None:
    async def wait_for_nobody() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(loops.VirtualDeadlock, match="nothing is left"):
        loops.run(wait_for_nobody())


def test_a_scaled_loop_runs_faster_than_the_wall() -> None:
    async def nap() -> float:
        await asyncio.sleep(20)
        return asyncio.get_running_loop().time()

    assert loops.run(nap(), loops.ScaledLoop(1000)) >= 20
