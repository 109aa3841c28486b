from collections.abc import AsyncIterator, Callable, Coroutine

import pytest_asyncio
from playwright.async_api import Browser, ViewportSize

from tests.console.desk import DESK, Desk, Visitor, chromium
from tests.dispatcher.ward import Ward

Visit = Callable[..., Coroutine[None, None, Visitor]]


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as found:
        yield found


@pytest_asyncio.fixture
async def desk(browser: Browser) -> AsyncIterator[Desk]:  # the browser first: it may be missing
    ward = await Ward.open(vehicles=3)
    desk = Desk(ward)
    await desk.start()
    yield desk
    await desk.stop()
    await ward.store.close()


@pytest_asyncio.fixture
async def visit(browser: Browser, desk: Desk) -> AsyncIterator[Visit]:
    """Makes visitors; none may have asked for anything elsewhere, nor have hit an error of ours."""
    visitors: list[Visitor] = []

    async def come(locale: str = "en-GB", size: ViewportSize = DESK) -> Visitor:
        context = await browser.new_context(locale=locale, viewport=size, timezone_id="UTC")
        context.set_default_timeout(10_000)
        visitors.append(Visitor(await context.new_page(), desk))
        return visitors[-1]

    yield come
    for visitor in visitors:
        await visitor.page.context.close()
        assert visitor.foreign() == []
        errors = [said for said in visitor.complaints if "Failed to load resource" not in said]
        assert [said for said in errors if "WebSocket" not in said] == []
