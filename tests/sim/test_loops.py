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


async def test_what_goes_wrong_in_a_callback_is_told_to_the_loop() -> None:
    told: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
    fault, done = ValueError("wrong"), loop.create_future()

    def fail() -> None:
        raise fault

    loop.call_soon(fail)
    loop.call_soon(done.set_result, None)
    await done
    assert told == [fault]


async def test_what_was_called_off_in_the_same_round_does_not_happen() -> None:
    happened: list[str] = []
    loop = asyncio.get_running_loop()
    loop.call_soon(lambda: second.cancel())
    second = loop.call_soon(happened.append, "second")
    loop.call_soon(happened.append, "third")
    await asyncio.sleep(0.001)
    assert happened == ["third"]


def test_a_closed_loop_takes_nothing() -> None:
    loop = loops.VirtualLoop()
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        loop.call_soon(print)


def test_a_loop_in_debug_mode_finds_what_asyncio_finds() -> None:
    async def schedule_a_coroutine() -> None:
        loop = asyncio.get_running_loop()
        loop.set_debug(True)
        loop.call_soon(schedule_a_coroutine)

    with pytest.raises(TypeError, match="coroutines cannot be used with call_soon"):
        loops.run(schedule_a_coroutine())


def test_a_stopped_loop_goes_no_further() -> None:
    happened: list[str] = []
    loop = loops.VirtualLoop()
    loop.call_at(1.0, loop.stop)
    loop.call_at(2.0, happened.append, "later")
    loop.run_forever()
    assert (loop.time(), happened) == (1.0, [])
    loop.close()
