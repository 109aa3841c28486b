"""A replay in a real browser: its bar, its keys, and that nobody takes it for the present."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, expect

from dispatcher.replay.app import replay_app
from dispatcher.replay.folder import read_run
from dispatcher.replay.playback import Playback
from tests.console.desk import DESK, TABLET, Served, Visitor
from tests.dispatcher.replay.recorded import an_hour

pytestmark = pytest.mark.browser

PHONE = ViewportSize(width=390, height=844)


@pytest.fixture
def hour(tmp_path: Path) -> Path:
    return an_hour(tmp_path / "run")


@pytest_asyncio.fixture
async def playback(browser: Browser, hour: Path) -> Playback:
    assert browser  # it comes first: it may be missing
    return Playback(read_run(hour), speed=60)


@pytest_asyncio.fixture
async def replay(playback: Playback, hour: Path) -> AsyncIterator[Served]:
    desk = Served(replay_app(read_run(hour), playback))
    await desk.start()
    moving = asyncio.create_task(playback.run(), name="playback")
    yield desk
    moving.cancel()
    await asyncio.wait([moving])
    await desk.stop()


@pytest_asyncio.fixture
async def visitor(browser: Browser, replay: Served) -> AsyncIterator[Visitor]:
    context = await browser.new_context(locale="en-GB", viewport=DESK, timezone_id="UTC")
    context.set_default_timeout(10_000)
    visitor = Visitor(await context.new_page(), replay)
    yield visitor
    assert visitor.foreign() == []
    assert [said for said in visitor.complaints if "Failed to load resource" not in said] == []
    assert await visitor.missing() == []
    await context.close()


@pytest_asyncio.fixture
async def page(visitor: Visitor) -> Page:
    page = await visitor.open()
    await page.wait_for_selector(".replay .sign.violation")
    return page


async def jump(page: Page, clock: str) -> None:
    """Put the slider's head at a time of the run, which begins at 14:00 by the site's clock."""
    hours, minutes, seconds = map(int, clock.split(":"))
    at_s = (hours - 14) * 3600 + minutes * 60 + seconds
    await page.evaluate(
        "(at) => { const head = document.querySelector('.replay .head');"
        " head.value = at; head.dispatchEvent(new Event('input')); }",
        at_s,
    )
    await expect(page.locator(".replay .now")).to_have_text(clock)


async def test_nobody_takes_it_for_the_present(page: Page) -> None:
    await expect(page.locator(".tag.simulation")).to_have_text("Replay")
    await expect(page.locator(".bar .link")).to_have_text("Paused")
    await expect(page.locator(".replay .said")).to_have_text("ward, seed 7")
    await expect(page).to_have_title("Replay · Ward")
    await expect(page.locator(".new")).to_be_hidden()
    await page.keyboard.press("n")
    await expect(page.locator(".compose")).to_be_hidden()
    await page.click(".language")
    await expect(page.locator(".tag.simulation")).to_have_text("回放")
    await expect(page.locator(".replay .play")).to_have_attribute("aria-label", "播放")
    await page.click(".language")


async def test_a_jump_shows_that_moment_and_offers_no_deeds(page: Page) -> None:
    await jump(page, "14:25:00")
    await expect(page.locator(".row[data-task=T-000001]")).to_contain_text("late")
    await expect(page.locator(".strip strong")).to_contain_text("Cart 2")
    await expect(page.locator(".strip .acknowledge")).to_have_count(0)
    await page.click(".row[data-task=T-000001]")
    await expect(page.locator(".history li")).to_have_count(3)
    await expect(page.locator(".drawer .hold")).to_have_count(0)
    await jump(page, "14:35:00")
    await expect(page.locator(".history li")).to_have_count(4)
    await jump(page, "14:05:00")
    await expect(page.locator(".drawer")).to_contain_text("There is no task T-000001.")
    await page.keyboard.press("Escape")
    await expect(page.locator(".panel .empty")).to_have_text("No open task at this moment.")


async def test_the_keys_play_step_and_go_from_mark_to_mark(page: Page, playback: Playback) -> None:
    now = page.locator(".replay .now")
    await page.keyboard.press("Shift+ArrowRight")
    await expect(now).to_have_text("14:10:00")
    await page.keyboard.press("ArrowLeft")
    await expect(now).to_have_text("14:09:30")
    await page.keyboard.press(".")
    await expect(now).to_have_text("14:20:00")
    await expect(page.locator(".replay .said")).to_contain_text("14:20")
    await page.keyboard.press(".")
    await expect(now).to_have_text("14:40:00")
    await expect(page.locator(".replay .said")).to_contain_text("Collision: cart-1 meets cart-2")
    await page.keyboard.press(",")
    await expect(now).to_have_text("14:20:00")
    await page.keyboard.press(">")
    await expect(page.locator(".replay .speed")).to_have_value("300")
    await page.keyboard.press(" ")
    await expect(page.locator(".bar .link")).to_have_text("Plays ×300")
    await expect(page.locator(".tasks.ended [data-task=T-000001]")).to_be_visible()
    await page.keyboard.press(" ")
    await expect(page.locator(".bar .link")).to_have_text("Paused")
    assert not playback.play.playing


async def test_it_plays_and_others_who_look_see_the_same(page: Page, visitor: Visitor) -> None:
    await page.click(".replay .play")
    await expect(page.locator(".replay .play")).to_have_attribute("aria-label", "Pause")
    other = Visitor(await page.context.new_page(), visitor.desk)
    await other.open()
    await expect(other.page.locator(".bar .link")).to_have_text("Plays ×60")
    await other.page.select_option(".replay .speed", "600")
    await expect(page.locator(".bar .link")).to_have_text("Plays ×600")
    await other.page.close()


@pytest.mark.parametrize("size", [DESK, TABLET, PHONE], ids=["desk", "tablet", "phone"])
async def test_the_bar_fits_and_hides_nothing(page: Page, size: ViewportSize) -> None:
    await page.set_viewport_size(size)
    await jump(page, "14:25:00")
    assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    inside = await page.evaluate(
        "Array.from(document.querySelectorAll('.replay button, .replay select, .replay .head'),"
        " (each) => { const box = each.getBoundingClientRect(); return box.width > 0 &&"
        " box.left >= 0 && box.right <= innerWidth && box.bottom <= innerHeight; })"
    )
    assert len(inside) == 5
    assert all(inside)
    for name in ("play", "speed", "head"):
        label = await page.get_attribute(f".replay .{name}", "aria-label")
        assert label
        assert re.fullmatch(r"[A-Z][\w ]+", label)
    assert await page.get_attribute(".replay .head", "aria-valuetext") == "14:25:00"
