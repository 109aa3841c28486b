"""Pausing a robot from outside its order: startPause and stopPause, until its state says so."""

from fleet.errors import LinkTimeout
from fleet.vda5050.link import Link

ANSWER_S = 5.0


async def pause(link: Link, *, on: bool) -> None:
    """Have a robot stand still, or drive on; LinkTimeout if its state does not say so in time.

    Source: VDA 5050 2.1, 6.8.1, ``startPause``, ``stopPause``, and ``paused`` of the state.
    """
    await link.outbox.send_instant(link.outbox.instant("startPause" if on else "stopPause"))
    deadline_s = link.now_s() + ANSWER_S
    while bool(link.state is not None and link.state.paused) is not on:
        if link.now_s() >= deadline_s:
            word = "pauses" if on else "goes on"
            raise LinkTimeout(f"{link.config.serial} does not say that it {word}")
        await link.news.wait(link.news.rung, deadline_s)
